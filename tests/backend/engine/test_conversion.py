"""Networks that were converted for OpenVINO stand beside their cards and compute what the torch modules do."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from sunbreak.engine.cam_runtime import CamRuntime
from sunbreak.engine.conversion import convert_model, largest_error
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.saliency_runtime import SaliencyRuntime
from sunbreak.errors import ModelError
from sunbreak.models.architectures import load_classifier, load_network
from sunbreak.models.folding import ChannelwiseGroupNorm, fold_batch_norms
from sunbreak.models.registry import check_converted, find_model, list_models


def bundled() -> list[str]:
    return [files.card.name for files in list_models()[0] if files.bundled]


@pytest.fixture
def converted(small_classifier, tmp_path):
    for path in (small_classifier.path, small_classifier.weights):
        shutil.copy(path, tmp_path)
    return convert_model(find_model(str(tmp_path / small_classifier.path.name)))[0]


@pytest.mark.parametrize("name", bundled())
def test_the_bundled_networks_are_those_of_their_weights(name):
    files = find_model(name)
    place = check_converted(files)
    assert place is not None
    assert largest_error(load_network(files), place, files.card.tile, seed=3) < files.card.tolerance


def test_a_converted_network_runs_without_torch(converted, monkeypatch):
    tile = np.random.default_rng(1).normal(size=(1, 10, 64, 64)).astype(np.float32)
    with torch.inference_mode():
        expected = load_network(converted)(torch.from_numpy(tile))[0].numpy()
    monkeypatch.setattr("sunbreak.engine.openvino_runtime.require", lambda *_: pytest.fail("asked for torch"))
    runtime = OpenVinoRuntime.for_model(converted)
    runtime.submit({"x": tile})
    np.testing.assert_allclose(runtime.collect()[0], expected, atol=1e-6)


def test_a_card_that_was_changed_has_no_converted_network(converted):
    assert check_converted(converted) is not None
    assert check_converted(replace(converted, card=replace(converted.card, title="Another"))) is not None
    assert check_converted(replace(converted, card=replace(converted.card, temperature=(3.0,)))) is None


@pytest.mark.parametrize("suffix", [".xml", ".bin"])
def test_a_converted_network_that_was_changed_is_refused(converted, suffix):
    path = converted.path.with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"{path.name}: is not the file that the card names"):
        OpenVinoRuntime.for_model(converted)
    path.unlink()
    with pytest.raises(ModelError, match=f"{path.name}: is missing"):
        OpenVinoRuntime.for_model(converted)


@pytest.mark.parametrize("rank", [1, 3])
def test_class_activation_maps_are_grad_cam_at_the_last_block(rank):
    files = find_model("resnet18-landcover")
    tiles = np.random.default_rng(2).normal(size=(3, 10, 64, 64)).astype(np.float32)
    module = load_classifier(files)
    with torch.inference_mode():
        target = int(module(torch.from_numpy(tiles)).mean(0).argsort()[-rank])
    by_gradients = SaliencyRuntime(
        module, torch.device("cpu"), 64, 16, target=target if rank > 1 else None, block="layer4", method="gradcam"
    )
    by_gradients.submit({"x": tiles})
    maps, bands, logits = by_gradients.collect()
    assert maps.max() > 0
    runtime = CamRuntime(files, 16, target=target if rank > 1 else None)
    runtime.submit({"x": tiles})
    found = runtime.collect()
    # the converted network has weights in half precision
    np.testing.assert_allclose(found[0], maps, atol=2e-3 * maps.max())
    np.testing.assert_allclose(found[2], logits, atol=5e-3)
    assert np.isnan(found[1]).all()
    runtime = CamRuntime(files, 16, target=None, gradients=by_gradients)
    runtime.submit({"x": tiles})
    np.testing.assert_array_equal(runtime.collect()[1], bands)


@pytest.mark.parametrize("level", [0.0, 30.0])
def test_a_group_norm_by_channels_is_the_group_norm(level):
    torch.manual_seed(1)
    norm = nn.GroupNorm(4, 16)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    image = level + torch.randn(2, 16, 32, 48) * torch.arange(1, 17)[None, :, None, None]
    with torch.inference_mode():
        torch.testing.assert_close(ChannelwiseGroupNorm(norm)(image), norm(image), atol=2e-4, rtol=0)


def test_folding_leaves_group_norms_as_they_are(small_model):
    from sunbreak.models.architectures import load_model

    kinds = [type(part) for part in fold_batch_norms(load_model(small_model)).modules()]
    assert nn.GroupNorm in kinds and ChannelwiseGroupNorm not in kinds
