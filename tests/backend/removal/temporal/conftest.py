"""Samples of a place whose truth is known, made without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from sunbreak.clouds.dates import DateClouds
from sunbreak.removal.temporal.blocks import RADAR_SIDES, Block, Blocks, radar_features
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fitting import fit_guide
from sunbreak.removal.temporal.guide import STEP, GuideRows, TemporalGuide
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.scene import S2_BANDS, Scene, SceneSeries

FOUR = ("B02", "B03", "B04", "B08")
RADAR_NAMES = tuple(f"{name} {side}" for side in RADAR_SIDES for name in ("VV", "VH"))


@dataclass
class Sampled:
    """Every pixel of a place on several days.

    Attributes:
        lattice: The sample; the target is the first day.
        truth: (band, row, column) of the target, without noise.
    """

    lattice: Lattice
    truth: np.ndarray

    def grid(self, values: np.ndarray) -> np.ndarray:
        return self.lattice.grid(values)


@pytest.fixture(scope="session")
def sampled(field_place) -> Callable[..., Sampled]:
    """Sample a place on some days, the target first."""

    def make(
        days: Sequence[int],
        shape: tuple[int, int] = (96, 128),
        *,
        bands: Mapping[int, Sequence[str]] | None = None,
        hidden: Mapping[int, np.ndarray] | None = None,
        noise: float = 0.02,
        radar: Sequence[int] = (),
        edit: Callable[[int, np.ndarray], None] = lambda member, values: None,
        seed: int = 0,
    ) -> Sampled:
        place = field_place(*shape, seed)
        blocks, values, known = [], [], []
        for member, day in enumerate(days):
            names = tuple((bands or {}).get(member, S2_BANDS))
            seen = place.seen(day, names, noise)
            edit(member, seen)
            blocks.append(Block(member, False, names))
            values.append(seen.reshape(len(names), -1))
            known.append(~(hidden or {}).get(member, np.zeros(shape, bool)).ravel())
        for member in radar:
            db = place.radar(days[member])
            edit(-1 - member, db)
            blocks.append(Block(member, True, RADAR_NAMES))
            values.append(radar_features(db).reshape(len(RADAR_NAMES), -1))
            known.append(np.ones(shape[0] * shape[1], bool))
        rows, columns = (np.arange(side) for side in shape)
        gaps = tuple(day - days[0] for day in days)
        lattice = Lattice(Blocks(tuple(blocks), gaps), 1, rows, columns, values, known)
        return Sampled(lattice, place.truth(days[0], blocks[0].names))

    return make


@pytest.fixture(scope="session")
def window() -> Callable[..., np.ndarray]:
    """A mask that is True in a window: (first row, last row, first column, last column), the last ones excluded."""

    def make(shape: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
        mask = np.zeros(shape, bool)
        mask[top:bottom, left:right] = True
        return mask

    return make


@dataclass
class Guided:
    """A guide of a series of files.

    Attributes:
        guide: The guide; None if no date shows what is hidden.
        series: The series that was given.
        truth: (band, row, column) of the target, without noise and without change.
    """

    guide: TemporalGuide | None
    series: SceneSeries
    truth: np.ndarray

    def rows(self, *cuts: int) -> GuideRows:
        """The whole scene, cut before these rows, with the prediction as reflectance."""
        assert self.guide is not None
        edges = [0, *cuts, self.guide.height]
        with self.guide.series.reader() as reader:
            parts = [self.guide.rows(reader, *pair) for pair in pairwise(edges)]
        return GuideRows(
            np.concatenate([part.predicted for part in parts], axis=1) * STEP,
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("weight", "codes", "changed", "doubt")
            ),
        )

    def sigma(self, rows: GuideRows, row: int = 0) -> np.ndarray:
        """Of rows that `rows` gave, or some of them."""
        assert self.guide is not None
        return self.guide.sigma(row, replace(rows, predicted=np.rint(rows.predicted / STEP).astype(np.uint16)))


@pytest.fixture(scope="session")
def guided(field_place, tmp_path_factory) -> Callable[..., Guided]:
    """Write a place on some days, the target first, and fit a guide; arguments as for `sampled`."""

    def write(path: Path, values: np.ndarray, names: Sequence[str]) -> Path:
        count, height, width = values.shape
        place = {"crs": "EPSG:32632", "transform": from_origin(500000, 5300000, 10, 10)}
        with rasterio.open(
            path, "w", driver="GTiff", count=count, height=height, width=width, dtype=values.dtype, **place
        ) as target:
            target.write(values)
            target.descriptions = tuple(names)
        return path

    def make(
        days: Sequence[int],
        shape: tuple[int, int] = (96, 128),
        *,
        hidden: Mapping[int, np.ndarray],
        bands: Sequence[str] = FOUR,
        noise: float = 0.02,
        radar: Sequence[int] = (),
        edit: Callable[[int, np.ndarray], None] = lambda member, values: None,
        seed: int = 0,
    ) -> Guided:
        place, folder, scenes = field_place(*shape, seed), tmp_path_factory.mktemp("guided"), []
        for member, day in enumerate(days):
            dn = place.dn(day, bands, noise)
            edit(member, dn)
            date = np.datetime64("2020-01-01") + day
            s2, s1 = write(folder / f"place_{date}_{member}.tif", dn, bands), None
            if member in radar:
                db = place.radar(day)
                edit(-1 - member, db)
                s1 = write(folder / f"radar_{date}_{member}.tif", db, ("VV", "VH"))
            cloud = (hidden.get(member, np.zeros(shape, bool)) * 1).astype(np.uint8)[None]
            mask = write(folder / f"mask_{member}.tif", cloud, ("mask",))
            scenes.append(Scene.open(s2, s1, mask=mask, mask_coding="omnicloudmask", s2_unit="dn", s2_offset=0))
        series = SceneSeries(scenes[0], tuple(scenes[1:]))
        clouds = DateClouds([None] * len(series.others))
        guide = fit_guide(series, clouds, lambda reader, first, stop: hidden[0][first:stop], DaysPrior.load())
        return Guided(guide, series, place.truth(days[0], bands))

    return make
