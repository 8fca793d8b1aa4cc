"""The recipe of a cloud removal training: all settings that the result depends on, apart from the data."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class RemovalTraining:
    """The recipe.

    Attributes:
        steps: Number of training steps.
        batch: Patches per batch.
        patch: Side of a patch in pixels.
        tile_steps: Fraction of the steps, at the end, that use whole tiles (in batches of 2).
        warm_up: Fraction of the steps, at the beginning, that use the absolute error only.
        learning_rate: Highest learning rate of Adam. It rises over 3 % of the steps, then follows a cosine.
        real_share: Fraction of patches from real pairs of a cloudy and a clear image, if there are any.
        clouded_share: Fraction of patches of real ground under simulated clouds, if there are any.
        transplanted_share: Fraction of patches of real ground under real clouds of other places, if there are any.
        worldcereal_share: Fraction of patches from WorldCereal. The other fractions are parts of the rest. Steps on
            whole tiles use none of these patches, because WorldCereal images are smaller than a tile.
        seed: Seed of all random numbers.
        width: Channels of the network.
        depth: Blocks of the network.
        tile: Side of a tile in pixels.
        no_radar: Probability of leaving the radar out of a patch.
        detail: Weight of the gradient loss, which penalises blur.
        structure: Weight of the structure loss, which rewards edges where the target has them, whatever their contrast.
        colour: Weight of the spectral angle between prediction and target.
        average: Decay per step of the exponential moving average of the weights, which is validated and is the result;
            0 uses the weights of the last step.
        prior: Prior of a guided network; empty for a network without a guide.
        hides_opaque: Whether a guided network gets the guide in place of the bands under opaque cloud.
        dates: Number of dates that the network takes as input.
        validate_every: Number of steps between two validations; 0 disables them.
        patience: Validations without a lower validation loss after which the training stops early; 0 disables early
            stopping. With early stopping, the result has the weights with the lowest validation loss.
    """

    steps: int = 2400
    batch: int = 8
    patch: int = 96
    tile_steps: float = 0.1
    warm_up: float = 0.15
    learning_rate: float = 1.5e-3
    real_share: float = 0.2
    clouded_share: float = 0.35
    transplanted_share: float = 0.0
    worldcereal_share: float = 0.0
    seed: int = 1
    width: int = 128
    depth: int = 5
    tile: int = 256
    no_radar: float = 0.05
    detail: float = 0.0
    structure: float = 0.0
    colour: float = 0.0
    average: float = 0.0
    prior: tuple[float, ...] = ()
    hides_opaque: bool = False
    dates: int = 1
    validate_every: int = 0
    patience: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step (linear warm-up, then cosine)."""
        rise = max(1, round(0.03 * self.steps))
        if step < rise:
            return self.learning_rate * (step + 1) / rise
        progress = (step - rise) / max(1, self.steps - rise)
        return self.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def whole_tiles(self, step: int) -> bool:
        """Whether a step uses whole tiles."""
        return step >= self.steps * (1 - self.tile_steps)

    def likelihood(self, step: int) -> float:
        """Weight of the likelihood in a step.

        It is small but not zero during the warm-up, so that the variance starts at a sensible value.
        """
        return 0.01 if step < self.steps * self.warm_up else 0.3
