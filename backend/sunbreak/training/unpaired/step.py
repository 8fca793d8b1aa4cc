"""One training step of the Augmented CycleGAN: update discriminators, then generators and encoders, then averages.

The discriminators are called critics; generators and encoders are called translators. Loss terms are named by kind and
domain: `critic_clear` is the critic of clear images, `fool_latent_cloudy` is the adversarial loss of the encoder of the
cloudy domain's latent vector, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, parametrize

from sunbreak.models.augcyclegan import AugCycleGAN, Direction, Generator, plain_readers, plain_state
from sunbreak.models.augcyclegan.cycle import HalfCycle, half_cycle
from sunbreak.training.numerics import mixed_precision
from sunbreak.training.unpaired.losses import critic_loss, cycle_loss, fooling_loss, latent_cycle_loss, weighted_sum


class Pair(NamedTuple):
    """A batch of cloudy images and an unrelated batch of clear images.

    Images are (batch, band, row, column) in [-1, 1]; conditioning bands likewise, or None.
    """

    cloudy: Tensor
    cloudy_conditioning: Tensor | None
    clear: Tensor
    clear_conditioning: Tensor | None


class Latents(NamedTuple):
    """Draws of the priors, (batch, length) each; None for a deterministic direction."""

    clear: Tensor | None
    cloudy: Tensor | None


@dataclass(frozen=True)
class Weights:
    """Weight of each kind of loss.

    Attributes:
        cycle_cloudy: Cycle loss of cloudy images. Lower it if clouds may come back at other positions.
        cycle_clear: Cycle loss of clear images.
        latent_cycle: Cycle loss of latent vectors.
        latent_gan: Adversarial loss of the encoders.
    """

    cycle_cloudy: float = 1.0
    cycle_clear: float = 1.0
    latent_cycle: float = 0.025
    latent_gan: float = 1.0

    def by_term(self) -> dict[str, float]:
        """The weight of each term of the translators' loss."""
        return {
            "fool_clear": 1.0,
            "fool_cloudy": 1.0,
            "fool_latent_clear": self.latent_gan,
            "fool_latent_cloudy": self.latent_gan,
            "cycle_clear": self.cycle_clear,
            "cycle_cloudy": self.cycle_cloudy,
            "cycle_latent_clear": self.latent_cycle,
            "cycle_latent_cloudy": self.latent_cycle,
        }


def translate_both(model: AugCycleGAN, pair: Pair, latents: Latents) -> tuple[HalfCycle, HalfCycle]:
    """The half cycles that start at the cloudy and at the clear images."""
    there, back = model.directions()
    # within `cached`, a normalised weight is computed only once
    with parametrize.cached():
        return (
            half_cycle(there, back, pair.cloudy, pair.cloudy_conditioning, latents.clear),
            half_cycle(back, there, pair.clear, pair.clear_conditioning, latents.cloudy),
        )


def critic_terms(
    model: AugCycleGAN, pair: Pair, latents: Latents, from_cloudy: HalfCycle, from_clear: HalfCycle
) -> dict[str, Tensor]:
    """The losses of the four critics, without gradients into the images."""
    there, back = model.directions()
    with parametrize.cached():
        terms = {
            "critic_clear": _image_critic(
                there, pair.clear, pair.clear_conditioning, from_cloudy.fake, pair.cloudy_conditioning
            ),
            "critic_cloudy": _image_critic(
                back, pair.cloudy, pair.cloudy_conditioning, from_clear.fake, pair.clear_conditioning
            ),
        }
        for name, direction, latent, own in (
            ("critic_latent_clear", there, latents.clear, from_clear.own),
            ("critic_latent_cloudy", back, latents.cloudy, from_cloudy.own),
        ):
            critic = direction.latent_discriminator
            if critic is not None and latent is not None and own is not None:
                # two passes: because of the batch norms, real and fake must not share a batch
                terms[name] = critic_loss(critic(latent), critic(own.detach()))
    return terms


def translator_terms(
    model: AugCycleGAN, pair: Pair, latents: Latents, from_cloudy: HalfCycle, from_clear: HalfCycle
) -> dict[str, Tensor]:
    """The unweighted losses of generators and encoders."""
    there, back = model.directions()
    with parametrize.cached():
        terms = {
            "fool_clear": fooling_loss(there.judge(from_cloudy.fake, pair.cloudy_conditioning)),
            "fool_cloudy": fooling_loss(back.judge(from_clear.fake, pair.clear_conditioning)),
            "cycle_clear": cycle_loss(from_clear.rebuilt, pair.clear),
            "cycle_cloudy": cycle_loss(from_cloudy.rebuilt, pair.cloudy),
        }
        for name, direction, latent, own, reread in (
            ("latent_clear", there, latents.clear, from_clear.own, from_cloudy.reread),
            ("latent_cloudy", back, latents.cloudy, from_cloudy.own, from_clear.reread),
        ):
            critic = direction.latent_discriminator
            if critic is not None and latent is not None and own is not None and reread is not None:
                terms[f"fool_{name}"] = fooling_loss(critic(own))
                terms[f"cycle_{name}"] = latent_cycle_loss(reread, latent)
    return terms


def _image_critic(
    direction: Direction, real: Tensor, real_conditioning: Tensor | None, fake: Tensor, fake_conditioning: Tensor | None
) -> Tensor:
    return critic_loss(direction.judge(real, real_conditioning), direction.judge(fake.detach(), fake_conditioning))


class GeneratorAverage(nn.Module):
    """Exponential moving averages of both generators, with the spectral normalisation applied to the weights.

    The averages are used at inference. At the start, the decay is (1 + steps) / (10 + steps), so that the random
    initial weights have little influence.
    """

    def __init__(self, model: AugCycleGAN, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.to_clear = Generator(replace(model.config.to_clear, spectral_norm=False))
        self.to_cloudy = Generator(replace(model.config.to_cloudy, spectral_norm=False))
        readers = []
        for average, direction in zip((self.to_clear, self.to_cloudy), model.directions(), strict=True):
            average.load_state_dict(plain_state(direction.generator))
            current = plain_readers(direction.generator)
            readers += [(parameter, current[name]) for name, parameter in average.named_parameters()]
        self._readers = readers
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the averages with the generators after `step` steps (from 1)."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        averages, reads = zip(*self._readers, strict=True)
        torch._foreach_lerp_(list(averages), [read() for read in reads], weight)


class Optimizers:
    """Adam for the translators, and a slower Adam for the critics. Gradient clipping is per network."""

    def __init__(
        self, model: AugCycleGAN, learning_rate: float, beta1: float, critic_share: float, clip: float
    ) -> None:
        translators = [network for direction in model.directions() for network in direction.translators()]
        critics = [network for direction in model.directions() for network in direction.critics()]
        # networks, and their learning rate as a fraction of the recipe's
        self.groups: tuple[tuple[Sequence[nn.Module], float], ...] = ((translators, 1.0), (critics, critic_share))
        self.clip = clip
        self.learning_rate = learning_rate
        self.translators, self.critics = (
            torch.optim.Adam(_parameters(networks), lr=learning_rate * share, betas=(beta1, 0.999), fused=True)
            for networks, share in self.groups
        )

    def set_factor(self, factor: float) -> None:
        """Set the learning rates to `factor` times the initial ones."""
        for optimizer, (_, share) in zip((self.translators, self.critics), self.groups, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate * share * factor

    def clip_gradients(self, networks: Iterable[nn.Module]) -> Tensor:
        """Clip the gradient of each network. Returns the largest norm before clipping."""
        return torch.stack([clip_grad_norm_(network.parameters(), self.clip) for network in networks]).max()


def training_step(
    model: AugCycleGAN,
    average: GeneratorAverage,
    optimizers: Optimizers,
    weights: Weights,
    pair: Pair,
    latents: Latents,
    step: int,
) -> dict[str, float]:
    """Update all networks with one batch.

    As in the reference, the critics are updated first. Numbers are copied to the host once, at the end. So a failed
    step returns a number that is not finite, and the networks are then unusable.

    Args:
        model: Networks in training mode.
        average: Averages to update.
        optimizers: Optimizers with their learning rates set.
        weights: Weights of the losses.
        pair: The batch, on the networks' device.
        latents: Draws of the priors.
        step: From 0.

    Returns:
        Every term, `translators` and `critics` (their weighted sums), `gradient_translators` and `gradient_critics`
        (the largest norm of a network's gradient before clipping).
    """
    translators, critics = (networks for networks, _ in optimizers.groups)
    device = pair.cloudy.device
    with mixed_precision(device, on_cpu=False):
        halves = translate_both(model, pair, latents)
    # each phase has its own context, because autocast caches bf16 copies of weights that the optimizer changes
    with mixed_precision(device, on_cpu=False):
        judged = critic_terms(model, pair, latents, *halves)
    total_critics = weighted_sum(judged, dict.fromkeys(judged, 1.0))
    optimizers.critics.zero_grad()
    total_critics.backward()  # type: ignore[no-untyped-call]
    gradient_critics = optimizers.clip_gradients(critics)
    optimizers.critics.step()
    _freeze(critics, True)
    try:
        with mixed_precision(device, on_cpu=False):
            terms = translator_terms(model, pair, latents, *halves)
        total = weighted_sum(terms, weights.by_term())
        optimizers.translators.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
    finally:
        _freeze(critics, False)
    gradient = optimizers.clip_gradients(translators)
    optimizers.translators.step()
    average.update(step + 1)
    numbers = {
        **judged, **terms, "critics": total_critics, "translators": total,
        "gradient_critics": gradient_critics, "gradient_translators": gradient,
    }  # fmt: skip
    return dict(zip(numbers, torch.stack([value.detach() for value in numbers.values()]).tolist(), strict=True))


def _freeze(networks: Iterable[nn.Module], frozen: bool) -> None:
    # avoids computing the critics' weight gradients
    for network in networks:
        network.requires_grad_(not frozen)


def _parameters(networks: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [parameter for network in networks for parameter in network.parameters()]
