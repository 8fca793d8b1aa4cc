"""What the training of cloud removal sees: radar, cloudy and clear images of one place, cut, turned and varied.

A draw depends on the seed and its number alone, so a resumed training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sunbreak.drafts import draft
from sunbreak.models.card_removal import Scaling
from sunbreak.removal.guide import guide
from sunbreak.training.disk import writing

RADAR = Scaling(-25.0, 0.0)
_DN = 10000.0
_FEW = 32  # not worth new processes

Item = TypeVar("Item")
Cut = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Sample:
    """One place.

    Attributes:
        name: Where it comes from.
        s1: (2, row, column) dB float32, or None where there is no radar.
        clear: (13, row, column) DN.
        cloudy: (13, row, column) DN.
        hidden: (row, column), the mask that `sunbreak clean` would find and grow; None where nobody looked yet.
        known: (row, column), where `clear` is the truth; None everywhere.
        bands: (13,), the bands of `clear` that are the truth, the others only fill the input; None for all.
    """

    name: str
    s1: NDArray[np.float32] | None
    clear: NDArray[np.uint16]
    cloudy: NDArray[np.uint16]
    hidden: NDArray[np.bool_] | None = None
    known: NDArray[np.bool_] | None = None
    bands: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Batch:
    """Network input and target.

    Attributes:
        x: (batch, time, channel, row, column) in [0, 1]; 15 channels, 29 for a guided network.
        target: (batch, 13, row, column) reflectance.
        weight: (batch, 1, row, column): what is to be replaced counts fully, the rest less. (batch, 13, row, column)
            where a patch has bands without truth, which count nothing.
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


def simulated_samples(count: int, size: int, first_seed: int, cache: Path, workers: int = 2) -> list[Sample]:
    """Simulated scenes with the seeds from `first_seed` on, made once and kept in `cache`.

    Raises:
        RunError: The disk is full or the folder cannot be written.
    """
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, size, cache / f"simulated-{size}-{seed}.npz") for seed in range(first_seed, first_seed + count)]
    missing = [job for job in jobs if not job[2].is_file()]
    if workers == 1 or len(missing) < _FEW:
        for job in missing:
            _simulate(job)
    else:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            list(pool.map(_simulate, missing, chunksize=4))
    samples = []
    for seed, _, path in jobs:
        with np.load(path) as stored:
            samples.append(Sample(f"simulated {seed}", stored["s1"], stored["clear"], stored["cloudy"]))
    return samples


def _simulate(job: tuple[int, int, Path]) -> None:
    from sunbreak.datasets.simulation import simulate_scene

    seed, size, path = job
    scene = simulate_scene(size, seed)
    with writing(path), draft(path) as place, place.open("wb") as file:
        np.savez(file, s1=scene.s1, clear=scene.clear, cloudy=scene.cloudy)


def with_masks(samples: Sequence[Sample], workers: int = 2) -> list[Sample]:
    """The samples with the masks that `sunbreak clean` would find and grow."""
    if workers == 1 or len(samples) < _FEW:
        return [_masked(sample) for sample in samples]
    # a forked process would inherit locks of torch's threads
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(_masked, samples, chunksize=8))


def find_clouds(cloudy: NDArray[Any]) -> NDArray[np.bool_]:
    """The mask (row, column) that `sunbreak clean` would find in DN (13, row, column)."""
    from sunbreak.clouds.classes import replaced
    from sunbreak.clouds.detector import detect_in
    from sunbreak.clouds.registry import detector

    return replaced(detect_in(detector(), cloudy.astype(np.float32) / np.float32(_DN)).classes)


def hidden_by_clouds(cloudy: NDArray[Any]) -> NDArray[np.bool_]:
    """That mask, grown as `sunbreak clean` would grow it."""
    from sunbreak.removal.task import DEFAULT_BUFFER, grown

    return grown(find_clouds(cloudy), DEFAULT_BUFFER)


def _masked(sample: Sample) -> Sample:
    return replace(sample, hidden=hidden_by_clouds(sample.cloudy))


def clouded_samples(s2: Path, s1: Path | None, per_place: int, size: int, seed: int) -> list[Sample]:
    """Real clear ground, with its real radar where it is given, under simulated clouds.

    Args:
        s2: A clear Sentinel-2 raster with 13 bands.
        s1: Its Sentinel-1, if there is any.
        per_place: Different clouds over each piece.
        size: Side of the pieces; what does not fill one is left out.
        seed: Seed of the clouds.
    """
    from rasterio.windows import Window

    from sunbreak.scene import Scene

    scene = Scene.open(s2, s1)
    samples = []
    with scene.reader() as reader:
        for row in range(0, scene.grid.height - size + 1, size):
            for col in range(0, scene.grid.width - size + 1, size):
                window = Window(col, row, size, size)
                clear = reader.s2(window).reflectance()
                radar = reader.s1(window) if s1 is not None else None
                stored = to_dn(clear)
                for number in range(per_place):
                    name = f"{scene.stem} at {row}, {col} under simulated clouds {number}"
                    rng = np.random.default_rng([seed, row, col, number])
                    samples.append(Sample(name, radar, stored, under_clouds(clear, rng)))
    return samples


def under_clouds(clear: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint16]:
    """DN of a clear image (13, row, column), given as reflectance, under simulated clouds of any cover."""
    from sunbreak.datasets.simulation.clouds import Sun, cover_with, draw_clouds

    cover = float(np.clip(rng.beta(0.6, 0.6) * 1.1 - 0.05, 0, 1))
    sun = Sun(rng.uniform(25, 60), rng.normal(155, 15))
    cloudy, _, _ = cover_with(clear, draw_clouds(rng, (clear.shape[1], clear.shape[2]), cover), sun)
    return to_dn(cloudy)


def to_dn(reflectance: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Reflectance as DN."""
    dn: NDArray[np.uint16] = np.clip(np.rint(reflectance * _DN), 0, 65535).astype(np.uint16)
    return dn


def network_input(
    s1: NDArray[np.float32] | None,
    cloudy: NDArray[Any],
    hidden: NDArray[np.bool_] | None = None,
    prior: Sequence[float] = (),
) -> NDArray[np.float32]:
    """Network input in [0, 1] from dB and DN.

    Args:
        s1: (2, row, column) dB; without radar its channels are 0.
        cloudy: (13, row, column) DN.
        hidden: (row, column), what a guided network has to fill.
        prior: (13,) spectrum of a guided network; empty for one without a guide.

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
            raise ValueError("a guided network wants to know what is hidden")
        x[15:28] = guide(x[2:15], ~hidden, prior, s1)
        x[28] = hidden
    return x


class Draws:
    """Random batches from samples.

    Args:
        groups: Groups of samples with the probability of drawing from each.
        seed: Seed of everything random.
        no_radar: Probability of leaving the radar out of a patch, so that one network also serves scenes without it.
        prior: Spectrum of a guided network; empty for one without a guide.
        small: Groups in memory whose samples may be smaller than a patch, with the probability of drawing from each of
            them; `groups` share what is left. Where patches do not fit into a group, `groups` have its part as well.
    """

    def __init__(
        self,
        groups: Sequence[tuple[float, Sequence[Any]]],
        seed: int,
        no_radar: float = 0.05,
        prior: Sequence[float] = (),
        small: Sequence[tuple[float, Sequence[Sample]]] = (),
    ) -> None:
        self._groups = [(share, samples) for share, samples in groups if samples]
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

        Each patch has random numbers of its own, so that several processes can make parts of one batch.

        Args:
            number: Of the batch.
            count: Patches in it.
            size: Their side.
            own: Which of them are wanted; all if not given.
        """
        wanted = range(count) if own is None else own
        return joined([self._patch(np.random.default_rng([self._seed, number, index]), size) for index in wanted])

    def held_out(self, samples: Sequence[Any], size: int, most: int) -> list[Batch]:
        """The middle of at most `most` samples, spread evenly, with nothing varied: what a look is taken at."""
        batches = []
        for sample in spread(samples, most):
            row, col = ((side - min(size, side)) // 2 for side in sample.clear.shape[1:])
            cut = (slice(None), slice(row, row + size), slice(col, col + size))
            batches.append(joined([self._example(sample, sample.s1, np.ones((13, 1, 1), np.float32), cut)]))
        return batches

    def _draw(self, rng: np.random.Generator, size: int = 0) -> Any:
        """One of the samples that patches of a size fit into."""
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
            # the guide knows the whole place, as it will know the whole tile
            whole = network_input(s1, sample.cloudy * gain, sample.hidden, self._prior)
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


def spread(samples: Sequence[Item], most: int) -> list[Item]:
    """At most so many of them, spread evenly."""
    if len(samples) <= most:
        return list(samples)
    return [samples[int(index)] for index in np.linspace(0, len(samples) - 1, most).round()]


def joined(examples: Sequence[Example]) -> Batch:
    """Examples as a batch; a weight per band in one of them gives all of them one."""
    x, target = (np.stack([getattr(one, name) for one in examples]) for name in ("x", "target"))
    bands = max(len(one.weight) for one in examples)
    weight = np.stack([np.broadcast_to(one.weight, (bands, *one.weight.shape[1:])) for one in examples])
    days = [one.days for one in examples if one.days is not None]
    return Batch(x, target, weight, np.stack(days) if days else None)


def random_cut(rng: np.random.Generator, shape: Sequence[int], size: int) -> Cut:
    """A square of `size` pixels anywhere in an image of that shape."""
    row, col = (int(rng.integers(0, side - size + 1)) for side in shape)
    return slice(None), slice(row, row + size), slice(col, col + size)


def random_gain(rng: np.random.Generator) -> NDArray[np.float32]:
    """Factors on the bands, (13, 1, 1): sensors, seasons and places differ from what is trained on.

    They go for ground and cloud alike.
    """
    gain = rng.normal(1, 0.08) * rng.normal(1, 0.05, (13, 1, 1))
    return gain.astype(np.float32)


def turned(example: Example, turns: int, flip: bool) -> Example:
    """An example after some quarter turns, and mirrored if asked."""
    return replace(
        example, **{name: _turned(getattr(example, name), turns, flip) for name in ("x", "target", "weight")}
    )


def _turned(image: NDArray[np.float32], turns: int, flip: bool) -> NDArray[np.float32]:
    moved = np.rot90(image, turns, axes=(-2, -1))
    return np.ascontiguousarray(moved[..., ::-1] if flip else moved)
