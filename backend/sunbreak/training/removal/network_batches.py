"""Random batches of network input and target, drawn from samples with data augmentation.

A batch depends only on the seed and its number, so a resumed training sees the batches of an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.card_removal import Scaling
from sunbreak.removal.guide import guide
from sunbreak.training.removal.samples import Sample, spread

RADAR = Scaling(-25.0, 0.0)
_DN = 10000.0

Cut = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Batch:
    """Network input and target.

    Attributes:
        x: (batch, time, channel, row, column) in [0, 1]; 15 channels, 29 for a guided network.
        target: (batch, 13, row, column) reflectance.
        weight: (batch, 1, row, column), 1 for hidden pixels and less for the others; (batch, 13, row, column) if a
            patch has bands without truth, whose weight is 0.
        days: (batch, time) days since 2014-04-03 of several dates; None for one date.
    """

    x: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    days: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Example:
    """One patch of a batch: (time, channel, row, column), (13, row, column), (1 or 13, row, column), (time,) days."""

    x: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]
    days: NDArray[np.float32] | None = None


def network_input(
    s1: NDArray[np.float32] | None,
    cloudy: NDArray[Any],
    hidden: NDArray[np.bool_] | None = None,
    prior: Sequence[float] = (),
    opaque: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Network input in [0, 1] from dB and DN.

    Args:
        s1: (2, row, column) dB; without radar its channels are 0.
        cloudy: (13, row, column) DN.
        hidden: (row, column), True for the pixels that a guided network reconstructs.
        prior: Prior of a guided network; empty for a network without a guide.
        opaque: (row, column), True where the guide replaces the bands, for a guided network that hides what is opaque.

    Returns:
        (15, row, column), or (29, row, column) with a prior.
    """
    x = np.zeros((29 if prior else 15, *cloudy.shape[1:]), np.float32)
    if s1 is not None:
        x[:2] = (np.clip(np.nan_to_num(s1, nan=RADAR.low), RADAR.low, RADAR.high) - RADAR.low) / (
            RADAR.high - RADAR.low
        )
    x[2:15] = np.clip(cloudy, 0, _DN) / _DN
    if prior:
        if hidden is None:
            raise ValueError("a guided network needs the mask of hidden pixels")
        x[15:28] = guide(x[2:15], ~hidden, prior, s1)
        x[28] = hidden
        if opaque is not None:
            x[2:15, opaque & hidden] = x[15:28, opaque & hidden]
    return x


class Draws:
    """Random batches from samples.

    Args:
        groups: Groups of samples, each with the probability of drawing from it.
        seed: Seed of all random numbers.
        no_radar: Probability of leaving the radar out of a patch, so that the network also works without radar.
        prior: Prior of a guided network; empty for a network without a guide.
        small: Groups in memory whose samples may be smaller than a patch, each with the probability of drawing from it.
            `groups` divide the rest. If patches do not fit into a small group, `groups` get its probability too.
    """

    def __init__(
        self,
        groups: Sequence[tuple[float, Sequence[Any]]],
        seed: int,
        no_radar: float = 0.05,
        prior: Sequence[float] = (),
        small: Sequence[tuple[float, Sequence[Sample]]] = (),
    ) -> None:
        self._groups = [(probability, samples) for probability, samples in groups if samples]
        self._small = [
            (min(min(sample.clear.shape[1:]) for sample in samples), (share, samples))
            for share, samples in small
            if samples
        ]
        self._seed = seed
        self._no_radar = no_radar
        self._prior = tuple(prior)

    def batch(self, number: int, count: int, size: int, own: Iterable[int] | None = None) -> Batch:
        """Batch `number` with `count` patches of `size` x `size` pixels.

        Each patch has its own random generator, so that several processes can make parts of one batch.

        Args:
            number: Number of the batch.
            count: Patches in the batch.
            size: Side of a patch in pixels.
            own: Indices of the patches to make; all if not given.
        """
        wanted = range(count) if own is None else own
        return joined([self._patch(np.random.default_rng([self._seed, number, index]), size) for index in wanted])

    def held_out(self, samples: Sequence[Any], size: int, most: int) -> list[Batch]:
        """Validation batches: the centre of at most `most` samples, evenly spread, without data augmentation."""
        batches = []
        for sample in spread(samples, most):
            row, col = ((side - min(size, side)) // 2 for side in sample.clear.shape[1:])
            cut = (slice(None), slice(row, row + size), slice(col, col + size))
            batches.append(joined([self._example(sample, sample.s1, np.ones((13, 1, 1), np.float32), cut)]))
        return batches

    def _draw(self, rng: np.random.Generator, size: int = 0) -> Any:
        """A random sample that a patch of this size fits into."""
        fitting = [group for side, group in self._small if size <= side]
        shares = np.array([share for share, _ in self._groups])
        chances = shares / shares.sum()
        if fitting:
            own = np.array([share for share, _ in fitting])
            chances = np.concatenate([chances * (1 - own.sum()), own])
        _, samples = (self._groups + fitting)[int(rng.choice(len(chances), p=chances))]
        return samples[int(rng.integers(len(samples)))]

    def _patch(self, rng: np.random.Generator, size: int) -> Example:
        sample: Sample = self._draw(rng, size)
        cut = random_cut(rng, sample.clear.shape[1:], size)
        s1 = None if sample.s1 is None or rng.random() < self._no_radar else sample.s1
        gain = random_gain(rng)
        if s1 is not None:
            s1 = s1 + rng.normal(0, 0.7, (2, 1, 1)).astype(np.float32)
        return turned(self._example(sample, s1, gain, cut), int(rng.integers(4)), bool(rng.integers(2)))

    def _example(self, sample: Sample, s1: NDArray[np.float32] | None, gain: NDArray[np.float32], cut: Cut) -> Example:
        target = np.clip(sample.clear[cut] * gain, 0, _DN).astype(np.float32) / np.float32(_DN)
        if self._prior:
            # the guide is computed from the whole sample, as from the whole tile at inference
            whole = network_input(s1, sample.cloudy * gain, sample.hidden, self._prior, sample.opaque)
            x = np.ascontiguousarray(whole[cut])
            weight = np.where(x[28:29] > 0, np.float32(1), np.float32(0.1))
        else:
            x = network_input(None if s1 is None else s1[cut], sample.cloudy[cut] * gain)
            difference = np.abs(x[2:15] - target)
            if sample.bands is not None:
                difference = difference[sample.bands]
            changed = difference.mean(axis=0, keepdims=True) > 0.01
            weight = np.where(changed, np.float32(1), np.float32(0.2))
        if sample.known is not None:
            weight = weight * sample.known[None, cut[1], cut[2]]
        if sample.bands is not None:
            weight = weight * sample.bands[:, None, None]
        return Example(x[None], target, weight)


def joined(examples: Sequence[Example]) -> Batch:
    """Examples as a batch. If one has a weight per band, all get a weight per band."""
    x, target = (np.stack([getattr(one, name) for one in examples]) for name in ("x", "target"))
    bands = max(len(one.weight) for one in examples)
    weight = np.stack([np.broadcast_to(one.weight, (bands, *one.weight.shape[1:])) for one in examples])
    days = [one.days for one in examples if one.days is not None]
    return Batch(x, target, weight, np.stack(days) if days else None)


def random_cut(rng: np.random.Generator, shape: Sequence[int], size: int) -> Cut:
    """A random square of `size` pixels in an image of this shape."""
    row, col = (int(rng.integers(0, side - size + 1)) for side in shape)
    return slice(None), slice(row, row + size), slice(col, col + size)


def random_gain(rng: np.random.Generator) -> NDArray[np.float32]:
    """Random factors on the bands, (13, 1, 1), for data augmentation: sensors, seasons and places differ.

    The same factors apply to ground and clouds.
    """
    gain = rng.normal(1, 0.08) * rng.normal(1, 0.05, (13, 1, 1))
    return gain.astype(np.float32)


def turned(example: Example, turns: int, flip: bool) -> Example:
    """An example rotated by quarter turns, and mirrored if `flip`."""
    return replace(
        example, **{name: _turned(getattr(example, name), turns, flip) for name in ("x", "target", "weight")}
    )


def _turned(image: NDArray[np.float32], turns: int, flip: bool) -> NDArray[np.float32]:
    moved = np.rot90(image, turns, axes=(-2, -1))
    return np.ascontiguousarray(moved[..., ::-1] if flip else moved)
