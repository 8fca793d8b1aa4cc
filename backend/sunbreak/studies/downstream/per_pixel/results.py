"""Computes all numbers of the report on pixels from counts, with bootstrap intervals over the patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.metrics import bootstrap, classification
from sunbreak.metrics.binning import Binning, cover_bins
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.studies.downstream.per_pixel.against_labels import LabelFigures, compare_with_labels
from sunbreak.studies.downstream.per_pixel.areas import ClassAreas, ClassDetail, class_areas, class_detail
from sunbreak.studies.downstream.per_pixel.counting import COMPARED, KEPT, REPLACED, PixelCounts
from sunbreak.studies.downstream.remarks import Remark
from sunbreak.studies.downstream.results import REPLICATES, BinTable

Floats = NDArray[np.float64]

PLACES: Mapping[str, tuple[int, ...]] = {"all": (KEPT, REPLACED), "replaced": (REPLACED,), "kept": (KEPT,)}
"""The sets of pixels that figures are computed over."""
PLACE_TITLES = {"all": "all pixels", "replaced": "replaced pixels", "kept": "pixels not replaced"}
_FIGURES = ("agreement", "macro_f1")


@dataclass(frozen=True)
class VersionFigures:
    """How the classes of one version agree with those of the clear images.

    Attributes:
        confusion: Pixels, (class on the clear image, class on this version).
        fractions: The same as fractions of each class on the clear image; NaN rows for classes that are not there.
        fractions_low: Lower bounds of the intervals of `fractions`.
        fractions_high: Upper bounds of the intervals of `fractions`.
        overall: ``agreement``, the fraction of the pixels with the class of the clear image, and ``macro_f1``, the mean
            F1 of the classes on the clear images.
        f1: F1 of each class.
    """

    confusion: NDArray[np.int64]
    fractions: Floats
    fractions_low: Floats
    fractions_high: Floats
    overall: dict[str, Estimate]
    f1: list[Estimate]


@dataclass(frozen=True)
class VersionDifference:
    """Difference between two versions, on the same pixels and the same bootstrap resamples.

    Attributes:
        first: The version that is subtracted.
        second: The other version.
        overall: Second minus first: agreement, macro_f1.
    """

    first: str
    second: str
    overall: dict[str, Estimate]


@dataclass(frozen=True)
class PixelEvaluation:
    """All numbers of the report; dictionaries are by one of `PLACES` first, where nothing else is said.

    Attributes:
        counts: The counts of the patches.
        split: Name of the split.
        versions: Agreement with the clear images, by place and version.
        differences: Between versions, by place.
        areas: Areas of the classes, by place.
        detail: Detail of the classes on the clear images, and its correlation with their gain in area.
        by_cover: Agreement and macro F1 by cloud cover, by place.
        labels: Comparison with the labels of the patches, by version, `clear` first; empty if the classes of the
            network have no counterpart among the labels.
        remarks: Remarks on exclusions and special cases.
        replicates: Number of bootstrap resamples.
        seed: Seed of the resamples.
    """

    counts: PixelCounts
    split: str
    versions: dict[str, dict[str, VersionFigures]]
    differences: dict[str, list[VersionDifference]]
    areas: dict[str, ClassAreas]
    detail: ClassDetail
    by_cover: dict[str, BinTable]
    labels: dict[str, LabelFigures]
    remarks: list[Remark]
    replicates: int
    seed: int


def evaluate_pixels(
    counts: PixelCounts,
    *,
    split: str = "test",
    replicates: int = REPLICATES,
    seed: int = 0,
    remarks: Sequence[Remark] = (),
    checkpoint: Callable[[str], None] = lambda step: None,
) -> PixelEvaluation:
    """Compute all numbers.

    Args:
        counts: The counts of the patches of the evaluated split.
        split: Name of the split.
        replicates: Number of bootstrap resamples.
        seed: Seed of the resamples.
        remarks: Remarks that precede those of the evaluation.
        checkpoint: Called with the name of each step before it; may raise to stop.

    Raises:
        InputError: There are fewer than two patches, or no pixel is valid in all versions (``table-empty``).
    """
    valid = _total(counts, "removed", "all").sum(axis=(1, 2))
    if len(counts) < 2 or not valid.any():
        raise InputError(
            f"The split '{split}' has {'a single patch' if len(counts) < 2 else 'no pixel that is valid everywhere'}.",
            "Metrics and intervals need at least two patches with valid pixels.",
            code="table-empty",
        )
    checkpoint("resamples")
    draws = bootstrap.draws(len(counts), replicates, seed)
    checkpoint("agreement")
    totals = {place: {name: _total(counts, name, place) for name in COMPARED} for place in PLACES}
    drawn = {place: {name: resampled(found, draws) for name, found in parts.items()} for place, parts in totals.items()}
    versions = {
        place: {name: _figures(totals[place][name].sum(axis=0), drawn[place][name]) for name in COMPARED}
        for place in PLACES
    }
    areas = {
        place: class_areas(
            {name: found.sum(axis=0) for name, found in totals[place].items()}, drawn[place]
        )
        for place in PLACES
    }  # fmt: skip
    detail = class_detail(counts, draws, areas["all"], drawn["all"])
    checkpoint("bins")
    bins = cover_bins(counts.cover, "corrected")
    by_cover = {place: _by_cover(bins, totals[place], draws) for place in PLACES}
    checkpoint("labels")
    return PixelEvaluation(
        counts=counts,
        split=split,
        versions=versions,
        differences={place: _differences(versions[place], drawn[place]) for place in PLACES},
        areas=areas,
        detail=detail,
        by_cover=by_cover,
        labels=compare_with_labels(counts, totals["all"], draws),
        remarks=[*remarks, *_remarks(counts, valid, bins)],
        replicates=replicates,
        seed=seed,
    )


def resampled(values: NDArray[np.int64], draws: Draws) -> Floats:
    """Sums over the patches of every resample, (replicate, ...), of values (patch, ...)."""
    sums: Floats = np.tensordot(draws.astype(np.float64), values.astype(np.float64), axes=1)
    return sums


def _total(counts: PixelCounts, name: str, place: str) -> NDArray[np.int64]:
    """Pixels of each patch, (patch, class on the clear image, class)."""
    total: NDArray[np.int64] = counts.confusion[name][:, PLACES[place]].sum(axis=1)
    return total


def _figures(matrix: NDArray[np.int64], drawn: Floats) -> VersionFigures:
    fractions = classification.normalise(matrix)
    low, high = bootstrap.interval(classification.normalise(drawn))
    unknown = np.isnan(fractions)
    return VersionFigures(
        confusion=matrix,
        fractions=fractions,
        fractions_low=np.where(unknown, np.nan, low),
        fractions_high=np.where(unknown, np.nan, high),
        overall=_overall(matrix, drawn),
        f1=bootstrap.estimates(classification.class_figures(matrix).f1, classification.class_figures(drawn).f1),
    )


def _overall(matrix: NDArray[np.int64], drawn: Floats) -> dict[str, Estimate]:
    values, samples = _both(matrix), _both(drawn)
    return {name: bootstrap.estimate(float(values[name]), samples[name]) for name in _FIGURES}


def _both(matrix: NDArray[np.int64] | Floats) -> dict[str, Floats]:
    return {
        "agreement": classification.accuracy(matrix),
        "macro_f1": classification.macro(matrix, "supported")["f1"],
    }


def _differences(found: Mapping[str, VersionFigures], drawn: Mapping[str, Floats]) -> list[VersionDifference]:
    differences = []
    for second, first in (("removed", "cloudy"), ("removed_raw", "cloudy"), ("removed", "removed_raw")):
        samples = {name: _both(drawn[name]) for name in (first, second)}
        overall = {
            figure: bootstrap.estimate(
                found[second].overall[figure].value - found[first].overall[figure].value,
                samples[second][figure] - samples[first][figure],
            )
            for figure in _FIGURES
        }
        differences.append(VersionDifference(first, second, overall))
    return differences


def _by_cover(bins: Binning, totals: Mapping[str, NDArray[np.int64]], draws: Draws) -> BinTable:
    figures: dict[str, dict[str, list[Estimate]]] = {}
    for name, total in totals.items():
        figures[name] = {figure: [] for figure in _FIGURES}
        for place in range(len(bins.titles)):
            inside = bins.index == place
            found = _overall(total[inside].sum(axis=0), resampled(total[inside], draws[:, inside]))
            for figure, estimate in found.items():
                figures[name][figure].append(estimate)
    return BinTable(bins, figures)


def _remarks(counts: PixelCounts, valid: NDArray[np.int64], bins: Binning) -> list[Remark]:
    pixels = int(counts.pixels.sum())
    lost, without = pixels - int(valid.sum()), int((valid == 0).sum())
    replaced = int(counts.confusion["removed"][:, REPLACED].sum())
    unknown = bins.left_out.get("cover unknown", 0)
    return [
        Remark(
            "invalid pixels",
            lost,
            f"{lost} of {pixels} pixels are not valid in every version and are excluded"
            f"{f'; {without} patches have no other pixels' if without else ''}.",
        ),
        Remark(
            "replaced pixels",
            replaced,
            f"{replaced} pixels ({100 * replaced / max(int(valid.sum()), 1):.1f} % of those that count) lie in the "
            "dilated cloud mask, so that the default output replaces them wholly or in part.",
        ),
        Remark("bins of cloud cover", unknown, f"Bins of cloud cover: {unknown} patches of unknown cover in no bin."),
    ]
