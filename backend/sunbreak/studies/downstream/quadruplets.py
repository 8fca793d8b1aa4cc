"""The patches of the study: clear image, cloudy image, radar and land cover of one place, with label and split.

Splits are those of GLF-CR, which publications use. The label is the most frequent simplified IGBP class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from sunbreak.datasets.landcover import single_label
from sunbreak.datasets.sen12ms import SEASONS, Kind, Patch, PatchIndex, find_patches
from sunbreak.errors import InputError
from sunbreak.sources.gdal import open_dataset
from sunbreak.studies.downstream.remarks import Remark
from sunbreak.studies.downstream.store import read_json, stamp, write_json

KINDS: tuple[Kind, ...] = ("s1", "s2", "s2_cloudy", "lc")
BANDS: Mapping[Kind, int] = {"s1": 2, "s2": 13, "s2_cloudy": 13, "lc": 1}
SPLITS = {"train": "train", "validation": "val", "test": "test"}
_UNCLASSIFIED = (0, 255)
_SAVE_EVERY = 500


@dataclass(frozen=True)
class Quadruplet:
    """One patch.

    Attributes:
        name: Name such as ``1158_spring_31_p30``.
        split: ``train``, ``val`` or ``test``.
        label: Class index from 0.
        files: The four files by kind.
    """

    name: str
    split: str
    label: int
    files: Mapping[Kind, Path]


@dataclass(frozen=True)
class Pairs:
    """The patches of a study, and remarks about excluded patches."""

    patches: tuple[Quadruplet, ...]
    remarks: tuple[Remark, ...]

    def of_split(self, split: str) -> tuple[Quadruplet, ...]:
        """The patches of one split."""
        return tuple(patch for patch in self.patches if patch.split == split)

    def write(self, path: Path) -> None:
        """Write the patches as JSON."""
        patches = [
            {
                "name": patch.name, "split": patch.split, "label": patch.label,
                "files": {kind: str(file) for kind, file in patch.files.items()},
            }
            for patch in self.patches
        ]  # fmt: skip
        remarks = [{"topic": r.topic, "count": r.count, "text": r.text} for r in self.remarks]
        write_json(path, {"patches": patches, "remarks": remarks})

    @classmethod
    def read(cls, path: Path) -> Pairs | None:
        """Read the patches, or None if the file is missing or damaged."""
        content = read_json(path)
        try:
            return cls(
                tuple(
                    Quadruplet(
                        str(patch["name"]), str(patch["split"]), int(patch["label"]),
                        {kind: Path(file) for kind, file in patch["files"].items()},
                    )
                    for patch in content["patches"]
                ),
                tuple(Remark(**remark) for remark in content["remarks"]),
            )  # fmt: skip
        except (TypeError, KeyError, AttributeError, ValueError, OverflowError):
            return None


def pair(
    sen12ms: Path,
    sen12mscr: Path,
    labels: Path,
    *,
    season: str = "spring",
    split: str = "test",
    limit: int | None = None,
    exclude: Collection[str] = (),
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> Pairs:
    """Find and label the quadruplets of a season.

    Radar and clear images come from SEN12MS-CR if it has them, because its cloudy images are on the same grid.

    Args:
        sen12ms: Folder of SEN12MS.
        sen12mscr: Folder of SEN12MS-CR.
        labels: File of the cached labels; land-cover maps take long to read.
        season: ``spring``, ``summer``, ``fall``, ``winter`` or ``all``.
        split: The evaluated split.
        limit: Largest number of patches of each split, evenly spread over the data set.
        exclude: Names of patches to leave out.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Raises:
        InputError: A folder or a kind of file is missing, no patch is complete, a land-cover map cannot be read or has
            other values than IGBP classes, or the split has no patch.
    """
    index = find_patches([sen12mscr, sen12ms], KINDS)
    wanted = {seed for seed, name in SEASONS.items() if season in (name, "all")}
    whole = [patch for patch in index.patches if patch.place.seed in wanted]
    if not whole:
        raise _nothing_paired(index, wanted, season, sen12ms, sen12mscr)
    unknown = sorted(set(exclude) - {patch.place.name for patch in whole})
    if unknown:
        raise InputError(
            f"--exclude {unknown[0]}: there is no such patch.",
            f"A valid name is {whole[0].place.name}.",
            code="unknown-patch",
        )
    left = [patch for patch in whole if patch.place.name not in exclude]
    chosen = _limited(left, limit)
    found = _labelled(chosen, labels, checkpoint)
    unlabelled = sorted(name for name, label in found.items() if label is None)
    patches = tuple(
        Quadruplet(patch.place.name, SPLITS[patch.place.split], label - 1, {kind: patch.files[kind] for kind in KINDS})
        for patch in chosen
        if (label := found[patch.place.name]) is not None
    )
    if not any(patch.split == split for patch in patches):
        there = ", ".join(sorted({patch.split for patch in patches})) or "none"
        raise InputError(
            f"{sen12mscr}: no patch lies in a scene of the split '{split}' (splits there: {there}).",
            "The test scenes of spring are 31, 44, 106, 123 and 140. Choose another split with --split.",
            code="split-missing",
        )
    return Pairs(patches, tuple(_remarks(index, wanted, exclude, len(left) - len(chosen), unlabelled)))


def read_patch(path: Path, kind: Kind, name: str) -> NDArray[Any]:
    """Read a file of a patch, (band, row, column).

    Raises:
        InputError: The file cannot be read or has a wrong number of bands. The hint tells how to exclude the patch.
    """
    try:
        with open_dataset(path) as source:
            values: NDArray[Any] = source.read()
    except (RasterioError, OSError) as error:
        raise InputError(
            f"{path}: cannot be read ({type(error).__name__}).",
            f"Fetch it again, or leave the patch out with --exclude {name}.",
            code="unreadable",
        ) from error
    least = BANDS[kind]
    if len(values) < least or (kind in ("s2", "s2_cloudy", "s1") and len(values) != least):
        raise InputError(
            f"{path}: has {len(values)} bands, but {kind} needs {least}{' or more' if kind == 'lc' else ''}.",
            f"Fetch it again, or leave the patch out with --exclude {name}.",
            code="bands-missing",
        )
    return values


def _nothing_paired(
    index: PatchIndex, wanted: Collection[int], season: str, sen12ms: Path, sen12mscr: Path
) -> InputError:
    lacking = [kinds for place, kinds in index.missing.items() if place.seed in wanted]
    if not lacking:
        return InputError(
            f"{sen12ms}, {sen12mscr}: no patch of the season '{season}'.",
            "Choose another season with --season, or all.",
            code="no-patches",
        )
    never = [kind for kind in KINDS if all(kind in kinds for kinds in lacking)]
    reason = f"there is no file of {', '.join(never)}" if never else "every patch lacks a file"
    return InputError(
        f"{sen12ms}, {sen12mscr}: none of {len(lacking)} patches is complete: {reason}.",
        "Land cover (lc) is in SEN12MS, cloudy images (s2_cloudy) are in SEN12MS-CR. Give both for the same season.",
        code="no-patches",
    )


def _limited(patches: Sequence[Patch], limit: int | None) -> list[Patch]:
    if limit is None:
        return list(patches)
    kept: list[Patch] = []
    for split in SPLITS:
        of_split = [patch for patch in patches if patch.place.split == split]
        count = min(limit, len(of_split))
        kept += [of_split[int(index)] for index in np.linspace(0, len(of_split) - 1, count).round()]
    return sorted(kept, key=lambda patch: patch.place)


def _labelled(patches: Sequence[Patch], cache: Path, checkpoint: Callable[[int, int], None]) -> dict[str, int | None]:
    """The class (1..10) of each patch by name; None without classified pixels."""
    kept_before = read_json(cache)
    known: dict[str, list[Any]] = {
        name: entry
        for name, entry in (kept_before.items() if isinstance(kept_before, dict) else ())
        if isinstance(entry, list) and len(entry) == 2 and (entry[1] is None or entry[1] in range(1, 11))
    }
    found: dict[str, int | None] = {}
    new = 0
    try:
        for number, patch in enumerate(patches):
            checkpoint(number, len(patches))
            name, path = patch.place.name, patch.files["lc"]
            kept, mark = known.get(name), stamp(path)
            if kept is None or kept[0] != mark:
                known[name] = kept = [mark, _label(path, name)]
                new += 1
                if new % _SAVE_EVERY == 0:
                    write_json(cache, known)
            found[name] = kept[1]
        checkpoint(len(patches), len(patches))
    finally:
        if new:
            write_json(cache, known)
    return found


def _label(path: Path, name: str) -> int | None:
    igbp = read_patch(path, "lc", name)[0]
    strange = igbp[(igbp > 17) & ~np.isin(igbp, _UNCLASSIFIED)]
    if strange.size:
        raise InputError(
            f"{path}: the value {strange[0]:g} in its first band is no IGBP class (1 to 17, or 255).",
            f"Fetch the land cover again, or leave the patch out with --exclude {name}.",
            code="label-range",
        )
    return single_label(igbp)


def _remarks(
    index: PatchIndex, wanted: Collection[int], exclude: Collection[str], beyond: int, unlabelled: Sequence[str]
) -> list[Remark]:
    lacking = [kinds for place, kinds in index.missing.items() if place.seed in wanted]
    by_kind = {kind: sum(kind in kinds for kinds in lacking) for kind in KINDS}
    told = ", ".join(f"{kind} {count}" for kind, count in by_kind.items() if count)
    broken = [place.name for place in index.broken if place.seed in wanted]
    remarks = [
        Remark(
            "incomplete patches",
            len(lacking),
            f"{len(lacking)} incomplete places are excluded{f' (missing: {told})' if told else ''}.",
        ),
        Remark(
            "broken patches",
            len(broken),
            f"{len(broken)} patches that are damaged in the published archives are excluded"
            f"{': ' + ', '.join(broken) if broken else ''}.",
        ),
        Remark(
            "patches without a class",
            len(unlabelled),
            f"{len(unlabelled)} patches without a classified pixel are excluded"
            f"{', first ' + unlabelled[0] if unlabelled else ''}.",
        ),
    ]
    if exclude:
        text = f"{len(exclude)} patches are excluded by --exclude: {', '.join(sorted(exclude))}."
        remarks.append(Remark("excluded patches", len(exclude), text))
    if beyond:
        text = f"{beyond} patches, evenly spread over the data set, are excluded by --limit."
        remarks.append(Remark("patches beyond the limit", beyond, text))
    return remarks
