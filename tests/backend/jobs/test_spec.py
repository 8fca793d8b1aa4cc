"""The description of a job: travels as JSON and comes back the same; what does not fit is refused in one line."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixel_networks import save_small

from sunbreak.batches.manifest import BatchScene
from sunbreak.batches.specs import parameters_of, specs_of
from sunbreak.clouds import CloudSettings
from sunbreak.errors import InputError, ModelError
from sunbreak.jobs.options import (
    ChainOptions,
    ClassifyOptions,
    CleanOptions,
    DetectOptions,
    ExplainOptions,
    TaskName,
    task_options,
)
from sunbreak.jobs.spec import JobInputs, JobSpec, ModelChoice, make_spec
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.registry import ModelFiles
from sunbreak.models.saliency_methods import METHODS

paths = st.builds(Path, st.text("abé /.-_", min_size=1, max_size=9))
some = st.lists(paths, min_size=1, max_size=3).map(tuple)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
widths = st.none() | st.integers(0, 64)
devices = st.sampled_from(["auto", "cpu", "cuda", "mps"])
runtimes = st.sampled_from(["auto", "torch", "openvino"])
parts = st.floats(0.01, 0.99)
clouds = st.builds(CloudSettings, parts, st.integers(0, 9), st.integers(0, 9), st.integers(1, 5))
detectors = st.sampled_from(["auto", "scl", "none", "another"])
words = st.lists(st.sampled_from(["clouds", "thin", "shadows"]), min_size=1, unique=True).map(tuple)
detects = st.builds(DetectOptions, clouds, detectors)
cleans = st.builds(
    CleanOptions, clouds, st.booleans(), widths, widths, devices, runtimes, detectors, widths, widths, words
)
classifies = st.builds(ClassifyOptions, widths, devices, runtimes)
explains = st.builds(ExplainOptions, st.text(max_size=5), st.sampled_from(METHODS), st.just("layer2"), widths, devices)
chains = st.builds(ChainOptions, cleans, classifies, st.none() | explains, st.builds(TrustThresholds, parts, parts))
models = st.builds(ModelChoice, st.text(max_size=9), *[st.text("0123456789abcdef", min_size=64, max_size=64)] * 2)
readings = {
    "s2": some,
    "s1": st.just(()) | some,
    "mask": st.none() | paths,
    "window": st.none() | st.tuples(*[st.integers(0, 9999)] * 4),
    "bbox": st.none() | st.tuples(*[finite] * 4),
    "s2_unit": st.sampled_from(["auto", "dn", "reflectance"]),
    "s2_offset": st.just("auto") | finite,
    "s1_unit": st.sampled_from(["auto", "db", "linear"]),
    "s2_bands": st.none() | st.lists(st.sampled_from(["B01", "B8A"])).map(tuple),
    "mask_coding": st.sampled_from(["auto", "scl", "msk-classi"]),
}
inputs = st.builds(JobInputs, **readings)
dates = {name: st.just(()) | some for name in ("references", "found_references", "found_s1")}
cleaned_inputs = st.builds(JobInputs, **readings, **dates)
flags = {"overwrite": st.booleans(), "resume": st.booleans()}
pair = st.tuples(models, models)
specs = st.one_of(
    st.builds(JobSpec, st.just("detect"), inputs, paths, detects, **flags),
    st.builds(JobSpec, st.just("clean"), cleaned_inputs, paths, cleans, st.tuples(models), **flags),
    st.builds(
        JobSpec, st.just("classify"), st.builds(JobInputs, reconstructed=st.none() | paths, **readings), paths,
        classifies, st.tuples(models), **flags,
    ),
    st.builds(
        JobSpec, st.just("explain"), st.builds(JobInputs, point=st.none() | st.tuples(finite, finite), **readings),
        paths, explains, st.tuples(models), **flags,
    ),
    st.builds(JobSpec, st.just("run"), cleaned_inputs, paths, chains, pair, **flags),
)  # fmt: skip


@given(specs)
def test_a_description_comes_back_from_json_as_it_was(spec):
    again = JobSpec.from_json(spec.to_json())
    assert again == spec
    assert again.to_json() == spec.to_json()
    assert hash(again) == hash(spec)


@pytest.fixture
def plain() -> dict[str, object]:
    """A job of cleaning, as JSON values."""
    choice = ModelChoice("uncrtaints-guided", "0" * 64, "1" * 64)
    spec = JobSpec("clean", JobInputs((Path("a.tif"),)), Path("out"), CleanOptions(), (choice,))
    return json.loads(spec.to_json())


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("colour",), 1, "the field 'colour' is unknown"),
        (("options", "clouds", "colour"), 1, "options.clouds: the field 'colour' is unknown"),
        (("version",), 1, "its version is 1, not 2"),
        (("task",), "paint", "task: 'paint' is none of detect, clean"),
        (("task",), "run", "the field 'clouds' is unknown"),
        (("inputs", "s2"), [], "it names no Sentinel-2 file"),
        (("inputs", "s2"), "a.tif", "inputs.s2: 'a.tif' is no list"),
        (("inputs", "window"), [1, 2, 3], "inputs.window: it has 3 values, not 4"),
        (("inputs", "point"), [1, 2], "point is an input of explain, not of clean"),
        (("inputs", "reference_s1"), ["a.tif"], "it names Sentinel-1 of other dates (reference_s1) and no other date"),
        (("inputs", "references"), "a.tif", "inputs.references: 'a.tif' is no list"),
        (("inputs", "s2_offset"), True, "inputs.s2_offset: True is no float"),
        (("inputs", "mask_coding"), "sen2cor", "inputs.mask_coding: 'sen2cor' is none of auto, binary"),
        (("overwrite",), 1, "overwrite: 1 is no bool"),
        (("models",), [], "clean needs 1 models, not 0"),
        (("options", "buffer"), 65, "The buffer is 65 pixels"),
        (("options", "buffer_shadow"), -1, "The buffer of shadows is -1 pixels"),
        (("options", "replace"), ["clouds", "fog"], "fog cannot be replaced"),
        (("options", "replace"), [], "No class is chosen"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(plain, place, value, said):
    part = plain
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    with pytest.raises(InputError) as caught:
        JobSpec.from_json(json.dumps(plain))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named_and_what_has_a_default_may_be_missing(plain):
    del plain["resume"]
    assert JobSpec.from_json(json.dumps(plain)).resume is False
    del plain["inputs"]["mask_coding"]
    assert JobSpec.from_json(json.dumps(plain)).inputs.mask_coding == "auto"
    del plain["output"]
    with pytest.raises(InputError, match="the field 'output' is missing"):
        JobSpec.from_json(json.dumps(plain))
    with pytest.raises(InputError, match="it is no JSON"):
        JobSpec.from_json("{")
    with pytest.raises(InputError, match="is no object"):
        JobSpec.from_json("[]")


@pytest.mark.parametrize("name", ["references", "found_references", "found_s1"])
def test_other_dates_are_inputs_of_clean_and_run_only(name):
    inputs = JobInputs((Path("a.tif"),), **{name: (Path("b.tif"),)})
    assert inputs.paths == (Path("a.tif"), Path("b.tif"))
    with pytest.raises(InputError, match=f"{name} are inputs of clean and run, not of detect") as caught:
        JobSpec("detect", inputs, Path("out"), DetectOptions())
    assert caught.value.code == "bad-job"


def test_a_model_with_other_weights_than_at_the_time_is_refused(small_model):
    spec = make_spec("clean", JobInputs((Path("a.tif"),)), Path("out"), CleanOptions(), removal=str(small_model.path))
    card = small_model.card
    assert spec.models == (ModelChoice(str(small_model.path), card.sha256, card.digest),)
    assert spec.find_models() == (small_model,)
    other = replace(spec, models=(ModelChoice(str(small_model.path), "0" * 64, card.digest),))
    with pytest.raises(ModelError, match=r"has the checksum .* the job was described with 000000000000") as caught:
        other.find_models()
    assert caught.value.code == "checksum-mismatch"


@pytest.mark.parametrize("change", ["temperature", "tile", "overlap", "calibrated_on", "licence", "training"])
def test_a_model_with_the_same_weights_and_another_card_is_refused(small_model, tmp_path, change):
    for path in (small_model.path, small_model.weights):
        shutil.copy(path, tmp_path)
    copied = tmp_path / small_model.path.name
    inputs = JobInputs((Path("a.tif"),))
    text = make_spec("clean", inputs, Path("out"), CleanOptions(), removal=str(copied)).to_json()
    assert JobSpec.from_json(text).find_models()[0].card == small_model.card
    card = small_model.card
    other = {
        "temperature": tuple(2 * value for value in card.temperature or (1.0,) * len(card.bands)),
        "tile": 2 * card.tile,
        "overlap": card.overlap // 2,
        "calibrated_on": "other pairs",
        "licence": "MIT",
        "training": {"facts": "others"},
    }
    replace(card, **{change: other[change]}).write(tmp_path)
    with pytest.raises(ModelError, match=r"card of the model .* has changed since") as caught:
        JobSpec.from_json(text).find_models()
    assert caught.value.code == "checksum-mismatch"


def test_a_card_that_another_version_wrote_with_the_same_content_is_the_same(small_model, tmp_path):
    for path in (small_model.path, small_model.weights):
        shutil.copy(path, tmp_path)
    copied = tmp_path / small_model.path.name
    text = make_spec("clean", JobInputs((Path("a"),)), Path("out"), CleanOptions(), removal=str(copied)).to_json()
    item = json.loads(copied.read_text())
    item["properties"]["sunbreak:version"] = "0.0.1"
    copied.write_text(json.dumps(item, indent=7))
    assert JobSpec.from_json(text).find_models()[0].card == small_model.card


def test_a_description_of_another_version_says_so_before_its_fields_are_read(plain):
    del plain["models"][0]["card"]
    with pytest.raises(InputError, match=r"its version is 1, not 2.*this version of Sunbreak"):
        JobSpec.from_json(json.dumps({**plain, "version": 1}))
    with pytest.raises(InputError, match="models: the field 'card' is missing"):
        JobSpec.from_json(json.dumps(plain))


def test_a_model_of_another_task_is_refused(small_classifier):
    with pytest.raises(ModelError, match="not for cloud-removal"):
        make_spec("clean", JobInputs((Path("a"),)), Path("out"), CleanOptions(), removal=str(small_classifier.path))


CLOUDS = {"threshold": 0.4, "average": 4, "dilation": 2, "factor": 3}
CLEAN = {
    "clouds": CLOUDS, "replace_all": False, "feather": None, "buffer": None, "detector": "auto", "buffer_thin": None,
    "buffer_shadow": None, "replace": ["clouds", "thin", "shadows"],
}  # fmt: skip
EXPLAIN = {"wanted": "predicted", "method": "gradcam", "block": "layer4", "stride": None}
READING = {"s2_unit": "auto", "s2_offset": -1000.0, "s2_bands": ["B02", "B03"], "s1_unit": "auto"}


@pytest.mark.parametrize("task", ["classify", "run"])
def test_probabilities_are_a_parameter_of_a_batch_where_they_are_wanted(small_model, small_classifier, task):
    names = {"removal": str(small_model.path), "classifier": str(small_classifier.path)}
    wanted = task_options(task, probabilities=True)
    (spec,) = specs_of([BatchScene("a", (Path("a"),))], Path("out"), task, JobInputs((Path("a"),)), wanted, **names)
    parameters = parameters_of(spec)
    assert parameters.get("classify", parameters)["probabilities"] is True


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("detect", {"clouds": CLOUDS, "detector": "auto"}),
        ("clean", CLEAN),
        ("classify", {"stride": None}),
        ("explain", EXPLAIN),
        (
            "run",
            {
                "clean": CLEAN,
                "classify": {"stride": None},
                "explain": EXPLAIN,
                "thresholds": {"confident": 0.6, "reconstructed": 0.1},
            },
        ),
    ],
)
def test_the_parameters_of_a_batch_are_all_that_its_results_depend_on(small_model, small_classifier, task, options):
    reading = JobInputs((Path("a"),), s2_offset=-1000.0, s2_bands=("B02", "B03"))
    names = {"removal": str(small_model.path), "classifier": str(small_classifier.path)}
    (spec,) = specs_of([BatchScene("a", (Path("a"),))], Path("out"), task, reading, task_options(task), **names)
    files = {"clean": [small_model], "run": [small_model, small_classifier], "detect": []}.get(task, [small_classifier])
    models = {f"model_{i}": [one.card.name, one.card.sha256, one.card.digest] for i, one in enumerate(files)}
    assert json.loads(json.dumps(parameters_of(spec))) == {**models, **options, **READING}


def test_the_method_of_a_batch_is_the_one_that_explains_the_classifier(tmp_path, small_model, small_classifier):
    pixels = save_small(tmp_path)

    def explaining(files: ModelFiles, task: TaskName, **given: str) -> dict[str, object] | None:
        names = {"removal": str(small_model.path), "classifier": str(files.path)}
        options = task_options(task, **given)
        (spec,) = specs_of(
            [BatchScene("a", (Path("a"),))], Path("out"), task, JobInputs((Path("a"),)), options, **names
        )
        parameters = parameters_of(spec)
        return parameters["explain"] if task == "run" else parameters

    for task in ("explain", "run"):
        assert explaining(small_classifier, task)["method"] == "gradcam"
        assert explaining(pixels, task)["method"] == "integrated-gradients"
        assert explaining(pixels, task, method="gradcam")["method"] == "gradcam"
        with pytest.raises(InputError, match="Integrated gradients explain classifiers of pixels"):
            explaining(small_classifier, task, method="integrated-gradients")
    assert explaining(pixels, "run", explained="none") is None


def test_a_bundled_model_keeps_the_form_that_earlier_markers_have():
    (spec,) = specs_of([BatchScene("a", (Path("a"),))], Path("out"), "clean", JobInputs((Path("a"),)), CleanOptions())
    (files,) = spec.find_models()
    assert parameters_of(spec)["model_0"] == [files.card.name, files.card.sha256]


def test_the_coding_of_a_mask_is_a_parameter_of_a_batch_and_a_scene_may_have_its_own(small_model):
    reading = JobInputs((Path("a"),), mask_coding="scl")
    scenes = [BatchScene("a", (Path("a"),)), BatchScene("b", (Path("b"),), mask=Path("m"), mask_coding="fmask")]
    specs = specs_of(scenes, Path("out"), "clean", reading, CleanOptions(), removal=str(small_model.path))
    assert [spec.inputs.mask_coding for spec in specs] == ["scl", "fmask"]
    assert [parameters_of(spec)["mask_coding"] for spec in specs] == ["scl", "fmask"]
