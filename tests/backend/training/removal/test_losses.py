"""The structure and colour losses of cloud removal; the others are tested with the training loop."""

from __future__ import annotations

import math

import pytest
import torch

from sunbreak.training.removal.losses import colour_error, structure_error

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


def test_the_colour_error_is_the_angle_between_spectra_whatever_their_brightness():
    red = torch.tensor([3.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    between = torch.tensor([0.5, 0.5, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    everywhere = torch.ones(1, 1, 8, 8)
    assert colour_error(2 * red, red, everywhere).item() == pytest.approx(0, abs=1e-3)
    chord = 2 * math.sin(math.radians(45) / 2)
    assert colour_error(between, red, everywhere).item() == pytest.approx(chord, abs=0.03)


def test_the_colour_error_leaves_out_bands_without_weight():
    target = torch.tensor([3.0, 1.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    spoilt = torch.tensor([3.0, 1.0, 5.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    weight = torch.ones(1, 3, 8, 8)
    weight[:, 2] = 0
    assert colour_error(spoilt, target, weight).item() == pytest.approx(0, abs=1e-3)


def test_the_gradient_of_the_colour_error_is_finite_where_spectra_agree_or_are_zero():
    for value in (0.0, 0.4):
        flat = torch.full((1, 13, 4, 4), value, requires_grad=True)
        colour_error(flat, torch.full((1, 13, 4, 4), value), torch.ones(1, 1, 4, 4)).backward()
        assert torch.isfinite(flat.grad).all()
