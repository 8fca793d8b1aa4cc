"""The networks of the Augmented CycleGAN: against the reference implementation, at usual sizes, and weights that must not load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sunbreak.errors import ModelError
from sunbreak.models.augcyclegan import (
    AugCycleGAN,
    AugCycleGANConfig,
    Direction,
    DirectionConfig,
    Generator,
    load_official,
    official_state,
    plain_state,
)
from sunbreak.models.augcyclegan.cycle import half_cycle
from sunbreak.models.augcyclegan.norms import ConditionalInstanceNorm, InstanceNorm
from sunbreak.models.augcyclegan.official import official_networks
from sunbreak.models.augcyclegan.spectral import SpectralNorm

SMALL = {"latent": 4, "generator_width": 4, "discriminator_width": 4, "encoder_width": 4, "latent_width": 8}
OFFICIAL_NAMES = {
    "G_AB": "netG_A_B", "G_BA": "netG_B_A", "D_A": "netD_A", "D_B": "netD_B", "E_B": "netE_B", "D_zB": "netD_z_B",
}  # fmt: skip
# the two kinds of table of names: the step's weights, and the default networks
KINDS = {
    "G_stoch": "netG_A_B", "G_det": "netG_B_A", "D_A": "netD_A", "D_B": "netD_B", "E_B": "netE_B", "D_z_B": "netD_z_B",
}  # fmt: skip


def one_way_stochastic(bands: int, **arguments: Any) -> AugCycleGAN:
    """The public implementation's choice: a latent vector towards clear only, and a coarse critic of cloudy images."""
    common: dict[str, Any] = {"source_bands": bands, "target_bands": bands, "spectral_norm": False, **arguments}
    latent = common.pop("latent", 16)
    coarse_width = common.pop("coarse_width", 32)
    return AugCycleGAN(
        AugCycleGANConfig(
            DirectionConfig(latent=latent, **common),
            DirectionConfig(latent=0, **{**common, "discriminator": "coarse", "discriminator_width": coarse_width}),
        )
    )


@pytest.fixture
def reference(shared) -> tuple[AugCycleGAN, dict[str, torch.Tensor]]:
    """The reference's networks with its weights, and its outputs."""
    path = shared / "reference" / "augcyclegan" / "augcyclegan_step.npz"
    content = np.load(path)
    tables = {
        theirs: {
            name.removeprefix(f"w__{short}__"): torch.from_numpy(content[name])
            for name in content.files
            if name.startswith(f"w__{short}__")
        }
        for short, theirs in OFFICIAL_NAMES.items()
    }
    model = one_way_stochastic(
        5, latent=4, generator_width=8, discriminator_width=8, coarse_width=8, encoder_width=8, latent_width=16
    )
    load_official(model, tables, path)
    outputs = {name[5:]: torch.from_numpy(content[name]) for name in content.files if name.startswith("out__")}
    return model, outputs


def test_translations_and_codes_equal_the_reference_implementation(reference):
    model, out = reference
    there, back = model.directions()
    with torch.no_grad():
        from_a = half_cycle(there, back, out["A"], None, out["z"].flatten(1))
        from_b = half_cycle(back, there, out["B"], None, None)
        mean, log_variance = there.encoder(out["fake_A"], out["B"])
    assert from_a.own is None
    assert from_b.reread is None
    for ours, theirs in (
        (from_a.fake, "fake_B"), (from_b.fake, "fake_A"), (from_a.rebuilt, "rec_A"), (from_b.rebuilt, "rec_B"),
        (from_b.own, "mu_z_realB"), (from_a.reread, "mu_z_fakeB"), (mean, "mu_z_realB"), (log_variance, "logvar_z_realB"),
    ):  # fmt: skip
        torch.testing.assert_close(ours, out[theirs], atol=1e-5, rtol=0)


def test_verdicts_equal_the_reference_implementation(reference):
    model, out = reference
    there, back = model.directions()
    with torch.no_grad():
        for ours, theirs in (
            (back.judge(out["A"], None), "DA_realA"), (back.judge(out["fake_A"], None), "DA_fakeA"),
            (there.judge(out["B"], None), "DB_realB"), (there.judge(out["fake_B"], None), "DB_fakeB"),
            (there.latent_discriminator(out["z"].flatten(1)), "DZ_prior"),
            (there.latent_discriminator(out["mu_z_realB"]), "DZ_post"),
        ):  # fmt: skip
            torch.testing.assert_close(ours, out[theirs], atol=1e-5, rtol=0)


def test_names_and_shapes_are_the_public_implementation_s(shared):
    path = shared / "reference" / "augcyclegan" / "augcyclegan_official_keys.json"
    wanted = json.loads(path.read_text())
    networks = official_networks(one_way_stochastic(3))
    for kind, name in KINDS.items():
        ours = {tensor: list(value.shape) for tensor, value in official_state(networks[name]).items()}
        assert ours == wanted[kind]


@pytest.fixture
def tables() -> tuple[AugCycleGAN, dict[str, dict[str, torch.Tensor]]]:
    """A small model, and the tables of another one of its kind in the public layout."""
    small = {**SMALL, "coarse_width": 4}
    other = official_networks(one_way_stochastic(2, **small))
    return one_way_stochastic(2, **small), {name: official_state(network) for name, network in other.items()}


def test_a_table_in_the_public_layout_comes_back_as_it_was(tables):
    model, given = tables
    load_official(model, given, Path("x.pth"))
    for name, network in official_networks(model).items():
        ours = official_state(network)
        assert ours.keys() == given[name].keys()
        assert all(ours[tensor].equal(value) for tensor, value in given[name].items())


def test_a_missing_tensor_is_named(tables):
    model, given = tables
    del given["netE_B"]["enc_mu.bias"]
    with pytest.raises(ModelError, match=r"x\.pth: .*missing: enc_mu\.bias"):
        load_official(model, given, Path("x.pth"))


def test_a_surplus_tensor_is_named(tables):
    model, given = tables
    given["netD_B"]["model.12.weight"] = torch.zeros(1)
    with pytest.raises(ModelError, match=r"unexpected: model\.12\.weight"):
        load_official(model, given, Path("x.pth"))


def test_a_missing_network_is_named(tables):
    model, given = tables
    del given["netD_z_B"]
    with pytest.raises(ModelError, match="netD_z_B"):
        load_official(model, given, Path("x.pth"))


def test_a_doubled_tensor_with_two_values_is_refused(tables):
    model, given = tables
    given["netG_A_B"]["model.11.4.weight"] = given["netG_A_B"]["model.11.4.weight"] + 1
    with pytest.raises(ModelError, match=r"model\.11\.conv_block\.4\.weight twice"):
        load_official(model, given, Path("x.pth"))


@pytest.mark.parametrize(("side", "patches"), [(120, 27), (256, 61)])
def test_all_eight_networks_work_at_the_sizes_of_use(side, patches):
    torch.manual_seed(0)
    model = AugCycleGAN(AugCycleGANConfig.alike(3, 2, **SMALL))
    assert sum(len(direction.networks()) for direction in model.directions()) == 8
    image, conditioning, latent = torch.rand(2, 3, side, side), torch.rand(2, 2, side, side), torch.randn(2, 4)
    for there, back in (model.directions(), model.directions()[::-1]):
        with torch.no_grad():
            half = half_cycle(there, back, image, conditioning, latent)
            assert half.fake.shape == half.rebuilt.shape == image.shape
            assert half.own.shape == half.reread.shape == (2, 4)
            assert there.judge(half.fake, conditioning).shape == (2, 1, patches, patches)
            assert there.latent_discriminator(half.reread).shape == (2, 1)


def test_the_coarse_critic_gives_one_verdict_for_64_pixels():
    direction = Direction(DirectionConfig(2, 2, discriminator="coarse", **SMALL))
    assert direction.judge(torch.zeros(1, 2, 64, 64), None).shape == (1, 1, 1, 1)
    assert direction.judge(torch.zeros(1, 2, 120, 120), None).shape == (1, 1, 5, 5)


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_another_latent_vector_makes_another_image(spectral_norm):
    torch.manual_seed(1)
    direction = Direction(DirectionConfig(3, 3, 1, spectral_norm=spectral_norm, **SMALL)).eval()
    image, conditioning = torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        first, second = (direction.translate(image, conditioning, torch.randn(1, 4)) for _ in range(2))
    # compared by their pattern, because the first weights of a network without normalisation give faint images
    spread = torch.stack([first, second]).std()
    assert (first - second).abs().mean() > 0.05 * spread


def test_the_conditioning_bands_change_the_image():
    torch.manual_seed(1)
    direction = Direction(DirectionConfig(3, 3, 1, **SMALL)).eval()
    image, latent = torch.rand(1, 3, 64, 64), torch.randn(1, 4)
    with torch.no_grad():
        first, second = (direction.translate(image, torch.rand(1, 1, 64, 64), latent) for _ in range(2))
    assert (first - second).abs().mean() > 1e-3


def test_the_critic_sees_the_conditioning_bands_only_when_asked():
    blind = Direction(DirectionConfig(3, 3, 2, **SMALL))
    seeing = Direction(DirectionConfig(3, 3, 2, judge_conditioning=True, **SMALL))
    assert official_state(blind.discriminator)["model.0.weight"].shape[1] == 3
    assert official_state(seeing.discriminator)["model.0.weight"].shape[1] == 5
    assert seeing.judge(torch.zeros(1, 3, 32, 32), torch.zeros(1, 2, 32, 32)).shape == (1, 1, 5, 5)


def test_norms_equal_their_definitions():
    torch.manual_seed(2)
    x, latent = torch.randn(2, 3, 6, 5) * 3 + 1, torch.randn(2, 4, 1, 1)
    mean = x.mean((2, 3), keepdim=True)
    plain, conditional = InstanceNorm(3), ConditionalInstanceNorm(3, 4)
    expected = (x - mean) / (x.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(plain(x), expected * plain.scale[:, None, None] + plain.shift[:, None, None])
    expected = (x - mean) / (x.var((2, 3), keepdim=True, unbiased=True) + 1e-5).sqrt()
    expected = expected * conditional.scale_conv(latent) + conditional.shift_conv(latent)
    torch.testing.assert_close(conditional(x, latent), expected)


def convolutions(network: nn.Module) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]


def test_every_convolution_of_every_network_has_a_largest_singular_value_of_one():
    torch.manual_seed(3)
    model = AugCycleGAN(AugCycleGANConfig.alike(3, 1, **SMALL))
    count = 0
    for module in convolutions(model):
        for _ in range(40):
            weight = module.weight
        axis = 1 if isinstance(module, nn.ConvTranspose2d) else 0
        matrix = weight.detach().transpose(0, axis).flatten(1)
        assert torch.linalg.svdvals(matrix)[0].item() == pytest.approx(1, abs=0.02)
        count += 1
    # generator: 9 convolutions of which 1 transposed, 3 blocks of 2; 8 conditional norms with 2; critic 5; encoder 7
    assert count == 2 * (12 + 8 * 2 + 5 + 7)


def test_the_power_iteration_moves_while_training_only():
    torch.manual_seed(4)
    norm = SpectralNorm(torch.randn(6, 5, 3, 3), 0)
    other = torch.randn(6, 5, 3, 3)
    norm.eval()
    before = norm.u.clone()
    norm(other)
    assert norm.u.equal(before)
    norm.train()
    norm(other)
    assert not norm.u.equal(before)


def test_plain_weights_give_the_same_images_as_the_normalised_network():
    torch.manual_seed(5)
    config = DirectionConfig(3, 3, 1, **SMALL)
    direction = Direction(config)
    image, conditioning, latent = torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32), torch.randn(2, 4)
    direction.translate(image, conditioning, latent)
    direction.eval()
    plain = Generator(config)
    plain.load_state_dict(plain_state(direction.generator), strict=True)
    with torch.no_grad():
        torch.testing.assert_close(plain(image, conditioning, latent), direction.translate(image, conditioning, latent))


def test_bf16_stays_close_to_float32():
    torch.manual_seed(6)
    direction = Direction(DirectionConfig(3, 3, 1, **SMALL)).eval()
    image, conditioning, latent = torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32), torch.randn(2, 4)
    with torch.no_grad():
        exact = direction.translate(image, conditioning, latent)
        with torch.autocast("cpu", torch.bfloat16):
            rough = direction.translate(image, conditioning, latent)
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().mean() < 0.05


@pytest.mark.parametrize(
    ("image", "conditioning", "latent", "named"),
    [
        ((1, 2, 64, 64), (1, 1, 64, 64), (1, 4), r"\(batch, 3, row, column\)"),
        ((1, 3, 65, 64), (1, 1, 65, 64), (1, 4), "even sides"),
        ((1, 3, 16, 16), (1, 1, 16, 16), (1, 4), "at least 32"),
        ((1, 3, 64, 64), (1, 1, 60, 64), (1, 4), r"conditioning bands \(1, 1, 64, 64\)"),
        ((1, 3, 64, 64), None, (1, 4), "not none"),
        ((1, 3, 64, 64), (1, 1, 64, 64), (2, 4), "latent vectors of length 4"),
        ((1, 3, 64, 64), (1, 1, 64, 64), None, "latent vectors of length 4"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(image, conditioning, latent, named):
    direction = Direction(DirectionConfig(3, 3, 1, **SMALL))
    given = [None if shape is None else torch.zeros(shape) for shape in (image, conditioning, latent)]
    with pytest.raises(ModelError, match=named) as caught:
        direction.translate(*given)
    assert caught.value.exit_status == 2


def test_a_configuration_survives_a_card():
    config = AugCycleGANConfig.alike(12, 3, latent=8, judge_conditioning=True)
    assert AugCycleGANConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"source_bands": 3}, "target_bands"),
        ({"source_bands": 3, "target_bands": 3, "depth": 2}, "depth"),
        ({"source_bands": 3, "target_bands": 3, "discriminator": "fine"}, "fine"),
        ({"source_bands": 0, "target_bands": 3}, "source_bands"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused_by_name(values, named):
    with pytest.raises(ModelError, match=named):
        DirectionConfig.from_dict(values)


def test_directions_that_disagree_are_refused():
    with pytest.raises(ModelError, match="bands"):
        AugCycleGANConfig(DirectionConfig(3, 4), DirectionConfig(3, 4))
    with pytest.raises(ModelError, match="conditioning"):
        AugCycleGANConfig(DirectionConfig(3, 3, 1), DirectionConfig(3, 3, 2))
