"""Losses of the Augmented CycleGAN (Almahairi et al., ICML 2018), computed in float32."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F


def least_squares(verdict: Tensor, target: float) -> Tensor:
    """Mean squared error of a discriminator's output (LSGAN, Mao et al. 2017)."""
    return (verdict.float() - target).square().mean()


def critic_loss(verdict_real: Tensor, verdict_fake: Tensor) -> Tensor:
    """Loss of a discriminator: target 1 for real, 0 for fake; halved so that it learns more slowly than the generator.

    Args:
        verdict_real: Output for real images or draws of the prior, any shape.
        verdict_fake: Output for generated images or encoded latent vectors, any shape.
    """
    return 0.5 * (least_squares(verdict_real, 1.0) + least_squares(verdict_fake, 0.0))


def fooling_loss(verdict_fake: Tensor) -> Tensor:
    """Adversarial loss of a generator or encoder: target 1 for its output."""
    return least_squares(verdict_fake, 1.0)


def cycle_loss(rebuilt: Tensor, image: Tensor) -> Tensor:
    """Mean absolute difference between an image and its translation there and back, (batch, band, row, column)."""
    return F.l1_loss(rebuilt.float(), image.float())


def latent_cycle_loss(reread: Tensor, latent: Tensor) -> Tensor:
    """Mean absolute difference between a latent vector and the one encoded from its image, (batch, length)."""
    return F.l1_loss(reread.float(), latent.float())


def weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of all terms.

    Raises:
        ValueError: A term has no weight, or there are no terms.
    """
    missing = sorted(set(terms) - set(weights))
    if missing or not terms:
        raise ValueError(f"no weight for {', '.join(missing)}" if missing else "no terms to add")
    first, *rest = (weights[name] * term for name, term in terms.items())
    total = first
    for part in rest:
        total = total + part
    return total
