"""The algorithms as users run them: `processing.run`, projects, models, cancelling; with the real backend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from algorithms import read, run

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set."""
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


def refusal(algorithm, parameters):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        run(algorithm, parameters)
    return str(caught.value)


def files(folder):
    return sorted(path.name for path in folder.rglob("*"))


# Inputs that are refused before anything runs


@pytest.mark.parametrize("name", ["OUTPUT", "UNCERTAINTY", "CLOUD_MASK"])
def test_file_types_other_than_geotiff_are_refused(real, scene, tmp_path, name):
    targets = {"OUTPUT": str(tmp_path / "a.tif"), name: str(tmp_path / "b.png")}
    message = refusal("removeclouds", {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), **targets})
    assert "png" in message
    assert files(tmp_path) == []


def test_no_output_replaces_an_input_even_through_a_link(real, scene, tmp_path):
    copy, link = tmp_path / "s2.tif", tmp_path / "link.tif"
    shutil.copy(scene["s2"], copy)
    link.symlink_to(copy)
    before = copy.read_bytes()
    for target in (copy, link, tmp_path / "x" / ".." / "s2.tif"):
        message = refusal("detectclouds", {"INPUT": str(copy), "OUTPUT": str(target)})
        assert "would replace the input" in message
    message = refusal(
        "removeclouds",
        {"INPUT": str(scene["s2"]), "S1": str(copy), "OUTPUT": str(tmp_path / "a.tif"), "CLOUD_MASK": str(copy)},
    )
    assert "would replace the input (Sentinel-1" in message
    assert copy.read_bytes() == before


def test_two_outputs_with_one_name_are_refused(real, scene, tmp_path):
    target = str(tmp_path / "a.tif")
    message = refusal("detectclouds", {"INPUT": str(scene["s2"]), "OUTPUT": target, "CLOUD_PROBABILITY": target})
    assert "have the same file name" in message


def test_a_web_layer_is_refused_by_name(real, tmp_path):
    from qgis.core import QgsRasterLayer

    layer = QgsRasterLayer("type=xyz&url=file:///nowhere/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=1&zmin=0", "my tiles", "wms")
    assert layer.isValid()
    message = refusal("detectclouds", {"INPUT": layer, "OUTPUT": str(tmp_path / "a.tif")})
    assert '"my tiles" is not a raster file (data provider: "wms")' in message
    assert "Export > Save As" in message


def test_container_parts_and_driver_options_are_refused(real, scene, tmp_path):
    from qgis.core import QgsRasterLayer

    page = QgsRasterLayer(f"GTIFF_DIR:1:{scene['s2']}", "a page")
    assert page.isValid()
    assert "is not a single local file" in refusal("detectclouds", {"INPUT": page, "OUTPUT": str(tmp_path / "a.tif")})
    options = QgsRasterLayer(f"{scene['s2']}|option:NUM_THREADS=1", "options")
    assert options.isValid()
    message = refusal("detectclouds", {"INPUT": options, "OUTPUT": str(tmp_path / "a.tif")})
    assert "driver options" in message
    assert "NUM_THREADS=1" in message


def test_a_virtual_raster_of_qgis_gives_the_layers_of_its_files(real, scene, tmp_path):
    from osgeo import gdal
    from qgis.core import QgsRasterLayer

    gdal.UseExceptions()
    whole = shutil.copy(scene["s2"], tmp_path / "whole.tif")
    opened = gdal.Open(str(whole))
    names = [opened.GetRasterBand(index).GetDescription() for index in range(1, 14)]
    bands = [str(tmp_path / f"T32TQM_20200930_{name}.tif") for name in names]
    for index, path in enumerate(bands, 1):
        gdal.Translate(path, str(whole), bandList=[index])
    gdal.BuildVRT(str(tmp_path / "stack.vrt"), bands, separate=True)
    layer = QgsRasterLayer(str(tmp_path / "stack.vrt"), "stack")
    assert layer.isValid()
    found = run("detectclouds", {"INPUT": layer, "OUTPUT": str(tmp_path / "a.tif")})
    expected = run("detectclouds", {"INPUT": str(whole), "OUTPUT": str(tmp_path / "b.tif")})
    assert (read(found["OUTPUT"]) == read(expected["OUTPUT"])).all()


def test_a_layer_of_a_sentinel_2_product_gives_the_whole_product(real, tmp_path):
    from qgis.core import QgsRasterLayer

    from sunbreak.plugin.sources import SourceError, backend_path

    product = tmp_path / "S2B_MSIL1C_20200930T101649_N0209_R065_T32TQM_20200930T124210.SAFE"
    product.mkdir()
    metadata = product / "MTD_MSIL1C.xml"
    metadata.write_text("<xml/>")
    layer = QgsRasterLayer(f"SENTINEL2_L1C:{metadata}:10m:EPSG_32632", "bands at 10 m", "gdal")
    assert backend_path(layer) == product
    assert backend_path(QgsRasterLayer(str(metadata), "the product", "gdal")) == product
    archive = product.with_suffix(".zip")
    archive.write_bytes(b"PK")
    inside = f"SENTINEL2_L1C:/vsizip/{archive}/{product.name}/MTD_MSIL1C.xml:10m:EPSG_32632"
    assert backend_path(QgsRasterLayer(inside, "zipped", "gdal")) == archive
    braced = f"SENTINEL2_L1C:/vsizip/{{{archive}}}/{product.name}/MTD_MSIL1C.xml:10m:EPSG_32632"
    assert backend_path(QgsRasterLayer(braced, "zipped", "gdal")) == archive
    archive.unlink()
    with pytest.raises(SourceError, match="does not exist"):
        backend_path(QgsRasterLayer(inside, "zipped", "gdal"))


def test_a_raster_in_a_zip_archive_is_its_path_in_the_archive(real, scene, tmp_path):
    import zipfile

    from qgis.core import QgsRasterLayer

    from sunbreak.plugin.sources import SourceError, backend_path

    archive = tmp_path / "a product.SAFE.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(scene["s2"], "f/s2.tif")
    for source in (f"/vsizip/{archive}/f/s2.tif", f"/vsizip/{{{archive}}}/f/s2.tif"):
        layer = QgsRasterLayer(source, "inside", "gdal")
        assert layer.isValid() or "{" in source  # not every version of QGIS opens those
        assert backend_path(layer) == archive / "f" / "s2.tif"
    archive.unlink()
    with pytest.raises(SourceError, match="not a single local file"):
        backend_path(QgsRasterLayer(f"/vsizip/{archive}/f/s2.tif", "gone", "gdal"))


def test_a_missing_file_is_named(real, tmp_path):
    gone = tmp_path / "gone.tif"
    assert str(gone) in refusal("detectclouds", {"INPUT": str(gone), "OUTPUT": str(tmp_path / "a.tif")})


# Real runs


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    """Filled by the first test that cleans the scene, for tests that only read the files."""
    return {"folder": tmp_path_factory.mktemp("out ü")}


def clean_once(cleaned, scene, feedback=None):
    if "result" not in cleaned:
        folder = cleaned["folder"]
        names = {
            "OUTPUT": "free.tif",
            "UNCERTAINTY": "sigma.tif",
            "RECONSTRUCTED": "how much.tif",
            "CLOUD_MASK": "mask.tif",
        }
        cleaned["result"] = run(
            "removeclouds",
            {
                "INPUT": str(scene["s2"]),
                "S1": str(scene["s1"]),
                "DEVICE": "cpu",
                **{name: str(folder / file) for name, file in names.items()},
            },
            feedback=feedback,
        )
    return cleaned["result"]


def test_cleaning_writes_exactly_the_requested_layers(real, scene, cleaned, feedback):
    result = clean_once(cleaned, scene, feedback)
    assert files(cleaned["folder"]) == sorted(
        [
            f"{name}{suffix}"
            for name in ("free", "sigma", "how much", "mask")
            for suffix in (".tif", ".qml", ".stac.json")
        ]
        + ["free_quicklook.png", "mask.tif.aux.xml"]
    )
    assert set(result) == {
        "OUTPUT", "UNCERTAINTY", "RECONSTRUCTED", "CLOUD_MASK", "CLOUD_SHARE", "THIN_CLOUD_SHARE", "SHADOW_SHARE",
        "RECONSTRUCTED_SHARE", "SECONDS", "QUICKLOOK",
    }  # fmt: skip
    assert Path(result["QUICKLOOK"]).read_bytes().startswith(b"\x89PNG")
    assert feedback.steps[-1] == 100.0
    assert "sunbreak clean" in feedback.said["command"][0]
    assert "--device cpu" in feedback.said["command"][0]
    assert "--detector" not in feedback.said["command"][0]
    assert "--replace" not in feedback.said["command"][0]


def test_clear_pixels_are_kept_and_the_cloud_is_gone(real, scene, cleaned):
    result = clean_once(cleaned, scene)
    before, after = read(scene["s2"]), read(result["OUTPUT"])
    share = read(result["RECONSTRUCTED"])[0]
    assert after.shape == before.shape
    assert after.dtype == before.dtype
    untouched = share == 0
    assert untouched.mean() > 0.2
    assert (after[:, untouched] == before[:, untouched]).all()
    core = scene["inside"] & (share == 10_000)
    assert core.sum() > 0.7 * scene["inside"].sum()
    blue = 1
    error_before = abs(before[blue][core] - scene["clear"][blue][core]).mean()
    error_after = abs(after[blue][core] - scene["clear"][blue][core]).mean()
    assert error_after < error_before / 3
    sigma = read(result["UNCERTAINTY"])
    assert (sigma[:, untouched] == 0).all()
    assert (sigma[:, core] > 0).all()


def test_the_numbers_agree_with_the_files(real, scene, cleaned, tmp_path):
    import numpy as np

    result = clean_once(cleaned, scene)
    mask, share = read(result["CLOUD_MASK"])[0], read(result["RECONSTRUCTED"])[0]
    detected = run("detectclouds", {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "found.tif")})
    found = read(detected["OUTPUT"])[0]
    for name, classes in (("CLOUD_SHARE", (1, 2)), ("THIN_CLOUD_SHARE", (2,)), ("SHADOW_SHARE", (3,))):
        assert result[name] == pytest.approx(detected[name], abs=1e-9)
        assert result[name] == pytest.approx(np.isin(found, classes).mean(), abs=1e-3)
        assert 0.01 < result[name] < 0.8
    # the mask that was used is the detected one, dilated by the buffer
    assert (mask[found > 0] == found[found > 0]).all()
    assert (found > 0).sum() < (mask > 0).sum() < 2 * (found > 0).sum()
    assert result["RECONSTRUCTED_SHARE"] == pytest.approx(share.mean() * 1e-4, abs=1e-4)
    assert result["SECONDS"] > 0


def test_stac_items_link_to_the_chosen_file_names(real, scene, cleaned):
    result = clean_once(cleaned, scene)
    for name in ("OUTPUT", "UNCERTAINTY", "RECONSTRUCTED", "CLOUD_MASK"):
        raster = Path(result[name])
        item = json.loads(raster.with_name(raster.stem + ".stac.json").read_text(encoding="utf-8"))
        hrefs = [asset["href"] for asset in item["assets"].values()]
        assert f"./{raster.name}" in hrefs
        assert all((raster.parent / href).exists() for href in hrefs)


def test_an_output_the_run_cannot_give_is_skipped_with_a_warning(real, scene, tmp_path, feedback):
    import numpy as np
    from osgeo import gdal

    source = gdal.Open(str(scene["s2"]))
    mask = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "own.tif"), 250, 240, 1, gdal.GDT_Byte)
    mask.SetGeoTransform(source.GetGeoTransform())
    mask.SetProjection(source.GetProjection())
    mask.GetRasterBand(1).WriteArray(np.ones((240, 250), "uint8"))
    del mask
    result = run(
        "removeclouds",
        {
            "INPUT": str(scene["s2"]),
            "S1": str(scene["s1"]),
            "MASK": str(tmp_path / "own.tif"),
            "REPLACE_ALL": True,
            "EXTENT": "601000,602500,5198200,5199700 [EPSG:32632]",
            "OUTPUT": str(tmp_path / "a.tif"),
            "CLOUD_PROBABILITY": str(tmp_path / "b.tif"),
        },
        feedback=feedback,
    )
    assert "CLOUD_PROBABILITY" not in result
    assert any("cloud_probability" in warning for warning in feedback.said["warning"])
    assert result["RECONSTRUCTED_SHARE"] == 1.0
    assert not (tmp_path / "b.tif").exists()


def test_a_given_mask_decides_what_is_replaced(real, scene, tmp_path):
    import numpy as np
    from osgeo import gdal

    source = gdal.Open(str(scene["s2"]))
    mask = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "own.tif"), 250, 240, 1, gdal.GDT_Byte)
    mask.SetGeoTransform(source.GetGeoTransform())
    mask.SetProjection(source.GetProjection())
    values = np.zeros((240, 250), "uint8")
    values[20:60, 30:90] = 1
    mask.GetRasterBand(1).WriteArray(values)
    del mask
    parameters = {
        "INPUT": str(scene["s2"]),
        "S1": str(scene["s1"]),
        "MASK": str(tmp_path / "own.tif"),
        "FEATHER": 0,
        "OUTPUT": str(tmp_path / "a.tif"),
        "RECONSTRUCTED": str(tmp_path / "b.tif"),
    }
    result = run("removeclouds", parameters)
    assert ((read(result["RECONSTRUCTED"])[0] == 10_000) == (values == 1)).all()
    assert result["CLOUD_SHARE"] == pytest.approx(40 * 60 / (240 * 250))
    untouched = values == 0
    assert (read(result["OUTPUT"])[:, untouched] == read(scene["s2"])[:, untouched]).all()


def test_a_loaded_layer_has_its_style_and_a_readable_name(
    real, scene, tmp_path, qgis_new_project, feedback, monkeypatch
):
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingOutputLayerDefinition, QgsProject

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    project = QgsProject.instance()
    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    targets = {"OUTPUT": tmp_path / "a.tif", "CLOUD_PROBABILITY": tmp_path / "b.tif"}
    parameters = {"INPUT": str(scene["s2"])} | {
        name: QgsProcessingOutputLayerDefinition(str(path), project) for name, path in targets.items()
    }
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:detectclouds")
    _, ok = algorithm.run(parameters, context, feedback)
    assert ok
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters)
    layers = {Path(layer.source()).name: layer for layer in project.mapLayers().values()}
    assert {name: layer.name() for name, layer in layers.items()} == {
        "a.tif": "Cloud mask: S2 tiny",
        "b.tif": "Cloud probability: S2 tiny",
    }
    assert layers["a.tif"].renderer().type() == "paletted"
    legend = {entry.value: (entry.label, entry.color.alpha()) for entry in layers["a.tif"].renderer().classes()}
    assert legend == {0: ("clear", 0), 1: ("thick cloud", 255), 2: ("thin cloud", 255), 3: ("shadow", 255)}
    assert len({entry.color.name() for entry in layers["a.tif"].renderer().classes()}) == 4
    assert layers["b.tif"].renderer().type() == "singlebandpseudocolor"
    tree = project.layerTreeRoot()
    assert tree.findLayer(layers["a.tif"].id()).isVisible()
    assert not tree.findLayer(layers["b.tif"].id()).isVisible()


def test_a_temporary_output_is_in_qgis_temporary_folder(real, scene):
    from qgis.core import QgsProcessingUtils

    result = run("detectclouds", {"INPUT": str(scene["s2"]), "OUTPUT": "TEMPORARY_OUTPUT"})
    path = Path(result["OUTPUT"].source() if hasattr(result["OUTPUT"], "source") else result["OUTPUT"])
    assert Path(QgsProcessingUtils.tempFolder()) in path.parents
    assert set(read(path).ravel().tolist()) == {0, 1, 2, 3}
    assert "CLOUD_PROBABILITY" not in result


def test_an_extent_crops_the_scene_in_its_crs(real, scene, tmp_path):
    result = run(
        "detectclouds",
        {
            "INPUT": str(scene["s2"]),
            "EXTENT": "600500,601500,5198000,5199500 [EPSG:32632]",
            "OUTPUT": str(tmp_path / "a.tif"),
        },
    )
    assert read(result["OUTPUT"]).shape == (1, 150, 100)


def test_an_extent_in_degrees_is_transformed(real, scene, tmp_path):
    from osgeo import gdal, osr

    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32632)
    degrees = osr.SpatialReference()
    degrees.ImportFromEPSG(4326)
    degrees.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    turn = osr.CoordinateTransformation(crs, degrees)
    (west, south, _), (east, north, _) = (
        turn.TransformPoint(600_800, 5_198_200),
        turn.TransformPoint(601_800, 5_199_200),
    )
    extent = f"{west},{east},{south},{north} [EPSG:4326]"
    result = run("detectclouds", {"INPUT": str(scene["s2"]), "EXTENT": extent, "OUTPUT": str(tmp_path / "a.tif")})
    dataset = gdal.Open(result["OUTPUT"])
    left, _, _, top, _, _ = dataset.GetGeoTransform()
    assert abs(left - 600_800) < 60
    assert abs(top - 5_199_200) < 60
    assert abs(dataset.RasterXSize - 100) < 12


def test_the_backend_message_reaches_the_exception_without_leftovers(real, scene, tmp_path):
    message = refusal(
        "removeclouds",
        {
            "INPUT": str(scene["s2"]),
            "S1": str(scene["s1"]),
            "MODEL": "no-such-model",
            "OUTPUT": str(tmp_path / "a.tif"),
        },
    )
    assert "no-such-model" in message
    assert files(tmp_path) == []
    command = ["clean", scene["s2"], "--s1", scene["s1"], "--model", "no-such-model", "-o", tmp_path]
    shell = subprocess.run(
        [os.environ["SUNBREAK_PYTHON"], "-I", "-m", "sunbreak", *command],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "1000"},
    )
    assert shell.returncode == 2
    assert message.splitlines()[0].split(". ")[0] in " ".join((shell.stderr + shell.stdout).split())


def test_cancelling_stops_the_backend_and_leaves_no_files(real, scene, tmp_path, feedback):
    from qgis.core import QgsProcessingException

    feedback.progressChanged.connect(lambda _: feedback.cancel())
    started = time.monotonic()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run(
            "removeclouds",
            {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "REPLACE_ALL": True, "OUTPUT": str(tmp_path / "a.tif")},
            feedback=feedback,
        )
    assert time.monotonic() - started < 40
    assert files(tmp_path) == []


def test_cancelling_before_the_first_message_works(real, scene, tmp_path, feedback):
    from qgis.core import QgsProcessingException

    parameters = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "OUTPUT": str(tmp_path / "a.tif")}
    threading.Timer(0.2, feedback.cancel).start()
    started = time.monotonic()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("removeclouds", parameters, feedback=feedback)
    assert time.monotonic() - started < 9
    assert files(tmp_path) == []
