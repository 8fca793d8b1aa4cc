"""`sunbreak:comparescenes` in real QGIS with the real backend: numbers, page, layers, refusals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

ID = "sunbreak:comparescenes"


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set."""
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


@pytest.fixture(scope="module")
def pair(scene, tmp_path_factory):
    """A clear scene, one with a cloud, a stand-in for a cleaned one (0.02 too bright in the cloud), and the mask."""
    import numpy as np
    from osgeo import gdal

    folder = tmp_path_factory.mktemp("pair ß")
    clear = np.clip(scene["clear"], 1, 10_000).astype("uint16")
    rows, columns = np.mgrid[0 : clear.shape[1], 0 : clear.shape[2]]
    inside = np.hypot(rows - 130, columns - 160) < 60
    cloudy = np.where(inside[None], clear + 4000, clear).astype("uint16")
    cleaned = np.where(inside[None], clear + 200, clear).astype("uint16")
    found = {"clear": clear, "cloudy": cloudy, "cleaned": cleaned, "mask": inside[None].astype("uint8")}
    source = gdal.Open(str(scene["s2"]))
    for name, values in found.items():
        path = folder / f"{name} tiny.tif"
        count, height, width = values.shape
        kind = gdal.GDT_Byte if values.dtype == "uint8" else gdal.GDT_UInt16
        target = gdal.GetDriverByName("GTiff").Create(str(path), width, height, count, kind)
        target.SetGeoTransform(source.GetGeoTransform())
        target.SetProjection(source.GetProjection())
        for index in range(count):
            band = target.GetRasterBand(index + 1)
            band.WriteArray(np.ascontiguousarray(values[index]))
            if count == 13:
                band.SetDescription(source.GetRasterBand(index + 1).GetDescription())
                band.SetNoDataValue(0)
        del target
        found[name] = path
    return found | {"inside": inside}


def parameters(pair, scene, folder):
    return {
        "INPUT": str(pair["cleaned"]),
        "TARGET": str(pair["clear"]),
        "MASK": str(pair["mask"]),
        "CLOUDY": str(pair["cloudy"]),
        "OUTPUT": str(folder / "error.tif"),
        "SPECTRAL_ANGLE": str(folder / "angle.tif"),
        "REPORT": str(folder / "page.html"),
        "TABLE": str(folder / "all.csv"),
    }


def read(path):
    from osgeo import gdal

    return gdal.Open(str(path)).ReadAsArray()


def test_every_number_is_declared_and_given(real, scene, pair, tmp_path, feedback):
    import processing
    from qgis.core import QgsApplication

    result = processing.run(ID, parameters(pair, scene, tmp_path), feedback=feedback)
    declared = {
        output.name(): output.type()
        for output in QgsApplication.processingRegistry().algorithmById(ID).outputDefinitions()
    }
    numbers = {name for name, kind in declared.items() if kind == "outputNumber"}
    assert len(numbers) == 2 * 3 * 8 + 3
    assert declared["REPORT"] == "outputHtml"
    # outside of the mask both rasters are equal, so that their PSNR there is no number
    assert numbers - set(result) == {"PSNR_OUTSIDE", "CLOUDY_PSNR_OUTSIDE"}
    assert result["MAE_INSIDE"] == pytest.approx(0.02, abs=1e-6)
    assert result["PSNR_INSIDE"] == pytest.approx(33.979, abs=1e-3)
    assert result["BIAS_INSIDE"] == pytest.approx(0.02, abs=1e-6)
    assert result["MAE"] == pytest.approx(0.02 * pair["inside"].mean(), abs=1e-6)
    assert result["MAE_OUTSIDE"] == result["CLOUDY_MAE_OUTSIDE"] == 0
    assert result["CLOUDY_PSNR_INSIDE"] < 12
    assert result["MASK_SHARE"] == pytest.approx(pair["inside"].mean())
    assert result["COMPARED_SHARE"] == 1
    assert any(line.startswith("Inside the mask: PSNR 33.98 dB") for line in feedback.said["info"])


def test_map_page_and_table_are_written_to_their_destinations(real, scene, pair, tmp_path):
    import processing

    processing.run(ID, parameters(pair, scene, tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "all.csv", "angle.qml", "angle.stac.json", "angle.tif", "error.qml", "error.stac.json", "error.tif", "page.html",
    ]  # fmt: skip
    error = read(tmp_path / "error.tif")
    assert (error == pair["inside"] * 200).all()
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "cleaned tiny.tif" in page
    assert page.count("data:image/png;base64,") == 5
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) == 1 + 2 * 3 * 14


def test_the_layers_enter_the_project_styled_and_as_one_group(
    real, scene, pair, tmp_path, qgis_new_project, feedback, monkeypatch
):
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingOutputLayerDefinition, QgsProject

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    project = QgsProject.instance()
    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    given = parameters(pair, scene, tmp_path)
    for name in ("OUTPUT", "SPECTRAL_ANGLE"):
        given[name] = QgsProcessingOutputLayerDefinition(given[name], project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ID)
    _, ok = algorithm.run(given, context, feedback)
    assert ok
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=given)
    (group,) = project.layerTreeRoot().findGroups()
    assert group.name().startswith("cleaned tiny, ")
    assert [(node.name(), node.isVisible()) for node in group.findLayers()] == [
        ("Mean absolute error: cleaned tiny", True),
        ("Spectral angle: cleaned tiny", False),
    ]
    renderer = group.findLayers()[0].layer().renderer()
    assert renderer.type() == "singlebandpseudocolor"
    assert (renderer.classificationMin(), renderer.classificationMax()) == (0, 0.1)
    first = renderer.shader().rasterShaderFunction().colorRampItemList()[0]
    assert (first.value, first.color.alpha()) == (0, 0)  # where the error is 0 the map below is visible


def test_only_the_given_extent_is_compared(real, scene, pair, tmp_path):
    import processing

    given = parameters(pair, scene, tmp_path) | {"EXTENT": "601300,601900,5198400,5199000 [EPSG:32632]"}
    result = processing.run(ID, given)
    assert read(tmp_path / "error.tif").shape == (60, 60)
    assert result["MAE"] == pytest.approx(0.02, abs=1e-6)


def test_mismatched_rasters_are_refused_with_the_backend_message(real, scene, pair, tmp_path):
    import processing
    from osgeo import gdal
    from qgis.core import QgsProcessingException

    cut = tmp_path / "in" / "cut.tif"
    cut.parent.mkdir()
    gdal.Translate(str(cut), str(pair["clear"]), srcWin=[0, 0, 100, 90])
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(QgsProcessingException, match="100 x 90 pixels, the other 250 x 240"):
        processing.run(ID, parameters(pair, scene, folder) | {"TARGET": str(cut)})
    assert list(folder.iterdir()) == []


def test_no_output_replaces_one_of_the_inputs(real, scene, pair, tmp_path):
    import processing
    from qgis.core import QgsProcessingException

    copy = tmp_path / "copy.tif"
    shutil.copy(pair["clear"], copy)
    with pytest.raises(QgsProcessingException, match=r"would replace the input \(Reference"):
        processing.run(ID, parameters(pair, scene, tmp_path) | {"TARGET": str(copy), "SPECTRAL_ANGLE": str(copy)})
    assert copy.read_bytes() == pair["clear"].read_bytes()


def test_it_runs_from_the_shell_through_qgis_process(scene, pair, backend, plugin_folder, tmp_path):
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("no qgis_process")
    environment = {
        **os.environ,
        "QGIS_PLUGINPATH": str(plugin_folder),
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "profile"),
        "SUNBREAK_PYTHON": str(backend),
    }

    def call(*arguments):
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("plugins", "enable", "sunbreak")
    given = [f"{name}={value}" for name, value in parameters(pair, scene, tmp_path).items()]
    said = json.loads(call("--json", "run", ID, "--", *given))
    assert said["results"]["PSNR_INSIDE"] == pytest.approx(33.979, abs=1e-3)
    assert Path(said["results"]["REPORT"]).is_file()
