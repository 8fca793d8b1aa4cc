"""The recipe of a cloud removal training: everything that its result depends on beside the data."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class RemovalTraining:
    """The recipe.

    Attributes:
        steps: Batches.
        batch: Patches per batch.
        patch: Side of a patch in pixels.
        tile_steps: Share of the steps, at the end, on whole tiles (batches of 2).
        warm_up: Share of the steps, at the beginning, with absolute error only.
        learning_rate: Highest learning rate of Adam; rises over 3 % of the steps, then falls as a cosine.
        real_share: Share of patches from real cloudy and clear pairs, where there are any.
        clouded_share: Share of patches of real ground under simulated clouds, where there are any.
        transplanted_share: Share of patches of real ground under real clouds of other places, where there are any.
        worldcereal_share: Share of patches from WorldCereal's small places; the other shares are parts of what is left.
            Steps on whole tiles, into which they do not fit, have none.
        seed: Seed of everything random.
        width: Channels of the network.
        depth: Blocks of the network.
        tile: Side of a tile.
        no_radar: Probability of leaving the radar out of a patch.
        detail: Weight of the error of neighbours' differences.
        prior: Spectrum of a guided network; empty for one without a guide.
        dates: Dates that the network takes at once.
        validate_every: Steps from one look at the held-out samples to the next; 0 for never.
        patience: Looks without a better held-out loss after which the training stops; 0 for never. With a patience the
            weights of the best look are the result.
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
    prior: tuple[float, ...] = ()
    dates: int = 1
    validate_every: int = 0
    patience: int = 0

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rise = max(1, round(0.03 * self.steps))
        if step < rise:
            return self.learning_rate * (step + 1) / rise
        progress = (step - rise) / max(1, self.steps - rise)
        return self.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def whole_tiles(self, step: int) -> bool:
        """Whether a step is one of those on whole tiles."""
        return step >= self.steps * (1 - self.tile_steps)

    def likelihood(self, step: int) -> float:
        """Weight of the likelihood in a step.

        A little from the start, so that the variance begins at a sensible place.
        """
        return 0.01 if step < self.steps * self.warm_up else 0.3
