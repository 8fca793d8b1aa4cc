"""Tells whether an earlier run wrote all its layers, so that nothing is left to be done.

A process can be killed after its last file has its final name. The same command with ``--resume`` then finds a whole
result and no journal.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from sunbreak.layers import cog

_OWN = "SUNBREAK_"


def companions_of(raster: Path) -> list[Path]:
    """The files that stand beside every layer: its style and its STAC item."""
    return [raster.with_name(f"{raster.stem}{ending}") for ending in (".qml", ".stac.json")]


def is_finished(
    files: Sequence[Path], layers: Sequence[tuple[Path, Mapping[str, str]]], inputs: Sequence[Path]
) -> bool:
    """Whether the files are the whole result of one run.

    Args:
        files: All files of the result.
        layers: Its rasters, each with the tags that the run gives it: task, models, parameters, version.
        inputs: What it is made from. A file that is younger than a layer is not what it was made from.
    """
    try:
        if not all(stat.S_ISREG(path.lstat().st_mode) for path in files):
            return False
        made = min(path.stat().st_mtime_ns for path, _ in layers)
        if any(path.stat().st_mtime_ns > made for path in inputs):
            return False
    except OSError:
        return False
    return all(_has(path, tags) for path, tags in layers)


def _has(path: Path, tags: Mapping[str, str]) -> bool:
    """Whether a layer has these tags. A run may add figures to them."""
    found = cog.tags_of(path)
    return found is not None and all(found.get(name) == value for name, value in tags.items() if name.startswith(_OWN))
