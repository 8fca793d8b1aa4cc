"""One training step of the Augmented CycleGAN: losses compared with the reference, and updated weights."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from sunbreak.models.augcyclegan import AugCycleGAN, AugCycleGANConfig, DirectionConfig, load_official, plain_state
from sunbreak.training.unpaired.losses import (
    critic_loss,
    cycle_loss,
    fooling_loss,
    latent_cycle_loss,
    least_squares,
    weighted_sum,
)
from sunbreak.training.unpaired.step import (
    GeneratorAverage,
    Latents,
    Optimizers,
    Pair,
    Weights,
    critic_terms,
    training_step,
    translate_both,
    translator_terms,
)

SMALL: dict[str, Any] = {
    "latent": 3, "generator_width": 2, "discriminator_width": 2, "encoder_width": 2, "latent_width": 4,
}  # fmt: skip
CONFIG = AugCycleGANConfig.alike(3, 1, **SMALL)


# losses


def test_least_squares_is_the_mean_squared_distance_to_the_target():
    verdict = torch.tensor([[0.0, 0.5], [2.0, 1.0]])
    assert least_squares(verdict, 1).item() == pytest.approx((1 + 0.25 + 1 + 0) / 4)
    assert fooling_loss(verdict).item() == least_squares(verdict, 1).item()


def test_the_critic_loss_is_half_the_sum_of_its_two_errors():
    real, fake = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5, 0.5])
    assert critic_loss(real, fake).item() == pytest.approx(0.5 * (0.5 + 0.25))


def test_cycle_losses_are_mean_absolute_differences():
    image = torch.zeros(1, 1, 2, 2)
    assert cycle_loss(torch.tensor([[[[1.0, -1.0], [0.5, 0.0]]]]), image).item() == pytest.approx(0.625)
    assert latent_cycle_loss(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 4.0]])).item() == pytest.approx(1.0)


def test_losses_of_bf16_outputs_are_computed_in_float32():
    fake = torch.full((4000,), 1.001).bfloat16()
    assert fooling_loss(fake).dtype == cycle_loss(fake, fake).dtype == torch.float32


def test_a_weighted_sum_uses_all_terms_and_names_a_missing_weight():
    terms = {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}
    assert weighted_sum(terms, {"a": 1, "b": 0.5, "unused": 7}).item() == 3.5
    with pytest.raises(ValueError, match="b"):
        weighted_sum(terms, {"a": 1})


# one step


def test_the_losses_of_a_step_equal_the_reference_implementation(shared):
    path = shared / "reference" / "augcyclegan" / "augcyclegan_step.npz"
    content = np.load(path)
    names = {
        "G_AB": "netG_A_B",
        "G_BA": "netG_B_A",
        "D_A": "netD_A",
        "D_B": "netD_B",
        "E_B": "netE_B",
        "D_zB": "netD_z_B",
    }
    tables: dict[str, dict[str, torch.Tensor]] = {name: {} for name in names.values()}
    for key in content.files:
        kind, _, rest = key.partition("__")
        if kind == "w":
            short, _, tensor = rest.partition("__")
            tables[names[short]][tensor] = torch.from_numpy(content[key])
    common: dict[str, Any] = {
        "source_bands": 5, "target_bands": 5, "generator_width": 8, "discriminator_width": 8, "encoder_width": 8,
        "latent_width": 16, "spectral_norm": False,
    }  # fmt: skip
    model = AugCycleGAN(
        AugCycleGANConfig(
            DirectionConfig(latent=4, **common), DirectionConfig(latent=0, discriminator="coarse", **common)
        )
    )
    load_official(model, tables, path)
    pair = Pair(torch.from_numpy(content["out__A"]), None, torch.from_numpy(content["out__B"]), None)
    latents = Latents(torch.from_numpy(content["out__z"]).flatten(1), None)
    halves = translate_both(model, pair, latents)
    critics = critic_terms(model, pair, latents, *halves)
    translators = translator_terms(model, pair, latents, *halves)
    total = weighted_sum(translators, Weights().by_term())
    ours = {
        "D_A": critics["critic_cloudy"], "D_B": critics["critic_clear"], "D_z_B": critics["critic_latent_clear"],
        "G_A": translators["fool_cloudy"], "G_B": translators["fool_clear"], "G_z_B": translators["fool_latent_clear"],
        "cyc_A": translators["cycle_cloudy"], "cyc_B": translators["cycle_clear"],
        "cyc_z_B": translators["cycle_latent_clear"], "G_total": total, "D_total": sum(critics.values()),
    }  # fmt: skip
    assert len(critics) + len(translators) == 9
    theirs = {key.removeprefix("loss__"): float(content[key]) for key in content.files if key.startswith("loss__")}
    assert {name: value.item() for name, value in ours.items()} == pytest.approx(theirs, abs=1e-5)


def make_batch(model: AugCycleGAN, seed: int = 0) -> tuple[Pair, Latents]:
    generator = torch.Generator().manual_seed(seed)
    images = [torch.rand(2, 3, 32, 32, generator=generator) - 0.5 for _ in range(2)]
    pair = Pair(images[0], images[0][:, :1], images[1], images[1][:, :1])
    there, back = model.directions()
    return pair, Latents(there.prior(2, generator), back.prior(2, generator))


@pytest.fixture
def parts() -> tuple[AugCycleGAN, GeneratorAverage, Optimizers]:
    torch.manual_seed(1)
    model = AugCycleGAN(CONFIG)
    return model, GeneratorAverage(model, 0.9), Optimizers(model, 1e-2, 0.5, 0.2, 500.0)


def test_a_step_moves_all_eight_networks(parts):
    model, average, optimizers = parts
    before = copy.deepcopy(model.state_dict())
    numbers = training_step(model, average, optimizers, Weights(), *make_batch(model), 0)
    # 4 critic losses; 4 adversarial and 4 cycle losses; two sums; two gradients
    assert len(numbers) == 16 and all(np.isfinite(list(numbers.values())))
    after = model.state_dict()
    for way in ("to_clear", "to_cloudy"):
        for network in ("generator", "discriminator", "encoder", "latent_discriminator"):
            parameters = [name for name, _ in model.named_parameters() if name.startswith(f"{way}.{network}.")]
            assert any(not before[name].equal(after[name]) for name in parameters), (way, network)


def test_critics_have_a_fifth_of_the_learning_rate(parts):
    _, _, optimizers = parts
    optimizers.set_factor(0.5)
    assert optimizers.translators.param_groups[0]["lr"] == pytest.approx(5e-3)
    assert optimizers.critics.param_groups[0]["lr"] == pytest.approx(1e-3)


def test_the_critic_loss_has_no_gradient_in_the_translators(parts):
    model, _, optimizers = parts
    pair, latents = make_batch(model)
    terms = critic_terms(model, pair, latents, *translate_both(model, pair, latents))
    weighted_sum(terms, dict.fromkeys(terms, 1.0)).backward()
    (translators, _), (critics, _) = optimizers.groups
    assert all(p.grad is None for network in translators for p in network.parameters())
    assert all(p.grad is not None for network in critics for p in network.parameters())


def test_critics_are_trainable_again_after_a_step(parts):
    model, average, optimizers = parts
    training_step(model, average, optimizers, Weights(), *make_batch(model), 0)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_gradients_are_clipped_per_network():
    model = AugCycleGAN(CONFIG)
    optimizers = Optimizers(model, 1e-2, 0.5, 0.2, clip=1.0)
    networks, _ = optimizers.groups[0]
    for index, network in enumerate(networks):
        for parameter in network.parameters():
            parameter.grad = torch.full_like(parameter, 10.0 if index == 0 else 1e-6)
    assert optimizers.clip_gradients(networks).item() > 100
    norms = [torch.stack([p.grad.norm() for p in network.parameters()]).norm().item() for network in networks]
    assert norms[0] == pytest.approx(1, rel=1e-3)
    assert max(norms[1:]) < 1e-3


def test_the_average_follows_the_normalised_generator_weights(parts):
    model, average, _ = parts
    before = copy.deepcopy(average.to_clear.state_dict())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    average.update(1000)
    target = plain_state(model.to_clear.generator)
    for name, value in average.to_clear.state_dict().items():
        torch.testing.assert_close(value, 0.9 * before[name] + 0.1 * target[name])


def test_the_average_soon_forgets_the_initial_weights(parts):
    model, average, _ = parts
    average.decay = 0.9999
    with torch.no_grad():
        for parameter in average.parameters():
            parameter.fill_(1.0)
        for step in range(1, 200):
            average.update(step)
    # the weight of the initial weights is the product of (1 + n) / (10 + n): below 1e-8 after 200 steps
    target = plain_state(model.to_cloudy.generator)
    for name, value in average.to_cloudy.state_dict().items():
        torch.testing.assert_close(value, target[name], atol=1e-4, rtol=1e-4)


def test_training_steps_reduce_the_cycle_loss():
    torch.manual_seed(2)
    model = AugCycleGAN(AugCycleGANConfig.alike(3, 1, **{**SMALL, "generator_width": 4}))
    parts = GeneratorAverage(model, 0.9), Optimizers(model, 1e-2, 0.5, 0.2, 500.0)
    pair, latents = make_batch(model)
    # images of one colour each, because noise cannot be translated back
    pair = pair._replace(
        cloudy=pair.cloudy.mean(dim=(2, 3), keepdim=True).expand_as(pair.cloudy) * 8,
        clear=pair.clear.mean(dim=(2, 3), keepdim=True).expand_as(pair.clear) * 8,
    )
    numbers = [training_step(model, *parts, Weights(3.0, 3.0), pair, latents, step) for step in range(60)]
    errors = [row["cycle_cloudy"] + row["cycle_clear"] for row in numbers]
    assert np.mean(errors[-10:]) < 0.8 * np.mean(errors[:10])
