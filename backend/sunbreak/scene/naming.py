"""Names the bands of one Sentinel-2 file: from the option, STAC item, descriptions, tags, file name or number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rasterio.io import DatasetReader

from sunbreak.errors import InputError
from sunbreak.scene.bands import (
    BY_COUNT,
    S2_BANDS,
    band_in_file_name,
    band_of_wavelength,
    canonical_band,
    duplicates,
)
from sunbreak.scene.mask_codings import SCL
from sunbreak.scene.product import Sidecar

NAMING_HINT = "Give the bands names (band descriptions B02, B03, ...), or say them in the file's order with --s2-bands."
_TAKEN_AS = {
    13: "all 13 bands in native order",
    12: "12 bands in native order without B10",
    10: "the 10 and 20 m bands in native order",
}


def wanted_order(order: Sequence[str] | None, paths: Sequence[Path]) -> list[str] | None:
    """The user's own band names as canonical ones: one for each band of one file, or one for each of several files.

    Raises:
        InputError: ``bands-unknown`` or ``duplicate-bands``.
    """
    if order is None:
        return None
    names = [canonical_band(name) for name in order]
    for name, given in zip(names, order, strict=True):
        if name is None:
            raise InputError(
                f"--s2-bands: {given!r} is not a Sentinel-2 band.", f"Use {', '.join(S2_BANDS)}.", code="bands-unknown"
            )
    known = [name for name in names if name is not None]
    double = duplicates(known)
    if double:
        raise InputError(f"--s2-bands names {double[0]} twice.", "Name every band once.", code="duplicate-bands")
    if len(paths) > 1 and len(paths) != len(known):
        raise InputError(
            f"--s2-bands names {len(known)} bands for {len(paths)} files.",
            "Name one band for each file.",
            code="bands-unknown",
        )
    return known


def band_names(
    dataset: DatasetReader, path: Path, sidecar: Sidecar | None, wanted: Sequence[str] | None, *, alone: bool
) -> tuple[list[str | None], str]:
    """The canonical name of each band (None for others), and the convention that gave it (``count`` for an assumption).

    Args:
        dataset: The opened file.
        path: Its path.
        sidecar: The STAC item beside it, if any.
        wanted: What the user says. It overrides everything else.
        alone: It is the only file, so `wanted` names its bands; otherwise its first band.

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
        ([canonical_band(text) for text in dataset.descriptions], "its band descriptions"),
        ([_from_tags(dataset, index) for index in range(1, count + 1)], "its band tags"),
        ([band_in_file_name(path.stem)] if count == 1 else [], "its name"),
    ):
        if any(names):
            double = duplicates(names)
            if double:
                raise InputError(f"{path}: {how[4:]} name {double[0]} twice.", NAMING_HINT, code="duplicate-bands")
            return names, how
    if count in BY_COUNT and dataset.dtypes[0] != "uint8":
        return list(BY_COUNT[count]), "count"
    return [None] * count, ""


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


def naming_notes(path: Path, names: Sequence[str | None], how: str, descriptions: Sequence[str | None]) -> list[str]:
    """What the user should know about how the bands of a file were named."""
    if how == "count":
        return [
            f"{path.name} does not name its bands; taken as {_TAKEN_AS[len(names)]} ({', '.join(filter(None, names))})."
        ]
    # what becomes of the scene classification is said by `Scene.open`
    own = classification_band(names, descriptions)
    unnamed = [
        (descriptions[index] or str(index + 1))[:40]
        for index, name in enumerate(names)
        if name is None and index + 1 != own
    ]
    notes = [f"Bands of {path.name} are known from {how}."] if len(names) > 1 and how != "option" else []
    if unnamed:
        notes.append(f"{path.name}: band {', '.join(unnamed)} is not a Sentinel-2 band and is left out.")
    return notes
