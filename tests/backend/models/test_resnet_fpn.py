"""The per-pixel classifier: its names, what a pixel depends on, its card, and the other runtimes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from sunbreak.errors import ModelError
from sunbreak.models.architectures import load_network, load_segmentation
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import RADIUS, Standardisation
from sunbreak.models.importing import save_segmentation
from sunbreak.models.legends import DYNAMIC_WORLD, SIMPLIFIED_IGBP, TEN_BANDS, TO_SIMPLIFIED_IGBP
from sunbreak.models.networks import SegmentationNetwork
from sunbreak.models.registry import find_model
from sunbreak.models.resnet import ResNet
from sunbreak.models.resnet_fpn import ResNetFPN


def network(seed: int = 0, width: int = 4, pyramid: int = 8) -> ResNetFPN:
    torch.manual_seed(seed)
    module = ResNetFPN(10, 9, width, pyramid)
    torch.nn.init.normal_(module.logarithm.shift, 0.2, 0.05)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
    return module.eval()


def save(folder, **changes):
    given = {
        "title": "Small", "description": "For tests.", "licence": "GPL-2.0-or-later", "bands": TEN_BANDS, "tile": 320,
        "standardisation": Standardisation((1500.0,) * 10, (900.0,) * 10), "classes": DYNAMIC_WORLD,
    } | changes  # fmt: skip
    return save_segmentation(network(), "small", folder, **given)


def test_the_encoder_has_the_names_of_a_resnet_18():
    theirs = {name for name in ResNet(18, 10, 9, 4).state_dict() if not name.startswith("fc.")}
    ours = set(network().state_dict())
    assert theirs <= ours
    assert {name.split(".")[0] for name in ours - theirs} == {
        "lateral",
        "smooth",
        "merge",
        "classifier",
        "local",
        "logarithm",
    }


@torch.inference_mode()
def test_each_pixel_has_logits_and_depends_on_nothing_further_than_the_radius():
    module = network().double()
    image = torch.randn(1, 10, 320, 352, dtype=torch.float64)
    logits = module(image)
    assert logits.shape == (1, 9, 320, 352)
    changed = image.clone()
    changed[:, :, :, 160 + RADIUS :] = 5.0
    assert torch.equal(module(changed)[..., :160], logits[..., :160])
    assert not torch.equal(module(changed)[..., 160:], logits[..., 160:])


@torch.inference_mode()
def test_a_tile_with_a_margin_of_the_radius_equals_the_whole_image():
    module = network().double()
    image = torch.randn(1, 10, 16, 640, dtype=torch.float64)
    whole = module(image)
    part = module(image[..., 160:544])
    torch.testing.assert_close(part[..., RADIUS:-RADIUS], whole[..., 160 + RADIUS : 544 - RADIUS], atol=1e-12, rtol=0)


@torch.inference_mode()
def test_what_is_discarded_is_not_computed_and_the_rest_stays():
    module = network().double()
    image = torch.randn(1, 10, 320, 336, dtype=torch.float64)
    whole, inner = module(image), module(image, RADIUS)
    within = (..., slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))
    torch.testing.assert_close(inner[within], whole[within], atol=1e-12, rtol=0)
    assert not inner[..., :RADIUS, :].any()
    assert not inner[..., -RADIUS:].any()


def test_sides_that_are_no_multiples_of_16_are_refused():
    with pytest.raises(ValueError, match="multiples of 16, not 320 x 330"):
        network()(torch.zeros(1, 10, 320, 330))


@torch.inference_mode()
def test_folding_batch_norms_changes_nothing_and_leaves_none():
    whole = SegmentationNetwork(network())
    folded = whole.folded()
    image = torch.randn(2, 10, 64, 64)
    torch.testing.assert_close(folded(image)[0], whole(image)[0], atol=1e-5, rtol=1e-4)
    assert not [part for part in folded.modules() if isinstance(part, nn.BatchNorm2d)]
    np.testing.assert_allclose(whole(image)[0].sum(dim=1), 1, atol=1e-5)


def test_the_model_is_kept_with_a_card_that_says_what_it_is(tmp_path):
    files = save(tmp_path, half=True, temperature=(2.0,))
    item = json.loads(files.path.read_text())
    assert item["properties"]["mlm:tasks"] == ["semantic-segmentation"]
    assert item["properties"]["mlm:output"][0]["result"]["shape"] == [-1, 9, 320, 320]
    again = find_model(str(files.path), "land-cover")
    assert again.card.level == "any"
    cooled = load_segmentation(again)
    torch.testing.assert_close(cooled.classifier.weight, network().half().float().classifier.weight / 2)
    assert load_network(again).channels == 10
    assert files.weights.stat().st_size < 2.3 * sum(part.numel() for part in network().parameters()) + 30_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overlap": 256}, "do not see all that a pixel depends on"),
        ({"tile": 330}, "multiple of 16"),
        ({"multi_label": True}, "False was expected"),
        ({"arguments": {"width": 4}}, "'pyramid' is a required property"),
    ],
)
def test_a_card_that_cannot_be_right_is_refused(tmp_path, change, said):
    card = replace(save(tmp_path).card, **change)
    with pytest.raises(ModelError, match=said):
        ModelCard.from_item(card.to_item(), tmp_path / "small.json")


def test_every_class_of_dynamic_world_has_one_of_igbp():
    pairs = {DYNAMIC_WORLD[i].name: SIMPLIFIED_IGBP[j].name for i, j in enumerate(TO_SIMPLIFIED_IGBP)}
    assert pairs == {
        "Water": "Water", "Trees": "Forest", "Grass": "Grassland", "Flooded vegetation": "Wetlands",
        "Crops": "Croplands", "Shrub and scrub": "Shrubland", "Built": "Urban/Built-up", "Bare": "Barren",
        "Snow and ice": "Snow/Ice",
    }  # fmt: skip
