"""Integrated gradients of a per-pixel classifier: what they sum to, what adds up, and captum's."""

from __future__ import annotations

import pytest
import torch
from pixel_networks import small_network

from sunbreak.errors import ModelError
from sunbreak.models.input_attribution import CELL, integrated_gradients
from sunbreak.models.resnet_fpn import ResNetFPN


@pytest.fixture(scope="module")
def model() -> ResNetFPN:
    return small_network(3, local=96).double().requires_grad_(False)


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randn(2, 10, 64, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def some_pixels() -> torch.Tensor:
    counted = torch.zeros(2, 64, 96, dtype=torch.bool)
    counted[0, 20:23, 30:33] = True
    counted[1, 40, 25] = True
    return counted


def test_the_attribution_sums_to_the_difference_of_the_logits_to_those_at_the_baseline(model, image):
    counted = some_pixels()
    image[0, :, 10:15, 40:50] = 0  # unknown at both ends
    # the local branch takes pixels for unknown that are exactly 0
    for kind in (0, 4):
        ends = [(model(x)[:, kind] * counted).sum(dim=(1, 2)) for x in (image, 1e-9 * image)]
        found = integrated_gradients(model, image, counted, kind, steps=64)
        assert (ends[0] - ends[1]).abs().min() > 0.1
        torch.testing.assert_close(found.raw.sum(dim=(1, 2)), ends[0] - ends[1], rtol=0.02, atol=0.02)
        torch.testing.assert_close(found.bands.sum(dim=1), found.raw.sum(dim=(1, 2)))
        assert found.logits[:, kind].tolist() == pytest.approx(ends[0].tolist())
        assert found.pixels.tolist() == [9, 1]


def test_it_equals_captum(model, image):
    captum = pytest.importorskip("captum.attr")
    counted = some_pixels()
    # captum puts the points of the path one after another in the batch
    score = captum.IntegratedGradients(lambda x: (model(x)[:, 2] * counted.repeat(len(x) // 2, 1, 1)).sum(dim=(1, 2)))
    theirs = score.attribute(image, n_steps=8, method="riemann_middle")
    found = integrated_gradients(model, image, counted, 2, steps=8)
    torch.testing.assert_close(found.bands, theirs.sum(dim=(2, 3)))
    cells = theirs.sum(dim=1).reshape(2, 64 // CELL, CELL, 96 // CELL, CELL).sum(dim=(2, 4))
    torch.testing.assert_close(found.raw, cells)


def test_what_only_the_local_branch_sees_is_evidence(image):
    blind = small_network(3, local=96).double().requires_grad_(False)
    blind.classifier.weight.zero_()  # the pyramid adds the same to all pixels
    counted = torch.zeros(2, 64, 96, dtype=torch.bool)
    counted[:, 32:36, 48:52] = True
    raw = integrated_gradients(blind, image, counted, 1).raw
    rows, columns = raw.abs().sum(dim=0).nonzero(as_tuple=True)
    # windows of 15 pixels reach 7 beyond
    assert (rows.min(), rows.max()) == (25 // CELL, 42 // CELL)
    assert (columns.min(), columns.max()) == (41 // CELL, 58 // CELL)


def test_predicted_takes_each_pixels_own_class_in_the_image(model, image):
    whole = torch.ones(2, 64, 96, dtype=torch.bool)
    best = model(image).argmax(dim=1)
    kinds = best.unique().tolist()
    assert len(kinds) > 2
    parts = [integrated_gradients(model, image, best == kind, kind) for kind in kinds]
    found = integrated_gradients(model, image, whole, None)
    torch.testing.assert_close(found.raw, sum(part.raw for part in parts))
    only = integrated_gradients(model, image, whole, kinds[0], only_predicted=True)
    torch.testing.assert_close(only.raw, parts[0].raw)
    assert only.pixels.tolist() == (best == kinds[0]).sum(dim=(1, 2)).tolist()


def test_what_is_found_for_two_areas_adds_up(model, image):
    counted = some_pixels()
    other = torch.zeros_like(counted)
    other[:, :10, 70:] = True  # at the edges, where the network saves nothing
    parts = [integrated_gradients(model, image, area, 1) for area in (counted, other, counted | other)]
    for name in ("raw", "bands", "logits", "pixels"):
        first, second, both = (getattr(part, name) for part in parts)
        torch.testing.assert_close(first + second, both)


def test_pixels_without_data_have_no_evidence(model, image):
    image[:, :, 16:32, 24:44] = 0
    raw = integrated_gradients(model, image, some_pixels(), 0).raw
    assert not raw[:, 16 // CELL : 32 // CELL, 24 // CELL : 44 // CELL].any()
    assert raw.any()


def test_where_no_pixel_counts_there_is_no_evidence(model, image):
    found = integrated_gradients(model, image, torch.zeros(2, 64, 96, dtype=torch.bool), 0)
    assert found.raw.shape == (2, 64 // CELL, 96 // CELL)
    assert found.bands.shape == (2, 10)
    assert not any(part.any() for part in vars(found).values())


def test_unknown_classes_are_refused(model, image):
    with pytest.raises(ModelError, match="no class 9"):
        integrated_gradients(model, image, some_pixels(), 9)
