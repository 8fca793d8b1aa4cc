"""The scenes of a batch: the rows of a table, or the files that patterns match.

The table is a CSV file with a header: ``s2``, and optionally ``s1``, ``mask``, ``mask_coding``, ``references``,
``reference_s1`` and ``name``. Several paths are separated by ``;``; relative ones are relative to the table.
"""

from __future__ import annotations

import csv
import glob
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from sunbreak.errors import InputError
from sunbreak.jobs.fetched_inputs import with_fetched
from sunbreak.jobs.spec import JobInputs
from sunbreak.regular_files import read_regular
from sunbreak.scene.bands import without_band
from sunbreak.scene.mask_codings import OPTIONS as CODINGS_OF_MASKS
from sunbreak.scene.mask_codings import CodingOption

COLUMNS = ("s2", "s1", "mask", "name", "mask_coding", "references", "reference_s1")
_MAX_TABLE = 64 * 2**20
MARKER = ".sunbreak-done.json"
"""Lies in the folder of every scene that a batch finished."""
SUMMARY = "summary.csv"

_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_S2_ENDING = re.compile(r"_s2(?:_cloudy)?$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")
_BAND_FOLDERS = ("IMG_DATA", "R10m", "R20m", "R60m")


@dataclass(frozen=True)
class BatchScene:
    """One scene of a batch. Its files need not exist; if they do not, the scene fails when it is processed.

    Attributes:
        name: Unique in the batch, and the name of its folder.
        s2: Sentinel-2: a file, a folder, or several files.
        s1: Sentinel-1: none, one or two files.
        mask: A cloud mask.
        mask_coding: What the values of `mask` stand for; None as for the whole batch.
        references: Other dates of the place.
        reference_s1: Sentinel-1 of the other dates.
        found_references: Other dates that were found among the scenes of the batch, or in a folder of `sunbreak get`.
        found_s1: Their Sentinel-1.
        bbox: (left, bottom, right, top) in the scene's CRS: only this part is processed.
    """

    name: str
    s2: tuple[Path, ...]
    s1: tuple[Path, ...] = ()
    mask: Path | None = None
    mask_coding: CodingOption | None = None
    references: tuple[Path, ...] = ()
    reference_s1: tuple[Path, ...] = ()
    found_references: tuple[Path, ...] = ()
    found_s1: tuple[Path, ...] = ()
    bbox: tuple[float, float, float, float] | None = None


def read_manifest(path: Path) -> tuple[list[BatchScene], list[str]]:
    """Read a table of scenes.

    Returns:
        The scenes in the table's order, and sentences for the user.

    Raises:
        InputError: ``bad-manifest`` if it cannot be read, lacks the column s2, names no scene, or a row cannot be
            understood; ``duplicate-names``.
    """
    rows = _rows(path)
    columns, notes = _header(path, rows)
    named = []
    fetched = 0
    for line, cells in rows[1:]:
        if len(cells) > len(columns):
            raise _bad(path, f"line {line} has {len(cells)} cells for {len(columns)} columns.", "Put commas in quotes.")
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}
        s2 = _paths(row["s2"], path.parent)
        if not s2:
            raise _bad(path, f"line {line} names no Sentinel-2 file.", "Fill in its column s2, or delete the line.")
        mask = _paths(row.get("mask", ""), path.parent)
        if len(mask) > 1:
            raise _bad(path, f"line {line} names {len(mask)} masks.", "A scene has one mask at most.")
        given = BatchScene(
            row.get("name") or _default_name(s2),
            s2,
            _paths(row.get("s1", ""), path.parent),
            mask[0] if mask else None,
            _coding(row.get("mask_coding", ""), path, line),
            _paths(row.get("references", ""), path.parent),
            _paths(row.get("reference_s1", ""), path.parent),
        )
        scene = _with_fetched(given)
        fetched += scene is not given
        if scene.reference_s1 and not (scene.references or scene.found_references):
            raise _bad(path, f"line {line} has reference_s1 without references.", "Fill in its column references.")
        named.append((f"line {line}", scene))
    if not named:
        raise _bad(path, "it names no scene.", "Write one line for each scene below the header.")
    _check_names(named, f"{path}: ", "Give them different names in a column 'name'.")
    return [scene for _, scene in named], notes + _fetched_notes(fetched)


def find_scenes(patterns: Sequence[str], s1_pattern: str | None = None) -> tuple[list[BatchScene], list[str]]:
    """The scenes that paths and glob patterns (``*``, ``?``, ``[..]``, ``**``) match, each file once, by alphabet.

    What a batch itself wrote (it lies beside a `MARKER`), and matches that are the Sentinel-1 of another match, are
    left out.

    Args:
        patterns: Sentinel-2 files or folders.
        s1_pattern: Sentinel-1 relative to the Sentinel-2 file's folder, several files separated by ``;``. ``{stem}``
            stands for the Sentinel-2 file's name without its suffix and without ``_s2`` or ``_s2_cloudy`` at its end.

    Returns:
        The scenes, and sentences for the user.

    Raises:
        InputError: ``no-match``, ``bad-option`` or ``duplicate-names``.
    """
    if s1_pattern is not None:
        unknown = [text for text in _PLACEHOLDER.findall(s1_pattern) if text != "{stem}"]
        if unknown or not s1_pattern.strip(" ;"):
            raise InputError(
                f"--s1-pattern is {s1_pattern!r}{f', and {unknown[0]} is no placeholder' if unknown else ''}.",
                "Give a name such as {stem}_s1.tif.",
                code="bad-option",
            )
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = _matches(pattern)
        if not matches:
            raise InputError(
                f"{pattern}: there is no such file, and nothing matches it.", "Check the path.", code="no-match"
            )
        found |= dict.fromkeys(matches)
    partners = {path: _partners(path, s1_pattern) for path in sorted(found)}
    radar = {file for path, files in partners.items() for file in files if file != path}
    kept = [path for path in partners if path not in radar and not (path.parent / MARKER).exists()]
    itself = next((path for path in kept if path in partners[path]), None)
    if itself is not None:
        raise InputError(
            f"--s1-pattern {s1_pattern!r} makes {itself} its own Sentinel-1.",
            "Give the name of the Sentinel-1 file, such as {stem}_s1.tif.",
            code="bad-option",
        )
    if not kept:
        raise InputError(
            f"{' '.join(patterns)} matches only layers of an earlier batch.",
            "Give the Sentinel-2 files.",
            code="no-match",
        )
    given = [BatchScene(_default_name((path,)), (path,), partners[path]) for path in kept]
    scenes = [_with_fetched(scene) for scene in given]
    _check_names(
        [(str(scene.s2[0]), scene) for scene in scenes],
        "",
        "Give a CSV file with the columns s2, s1 and name instead.",
    )
    notes = [f"{len(scenes)} scenes match."] if len(scenes) > 1 else []
    if len(kept) < len(partners):
        notes.append(
            f"Left out {len(partners) - len(kept)} of {len(partners)} matches: Sentinel-1, or layers of an earlier "
            "batch."
        )
    return scenes, notes + _fetched_notes(sum(scene not in given for scene in scenes))


def _with_fetched(scene: BatchScene) -> BatchScene:
    """The scene with the files of the folder of `sunbreak get` that stands for it, or the same scene."""
    given = JobInputs(scene.s2, scene.s1, references=scene.references, reference_s1=scene.reference_s1)
    try:
        inputs, notes = with_fetched(given)
    except InputError:  # it fails when it is processed
        return scene
    if not notes:
        return scene
    return replace(
        scene, s2=inputs.s2, s1=inputs.s1, found_references=inputs.found_references, found_s1=inputs.found_s1
    )


def _fetched_notes(count: int) -> list[str]:
    if not count:
        return []
    are = "1 scene is a folder" if count == 1 else f"{count} scenes are folders"
    return [f"{are} of sunbreak get: radar and other dates that are not given are taken from there."]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Lines that are not blank, with their numbers."""
    content = read_regular(path, limit_bytes=_MAX_TABLE)
    try:
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True, skipinitialspace=True)
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except UnicodeDecodeError as error:
        raise _bad(path, "it is not UTF-8 text.", "Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise _bad(path, f"it is no CSV ({error}).", "Save it as CSV with commas.") from error


def _header(path: Path, rows: list[tuple[int, list[str]]]) -> tuple[list[str], list[str]]:
    if not rows:
        raise _bad(path, "it is empty.", "Its first line is a header: s2,s1,mask,name.")
    columns = [cell.strip().lower() for cell in rows[0][1]]
    if "s2" not in columns:
        separated = any(mark in rows[0][1][0] for mark in ";\t") and len(columns) == 1
        hint = "Separate the columns by commas." if separated else "Its first line is a header: s2,s1,mask,name."
        raise _bad(path, "it has no column s2.", hint)
    double = next((name for name in COLUMNS if columns.count(name) > 1), None)
    if double:
        raise _bad(path, f"it has the column {double} twice.", "Name every column once.")
    unknown = [name or "(no name)" for name in columns if name not in COLUMNS]
    notes = [f"{path.name}: not used: column {', '.join(unknown)}."] if unknown else []
    return columns, notes


def _coding(cell: str, path: Path, line: int) -> CodingOption | None:
    if not cell:
        return None
    if cell not in CODINGS_OF_MASKS:
        raise _bad(path, f"line {line} has the mask_coding {cell!r}.", f"Choose {', '.join(CODINGS_OF_MASKS)}.")
    return cast(CodingOption, cell)


def _bad(path: Path, what: str, hint: str) -> InputError:
    return InputError(f"{path}: {what}", hint, code="bad-manifest")


def _paths(cell: str, folder: Path) -> tuple[Path, ...]:
    """The paths in a cell. A URL stays a URL, so that opening it reports the error."""
    texts = [text.strip() for text in cell.split(";") if text.strip()]
    return tuple(Path(text) if "://" in text else folder.absolute() / _at_home(text) for text in texts)


def _at_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # the home of an unknown user
        return Path(text)


def _matches(pattern: str) -> list[Path]:
    path = _at_home(pattern)
    if path.exists():
        return [path.absolute()]  # brackets may be part of a name
    found = glob.glob(str(path), recursive=True)  # noqa: PTH207 -- absolute patterns
    return [Path(match).absolute() for match in sorted(found)]


def _partners(s2: Path, pattern: str | None) -> tuple[Path, ...]:
    if pattern is None:
        return ()
    stem = (s2.name if s2.is_dir() else s2.stem).removesuffix(".SAFE")
    return _paths(pattern.replace("{stem}", _S2_ENDING.sub("", stem) or stem), s2.parent)


def _default_name(s2: Sequence[Path]) -> str:
    """A scene's name from its files: that of the file, of the folder, or what the files of its bands have in common."""
    first = s2[0]
    if len(s2) > 1:
        return without_band(first.stem) or first.parent.name
    if not first.is_dir():
        return first.stem.removesuffix(".SAFE")
    while first.name in _BAND_FOLDERS:
        first = first.parent
    return first.name.removesuffix(".SAFE")


def _check_names(named: Sequence[tuple[str, BatchScene]], prefix: str, hint: str) -> None:
    seen: dict[str, tuple[str, BatchScene]] = {}
    for where, scene in named:
        name = scene.name
        if _NOT_IN_NAMES.search(name) or name.startswith(".") or name != name.rstrip(". ") or name == SUMMARY:
            raise InputError(
                f"{prefix}{where}: {name!r} is no name for a folder.", "Give the scene a plain name.", code="bad-name"
            )
        # some file systems ignore the case
        where_before, before = seen.setdefault(name.casefold(), (where, scene))
        if before is not scene:
            both = name if before.name == name else f"{before.name}' and '{name}"
            raise InputError(
                f"{prefix}{where_before} and {where} have the same name '{both}'.", hint, code="duplicate-names"
            )
