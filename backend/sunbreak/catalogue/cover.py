"""Cloud and shadow over a place, from the scene classification (SCL) of each overpass, read at an overview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.catalogue.connection import Catalogue
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.catalogue.place import Place
from sunbreak.catalogue.sampling import sample

_CLOUD, _SHADOW, _NO_DATA = (8, 9, 10), (3,), (0,)
_SAME_SECONDS = 120


@dataclass(frozen=True)
class Cover:
    """What the scene classification says at the points of a place.

    Attributes:
        classes: SCL class of each point, (n,); 0 is no data.
    """

    classes: NDArray[np.uint8]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which points have data."""
        return ~np.isin(self.classes, _NO_DATA)

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Which points have data and lie under cloud or shadow."""
        return np.isin(self.classes, (*_CLOUD, *_SHADOW))

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Which points are seen."""
        return self.valid & ~self.hidden

    @property
    def cloud_share(self) -> float:
        """Cloud as a fraction (0..1) of the points with data; 0 without any."""
        return float(np.isin(self.classes, _CLOUD).sum() / max(1, self.valid.sum()))

    @property
    def shadow_share(self) -> float:
        """Shadow as a fraction (0..1) of the points with data."""
        return float(np.isin(self.classes, _SHADOW).sum() / max(1, self.valid.sum()))

    @property
    def covers(self) -> float:
        """Points with data as a fraction (0..1) of the place."""
        return float(self.valid.mean())


def read_cover(catalogue: Catalogue, overpass: Overpass, place: Place) -> Cover | None:
    """The cover of an overpass; None if it has no scene classification.

    Raises:
        SunbreakError: It cannot be read.
    """
    if "SCL" not in overpass.first.assets:
        return None
    lon, lat = place.points
    classes = np.zeros(lon.size, np.uint8)
    for item in overpass.items:
        empty = classes == 0
        if "SCL" not in item.assets or not empty.any():
            continue
        with catalogue.raster(item.assets["SCL"]).open() as dataset:
            values, _ = sample(dataset, lon[empty], lat[empty], [1])
        classes[empty] = values[0].clip(0, 255).astype(np.uint8)
    return Cover(classes)


def with_classification(overpass: Overpass, others: Sequence[Overpass]) -> Overpass:
    """The overpass whose scene classification counts: Level-1C has none, its Level-2A has."""
    if "SCL" in overpass.first.assets:
        return overpass
    tiles = {item.tile for item in overpass.items}
    for other in others:
        near = abs((other.acquired - overpass.acquired).total_seconds()) <= _SAME_SECONDS
        if near and "SCL" in other.first.assets and tiles & {item.tile for item in other.items}:
            return other
    return overpass
