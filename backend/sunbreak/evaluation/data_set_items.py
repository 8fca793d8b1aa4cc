"""The patches of a data set that a removal model is evaluated on: SEN12MS-CR in either layout, or triplets of files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sunbreak.datasets.reading import stamp
from sunbreak.datasets.sen12ms import Split, parse_name
from sunbreak.datasets.sen12mscr import find_pairs
from sunbreak.errors import InputError
from sunbreak.events import Reporter


@dataclass(frozen=True)
class Item:
    """A patch of a data set: a cloudy and a clear image of one place, and its radar where there is any."""

    name: str
    cloudy: Path
    clear: Path
    s1: Path | None

    @property
    def key(self) -> str:
        """Changes when one of its files does."""
        files = [path for path in (self.cloudy, self.clear, self.s1) if path is not None]
        return hashlib.sha256(" ".join(stamp(path) for path in files).encode()).hexdigest()[:12]


def find_items(folder: Path, split: Split | None, reporter: Reporter) -> list[Item]:
    """The patches of a folder: SEN12MS-CR in either layout, or triplets (`<id>_s1.tif`, `_s2_cloudy`, `_s2`).

    Args:
        folder: Of the data set.
        split: Split of SEN12MS-CR (the authors' scene list); all scenes if not given.
        reporter: Receives what is left out and why.

    Raises:
        InputError: There are no patches to evaluate.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder.", "Give the folder of the data set.", code="missing-folder")
    clear = [path for path in sorted(folder.glob("*_s2.tif")) if parse_name(path.name) is None]
    if clear:
        return _triplets(clear, reporter)
    index = find_pairs(folder)
    for text in index.remarks:
        reporter.message(text, "warning")
    wanted = [patch for patch in index.patches if split is None or patch.place.split_of("official") == split]
    if not wanted:
        raise InputError(
            f"{folder}: no patch lies in a {split} scene.", "Choose others with --split, or all.", code="split-missing"
        )
    return [
        Item(patch.place.name, patch.files["s2_cloudy"], patch.files["s2"], patch.files.get("s1")) for patch in wanted
    ]


def _triplets(clear: Sequence[Path], reporter: Reporter) -> list[Item]:
    items, lacking, blind = [], [], []
    for path in clear:
        name = path.name.removesuffix("_s2.tif")
        cloudy, radar = path.with_name(f"{name}_s2_cloudy.tif"), path.with_name(f"{name}_s1.tif")
        if not cloudy.is_file():
            lacking.append(name)
            continue
        if not radar.is_file():
            blind.append(name)
        items.append(Item(name, cloudy, path, radar if radar.is_file() else None))
    for names, text in ((lacking, "Left out, no _s2_cloudy.tif"), (blind, "No radar (_s1.tif)")):
        if names:
            reporter.message(f"{text}: {len(names)} patches, such as {names[0]}.", "warning")
    if not items:
        raise InputError(
            f"{clear[0].parent}: no <id>_s2_cloudy.tif beside {clear[0].name}.", "Give both images.", code="no-samples"
        )
    return items
