"""What is given as an array becomes a GeoTIFF for the time of a job."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.jobs.spec import JobInputs
from sunbreak.scene.mask_codings import CodingOption
from sunbreak.scene.radar_units import RadarUnitOption
from sunbreak.scene.radiometry import OffsetOption, UnitOption
from sunbreak.scene.validity import NodataOption

if TYPE_CHECKING:
    from affine import Affine

Paths: TypeAlias = "str | Path | Sequence[str | Path]"
Array: TypeAlias = "NDArray[Any]"


class Reading(TypedDict, total=False):
    """How a scene is read; all functions that take a scene have these keywords.

    Attributes:
        transform: Affine transform of the arrays, if arrays are given (``rasterio.transform.from_origin``).
        crs: Coordinate reference system of the arrays: ``"EPSG:32633"``, or a `rasterio.crs.CRS`.
        bands: Names of the Sentinel-2 bands in the order of the array or file: ``["B02", "B03", ...]``. Needed if the
            file does not say, and for an array without all 13 bands.
        window: (column, row, width, height) in pixels: work on this part only.
        bbox: (left, bottom, right, top) in the scene's CRS: work on this part only.
        s2_unit: What the stored Sentinel-2 numbers are: ``auto``, ``dn`` or ``reflectance``.
        s2_offset: Added to stored numbers: ``auto``, 0, or -1000 (processing baseline 04.00 and later).
        s2_scale: Reflectance of one stored number, where the files do not say: 0.01 for percent.
        s2_nodata: The stored number of pixels without data: ``auto``, ``none``, or a number.
        s1_unit: What the stored Sentinel-1 numbers are: ``auto``, ``db``, ``linear`` (power) or
            ``amplitude``.
        mask_coding: What the values of the cloud mask stand for: ``auto``, ``binary``, ``probability``, ``percent``,
            ``probability-255``, ``scl``, ``qa60``, ``msk-classi``, ``fmask``, ``fmask4``, ``hls``, ``omnicloudmask`` or
            ``cloudscore``.
    """

    transform: Affine
    crs: Any
    bands: Sequence[str]
    window: tuple[int, int, int, int]
    bbox: tuple[float, float, float, float]
    s2_unit: UnitOption
    s2_offset: OffsetOption
    s2_nodata: NodataOption
    s2_scale: float | None
    s1_unit: RadarUnitOption
    mask_coding: CodingOption


class ScratchFolder:
    """A temporary folder that is deleted together with this object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="sunbreak-"))
        self._delete = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def located(
    folder: Path,
    s2: Paths | Array,
    s1: Paths | Array | None,
    mask: str | Path | Array | None,
    reading: Reading,
    **more: Any,
) -> JobInputs:
    """The inputs of a job as paths.

    Args:
        folder: Where arrays are written.
        s2: Sentinel-2: paths, or (band, row, column).
        s1: Sentinel-1: paths, or (2, row, column) with VV and VH on the same grid.
        mask: Cloud mask: a path, or (row, column) on the same grid.
        reading: How they are read.
        more: Further fields of `JobInputs`.

    Raises:
        InputError: An array has no transform and CRS (``no-crs``) or another shape (``bad-array``).
    """
    given = dict(reading)
    transform, crs, bands = (given.pop(name, None) for name in ("transform", "crs", "bands"))
    names: Any = bands
    return JobInputs(
        _paths(folder / "scene.tif", s2, transform, crs),
        () if s1 is None else _paths(folder / "radar.tif", s1, transform, crs, ("VV", "VH")),
        None if mask is None else _paths(folder / "mask.tif", mask, transform, crs)[0],
        s2_bands=None if names is None else tuple(names),
        **given,  # type: ignore[arg-type]
        **more,
    )


def one_path(path: Path, given: str | Path | Array, transform: Any, crs: Any) -> Path:
    """A path as it is; an array is written to `path` first.

    Raises:
        InputError: See `located`.
    """
    return _paths(path, given, transform, crs)[0]


def _paths(path: Path, given: Paths | Array, transform: Any, crs: Any, names: Sequence[str] = ()) -> tuple[Path, ...]:
    if isinstance(given, (str, Path)):
        return (Path(given),)
    if isinstance(given, np.ndarray):
        _write(path, given, transform, crs, names)
        return (path,)
    return tuple(Path(one) for one in given)


def _write(path: Path, values: Array, transform: Any, crs: Any, names: Sequence[str]) -> None:
    import rasterio

    if transform is None or crs is None:
        raise InputError("An array is given without its place on the ground.", "Give transform and crs.", code="no-crs")
    if values.dtype == bool:
        values = values.astype(np.uint8)
    elif values.dtype == np.float64:
        values = values.astype(np.float32)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.dtype.kind not in "uif" or (names and len(values) != len(names)):
        wanted = f"({len(names)}, row, column)" if names else "(band, row, column)"
        raise InputError(
            f"An array of shape {values.shape} and type {values.dtype} is no raster.",
            f"Give numbers in the shape {wanted}.",
            code="bad-array",
        )
    count, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=values.dtype, crs=crs,
        transform=transform,
    ) as file:  # fmt: skip
        file.write(values)
        for index, name in enumerate(names, 1):
            file.set_band_description(index, name)
