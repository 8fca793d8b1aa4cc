"""Many scenes in the toolbox: folders, layers and tables, workers on this machine, and a dask scheduler."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest
from algorithms import part_of_demo, run, write_raster
from clusters import command_of, descendants, running_among, scheduler_with_a_worker

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
SIDE = 128


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set, and no scheduler."""
    from processing.core.ProcessingConfig import ProcessingConfig
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    yield plugin
    ProcessingConfig.settings["SUNBREAK_SCHEDULER"].setValue("")


@pytest.fixture
def project(qgis_new_project):
    from qgis.core import QgsProject

    return QgsProject.instance()


def set_scheduler(address):
    """What is stored in the profile, as an earlier version or a hand may have written it."""
    from processing.core.ProcessingConfig import ProcessingConfig

    ProcessingConfig.settings["SUNBREAK_SCHEDULER"].value = address


def write_scenes(folder, count, side=SIDE):
    """Scenes `a_s2.tif`, `b_s2.tif` ... and their radar: different parts of the demo scene."""
    folder.mkdir()
    cloudy, radar = part_of_demo("demo_s2_cloudy").clip(1, 10_000), part_of_demo("demo_s1")
    for index, name in enumerate("abcdefgh"[:count]):
        part = slice(20 * index, 20 * index + side)
        write_raster(folder / f"{name}_s2.tif", cloudy[:, part, part], bands=BANDS, nodata=0)
        write_raster(folder / f"{name}_s1.tif", radar[:, part, part], bands=("VV", "VH"))
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """Three small scenes with radar, in a folder whose name has a space and brackets."""
    return write_scenes(tmp_path_factory.mktemp("many") / "my [scenes] ö", 3)


def given(folder, target, **more):
    return {"INPUT": str(folder), "S1_PATTERN": "{stem}_s1.tif", "DEVICE": "cpu", "OUTPUT": str(target), **more}


def process(parameters, project, feedback):
    """Run the algorithm, and load its layers as Processing does."""
    from processing.gui import Postprocessing
    from qgis.core import QgsApplication, QgsProcessingContext

    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:processscenes")
    results, ok = algorithm.run(parameters, context, feedback)
    assert ok, feedback.said
    assert Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters)
    return results


def refusal(parameters, algorithm="processscenes"):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        run(algorithm, parameters)
    return str(caught.value).splitlines()[-1]


def layers(folder):
    """Path below a folder to the bytes of each raster and style."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".tif", ".qml", ".png"}
    }


# What is refused before anything runs


def test_what_names_no_scenes_is_refused(real, scenes, tmp_path):
    out = {"OUTPUT": str(tmp_path / "out")}
    table = tmp_path / "scenes.csv"
    table.write_text(f"s2\n{scenes}/a_s2.tif\n")
    assert refusal(out) == "Give a folder with scenes, several layers, or a table of scenes."
    assert "either a table of scenes, or a folder" in refusal({**out, "TABLE": str(table), "INPUT": str(scenes)})
    assert "in its column s1" in refusal({**out, "TABLE": str(table), "S1_PATTERN": "{stem}_s1.tif"})
    assert "a_s2.tif is not a CSV file" in refusal({**out, "TABLE": str(scenes / "a_s2.tif")})
    assert "gone.csv is not a CSV file" in refusal({**out, "TABLE": str(tmp_path / "gone.csv")})
    assert "is the folder with the scenes" in refusal({"INPUT": str(scenes), "OUTPUT": str(scenes)})
    assert "choose another task" in refusal({**out, "INPUT": str(scenes), "TASK": "classify", "OTHER_DATES": True})
    assert "nothing matches it" in refusal(given(scenes, tmp_path / "out", PATTERN="*.SAFE"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("algorithm", ["processscenes", "cleanseries"])
@pytest.mark.parametrize("workers", [0, 10_000])
def test_a_number_of_workers_that_makes_no_sense_is_refused(real, scenes, tmp_path, algorithm, workers):
    message = refusal({"INPUT": str(scenes), "OUTPUT": str(tmp_path / "out"), "WORKERS": workers}, algorithm)
    assert "WORKERS" in message
    assert not (tmp_path / "out").exists()


# Real runs


def test_several_workers_write_the_same_bytes_as_one(real, project, scenes, tmp_path, feedback):
    alone = process(given(scenes, tmp_path / "alone"), project, feedback)
    assert "--executor" not in feedback.said["command"][0]
    together = process(given(scenes, tmp_path / "together", WORKERS=2, LOAD=False), project, feedback)
    assert feedback.said["command"][1].count("--executor dask --workers 2") == 1
    assert (alone["DONE"], alone["FAILED"]) == (together["DONE"], together["FAILED"]) == (3, 0)
    one, several = layers(tmp_path / "alone"), layers(tmp_path / "together")
    assert sum(name.endswith(".tif") for name in one) == 15
    assert [name for name in one if one[name] != several.get(name)] == []
    assert one.keys() == several.keys()
    assert "2 workers on this machine, " in " ".join(feedback.said["info"])
    assert any("At work: " in text and "_s2: " in text for text in feedback.said["text"])
    with Path(together["SUMMARY"]).open(encoding="utf-8", newline="") as file:
        assert sorted((row["name"], row["status"]) for row in csv.DictReader(file)) == [
            ("a_s2", "done"), ("b_s2", "done"), ("c_s2", "done"),
        ]  # fmt: skip
    # the first run loaded its layers, the second one was told not to
    (group,) = project.layerTreeRoot().children()
    assert group.name() == "my [scenes] ö"
    names = [node.name() for node in group.children()]
    assert names == ["Cleaned scene: a_s2", "Cleaned scene: b_s2", "Cleaned scene: c_s2"]
    assert all(node.layer().renderer().type() == "multibandcolor" for node in group.findLayers())
    # what is finished is kept, whoever finished it
    again = process(given(scenes, tmp_path / "together", LOAD=False), project, feedback)
    assert (again["DONE"], again["SKIPPED"]) == (0, 3)


def test_a_table_is_classified_and_a_failure_does_not_stop_the_others(
    real, project, scenes, classifiers, tmp_path, feedback, monkeypatch
):
    monkeypatch.setenv("SUNBREAK_MODELS", str(classifiers))
    table = tmp_path / "two scenes.csv"
    table.write_text(f"name,s2,s1\nnorth,{scenes}/a_s2.tif,{scenes}/a_s1.tif\nsouth,{scenes}/nothing.tif,\n")
    parameters = {"TABLE": str(table), "TASK": "run", "CLASSIFIER": "tiny-landcover", "CLASS": "none", "WORKERS": 2}
    out = {"OUTPUT": str(tmp_path / "out")}
    results = process(parameters | out, project, feedback)
    assert (results["DONE"], results["FAILED"]) == (1, 1)
    assert feedback.said["warning"][-1] == (
        f"1 of 2 scenes could not be processed; {tmp_path / 'out' / 'summary.csv'} says why."
    )
    (group,) = project.layerTreeRoot().children()
    assert group.name() == "two scenes"
    assert [node.name() for node in group.children()] == ["Land cover: north", "Cleaned scene: north"]
    assert [node.layer().opacity() for node in group.findLayers()] == [0.7, 1.0]
    table.write_text(f"name,s2\nsouth,{scenes}/nothing.tif\n")
    message = refusal({"TABLE": str(table), "OUTPUT": str(tmp_path / "none")})
    assert message.startswith("None of the 1 scenes could be processed.")


def test_only_a_few_scenes_are_loaded(real, project, scenes, tmp_path, feedback, monkeypatch):
    from sunbreak.plugin.algorithms import process_scenes

    monkeypatch.setattr(process_scenes, "MOST_SCENES", 1)
    names = [str(scenes / f"{name}_s2.tif") for name in "ab"]
    parameters = {"LAYERS": names, "OUTPUT": str(tmp_path / "out"), "DEVICE": "cpu"}
    results = process(parameters, project, feedback)
    assert (results["DONE"], project.mapLayers()) == (2, {})
    assert "No layers are loaded: 2 scenes are more than 1." in " ".join(feedback.said["info"])


def test_options_of_the_task_alone_are_passed(real, scenes, tmp_path):
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback

    def arguments(**more):
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:processscenes")
        parameters = given(scenes, tmp_path / "out", MODEL="cleaner", CLASSIFIER="classifier", **more)
        assert algorithm.prepareAlgorithm(parameters, QgsProcessingContext(), QgsProcessingFeedback())
        return algorithm._arguments

    cleaning = arguments(OTHER_DATES=True, COUNT=4, KEEP=False, PATTERN="**/*_s2.tif")
    assert cleaning[1].endswith("/my [[]scenes] ö/**/*_s2.tif")
    assert cleaning[cleaning.index("--references") + 1] == "4"
    assert cleaning[cleaning.index("--model") + 1] == "cleaner"
    assert not {"--classifier", "--class", "--method", "--block"} & set(cleaning)
    assert "--overwrite" in cleaning
    assert "--resume" not in cleaning
    classifying = arguments(TASK="classify")
    assert classifying[classifying.index("--classifier") + 1] == "classifier"
    assert "--model" not in classifying
    assert "--resume" in classifying
    chain = arguments(TASK="run", CLASS="Water")
    assert {"--model", "--classifier"} <= set(chain)
    assert chain[chain.index("--class") + 1] == "Water"
    automatic = arguments(OTHER_DATES=True)
    assert automatic[automatic.index("--references") + 1] == "auto"


# Cancelling


@pytest.mark.skipif(os.name != "posix", reason="reads /proc")
def test_cancelling_in_the_task_manager_ends_all_workers_and_leaves_no_partial_file(real, tmp_path, qt, feedback):
    from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext

    scenes = write_scenes(tmp_path / "scenes", 6)
    target = tmp_path / "out"
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:processscenes")
    parameters = given(scenes, target, WORKERS=2, REPLACE_ALL=True)
    context = QgsProcessingContext()  # the task keeps a pointer
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    ended = []
    task.executed.connect(lambda ok, results: ended.append((ok, time.monotonic())))
    before = descendants(os.getpid())
    QgsApplication.taskManager().addTask(task)
    qt.waitUntil(lambda: ended or any(path.suffix != ".csv" for path in target.glob("*/.sunbreak-*")))
    started = descendants(os.getpid()) - before
    assert not ended, feedback.said
    assert sum("multiprocessing" in command_of(pid) for pid in started) >= 2
    cancelled = time.monotonic()
    task.cancel()
    qt.waitUntil(lambda: ended)
    assert ended[0][0] is False
    while running_among(started) and time.monotonic() - cancelled < 5:
        time.sleep(0.02)
    assert running_among(started) == set()
    assert "--executor dask" in feedback.said["command"][0]
    left = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".") or path.suffix == ".lock"]
    assert set(left) <= {".sunbreak-done.json"}


# A scheduler in the settings


@pytest.mark.parametrize(
    "address",
    ["", "tcp://127.0.0.1:8786", "tls://gpu.example.org:443", "host:1", " my-host_2:8786 ", "[::1]:8786", "tcp://[fe80::1]:65535"],
)  # fmt: skip
def test_addresses_of_schedulers_are_taken(address):
    from sunbreak.plugin.scheduler import check_address

    check_address(address)


@pytest.mark.parametrize(
    "address",
    ["host", "tcp://host", "http://host:8786", "ucx://host:1", "host:0", "host:65536", "--help:1", "a b:1", "tcp://:1",
     "tcp://host:8786/x", "tcp://user@host:8786", "host:8786\n--executor", "::1:8786", "host.:1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_the_options_and_by_both_algorithms(real, scenes, tmp_path, address):
    from processing.core.ProcessingConfig import ProcessingConfig

    said = "is no address of a dask scheduler. Write tcp://host:8786, tls://host:8786 or host:8786."
    with pytest.raises(ValueError, match=said):  # what QGIS's options dialog shows, without taking the text
        ProcessingConfig.settings["SUNBREAK_SCHEDULER"].setValue(address)
    assert ProcessingConfig.settings["SUNBREAK_SCHEDULER"].value == ""
    set_scheduler(address)
    for algorithm in ("processscenes", "cleanseries"):
        message = refusal({"INPUT": str(scenes), "OUTPUT": str(tmp_path / "out")}, algorithm)
        assert f"{said} It is set in Settings > Options > Processing > Providers > Sunbreak." in message


def test_the_options_dialog_refuses_a_bad_address_in_one_line(real, qgis_app, monkeypatch):
    from processing.core.ProcessingConfig import ProcessingConfig
    from processing.gui import ConfigDialog
    from qgis.PyQt.QtWidgets import QMessageBox

    said = []
    monkeypatch.setattr(QMessageBox, "warning", lambda _, title, text: said.append(text))
    page = ConfigDialog.ConfigOptionsPage(None)
    item = page.config_widget.items[ProcessingConfig.settings["SUNBREAK_SCHEDULER"]]
    item.setText("http://host:8786")
    page.apply()
    (text,) = said
    assert text.endswith("http://host:8786 is no address of a dask scheduler. Write tcp://host:8786, "
                         "tls://host:8786 or host:8786.")  # fmt: skip
    assert ProcessingConfig.settings["SUNBREAK_SCHEDULER"].value == ""


def test_with_a_scheduler_its_workers_process_the_scenes(real, backend, project, scenes, tmp_path, feedback):
    names = [str(scenes / f"{name}_s2.tif") for name in "ab"]
    parameters = {"LAYERS": names, "OUTPUT": str(tmp_path / "out"), "DEVICE": "cpu", "WORKERS": 2, "LOAD": False}
    with scheduler_with_a_worker(backend, tmp_path) as address:
        set_scheduler(f" {address}")
        results = process(parameters, project, feedback)
    assert (results["DONE"], results["FAILED"]) == (2, 0)
    assert f"--executor dask --scheduler {address}" in feedback.said["command"][0]
    assert "--workers" not in feedback.said["command"][0]
    assert feedback.said["info"][0].startswith(f"The scenes go to the dask scheduler at {address}, which is set in")
    assert f"1 worker at {address}." in feedback.said["info"]


def test_a_scheduler_that_does_not_answer_is_named(real, scenes, tmp_path):
    set_scheduler("127.0.0.1:1")
    message = refusal({"INPUT": str(scenes), "PATTERN": "*_s2.tif", "OUTPUT": str(tmp_path / "out")})
    assert "No dask scheduler answers at 127.0.0.1:1" in message


def test_a_backend_without_dask_says_how_to_add_it(real, backend, scenes, tmp_path, monkeypatch):
    python = tmp_path / "python"
    hidden = "import runpy, sys; sys.modules['distributed'] = None; runpy.run_module('sunbreak', run_name='__main__')"
    python.write_text(f'#!/bin/sh\nshift 4\nexec "{backend}" -I -u -c "{hidden}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("SUNBREAK_PYTHON", str(python))
    message = refusal({"INPUT": str(scenes), "PATTERN": "*_s2.tif", "OUTPUT": str(tmp_path / "out"), "WORKERS": 2})
    assert message.startswith("Workers need the Python package distributed, which the backend lacks.")
    assert "The Full builds of Plugins > Sunbreak > Backend have it" in message
    assert "pip install 'sunbreak[distributed]'" in message
    assert not (tmp_path / "out").exists()
