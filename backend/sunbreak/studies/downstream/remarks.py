"""Remarks of the report on exclusions and special cases, with counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.binning import Binning
from sunbreak.metrics.classification import Mode
from sunbreak.metrics.separability import PAPER_COVER
from sunbreak.studies.downstream.separation import features_of
from sunbreak.studies.downstream.table import INPUT_TITLES, INPUTS, PatchTable


@dataclass(frozen=True)
class Remark:
    """A remark on an exclusion or a special case.

    Attributes:
        topic: Short title.
        count: Number of patches, classes or pixels.
        text: The sentence.
    """

    topic: str
    count: int
    text: str


def remarks_on(
    table: PatchTable,
    part: PatchTable,
    split: str,
    reference: NDArray[np.int64],
    binnings: list[tuple[Binning, Mode, str]],
) -> list[Remark]:
    """All remarks on an evaluation.

    Args:
        table: All patches.
        part: The patches of the evaluated split.
        split: Name of the split.
        reference: Rows of `table` that are the reference of feature distances.
        binnings: Each binning with its mode and its input.
    """
    return [
        *_support(table, part, split),
        *(_bins(*binning) for binning in binnings),
        *_paper_cover(part, {mode for _, mode, _ in binnings}),
        *_zero_pixels(part),
        _missing_inputs(part),
        *_reference(table, part, reference),
    ]


def _support(table: PatchTable, part: PatchTable, split: str) -> list[Remark]:
    counts = np.bincount(part.label, minlength=len(part.classes))
    everywhere = np.bincount(table.label, minlength=len(part.classes))
    unsupported = [name for name, count in zip(part.classes, counts, strict=True) if not count]
    if not unsupported:
        return [Remark("classes without support", 0, f"Every class has patches in the split '{split}'.")]
    absent = [name for name, count in zip(part.classes, everywhere, strict=True) if not count]
    more = f" In no split: {', '.join(absent)}." if absent else ""
    text = (
        f"No patch of the split '{split}' has the label {', '.join(unsupported)}. A class without support has no "
        f"recall: means over all classes count it as 0, means over supported classes exclude it.{more}"
    )
    return [Remark("classes without support", len(unsupported), text)]


def _bins(bins: Binning, mode: Mode, of: str) -> Remark:
    told = [f"{_patches(count)} with {why} in no bin" for why, count in bins.left_out.items()]
    told += [f"{_patches(count)} with {why} in a separate bin" for why, count in bins.remarks.items()]
    count = sum(bins.left_out.values())
    return Remark(f"bins of {bins.of}{of}, {mode}", count, f"Bins of {bins.of}{of} ({mode}): {'; '.join(told)}.")


def _paper_cover(part: PatchTable, modes: set[Mode]) -> list[Remark]:
    if "paper" not in modes or "cloudy" not in part.logits:
        return []
    out = int((~(part.cover > PAPER_COVER)).sum())
    text = (
        f"Separability of cloudy images (paper): {_patches(out)} with a cover of {PAPER_COVER:g} or less, or with "
        "unknown cover, are excluded on both sides. The corrected mode compares all patches."
    )
    return [Remark("cloudy comparison, paper", out, text)]


def _zero_pixels(part: PatchTable) -> list[Remark]:
    if not part.zero_pixels:
        return [Remark("all-zero pixels", 0, "The table has no counts of pixels that are 0 in all bands.")]
    return [
        Remark("all-zero pixels", *_zero_pixels_of(name, part.zero_pixels[name]))
        for name in INPUTS
        if name in part.zero_pixels
    ]


def _zero_pixels_of(name: str, column: NDArray[Any]) -> tuple[int, str]:
    pixels = np.nan_to_num(np.asarray(column, np.float64))
    count = int(pixels.sum())
    more = " They have no spectral angle and are excluded from SAM; all other metrics include them." if count else ""
    return (
        count,
        f"{INPUT_TITLES[name]}: {count} pixels of {_patches(int((pixels > 0).sum()))} are 0 in all bands.{more}",
    )


def _missing_inputs(part: PatchTable) -> Remark:
    missing = [INPUT_TITLES[name] for name in INPUTS if name not in part.logits]
    text = (
        f"The table has no logits of: {', '.join(missing)}." if missing else "The table has logits of all four inputs."
    )
    return Remark("inputs without logits", len(missing), text)


def _reference(table: PatchTable, part: PatchTable, rows: NDArray[np.int64]) -> list[Remark]:
    if not len(rows):
        text = (
            "Mahalanobis and kNN distances are not computed: no clear patch outside the evaluated split has features "
            "or logits as a reference."
        )
        return [Remark("reference of distances", 0, text)]
    kind = "features" if "clear" in table.features else "logits, because there are no features"
    splits = ", ".join(sorted(set(table.split[rows].tolist())))
    text = (
        f"Mahalanobis and kNN distances are between {kind}; the reference is {len(rows)} clear patches of the split "
        f"'{splits}'."
    )
    remarks = [Remark("reference of distances", len(rows), text)]
    without = [name for name in part.logits if not np.isfinite(features_of(part, name)).all()]
    if without:
        told = ", ".join(INPUT_TITLES[name] for name in without)
        text = f"There are no such distances for {told}: some patches of the evaluated split have no features."
        remarks.append(Remark("inputs without features", len(without), text))
    return remarks


def _patches(count: int) -> str:
    return f"{count} patch" if count == 1 else f"{count} patches"
