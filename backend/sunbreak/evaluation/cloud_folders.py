"""Comparison of a folder of cloud masks with a folder of reference masks; files are paired by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sunbreak.drafts import draft
from sunbreak.errors import InputError, OutputError
from sunbreak.evaluation.clouds import CloudAgreement, Codings, compare_masks, figures_of
from sunbreak.evaluation.folders import place_of, rasters_by_place
from sunbreak.outputs import check_files
from sunbreak.tables import CsvTable

TABLE = "clouds.csv"
ALL = "all"
# how masks are named; applied to the name without its extension
_MASK = re.compile(r"[_-](cloud_?mask|clouds?|mask|msk|scl(_\d+m)?|labels?|reference|ref|prediction|pred)$", re.I)
_LAYER = "_cloud_mask"


@dataclass(frozen=True)
class MaskPair:
    """A mask and its reference."""

    name: str
    predicted: Path
    reference: Path


def mask_place(path: Path) -> str:
    """The common part of the file names of one place, without what says that it is a mask.

    ``S2_cloud_mask.tif``, ``S2_SCL_20m.tif`` and ``S2_reference_mask.tif`` belong to ``S2``.
    """
    stem, before = path.stem, ""
    while stem != before:
        stem, before = _MASK.sub("", stem), stem
    return place_of(Path(f"{stem}.tif"))


def match_masks(predicted: Path, reference: Path) -> tuple[list[MaskPair], list[str]]:
    """Pair the masks of two folders by name, see `mask_place`.

    In a folder that holds files named ``..._cloud_mask.tif``, as Sunbreak writes them, only these are masks.

    Returns:
        The pairs, and the predicted masks without a reference.

    Raises:
        InputError: ``missing-folder``, ``no-samples``, ``ambiguous``, or ``no-pairs`` if no names match.
    """
    ours, theirs = _masks(predicted, "predicted"), _masks(reference, "reference")
    pairs = [MaskPair(name, path, theirs[name]) for name, path in ours.items() if name in theirs]
    if not pairs:
        example = next(iter(ours.values()))
        raise InputError(
            f"{predicted}: no mask has the name of one in {reference}; {example.name} would belong to "
            f"{mask_place(example)}.tif.",
            "Name the files alike; endings such as _cloud_mask, _mask and _SCL_20m do not count.",
            code="no-pairs",
        )
    return pairs, [path.name for name, path in ours.items() if name not in theirs]


def compare_mask_folders(
    pairs: list[MaskPair],
    *,
    tolerance: int = 0,
    codings: Codings = Codings(),  # noqa: B008 (frozen)
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, CloudAgreement]:
    """Compare each pair as `compare_masks` does.

    Args:
        pairs: From `match_masks`.
        tolerance: Boundary tolerance in pixels.
        codings: What the values of the predicted and of the reference masks stand for.
        checkpoint: Called with the number of finished pairs and of all pairs, also during a pair; may raise to stop.

    Returns:
        The counts of each pair by its name.

    Raises:
        InputError: A pair cannot be compared.
    """
    single = {}
    for number, pair in enumerate(pairs):

        def within_pair(_done: int, _total: int, finished: int = number) -> None:
            checkpoint(finished, len(pairs))

        single[pair.name] = compare_masks(
            pair.predicted, pair.reference, tolerance=tolerance, codings=codings, checkpoint=within_pair
        )
    checkpoint(len(pairs), len(pairs))
    return single


def check_cloud_table(path: Path, overwrite: bool) -> None:
    """Refuse to replace a table, before anything is computed.

    Raises:
        OutputError: The file exists (``output-exists``) or cannot be written.
    """
    check_files([path], overwrite=overwrite)


def write_cloud_table(path: Path, total: CloudAgreement, single: dict[str, CloudAgreement], tolerance: int) -> Path:
    """Write the counts and figures of every pair and class, and of all pairs together, as CSV.

    Cells are empty where a figure is not told or not defined.

    Args:
        path: The file.
        total: The counts of all pairs together; their rows are named `ALL`.
        single: The counts of each pair by its name.
        tolerance: The boundary tolerance that was counted with.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as place, place.open("w", newline="", encoding="utf-8") as file:
            table = CsvTable(file)
            keys = list(next(iter(figures_of(total, tolerance).values())))
            table.row(["mask", "class", "tp", "fp", "fn", "tn", *keys, "compared", "left_out"])
            for name, found in [*single.items(), (ALL, total)]:
                for title, own in figures_of(found, tolerance).items():
                    counts = found.classes.get(title)
                    exact = counts.exact if counts else None
                    cells = [exact.tp, exact.fp, exact.fn, exact.tn] if exact else [""] * 4
                    shown = [f"{own[key]:.9g}" if math.isfinite(own[key]) else "" for key in keys]
                    table.row([name, title, *cells, *shown, found.compared, found.left_out])
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}).", "Choose another folder with -o."
        ) from error
    return path


def _masks(folder: Path, what: str) -> dict[str, Path]:
    layers_only = folder.is_dir() and any(folder.rglob(f"*{_LAYER}.tif"))
    return rasters_by_place(folder, lambda path: not layers_only or path.stem.endswith(_LAYER), what, mask_place)
