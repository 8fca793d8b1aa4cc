"""The classifier's names and its activation maps, against reference implementations."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from sunbreak.errors import ModelError
from sunbreak.landcover.explanation import normalised
from sunbreak.models.cam import explain, to_image
from sunbreak.models.resnet import ResNet, load_resnet

BLOCKS = ("layer2", "layer3", "layer4")
METHODS = ("gradcam", "hirescam")
CLASSES = (3, 1, 4, 9)


@pytest.fixture(scope="module")
def reference(shared):
    from safetensors.torch import load_file

    folder = shared / "reference" / "cam"
    model = load_resnet(load_file(folder / "cam_resnet50_w8.safetensors"), 50, 13, 10)
    inputs, outputs = np.load(folder / "cam_inputs.npz"), np.load(folder / "cam_outputs.npz")
    return model, inputs, outputs


@dataclass(frozen=True)
class Computed:
    """Logits, and maps by block, class and method, by definition: gradients and activations from hooks."""

    logits: np.ndarray
    maps: dict[tuple[str, int, str], np.ndarray]


def by_definition(model: ResNet, x: torch.Tensor) -> Computed:
    seen = {}
    handles = [
        model.get_submodule(block).register_forward_hook(lambda *given, block=block: seen.update({block: given[2]}))
        for block in BLOCKS
    ]
    logits = model(x)
    for handle in handles:
        handle.remove()
    maps = {}
    for target in CLASSES:
        gradients = torch.autograd.grad(logits[:, target].sum(), [seen[block] for block in BLOCKS], retain_graph=True)
        for block, gradient in zip(BLOCKS, gradients, strict=True):
            weights, activation = gradient.mean(dim=(2, 3)), seen[block].detach()
            maps[block, target, "gradcam"] = torch.einsum("bk,bkij->bij", weights, activation).numpy()
            maps[block, target, "hirescam"] = torch.einsum("bkij,bkij->bij", gradient, activation).numpy()
    return Computed(logits.detach().numpy(), maps)


@pytest.fixture(scope="module")
def truth(reference):
    """In float64, where rounding is of no account, as are the differences between processors."""
    model, inputs, _ = reference
    return by_definition(copy.deepcopy(model).double(), torch.from_numpy(inputs["x"]).double())


@pytest.fixture(scope="module")
def rough(reference):
    """In float32, a dozen times: the input varies by so little that the logits move by as much as rounding moves them."""
    model, inputs, _ = reference
    x = torch.from_numpy(inputs["x"])
    noises = (torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)) for seed in range(12))
    return [by_definition(model, x * (1 + 2.0**-20 * noise)) for noise in noises]


def relative_error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(found - truth).max() / np.abs(truth).max())


def test_names_and_shapes_are_those_of_torchvision_and_timm(shared):
    (expected,) = json.loads((shared / "reference" / "cam" / "resnet50_keys.json").read_text()).values()
    assert {name: list(tensor.shape) for name, tensor in ResNet(50, 13, 10).state_dict().items()} == expected


def test_stored_logits_are_as_near_as_float32_comes(reference, truth, rough):
    allowed = 2 * max(relative_error(sample.logits, truth.logits) for sample in rough)
    assert allowed < 3e-5
    assert relative_error(reference[1]["logits"], truth.logits) < allowed


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("method", METHODS)
def test_maps_equal_their_definition(reference, truth, block, method):
    model, inputs, _ = reference
    model, x = copy.deepcopy(model).double(), torch.from_numpy(inputs["x"][:1]).double()
    for target in CLASSES[:2]:
        expected = truth.maps[block, target, method][:1]
        raw = explain(model, x, target, block, method).raw.numpy()
        np.testing.assert_allclose(raw, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("block", BLOCKS)
def test_grad_cam_equals_captum(reference, truth, block):
    captum = pytest.importorskip("captum.attr")
    model, inputs, _ = reference
    model, x = copy.deepcopy(model).double(), torch.from_numpy(inputs["x"][:1]).double()
    found = captum.LayerGradCam(model, model.get_submodule(block)).attribute(x, target=CLASSES[0])
    expected = truth.maps[block, CLASSES[0], "gradcam"][:1]
    np.testing.assert_allclose(expected, found[:, 0].detach().numpy(), rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("method", METHODS)
def test_stored_maps_are_as_near_as_float32_comes(reference, truth, rough, block, method):
    keys = [(block, target, method) for target in CLASSES]
    allowed = 2 * max(relative_error(sample.maps[key], truth.maps[key]) for sample in rough for key in keys)
    # the gradients of these random weights amplify rounding: a ReLU near zero that switches changes the map by percents
    assert allowed < {"layer2": 0.25, "layer3": 0.15, "layer4": 3e-4}[block]
    for key in keys:
        assert relative_error(reference[2]["{}_c{}_{}_raw".format(*key)], truth.maps[key]) < allowed


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("method", METHODS)
def test_maps_are_enlarged_and_normalised_as_in_the_reference(reference, block, method):
    _, inputs, outputs = reference
    for target in CLASSES:
        raw = torch.from_numpy(outputs[f"{block}_c{target}_{method}_raw"])
        image = normalised(to_image(raw[:1], *inputs["x"].shape[2:])[0].numpy())[0]
        np.testing.assert_allclose(image, outputs[f"{block}_c{target}_pgc_{method}_img0"], atol=5e-6)


def test_the_two_methods_agree_at_the_last_block_and_differ_before():
    torch.manual_seed(0)
    model = ResNet(18, 4, 3, width=8).eval()
    x = torch.rand(1, 4, 64, 64)

    def correlation(block: str) -> float:
        maps = [explain(model, x, 1, block, method).raw.flatten() for method in ("gradcam", "hirescam")]
        return float(torch.corrcoef(torch.stack(maps))[0, 1])

    assert correlation("layer4") == pytest.approx(1, abs=1e-5)
    assert correlation("layer3") < 0.99


@pytest.mark.parametrize("prefix", ["model.", "module.encoder_q.", "model.backbone.model.", "module.backbone.", ""])
def test_common_prefixes_are_recognised(prefix):
    torch.manual_seed(0)
    model = ResNet(18, 3, 5, width=8).eval()
    foreign = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_resnet(foreign, 18, 3, 5)(x), model(x))


def test_the_toolbox_names_are_recognised():
    torch.manual_seed(0)
    model = ResNet(50, 10, 10, width=8).eval()
    stages = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
    foreign = {}
    for name, tensor in model.state_dict().items():
        head, _, rest = name.partition(".")
        foreign[f"FC.{rest}" if head == "fc" else f"encoder.{stages[head]}.{rest}"] = tensor
    foreign["conv1.weight"] = model.conv1.weight
    x = torch.rand(1, 10, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_resnet(foreign, 50, 10, 10)(x), model(x))


def test_weights_of_another_band_count_or_a_missing_layer_are_refused():
    state = ResNet(18, 4, 3, width=8).state_dict()
    with pytest.raises(ModelError, match="take 4 bands, not 13"):
        load_resnet(state, 18, 13, 3)
    del state["layer3.0.conv1.weight"]
    with pytest.raises(ModelError, match=r"missing: layer3\.0\.conv1\.weight"):
        load_resnet(state, 18, 4, 3)


def test_an_unknown_block_or_class_is_refused_by_name():
    model, x = ResNet(18, 4, 3, width=8).eval(), torch.rand(1, 4, 32, 32)
    with pytest.raises(ModelError, match="'layer5'"):
        explain(model, x, 0, "layer5")
    with pytest.raises(ModelError, match="class 3"):
        explain(model, x, 3)


def test_a_flat_map_is_normalised_to_zero():
    flat, scale = normalised(np.full((3, 3), 4.0, np.float32))
    assert np.abs(flat).max() == 0
    assert scale == (4, 4)
    ramp, scale = normalised(np.arange(9, dtype=np.float32).reshape(3, 3))
    assert (ramp.min(), ramp.max()) == (0, 1)
    assert scale == (0, 8)
