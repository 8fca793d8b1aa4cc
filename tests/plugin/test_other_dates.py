"""Other dates in the toolbox: what is refused before anything runs, and what the backend is given."""

from __future__ import annotations

import os
import shutil

import pytest
from algorithms import part_of_demo, run, write_raster

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
ALGORITHMS = ("removeclouds", "cleanclassifyexplain")


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set."""
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


@pytest.fixture(scope="module")
def dates(tmp_path_factory):
    """A folder with a date before the scene and one after it, and the radar of the first."""
    folder = tmp_path_factory.mktemp("dates ä")
    for day, name in (("20210501", "demo_s2_before"), ("20210725", "demo_s2_after")):
        write_raster(folder / f"place_{day}.tif", part_of_demo(name).clip(1, 10_000), bands=BANDS, nodata=0)
    write_raster(folder / "S1_20210502.tif", part_of_demo("demo_s1"), bands=("VV", "VH"))
    return folder


def refusal(algorithm, parameters):
    """The one line that says what is wrong; QGIS writes a heading above it."""
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        run(algorithm, parameters)
    *heading, line = str(caught.value).splitlines()
    assert len(heading) <= 1
    return line


def options(feedback):
    """The command line of a run."""
    import shlex

    (command,) = feedback.said["command"]
    return shlex.split(command)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_scene_itself_is_no_other_date(real, scene, dates, tmp_path, algorithm):
    link = tmp_path / "the same.tif"
    link.symlink_to(scene["s2"])
    given = {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "a.tif")}
    for other in (scene["s2"], link):
        message = refusal(algorithm, {**given, "DATES": [str(dates / "place_20210501.tif"), str(other)]})
        assert message.startswith(f"Other dates of the same place (Sentinel-2): {other} is the scene itself")


def test_a_date_that_is_no_file_is_named(real, scene, tmp_path):
    from qgis.core import QgsProject, QgsRasterLayer

    given = {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "a.tif")}
    gone = tmp_path / "gone.tif"
    assert f"(Sentinel-2): {gone} cannot be opened as a raster" in refusal(
        "removeclouds", {**given, "DATES": [gone.as_posix()]}
    )
    tiles = QgsRasterLayer("type=xyz&url=file:///nowhere/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=1&zmin=0", "my tiles", "wms")
    QgsProject.instance().addMapLayer(tiles)
    message = refusal("removeclouds", {**given, "DATES": [tiles.id()]})
    assert 'The layer "my tiles" is not a raster file' in message
    QgsProject.instance().removeMapLayer(tiles.id())
    message = refusal("removeclouds", {**given, "DATES_FOLDER": str(tmp_path / "nothing")})
    assert f"Folder of other dates: {tmp_path / 'nothing'} is not a folder" in message
    assert not (tmp_path / "a.tif").exists()


def test_radar_of_other_dates_alone_is_refused(real, scene, dates, tmp_path):
    radar = [str(dates / "S1_20210502.tif")]
    message = refusal("removeclouds", {"INPUT": str(scene["s2"]), "DATES_S1": radar, "OUTPUT": str(tmp_path / "a.tif")})
    assert message.startswith("Radar of the other dates (Sentinel-1): there are no other dates.")


def test_no_output_replaces_another_date(real, scene, dates, tmp_path):
    folder = tmp_path / "dates"
    shutil.copytree(dates, folder)
    date = folder / "place_20210501.tif"
    before = date.read_bytes()
    for given in ({"DATES": [str(date)]}, {"DATES_FOLDER": str(folder)}):
        message = refusal("removeclouds", {"INPUT": str(scene["s2"]), "OUTPUT": str(date), **given})
        assert "would replace the input (" in message
    assert date.read_bytes() == before


def test_other_dates_reach_the_backend_as_options(real, scene, dates, tmp_path, feedback):
    from qgis.core import QgsProject, QgsRasterLayer

    first, second = dates / "place_20210501.tif", dates / "place_20210725.tif"
    layer = QgsRasterLayer(str(first), "before")
    QgsProject.instance().addMapLayer(layer)
    result = run(
        "removeclouds",
        {
            "INPUT": str(scene["s2"]),
            "S1": str(scene["s1"]),
            "DATES": [layer, str(second), str(first)],
            "DATES_S1": [str(dates / "S1_20210502.tif")],
            "DATES_FOLDER": str(dates),
            "DEVICE": "cpu",
            "OUTPUT": str(tmp_path / "a.tif"),
        },
        feedback=feedback,
    )
    QgsProject.instance().removeMapLayer(layer.id())
    words = options(feedback)
    assert [words[at + 1] for at, word in enumerate(words) if word == "--reference"] == [str(first), str(second)]
    assert words[words.index("--reference-s1") + 1] == str(dates / "S1_20210502.tif")
    assert words[words.index("--references") + 1] == str(dates)
    said = " ".join(feedback.said["info"])
    assert "Other date 2021-05-01" in said
    assert "place_20210501.tif, with Sentinel-1" in said
    assert 0.05 < result["RECONSTRUCTED_SHARE"] < 0.8


def test_the_chain_takes_other_dates_from_a_model_input_or_the_command_line(real, scene, dates, tmp_path, feedback):
    """One layer alone is passed as text by models and `qgis_process`."""
    from qgis.core import QgsApplication, QgsProcessingContext

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:cleanclassifyexplain")
    context = QgsProcessingContext()
    date = dates / "place_20210725.tif"
    parameters = {"INPUT": str(scene["s2"]), "DATES": str(date), "OUTPUT": str(tmp_path / "a.tif")}
    fine, message = algorithm.checkParameterValues(parameters, context)
    assert fine, message
    words = algorithm.arguments(parameters, context)
    assert words[words.index("--reference") + 1] == str(date)
    assert words.count("--reference") == 1
    assert "--reference" not in algorithm.arguments({"INPUT": str(scene["s2"])}, context)


def test_without_other_dates_their_layers_are_not_missed(real, scene, tmp_path, feedback):
    targets = {name: str(tmp_path / f"{name}.tif") for name in ("OUTPUT", "SOURCE", "GROUND_CHANGED")}
    result = run("removeclouds", {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), **targets}, feedback=feedback)
    assert not {"SOURCE", "GROUND_CHANGED"} & set(result)
    assert not any("gives no" in text for text in feedback.said["warning"])


def test_source_and_ground_changed_lie_below_uncertainty_and_are_not_shown(real, qgis_new_project, tmp_path, feedback):
    import numpy as np
    from processing.gui import Postprocessing  # noqa: F401 (starts Processing)
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProject, QgsRasterLayer

    from sunbreak.plugin.layers import Output, load_on_completion

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:removeclouds")
    context = QgsProcessingContext()
    project = QgsProject.instance()
    context.setProject(project)
    outputs = []
    for name, role in algorithm.roles.items():
        path = write_raster(tmp_path / f"{role}.tif", np.ones((1, 4, 4), "uint8"))
        details = QgsProcessingContext.LayerDetails(role, project, name)
        context.addLayerToLoadOnCompletion(str(path), details)
        outputs.append(Output(str(path), role, f"{role}: place", role, name in algorithm.visible))
    load_on_completion(context, outputs, "place")
    for path, details in context.layersToLoadOnCompletion().items():
        layer = QgsRasterLayer(path, details.name)
        project.addMapLayer(layer)
        details.postProcessor().postProcessLayer(layer, context, feedback)
    (group,) = project.layerTreeRoot().children()
    assert [child.name() for child in group.children()] == [
        "cloud_mask: place", "cloud_probability: place", "reconstructed: place", "uncertainty: place",
        "source: place", "changed: place", "cleaned: place",
    ]  # fmt: skip
    assert [child.name() for child in group.children() if child.isVisible()] == ["cleaned: place"]


def test_an_item_that_blocks_or_overflows_says_no_date(tmp_path):
    from sunbreak.plugin.dates import date_of_item

    raster = tmp_path / "a.tif"
    item = tmp_path / "a.stac.json"
    for text in ("[" * 100_000, '{"properties": []}', "{", '{"properties": {"datetime": [1]}}'):
        item.write_text(text)
        assert date_of_item(raster) is None
    item.unlink()
    os.mkfifo(item)
    assert date_of_item(raster) is None
