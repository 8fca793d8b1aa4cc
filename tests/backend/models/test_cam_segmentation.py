"""Maps of a per-pixel classifier: the gradient of a sum of logits with respect to a stage, and what adds up."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sunbreak.errors import ModelError
from sunbreak.models.cam_segmentation import explain_pixels, map_of_area, stride_of, weighted_map
from sunbreak.models.card_landcover import RADIUS
from sunbreak.models.resnet import STAGES
from sunbreak.models.resnet_fpn import ResNetFPN


def network(seed: int = 0) -> ResNetFPN:
    torch.manual_seed(seed)
    module = ResNetFPN(3, 4, 4, 8)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
    return module.double().eval()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randn(2, 3, 64, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(7))


def hooked(model: ResNetFPN, x: torch.Tensor, counted: torch.Tensor, kinds: torch.Tensor, block: str):
    """Activation, gradient and gradient x input of the sum, by a hook on the stage in the plain forward pass."""
    held = []
    handle = model.get_submodule(block).register_forward_hook(lambda *parts: held.append(parts[-1]))
    x = x.clone().requires_grad_()
    logits = model(x)
    handle.remove()
    wanted = sum(
        logits[item, int(kinds[item, row, column]), row, column] for item, row, column in counted.nonzero().tolist()
    )
    gradient, of_input = torch.autograd.grad(wanted, [held[0], x])
    return held[0].detach(), gradient, (of_input * x).sum(dim=(2, 3)).detach()


def some_pixels(image: torch.Tensor) -> torch.Tensor:
    counted = torch.zeros(len(image), *image.shape[2:], dtype=torch.bool)
    counted[0, 20:23, 30:33] = True
    counted[1, 40, 5] = True
    return counted


@pytest.mark.parametrize("block", STAGES)
def test_the_gradient_passes_through_all_that_is_computed_from_the_stage(image, block):
    model, counted = network(), some_pixels(image)
    kinds = torch.full(counted.shape, 2)
    activation, gradient, bands = hooked(model, image, counted, kinds, block)
    for with_bands in (False, True):
        found = explain_pixels(model, image, counted, 2, block, bands=with_bands)
        torch.testing.assert_close(found.raw, (activation * gradient).sum(dim=1))
        torch.testing.assert_close(found.gradients, gradient.sum(dim=(2, 3)))
        torch.testing.assert_close(found.bands, bands if with_bands else torch.zeros_like(bands))
        assert found.pixels.tolist() == [9, 1]
        assert found.raw.shape == (2, 64 // stride_of(block), 96 // stride_of(block))
    expected = (activation * gradient.mean(dim=(2, 3), keepdim=True)).sum(dim=1)
    places = found.raw[0].numel()
    for item in (0, 1):
        mapped = weighted_map(model, image[item : item + 1], found.gradients[item] / places, block)
        torch.testing.assert_close(mapped[0], expected[item])
    torch.testing.assert_close(map_of_area(model, image, counted, 2, block, "gradcam"), expected)
    torch.testing.assert_close(map_of_area(model, image, counted, 2, block, "hirescam"), (activation * gradient).sum(1))


def test_grad_cam_equals_captum(image):
    captum = pytest.importorskip("captum.attr")
    model = network()
    whole = torch.ones(2, 64, 96, dtype=torch.bool)
    theirs = captum.LayerGradCam(lambda x: model(x).sum(dim=(2, 3)), model.layer3).attribute(image, target=1)
    found = explain_pixels(model, image, whole, 1, "layer3")
    ours = weighted_map(model, image[:1], found.gradients[0] / found.raw[0].numel(), "layer3")
    torch.testing.assert_close(ours, theirs[0].detach())


def test_predicted_takes_each_pixels_own_class(image):
    model, counted = network(), some_pixels(image)
    activation, gradient, _ = hooked(model, image, counted, model(image).argmax(dim=1), "layer2")
    found = explain_pixels(model, image, counted, None, "layer2")
    torch.testing.assert_close(found.raw, (activation * gradient).sum(dim=1))


def test_only_the_area_where_a_class_is_predicted_counts(image):
    model = network()
    logits = model(image).detach()
    best = logits.argmax(dim=1)
    kind = int(torch.bincount(best.flatten()).argmax())
    whole = torch.ones(2, 64, 96, dtype=torch.bool)
    found = explain_pixels(model, image, whole, kind, only_predicted=True)
    same = explain_pixels(model, image, best == kind, kind)
    assert 0 < int((best == kind).sum()) < best.numel()
    assert found.pixels.tolist() == (best == kind).sum(dim=(1, 2)).tolist()
    torch.testing.assert_close(found.raw, same.raw)
    torch.testing.assert_close(found.logits, (logits * (best == kind)[:, None]).sum(dim=(2, 3)))


def test_what_is_found_for_two_areas_adds_up(image):
    model, counted = network(), some_pixels(image)
    other = torch.zeros_like(counted)
    other[:, 50:60, 70:90] = True
    parts = [explain_pixels(model, image, area, 1, "layer3", bands=True) for area in (counted, other, counted | other)]
    for name in ("raw", "gradients", "bands", "logits", "pixels"):
        first, second, both = (getattr(part, name) for part in parts)
        torch.testing.assert_close(first + second, both)


def test_where_no_pixel_counts_there_is_no_evidence(image):
    model = network()
    whole = torch.ones(2, 64, 96, dtype=torch.bool)
    absent = network()
    with torch.no_grad():
        absent.classifier.bias[3] -= 1e6
    found = explain_pixels(model, image, whole, 0, "layer2", bands=True)
    for same in (
        explain_pixels(model, image, ~whole, 0, "layer2", bands=True),
        explain_pixels(absent, image, whole, 3, "layer2", only_predicted=True, bands=True),
    ):
        for name, part in vars(same).items():
            assert part.shape == getattr(found, name).shape
            assert part.dtype == getattr(found, name).dtype
            assert not part.any()


def test_nothing_further_than_the_radius_is_evidence_for_a_pixel():
    model = network()
    image = torch.randn(1, 3, 352, 352, dtype=torch.float64)
    counted = torch.zeros(1, 352, 352, dtype=torch.bool)
    counted[0, 176, 176] = True
    raw = explain_pixels(model, image, counted, 0, "layer1").raw[0]
    rows, columns = raw.nonzero(as_tuple=True)
    for places in (rows, columns):
        assert places.min() * 2 >= 176 - RADIUS
        assert places.max() * 2 <= 176 + RADIUS


def test_unknown_stages_and_classes_are_refused(image):
    whole = torch.ones(2, 64, 96, dtype=torch.bool)
    with pytest.raises(ModelError, match="no block 'layer9'"):
        explain_pixels(network(), image, whole, 0, "layer9")
    with pytest.raises(ModelError, match="no block 'fc'"):
        stride_of("fc")
    with pytest.raises(ModelError, match="no class 4"):
        explain_pixels(network(), image, whole, 4)
