"""Reads WorldCereal extractions: time series of Sentinel-2 L2A and Sentinel-1 of one small place (NetCDF4, h5py).

A site has three files: the 10 m bands, the 20 m bands with the scene classification (SCL), and the ascending radar at
20 m. All arrays are returned on the grid of the 10 m bands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from sunbreak.datasets.netcdf import check_inside, has, opened, per_date, readable, text_of, variable
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Grid

if TYPE_CHECKING:
    import h5py

SHADOW, UNCLASSIFIED, SNOW = 3, 7, 11
# cloud shadow, clouds of medium and high probability, thin cirrus, and snow. Ice clouds are often classified as snow,
# and no band of these files separates them (NDSI 0.7 over Belgium in September)
CLOUDY_SCL = (SHADOW, 8, 9, 10, SNOW)
_NO_SCL = (0, 1)  # no data, saturated or defective
_BRIGHTER = 500  # DN in B02 above the median of the place
_UNSURE = 0.5
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True)
class SiteFiles:
    """The files of one site: the 10 m bands of Sentinel-2 (the 20 m bands are beside them) and the radar."""

    name: str
    s2: Path
    s1: Path


@dataclass(frozen=True)
class Site:
    """One place over time.

    Attributes:
        name: The site's identifier.
        grid: Grid of the 10 m bands, shared by all arrays.
        days: Dates of Sentinel-2, in order.
        bands: Bands of Sentinel-2 in native order; L2A has no B10.
        s2: (date, band, row, column) DN; bands of 20 m are interpolated. 0 for missing pixels.
        scl: (date, row, column), scene classification, each value repeated.
        valid: (date, row, column), False where a band or the classification has no value.
        sun: (date, 2), zenith and azimuth in degrees; NaN if not in the file.
        s1_days: Dates of Sentinel-1, in order.
        s1: (date, 2, row, column), VV and VH in dB, interpolated as power; NaN for missing pixels.
    """

    name: str
    grid: Grid
    days: tuple[date, ...]
    bands: tuple[str, ...]
    s2: NDArray[np.uint16]
    scl: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    sun: NDArray[np.float32]
    s1_days: tuple[date, ...]
    s1: NDArray[np.float32]

    def cloudy(self) -> NDArray[np.bool_]:
        """Cloud and cloud shadow by the scene classification, (date, row, column); missing pixels are not cloudy.

        Snow counts as cloud. This excludes real snow, but no ice cloud counts as clear.
        """
        return np.isin(self.scl, CLOUDY_SCL) & self.valid

    def nearest_radar(self, day: date, max_days: int) -> int | None:
        """Index of the Sentinel-1 date nearest to a day (the earlier of two), or None beyond `max_days`."""
        gaps = [abs((other - day).days) for other in self.s1_days]
        best = int(np.argmin(gaps)) if gaps else None
        return best if best is not None and gaps[best] <= max_days else None


@dataclass(frozen=True)
class Pair:
    """A Sentinel-2 date, with its clear dates and radar.

    Attributes:
        index: Index of the date in the site.
        cloudy: (row, column), cloud and cloud shadow.
        cover: Cloudy fraction of the valid pixels.
        clear: Indices of other dates that are clear, nearest in time first.
        radar: Index of the nearest Sentinel-1 date, or None.
    """

    index: int
    cloudy: NDArray[np.bool_]
    cover: float
    clear: tuple[int, ...]
    radar: int | None


def find_sites(folder: Path) -> list[SiteFiles]:
    """The sites in a folder and its subfolders, in the order of their names.

    Raises:
        InputError: There is no site, or a site has no radar.
    """
    sites = []
    for s2 in sorted(folder.rglob("S2_L2A_10m_*.nc")):
        name = s2.name.split("_")[3]
        radar = sorted(s2.parent.glob(f"S1_GRD-*_{name}_*.nc"))
        if not radar:
            raise InputError(
                f"{s2}: no Sentinel-1 beside it.", f"Add S1_GRD-ASCENDING_20m_{name}_*.nc.", code="missing-file"
            )
        sites.append(SiteFiles(name, s2, radar[0]))
    if not sites:
        raise InputError(
            f"{folder}: no sites of WorldCereal.",
            "Their file names look like S2_L2A_10m_<site>_<epsg>_<from>_<to>.nc.",
            code="no-samples",
        )
    return sites


def read_site(s2_path: Path, s1_path: Path) -> Site:
    """Read one site.

    Args:
        s2_path: File of the 10 m bands. The file of the 20 m bands is beside it, with ``20m`` in its name.
        s1_path: File of the radar.

    Raises:
        InputError: h5py is not installed; a file is missing, damaged or lacks a variable; or grids or dates differ.
    """
    coarse_path = s2_path.with_name(s2_path.name.replace("_10m_", "_20m_"))
    with readable(s2_path.parent), opened(s2_path) as fine, opened(coarse_path) as coarse, opened(s1_path) as radar:
        grid = _grid(fine, s2_path)
        days = _days(fine, s2_path)
        if _days(coarse, coarse_path) != days:
            raise InputError(
                f"{coarse_path}: its dates differ from those of {s2_path.name}.",
                "Extract both again.",
                code="dates-differ",
            )
        s1_days = _days(radar, s1_path)
        steps = _steps(coarse, coarse_path, grid)
        bands = tuple(band for band in S2_BANDS if has(fine, band) or has(coarse, band))
        if not has(fine, "B02"):
            raise InputError(f"{s2_path}: has no B02.", "Extract the site again.", code="bands-missing")
        planes, valid = [], np.ones((len(days), *grid.shape), np.bool_)
        for band in bands:
            source, path, times = (fine, s2_path, 1) if has(fine, band) else (coarse, coarse_path, steps)
            values = _larger(variable(source, path, band, len(days)), times)
            valid &= np.isfinite(values)
            planes.append(np.rint(np.nan_to_num(values)).astype(np.uint16))
        scl = np.nan_to_num(variable(coarse, coarse_path, "SCL", len(days))).astype(np.uint8)
        scl = scl.repeat(steps, axis=1).repeat(steps, axis=2)
        valid &= ~np.isin(scl, _NO_SCL)
        s2 = np.stack(planes, axis=1)
        s2[~np.broadcast_to(valid[:, None], s2.shape)] = 0
        sun = [per_date(coarse, coarse_path, name, len(days)) for name in ("sunZenithAngles", "sunAzimuthAngles")]
        s1 = _radar(radar, s1_path, grid, len(s1_days))
    return Site(
        name=s2_path.name.split("_")[3] if s2_path.name.count("_") > 3 else s2_path.stem,
        grid=grid,
        days=days,
        bands=bands,
        s2=s2,
        scl=scl,
        valid=valid,
        sun=np.stack(sun, axis=1).astype(np.float32),
        s1_days=s1_days,
        s1=s1,
    )


def clear_dates(site: Site, max_cover: float = 0.05) -> tuple[int, ...]:
    """Indices of the clear dates.

    The scene classification misses thin clouds, so it is not sufficient. A date is clear if all pixels have a value, at
    most the fraction `max_cover` is cloudy, at most half is unclassified, and at most `max_cover` is unusually bright
    in the blue. Unusually bright is 0.05 reflectance above the median of the dates that meet the other conditions.
    """
    cloudy, everywhere = site.cloudy(), site.valid.all(axis=(1, 2))
    passed = everywhere & (cloudy.mean(axis=(1, 2)) <= max_cover)
    passed &= (site.scl == UNCLASSIFIED).mean(axis=(1, 2)) <= _UNSURE
    if not passed.any():
        return ()
    blue = site.s2[:, site.bands.index("B02")].astype(np.int32)
    brighter = blue - np.median(blue[passed], axis=0) > _BRIGHTER
    passed &= brighter.mean(axis=(1, 2)) <= max_cover
    return tuple(int(index) for index in np.flatnonzero(passed))


def pairs(site: Site, max_days: int = 30, *, max_cover: float = 0.05, max_radar_days: int = 12) -> list[Pair]:
    """Clouds, nearby clear dates and nearest radar of each date.

    Args:
        site: The site.
        max_days: Largest distance of a clear date in days, because fields change.
        max_cover: Largest fraction of cloudy pixels of a clear date.
        max_radar_days: Largest distance of the radar in days.

    Returns:
        One pair per date, including clear dates. `clear` is empty without a clear date nearby.
    """
    cloudy, clear = site.cloudy(), clear_dates(site, max_cover)
    found = []
    for index, day in enumerate(site.days):
        gaps = sorted((abs((site.days[other] - day).days), other) for other in clear if other != index)
        pixels = int(site.valid[index].sum())
        found.append(
            Pair(
                index=index,
                cloudy=cloudy[index],
                cover=float(cloudy[index].sum() / pixels) if pixels else 0.0,
                clear=tuple(other for gap, other in gaps if gap <= max_days),
                radar=site.nearest_radar(day, max_radar_days),
            )
        )
    return found


def _grid(file: h5py.File, path: Path) -> Grid:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError
    from rasterio.transform import Affine

    try:
        for name in ("x", "y", "spatial_ref"):
            check_inside(file, path, name)
        x, y = file["x"][()], file["y"][()]
        crs = CRS.from_wkt(text_of(file["spatial_ref"].attrs["crs_wkt"]))
    except (KeyError, CRSError) as error:
        raise InputError(f"{path}: has no usable grid ({error}).", "Extract the site again.", code="no-crs") from error
    across, down = float(x[1] - x[0]), float(y[1] - y[0])
    transform = Affine(across, 0.0, float(x[0]) - across / 2, 0.0, down, float(y[0]) - down / 2)
    return Grid(crs, transform, len(x), len(y))


def _steps(file: h5py.File, path: Path, grid: Grid) -> int:
    """Number of pixels of `grid` per pixel of the file, which must cover the same area."""
    own = _grid(file, path)
    steps = round(own.pixel_size[0] / grid.pixel_size[0])
    if steps < 1 or own.crs != grid.crs or not np.allclose(own.bounds, grid.bounds, atol=0.01 * grid.pixel_size[0]):
        raise InputError(f"{path}: does not cover the area of the 10 m bands.", "Extract both again.", code="grid")
    return steps


def _days(file: h5py.File, path: Path) -> tuple[date, ...]:
    try:
        check_inside(file, path, "timestamp")
        offsets = file["timestamp"][()]
        units = text_of(file["timestamp"].attrs["units"])
    except KeyError as error:
        raise InputError(f"{path}: has no dates ({error}).", "Extract the site again.", code="no-dates") from error
    named = re.fullmatch(r"(seconds|minutes|hours|days) since (\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2}).*)?", units)
    if named is None:
        raise InputError(f"{path}: unknown unit of time {units!r}.", "Extract the site again.", code="no-dates")
    start = datetime.fromisoformat(f"{named[2]}T{named[3] or '00:00:00'}")
    days = tuple((start + timedelta(seconds=float(offset) * _UNITS[named[1]])).date() for offset in offsets)
    if any(later < earlier for earlier, later in pairwise(days)):
        raise InputError(f"{path}: its dates are not in order.", "Extract the site again.", code="no-dates")
    return days


def _radar(file: h5py.File, path: Path, grid: Grid, dates: int) -> NDArray[np.float32]:
    steps = _steps(file, path, grid)
    bands = []
    for name in ("VV", "VH"):
        db = variable(file, path, name, dates) * float(file[name].attrs.get("scale_factor", 1.0))
        bands.append(10 * np.log10(_larger(10 ** (db / 10), steps)))
    return np.stack(bands, axis=1).astype(np.float32)


def _larger(values: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """(date, row, column) at `times` the resolution, bilinear; NaN where less than half of the weight is valid."""
    if times == 1:
        return values
    factors = (1, times, times)
    known = np.isfinite(values)
    weight = zoom(known.astype(np.float64), factors, order=1, mode="nearest", grid_mode=True)
    total = zoom(np.where(known, values, 0.0), factors, order=1, mode="nearest", grid_mode=True)
    enough = weight >= 0.5 - 1e-9
    larger: NDArray[np.float64] = np.where(enough, total / np.where(enough, weight, 1.0), np.nan)
    return larger
