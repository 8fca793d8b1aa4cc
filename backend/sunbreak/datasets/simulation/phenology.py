"""Takes a simulated landscape to another day of the year: crops, meadows and leaves, and fields of another use.

Every field has a crop, a sowing date and a management of its own, so that neighbours change differently. Water, towns,
roads and relief remain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.simulation import landscape as land
from sunbreak.datasets.simulation.landscape import Landscape
from sunbreak.datasets.simulation.noise import Field, fractal

Curve = tuple[tuple[float, float], ...]
Mask = NDArray[np.bool_]


class Crop(NamedTuple):
    """A crop of Central Europe.

    Attributes:
        share: Fraction of the fields.
        green: (day of the year, amount of living vegetation 0..1).
        straw: (day of the year, fraction of the ground between living plants that straw or stubble covers).
    """

    share: float
    green: Curve
    straw: Curve = ((1, 0.0),)


_RIPE: Curve = ((170, 0.0), (190, 0.85), (215, 0.75), (250, 0.3), (275, 0.0))
CROPS = (
    Crop(0.34, ((1, 0.25), (60, 0.35), (105, 0.75), (135, 0.95), (160, 0.85), (185, 0.35), (202, 0.07), (245, 0.08),
                (280, 0.12), (320, 0.22)), _RIPE),  # winter cereals
    Crop(0.10, ((1, 0.4), (70, 0.45), (110, 0.85), (150, 0.8), (178, 0.45), (196, 0.1), (230, 0.15), (260, 0.35),
                (300, 0.45)), _RIPE),  # rape
    Crop(0.12, ((1, 0.05), (85, 0.06), (112, 0.3), (145, 0.9), (172, 0.8), (196, 0.3), (212, 0.07),
                (320, 0.05)), _RIPE),  # spring cereals
    Crop(0.26, ((1, 0.05), (118, 0.06), (145, 0.16), (170, 0.5), (195, 0.9), (240, 0.92), (265, 0.6), (285, 0.08),
                (320, 0.05)), ((270, 0.0), (285, 0.5), (305, 0.3), (325, 0.0))),  # maize
    Crop(0.10, ((1, 0.05), (128, 0.06), (158, 0.55), (195, 0.85), (228, 0.45), (248, 0.08), (320, 0.05))),  # potatoes
    Crop(0.08, ((1, 0.45), (75, 0.5), (118, 0.9), (136, 0.95), (146, 0.5), (170, 0.9), (182, 0.5), (215, 0.85),
                (226, 0.5), (265, 0.85), (310, 0.6))),  # fodder, cut three times
)  # fmt: skip
_MEADOW: Curve = ((1, 0.4), (75, 0.45), (108, 0.85), (135, 1.0), (158, 0.8), (185, 0.55), (210, 0.36), (235, 0.4),
                  (265, 0.6), (300, 0.55), (340, 0.42))  # fmt: skip
_LEAVES: Curve = (
    (1, 0.0),
    (100, 0.02),
    (112, 0.2),
    (128, 0.8),
    (142, 1.0),
    (262, 1.0),
    (285, 0.7),
    (305, 0.15),
    (325, 0.0),
)
_MOWING = (125, 290)
_FRESH = (105, 150)
_WINTER = (80, 330)  # its last day and its first
_FORGOTTEN = 15.0  # days after which a field has lost most of what its crop does not explain
# fractions of the parcels that have another use on a date at least a month apart, by their present one
_NEW_USE = {land.CROPLANDS: 0.05, land.GRASSLAND: 0.07, land.FOREST: 0.02}


def on_day(rng: np.random.Generator, ground: Landscape, today: int, day: int) -> Landscape:
    """The landscape on another day.

    Args:
        rng: Source of randomness.
        ground: The landscape on the day of the year `today`.
        today: Day of the year, 1 to 366.
        day: Day of the year of the result; the landscape's land cover is another where the use of a field changed.
    """
    grown = _Growth(rng, ground, today, day)
    grown.crops()
    grown.meadows()
    grown.leaves()
    if _WINTER[0] <= day <= _WINTER[1]:
        grown.thaw()
    grown.new_uses()
    return replace(ground, landcover=grown.cover, materials=grown.parts, green=np.clip(grown.green, 0, 1))


def _at(curve: Curve, day: NDArray[np.float64] | float) -> NDArray[np.float64]:
    days, values = zip(*curve, strict=True)
    found: NDArray[np.float64] = np.interp(day, days, values, period=365)
    return found


class _Growth:
    """A copy of a landscape's materials, changed step by step."""

    def __init__(self, rng: np.random.Generator, ground: Landscape, today: int, day: int) -> None:
        self.rng, self.ground, self.today, self.day = rng, ground, today, day
        self.cover, self.green = ground.landcover.copy(), ground.green.copy()
        self.parts = {name: share.copy() for name, share in ground.materials.items()}
        self.number = int(ground.parcels.max()) + 1
        shape = ground.green.shape[0], ground.green.shape[1]
        apart = min(abs(day - today), 365 - abs(day - today))
        self.time, self.memory = min(1.0, apart / 30), 0.4 + 0.6 * float(np.exp(-apart / _FORGOTTEN))
        self.patchy = fractal(rng, shape, 2.4, longest=80)
        # roads in the country stay what they are
        self.road: Mask = (ground.materials["asphalt"] > 0.5) & (ground.landcover != land.URBAN)

    def where(self, *kinds: int) -> Mask:
        here: Mask = np.isin(self.ground.landcover, kinds) & ~self.road
        return here

    def fill(self, here: Mask, shares: Mapping[str, Field | float]) -> None:
        """Give pixels other materials; fractions are brought to a sum of 1."""
        given = {
            name: np.broadcast_to(np.asarray(share, np.float32), here.shape)[here] for name, share in shares.items()
        }
        total = np.sum(list(given.values()), axis=0)
        for name, plane in self.parts.items():
            plane[here] = given[name] / total if name in given else 0

    def crops(self) -> None:
        """Each field has the crop that fits what it looks like today, and is on the other day as far as that one."""
        rng, parcels, here = self.rng, self.ground.parcels, self.where(land.CROPLANDS)
        stand = _means(self.green, parcels, here, self.number)
        delay, vigour = rng.normal(0, 8, self.number), rng.normal(1, 0.08, self.number)
        now = np.stack([_at(crop.green, self.today - delay) * vigour for crop in CROPS])
        likely = np.array([crop.share for crop in CROPS])[:, None] * (np.exp(-(((now - stand) / 0.18) ** 2)) + 1e-6)
        bounds = np.cumsum(likely, axis=0) / likely.sum(axis=0)
        crop = np.minimum((rng.random(self.number) > bounds).sum(axis=0), len(CROPS) - 1)
        row = np.arange(self.number)
        then = np.stack([_at(one.green, self.day - delay) * vigour for one in CROPS])[crop, row]
        straw = np.stack([_at(one.straw, self.day - delay) - _at(one.straw, self.today - delay) for one in CROPS])
        # what the curve of the crop does not explain today is a lasting property of the field in part
        level = np.clip(then + self.memory * (stand - now[crop, row]), 0.02, 1)
        inside = self.green - stand.astype(np.float32)[parcels]
        amount = np.clip(level.astype(np.float32)[parcels] + inside + 0.04 * self.time * self.patchy, 0, 1)
        self.green[here] = amount[here]
        bare = 1 - amount
        covered = bare * np.clip(straw[crop, row], 0, 1).astype(np.float32)[parcels]
        open_soil, sand = bare - covered, 0.6 * self.ground.sand
        self.fill(
            here, {"crop": amount, "dry grass": covered, "soil": open_soil * (1 - sand), "sand": open_soil * sand}
        )

    def meadows(self) -> None:
        """Grass greens, dries and is mown; in shrubland, savanna and wetlands it does so more weakly."""
        rng, parcels = self.rng, self.ground.parcels
        change = float(_at(_MEADOW, self.day) - _at(_MEADOW, self.today)) * (0.9 + 0.2 * self.patchy)
        mown = np.where(rng.random(self.number) < 0.35 * self.time, rng.uniform(0.1, 0.4, self.number), 0)
        vigour = rng.normal(0, 0.06, self.number) * self.time
        own = vigour - mown * (_MOWING[0] < self.day < _MOWING[1])
        here = self.where(land.GRASSLAND)
        amount = np.clip(self.green + change + own.astype(np.float32)[parcels], 0.03, 1)
        self.green[here] = amount[here]
        self.fill(here, {"grass": amount, "dry grass": 1 - amount})
        here = self.where(land.SHRUBLAND, land.SAVANNA, land.WETLANDS)
        amount = np.clip(self.green + 0.5 * change, 0.03, 1)
        ratio = amount / np.maximum(self.green, np.float32(0.03))
        self.green[here] = amount[here]
        self.exchange(here, "grass", ratio)
        self.exchange(here, "broadleaf", ratio)

    def leaves(self) -> None:
        """Broad-leaved trees come into leaf and shed it, each stand at its own time; fresh leaves are brighter."""
        late = 2.5 * self.rng.normal(size=self.number)[self.ground.parcels] + 6 * self.patchy
        bare = 0.1
        now, then = (bare + (1 - bare) * _at(_LEAVES, day - late) for day in (self.today, self.day))
        ratio: Field = (then / now).astype(np.float32)
        self.exchange(self.where(land.FOREST), "broadleaf", ratio)
        self.exchange(self.where(land.URBAN), "broadleaf", 0.5 + 0.5 * ratio)
        if _FRESH[0] < self.day < _FRESH[1]:
            here = self.where(land.FOREST)
            young = 0.2 * self.parts["broadleaf"][here]
            self.parts["broadleaf"][here] -= young
            self.parts["grass"][here] += young

    def exchange(self, here: Mask, name: str, ratio: Field) -> None:
        """Multiply the fraction of a material; dry leaves and grass take or give the difference."""
        living, dry = self.parts[name], self.parts["dry grass"]
        both = living[here] + dry[here]
        living[here] = np.minimum(living[here] * ratio[here], both)
        dry[here] = both - living[here]

    def thaw(self) -> None:
        """Snow that lies only in winter is gone; mountains above the snow line keep theirs."""
        if not _WINTER[0] <= self.today <= _WINTER[1]:
            self.cover[self.cover == land.SNOW] = land.GRASSLAND
            self.fill(self.where(land.SNOW), {"dry grass": 0.5, "grass": 0.3, "soil": 0.2})

    def new_uses(self) -> None:
        """Ploughed meadows, fields that become meadows or building sites, and felled woods."""
        chance, kind = self.rng.random(self.number)[self.ground.parcels], self.rng.random(self.number)
        builds = (kind < 0.2)[self.ground.parcels]
        share: Field = (0.5 + 0.1 * np.tanh(self.patchy)).astype(np.float32)
        sand: Field = np.float32(0.6) * self.ground.sand
        fields, meadows, woods = (self.where(use) & (chance < self.time * limit) for use, limit in _NEW_USE.items())
        uses: tuple[tuple[Mask, int, float, dict[str, Field | float]], ...] = (
            (fields & builds, land.URBAN, 0.05, {"soil": share, "concrete": 0.3, "roof": 0.15}),
            (fields & ~builds, land.GRASSLAND, 0.6, {"grass": share, "dry grass": 1 - share}),
            (meadows, land.CROPLANDS, 0.03, {"soil": 1 - sand, "sand": sand}),
            (woods, land.GRASSLAND, 0.15, {"dry grass": share, "soil": 0.4, "broadleaf": 0.1}),
        )
        for here, cover, green, shares in uses:
            self.cover[here], self.green[here] = cover, green
            self.fill(here, shares)


def _means(values: Field, parcels: NDArray[np.int32], here: Mask, number: int) -> NDArray[np.float64]:
    """Mean over the pixels of each parcel in `here`; 0 for parcels without any."""
    count = np.bincount(parcels[here], minlength=number)
    found: NDArray[np.float64] = np.bincount(parcels[here], values[here], minlength=number) / np.maximum(count, 1)
    return found
