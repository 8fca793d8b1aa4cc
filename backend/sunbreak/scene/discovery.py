"""Finds the Sentinel-2 bands in the files that a user named, by all naming conventions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rasterio.enums import MaskFlags
from rasterio.io import DatasetReader

from sunbreak.errors import InputError
from sunbreak.scene.bands import without_band
from sunbreak.scene.found_bands import FoundBand, finest, same_grid, stacked
from sunbreak.scene.georeference import grid_of
from sunbreak.scene.given_files import RESOLUTION_FOLDERS, given_files
from sunbreak.scene.grid import Grid
from sunbreak.scene.naming import (
    NAMING_HINT,
    band_names,
    classification_band,
    naming_notes,
    refuse_unnamed,
    says_where_data_is,
    validity_bands,
    wanted_order,
)
from sunbreak.scene.nodata import SCALE_HINT, unused_declarations, usable_nodata, usable_scale
from sunbreak.scene.product import ProductFacts, facts_about, facts_from_name, find_sidecar
from sunbreak.scene.safe import missing_bands, quality_mask
from sunbreak.scene.sentinel2 import BandStack, ValiditySource
from sunbreak.scene.virtual import facts_of_files, without_doubled
from sunbreak.sources import RasterSource, is_folder, local_path, on_disk, raster_at, unread_sidecars

_PICTURE = re.compile(r"(?:^|[_-])(?:TCI|PVI)(?:_(?:10|20|60)m)?$", re.IGNORECASE)
_CLASSIFICATION = re.compile(r"(?:^|[_\-.])SCL(?:_(?:20|60)m)?$", re.IGNORECASE)
_ONE_PRODUCT = "Give bands of one product and tile."


@dataclass(frozen=True)
class Classification:
    """Where a product's own scene classification (SCL) is.

    Attributes:
        path: The file.
        band: Its band among the bands of the scene; None if the file is the classification alone.
    """

    path: Path
    band: int | None = None

    @property
    def title(self) -> str:
        """How messages name it."""
        return self.path.name if self.band is None else f"the band SCL of {self.path.name}"


@dataclass(frozen=True)
class Finding:
    """What the named files contain.

    Attributes:
        stack: The bands.
        facts: What is claimed about the product.
        stored: (scale, offset) stored in the files, or None.
        stem: A name for outputs.
        inputs: Every file that was read.
        assumed: The band names were assumed from the number of bands.
        classification: The product's scene classification (SCL), if it is beside the bands or one of them.
        quality_mask: A cloud mask among the product's quality data, which is not used unless it is given.
        notes: Sentences for the user.
        warnings: Unusual things.
        named_by: What gave the bands of each file their names, see `sunbreak.scene.naming.band_names`.
    """

    stack: BandStack
    facts: ProductFacts
    stored: tuple[float, float] | None
    stem: str
    inputs: tuple[Path, ...]
    assumed: bool
    classification: Classification | None = None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    named_by: dict[Path, str] = field(default_factory=dict)
    quality_mask: Path | None = None


def find_bands(
    given: Path | str | Sequence[Path | str],
    order: Sequence[str] | None = None,
    *,
    unnamed: Sequence[str] | None = None,
) -> Finding:
    """Find the bands in a file, in a product or a folder of single-band files, or in a list of files.

    Args:
        given: What the user named.
        order: Canonical or alias band names in the order of the bands in the file (or of the files), which overrides
            everything.
        unnamed: Names of bands without names, in their order; native order by default.

    Raises:
        InputError: everything `RasterSource` and `grid_of` say; ``safe-product``, ``bands-unknown``,
            ``duplicate-bands``, ``rgb-image``, ``mixed-levels``, ``mixed-dates``, ``mixed-grids``, ``mixed-units``.
    """
    paths, from_folder, product = given_files(given)
    name = _first(given)
    found = _Found()
    if from_folder:
        paths = without_doubled(paths, found.notes)
    wanted = wanted_order(order, paths)
    for position, path in enumerate(paths):
        own = wanted if wanted is None or len(paths) == 1 else wanted[position : position + 1]
        _look_into(raster_at(path), found, own, unnamed, alone=len(paths) == 1, optional=from_folder and wanted is None)
    if not found.bands:
        raise InputError(f"{name} holds no Sentinel-2 bands.", NAMING_HINT, code="bands-unknown")
    if len(found.stored) > 1:
        raise InputError(f"{name}: the bands have different scales and offsets.", _ONE_PRODUCT, code="mixed-units")
    facts = _merged_facts(found.facts, name)
    if from_folder:
        named = facts_from_name(local_path(name).name)
        dated = ProductFacts(acquired=named.acquired, level=named.level).said("the name of the folder")
        facts = facts.or_else(dated)
    lost = missing_bands(product) if product else []
    if lost:
        found.warnings.append(
            f"The metadata lists {', '.join(lost)}, of which there is no file; was the product's download interrupted?"
        )
    kept = finest(found.bands, found.notes)
    stack = stacked(kept)
    dtypes = sorted({band.dtype for band in kept})
    if len(dtypes) > 1:
        found.notes.append(f"The bands are stored as {' and '.join(dtypes)} and are read as {stack.dtype}.")
    masks = tuple(mask for mask, grid in found.masks if same_grid(grid, stack.grid))
    if len(masks) < len(found.masks):
        found.notes.append("Masks inside files of coarser bands are not used; those of the finest bands count.")
    stack = replace(stack, masks=masks)
    coarse = [source.name for source in stack.sources if source.resampled]
    if coarse:
        found.notes.append(f"{', '.join(coarse)} are coarser and are resampled (bilinear).")
    if "its name" in found.named_by.values():
        found.notes.append("Bands are known from the names of their files.")
    first = found.bands[0].file.path
    stem = _stem(None if product else given, first)
    return Finding(
        stack, facts, found.stored.pop(), stem, tuple(dict.fromkeys(found.inputs)),
        found.assumed, found.classification, found.notes, found.warnings, found.named_by, quality_mask(first),
    )  # fmt: skip


@dataclass
class _Found:
    """What has been found so far."""

    bands: list[FoundBand] = field(default_factory=list)
    masks: list[tuple[ValiditySource, Grid]] = field(default_factory=list)
    facts: list[ProductFacts] = field(default_factory=list)
    stored: set[tuple[float, float] | None] = field(default_factory=set)
    inputs: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumed: bool = False
    classification: Classification | None = None
    named_by: dict[Path, str] = field(default_factory=dict)


def _look_into(
    file: RasterSource,
    found: _Found,
    wanted: Sequence[str | None] | None,
    unnamed: Sequence[str] | None,
    *,
    alone: bool,
    optional: bool,
) -> None:
    path = file.path
    left_out = f"{path.name} in the folder is left out: it is not a band."
    if optional and _PICTURE.search(path.stem):
        found.notes.append(left_out)
        return
    if (optional or (wanted is None and not alone)) and _CLASSIFICATION.search(path.stem):
        found.classification = found.classification or Classification(path)  # the finest comes first
        return
    missing = file.check()
    if missing > 0:
        found.warnings.append(
            f"{path.name}: {missing:.0%} of its blocks were never written; was its export interrupted?"
        )
    sidecar = find_sidecar(path, found.warnings)
    with file.open() as dataset, file.reading():
        found.warnings += unread_sidecars(path, nameless=not any(dataset.descriptions))
        names, how = band_names(dataset, path, sidecar, wanted, alone=alone, unnamed=unnamed)
        if not any(names):
            if wanted is not None:
                return  # a band to leave out
            if not alone and dataset.count == 1 and says_where_data_is(dataset, path):
                found.masks.append((ValiditySource(file, 1), grid_of(dataset, path)))
                found.notes.append(f"{path.name} says which pixels hold data (0: none).")
                found.inputs += [file.container, *file.files[1:]]
                return
            if not optional:
                refuse_unnamed(dataset, path)
            found.notes.append(left_out)
            return
        found.bands += _bands(dataset, file, names)
        validity = [index for index in validity_bands(dataset) if names[index - 1] is None]
        found.masks += [(ValiditySource(file, index), found.bands[-1].grid) for index in validity]
        if MaskFlags.per_dataset in dataset.mask_flag_enums[0] and MaskFlags.alpha not in dataset.mask_flag_enums[0]:
            found.masks.append((ValiditySource(file, None), found.bands[-1].grid))
            found.notes.append(f"{path.name}: the mask inside the file says which pixels hold data.")
        files, items = facts_of_files(file, [index for index, name in enumerate(names, 1) if name], found.warnings)
        found.facts.append(facts_about(path, dataset.tags(), sidecar, files))
        found.stored |= {_stored(dataset, index, path) for index, name in enumerate(names, 1) if name}
        inside = classification_band(names, dataset.descriptions)
        if inside is not None:
            found.classification = found.classification or Classification(path, inside)
        found.notes += naming_notes(path, names, how, dataset.descriptions, validity)
        noted, warned = unused_declarations(dataset, path, [index for index, name in enumerate(names, 1) if name])
        found.notes += noted
        found.warnings += warned
        found.named_by[path] = how
    found.assumed |= how == "count"
    noted, warned = file.remarks()
    found.notes += noted
    found.warnings += warned
    beside = [on_disk(path) for path in ([] if sidecar is None else [sidecar.path])]
    found.inputs += [file.container, *beside, *file.files[1:], *items]


def _bands(dataset: DatasetReader, file: RasterSource, names: Sequence[str | None]) -> list[FoundBand]:
    grid = grid_of(dataset, file.path)
    bands = []
    for index, name in enumerate(names, 1):
        if name is None:
            continue
        dtype = dataset.dtypes[index - 1]
        if dtype in ("uint8", "int8"):
            raise InputError(
                f"{file.identity} holds 8-bit numbers: it is a picture, not reflectance.",
                "Give the product's bands (16 bits), not a stretched export.",
                code="rgb-image",
            )
        bands.append(FoundBand(name, file, index, grid, dtype, usable_nodata(dataset.nodatavals[index - 1], dtype)))
    return bands


def _stored(dataset: DatasetReader, index: int, path: Path) -> tuple[float, float] | None:
    scale, offset = usable_scale(dataset, index, path)
    if scale < 0:
        raise InputError(
            f"{path} declares a scale of {scale:g}, which no reflectance has.", SCALE_HINT, code="bad-scale"
        )
    return None if scale == 1.0 else (scale, offset)


def _merged_facts(facts: Sequence[ProductFacts], name: str) -> ProductFacts:
    levels = {fact.level for fact in facts if fact.level}
    if len(levels) > 1:
        raise InputError(
            f"{name}: the files mix levels L1C and L2A.", "Give bands of one product.", code="mixed-levels"
        )
    days = {fact.acquired.date() for fact in facts if fact.acquired}
    tiles = {fact.tile for fact in facts if fact.tile}
    if len(days) > 1 or len(tiles) > 1:
        raise InputError(
            f"{name}: the files are of different dates or tiles ({', '.join(sorted(map(str, [*days, *tiles])))}).",
            "Give bands of one product.",
            code="mixed-dates",
        )
    merged = facts[0]
    for fact in facts[1:]:
        merged = merged.or_else(fact)
    offsets = sorted({fact.offset for fact in facts if fact.offset is not None})
    if len(offsets) > 1:
        merged = replace(merged, offset=None, differing=f"{offsets[0]:g} to {offsets[-1]:g}")
    return merged


def _first(given: Path | str | Sequence[Path | str]) -> str:
    return str(given if isinstance(given, (str, Path)) else given[0])


def _stem(given: Path | str | Sequence[Path | str] | None, first: Path) -> str:
    """A name for outputs: that of the one file or folder, or what the first band's file has in common with others."""
    many = [given] if isinstance(given, (str, Path)) else given or []
    if len(many) == 1:
        path = local_path(many[0])
        if path.is_file() or not is_folder(path):
            return path.stem
        if path.name not in ("IMG_DATA", *RESOLUTION_FOLDERS):
            return path.name
    return without_band(first.stem) or first.parent.name or "scene"
