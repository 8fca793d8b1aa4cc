"""The last step of a run: renames all files of a folder to their final names, or none."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sunbreak.errors import OutputError

_STALE = (".aux.xml", ".ovr", ".msk")  # other programs write these beside a raster and read them first


def publish(source: Path, directory: Path) -> None:
    """Move every file of `source` into `directory`; rasters come last, so that a raster always has its companions.

    Existing files are replaced. If one cannot be, the replaced files are restored and the new ones are removed.

    Raises:
        OutputError: a file cannot be replaced.
    """
    fresh = sorted(
        (path for path in source.iterdir() if path.is_file()), key=lambda path: (path.suffix == ".tif", path)
    )
    kept = source / "replaced"
    kept.mkdir(exist_ok=True)
    done: list[tuple[Path, Path | None]] = []
    try:
        for path in fresh:
            target = directory / path.name
            backup = _keep(target, kept)
            path.replace(target)
            done.append((target, backup))
    except OSError as error:
        for target, backup in reversed(done):
            with contextlib.suppress(OSError):
                if backup is not None:
                    backup.replace(target)
                else:
                    target.unlink()
        raise OutputError(
            f"{target} cannot be written: {error.strerror}.",
            "Close it in other programs, or choose another folder.",
        ) from error
    names = {path.name for path in fresh}
    for path in fresh:
        for suffix in _STALE if path.suffix == ".tif" else ():
            if path.name + suffix not in names:
                (directory / (path.name + suffix)).unlink(missing_ok=True)
    _flush_folder(directory)


def _keep(target: Path, kept: Path) -> Path | None:
    """A hard link to the file that will be replaced; None if there is no file or the file system has no hard links."""
    if not target.exists():
        return None
    backup = kept / target.name
    try:
        os.link(target, backup)
    except OSError:
        return None
    return backup


def _flush_folder(directory: Path) -> None:
    """Flush the new names to the disk. On systems that cannot, a power failure loses at most the names."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
