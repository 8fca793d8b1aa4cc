"""Tells the order of bands without names by their spectra.

Over land, water and clouds neighbouring bands have alike brightness and vary together, B8A is like B08, and B10 is near
0. A profile of real images holds, for each pair of bands, the mean and the spread of the ratio of their medians and of
their correlation. Each known order of the bands is compared with it; the nearest one counts, unless an order that
nobody knows is nearer by far.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.scene.bands import BY_COUNT, S2_BANDS

FILE = Path(__file__).with_name("band_profile.json")
"""The profile, and what it was measured on."""

Matrix = NDArray[np.float64]

_TEN_METRES = ("B02", "B03", "B04", "B08")
_TWENTY_METRES = ("B05", "B06", "B07", "B8A", "B11", "B12")
_RED_FIRST = ("B04", "B03", "B02", "B08")
_SURE = 0.8  # how much nearer than any other an order is that is used
# most files are in native order; of 13 bands its B10 is in a place of its own
_SURE_NATIVE = {10: 0.3, 12: 0.3, 13: 0.1}
_UNKNOWN, _UNKNOWN_NATIVE = 0.5, 1.0  # how much nearer an order that is not known may be
_MOST = 16.0  # squared spreads that one pair counts at most
_LEAST_DN, _OFFSET_FLOOR, _OFFSET = 3.0, 900.0, 1000.0
LEAST_PIXELS = 200
"""Fewer valid pixels do not tell the order."""


def orders_of(count: int) -> dict[str, tuple[str, ...]]:
    """The known orders of a number of bands, by what they are called; the native one first."""
    native = BY_COUNT[count]
    orders = {"native order": native, "B8A last": (*(name for name in native if name != "B8A"), "B8A")}
    if count == 12:
        orders["native order without B8A"] = tuple(name for name in S2_BANDS if name != "B8A")
    by_text = {
        "names sorted as text": native,
        "names sorted as text, without B8A": orders.get("native order without B8A"),
    }
    for title, bands in by_text.items():
        if bands is not None:
            orders[title] = tuple(sorted(bands, key=lambda name: name.replace("B0", "B")))
    for title, first in (("10 m bands first", _TEN_METRES), ("10 m bands first, red before blue", _RED_FIRST)):
        rest = [name for name in native if name not in first]
        finer = [name for name in rest if name in _TWENTY_METRES]
        orders[title] = (*first, *finer, *(name for name in rest if name not in finer))
        orders[f"{title}, then native order"] = (*first, *rest)
    unique: dict[tuple[str, ...], str] = {}
    for title, order in orders.items():
        unique.setdefault(order, title)  # without the bands of 60 m some are one
    return {title: order for order, title in unique.items()}


@dataclass(frozen=True)
class Profile:
    """Means and spreads for each pair of bands in native order, (band, band) each.

    Attributes:
        ratio: Of the logarithm (base 10) of the ratio of the medians.
        ratio_spread: Its standard deviation.
        likeness: Of the correlation of the logarithms, after Fisher's transform.
        likeness_spread: Its standard deviation.
    """

    ratio: Matrix
    ratio_spread: Matrix
    likeness: Matrix
    likeness_spread: Matrix

    @classmethod
    @cache
    def load(cls) -> Profile:
        """The profile that comes with the program."""
        stored = json.loads(FILE.read_text(encoding="utf-8"))
        return cls(*(np.array(stored[name]) for name in ("ratio", "ratio_spread", "likeness", "likeness_spread")))

    def distance(self, order: Sequence[str], medians: Matrix, likeness: Matrix) -> float:
        """Mean squared deviation, in spreads, of bands that are called by an order.

        Args:
            order: Names in the order of the bands.
            medians: (band,), see `measured`.
            likeness: (band, band), see `measured`.
        """
        places = [S2_BANDS.index(name) for name in order]
        pairs = np.ix_(places, places)
        one, other = np.triu_indices(len(places), 1)
        ratios = (medians[:, None] - medians[None] - self.ratio[pairs]) / self.ratio_spread[pairs]
        alike = (likeness - self.likeness[pairs]) / self.likeness_spread[pairs]
        squares = [np.minimum(part[one, other] ** 2, _MOST) for part in (ratios, alike)]
        return float(np.mean(squares[0] + squares[1]))

    def likeliest(self, order: Sequence[str], medians: Matrix, likeness: Matrix) -> tuple[tuple[str, ...], float]:
        """The nearest order that swaps of two bands lead to, each to the nearest, and its distance; see `distance`."""
        found, nearest = tuple(order), self.distance(order, medians, likeness)
        while True:
            swapped = [_swapped(found, one, other) for one, other in combinations(range(len(found)), 2)]
            distances = [self.distance(other, medians, likeness) for other in swapped]
            if min(distances) >= nearest:
                return found, nearest
            nearest = min(distances)
            found = swapped[distances.index(nearest)]


def _swapped(order: tuple[str, ...], one: int, other: int) -> tuple[str, ...]:
    names = list(order)
    names[one], names[other] = names[other], names[one]
    return tuple(names)


def measured(sample: NDArray[np.floating]) -> tuple[Matrix, Matrix]:
    """Logarithms of the medians (band,), and the correlations of the logarithms after Fisher's transform (band, band).

    Args:
        sample: (band, pixel) DN; the baseline offset is taken out where all numbers lie above it.
    """
    if float(np.percentile(sample, 1)) > _OFFSET_FLOOR:
        sample = sample - _OFFSET
    logarithms = np.log10(np.maximum(sample.astype(np.float64), _LEAST_DN))
    logarithms += np.random.default_rng(0).normal(0, 1e-4, logarithms.shape)  # a constant band has no correlation
    likeness = np.arctanh(np.clip(np.corrcoef(logarithms), -0.999, 0.999))
    return np.asarray(np.median(logarithms, axis=1)), np.asarray(likeness)


def spectral_order(name: str, sample: NDArray[np.float32], placed: Sequence[int], count: int) -> tuple[str, ...] | None:
    """The order of bands without names, if it is certain that it is another one than the native.

    Args:
        name: The file, for messages.
        sample: (band, pixel) valid numbers, DN or reflectance.
        placed: The band of the file (from 1) that each band of the sample is.
        count: Bands of the file.

    Returns:
        Names in the order of the sample; None if they are taken in native order.

    Raises:
        InputError: ``bands-unknown`` if the order is not certain; the likeliest one is named.
    """
    if sample.shape[0] not in BY_COUNT or sample.shape[1] < LEAST_PIXELS:
        return None
    numbers = sample * np.float32(10000) if float(np.percentile(sample, 99)) <= 2.5 else sample
    found = measured(numbers)
    orders = orders_of(len(sample))
    distances = {title: Profile.load().distance(order, *found) for title, order in orders.items()}
    title = min(distances, key=lambda one: distances[one])
    native = next(iter(orders))
    nearer = min(value for one, value in distances.items() if one != title) - distances[title]
    other, distance = Profile.load().likeliest(orders[title], *found)
    known = distances[title] - distance <= (_UNKNOWN_NATIVE if title == native else _UNKNOWN)
    if known and nearer >= (_SURE_NATIVE[len(sample)] if title == native else _SURE):
        return None if title == native else orders[title]
    named = dict(zip(placed, orders[title] if known else other, strict=True))
    proposal = ",".join(named.get(index, "-") for index in range(1, count + 1))
    raise InputError(
        f"{name}: its {count} bands have no names, and their order cannot be told for certain; it looks like "
        f"{title if known else 'none that is usual'}.",
        f"Say their order, for instance with --s2-bands {proposal}",
        code="bands-unknown",
    )
