"""The files that a virtual raster (VRT) takes its pixels from: where they may lie, and what each of them is.

They are GeoTIFF and JPEG 2000 files in the folder of the VRT or below it, links followed, and are checked as if each
had been named by the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rasterio.enums import MaskFlags

from sunbreak.errors import InputError
from sunbreak.sources.gdal import open_pinned
from sunbreak.sources.local import LocalRaster, unread_sidecars
from sunbreak.sources.vrt_document import DTYPES, INTO_A_FILE, VrtDocument, VrtSource

_CONNECTION = re.compile(r"^(/vsi\w+|<|[A-Za-z][A-Za-z0-9+.\-_]+:)")
_GDAL_TYPES = {name: kind for kind, name in DTYPES.items()}


@dataclass(frozen=True, eq=False)
class Part:
    """A file that a VRT takes pixels from. Tuples hold one entry for each band.

    Attributes:
        path: The file, links followed.
        driver: The one driver of GDAL that reads it.
        width: In pixels.
        height: In pixels.
        dtypes: Names as numpy has them.
        types: Names as GDAL has them.
        block: Rows and columns of a block, as GDAL reports them for `pinned`.
        nodata: Declared nodata values.
        scales: Declared scales.
        offsets: Declared offsets.
        descriptions: Band descriptions.
        tags: Tags of the file.
        band_tags: Tags of each band.
        unwritten: Fraction of its blocks that were never written.
        masked: It holds a mask, which a VRT does not use by itself.
        unread: Sentences about what stands in files beside it.
    """

    path: Path
    driver: str
    width: int
    height: int
    dtypes: tuple[str, ...]
    types: tuple[str, ...]
    block: tuple[int, int]
    nodata: tuple[float | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    descriptions: tuple[str | None, ...]
    tags: dict[str, str]
    band_tags: tuple[dict[str, str], ...]
    unwritten: float
    masked: bool
    unread: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of bands."""
        return len(self.dtypes)


def part_paths(path: Path, document: VrtDocument) -> dict[VrtSource, Path]:
    """The file of each source, links followed.

    Raises:
        InputError: ``vrt-source``: it is no local file, is missing, or lies outside the folder of the VRT.
    """
    folder = path.resolve().parent
    known: dict[tuple[str, bool], Path] = {}
    found = {}
    for number, band in enumerate(document.layers, 1):
        for source in band.sources:
            key = source.name, source.relative
            if key not in known:
                known[key] = _place(path, folder, source, number)
            found[source] = known[key]
    return found


def _place(path: Path, folder: Path, source: VrtSource, band: int) -> Path:
    name = source.name
    shown = f"{path} is a virtual raster (VRT) whose band {band} takes pixels from {_printable(name)}"
    move = (
        f"Move the VRT to the folder of its files or one above, or turn it into a file:{INTO_A_FILE.partition(':')[2]}"
    )
    if name.startswith(("/vsi", "<")):
        raise InputError(f"{shown}, which is not a local file.", INTO_A_FILE, code="vrt-source")
    try:
        given = folder / name if source.relative else Path(name)
        real = given.resolve()
        there = given.is_absolute() and real.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, a link to itself
        raise InputError(f"{shown}, which cannot be read.", "Check the VRT.", code="vrt-source") from None
    if not there and _CONNECTION.match(name) and not re.match(r"^[A-Za-z]:[\\/]", name):
        raise InputError(f"{shown}, which is not a local file.", INTO_A_FILE, code="vrt-source")
    if not given.is_absolute():
        raise InputError(
            f"{shown}, relative to a folder that is not known.",
            "Make it again with paths relative to the VRT (gdalbuildvrt in the folder of the VRT).",
            code="vrt-source",
        )
    if not real.is_relative_to(folder):
        raise InputError(f"{shown}, which lies outside the VRT's own folder.", move, code="vrt-source")
    if not there:
        raise InputError(f"{shown}: there is no such file.", "Put it where the VRT expects it.", code="vrt-source")
    if "?" in str(real):
        raise InputError(f"{shown}: a path with a question mark.", "Rename it.", code="vrt-source")
    try:
        str(real).encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{shown}: a path that is not text in UTF-8.", "Rename it.", code="vrt-source") from None
    return real


def pinned(path: Path, driver: str) -> str:
    """The name by which GDAL opens a file with this driver and no other."""
    return f"vrt://{path}?if={driver}"


def look_into(path: Path, paths: Sequence[Path]) -> dict[Path, Part]:
    """Check the files of a VRT but for `check_hollow`, and read what they say about themselves.

    Raises:
        InputError: Everything that `LocalRaster` says about one of them.
    """
    with _about(path):
        return {one: _look(one) for one in dict.fromkeys(paths)}


def check_hollow(path: Path, parts: Sequence[Part]) -> None:
    """Refuse a VRT over a file that claims far more than it stores.

    Raises:
        InputError: ``too-large``.
    """
    with _about(path):
        for part in parts:
            LocalRaster(part.path).check()


@contextmanager
def _about(path: Path) -> Iterator[None]:
    """Name the VRT in what is said about a file of it."""
    try:
        yield
    except InputError as error:
        message = f"{path.name} takes pixels from a file: {error.message}"
        raise InputError(message, error.hint, code=error.code) from error


def _look(path: Path) -> Part:
    raster = LocalRaster(path)
    unwritten = raster.check(hollow=True)
    driver = raster.driver()
    with raster.open() as dataset, open_pinned(pinned(path, driver)) as as_source:
        other = next((name for name in dataset.dtypes if name not in _GDAL_TYPES), None)
        if other is not None:
            raise InputError(f"{path} holds {other} numbers.", "Convert it first: gdal_translate -ot.", code="bad-vrt")
        masked = any(
            MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in dataset.mask_flag_enums
        )
        return Part(
            path, driver, dataset.width, dataset.height, dataset.dtypes,
            tuple(_GDAL_TYPES[name] for name in dataset.dtypes), as_source.block_shapes[0], dataset.nodatavals,
            dataset.scales, dataset.offsets, dataset.descriptions, dataset.tags(),
            tuple(dataset.tags(band) for band in dataset.indexes), unwritten, masked,
            tuple(unread_sidecars(path, nameless=not any(dataset.descriptions))),
        )  # fmt: skip


def _printable(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}..."
