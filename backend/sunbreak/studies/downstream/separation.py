"""The separability study (Table 2): how well each score separates the other inputs from the clear images."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import bootstrap, separability
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.metrics.classification import Mode
from sunbreak.metrics.separability import PAPER_COVER, PAPER_SCORES, SCORES, ClassGaussians, Score
from sunbreak.studies.downstream.table import INPUTS, PatchTable

# PR and ROC of clear against cloud-removed, then against cloudy: Hauptvogel, Table 2
PUBLISHED: dict[tuple[str, str], tuple[float, float]] = {
    ("max_probability", "removed"): (0.642, 0.609),
    ("max_probability", "cloudy"): (0.597, 0.564),
    ("cross_entropy", "removed"): (0.425, 0.372),
    ("cross_entropy", "cloudy"): (0.381, 0.290),
    ("precision", "removed"): (0.584, 0.527),
    ("precision", "cloudy"): (0.583, 0.595),
    ("logit_sum", "removed"): (0.464, 0.430),
    ("logit_sum", "cloudy"): (0.383, 0.329),
}


@dataclass(frozen=True)
class Separation:
    """How well one score separates one input from the clear images.

    Attributes:
        score: The score.
        other: The input compared with the clear images.
        patches: Number of patches of each input.
        roc: Area under the ROC curve.
        pr: Area under the precision/recall curve by the trapezoidal rule in ``paper`` mode; average precision in
            ``corrected`` mode.
        fpr95: Fraction of clear patches that are flagged when 95 % of the others are; None in ``paper`` mode.
        either_way: The larger of ROC area and 1 minus ROC area: the separation regardless of the sign of the score.
    """

    score: Score
    other: str
    patches: int
    roc: Estimate
    pr: Estimate
    fpr95: Estimate | None
    either_way: float


def published(score: str, other: str, inputs: Container[str]) -> tuple[float, float] | None:
    """The published PR and ROC area of a comparison, or None.

    The paper evaluates raw predictions. They are `removed_raw` if a table has both versions, and `removed` otherwise.
    """
    raw = "removed_raw" if "removed_raw" in inputs else "removed"
    return PUBLISHED.get((score, "removed" if other == raw else "" if other == "removed" else other))


def reference_rows(table: PatchTable, split: str) -> NDArray[np.int64]:
    """Rows of other splits with features of the clear image: the training split if possible, else any split."""
    features = features_of(table, "clear")
    known = (table.split != split) & np.isfinite(features).all(axis=1)
    for name in ("train", "val"):
        if (known & (table.split == name)).any():
            return np.flatnonzero(known & (table.split == name))
    return np.flatnonzero(known)


def separations(
    part: PatchTable, table: PatchTable, reference: NDArray[np.int64], mode: Mode, counts: Draws
) -> list[Separation]:
    """All scores of all comparisons.

    Args:
        part: The patches of the evaluated split.
        table: All patches.
        reference: Rows of `table` that are the reference of feature distances; may be empty.
        mode: The mode. ``paper`` uses patches with a cover above 0.1 only when it compares cloudy images.
        counts: (replicate, patch), bootstrap draws.
    """
    scores = PAPER_SCORES if mode == "paper" else SCORES
    names = [name for name in INPUTS if name in part.logits]
    if mode == "paper":
        values = {name: separability.paper_scores(part.logits[name], part.label) for name in names}
    else:
        values = _corrected_scores(part, table, reference, names)
    found = []
    for other in values:
        if other == "clear":
            continue
        rows: NDArray[np.bool_] = np.ones(len(part), bool)
        if mode == "paper" and other == "cloudy":
            rows = np.asarray(part.cover > PAPER_COVER)
        if not rows.any():
            continue
        twice = np.concatenate((counts[:, rows], counts[:, rows]), axis=1)
        is_clear = np.arange(2 * int(rows.sum())) < rows.sum()
        for score in scores:
            if score.name not in values[other] or score.name not in values["clear"]:
                continue
            both = np.concatenate((values["clear"][score.name][rows], values[other][score.name][rows]))
            found.append(_separation(score, other, mode, both, is_clear, twice))
    return found


def _separation(
    score: Score, other: str, mode: Mode, both: NDArray[Any], is_clear: NDArray[np.bool_], counts: Draws
) -> Separation:
    if mode == "paper":
        value, drawn = (separability.areas(both, is_clear, draws) for draws in (None, counts))
        pr = bootstrap.estimate(float(value.pr_trapezoid[0]), drawn.pr_trapezoid)
        fpr95 = None
    else:
        towards_other = -both if score.clear_is_high else both
        value, drawn = (separability.areas(towards_other, ~is_clear, draws) for draws in (None, counts))
        pr = bootstrap.estimate(float(value.average_precision[0]), drawn.average_precision)
        fpr95 = bootstrap.estimate(float(value.fpr95[0]), drawn.fpr95)
    return Separation(
        score=score,
        other=other,
        patches=int(is_clear.sum()),
        roc=bootstrap.estimate(float(value.roc[0]), drawn.roc),
        pr=pr,
        fpr95=fpr95,
        either_way=max(float(value.roc[0]), 1 - float(value.roc[0])),
    )


def _corrected_scores(
    part: PatchTable, table: PatchTable, reference: NDArray[np.int64], names: Sequence[str]
) -> dict[str, dict[str, NDArray[np.float64]]]:
    scores = {name: separability.logit_scores(part.logits[name], part.label) for name in names}
    for found in scores.values():
        # the sum of exponentials may overflow; its logarithm has the same ranks
        found["precision"] = -found["energy"]
    if len(reference):
        clear = features_of(table, "clear")[reference]
        gaussians = ClassGaussians.fit(clear, table.label[reference])
        for name in names:
            features = features_of(part, name)
            if np.isfinite(features).all():
                scores[name]["mahalanobis"] = gaussians.distance(features)
                scores[name]["knn"] = separability.knn(features, clear)
    return scores


def features_of(table: PatchTable, name: str) -> NDArray[Any]:
    """Features of an input, NaN without features. If the clear images have no features, the logits of the input."""
    if "clear" not in table.features:
        return table.logits[name]
    return table.features.get(name, np.full((len(table), 1), np.nan))
