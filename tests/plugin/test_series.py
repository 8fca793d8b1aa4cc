"""A series in the toolbox: what is refused, and the cleaned dates as a group that the temporal controller plays."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from algorithms import part_of_demo, run, write_raster

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
DAYS = ("2021-05-01", "2021-05-31", "2021-06-05", "2021-07-25")


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


@pytest.fixture
def project(qgis_new_project):
    from qgis.core import QgsProject

    project = QgsProject.instance()
    project.timeSettings().reset()
    return project


@pytest.fixture
def cleaned(tmp_path):
    """Cleaned dates as the backend writes them, in the order in which they were finished; the last has no STAC item."""
    import numpy as np

    files = []
    for value, day in enumerate(DAYS, 1):
        folder = tmp_path / "my place" / "out" / day
        folder.mkdir(parents=True)
        path = write_raster(folder / f"S2 {value}_cleaned.tif", np.full((3, 8, 8), 60 * value, "uint8"))
        if day != DAYS[-1]:
            item = {"id": path.stem, "properties": {"datetime": f"{day}T10:20:31Z"}}
            path.with_name(f"{path.stem}.stac.json").write_text(json.dumps(item))
        files.append(path)
    return files[2:] + files[:2]


def load(files, project, feedback, place="my place"):
    """Load cleaned dates as Processing does after a run."""
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext

    from sunbreak.plugin.series_layers import dated_layers, load_series

    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    dates, undated = dated_layers(files)
    load_series(context, dates, place)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:cleanseries")
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters={})
    return undated


def at(moment):
    from qgis.core import QgsDateTimeRange
    from qgis.PyQt.QtCore import QDateTime, Qt

    then = QDateTime.fromString(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), Qt.DateFormat.ISODate)
    return QgsDateTimeRange(then, then)


def shown(group, moment):
    """Names of the layers of a group that a temporal map shows at a time."""
    ranges = {node.name(): node.layer().temporalProperties() for node in group.findLayers()}
    return [name for name, times in ranges.items() if times.isActive() and times.isVisibleInTemporalRange(at(moment))]


# Inputs that are refused before anything runs


def refusal(parameters):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        run("cleanseries", parameters)
    return str(caught.value).splitlines()[-1]


def test_what_is_no_series_is_refused(real, tmp_path):
    out = {"OUTPUT": str(tmp_path / "out")}
    assert refusal(out) == "Give a folder with the dates of one place, or several layers."
    missing = tmp_path / "nothing"
    assert f"{missing} is not a folder" in refusal({**out, "INPUT": str(missing)})
    assert f"{missing} cannot be opened as a raster" in refusal({**out, "LAYERS": [str(missing)]})
    assert "is the folder with the dates" in refusal({"INPUT": str(tmp_path), "OUTPUT": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []


# The group


def test_the_dates_form_one_group_sorted_by_date(real, project, cleaned, feedback):
    assert load(cleaned, project, feedback) == []
    (group,) = project.layerTreeRoot().children()
    assert group.name() == "my place"
    assert [node.name() for node in group.children()] == list(DAYS)
    assert all(node.isVisible() for node in group.children())


def test_at_each_time_exactly_one_date_is_shown(real, project, cleaned, feedback):
    load(cleaned, project, feedback)
    (group,) = project.layerTreeRoot().children()
    moment = datetime(2021, 5, 1, 10, 20, 31, tzinfo=timezone.utc)
    end = datetime(2021, 7, 26, tzinfo=timezone.utc)
    seen = []
    while moment <= end:
        (name,) = shown(group, moment)
        seen += [name] if name not in seen else []
        moment += timedelta(hours=1)
    assert seen == list(DAYS)
    # the border between two dates, to the second
    for second, name in ((30, "2021-05-01"), (31, "2021-05-31")):
        assert shown(group, datetime(2021, 5, 31, 10, 20, second, tzinfo=timezone.utc)) == [name]
    for nothing in (datetime(2021, 5, 1, tzinfo=timezone.utc), datetime(2021, 7, 26, 0, 0, 1, tzinfo=timezone.utc)):
        assert shown(group, nothing) == []


def test_two_layers_of_one_acquisition_are_shown_one_after_the_other(tmp_path):
    from sunbreak.plugin.series_layers import dated_layers

    files = [tmp_path / day / "S2_cleaned.tif" for day in ("2021-05-01_2", "2021-06-05", "2021-05-01")]
    dates, _ = dated_layers(files)
    assert [(one.name, str(one.begin)[:19], str(one.end)[:19]) for one in dates] == [
        ("2021-05-01", "2021-05-01 00:00:00", "2021-05-01 00:00:00"),
        ("2021-05-01_2", "2021-05-01 00:00:01", "2021-06-04 23:59:59"),
        ("2021-06-05", "2021-06-05 00:00:00", "2021-06-06 00:00:00"),
    ]
    assert dated_layers([]) == ([], [])


def test_the_temporal_controller_has_one_frame_for_each_date(real, project, cleaned, feedback, tmp_path):
    from qgis.core import QgsInterval, QgsProject, QgsTemporalNavigationObject, QgsTemporalUtils

    from sunbreak.plugin.compat import IRREGULAR_STEP

    load(cleaned, project, feedback)
    project.write(str(tmp_path / "saved.qgz"))
    project.clear()
    assert QgsProject.instance().read(str(tmp_path / "saved.qgz"))  # as the user opens it another day
    (group,) = project.layerTreeRoot().children()
    assert project.timeSettings().timeStepUnit() == IRREGULAR_STEP
    controller = QgsTemporalNavigationObject()
    controller.setAvailableTemporalRanges(QgsTemporalUtils.usedTemporalRangesForProject(project))
    controller.setTemporalExtents(project.timeSettings().temporalRange())
    controller.setFrameDuration(QgsInterval(1, IRREGULAR_STEP))
    assert controller.totalFrameCount() == len(DAYS)
    for frame, day in enumerate(DAYS):
        moments = controller.dateTimeRangeForFrameNumber(frame)
        visible = [
            node.name()
            for node in group.findLayers()
            if node.layer().temporalProperties().isVisibleInTemporalRange(moments)
        ]
        assert visible == [day]


def test_an_open_temporal_controller_steps_from_date_to_date(
    real, project, cleaned, feedback, qgis_iface, qgis_canvas, monkeypatch
):
    from qgis.core import QgsInterval, QgsTemporalNavigationObject, QgsUnitTypes

    from sunbreak.plugin import series_layers
    from sunbreak.plugin.compat import IRREGULAR_STEP

    controller = QgsTemporalNavigationObject(qgis_canvas)  # the canvas keeps it
    controller.setFrameDuration(QgsInterval(1, QgsUnitTypes.TemporalUnit.TemporalHours))
    qgis_canvas.setTemporalController(controller)
    monkeypatch.setattr(series_layers, "iface", qgis_iface)
    load(cleaned, project, feedback)
    assert controller.frameDuration().originalUnit() == IRREGULAR_STEP
    ranges = controller.availableTemporalRanges()
    assert [one.begin().toString("yyyy-MM-dd") for one in ranges] == list(DAYS)


def test_the_map_shows_the_pixels_of_the_date(real, project, cleaned, feedback):
    from qgis.core import QgsMapRendererParallelJob, QgsMapSettings
    from qgis.PyQt.QtCore import QSize

    load(cleaned, project, feedback)
    (group,) = project.layerTreeRoot().children()
    layers = [node.layer() for node in group.findLayers()]
    colours = []
    for day in DAYS:
        settings = QgsMapSettings()
        settings.setLayers(layers)
        settings.setDestinationCrs(layers[0].crs())
        settings.setExtent(layers[0].extent())
        settings.setOutputSize(QSize(8, 8))
        settings.setIsTemporal(True)
        settings.setTemporalRange(at(datetime.fromisoformat(f"{day}T12:00:00+00:00")))
        alone = QgsMapSettings(settings)
        alone.setLayers([layer for layer in layers if layer.name() == day])
        pictures = []
        for one in (settings, alone):
            job = QgsMapRendererParallelJob(one)
            job.start()
            job.waitForFinished()
            pictures.append(job.renderedImage().pixelColor(4, 4).name())
        assert pictures[0] == pictures[1]
        colours.append(pictures[0])
    assert len(set(colours)) == len(DAYS)


def test_the_project_gets_the_time_range_of_the_series(real, project, cleaned, feedback):
    load(cleaned[:3], project, feedback)
    before = project.timeSettings().temporalRange()
    assert before.begin().toString("yyyy-MM-dd hh:mm:ss") == "2021-05-01 10:20:31"
    assert before.end().toString("yyyy-MM-dd") == "2021-07-26"
    # a later run of ours may change it again
    load(cleaned[2:], project, feedback, "again")
    assert project.timeSettings().temporalRange().end().toString("yyyy-MM-dd hh:mm:ss") == "2021-06-01 10:20:31"


def test_a_time_range_that_the_user_set_is_kept(real, project, cleaned, feedback):
    own = at(datetime(2020, 1, 1, tzinfo=timezone.utc))
    project.timeSettings().setTemporalRange(own)
    load(cleaned, project, feedback)
    assert project.timeSettings().temporalRange() == own
    (group,) = project.layerTreeRoot().children()
    assert shown(group, datetime(2021, 6, 1, tzinfo=timezone.utc)) == ["2021-05-31"]


def test_a_file_without_a_date_is_left_out_and_named(real, project, cleaned, feedback, tmp_path):
    import numpy as np

    (tmp_path / "somewhere").mkdir()
    path = write_raster(tmp_path / "somewhere" / "S2_cleaned.tif", np.ones((1, 4, 4), "uint8"))
    assert load([*cleaned, path], project, feedback) == [path]
    assert len(project.mapLayers()) == len(DAYS)


# A real run


def test_a_folder_is_cleaned_and_loaded(real, project, tmp_path, feedback):
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext

    place = tmp_path / "my place"
    place.mkdir()
    for day, name in zip(("20210501", "20210605", "20210725"), ("before", "cloudy", "after"), strict=True):
        write_raster(place / f"S2_{day}.tif", part_of_demo(f"demo_s2_{name}").clip(1, 10_000), bands=BANDS, nodata=0)
    write_raster(place / "S1_20210606.tif", part_of_demo("demo_s1"), bands=("VV", "VH"))
    (place / "S2_20210801.tif").write_bytes(b"no raster")
    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:cleanseries")
    parameters = {"INPUT": str(place), "OUTPUT": str(place / "cleaned"), "COUNT": 2, "DEVICE": "cpu"}
    results, ok = algorithm.run(parameters, context, feedback)
    assert ok, feedback.said
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters)
    assert (results["DONE"], results["FAILED"], results["SKIPPED"]) == (3, 0, 0)
    assert any("S2_20210801.tif" in text for text in feedback.said["warning"])
    (group,) = project.layerTreeRoot().children()
    assert group.name() == "my place"
    assert [node.name() for node in group.children()] == ["2021-05-01", "2021-06-05", "2021-07-25"]
    assert shown(group, datetime(2021, 6, 6, tzinfo=timezone.utc)) == ["2021-06-05"]
    assert group.children()[0].layer().renderer().type() == "multibandcolor"
    # the dates are shown alike
    ranges = {
        (stretch.minimumValue(), stretch.maximumValue())
        for stretch in (node.layer().renderer().redContrastEnhancement() for node in group.children())
    }
    ((black, white),) = ranges
    assert 0.02 < black < 0.06
    assert 0.1 < white < 0.3
    # a second run keeps what is finished
    again, ok = algorithm.create().run(parameters, context, feedback)
    assert ok
    assert (again["DONE"], again["SKIPPED"]) == (0, 3)


def test_dates_that_cannot_be_read_do_not_stop_the_others(real, project, tmp_path, feedback):
    from qgis.core import QgsApplication, QgsProcessingContext

    place = tmp_path / "my place"
    place.mkdir()
    dates = []
    for day, name in (("20210605", "cloudy"), ("20210725", "after")):
        values = part_of_demo(f"demo_s2_{name}").clip(1, 10_000)
        dates.append(write_raster(place / f"S2_{day}.tif", values, bands=BANDS, nodata=0))
    damage(dates[1])
    context = QgsProcessingContext()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:cleanseries")
    parameters = {"INPUT": str(place), "OUTPUT": str(tmp_path / "out"), "DEVICE": "cpu"}
    results, ok = algorithm.run(parameters, context, feedback)
    assert ok
    assert (results["DONE"], results["FAILED"]) == (1, 1)
    assert feedback.said["warning"][-1] == (
        f"1 of 2 dates could not be cleaned; {tmp_path / 'out' / 'summary.csv'} says why."
    )
    (loaded,) = context.layersToLoadOnCompletion()
    assert loaded == str(tmp_path / "out" / "2021-06-05" / "S2_20210605_cleaned.tif")
    damage(dates[0])
    message = refusal(parameters | {"OUTPUT": str(tmp_path / "again")})
    assert "None of the 2 dates could be cleaned." in message


def damage(path):
    """Overwrite a part of a file's pixels."""
    content = bytearray(path.read_bytes())
    third, half = len(content) // 3, len(content) // 2
    content[third:half] = bytes(half - third)
    path.write_bytes(content)
