"""Finds BigEarthNet v2 (reBEN, Clasen et al. 2024) on disk: patches by tile, reference maps, Parquet tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sunbreak.datasets.bigearthnet.labels import LABELS_19, unknown_label
from sunbreak.datasets.bigearthnet.names import SPLITS, is_s1, is_s2
from sunbreak.datasets.bigearthnet.patches import Collection, Patch, Pile, RadarNeed
from sunbreak.errors import InputError
from sunbreak.extras import require
from sunbreak.parquet_files import DamagedTable, read_parquet
from sunbreak.regular_files import open_regular

TABLE = "metadata.parquet"
OTHER_TABLE = "metadata_for_patches_with_snow_cloud_or_shadow.parquet"
S2_FOLDER, S1_FOLDER, MAP_FOLDER = "BigEarthNet-S2", "BigEarthNet-S1", "Reference_Maps"
_COLUMNS = ("patch_id", "labels", "split", "s1_name")
_FLAGS = ("contains_seasonal_snow", "contains_cloud_or_shadow")
_MAX_ROWS = 2_000_000  # four times those of the data set


def find_version2(folder: Path, radar: RadarNeed = "optional") -> Collection:
    """Find the patches that are both in the tables and on disk.

    Without the second table, only clear patches are known, because the first table has no others.

    Args:
        folder: Folder with `metadata.parquet`, `BigEarthNet-S2`, and if needed `BigEarthNet-S1` and
            `Reference_Maps`.
        radar: ``required`` excludes patches without Sentinel-1; ``none`` ignores Sentinel-1.

    Raises:
        InputError: ``missing-extra``, ``bad-table``, ``unknown-label``, ``no-patches``, or ``no-radar`` if radar is
            required and no patch has it.
    """
    found: list[Patch] = []
    absent: list[str] = []
    tables = [path for path in (folder / TABLE, folder / OTHER_TABLE) if path.is_file()]
    for table in tables:
        for row in _rows(table):
            patch = _patch(folder, table, row, radar)
            if patch.s2.is_dir():
                found.append(patch)
            else:
                absent.append(patch.name)
    if not found:
        raise InputError(
            f"{folder}: none of the {len(absent)} patches in {TABLE} is on disk.",
            f"Unpack {S2_FOLDER} into this folder.",
            code="no-patches",
        )
    without = tuple(sorted(patch.name for patch in found if patch.s1 is None)) if radar != "none" else ()
    if radar == "required":
        found = [patch for patch in found if patch.s1 is not None]
        if not found:
            raise InputError(
                f"{folder}: none of the {len(without)} patches has a Sentinel-1 pair.",
                f"Unpack {S1_FOLDER} into this folder.",
                code="no-radar",
            )
    notes = []
    if len(tables) == 1:
        notes.append(f"There is no {OTHER_TABLE}: only clear patches are known.")
    if absent:
        notes.append(f"{len(absent)} patches of the tables are not on disk.")
    ordered = tuple(sorted(found, key=lambda patch: patch.name))
    return Collection(folder, 2, ordered, without, tuple(sorted(absent)), tuple(notes))


def s2_folder(folder: Path, name: str, root: str = S2_FOLDER) -> Path:
    """Folder of a Sentinel-2 patch, or of its reference map."""
    return folder / root / name.rsplit("_", 2)[0] / name


def s1_folder(folder: Path, name: str) -> Path:
    """Folder of a Sentinel-1 patch."""
    return folder / S1_FOLDER / name.rsplit("_", 3)[0] / name


def parquet() -> Any:
    """The module that reads and writes Parquet.

    Raises:
        InputError: ``missing-extra``: pyarrow is not installed.
    """
    require("pyarrow", "training", "A table of BigEarthNet version 2, a Parquet file,")
    import pyarrow.parquet

    return pyarrow.parquet


def _rows(table: Path) -> Sequence[dict[str, Any]]:
    parquet()
    with open_regular(table, "table of patches") as file:
        try:
            stored = read_parquet(file, [*_COLUMNS, *_FLAGS], max_rows=_MAX_ROWS)
        except DamagedTable as error:
            raise InputError(
                f"{table} is not a Parquet file that is read: {error}.", "Download it again.", code="bad-table"
            ) from error
    missing = [name for name in _COLUMNS if name not in stored.column_names]
    if missing:
        raise InputError(f"{table} has no column {missing[0]}.", "Download it again.", code="bad-table")
    rows: list[dict[str, Any]] = stored.to_pylist()
    return rows


def _patch(folder: Path, table: Path, row: dict[str, Any], radar: RadarNeed) -> Patch:
    name, s1_name = str(row["patch_id"]), str(row["s1_name"])
    split = "validation" if row["split"] == "val" else row["split"]
    given = row["labels"] or ()
    labels = tuple(map(str, given if isinstance(given, (list, tuple)) else [given]))
    # the names become paths, so they are validated
    if not is_s2(name) or not is_s1(s1_name) or split not in SPLITS:
        raise InputError(
            f"{table}: the row of {name[:80]!r} is not one of BigEarthNet v2 (pair {s1_name[:80]!r}, split {split!r}).",
            "Download the table again.",
            code="bad-table",
        )
    for label in labels:
        if label not in LABELS_19:
            raise unknown_label(label, 19, table)
    s1 = s1_folder(folder, s1_name)
    reference = s2_folder(folder, name, MAP_FOLDER) / f"{name}_reference_map.tif"
    return Patch(
        name,
        s2_folder(folder, name),
        s1 if radar != "none" and s1.is_dir() else None,
        _pile(row, table),
        split,
        official=True,
        reference_map=reference if reference.is_file() else None,
        table=table,
        listed=labels,
    )


def _pile(row: dict[str, Any], table: Path) -> Pile:
    if row.get("contains_cloud_or_shadow"):
        return "cloudy"
    if row.get("contains_seasonal_snow"):
        return "snowy"
    if table.name == OTHER_TABLE:
        raise InputError(
            f"{table}: the row of {row['patch_id']} is flagged neither cloudy nor snowy.",
            "Download the table again.",
            code="bad-table",
        )
    return "clear"
