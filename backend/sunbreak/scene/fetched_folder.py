"""Reads the folder that `sunbreak get` writes: a STAC collection whose items say which raster is used for what.

The folder may come from anybody, so nothing in it is followed out of it: addresses are relative paths to files inside.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from sunbreak.errors import InputError
from sunbreak.json_files import parse_json, read_json
from sunbreak.regular_files import read_regular, require_regular
from sunbreak.sources import local_path

COLLECTION = "collection.json"
UNFINISHED = ".sunbreak-parts"
"""A folder that is there until everything is fetched."""
MADE_BY = "sunbreak get"
VERSION = 1
"""Of the layout. It changes when an older Sunbreak could misread a newer folder."""

SCENE, RADAR, REFERENCE, REFERENCE_RADAR = "scene", "radar", "reference", "reference-radar"
_USES = (SCENE, RADAR, REFERENCE, REFERENCE_RADAR)
_MAX_ITEMS = 500
_MAX_BYTES = 2 * 2**20
_AGAIN = "Run sunbreak get again."


@dataclass(frozen=True)
class Fetched:
    """The rasters in a folder of `sunbreak get`, as absolute paths.

    Attributes:
        scene: Sentinel-2 of the date to be cleaned.
        radar: Its Sentinel-1.
        references: Sentinel-2 of the other dates, by date.
        reference_radar: Sentinel-1 of the other dates, in the order of `references`.
    """

    scene: Path
    radar: tuple[Path, ...] = ()
    references: tuple[Path, ...] = ()
    reference_radar: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Item:
    """One item: its id, its raster, what that is used for, the item it belongs to, and its date as text."""

    name: str
    raster: Path
    use: str
    belongs_to: str
    acquired: str


def fetched_folder(path: Path | str) -> Fetched | None:
    """What a folder of `sunbreak get` holds; None for everything else that may lie at a path.

    Args:
        path: Any path.

    Raises:
        InputError: The folder was made by `sunbreak get` and cannot be used: ``missing-file`` if a file that it names
            is not there; ``bad-fetched-folder`` if an address leads out of it, an item has no known use, it holds no
            scene or several, its JSON is damaged, it is not finished, or a newer Sunbreak made it.
    """
    try:
        folder = local_path(path)
    except InputError:  # opening it says what is wrong
        return None
    file = folder / COLLECTION
    if not os.path.isfile(file):  # noqa: PTH113 -- never raises
        if os.path.isdir(folder / UNFINISHED):  # noqa: PTH112
            raise InputError(
                f"{folder} is not finished: sunbreak get was stopped.",
                "Run sunbreak get again.",
                code="bad-fetched-folder",
            )
        return None
    collection = _collection(file)
    if collection is None:
        return None
    version = collection.get("sunbreak:version")
    if not isinstance(version, int) or version < 1:
        raise _bad(file, "does not say its version")
    if version > VERSION:
        raise InputError(
            f"{file} was made by a newer Sunbreak: its version is {version}, not {VERSION}.",
            "Update Sunbreak, or run sunbreak get again.",
            code="bad-fetched-folder",
        )
    return _sorted(file, [_item(folder, _inside(folder, file, folder, href)) for href in _hrefs(file, collection)])


def _collection(file: Path) -> Mapping[str, Any] | None:
    """The collection; None if another program made it."""
    try:
        content = read_regular(file, "JSON file", limit_bytes=_MAX_BYTES)
    except InputError:
        return None
    try:
        collection = parse_json(content, str(file))
    except InputError as error:
        if b'"sunbreak' not in content:
            return None
        raise InputError(error.message, _AGAIN, code="bad-fetched-folder") from error
    return collection if isinstance(collection, dict) and collection.get("sunbreak:made_by") == MADE_BY else None


def _hrefs(file: Path, collection: Mapping[str, Any]) -> list[object]:
    links = collection.get("links")
    if not isinstance(links, list):
        raise _bad(file, "has no list of links")
    hrefs = [link.get("href") for link in links if isinstance(link, dict) and link.get("rel") == "item"]
    if len(hrefs) > _MAX_ITEMS:
        raise _bad(file, f"names {len(hrefs)} items, more than {_MAX_ITEMS}")
    return hrefs


def _item(folder: Path, file: Path) -> _Item:
    try:
        item = read_json(file, limit_bytes=_MAX_BYTES)
    except InputError as error:
        if error.code == "missing-file":
            raise
        raise InputError(error.message, _AGAIN, code="bad-fetched-folder") from error
    properties = item.get("properties") if isinstance(item, dict) else None
    if not isinstance(item, dict) or item.get("type") != "Feature" or not isinstance(properties, dict):
        raise _bad(file, "is no STAC item")
    use = properties.get("sunbreak:use")
    if use not in _USES:
        raise _bad(file, "does not say its use" if use is None else f"has the unknown use {_quoted(use)}")
    assets = item.get("assets")
    data = assets.get("data") if isinstance(assets, dict) else None
    if not isinstance(data, dict):
        raise _bad(file, "has no asset data")
    raster = _inside(folder, file, file.parent, data.get("href"))
    return _Item(
        str(item.get("id")), raster, use, str(properties.get("sunbreak:for", "")), str(properties.get("datetime", ""))
    )


def _inside(folder: Path, named_by: Path, base: Path, href: object) -> Path:
    """The file that an address means.

    Args:
        folder: The folder that it must lie in.
        named_by: The file that holds the address.
        base: What the address is relative to.
        href: The address.
    """
    text = href if isinstance(href, str) else ""
    windows = PureWindowsPath(text)
    # a colon begins an address, a drive or a stream of NTFS
    outside = windows.drive or windows.root or ".." in windows.parts or ":" in text or "\0" in text
    if not PurePosixPath(text).name or outside:
        raise _bad(named_by, f"names {_quoted(href)}, which is no relative path inside the folder")
    path = base / text
    try:
        require_regular(path)
        leaves = not path.resolve().is_relative_to(folder.resolve())
    except InputError as error:
        if error.code == "missing-file":
            raise InputError(
                f"{path}: there is no such file, and {named_by.name} names it.", _AGAIN, code="missing-file"
            ) from None
        raise InputError(error.message, _AGAIN, code="bad-fetched-folder") from error
    if leaves:
        raise _bad(named_by, f"names {_quoted(href)}, a link out of the folder")
    return path


def _sorted(file: Path, items: list[_Item]) -> Fetched:
    def having(use: str) -> list[_Item]:
        return [item for item in items if item.use == use]

    scenes = having(SCENE)
    if len(scenes) != 1:
        count = f"{len(scenes)} scenes" if scenes else "no scene"
        raise _bad(file, f"names {count}, not one")
    rasters = [item.raster for item in items]
    twice = next((path for path in rasters if rasters.count(path) > 1), None)
    if twice is not None:
        raise _bad(file, f"names {twice.name} twice")
    references = sorted(having(REFERENCE), key=lambda item: (item.acquired, item.name))
    places = {item.name: place for place, item in enumerate(references)}
    of_others = sorted(
        having(REFERENCE_RADAR), key=lambda item: (places.get(item.belongs_to, len(places)), item.acquired, item.name)
    )
    return Fetched(
        scenes[0].raster,
        tuple(item.raster for item in having(RADAR)),
        tuple(item.raster for item in references),
        tuple(item.raster for item in of_others),
    )


def _quoted(value: object) -> str:
    return repr(value)[:100]


def _bad(file: Path, what: str) -> InputError:
    return InputError(f"{file} {what}.", _AGAIN, code="bad-fetched-folder")
