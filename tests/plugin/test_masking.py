"""The cloud detector, the coding of a mask and what is replaced, as chosen in QGIS; with the real backend."""

from __future__ import annotations

import pytest
from algorithms import read, run, write_raster

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

SMALL = "600000,601600,5198200,5200000 [EPSG:32632]"  # with clouds and shadows
CLEANING = ["removeclouds", "cleanclassifyexplain"]


def command(algorithm, parameters):
    """The options that an algorithm gives the backend, without running it."""
    from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeedback

    made = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
    context = QgsProcessingContext()
    fine, message = made.checkParameterValues({"OUTPUT": "TEMPORARY_OUTPUT"} | parameters, context)
    assert fine, message
    made.prepareAlgorithm(parameters, context, QgsProcessingFeedback(False))
    return made._arguments


def refusal(algorithm, parameters):
    from qgis.core import QgsApplication, QgsProcessingContext

    made = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
    fine, message = made.checkParameterValues({"OUTPUT": "TEMPORARY_OUTPUT"} | parameters, QgsProcessingContext())
    assert not fine
    return message


def after(options, name):
    return options[options.index(name) + 1]


@pytest.fixture
def mask(scene, tmp_path):
    """A mask with the numbers 0, 1 and 2 on the grid of the scene."""
    import numpy as np

    values = np.zeros((1, 240, 250), "uint8")
    values[0, 20:60, 30:90] = 1
    values[0, 100:140, 30:90] = 2
    return str(write_raster(tmp_path / "own.tif", values))


# What reaches the command line


@pytest.mark.parametrize("algorithm", ["detectclouds", *CLEANING])
def test_calls_without_the_new_parameters_have_the_same_command_line_as_before(ready, scene, algorithm):
    own = ["--class", "predicted", "--block", "layer4"]
    expected = [*(own if algorithm == "cleanclassifyexplain" else []), str(scene["s2"])]
    assert command(algorithm, {"INPUT": str(scene["s2"])})[1:] == expected


@pytest.mark.parametrize("algorithm", ["detectclouds", *CLEANING])
def test_the_chosen_detector_reaches_the_command_line(ready, scene, algorithm):
    for detector in ("ukis", "s2cloudless", "scl"):
        options = command(algorithm, {"INPUT": str(scene["s2"]), "DETECTOR": detector})
        assert after(options, "--detector") == detector
    assert "DETECTOR" in refusal(algorithm, {"INPUT": str(scene["s2"]), "DETECTOR": "s3cloudless"})
    assert "--detector" not in command(algorithm, {"INPUT": str(scene["s2"]), "DETECTOR": "auto"})


@pytest.mark.parametrize("algorithm", CLEANING)
def test_the_chosen_precision_reaches_the_command_line(ready, scene, algorithm):
    given = {"INPUT": str(scene["s2"])}
    assert after(command(algorithm, given | {"PRECISION": "fast"}), "--precision") == "fast"
    assert "--precision" not in command(algorithm, given | {"PRECISION": "exact"})
    assert "PRECISION" in refusal(algorithm, given | {"PRECISION": "fastest"})


@pytest.mark.parametrize("algorithm", CLEANING)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["shadows", "clouds"], "clouds,shadows"),
        ("thin", "thin"),
        ("thin,clouds", "clouds,thin"),
        ("clouds,thin,shadows", None),
        (["shadows", "thin", "clouds"], None),
        (None, None),
    ],
)
def test_what_is_replaced_may_be_a_list_or_words_with_commas(ready, scene, algorithm, value, expected):
    options = command(algorithm, {"INPUT": str(scene["s2"]), "REPLACE": value})
    assert (after(options, "--replace") if "--replace" in options else None) == expected


@pytest.mark.parametrize("value", ["", [], "clouds,fog"])
def test_replacing_nothing_or_something_unknown_is_refused(ready, scene, value):
    assert "REPLACE" in refusal("removeclouds", {"INPUT": str(scene["s2"]), "REPLACE": value})


@pytest.mark.parametrize("algorithm", CLEANING)
def test_buffers_and_the_coding_of_the_mask_reach_the_command_line(ready, scene, mask, algorithm):
    given = {"INPUT": str(scene["s2"]), "MASK_CODING": "msk-classi", "BUFFER": 3, "BUFFER_THIN": 0, "BUFFER_SHADOW": 7}
    options = command(algorithm, given)
    assert (after(options, "--buffer"), after(options, "--buffer-thin"), after(options, "--buffer-shadow")) == (
        "3", "0", "7",
    )  # fmt: skip
    assert "--mask-coding" not in options  # there is no mask
    options = command(algorithm, given | {"MASK": mask})
    assert after(options, "--mask-coding") == "msk-classi"


@pytest.mark.parametrize("algorithm", CLEANING)
def test_a_mask_and_a_detector_are_refused_before_the_run(ready, scene, mask, algorithm):
    given = {"INPUT": str(scene["s2"]), "MASK": mask}
    message = refusal(algorithm, given | {"DETECTOR": "ukis"})
    assert message.startswith("Both a cloud mask and the cloud detector ukis are given.")
    assert after(command(algorithm, given | {"DETECTOR": "none"}), "--detector") == "none"


@pytest.mark.parametrize("option", ["--detector", "--mask-coding", "--replace"])
def test_every_choice_is_one_that_the_backend_knows(ready, scene, mask, backend, tmp_path, option):
    import subprocess

    from sunbreak.plugin.algorithms import masking

    if option == "--mask-coding":
        script = "from sunbreak.cli.options import MaskCoding; print(*[c.value for c in MaskCoding])"
        known = set(masking.mask_codings())
    elif option == "--replace":
        script = "from sunbreak.defaults import REPLACE; print(*REPLACE)"
        known = set(masking.replaceable())
    else:
        script = "from sunbreak.clouds.registry import detectors; print(*detectors(), 'scl')"
        known = set(masking.detectors())
    told = subprocess.run([backend, "-I", "-c", script], capture_output=True, text=True, check=True).stdout
    assert set(told.split()) == known


# Real runs


def test_the_networks_find_clouds_and_shadows(ready, scene, tmp_path, feedback):
    parameters = {"INPUT": str(scene["s2"]), "DETECTOR": "ukis", "OUTPUT": str(tmp_path / "a.tif")}
    result = run("detectclouds", parameters, feedback=feedback)
    assert "--detector ukis" in feedback.said["command"][0]
    assert any("ukis-csmask" in line and "s2cloudless" not in line for line in feedback.said["info"])
    found = read(result["OUTPUT"])[0]
    for value, name in ((3, "SHADOW_SHARE"), (2, "THIN_CLOUD_SHARE")):
        assert (found == value).mean() == pytest.approx(result[name], abs=1e-6)
        assert result[name] > 0.01
    assert ((found == 1) | (found == 2)).mean() == pytest.approx(result["CLOUD_SHARE"], abs=1e-6)
    assert (found[scene["inside"]] == 1).mean() > 0.6


def test_s2cloudless_finds_no_shadows(ready, scene, tmp_path):
    result = run(
        "detectclouds", {"INPUT": str(scene["s2"]), "DETECTOR": "s2cloudless", "OUTPUT": str(tmp_path / "a.tif")}
    )
    assert result["SHADOW_SHARE"] == 0
    assert 3 not in read(result["OUTPUT"])


def test_what_is_not_chosen_stays_as_it_was_observed(ready, scene, tmp_path):
    names = {"OUTPUT": "a.tif", "RECONSTRUCTED": "b.tif", "CLOUD_MASK": "c.tif"}
    parameters = {
        "INPUT": str(scene["s2"]),
        "S1": str(scene["s1"]),
        "DETECTOR": "ukis",
        "REPLACE": "clouds,thin",
        "EXTENT": SMALL,
        **{name: str(tmp_path / file) for name, file in names.items()},
    }
    result = run("removeclouds", parameters)
    share, classes = read(result["RECONSTRUCTED"])[0], read(result["CLOUD_MASK"])[0]
    assert (classes == 3).sum() > 100
    assert (share[classes == 3] == 0).all()
    assert (share[classes == 1] > 0).all()


def test_the_coding_decides_what_a_mask_replaces(ready, scene, mask, tmp_path):
    from qgis.core import QgsProcessingException

    given = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "MASK": mask, "OUTPUT": str(tmp_path / "a.tif")}
    given |= {"RECONSTRUCTED": str(tmp_path / "b.tif")}
    with pytest.raises(QgsProcessingException, match="fmask4"):
        run("removeclouds", given)
    result = run("removeclouds", given | {"MASK_CODING": "fmask4"})
    share = read(result["RECONSTRUCTED"])[0]
    assert (share[100:140, 30:90] == 10_000).all()
    assert share.sum() == 40 * 60 * 10_000
    assert result["SHADOW_SHARE"] == pytest.approx(40 * 60 / (240 * 250))


@pytest.mark.parametrize(("value", "found"), [(0, "0.0%"), (1, "100.0%")])
def test_a_mask_of_nothing_or_everything_is_a_warning_in_the_dialog(ready, scene, tmp_path, feedback, value, found):
    import numpy as np

    own = write_raster(tmp_path / "own.tif", np.full((1, 240, 250), value, "uint8"))
    parameters = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "MASK": str(own), "MASK_CODING": "binary"}
    run("removeclouds", {**parameters, "EXTENT": SMALL, "OUTPUT": str(tmp_path / "a.tif")}, feedback=feedback)
    (warning,) = [text for text in feedback.said["warning"] if "cover" in text]
    assert f"Clouds and shadows cover {found} of the scene." in warning


# Models that were saved before


def test_a_model_from_before_the_new_parameters_still_runs(ready, scene, tmp_path, feedback):
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelOutput,
    )

    child = QgsProcessingModelChildAlgorithm("sunbreak:removeclouds")
    child.setChildId("clean")
    for name, value in {
        "INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "EXTENT": SMALL, "S2_UNIT": "auto", "BUFFER": 2,
        "REPLACE_ALL": False, "EXACT_CLOUDS": False, "DEVICE": "auto",
    }.items():  # fmt: skip
        child.addParameterSources(name, [QgsProcessingModelChildParameterSource.fromStaticValue(value)])
    output = QgsProcessingModelOutput("MASK", "mask")
    output.setChildId("clean")
    output.setChildOutputName("CLOUD_MASK")
    child.setModelOutputs({"MASK": output})
    model = QgsProcessingModelAlgorithm("before", "tests")
    model.addChildAlgorithm(child)
    assert model.toFile(str(tmp_path / "before.model3"))
    opened = QgsProcessingModelAlgorithm()
    assert opened.fromFile(str(tmp_path / "before.model3"))
    possible, why = opened.canExecute()
    assert possible, why
    target = tmp_path / "mask.tif"
    results, ok = opened.run({"clean:MASK": str(target)}, QgsProcessingContext(), feedback)
    assert ok
    assert {1, 2, 3} <= set(read(target).ravel().tolist())
    assert results["CHILD_RESULTS"]["clean"]["SHADOW_SHARE"] > 0.01


# The dialog


@pytest.fixture
def dialog(ready, scene, qgis_iface, monkeypatch):
    import processing
    from qgis.gui import QgsBrowserGuiModel

    monkeypatch.setattr(qgis_iface, "browserModel", lambda: QgsBrowserGuiModel(), raising=False)
    made = processing.createAlgorithmDialog("sunbreak:removeclouds", {"INPUT": str(scene["s2"])})
    yield made
    made.close()


def test_the_dialog_shows_labels_and_gives_words(dialog):
    wrappers = dialog.mainWidget().wrappers
    detector = wrappers["DETECTOR"]
    assert detector.widget.currentText() == "Automatic (best for the scene)"
    assert detector.value() == "auto"
    detector.widget.setCurrentIndex(1)
    assert "ukis-csmask" in detector.widget.currentText()
    assert detector.value() == "ukis"
    coding = wrappers["MASK_CODING"]
    assert (coding.value(), coding.widget.currentText()) == ("auto", "Automatic")
    assert coding.widget.count() == 13
    for word in ("fmask4", "msk-classi"):
        coding.setValue(word)
        assert coding.value() == word


def test_what_is_replaced_is_ticked_in_the_dialog(dialog):
    from qgis.core import QgsProcessingContext
    from qgis.PyQt.QtWidgets import QCheckBox

    wrapper = dialog.mainWidget().wrappers["REPLACE"]
    boxes = {box.text(): box for box in wrapper.widget.findChildren(QCheckBox)}
    assert {text: box.isChecked() for text, box in boxes.items()} == dict.fromkeys(
        ["thick clouds", "thin clouds", "shadows"], True
    )
    boxes["thin clouds"].click()
    assert wrapper.value() == "clouds,shadows"
    assert dialog.mainWidget().createProcessingParameters()["REPLACE"] == "clouds,shadows"
    # as in the history of commands
    written = wrapper.parameterDefinition().valueAsPythonString(wrapper.value(), QgsProcessingContext())
    assert eval(written) in ("clouds,shadows", ["clouds", "shadows"])
    wrapper.setValue(["thin"])
    assert [text for text, box in boxes.items() if box.isChecked()] == ["thin clouds"]


def test_the_batch_table_has_the_same_choices(ready, qgis_iface, monkeypatch):
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
    from qgis.core import QgsApplication
    from qgis.gui import QgsBrowserGuiModel

    monkeypatch.setattr(qgis_iface, "browserModel", lambda: QgsBrowserGuiModel(), raising=False)
    made = BatchAlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById("sunbreak:removeclouds"))
    panel = made.mainWidget()
    row = {wrapper.parameterDefinition().name(): wrapper for wrapper in panel.wrappers[0] if wrapper is not None}
    assert (row["DETECTOR"].value(), row["REPLACE"].value()) == ("auto", "clouds,thin,shadows")
    row["DETECTOR"].setValue("ukis")
    row["REPLACE"].setValue("shadows")
    assert (row["DETECTOR"].value(), row["REPLACE"].value()) == ("ukis", "shadows")
    made.close()


def test_the_model_designer_keeps_the_choices(ready):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import (
        QgsApplication,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelParameter,
        QgsProcessingParameterEnum,
    )

    model = QgsProcessingModelAlgorithm("designed", "tests")
    asked = QgsProcessingParameterEnum("HOW", "Which detector", ["ukis", "scl"], usesStaticStrings=True)
    model.addModelParameter(asked, QgsProcessingModelParameter("HOW"))
    algorithm = QgsApplication.processingRegistry().algorithmById("sunbreak:removeclouds")
    dialog = ModelerParametersDialog(algorithm, model)
    wrappers = dialog.widget.widget.wrappers
    wrappers["DETECTOR"].setValue("scl")
    wrappers["REPLACE"].setValue("shadows")
    sources = dialog.createAlgorithm().parameterSources()
    assert [source.staticValue() for source in sources["DETECTOR"]] == ["scl"]
    assert [source.staticValue() for source in sources["REPLACE"]] == ["shadows"]
    for name, value in (("DETECTOR", "scl"), ("REPLACE", "shadows")):
        wrappers[name].setValue("")
        wrappers[name].setValue(sources[name])
        assert wrappers[name].value() == value
    combo = wrappers["DETECTOR"].widget
    combo.setCurrentIndex(combo.findText("Which detector"))
    sources = dialog.createAlgorithm().parameterSources()["DETECTOR"]
    assert [source.parameterName() for source in sources] == ["HOW"]
    wrappers["DETECTOR"].setValue("ukis")
    wrappers["DETECTOR"].setValue(sources)
    assert wrappers["DETECTOR"].widget.currentText() == "Which detector"
    dialog.close()
