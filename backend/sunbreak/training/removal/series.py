"""Samples of SEN12MS-CR-TS for multi-temporal training: several cloudy dates of a place, and a clear target date.

The dates are chosen as the authors of the data set do. In training, the target is a random date with a cloud cover
below 0.001 (or the least cloudy date), and the inputs are its neighbours in time. In measurements, the target is the
least cloudy date, and the inputs are the first of the other dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.datasets.reading import raster_shape, read_raster, stamp
from sunbreak.datasets.sen12ms import SEASONS, Split, find_series, series_split
from sunbreak.errors import InputError
from sunbreak.removal.several_dates import model_day
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal.network_batches import (
    Batch,
    Draws,
    Example,
    joined,
    network_input,
    random_cut,
    random_gain,
    turned,
)
from sunbreak.training.removal.samples import detect_clouds, spread
from sunbreak.training.removal.stored_samples import Say, Stored, recalled, unpacked
from sunbreak.training.state_files import restoring

CLEAR = 1e-3
_DN = np.float32(10000)
_AS_IS, _UNSHIFTED = np.ones((13, 1, 1), np.float32), np.zeros((2, 1, 1), np.float32)


@dataclass(frozen=True)
class Shot:
    """One date of a place.

    Attributes:
        s2: The optical file.
        s1: The radar file, or None.
        day: Days since 2014-04-03, the mean of the optical and the radar acquisition.
    """

    s2: Path
    s1: Path | None
    day: float


@dataclass(frozen=True)
class Series:
    """A place over time.

    Attributes:
        name: Such as ``1868_summer_73_p66``.
        shape: Rows and columns.
        shots: The dates in order of time.
        covers: (date,), cloud cover, 0..1.
        hidden: (date, row, column), the dilated cloud mask.
    """

    name: str
    shape: tuple[int, int]
    shots: tuple[Shot, ...]
    covers: NDArray[np.float64]
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class Dates:
    """The input dates and the target date of an example, as indices into a series."""

    inputs: tuple[int, ...]
    target: int


Place = tuple[str, tuple[Shot, ...]]  # its name and dates


@dataclass(frozen=True)
class SeriesIndex:
    """The usable places of a folder, and one line per kind of problem."""

    places: tuple[Place, ...]
    remarks: tuple[str, ...]


def find_places(folder: Path, dates: int, split: Split | None = None) -> SeriesIndex:
    """The places of SEN12MS-CR-TS under a folder that have more than `dates` dates.

    Args:
        folder: Folder of the data set, in its own layout or flat.
        dates: Number of input dates.
        split: Use only the scenes of this split; all scenes if not given.

    Raises:
        InputError: There is no such place.
    """
    places, short, no_radar = [], [], []
    for (seed, scene, patch), sensors in find_series(folder).items():
        if split is not None and series_split(seed, scene) != split:
            continue
        name = f"{seed}_{SEASONS.get(seed, 'unknown')}_{scene}_p{patch}"
        radar = {shot.number: shot for shot in sensors.get("s1", ())}
        shots = []
        for shot in sensors.get("s2", ()):
            own = radar.get(shot.number)
            day = model_day(shot.day, own.day if own else None)
            shots.append(Shot(shot.path, own.path if own else None, day))
        if len(shots) <= dates:
            short.append(name)
            continue
        if any(shot.s1 is None for shot in shots):
            no_radar.append(name)
        places.append((name, tuple(shots)))
    remarks = []
    if short:
        remarks.append(f"Left out with {dates} dates or fewer: {len(short)} places, such as {short[0]}.")
    if no_radar:
        remarks.append(f"Dates without radar (s1): in {len(no_radar)} places, such as {no_radar[0]}.")
    if not places:
        wanted = f" of the {split} scenes" if split else ""
        raise InputError(
            f"{folder}: no sequence of SEN12MS-CR-TS{wanted} with more than {dates} dates.",
            f"Left out with too few: {len(short)}." if short else "Give another folder or split.",
            code="no-samples",
        )
    return SeriesIndex(tuple(places), tuple(remarks))


class StoredSeries(Stored[Series]):
    """Places over time. Images are read by windows; cloud masks are computed once and cached.

    Args:
        places: Names and dates.
        dates: Number of input dates.
        masks: Folder of the cached cloud masks.
        say: Called with a message about each date that cannot be read.
        least: Smallest allowed side of a place in pixels.
    """

    def __init__(
        self,
        places: Sequence[Place],
        dates: int,
        masks: Path,
        say: Say = lambda text: None,
        least: int = 0,
    ) -> None:
        super().__init__(len(places), say)
        self.places, self._dates, self._masks, self._least = places, dates, masks, least

    def read(self, index: int) -> Series:
        """See `Stored`."""
        name, shots = self.places[index]
        key = "series 1 " + " ".join(stamp(path) for shot in shots for path in (shot.s2, shot.s1) if path)
        path = self._masks / f"{name}.npz"
        kept = recalled(path, key, lambda: self._clouds(name, shots))
        with restoring(path, "file of masks"):
            rows, columns = (int(side) for side in kept["shape"])
            hidden = unpacked(kept["hidden"], (len(shots), rows, columns))
            covers, usable = (kept[part].reshape(len(shots)) for part in ("covers", "good"))
        if min(rows, columns) < self._least:
            raise InputError(f"{name}: has {columns} x {rows} pixels, fewer than a tile of {self._least}.")
        good = [int(number) for number in np.flatnonzero(usable)]
        if len(good) <= self._dates:
            raise InputError(f"{name}: only {len(good)} of its {len(shots)} dates can be read.", code="unreadable")
        return Series(
            name,
            (rows, columns),
            tuple(shots[number] for number in good),
            covers[good],
            hidden[good],
        )

    def size(self, item: Series) -> int:
        """See `Stored`."""
        return item.hidden.nbytes

    def _clouds(self, name: str, shots: Sequence[Shot]) -> dict[str, NDArray[Any]]:
        """Cloud masks of all dates. A date that is unreadable or has another size is reported and marked."""
        from sunbreak.removal.edges import dilated
        from sunbreak.removal.task import DEFAULT_BUFFER

        shape: tuple[int, int] | None = None
        covers = np.ones(len(shots))
        hidden: dict[int, NDArray[np.bool_]] = {}
        for number, shot in enumerate(shots):
            try:
                image = read_raster(shot.s2, 13)
                shape = shape or (image.shape[1], image.shape[2])
                if image.shape[1:] != shape or (shot.s1 is not None and raster_shape(shot.s1, 2) != shape):
                    raise InputError(f"{shot.s2}: its size differs from the other dates or from its radar.")
                found = detect_clouds(image)
                covers[number] = found.mean()
                hidden[number] = dilated(found, DEFAULT_BUFFER)
            except InputError as error:
                self._say(f"{error.message} The date is left out.")
        if shape is None:
            raise InputError(f"{name}: none of its {len(shots)} dates can be read.", code="unreadable")
        masks = np.stack([hidden.get(number, np.zeros(shape, bool)) for number in range(len(shots))])
        good = np.array([number in hidden for number in range(len(shots))])
        return {"covers": covers, "hidden": np.packbits(masks), "good": good, "shape": np.array(shape)}


class SeriesDraws(Draws):
    """Random batches of several dates; otherwise as `Draws`.

    Args:
        groups: Groups of series, each with the probability of drawing from it.
        seed: Seed of all random numbers.
        dates: Number of input dates.
        no_radar: Probability of leaving the radar out of a patch.
    """

    def __init__(
        self, groups: Sequence[tuple[float, Sequence[Any]]], seed: int, dates: int, no_radar: float = 0.05
    ) -> None:
        super().__init__(groups, seed, no_radar)
        self._dates = dates

    def held_out(self, samples: Sequence[Any], size: int, most: int) -> list[Batch]:
        """See `Draws`; the dates are those of `fixed_dates`."""
        return [
            joined([plain_example(series, fixed_dates(series, self._dates), size)]) for series in spread(samples, most)
        ]

    def _patch(self, rng: np.random.Generator, size: int) -> Example:
        series: Series = self._draw(rng)
        dates = random_dates(series, self._dates, rng)
        cut = random_cut(rng, series.shape, size)
        radar = rng.random() >= self._no_radar
        gain = random_gain(rng)
        shift = rng.normal(0, 0.7, (2, 1, 1)).astype(np.float32)
        example = series_example(series, dates, cut, gain, shift if radar else None)
        return turned(example, int(rng.integers(4)), bool(rng.integers(2)))


def random_dates(series: Series, count: int, rng: np.random.Generator) -> Dates:
    """A random clear date as target, and the dates around it as inputs (training)."""
    clear = np.flatnonzero(series.covers < CLEAR)
    target = int(rng.choice(clear)) if clear.size else int(series.covers.argmin())
    last = len(series.shots) - count - 1
    # of the windows that contain the target, the one with the target in the middle
    starts = [start for start in range(last + 1) if start <= target <= start + count]
    start = starts[len(starts) // 2]
    return Dates(tuple(number for number in range(start, start + count + 1) if number != target), target)


def fixed_dates(series: Series, count: int) -> Dates:
    """The least cloudy date as target, and the first of the other dates as inputs (measurement)."""
    target = int(series.covers.argmin())
    return Dates(tuple(number for number in range(len(series.shots)) if number != target)[:count], target)


def plain_example(series: Series, dates: Dates, size: int) -> Example:
    """The centre of a place, `size` pixels square, without data augmentation."""
    row, col = ((side - min(size, side)) // 2 for side in series.shape)
    return series_example(
        series, dates, (slice(None), slice(row, row + size), slice(col, col + size)), _AS_IS, _UNSHIFTED
    )


def series_example(
    series: Series,
    dates: Dates,
    cut: tuple[slice, slice, slice],
    gain: NDArray[np.float32],
    radar_shift: NDArray[np.float32] | None,
) -> Example:
    """Input, target and weight of a part of a place.

    Args:
        series: The place.
        dates: Input and target dates.
        cut: The part, as slices of (band, row, column).
        gain: (13, 1, 1), factors on the bands of all dates.
        radar_shift: Added to the radar's dB; None leaves the radar out.
    """
    rows, columns = cut[1], cut[2]
    height, width = (min(part.stop, side) - part.start for part, side in zip(cut[1:], series.shape, strict=True))
    window = Window(columns.start, rows.start, width, height)
    frames = []
    for number in dates.inputs:
        shot = series.shots[number]
        cloudy = read_raster(shot.s2, len(S2_BANDS), window) * gain
        s1 = None
        if radar_shift is not None and shot.s1 is not None:
            s1 = read_raster(shot.s1, 2, window).astype(np.float32) + radar_shift
        frames.append(network_input(s1, cloudy))
    clear = read_raster(series.shots[dates.target].s2, len(S2_BANDS), window)
    target = np.clip(clear * gain, 0, _DN).astype(np.float32) / _DN
    # cloudy pixels of the target are no truth
    known = ~series.hidden[dates.target][rows, columns]
    days = np.array([series.shots[number].day for number in dates.inputs], np.float32)
    return Example(np.stack(frames), target, known[None].astype(np.float32), days)
