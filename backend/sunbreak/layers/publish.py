"""The last step of a run: renames all files of a folder to their final names, or none."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from sunbreak.errors import OutputError

STALE = (".aux.xml", ".ovr", ".msk")
"""Endings of files that other programs write beside a raster, and read first."""


def publish(source: Path, directory: Path, *, overwrite: bool) -> None:
    """Move every file of `source` into `directory`; rasters come last, so that a raster always has its companions.

    A link with a final name is replaced itself; nothing is written through it. If a file cannot be moved, the replaced
    files are restored and the new ones are removed.

    Args:
        source: The folder of the finished files.
        directory: Where they go.
        overwrite: Replace what has their names. What got one of the names while the run was under way stays otherwise.

    Raises:
        OutputError: a file exists or cannot be replaced.
    """
    fresh = sorted(
        (path for path in source.iterdir() if path.is_file() and not path.is_symlink()),
        key=lambda path: (path.suffix == ".tif", path),
    )
    kept = source / "replaced"
    kept.mkdir(exist_ok=True)
    done: list[tuple[Path, Path | None]] = []
    try:
        for path in fresh:
            target = directory / path.name
            backup = _keep(target, kept)
            (os.replace if overwrite else move_to_free_name)(path, target)
            done.append((target, backup))
    except OSError as error:
        for target, backup in reversed(done):
            with contextlib.suppress(OSError):
                if backup is not None:
                    backup.replace(target)
                else:
                    target.unlink()
        if isinstance(error, FileExistsError):
            raise OutputError(
                f"The output {target} exists now; something else wrote it during the run.",
                "Choose another folder, or allow overwriting (--overwrite).",
                code="output-exists",
            ) from error
        raise OutputError(
            f"{target} cannot be written: {error.strerror}.",
            "Close it in other programs, or choose another folder.",
        ) from error
    names = {path.name for path in fresh}
    for path in fresh:
        for suffix in STALE if path.suffix == ".tif" else ():
            if path.name + suffix not in names:
                (directory / (path.name + suffix)).unlink(missing_ok=True)
    _flush_folder(directory)


def move_to_free_name(path: Path, target: Path) -> None:
    """Rename a file unless something has the new name.

    Args:
        path: The file.
        target: Its new name, on the same file system.

    Raises:
        FileExistsError: Something has it.
        OSError: It cannot be renamed.
    """
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        # killed between the two names: the file is there already
        if target.is_symlink() or not target.samefile(path):
            raise
    except (OSError, NotImplementedError):  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        path.replace(target)
        return
    path.unlink()


def _keep(target: Path, kept: Path) -> Path | None:
    """A hard link to the file that will be replaced; None if there is no file or the file system has no hard links."""
    if not os.path.lexists(target):
        return None
    backup = kept / target.name
    try:
        os.link(target, backup, follow_symlinks=False)
    except (OSError, NotImplementedError):
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
