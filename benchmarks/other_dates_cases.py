"""The cases of benchmarks/other_dates.py: targets with clouds whose ground is known, and other dates of the place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray

from sunbreak.clouds.blocks import block_mean, interpolated
from sunbreak.clouds.detector import CloudDetector, Imagery, JoinsGiven, detect_in
from sunbreak.clouds.registry import detector
from sunbreak.clouds.ukis_networks import BANDS, class_probabilities
from sunbreak.datasets.worldcereal import SHADOW, SNOW, Site, clear_dates, find_sites, read_site
from sunbreak.defaults import BUFFER
from sunbreak.metrics.temporal_fills import OtherDate
from sunbreak.scene import S2_BANDS, Grid, Scene, SceneSeries

CLEAR = (
    "2018-02-10", "2018-03-22", "2018-04-26", "2018-05-31", "2018-06-10", "2018-07-30", "2018-08-24", "2018-10-08",
    "2018-11-12",
)  # fmt: skip
HOLES = ("2018-01-21", "2018-03-07", "2018-07-05")
CLOUDY = (*HOLES, "2018-02-25", "2018-04-01", "2018-09-18")
LEAST, MOST = 0.1, 0.8  # cloudy fraction of a target with real clouds
FEW = 50  # pixels that a case is judged by at least
MAX_DAYS, MAX_RADAR_DAYS = 10, 12
SINGLE = 60  # days to the only reference

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Acquisition:
    """One date.

    Attributes:
        day: When.
        image: Reflectance (band, row, column), with its clouds.
        cloudy: (row, column), cloud, shadow, or no data.
        radar: VV and VH in dB, (2, row, column), if there is radar.
    """

    day: date
    image: Image
    cloudy: Mask
    radar: Image | None = None


@dataclass(frozen=True)
class Case:
    """A target, its other dates, and what is under its clouds.

    Attributes:
        name: Of the case.
        grid: Of all images.
        level: Processing level.
        bands: Of all images.
        target: The cloudy image.
        references: The other dates.
        truth: The ground, (band, row, column).
        judged: (row, column), the pixels that count.
    """

    name: str
    grid: Grid
    level: str
    bands: tuple[str, ...]
    target: Acquisition
    references: tuple[Acquisition, ...]
    truth: Image
    judged: Mask

    @property
    def dates(self) -> list[OtherDate]:
        """The other dates as the fills take them."""
        return [OtherDate(one.image, ~one.cloudy, (one.day - self.target.day).days) for one in self.references]

    @property
    def both_sides(self) -> bool:
        """Whether there are dates before and after the target."""
        days = [date.days or 0 for date in self.dates]
        return bool(days) and min(days) < 0 < max(days)

    def psnr(self, filled: Image) -> float:
        """Of the judged pixels and all bands, reflectance clipped to [0, 1]."""
        apart = np.clip(filled[:, self.judged], 0, 1) - np.clip(self.truth[:, self.judged], 0, 1)
        return float(-10 * np.log10(np.square(apart, dtype=np.float64).mean()))

    def in_light(self) -> Case:
        """The same with the truth in the light of the target: a gain and an offset per band, from clear pixels."""
        clear = ~self.target.cloudy
        if clear.sum() < FEW:
            return self
        truth = np.empty_like(self.truth)
        for band, (there, here) in enumerate(zip(self.truth, self.target.image, strict=True)):
            apart = there[clear] - there[clear].mean()
            gain = float((apart * here[clear]).mean() / max(float((apart**2).mean()), 1e-12))
            truth[band] = here[clear].mean() + min(max(gain, 0.3), 3.0) * (there - there[clear].mean())
        return replace(self, truth=truth)

    def clear_psnr(self) -> float:
        """How near the clear pixels of the target are to the truth: another day differs there too."""
        clear = ~self.target.cloudy
        return replace(self, judged=clear).psnr(self.target.image) if clear.sum() >= FEW else float("nan")

    def coverage(self, filled: Image, sigma: Image) -> tuple[float, float]:
        """Share of the judged values within 1.96 sigma and within 1 sigma of the truth."""
        ratio = np.abs(filled - self.truth)[:, self.judged] / np.maximum(sigma[:, self.judged], 1e-4)
        return float((ratio <= 1.96).mean()), float((ratio <= 1).mean())


@dataclass(frozen=True)
class Files:
    """A case as files.

    Attributes:
        s2: The target, with clouds in its hole.
        mask: 1 where it is filled, else 0.
        s1: Its radar.
        references: The other dates; the days are in their names.
        masks: The mask of each reference.
        radars: The radar of each reference.
    """

    s2: Path
    mask: Path
    s1: Path | None
    references: tuple[Path, ...]
    masks: tuple[Path, ...]
    radars: tuple[Path | None, ...]


def write(case: Case, folder: Path) -> Files:
    """Write a case as GeoTIFFs: DN, bands named, the date and the level in each name, masks of 0 and 1."""
    numbers = count()

    def one(given: Acquisition) -> tuple[Path, Path, Path | None]:
        stem = f"{next(numbers):03d}_{given.day:%Y-%m-%d}"
        dn = np.clip(np.rint(given.image * 10000), 1, 65535).astype(np.uint16)
        s2 = _written(folder / f"S2_{case.level}_{stem}.tif", dn, case.grid, case.bands, nodata=0)
        mask = _written(folder / f"mask_{stem}.tif", given.cloudy[None].astype(np.uint8), case.grid)
        radar = given.radar
        s1 = None if radar is None else _written(folder / f"S1_{stem}.tif", radar, case.grid, ("VV", "VH"))
        return s2, mask, s1

    s2, mask, s1 = one(case.target)
    others = [one(reference) for reference in case.references]
    return Files(s2, mask, s1, *(tuple(column) for column in zip(*others, strict=True)))


def series_of(files: Files) -> SceneSeries:
    """A case as it is cleaned with other dates: the target and its references, each with its mask and radar."""
    others = zip(files.references, files.radars, files.masks, strict=True)
    target = Scene.open(files.s2, files.s1, mask=files.mask, s2_offset=0)
    return SceneSeries(target, tuple(Scene.open(s2, s1, mask=mask, s2_offset=0) for s2, s1, mask in others))


def through_files(case: Case, run: Callable[[Files, Path], Path]) -> Image:
    """What a job makes of a case.

    Args:
        case: The case.
        run: Cleans the files into a folder and gives the path of the cleaned raster (DN), see `series_of`.
    """
    with TemporaryDirectory(prefix="sunbreak-") as name:
        folder = Path(name)
        cleaned = run(write(case, folder), folder / "out")
        with rasterio.open(cleaned) as source:
            values: Image = source.read().astype(np.float32) / np.float32(10000)
    return values


class Series:
    """The place of `timeseries/`: sixteen dates, of which nine are clear.

    Args:
        folder: Of the GeoTIFFs.
    """

    def __init__(self, folder: Path) -> None:
        self.images: dict[str, Image] = {}
        for path in sorted(folder.glob("*.tif")):
            with rasterio.open(path) as source:
                self.images[path.stem.split("_")[-3]] = source.read().astype(np.float32) / np.float32(10000)
                self.grid = Grid(source.crs, source.transform, source.width, source.height)
        self.holes = {day: dilated(network_mask(self.images[day])) for day in HOLES}

    def cut_holes(self, covered: bool = False) -> Iterator[Case]:
        """Each clear date with the clouds of each of three cloudy dates.

        Args:
            covered: Whether each reference has the rolled clouds of one of the other two cloudy dates.
        """
        for day in CLEAR:
            others = sorted((other for other in CLEAR if other != day), key=lambda other: _apart(day, other))
            for which, hole in self.holes.items():
                clouds = [other for other in HOLES if other != which]
                references = tuple(
                    self._clouded(other, clouds[i % 2], (37 * i, 61 * i) if covered else None)
                    for i, other in enumerate(others)
                )
                target = self._clouded(day, which, (0, 0))
                yield self._case(f"{day}, clouds of {which}", target, references, self.images[day], hole)

    def single(self) -> Iterator[Case]:
        """The same with one reference, that whose distance is nearest to `SINGLE` days."""
        for case in self.cut_holes():
            day = case.target.day
            chosen = min(case.references, key=lambda one: abs(abs((one.day - day).days) - SINGLE))
            yield replace(case, references=(chosen,))

    def real(self) -> Iterator[Case]:
        """Cloudy dates with their own clouds; the truth is the nearest clear date, which is not among the references."""
        detects = detector("auto", imagery=Imagery("L1C", S2_BANDS))
        seen = {
            day: Acquisition(date.fromisoformat(day), image, dilated(detect_in(detects, image).classes > 0))
            for day, image in self.images.items()
        }
        for day in CLOUDY:
            if not LEAST <= seen[day].cloudy.mean() <= MOST:
                continue
            truth = seen[min(CLEAR, key=lambda other: _apart(day, other))]
            references = tuple(one for one in seen.values() if one not in (seen[day], truth))
            judged = seen[day].cloudy & ~truth.cloudy
            gap = (truth.day - seen[day].day).days
            yield self._case(f"{day}, truth {gap:+d} days", seen[day], references, truth.image, judged)

    def _clouded(self, day: str, clouds: str, roll: tuple[int, int] | None) -> Acquisition:
        """A date, with the rolled clouds of another one over it if `roll` is given."""
        image = self.images[day]
        if roll is None:
            return Acquisition(date.fromisoformat(day), image, np.zeros(image.shape[1:], bool))
        hole = np.roll(self.holes[clouds], roll, (0, 1))
        cloud = np.roll(self.images[clouds], roll, (1, 2))
        return Acquisition(date.fromisoformat(day), np.where(hole, cloud, image), hole)

    def _case(
        self, name: str, target: Acquisition, references: tuple[Acquisition, ...], truth: Image, judged: Mask
    ) -> Case:
        return Case(name, self.grid, "L1C", S2_BANDS, target, references, truth, judged)


def site_cases(folder: Path) -> Iterator[Case]:
    """The two places of `worldcereal/` with their real clouds.

    Targets are cloudy dates whose clouds are clear on another date at most `MAX_DAYS` away. References are all other
    dates that are not wholly cloudy, except those of the day of target or truth.
    """
    for files in find_sites(folder):
        site = read_site(files.s2, files.s1)
        clear = clear_dates(site)
        masks = _site_masks(site)
        for index, day in enumerate(site.days):
            near = [other for other in clear if 0 < abs((site.days[other] - day).days) <= MAX_DAYS]
            if not near or not site.valid[index].all() or not LEAST <= masks[index].mean() <= MOST:
                continue
            truth = min(near, key=lambda other: (abs((site.days[other] - day).days), other))
            judged = masks[index] & ~masks[truth]
            references = tuple(
                _of_site(site, other, masks[other])
                for other, when in enumerate(site.days)
                if when not in (day, site.days[truth]) and not masks[other].all()
            )
            gap = (site.days[truth] - day).days
            name = f"{site.name[-4:]} {day}, {masks[index].mean():.0%} cloudy, truth {gap:+d} days"
            if judged.sum() >= FEW:
                yield Case(
                    name, site.grid, "L2A", site.bands, _of_site(site, index, masks[index]), references,
                    _reflectance(site, truth), judged,
                )  # fmt: skip


def network_mask(image: Image) -> Mask:
    """Cloud and shadow by the network of six bands alone, whichever class is the likeliest."""
    cells = block_mean(image[[S2_BANDS.index(band) for band in BANDS]], 3)
    shape = image.shape[1], image.shape[2]
    found = class_probabilities("model_6b_l1c", cells)
    covered: Mask = np.stack([interpolated(np.ascontiguousarray(one), 3, shape) for one in found]).argmax(axis=0) > 0
    return covered


def dilated(mask: Mask, radius: int = BUFFER) -> Mask:
    """Dilated by a disc."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    found: Mask = cv2.dilate(mask.astype(np.uint8), disc) > 0
    return found


def _site_masks(site: Site) -> list[Mask]:
    """Clouds and shadows as `sunbreak clean` finds them: the default detector with the scene classification."""
    detects: CloudDetector = detector("auto", imagery=Imagery("L2A", site.bands))
    assert isinstance(detects, JoinsGiven)
    own = [site.bands.index(band) for band in detects.bands]
    codes = np.zeros(256, np.uint8)
    codes[[SHADOW, 8, 9, 10]] = 3, 1, 1, 2
    found = []
    for index in range(len(site.days)):
        image = _reflectance(site, index)[own]
        image[:, ~site.valid[index]] = np.nan
        if not site.valid[index].any():
            found.append(~site.valid[index])
            continue
        classes = detects.predict_with(image, codes[site.scl[index]]).classes
        # ice clouds are often classified as snow
        found.append(dilated((classes > 0) | (site.scl[index] == SNOW)) | ~site.valid[index])
    return found


def _of_site(site: Site, index: int, cloudy: Mask) -> Acquisition:
    radar = site.nearest_radar(site.days[index], MAX_RADAR_DAYS)
    return Acquisition(site.days[index], _reflectance(site, index), cloudy, None if radar is None else site.s1[radar])


def _reflectance(site: Site, index: int) -> Image:
    image: Image = site.s2[index].astype(np.float32) / np.float32(10000)
    return image


def _apart(one: str, other: str) -> int:
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def _written(
    path: Path, values: NDArray[np.generic], grid: Grid, bands: Sequence[str] = (), nodata: float | None = None
) -> Path:
    count_, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count_, height=height, width=width, dtype=values.dtype, crs=grid.crs,
        transform=grid.transform, nodata=nodata,
    ) as target:  # fmt: skip
        target.write(values)
        for index, band in enumerate(bands, 1):
            target.set_band_description(index, band)
    return path
