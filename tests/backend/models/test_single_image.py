"""Blocks rewritten for one image compute what the blocks of UnCRtainTS do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.models.architectures import load_network
from sunbreak.models.folding import channelwise_group_norms
from sunbreak.models.mbconv import MBConv
from sunbreak.models.registry import find_model
from sunbreak.models.single_image import SingleImageMBConv, single_image_blocks
from sunbreak.models.uncrtaints import UnCRtainTSNetwork
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig


def with_statistics(module: nn.Module) -> nn.Module:
    """The module in evaluation mode, its norms as after a training."""
    torch.manual_seed(3)
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.normal_(part.weight, 1.0, 0.5)
            nn.init.normal_(part.bias)
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.2, 3.0)
    return module.eval()


@pytest.mark.parametrize("norm", ["batch", "group"])
@pytest.mark.parametrize("padding", ["zeros", "reflect", "replicate", "circular"])
def test_a_block_for_one_image_is_the_block_to_its_borders(norm, padding):
    block = with_statistics(MBConv(8, norm, padding))
    image = torch.randn(1, 8, 13, 21)
    with torch.inference_mode():
        expected = block(image)
        found = SingleImageMBConv(block)(image)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize(("norm", "padding", "first"), [("batch", "reflect", True), ("batch", "zeros", False),
                                                        ("group", "reflect", False)])  # fmt: skip
def test_the_image_is_padded_first_only_where_that_changes_nothing(norm, padding, first):
    assert SingleImageMBConv(with_statistics(MBConv(8, norm, padding))).pads_first is first


def test_the_block_that_it_is_made_from_stays_as_it_was():
    block = with_statistics(MBConv(8, "batch"))
    before = {name: value.clone() for name, value in block.state_dict().items()}
    SingleImageMBConv(block)
    after = block.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("several", [False, True])
def test_a_network_of_one_date_has_no_other_blocks_and_one_of_several_keeps_the_first(several):
    config = UnCRtainTSConfig(multi_temporal=several, width=16, depth=2, heads=2, model_width=8)
    network = with_statistics(UnCRtainTSNetwork(config))
    rewritten = single_image_blocks(channelwise_group_norms(network))
    assert sum(isinstance(part, SingleImageMBConv) for part in rewritten.modules()) == (2 if several else 3)
    assert sum(isinstance(part, MBConv) for part in rewritten.modules()) == (1 if several else 0)
    dates = 3 if several else 1
    frames, days = torch.rand(1, dates, 15, 64, 64), torch.arange(dates)[None] * 5.0
    with torch.inference_mode():
        torch.testing.assert_close(rewritten(frames, days), network(frames, days), atol=1e-4, rtol=1e-4)


def test_a_compiled_network_computes_the_weights_of_each_tile_anew():
    files = find_model("uncrtaints-guided")
    network, runtime = load_network(files), OpenVinoRuntime.for_model(files)
    rng = np.random.default_rng(5)
    tiles = [rng.random((1, network.channels, 256, 256), np.float32) * level for level in (0.2, 1.0)]
    for tile in (*tiles, tiles[0]):
        runtime.submit({"x": tile})
        with torch.inference_mode():
            expected = network(torch.from_numpy(tile))[0].numpy()
        np.testing.assert_allclose(runtime.collect()[0], expected, atol=5e-6)
