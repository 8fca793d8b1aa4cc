"""Simulated scenes as BigEarthNet patches: bands at native resolution, CORINE codes, labels, positions, splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet.bands import SIDE, SIDES, to_side
from sunbreak.datasets.bigearthnet.labels import CODES, UNLABELLED
from sunbreak.datasets.bigearthnet.names import SPLITS, Split, derived_split, parse_name
from sunbreak.datasets.bigearthnet.patches import Pile
from sunbreak.datasets.simulation import SimulatedScene, simulate_scene
from sunbreak.datasets.simulation import landscape as land
from sunbreak.datasets.simulation.spectra import PATH
from sunbreak.scene.bands import S2_BANDS

TILE, EPSG, CORNER = "33UUP", 32633, (300000, 5400000)
PATCHES_ACROSS = 91
EXTENT = 1200
# the minimum mapping unit of CORINE is 25 ha, of which the edge of a patch may cut off a part
_SMALLEST_SHARE = 0.05
_LEAST_SNOW = 0.2
_LEAST_CLOUD = 0.2
_SPLIT_ROUND: tuple[Split, ...] = ("train", "validation", "test", "train", "train")

_CORINE = {
    land.SHRUBLAND: "Transitional woodland/shrub",
    land.SAVANNA: "Agro-forestry areas",
    land.GRASSLAND: "Pastures",
    land.WETLANDS: "Peatbogs",
    land.CROPLANDS: "Non-irrigated arable land",
    land.URBAN: "Discontinuous urban fabric",
    land.BARREN: "Sparsely vegetated areas",
    land.WATER: "Water bodies",
}
# needles reflect less near infrared than leaves: upper limit of the B08 reflectance for each kind of forest
_FORESTS = ((0.20, "Coniferous forest"), (0.23, "Mixed forest"), (1.0, "Broad-leaved forest"))


@dataclass(frozen=True)
class Entry:
    """The metadata of a simulated patch.

    Attributes:
        pile: Cloudy, snowy or clear.
        split: Split of the patch.
        column: Column in the tile, in patches.
        row: Row in the tile.
        acquired: Time of the Sentinel-2 acquisition.
        labels: Labels of the 43 classes, in their order.
    """

    pile: Pile
    split: Split
    column: int
    row: int
    acquired: datetime
    labels: tuple[str, ...]

    @property
    def name1(self) -> str:
        """Name in version 1; hours before ten lack the zero, as in the published data set."""
        time = f"{self.acquired:%H%M%S}".removeprefix("0")
        return f"S2A_MSIL2A_{self.acquired:%Y%m%d}T{time}_{self.column}_{self.row}"

    @property
    def name2(self) -> str:
        """Name in version 2."""
        return f"S2A_MSIL2A_{self.acquired:%Y%m%dT%H%M%S}_N9999_R022_T{TILE}_{self.column}_{self.row}"

    @property
    def radar_acquired(self) -> datetime:
        """Time of the Sentinel-1 acquisition."""
        return self.acquired + timedelta(hours=6, minutes=40)

    @property
    def s1_name(self) -> str:
        """Name of the radar pair, in both versions."""
        return f"S1A_IW_GRDH_1SDV_{self.radar_acquired:%Y%m%dT%H%M%S}_{TILE}_{self.column}_{self.row}"

    @property
    def corner(self) -> tuple[int, int]:
        """Left and top edge in metres."""
        return CORNER[0] + EXTENT * self.column, CORNER[1] - EXTENT * self.row


@dataclass(frozen=True)
class SimulatedPatch:
    """A simulated patch.

    Attributes:
        entry: Metadata of the patch.
        scene: The simulated scene; a cloudy patch uses its cloudy image.
        codes: CORINE codes, (120, 120) uint16, 999 for unlabelled pixels.
    """

    entry: Entry
    scene: SimulatedScene
    codes: NDArray[np.uint16]

    def band(self, name: str) -> NDArray[np.uint16]:
        """A band at its native resolution, as DN of approximately Level-2A (path radiance subtracted)."""
        return band_of(self.scene.cloudy if self.entry.pile == "cloudy" else self.scene.clear, name)


def band_of(image: NDArray[Any], name: str) -> NDArray[np.uint16]:
    """A band of top-of-atmosphere DN (13, 120, 120) as in BigEarthNet: native resolution, approximately Level-2A."""
    index = S2_BANDS.index(name)
    blocks = SIDE // SIDES[name]
    plane = image[index].reshape(SIDES[name], blocks, SIDES[name], blocks).mean(axis=(1, 3))
    return np.asarray(np.clip(np.rint(plane - 9000 * PATH[index]), 1, 65535), np.uint16)


def bands_of(image: NDArray[Any], bands: Sequence[str]) -> NDArray[np.float32]:
    """Bands of top-of-atmosphere DN (13, 120, 120) as `read_bands` returns them for a written patch, reflectance."""
    planes = [to_side(band_of(image, name).astype(np.float32) / np.float32(10000)) for name in bands]
    return np.stack(planes)


def simulated_patches(
    cloudy: int, clear: int, snowy: int, seed: int, cover: tuple[float, float] = (0.2, 1.0)
) -> Iterator[SimulatedPatch]:
    """Simulate patches of different places; the same arguments give the same patches.

    Patches of each kind are assigned to train, validation and test in turn. Their positions agree with
    `names.derived_split`, because version 1 has no official split for cloudy and snowy patches.

    Args:
        cloudy: Number of cloudy patches, with at least a fifth of the area hidden.
        clear: Number of patches without clouds and snow.
        snowy: Number of patches with snow on at least a fifth of the area.
        seed: Seed of all random numbers.
        cover: Range of the requested cloud cover of cloudy patches; thin clouds and shadows are extra.
    """
    acquired = datetime(2017, 6, 13, 9, 30, 20) + timedelta(days=seed % 365)
    places = {split: _places(acquired, split) for split in SPLITS}
    scene_seeds = count(1_000_000 * (seed + 1))
    piles: tuple[tuple[Pile, int], ...] = (("cloudy", cloudy), ("clear", clear), ("snowy", snowy))
    for pile, wanted in piles:
        for number in range(wanted):
            split = _SPLIT_ROUND[number % len(_SPLIT_ROUND)]
            column, row = next(places[split])
            scene, codes = _scene(pile, scene_seeds, cover)
            present = set(np.unique(codes).tolist())
            labels = tuple(name for name, code in CODES.items() if code in present)
            yield SimulatedPatch(Entry(pile, split, column, row, acquired, labels), scene, codes)


def _places(acquired: datetime, split: Split) -> Iterator[tuple[int, int]]:
    """Columns and rows that `derived_split` assigns to a split."""
    for row, column in product(range(PATCHES_ACROSS), repeat=2):
        name = parse_name(f"S2A_MSIL2A_{acquired:%Y%m%dT%H%M%S}_{column}_{row}")
        if name is not None and derived_split(name) == split:
            yield column, row


def _scene(pile: Pile, seeds: Iterator[int], covers: tuple[float, float]) -> tuple[SimulatedScene, NDArray[np.uint16]]:
    """The first scene of the requested kind that has a label."""
    while True:
        seed = next(seeds)
        cover = float(np.random.default_rng(seed).uniform(*covers)) if pile == "cloudy" else 0.0
        scene = simulate_scene(SIDE, seed, cover=cover, season="winter" if pile == "snowy" else "summer")
        snow = float((scene.landcover == land.SNOW).mean())
        hidden = float((scene.cloud | scene.shadow).mean())
        fits = {"cloudy": hidden >= _LEAST_CLOUD, "clear": snow == 0, "snowy": snow >= _LEAST_SNOW}
        codes = _codes(scene)
        if fits[pile] and (codes != UNLABELLED).any():
            return scene, codes


def _codes(scene: SimulatedScene) -> NDArray[np.uint16]:
    codes = np.full((SIDE, SIDE), UNLABELLED, np.uint16)
    names = _CORINE | {land.FOREST: _forest(scene)}
    for kind, name in names.items():
        here = scene.landcover == kind
        if here.mean() >= _SMALLEST_SHARE:
            codes[here] = CODES[name]
    return codes


def _forest(scene: SimulatedScene) -> str:
    here = scene.landcover == land.FOREST
    infrared = float(scene.clear[S2_BANDS.index("B08")][here].mean()) / 1e4 if here.any() else 0.0
    return next(name for limit, name in _FORESTS if infrared <= limit)
