"""Baselines of cloud removal from other dates of the place: copies, mosaics and interpolation, without a network.

Images are (band, row, column) reflectance, masks (row, column). Each fill changes the cloudy pixels only, and fills all
of them: what no date covers gets the mean colour of the target's clear pixels. If the target has none, such pixels stay
as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.fills import Image

Mask = NDArray[np.bool_]

# variance of a reference below which it tells nothing of a gain: (1e-5 in reflectance) squared
_FLAT = 1e-10
# rows that are composed at once: bounds the copies of all dates
_ROWS = 64


@dataclass(frozen=True)
class OtherDate:
    """Another date of the place, on the target's grid.

    Attributes:
        image: Reflectance of the target's bands, (band, row, column).
        clear: (row, column), True where it is clear and has data.
        days: Days from the target, below 0 before it; None where that is not known: such a date counts as the farthest.
    """

    image: Image
    clear: Mask
    days: int | None


class Overlap:
    """What the fills need to know of the whole scene, so that they can run on parts of it.

    Args:
        bands: Number of bands.
        dates: Number of other dates.
    """

    def __init__(self, bands: int, dates: int) -> None:
        self._pixels = 0
        self._colour = np.zeros(bands)
        self._clear, self._common = np.zeros((2, dates), np.int64)
        self._x, self._y, self._xx, self._xy = np.zeros((4, dates, bands))

    @classmethod
    def of(cls, target: Image, cloudy: Mask, dates: Sequence[OtherDate]) -> Overlap:
        """That of a scene that fits into memory."""
        found = cls(len(target), len(dates))
        found.add(target, cloudy, dates)
        return found

    def add(self, target: Image, cloudy: Mask, dates: Sequence[OtherDate]) -> None:
        """Add a part of the scene.

        Args:
            target: Its image, NaN where it has no data.
            cloudy: True where it is filled.
            dates: The other dates, in the same order for all parts.
        """
        clear = ~cloudy & np.isfinite(target).all(axis=0)
        self._pixels += int(clear.sum())
        self._colour += target[:, clear].sum(axis=1, dtype=np.float64)
        for number, date in enumerate(dates):
            self._clear[number] += int(date.clear.sum())
            both = clear & date.clear
            x, y = date.image[:, both].astype(np.float64), target[:, both].astype(np.float64)
            self._common[number] += x.shape[1]
            self._x[number] += x.sum(axis=1)
            self._y[number] += y.sum(axis=1)
            self._xx[number] += np.square(x).sum(axis=1)
            self._xy[number] += (x * y).sum(axis=1)

    @property
    def clear_pixels(self) -> tuple[int, ...]:
        """Clear pixels of each date."""
        return tuple(int(count) for count in self._clear)

    @property
    def colour(self) -> NDArray[np.float32] | None:
        """Mean of the target's clear pixels, (band,); None if there are none."""
        return (self._colour / self._pixels).astype(np.float32) if self._pixels else None

    def gain_and_offset(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Gain and offset of each band, (band,) each, that bring a date closest to the target in least squares.

        They are fitted on the pixels that are clear in both. Gain 1 where the date is flat, and offset 0 too where
        there is no such pixel.
        """
        count = self._common[number]
        if not count:
            return np.ones(len(self._colour), np.float32), np.zeros(len(self._colour), np.float32)
        x, y = self._x[number] / count, self._y[number] / count
        variance, covariance = self._xx[number] / count - x * x, self._xy[number] / count - x * y
        varies = variance > _FLAT
        gain = np.where(varies, covariance / np.where(varies, variance, 1), 1)
        return gain.astype(np.float32), (y - gain * x).astype(np.float32)


Fill = Callable[[Image, Mask, Sequence[OtherDate], Overlap | None], Image]


def least_cloudy(target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None) -> Image:
    """Fill with the date that has the most clear pixels; where it is cloudy itself, with the next one, and so on.

    This is the baseline "least cloudy" of Ebel et al. 2022 (SEN12MS-CR-TS, IEEE TGRS 60), which copies the whole image
    and has no second choice.

    Args:
        target: The image to fill.
        cloudy: Which pixels are filled.
        dates: The other dates. Of two that rank alike the one nearest in time counts first, then the one given first.
        overlap: Of the whole scene, if the arrays are a part of it.

    Returns:
        A new array, equal to `target` outside of `cloudy`.
    """
    overlap = overlap or Overlap.of(target, cloudy, dates)
    order = sorted(nearest_first(dates), key=lambda number: -overlap.clear_pixels[number])
    return _copied(target, cloudy, [(dates[number].image, dates[number].clear) for number in order], overlap)


def nearest_date(target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None) -> Image:
    """Fill each pixel with the nearest date that is clear there; arguments and result as for `least_cloudy`."""
    pieces = [(dates[number].image, dates[number].clear) for number in nearest_first(dates)]
    return _copied(target, cloudy, pieces, overlap or Overlap.of(target, cloudy, dates))


def nearest_gain_offset(
    target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None
) -> Image:
    """`nearest_date` after one gain and offset per band and date, see `Overlap.gain_and_offset`."""
    overlap = overlap or Overlap.of(target, cloudy, dates)
    return _copied(target, cloudy, _adjusted(dates, overlap), overlap)


def mosaic_mean(target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None) -> Image:
    """Fill each pixel with the mean of all dates that are clear there; arguments and result as for `least_cloudy`.

    This is the baseline "mosaicing" of Ebel et al. 2022 (SEN12MS-CR-TS, IEEE TGRS 60).
    """
    return _composed(target, cloudy, dates, overlap, np.nanmean)


def mosaic_median(target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None) -> Image:
    """Fill each pixel with the median of all dates that are clear there, band by band; the rest as `least_cloudy`.

    The median composite is what most users of Earth Engine work with (Gorelick et al. 2017, RSE 202).
    """
    return _composed(target, cloudy, dates, overlap, np.nanmedian)


def linear_in_time(target: Image, cloudy: Mask, dates: Sequence[OtherDate], overlap: Overlap | None = None) -> Image:
    """Fill each pixel by interpolation between the nearest clear date before and the nearest one after.

    Where only one side is clear the nearest date is copied, and a date of the same day wherever it is clear. This is
    the linear interpolation of Stucker et al. 2023 (U-TILISE, IEEE TGRS 61). Arguments and result as for
    `least_cloudy`.
    """
    filled = nearest_date(target, cloudy, dates, overlap)
    order = nearest_first(dates)
    before = [number for number in order if _days(dates[number]) <= 0]
    after = [number for number in order if 0 < _days(dates[number]) < np.inf]
    first_before, first_after = _first_clear(cloudy, dates, before), _first_clear(cloudy, dates, after)
    for one in before:
        for other in after:
            here = (first_before == one) & (first_after == other)
            if here.any():
                left, right = dates[one], dates[other]
                share = np.float32(-_days(left) / (_days(right) - _days(left)))
                filled[:, here] = (1 - share) * left.image[:, here] + share * right.image[:, here]
    return filled


#: The fills by name.
FILLS: Mapping[str, Fill] = {
    "least_cloudy": least_cloudy,
    "mosaic_mean": mosaic_mean,
    "mosaic_median": mosaic_median,
    "nearest_date": nearest_date,
    "linear_in_time": linear_in_time,
    "nearest_gain_offset": nearest_gain_offset,
}


def nearest_first(dates: Sequence[OtherDate]) -> list[int]:
    """Numbers of the dates from the nearest in time to the farthest; of two that are as near, the earlier date."""
    return sorted(range(len(dates)), key=lambda number: (abs(_days(dates[number])), _days(dates[number])))


def _days(date: OtherDate) -> float:
    return np.inf if date.days is None else date.days


def _first_clear(cloudy: Mask, dates: Sequence[OtherDate], order: Sequence[int]) -> NDArray[np.int64]:
    """(row, column), which date of `order` is the first that is clear at a cloudy pixel; -1 if none is."""
    first = np.full(cloudy.shape, -1)
    for number in reversed(order):
        first[cloudy & dates[number].clear] = number
    return first


def _adjusted(dates: Sequence[OtherDate], overlap: Overlap) -> Iterator[tuple[Image, Mask]]:
    """The dates, nearest first, after gain and offset; one copy at a time."""
    for number in nearest_first(dates):
        gain, offset = overlap.gain_and_offset(number)
        yield dates[number].image * gain[:, None, None] + offset[:, None, None], dates[number].clear


def _copied(target: Image, cloudy: Mask, pieces: Iterable[tuple[Image, Mask]], overlap: Overlap) -> Image:
    """Copy each cloudy pixel from the first (image, clear mask) that is clear there."""
    filled, left = target.copy(), cloudy.copy()
    for image, clear in pieces:
        here = left & clear
        filled[:, here] = image[:, here]
        left &= ~here
    return _coloured(filled, left, overlap)


def _composed(
    target: Image,
    cloudy: Mask,
    dates: Sequence[OtherDate],
    overlap: Overlap | None,
    combine: Callable[..., NDArray[np.float32]],
) -> Image:
    """Combine the clear values of each cloudy pixel over the dates, a few rows at a time."""
    filled = target.copy()
    covered = np.zeros_like(cloudy)
    for date in dates:
        covered |= date.clear
    for first in range(0, len(cloudy), _ROWS):
        rows = slice(first, first + _ROWS)
        where = cloudy[rows] & covered[rows]
        if where.any():
            values = [np.where(date.clear[rows][where], date.image[:, rows][:, where], np.nan) for date in dates]
            filled[:, rows][:, where] = combine(np.stack(values), axis=0)
    return _coloured(filled, cloudy & ~covered, overlap or Overlap.of(target, cloudy, dates))


def _coloured(filled: Image, left: Mask, overlap: Overlap) -> Image:
    """The image with the mean colour at the pixels that are left."""
    if overlap.colour is not None:
        filled[:, left] = overlap.colour[:, None]
    return filled
