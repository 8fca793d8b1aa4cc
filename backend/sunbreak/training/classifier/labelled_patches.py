"""Training data of classifiers: clear patches with a class, and random batches with data augmentation.

A batch depends only on the seed and its number, so a resumed training sees the batches of an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sunbreak.array_files import read_arrays
from sunbreak.datasets.eurosat import find_patches
from sunbreak.drafts import STATE_LIMIT, draft, open_stored
from sunbreak.scene import S2_BANDS
from sunbreak.training.disk import writing
from sunbreak.training.state_files import restoring
from sunbreak.training.workers import map_in_processes

_STEP = 8
_FEW = 32  # fewer scenes than this are simulated in the same process
# smallest fraction of a patch that its class covers
LEAST_SHARE = 0.4


class Labelled(Protocol):
    """A patch with a label: a `LabelledPatch`, or an object that reads its image on access."""

    @property
    def dn(self) -> NDArray[np.float32]:
        """(13, row, column) DN in native band order."""
        ...

    @property
    def label(self) -> int:
        """Index of the class, from 0."""
        ...


@dataclass(frozen=True)
class LabelledPatch:
    """One patch of one class.

    Attributes:
        name: Origin of the patch.
        dn: (13, row, column) DN in native band order.
        label: Index of the class, from 0.
    """

    name: str
    dn: NDArray[np.float32]
    label: int


def simulated_patches(
    count: int,
    size: int,
    first_seed: int,
    cache: Path,
    *,
    least_share: float = LEAST_SHARE,
    classes: int = 10,
    workers: int = 2,
) -> list[LabelledPatch]:
    """Clear patches of simulated scenes, a few of each class per scene; the seeds count from `first_seed`.

    Args:
        count: Number of scenes of 256 x 256 pixels.
        size: Side of a patch in pixels.
        first_seed: Seed of the first scene.
        cache: Folder of the simulated scenes.
        least_share: Smallest fraction of a patch that its class must cover.
        classes: Number of classes.
        workers: Processes that simulate.
    """
    jobs = simulated_files(count, first_seed, cache, workers=workers)
    found: list[LabelledPatch] = []
    for seed, path in jobs:
        with restoring(path, "file of simulated samples"), open_stored(path, limit=STATE_LIMIT) as file:
            stored = read_arrays(file)
            found += _cut(seed, stored["clear"], stored["landcover"], size, classes, least_share)
    return found


def simulated_files(count: int, first_seed: int, cache: Path, *, workers: int = 2) -> list[tuple[int, Path]]:
    """Seed and file of simulated scenes of 256 x 256 pixels; the missing ones are simulated.

    A file holds `clear` (13, row, column) in DN and `landcover` (row, column), simplified IGBP from 1.

    Args:
        count: Number of scenes.
        first_seed: Seed of the first scene.
        cache: Folder of the scenes.
        workers: Processes that simulate.
    """
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, cache / f"landcover-{seed}.npz") for seed in range(first_seed, first_seed + count)]
    missing = [job for job in jobs if not job[1].is_file()]
    if workers == 1 or len(missing) < _FEW:
        for job in missing:
            _simulate(job)
    else:
        map_in_processes(_simulate, missing, workers, chunk=4)
    return jobs


def _simulate(job: tuple[int, Path]) -> None:
    from sunbreak.datasets.simulation import simulate_scene

    seed, path = job
    scene = simulate_scene(256, seed, cover=0.0)
    with writing(path), draft(path) as place, place.open("wb") as file:
        np.savez(file, clear=scene.clear, landcover=scene.landcover)


def _cut(
    seed: int, clear: NDArray[Any], landcover: NDArray[Any], size: int, classes: int, least_share: float
) -> list[LabelledPatch]:
    """Up to three patches of each class."""
    rng = np.random.default_rng(seed)
    rows, columns = landcover.shape
    shares = {}
    for row in range(0, rows - size + 1, _STEP):
        for col in range(0, columns - size + 1, _STEP):
            part = landcover[row : row + size, col : col + size]
            counts = np.bincount(part.ravel(), minlength=classes + 1)[1:] / part.size
            if counts.max() >= least_share:
                shares[row, col] = int(counts.argmax())
    patches = []
    for label in range(classes):
        places = [place for place, kind in shares.items() if kind == label]
        for index in rng.permutation(len(places))[:3]:
            row, col = places[int(index)]
            cut = clear[:, row : row + size, col : col + size].astype(np.float32)
            patches.append(LabelledPatch(f"simulated {seed} at {row}, {col}", cut, label))
    return patches


def eurosat_patches(folder: Path) -> tuple[list[LabelledPatch], list[LabelledPatch]]:
    """Training patches and held-out patches of EuroSAT.

    Raises:
        InputError: There are no patches, or one cannot be read.
    """
    parts: tuple[list[LabelledPatch], list[LabelledPatch]] = ([], [])
    for patch in find_patches(folder):
        name = f"eurosat {patch.path.stem}"
        parts[patch.held_out].append(LabelledPatch(name, patch.read(), patch.label - 1))
    return parts


def balanced(patches: Sequence[LabelledPatch], most: int) -> list[LabelledPatch]:
    """The first `most` patches of each class, so that metrics do not depend on the class frequencies."""
    seen: dict[int, int] = {}
    kept = []
    for patch in patches:
        seen[patch.label] = seen.get(patch.label, 0) + 1
        if seen[patch.label] <= most:
            kept.append(patch)
    return kept


class LabelledDraws:
    """Random batches of patches; all classes of a group are drawn equally often.

    Args:
        groups: For each group the probability of drawing from it, its patches, and the strength of the colour
            augmentation (small groups need more).
        bands: Bands of the network's input.
        mean: Mean of the standardisation, per band in DN.
        deviation: Standard deviation of the standardisation, per band in DN.
        seed: Seed of all random numbers.
    """

    def __init__(
        self,
        groups: Sequence[tuple[float, Sequence[Labelled], float]],
        bands: Sequence[str],
        mean: Sequence[float],
        deviation: Sequence[float],
        seed: int,
    ) -> None:
        self._groups: list[tuple[float, list[list[Labelled]], float]] = []
        for share, patches, strength in groups:
            by_class: dict[int, list[Labelled]] = {}
            for patch in patches:
                by_class.setdefault(patch.label, []).append(patch)
            if by_class:
                self._groups.append((share, [by_class[label] for label in sorted(by_class)], strength))
        self._index = [S2_BANDS.index(band) for band in bands]
        self._mean, self._deviation = (np.array(part, np.float32)[:, None, None] for part in (mean, deviation))
        self._seed = seed

    def batch(self, number: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Batch `number`: inputs (batch, band, row, column) and labels (batch,)."""
        rng = np.random.default_rng([self._seed, number])
        shares = np.array([share for share, _, _ in self._groups])
        chosen = [self._one(rng, shares / shares.sum()) for _ in range(count)]
        inputs, labels = zip(*chosen, strict=True)
        return np.stack(inputs), np.array(labels, np.int64)

    def standardised(self, patches: Sequence[Labelled]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Standardised patches without data augmentation, and their labels."""
        inputs = np.stack([(patch.dn[self._index] - self._mean) / self._deviation for patch in patches])
        return inputs, np.array([patch.label for patch in patches], np.int64)

    def _one(self, rng: np.random.Generator, shares: NDArray[np.float64]) -> tuple[NDArray[np.float32], int]:
        _, kinds, strength = self._groups[int(rng.choice(len(shares), p=shares))]
        patches = kinds[int(rng.integers(len(kinds)))]
        patch = patches[int(rng.integers(len(patches)))]
        return (self._varied(rng, patch.dn[self._index], strength) - self._mean) / self._deviation, patch.label

    def _varied(self, rng: np.random.Generator, dn: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
        """Data augmentation: rotation, zoom, shift, mirroring, brightness, tint, haze, and sometimes blur."""
        import cv2

        rows, columns = dn.shape[1:]
        zoom, turn = np.exp(rng.normal(0, 0.15)), rng.uniform(0, 360)
        matrix: Any = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), turn, zoom)
        matrix[:, 2] += rng.uniform(-12, 12, 2)
        stacked = np.ascontiguousarray(np.moveaxis(dn, 0, -1))
        moved: Any = cv2.warpAffine(stacked, matrix, (columns, rows), borderMode=cv2.BORDER_REFLECT)
        dn = np.moveaxis(moved, -1, 0)
        if rng.random() < 0.5:
            dn = dn[:, :, ::-1]
        tint = rng.normal(1, 0.15 * strength) * rng.normal(1, 0.07 * strength, (len(dn), 1, 1)).astype(np.float32)
        haze = np.linspace(1, 0, len(dn), dtype=np.float32)[:, None, None] * abs(rng.normal(0, 120 * strength))
        varied: NDArray[np.float32] = (dn * tint + haze).astype(np.float32)
        if rng.random() < 0.15:
            varied = gaussian_filter(varied, (0, *[rng.uniform(0.5, 1.5)] * 2))
        return varied
