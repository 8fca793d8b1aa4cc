"""A cloud mask that the user already has: a scene classification (SCL), a binary mask or a probability, on any grid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import describe_bounds, grid_of
from sunbreak.scene.grid import Grid
from sunbreak.scene.resample import Mapping
from sunbreak.scene.sampling import strips
from sunbreak.sources import RasterSource, raster_source
from sunbreak.sources.gdal import environment

MaskKind = Literal["scl", "binary", "probability"]

#: Classes of the Sen2Cor scene classification that are cloud or its shadow: shadow, medium and high probability, thin
# cirrus.
SCL_CLOUD = (3, 8, 9, 10)
PROBABILITY_THRESHOLD = 0.5
_HINT = "Give a scene classification (SCL 0..11), a mask of 0 and 1 (or 255), or a probability 0..1."


@dataclass(frozen=True)
class CloudMask:
    """A mask file and how it is to be understood.

    Attributes:
        file: The file; its first band is read.
        kind: What the numbers mean.
        cloud: The numbers that are cloud or shadow (not for probabilities).
        nodata: The declared nodata value: not cloud.
        scale: With `offset`, from stored numbers to probability.
        offset: See `scale`.
        mapping: From the scene's whole grid to the mask's.
        of_product: It came with the scene, nobody chose it.
    """

    file: RasterSource
    kind: MaskKind
    cloud: tuple[int, ...]
    nodata: float | None
    scale: float
    offset: float
    mapping: Mapping
    of_product: bool = False


def find_mask(
    given: Path | str, grid: Grid, crop: Window, *, of_product: bool = False
) -> tuple[CloudMask, list[str], list[str]]:
    """Open a mask and tell what kind it is. All of it is looked at: one stray number changes its meaning.

    Args:
        given: What the user named.
        grid: The scene's whole grid.
        crop: The part of it that is worked on.
        of_product: It came with the scene.

    Returns:
        The mask, notes and warnings.

    Raises:
        InputError: everything `RasterSource` and `grid_of` say; ``mask-bands``, ``mask-values``, ``no-overlap``.
    """
    file = raster_source(given, "mask file")
    path = file.path
    file.check()
    with file.open() as dataset:
        if dataset.count != 1:
            raise InputError(
                f"{path} has {dataset.count} bands; a mask has one.", "Give the mask alone.", code="mask-bands"
            )
        mapping = Mapping(grid_of(dataset, path), grid)
        scale, offset = float(dataset.scales[0]) or 1.0, float(dataset.offsets[0])
        nodata = dataset.nodata
        with file.reading(), environment():
            if dataset.dtypes[0] in ("uint8", "int8", "uint16", "int16") and scale == 1.0:
                kind, cloud, note = _classes(path, _values(dataset), nodata)
            else:
                kind, cloud, note = _probability(path, dataset, nodata, scale, offset)
    coverage = mapping.coverage(crop)
    if coverage == 0:
        raise InputError(
            f"{path} does not overlap the scene: it covers {describe_bounds(mapping.source, grid)}, "
            f"the scene {describe_bounds(grid.crop(crop))}.",
            "Give a mask of the same place.",
            code="no-overlap",
        )
    warnings = [] if coverage > 0.995 else [f"The mask covers {coverage:.0%} of the scene; the rest counts as clear."]
    return CloudMask(file, kind, cloud, nodata, scale, offset, mapping, of_product), [note], warnings


def _strips(dataset: DatasetReader) -> Iterator[NDArray[Any]]:
    for window in strips(Window(0, 0, dataset.width, dataset.height)):
        yield dataset.read(1, window=window)


def _values(dataset: DatasetReader) -> set[int]:
    found: set[int] = set()
    for strip in _strips(dataset):
        found.update(int(value) for value in np.unique(strip))
        if len(found) > 300:
            break
    return found


def _classes(path: Path, values: set[int], nodata: float | None) -> tuple[MaskKind, tuple[int, ...], str]:
    present = values - ({int(nodata)} if nodata is not None and not np.isnan(nodata) and nodata != 0 else set())
    named_scl = "SCL" in path.stem.upper()
    if present <= set(range(12)) and (named_scl or not present <= {0, 1}):
        return (
            "scl",
            SCL_CLOUD,
            f"{path.name} is taken as a scene classification (SCL): 3, 8, 9 and 10 are cloud or shadow.",
        )
    if present <= {0, 1}:
        return "binary", (1,), f"{path.name} is taken as a binary mask: 1 is cloud."
    if present <= {0, 255}:
        return "binary", (255,), f"{path.name} is taken as a binary mask: 255 is cloud."
    shown = ", ".join(str(value) for value in sorted(present)[:8])
    raise InputError(f"{path}: numbers such as {shown} are no mask.", _HINT, code="mask-values")


def _probability(
    path: Path, dataset: DatasetReader, nodata: float | None, scale: float, offset: float
) -> tuple[MaskKind, tuple[int, ...], str]:
    low, high = np.inf, -np.inf
    for strip in _strips(dataset):
        values = _physical(strip, nodata, scale, offset)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if high == -np.inf:
        raise InputError(f"{path} holds no valid number.", _HINT, code="mask-values")
    if low < -1e-6 or high > 1 + 1e-6:
        raise InputError(f"{path}: numbers from {low:g} to {high:g} are no probability.", _HINT, code="mask-values")
    return (
        "probability",
        (),
        f"{path.name} is taken as a cloud probability: {PROBABILITY_THRESHOLD:g} and more is cloud.",
    )


def _physical(raw: NDArray[Any], nodata: float | None, scale: float, offset: float) -> NDArray[np.float32]:
    values = raw.astype(np.float32)
    if nodata is not None and not np.isnan(nodata):
        values[raw == nodata] = np.nan
    return values * np.float32(scale) + np.float32(offset)


class MaskReader:
    """An open handle on a `CloudMask`. For one thread."""

    def __init__(self, mask: CloudMask) -> None:
        self.mask = mask
        self._exit = ExitStack()
        self._dataset = self._exit.enter_context(mask.file.open())

    def __enter__(self) -> MaskReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def read(self, window: Window) -> NDArray[np.bool_]:
        """(row, column), True for cloud or shadow, for a window of the scene's whole grid (nearest neighbour)."""
        with environment(), self.mask.file.reading():
            clouds = self.mask.mapping.nearest(window, self._clouds)
        if clouds is None:
            return np.zeros((int(window.height), int(window.width)), bool)
        return clouds

    def _clouds(self, part: Window) -> NDArray[np.bool_]:
        raw = self._dataset.read(1, window=part)
        mask = self.mask
        if mask.kind == "probability":
            with np.errstate(invalid="ignore"):
                probability = _physical(raw, mask.nodata, mask.scale, mask.offset)
                return np.asarray(probability >= PROBABILITY_THRESHOLD)
        return np.isin(raw, mask.cloud)
