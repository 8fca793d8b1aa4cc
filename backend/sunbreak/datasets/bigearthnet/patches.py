"""A patch of BigEarthNet with its files, group (clear, cloudy, snowy) and split; and a collection of patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sunbreak.datasets.bigearthnet.labels import Nomenclature, merged
from sunbreak.datasets.bigearthnet.lists import CLOUDY_LIST, SNOWY_LIST
from sunbreak.datasets.bigearthnet.metadata import read_metadata
from sunbreak.datasets.bigearthnet.names import Split
from sunbreak.errors import InputError

Pile = Literal["clear", "cloudy", "snowy"]
RadarNeed = Literal["required", "optional", "none"]


@dataclass(frozen=True)
class Patch:
    """One patch.

    Attributes:
        name: Name of the Sentinel-2 patch.
        s2: Folder of the Sentinel-2 patch.
        s1: Folder of the Sentinel-1 patch of the same place, or None.
        pile: Cloudy (clouds or shadows), snowy (seasonal snow) or clear; None if the lists are missing.
        split: Train, validation or test.
        official: Whether the split is the published one; otherwise it is `names.derived_split`.
        reference_map: Land-cover map (version 2), or None.
        table: Table with the labels (version 2), or None if they are in the JSON file of the patch.
        listed: The labels in the table.
    """

    name: str
    s2: Path
    s1: Path | None
    pile: Pile | None
    split: Split
    official: bool
    reference_map: Path | None = None
    table: Path | None = None
    listed: tuple[str, ...] = ()

    @property
    def labels_file(self) -> Path:
        """The file with the labels."""
        return self.table or self.s2 / f"{self.name}_labels_metadata.json"

    def labels(self, nomenclature: Nomenclature = 19) -> tuple[str, ...]:
        """The labels. 57 patches of version 1 have no label of the 19 classes.

        Raises:
            InputError: The JSON file cannot be used, a label is unknown, or ``no-43-classes``: version 2 has only the
                19 classes.
        """
        if self.table is None:
            labels = read_metadata(self.labels_file).labels
            return merged(labels) if nomenclature == 19 else labels
        if nomenclature != 19:
            raise InputError(
                f"{self.table}: version 2 of BigEarthNet has only the 19 classes.",
                "Use the 19 classes, or version 1.",
                code="no-43-classes",
            )
        return self.listed


@dataclass(frozen=True)
class Collection:
    """The patches found.

    Attributes:
        folder: Folder of the data set.
        version: 1 or 2.
        patches: Patches in the order of their names.
        without_s1: Names of patches without a Sentinel-1 pair. They are in `patches` unless radar is required.
        absent: Names in the tables of version 2 that are not on disk.
        notes: Notes for the user, one sentence each.
    """

    folder: Path
    version: Literal[1, 2]
    patches: tuple[Patch, ...]
    without_s1: tuple[str, ...]
    absent: tuple[str, ...]
    notes: tuple[str, ...]

    def pile(self, pile: Pile, split: Split | None = None) -> tuple[Patch, ...]:
        """The clear, cloudy or snowy patches, of one split or of all.

        Raises:
            InputError: ``no-piles`` if the lists of cloudy and snowy patches are missing, ``empty-pile`` if there is no
                such patch.
        """
        if any(patch.pile is None for patch in self.patches):
            raise InputError(
                f"{self.folder}: nothing says which patches are cloudy.",
                f"Put {CLOUDY_LIST} and {SNOWY_LIST} of the data set into the folder.",
                code="no-piles",
            )
        found = tuple(patch for patch in self.patches if patch.pile == pile and split in (None, patch.split))
        if not found:
            of = "" if split is None else f" in the {split} split"
            raise InputError(
                f"{self.folder}: no {pile} patches{of} among {len(self.patches)}.",
                "Check that lists or tables and patches belong together, or unpack more of the data set.",
                code="empty-pile",
            )
        return found

    def split(self, split: Split) -> tuple[Patch, ...]:
        """The clear, cloudy and snowy patches of one split."""
        return tuple(patch for patch in self.patches if patch.split == split)


def labelled(patches: Sequence[Patch], nomenclature: Nomenclature = 19) -> tuple[tuple[Patch, ...], tuple[Patch, ...]]:
    """Patches with and patches without a label of the nomenclature. Reads all JSON files in version 1."""
    kept: list[Patch] = []
    dropped: list[Patch] = []
    for patch in patches:
        (kept if patch.labels(nomenclature) else dropped).append(patch)
    return tuple(kept), tuple(dropped)
