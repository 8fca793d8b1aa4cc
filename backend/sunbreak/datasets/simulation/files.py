"""Writes simulated scenes as georeferenced files, and the bundled demo scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from sunbreak.datasets.simulation.dates import OtherDate, simulate_dates
from sunbreak.datasets.simulation.landscape import CLASSES, Season
from sunbreak.datasets.simulation.scene import SimulatedScene, simulate_scene
from sunbreak.drafts import draft
from sunbreak.errors import OutputError
from sunbreak.outputs import check_files
from sunbreak.scene import S2_BANDS

DEMO_SIDE, DEMO_SEED, DEMO_COVER = 768, 94, 0.25
DEMO_SEASON: Season = "summer"
DEMO_ACQUIRED = datetime(2021, 6, 5, 10, 20, 31, tzinfo=timezone.utc)
# fields are green and some trees bare in the first; cereals are harvested and meadows dry in the second
DEMO_DATES = {
    "before": OtherDate(DEMO_ACQUIRED - timedelta(35), 0.12, 1),
    "after": OtherDate(DEMO_ACQUIRED + timedelta(50), 0.26, 3),
}
_ROLES = ("s2_cloudy", "s2_clear", "s1", "landcover", "cloud")
_DN_STEP, _DB_STEP = 12, 0.25


class _Raster(NamedTuple):
    values: NDArray[Any]
    bands: Sequence[str]
    unit: str = ""
    acquired: datetime | None = None


def check_scene(directory: Path, stem: str = "scene", *, overwrite: bool = False, dates: Iterable[str] = ()) -> None:
    """Check that the files of a scene can be written, before it is simulated.

    Args:
        directory: Folder.
        stem: How the names of the files begin.
        overwrite: Whether existing files may be replaced.
        dates: What the names of other dates begin with after the stem, such as 20210501.

    Raises:
        OutputError: A file exists and `overwrite` is False, or the folder cannot be written.
    """
    before = ["", *(f"{date}_" for date in dates)]
    check_files([directory / f"{stem}_{date}{role}.tif" for date in before for role in _ROLES], overwrite=overwrite)


def write_scene(
    directory: Path,
    scene: SimulatedScene,
    stem: str = "scene",
    *,
    overwrite: bool = False,
    acquired: datetime | None = None,
    others: Mapping[datetime, SimulatedScene] | None = None,
) -> dict[str, Path]:
    """Write a scene, and other dates of its place, as GeoTIFFs at 10 m in UTM zone 32N.

    Args:
        directory: Folder; created if missing.
        scene: The scene.
        stem: How the names of the files begin.
        overwrite: Whether existing files may be replaced.
        acquired: Date and time of the scene, a tag of its files; without it they have no date.
        others: Other dates by date and time. Their names hold the date: `<stem>_20210501_s2_cloudy.tif`.

    Returns:
        Paths by role: s2_cloudy, s2_clear, s1, landcover, cloud; those of other dates as 20210501_s2_cloudy.

    Raises:
        OutputError: A file exists and `overwrite` is False, or the folder cannot be written.
    """
    rasters = _rasters(scene, acquired)
    for date, other in (others or {}).items():
        rasters |= {f"{date:%Y%m%d}_{role}": raster for role, raster in _rasters(other, date).items()}
    return _write_all(Path(directory), stem, rasters, overwrite)


def write_demo(directory: Path, *, overwrite: bool = False) -> dict[str, Path]:
    """Write the demo scene, and Sentinel-2 of the place on a date before and one after it.

    DN in steps of 12 (the noise level) and dB in steps of 0.25 make the files small.
    """
    check_scene(Path(directory), "demo", overwrite=overwrite)
    check_files([Path(directory) / f"demo_s2_{name}.tif" for name in DEMO_DATES], overwrite=overwrite)
    scene = simulate_scene(DEMO_SIDE, DEMO_SEED, cover=DEMO_COVER, season=DEMO_SEASON)
    rounded = SimulatedScene(
        **{
            **scene.__dict__,
            "clear": _in_steps(scene.clear),
            "cloudy": _in_steps(scene.cloudy),
            "s1": (np.rint(scene.s1 / _DB_STEP) * _DB_STEP).astype(np.float32),
        }
    )
    rasters = _rasters(rounded, DEMO_ACQUIRED)
    others = simulate_dates(DEMO_SIDE, DEMO_SEED, DEMO_ACQUIRED, list(DEMO_DATES.values()), season=DEMO_SEASON)
    for (name, date), other in zip(DEMO_DATES.items(), others, strict=True):
        rasters[f"s2_{name}"] = _Raster(_in_steps(other.cloudy), S2_BANDS, "DN", date.acquired)
    return _write_all(Path(directory), "demo", rasters, overwrite)


def _rasters(scene: SimulatedScene, acquired: datetime | None) -> dict[str, _Raster]:
    return {
        "s2_cloudy": _Raster(scene.cloudy, S2_BANDS, "DN", acquired),
        "s2_clear": _Raster(scene.clear, S2_BANDS, "DN", acquired),
        "s1": _Raster(scene.s1, ("VV", "VH"), "dB", acquired),
        "landcover": _Raster(scene.landcover[None], ("landcover",), "", acquired),
        "cloud": _Raster(scene.cloud[None].astype(np.uint8), ("cloud",), "", acquired),
    }


def _write_all(directory: Path, stem: str, rasters: Mapping[str, _Raster], overwrite: bool) -> dict[str, Path]:
    paths = {role: directory / f"{stem}_{role}.tif" for role in rasters}
    check_files(list(paths.values()), overwrite=overwrite)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {directory} cannot be created: {error.strerror}.", "Choose another folder."
        ) from error
    with ExitStack() as drafts:  # no file gets its name before all are written
        for role, raster in rasters.items():
            _write(drafts.enter_context(draft(paths[role])), raster)
    return paths


def _in_steps(dn: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return np.maximum((dn + _DN_STEP // 2) // _DN_STEP * _DN_STEP, _DN_STEP).astype(np.uint16)


def _write(path: Path, raster: _Raster) -> None:
    values, bands, unit, acquired = raster
    count, rows, columns = values.shape
    profile = {
        "driver": "GTiff", "count": count, "height": rows, "width": columns, "dtype": values.dtype,
        "crs": "EPSG:32632", "transform": from_origin(600000, 5400000, 10, 10), "tiled": True, "blockxsize": 256,
        "blockysize": 256, "compress": "zstd", "zstd_level": 19, "predictor": 3 if values.dtype.kind == "f" else 2,
        "interleave": "band",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values)
        if acquired is not None:
            target.update_tags(ACQUISITION_DATETIME=f"{acquired:%Y-%m-%dT%H:%M:%SZ}")
        for index, name in enumerate(bands, 1):
            target.set_band_description(index, name)
            if unit:
                target.set_band_unit(index, unit)
        if bands[0] == "landcover":
            target.write_colormap(1, {value: _rgb(colour) for value, (_, colour) in CLASSES.items()})
            target.update_tags(1, **{f"CLASS_{value}": name for value, (name, _) in CLASSES.items()})


def _rgb(colour: str) -> tuple[int, int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255
