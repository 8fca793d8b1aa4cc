"""Moves the backend's files to the user's destinations, all or none, with their styles and STAC items."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from .compat import tr

STYLE = ".qml"
ITEM = ".stac.json"

# sidecar files that GDAL reads with a raster: the backend writes class names there
_GDAL = (".aux.xml", ".ovr", ".msk")


class OutputError(Exception):
    """A file cannot be written to its destination. The text names the file and the fix."""


@contextmanager
def staging_folder(beside: Path) -> Iterator[Path]:
    """A hidden folder on the volume of the file `beside`; it is deleted afterwards with its remaining files.

    Raises:
        OutputError: The destination's folder cannot be made or written to.
    """
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".sunbreak-", dir=beside.parent))
    except OSError as error:
        raise OutputError(
            tr("{folder} cannot be written to: {reason}. Choose another output folder.").format(
                folder=beside.parent, reason=error.strerror
            )
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(files: Mapping[Path, Path]) -> None:
    """Move files; a raster takes its sidecar files along: style, class names, and STAC item with new links.

    Args:
        files: From the backend's file to its destination. An existing destination is replaced.

    Raises:
        OutputError: A file could not be moved; all destinations are restored.
    """
    done: list[tuple[Path, Path | None]] = []
    try:
        for source, destination in files.items():
            _rewrite_item(source, destination, files)
        for source, destination in files.items():
            destination.parent.mkdir(parents=True, exist_ok=True)
            for old, new in _with_sidecars(source, destination):
                kept = _set_aside(new)
                done.append((new, kept))
                if old is not None:
                    _move(old, new)
    except OSError as error:
        for new, kept in reversed(done):
            with suppress(OSError):
                new.unlink(missing_ok=True)
            if kept is not None:
                with suppress(OSError):
                    kept.replace(new)
        raise OutputError(
            tr("{path} cannot be written: {reason}. Close the programs that use it, or choose another name.").format(
                path=destination, reason=error.strerror or error
            )
        ) from error
    for _, kept in done:
        if kept is not None:
            with suppress(OSError):
                kept.unlink()


def sidecar(raster: Path, suffix: str) -> Path:
    """`scene.tif` and `.qml` give `scene.qml`."""
    return raster.with_name(raster.stem + suffix)


def _with_sidecars(source: Path, destination: Path) -> Iterator[tuple[Path | None, Path]]:
    """Pairs of old and new path. The old path is None where a stale sidecar file has to be removed.

    The raster comes last: when it exists, its sidecar files exist too.
    """
    if source.suffix == ".tif":
        for suffix in (STYLE, ITEM):
            old, new = sidecar(source, suffix), sidecar(destination, suffix)
            yield (old if old.exists() else None), new
        for suffix in _GDAL:
            old, new = source.with_name(source.name + suffix), destination.with_name(destination.name + suffix)
            yield (old if old.exists() else None), new
    yield source, destination


def _set_aside(path: Path) -> Path | None:
    """Rename an existing file that is about to be replaced; None if there is none."""
    if not path.exists():
        return None
    kept = path.with_name(f".{path.name}.replaced")
    path.replace(kept)
    return kept


def _move(old: Path, new: Path) -> None:
    try:
        old.replace(new)
    except OSError:
        # Another volume: copy to a temporary name first, so that the final name is never a partial file.
        part = new.with_name(new.name + ".part")
        try:
            shutil.copyfile(old, part)
            part.replace(new)
        finally:
            part.unlink(missing_ok=True)


def _rewrite_item(source: Path, destination: Path, files: Mapping[Path, Path]) -> None:
    """Update a raster's STAC item for the new folder and names; links to files that are not kept are removed."""
    path, folder = sidecar(source, ITEM), destination.parent
    if not path.exists():
        return
    item = json.loads(path.read_text(encoding="utf-8"))
    if item.get("id") == source.stem:
        item["id"] = destination.stem
    assets: dict[str, Any] = item.get("assets", {})
    targets: dict[str, Path] = {}
    for old, new in files.items():
        for a, b in ((old, new), (sidecar(old, STYLE), sidecar(new, STYLE)), (sidecar(old, ITEM), sidecar(new, ITEM))):
            targets[a.name] = b
    staged = {neighbour.name for neighbour in path.parent.iterdir()}
    for key in list(assets):
        href = _moved(str(assets[key].get("href", "")), folder, targets, staged)
        if href is None:
            del assets[key]
        else:
            assets[key]["href"] = href
    links = []
    for link in item.get("links", []):
        href = _moved(str(link.get("href", "")), folder, targets, staged)
        if href is not None:
            links.append({**link, "href": href})
    item["links"] = links
    path.write_text(json.dumps(item, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _moved(href: str, folder: Path, targets: Mapping[str, Path], staged: set[str]) -> str | None:
    """Target of a link after the move: unchanged for foreign files, None if the file is not kept."""
    name = PurePosixPath(urlsplit(href).path.replace("\\", "/")).name
    if urlsplit(href).scheme in {"http", "https"} or name not in staged:
        return href
    target = targets.get(name)
    if target is None:
        return None
    if target.parent == folder:
        return f"./{target.name}"
    try:
        return Path(os.path.relpath(target, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return target.as_uri()
