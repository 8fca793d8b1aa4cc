"""The classifier's names and its activation maps, against reference implementations."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from sunbreak.errors import ModelError
from sunbreak.models.cam import normalised, raw_map, to_image
from sunbreak.models.resnet import ResNet, load_resnet

BLOCKS = ("layer2", "layer3", "layer4")
CLASSES = (3, 1, 4, 9)


@pytest.fixture
def reference(shared):
    from safetensors.torch import load_file

    folder = shared / "reference" / "cam"
    model = load_resnet(load_file(folder / "cam_resnet50_w8.safetensors"), 50, 13, 10)
    inputs, outputs = np.load(folder / "cam_inputs.npz"), np.load(folder / "cam_outputs.npz")
    return model, inputs, outputs


def test_names_and_shapes_are_those_of_torchvision_and_timm(shared):
    (expected,) = json.loads((shared / "reference" / "cam" / "resnet50_keys.json").read_text()).values()
    assert {name: list(tensor.shape) for name, tensor in ResNet(50, 13, 10).state_dict().items()} == expected


def test_logits_equal_the_reference(reference):
    model, inputs, _ = reference
    with torch.inference_mode():
        logits = model(torch.from_numpy(inputs["x"])).numpy()
    np.testing.assert_allclose(logits, inputs["logits"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("method", ["gradcam", "hirescam"])
def test_raw_and_normalised_maps_equal_the_reference(reference, block, method):
    model, inputs, outputs = reference
    x = torch.from_numpy(inputs["x"])
    for target in CLASSES:
        expected = outputs[f"{block}_c{target}_{method}_raw"]
        raw = raw_map(model, x, target, block, method)
        np.testing.assert_allclose(raw.numpy(), expected, atol=1e-5 * np.abs(expected).max())
        image = normalised(to_image(raw[:1], *x.shape[2:]))[0].numpy()
        np.testing.assert_allclose(image, outputs[f"{block}_c{target}_pgc_{method}_img0"], atol=5e-6)


def test_the_two_methods_agree_at_the_last_block_and_differ_before():
    torch.manual_seed(0)
    model = ResNet(18, 4, 3, width=8).eval()
    x = torch.rand(1, 4, 64, 64)

    def correlation(block: str) -> float:
        maps = [raw_map(model, x, 1, block, method).flatten() for method in ("gradcam", "hirescam")]
        return float(torch.corrcoef(torch.stack(maps))[0, 1])

    assert correlation("layer4") == pytest.approx(1, abs=1e-5)
    assert correlation("layer3") < 0.99


@pytest.mark.parametrize("prefix", ["model.", "module.encoder_q.", "model.backbone.model.", "module.backbone.", ""])
def test_prefixes_met_in_the_wild_are_understood(prefix):
    torch.manual_seed(0)
    model = ResNet(18, 3, 5, width=8).eval()
    foreign = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    x = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_resnet(foreign, 18, 3, 5)(x), model(x))


def test_the_toolbox_names_are_understood():
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
        raw_map(model, x, 0, "layer5")
    with pytest.raises(ModelError, match="class 3"):
        raw_map(model, x, 3)


def test_a_flat_map_is_normalised_to_zero():
    flat = normalised(torch.full((1, 3, 3), 4.0))
    assert flat.abs().max() == 0
    ramp = normalised(torch.arange(9.0).view(1, 3, 3))
    assert (ramp.min(), ramp.max()) == (0, 1)
