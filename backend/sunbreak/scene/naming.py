"""Names the bands of one Sentinel-2 file: from the option, STAC item, descriptions, tags, file name or number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.bands import (
    BY_COUNT,
    S2_BANDS,
    band_in_file_name,
    band_of_wavelength,
    canonical_band,
    duplicates,
    names_mask,
)
from sunbreak.scene.mask_codings import SCL
from sunbreak.scene.product import Sidecar
from sunbreak.scene.sampling import sample_windows

NAMING_HINT = (
    "Give the bands names (band descriptions B02, B03, ...), or say them in the file's order with --s2-bands, with - "
    "for a band to leave out."
)
LEFT_OUT = "-"
"""Stands for a band to leave out, among the names of --s2-bands."""

_COUNTED = re.compile(r"^(?:BAND[ _-]?|#)?(\d{1,3})$", re.IGNORECASE)
_YES = (1.0, 255.0, 65535.0)  # what masks hold where there is data
_VALIDITY = re.compile(r"^(?:data[ _-]?mask|valid(?:ity)?[ _-]?mask|is[ _-]?valid|alpha)$", re.IGNORECASE)
_TAKEN_AS = {
    13: "all 13 bands in native order",
    12: "12 bands in native order without B10",
    10: "the 10 and 20 m bands in native order",
}


def wanted_order(order: Sequence[str] | None, paths: Sequence[Path]) -> list[str | None] | None:
    """The user's own band names as canonical ones: one for each band of one file, or one for each of several files.

    A band that is called `LEFT_OUT` is None.

    Raises:
        InputError: ``bands-unknown`` or ``duplicate-bands``.
    """
    if order is None:
        return None
    names = [canonical_band(name) for name in order]
    for name, given in zip(names, order, strict=True):
        if name is None and given.strip() != LEFT_OUT:
            raise InputError(
                f"--s2-bands: {given!r} is not a Sentinel-2 band.",
                f"Use {', '.join(S2_BANDS)}, or {LEFT_OUT} for a band to leave out.",
                code="bands-unknown",
            )
    if not any(names):
        raise InputError("--s2-bands leaves out every band.", "Name the bands to use.", code="bands-unknown")
    known = [name for name in names if name is not None]
    double = duplicates(known)
    if double:
        raise InputError(f"--s2-bands names {double[0]} twice.", "Name every band once.", code="duplicate-bands")
    if len(paths) > 1 and len(paths) != len(names):
        raise InputError(
            f"--s2-bands names {len(names)} bands for {len(paths)} files.",
            "Name one band for each file.",
            code="bands-unknown",
        )
    return names


def band_names(
    dataset: DatasetReader,
    path: Path,
    sidecar: Sidecar | None,
    wanted: Sequence[str | None] | None,
    *,
    alone: bool,
    unnamed: Sequence[str] | None = None,
) -> tuple[list[str | None], str]:
    """The canonical name of each band (None for others), and the convention that gave it (``count`` for an assumption).

    Args:
        dataset: The opened file.
        path: Its path.
        sidecar: The STAC item beside it, if any.
        wanted: What the user says. It overrides everything else.
        alone: It is the only file, so `wanted` names its bands; otherwise its first band.
        unnamed: Names of bands without names, in their order; native order by default.

    Raises:
        InputError: ``bands-unknown`` if `wanted` does not fit, ``duplicate-bands``.
    """
    count = dataset.count
    if wanted is not None:
        if not alone:
            return [wanted[0], *([None] * (count - 1))], "option"
        if len(wanted) != count:
            raise InputError(
                f"--s2-bands names {len(wanted)} bands, but {path} has {count}.",
                "Name all of them in order.",
                code="bands-unknown",
            )
        return list(wanted), "option"
    for names, how in (
        (list(sidecar.names) if sidecar and len(sidecar.bands) == count else [], "its STAC item"),
        (
            [] if only_count(dataset.descriptions) else [_described(text, dataset) for text in dataset.descriptions],
            "its band descriptions" if dataset.driver != "VRT" else "its band descriptions or the names of its files",
        ),
        ([_from_tags(dataset, index) for index in range(1, count + 1)], "its band tags"),
        ([band_in_file_name(path.stem)] if count == 1 else [], "its name"),
    ):
        if any(names):
            double = duplicates(names)
            if double:
                raise InputError(f"{path}: {how[4:]} name {double[0]} twice.", NAMING_HINT, code="duplicate-bands")
            return names, how
    left_out = validity_bands(dataset)
    if count - len(left_out) in BY_COUNT and dataset.dtypes[0] != "uint8":
        order = iter(unnamed or BY_COUNT[count - len(left_out)])
        return [None if index in left_out else next(order) for index in range(1, count + 1)], "count"
    return [None] * count, ""


def _described(text: str | None, dataset: DatasetReader) -> str | None:
    """The band that a description speaks of; in a virtual raster the name of the band's file may stand for it."""
    return canonical_band(text) or (band_in_file_name(text) if text and dataset.driver == "VRT" else None)


def only_count(descriptions: Sequence[str | None]) -> bool:
    """Whether names count the bands of the file from 1 on: ENVI headers and many exports say "Band 1", "Band 2", ...

    Bands without a name, and those that are named as holding the validity of the pixels, tell nothing.
    "B1", "B2", ... are names of Sentinel-2 bands, unless they go up to a B13, which there is not.
    """
    names = {
        index: text.strip()
        for index, text in enumerate(descriptions, 1)
        if text and text.strip() and not _VALIDITY.match(text.strip())
    }
    if len(names) < 2:
        return False
    counted = {index: found for index, text in names.items() if (found := _COUNTED.match(text))}
    if len(counted) == len(names) and all(int(found[1]) == index for index, found in counted.items()):
        return True
    return len(names) >= 13 and all(text == f"B{index}" for index, text in names.items())


def validity_bands(dataset: DatasetReader) -> list[int]:
    """Bands (from 1) that say which pixels hold data.

    They are an alpha channel, a band that is called so, as Sentinel Hub's ``dataMask``, or an unnamed last band beside
    10, 12 or 13 others that holds 0 and one other number alone.
    """
    named = [
        index
        for index, (text, kind) in enumerate(zip(dataset.descriptions, dataset.colorinterp, strict=True), 1)
        if kind == ColorInterp.alpha or (text and _VALIDITY.match(text.strip()))
    ]
    last = dataset.count
    if named or last - 1 not in BY_COUNT or (dataset.descriptions[-1] and not only_count(dataset.descriptions)):
        return named
    values = {float(value) for window in sample_windows(_whole(dataset)) for value in _values(dataset, last, window)}
    return [last] if len(values) <= 2 and values <= {0.0, max(values)} and max(values) in _YES else []


def says_where_data_is(dataset: DatasetReader, path: Path) -> bool:
    """Whether the only band of a file says which pixels hold data: it or the file is called so."""
    return bool(validity_bands(dataset)) or bool(_VALIDITY.match(path.stem))


def _whole(dataset: DatasetReader) -> Window:
    return Window(0, 0, dataset.width, dataset.height)


def _values(dataset: DatasetReader, index: int, window: Window) -> NDArray[Any]:
    found: NDArray[Any] = np.unique(dataset.read(index, window=window))
    return found[:3]


def _from_tags(dataset: DatasetReader, index: int) -> str | None:
    tags = {key.lower(): value for key, value in dataset.tags(index).items()}
    for key in ("bandname", "band_name", "name", "band", "long_name", "common_name"):
        found = canonical_band(tags.get(key))
        if found:
            return found
    for key in ("wavelength", "central_wavelength", "center_wavelength", "central_wavelength_um", "wavelength_nm"):
        found = band_of_wavelength(tags.get(key), tags.get("wavelength_unit", tags.get("wavelength_units", "")))
        if found:
            return found
    return None


def refuse_unnamed(dataset: DatasetReader, path: Path) -> None:
    """Raise ``rgb-image`` or ``bands-unknown`` for a file in which no band has a name."""
    if names_mask(path.stem):
        raise InputError(
            f"{path} is a mask of a product, not a band.",
            "Give the bands, and a mask of clouds with --mask.",
            code="bands-unknown",
        )
    if dataset.dtypes[0] == "uint8" and dataset.count in (3, 4):
        raise InputError(
            f"{path} is a true-colour picture (8 bits, {dataset.count} bands), not measurements.",
            "Give the product's bands, not its TCI or preview.",
            code="rgb-image",
        )
    raise InputError(
        f"{path}: which Sentinel-2 bands its {dataset.count} band{'s are' if dataset.count > 1 else ' is'} cannot be "
        "told.",
        NAMING_HINT,
        code="bands-unknown",
    )


def classification_band(names: Sequence[str | None], descriptions: Sequence[str | None]) -> int | None:
    """The band (from 1) that its description calls a scene classification (SCL), among bands of a scene, or None."""
    return next(
        (
            index
            for index, (name, text) in enumerate(zip(names, descriptions, strict=True), 1)
            if name is None and text and SCL.rank(text) is not None
        ),
        None,
    )


def naming_notes(
    path: Path,
    names: Sequence[str | None],
    how: str,
    descriptions: Sequence[str | None],
    validity: Sequence[int] = (),
) -> list[str]:
    """What the user should know about how the bands of a file were named, and which of them hold its validity."""
    taken = [name for name in names if name]
    told = [
        f"{path.name}: band {descriptions[index - 1] or index} says which pixels hold data (0: none)."
        for index in validity
    ]
    if how == "count":
        as_told = tuple(taken) == BY_COUNT[len(taken)]
        words = f"taken as {_TAKEN_AS[len(taken)]}" if as_told else "by their spectra they are taken"
        return [f"{path.name} does not name its bands; {words} ({', '.join(taken)}).", *told]
    # what becomes of the scene classification is said by `Scene.open`
    own = classification_band(names, descriptions)
    unnamed = [
        (descriptions[index] or str(index + 1))[:40]
        for index, name in enumerate(names)
        if name is None and index + 1 != own and index + 1 not in validity
    ]
    notes = [f"Bands of {path.name} are known from {how}."] if len(names) > 1 and how != "option" else []
    if unnamed:
        notes.append(f"{path.name}: band {', '.join(unnamed)} is not a Sentinel-2 band and is left out.")
    return notes + told
