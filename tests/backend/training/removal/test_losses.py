"""The structure loss of cloud removal; the others are tested with the training loop."""

from __future__ import annotations

import pytest
import torch

from sunbreak.training.removal.losses import structure_error

EVERYWHERE = torch.ones(2, 1, 32, 32)


@pytest.fixture
def target():
    torch.manual_seed(0)
    return torch.rand(2, 13, 32, 32) * 5


@pytest.mark.parametrize(("factor", "wanted"), [(1.0, 0.0), (0.3, 0.0), (-1.0, 2.0)])
def test_the_contrast_does_not_count_and_the_direction_does(target, factor, wanted):
    error = structure_error(1 + factor * target, target, EVERYWHERE)
    assert error.item() == pytest.approx(wanted, abs=1e-3)


def test_a_flat_or_unrelated_prediction_has_no_structure_in_common(target):
    assert structure_error(torch.full_like(target, 2.0), target, EVERYWHERE).item() == pytest.approx(1.0)
    assert structure_error(target.flip(3), target, EVERYWHERE).item() == pytest.approx(1.0, abs=0.1)


def test_bands_and_pixels_without_weight_do_not_count(target):
    weight = torch.ones(2, 13, 32, 32)
    weight[:, 5] = 0
    weight[:, :, :16] = 0
    spoilt = target.clone()
    spoilt[:, 5] = -spoilt[:, 5]
    spoilt[:, :, :15] = 7
    assert structure_error(spoilt, target, weight).item() == pytest.approx(0.0, abs=1e-3)


def test_its_gradient_is_finite_on_a_flat_image():
    flat = torch.full((1, 13, 16, 16), 0.4, requires_grad=True)
    structure_error(flat, torch.full((1, 13, 16, 16), 0.4), EVERYWHERE[:1, :, :16, :16]).backward()
    assert torch.isfinite(flat.grad).all()
