"""The STAC item that lies in a folder of rasters which it lists, as downloads of catalogues leave it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sunbreak.errors import InputError
from sunbreak.json_files import parse_json
from sunbreak.sources import is_file, listed, on_disk, read_bytes
from sunbreak.sources.fingerprint import Fingerprint, fingerprint

_MAX_FILES = 16  # with more it is a folder of something else
_MAX_BYTES = 2 * 2**20


def item_of_folder(raster: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The one STAC item in the folder of a raster with an asset for it; None if there is none, or if there are several.

    An asset is of the raster if its address ends in the raster's name, or if it is called so, without the ending. No
    address is followed.
    """
    try:
        files = [one for one in listed(raster.parent) if one.suffix.lower() == ".json" and is_file(one)]
    except InputError:
        return None
    if len(files) > _MAX_FILES:
        return None
    found = [(file, item) for file in files if (item := _item(file)) is not None and assets_of(item, raster)]
    return found[0] if len(found) == 1 else None


def assets_of(item: Mapping[str, Any], raster: Path) -> list[Mapping[str, Any]]:
    """The assets of a STAC item that stand for a raster: by their addresses, or else by their names."""
    assets = item.get("assets")
    assets = (
        {key: asset for key, asset in assets.items() if isinstance(asset, dict)} if isinstance(assets, dict) else {}
    )
    own = [asset for asset in assets.values() if _file_name(asset.get("href")) == raster.name]
    return own or [asset for key, asset in assets.items() if key == raster.stem]


def _file_name(address: object) -> str:
    """The last part of an address, without what follows it in a signed one."""
    return str(address).partition("?")[0].partition("#")[0].rpartition("/")[2]


def _item(file: Path) -> Mapping[str, Any] | None:
    try:
        return _parsed(file, fingerprint(on_disk(file)))
    except OSError:
        return None


@lru_cache(maxsize=64)
def _parsed(file: Path, _: Fingerprint) -> Mapping[str, Any] | None:
    """A STAC item; None for a file that is none. A folder's item is asked for once for each of its rasters."""
    try:
        item = parse_json(read_bytes(file, "JSON file", limit_bytes=_MAX_BYTES), str(file))
    except InputError:
        return None
    return item if isinstance(item, dict) and item.get("type") == "Feature" and "stac_version" in item else None
