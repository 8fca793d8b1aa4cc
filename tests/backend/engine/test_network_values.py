"""A network that gives NaN, infinity or absurd values is refused in every runtime, before anything hides it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from openvino import opset13 as operations
from safetensors.torch import load_file, save_file

from sunbreak.clouds import ukis_networks
from sunbreak.clouds.detection import DetectorRuntime
from sunbreak.clouds.detector import Prediction
from sunbreak.engine.conversion import convert
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.runtime import TorchRuntime, make_runtime
from sunbreak.engine.saliency_runtime import SaliencyRuntime
from sunbreak.errors import ModelError
from sunbreak.events import Silent
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.single import clean
from sunbreak.models.architectures import architecture_of, load_classifier
from sunbreak.models.augcyclegan import DirectionConfig, Generator
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.importing_augcyclegan import save_augcyclegan
from sunbreak.models.registry import ModelFiles, file_sha256, find_model
from sunbreak.models.sampling import draw_latents
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.scene import Scene

CPU = torch.device("cpu")
FACTS = {"title": "t", "description": "d", "licence": "CC0-1.0", "tile": 64, "overlap": 16}
NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(scope="module")
def models(small_model, small_classifier, tmp_path_factory) -> dict[str, ModelFiles]:
    folder = tmp_path_factory.mktemp("kinds")
    torch.manual_seed(1)
    guided = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=tuple(0.1 + 0.01 * band for band in range(13)))
    several = UnCRtainTSConfig(width=16, depth=1, multi_temporal=True, model_width=64)
    generator = Generator(DirectionConfig(2, 2, conditioning=2, latent=2, generator_width=4, spectral_norm=False))
    return {
        "plain": small_model,
        "guided": save_uncrtaints(UnCRtainTS(guided).eval(), "guided", folder / "a", **FACTS),
        "several": save_uncrtaints(UnCRtainTS(several).eval(), "several", folder / "b", dates=2, **FACTS),
        "translation": save_augcyclegan(
            generator, "translation", folder / "c", bands=["B02", "B03"], conditioning=["VV", "VH"], samples=2, **FACTS
        ),
        "classifier": small_classifier,
        "labels": small_classifier,
    }


LAST = {
    "plain": "out_conv.conv.conv.0", "guided": "out_conv.conv.conv.0", "several": "out_conv.conv.conv.0",
    "translation": "model.19", "classifier": "fc", "labels": "fc",
}  # fmt: skip


def changed(files: ModelFiles, folder: Path, change, **card: object) -> ModelFiles:
    """The model with other weights, and a card that has their checksum."""
    state = load_file(files.weights)
    change(state)
    save_file(state, folder / files.weights.name)
    return find_model(str(replace(files.card, sha256=file_sha256(folder / files.weights.name), **card).write(folder)))


def unchecked(files: ModelFiles):
    """The network without the trial before its first run, as if only later tiles were bad."""
    return architecture_of(files.card).network(files)


def set_last_bias(network, kind: str, place: int, value: float) -> None:
    """Change the bias of the last layer of a network."""
    inside = "network." * (kind in ("plain", "guided", "several"))
    with torch.no_grad():
        network.get_parameter(f"module.{inside}{LAST[kind]}.bias")[place] = value


#: Stand in the first and last bias of the last layer for the value of a test.
MARKS = {0: 1111.125, -1: 2222.25}


class Converted:
    """Networks for OpenVINO with any value in the bias of the last layer. Each kind of network is converted once."""

    def __init__(self) -> None:
        self._marked: dict[str, openvino.Model] = {}

    def runtime(self, kind: str, files: ModelFiles, half: int, value: float) -> OpenVinoRuntime:
        """The runtime of a network that has the value in the first (0) or last (-1) place of the bias."""
        if kind not in self._marked:
            network = unchecked(files)
            for place, mark in MARKS.items():
                set_last_bias(network, kind, place, mark)
            self._marked[kind] = convert(network, 64)
        model = self._marked[kind].clone()
        replaced = 0
        for node in model.get_ordered_ops():
            if node.get_type_name() == "Constant" and np.isin(node.data, list(MARKS.values())).any():
                values = np.where(node.data == MARKS[half], np.float32(value), node.data)
                values[np.isin(values, list(MARKS.values()))] = 0.1
                for reader in node.output(0).get_target_inputs():
                    reader.replace_source_output(operations.constant(values, dtype=np.float32).output(0))
                replaced += 1
        assert replaced == 1
        return OpenVinoRuntime(model, draw_latents(files.card), source=files.weights)


@pytest.fixture(scope="module")
def converted() -> Converted:
    return Converted()


def outputs(runtime, files: ModelFiles, value: float = 0.5):
    channels = len(files.card.channels) * files.card.dates
    x = {"x": np.full((1, channels, 64, 64), value, np.float32)}
    if files.card.dates > 1:
        x["days"] = np.array([[1000, 1010]], np.float32)
    runtime.submit(x)
    return runtime.collect()


@pytest.mark.parametrize("name", ["torch", "openvino"])
@pytest.mark.parametrize("kind", LAST)
@pytest.mark.parametrize("value", [-1e30, 1e30, 3e38])
@pytest.mark.parametrize("half", [0, -1], ids=["first", "last"])
def test_absurd_values_of_one_channel_are_refused(models, converted, tmp_path, name, kind, value, half):
    """The last channel is the variance's, or that of the last class."""

    def spoil(state):
        state[f"{LAST[kind]}.bias"][half] = value

    files = changed(models[kind], tmp_path, spoil, multi_label=kind == "labels")
    if name == "torch":
        runtime = TorchRuntime(unchecked(files), CPU, 64, source=files.weights)
    else:
        runtime = converted.runtime(kind, files, half, value)
    with pytest.raises(ModelError, match="not finite or far too large") as refused:
        outputs(runtime, files)
    assert str(refused.value).startswith(str(files.weights))
    assert refused.value.exit_status == 2
    with pytest.raises(ModelError, match="not finite or far too large"):
        make_runtime(files, "cpu", name)


@pytest.mark.parametrize("name", ["torch", "openvino"])
@pytest.mark.parametrize("kind", LAST)
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
def test_weights_that_are_not_finite_are_refused(models, tmp_path, name, kind, value):
    def spoil(state):
        state[f"{LAST[kind]}.weight"][-1] = value

    files = changed(models[kind], tmp_path, spoil)
    with pytest.raises(ModelError, match="not finite"):
        make_runtime(files, "cpu", name)


@pytest.mark.parametrize("name", ["torch", "openvino"])
@pytest.mark.parametrize("kind", LAST)
def test_not_a_number_in_the_last_layer_is_seen_by_the_runtime_itself(models, converted, name, kind):
    """As if a layer had overflowed on later tiles only."""
    files = models[kind]
    if name == "torch":
        network = unchecked(files)
        set_last_bias(network, kind, -1, NAN)
        runtime = TorchRuntime(network, CPU, 64)
    else:
        runtime = converted.runtime(kind, files, -1, NAN)
    with pytest.raises(ModelError, match="not finite"):
        outputs(runtime, files)


@pytest.mark.parametrize("name", ["torch", "openvino"])
@pytest.mark.parametrize("kind", ["plain", "classifier", "translation"])
def test_layers_that_overflow_inside_are_refused(models, tmp_path, name, kind):
    """Finite weights; in OpenVINO each ReLU makes 0 of what is not a number, so that the last layer looks well."""
    first = {"plain": "in_conv.conv.conv.0.weight", "classifier": "conv1.weight", "translation": "model.1.weight"}[kind]

    def spoil(state):
        state[first] *= 3e38 / state[first].abs().max()

    files = changed(models[kind], tmp_path, spoil)
    with pytest.raises(ModelError, match="not finite"):
        make_runtime(files, "cpu", name)


@pytest.mark.parametrize("variance", [-1.0, NAN])
def test_norms_with_an_impossible_variance_are_refused(models, tmp_path, variance):
    def spoil(state):
        state["layer1.0.bn1.running_var"][:] = variance

    for name in ("torch", "openvino"):
        with pytest.raises(ModelError, match="not finite"):
            make_runtime(changed(models["classifier"], tmp_path, spoil), "cpu", name)


@pytest.mark.parametrize("kind", LAST)
def test_a_good_network_is_not_refused(models, kind):
    for name in ("torch", "openvino"):
        runtime = make_runtime(models[kind], "cpu", name)
        for value in (0.0, 0.5, 1.0):
            assert all(np.isfinite(part).all() for part in outputs(runtime, models[kind], value))


@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_saliency_that_is_not_finite_is_refused(small_classifier, method, value):
    for spoilt in ("fc", "layer4.1.conv2"):
        module = load_classifier(small_classifier)
        with torch.no_grad():
            module.get_submodule(spoilt).weight[0] = value
        runtime = SaliencyRuntime(
            module, CPU, 64, 8, target=0, block="layer4", method=method, source=small_classifier.weights
        )
        with pytest.raises(ModelError, match="not finite") as refused:
            runtime.submit({"x": np.ones((1, 10, 64, 64), np.float32)})
        assert str(small_classifier.weights) in str(refused.value)


@pytest.mark.parametrize("name", ["torch", "openvino"])
def test_a_run_with_such_a_network_writes_nothing(small_model, scene_files, tmp_path, name):
    def spoil(state):
        state[f"{LAST['plain']}.bias"][13:] = -1e30

    files = changed(small_model, tmp_path, spoil)
    options = CleanOptions(detector="s2cloudless", device="cpu", runtime=name)
    with pytest.raises(ModelError, match="not finite or far too large"):
        clean(Scene.open(*scene_files), tmp_path / "out", files, options, Silent())
    assert not (tmp_path / "out").exists()


class Detector:
    """A detector of another package."""

    name, label, classes = "theirs", "theirs", (0, 1)

    def __init__(self, probability: float, kind: int = 0) -> None:
        self.answer = Prediction(np.full((8, 8), probability, np.float32), np.full((8, 8), kind, np.uint8))

    def predict(self, reflectance):
        return self.answer


@pytest.mark.parametrize(("probability", "kind"), [(NAN, 0), (INFINITE, 0), (-0.5, 0), (1.5, 0), (0.5, 7)])
def test_a_cloud_detector_that_gives_no_probabilities_is_refused(probability, kind):
    runtime = DetectorRuntime(Detector(probability, kind))
    runtime.submit({"x": np.zeros((1, 2, 8, 8), np.float32)})
    with pytest.raises(ModelError, match="The cloud detector theirs gave"):
        runtime.collect()


def test_what_a_detector_says_where_there_is_no_data_does_not_count():
    runtime = DetectorRuntime(Detector(NAN))
    runtime.submit({"x": np.full((1, 2, 8, 8), NAN, np.float32)})
    assert np.isnan(runtime.collect()[0]).all()


@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_cloud_network_that_gives_no_numbers_is_refused(value):
    mean = np.zeros((4, 1, 1), np.float32)
    network = ukis_networks._Network("model_4b", lambda tile: np.full((3, 8, 8), value, np.float32), mean, mean + 1)
    with pytest.raises(ModelError, match="The cloud network model_4b gave"):
        network.probabilities(np.zeros((4, 8, 8), np.float32))
