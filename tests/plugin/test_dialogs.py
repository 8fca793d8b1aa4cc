"""Algorithms in the user interface: in the background, in the lists of the dialog, in models and their designer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from algorithms import read

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def real(plugin, backend, monkeypatch):
    """The plugin with the real backend set."""
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


def test_it_runs_in_the_background_as_from_the_dialog(real, scene, tmp_path, qgis_app, feedback):
    from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask, QgsProcessingContext

    algorithm = QgsApplication.processingRegistry().createAlgorithmById("sunbreak:detectclouds")
    context = QgsProcessingContext()
    parameters = {"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "a.tif")}
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    ended = []
    task.executed.connect(lambda ok, results: ended.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    deadline = time.monotonic() + 60
    while not ended and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.01)
    assert ended
    assert ended[0][0] is True
    assert Path(ended[0][1]["OUTPUT"]).exists()


def test_in_a_model_the_next_algorithm_takes_the_result(real, scene, tmp_path, feedback):
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelOutput,
        QgsProcessingModelParameter,
        QgsProcessingParameterRasterLayer,
    )

    source = QgsProcessingModelChildParameterSource
    model = QgsProcessingModelAlgorithm("twice", "tests")
    model.addModelParameter(QgsProcessingParameterRasterLayer("SCENE", "Scene"), QgsProcessingModelParameter("SCENE"))
    detect = QgsProcessingModelChildAlgorithm("sunbreak:detectclouds")
    detect.setChildId("detect")
    detect.addParameterSources("INPUT", [source.fromModelParameter("SCENE")])
    model.addChildAlgorithm(detect)
    statistics = QgsProcessingModelChildAlgorithm("native:rasterlayeruniquevaluesreport")
    statistics.setChildId("count")
    statistics.addParameterSources("INPUT", [source.fromChildOutput("detect", "OUTPUT")])
    statistics.addParameterSources("BAND", [source.fromStaticValue(1)])
    model.addChildAlgorithm(statistics)
    again = QgsProcessingModelChildAlgorithm("native:rescaleraster")
    again.setChildId("rescale")
    again.addParameterSources("INPUT", [source.fromChildOutput("detect", "OUTPUT")])
    again.addParameterSources("BAND", [source.fromStaticValue(1)])
    again.addParameterSources("MINIMUM", [source.fromStaticValue(0)])
    again.addParameterSources("MAXIMUM", [source.fromChildOutput("detect", "CLOUD_SHARE")])
    output = QgsProcessingModelOutput("SHARE", "share")
    output.setChildId("rescale")
    output.setChildOutputName("OUTPUT")
    again.setModelOutputs({"SHARE": output})
    model.addChildAlgorithm(again)
    possible, why = model.canExecute()
    assert possible, why
    target = tmp_path / "share.tif"
    context = QgsProcessingContext()
    results, ok = model.run({"SCENE": str(scene["s2"]), "rescale:SHARE": str(target)}, context, feedback)
    assert ok
    children = results["CHILD_RESULTS"]
    assert children["detect"]["CLOUD_SHARE"] > 0.05
    assert children["count"]["TOTAL_PIXEL_COUNT"] == 240 * 250
    assert read(target).max() == pytest.approx(children["detect"]["CLOUD_SHARE"], rel=1e-5)


# The dialog


def test_the_dialog_lists_the_models_of_the_backend(real, qgis_iface, qgis_app, monkeypatch):
    import processing
    from qgis.gui import QgsBrowserGuiModel

    monkeypatch.setattr(qgis_iface, "browserModel", lambda: QgsBrowserGuiModel(), raising=False)
    dialog = processing.createAlgorithmDialog("sunbreak:removeclouds", {"MODEL": "typed by hand"})
    wrapper = dialog.mainWidget().wrappers["MODEL"]
    combo = wrapper.widget
    deadline = time.monotonic() + 20
    while combo.count() < 2 and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.02)
    assert combo.count() >= 2
    assert combo.itemData(0) == ""
    assert wrapper.value() == "typed by hand"
    combo.setCurrentIndex(1)
    assert wrapper.value() == combo.itemData(1)
    assert wrapper.value() in combo.itemText(1)
    wrapper.setValue("")
    assert wrapper.value() == ""
    dialog.close()


def test_a_dialog_that_closes_before_the_backend_answers_does_no_harm(real, backend, qgis_app, capsys):
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.core import QgsApplication
    from qgis.PyQt import sip
    from qgis.PyQt.QtWidgets import QDialog

    from sunbreak.plugin.bridge import asking, models

    parameter = QgsApplication.processingRegistry().algorithmById("sunbreak:removeclouds").parameterDefinition("MODEL")
    wrapper = WidgetWrapperFactory.create_wrapper(parameter, QDialog())
    assert asking.open_questions()
    sip.delete(wrapper.widget)
    deadline = time.monotonic() + 20
    while asking.open_questions() and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.02)
    assert not asking.open_questions()
    assert models._seen[backend, "cloud-removal"]
    assert capsys.readouterr().err == ""


def test_in_the_model_designer_the_model_is_a_name_or_an_input(real, qgis_app):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import (
        QgsApplication,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelParameter,
        QgsProcessingParameterString,
    )

    from sunbreak.plugin.bridge import asking

    model = QgsProcessingModelAlgorithm("designed", "tests")
    model.addModelParameter(QgsProcessingParameterString("NAME", "Which model"), QgsProcessingModelParameter("NAME"))
    algorithm = QgsApplication.processingRegistry().algorithmById("sunbreak:removeclouds")
    dialog = ModelerParametersDialog(algorithm, model)
    wrapper = dialog.widget.widget.wrappers["MODEL"]
    deadline = time.monotonic() + 20
    while asking.open_questions() and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.02)
    wrapper.setValue("some-model")
    sources = dialog.createAlgorithm().parameterSources()["MODEL"]
    assert [source.staticValue() for source in sources] == ["some-model"]
    wrapper.setValue([QgsProcessingModelChildParameterSource.fromModelParameter("NAME")])
    assert wrapper.widget.currentText() == "Which model"
    sources = dialog.createAlgorithm().parameterSources()["MODEL"]
    assert [source.parameterName() for source in sources] == ["NAME"]
    dialog.close()
