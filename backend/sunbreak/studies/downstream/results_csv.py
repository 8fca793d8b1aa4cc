"""Writes all numbers of the report as rows of one long table, and as CSV files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sunbreak.metrics.bootstrap import Estimate
from sunbreak.studies.downstream.results import BinTable, Difference, Evaluation, InputFigures, ModeFigures
from sunbreak.tables import CsvTable

HEADER = ("section", "mode", "input", "item", "figure", "value", "low", "high", "count")


@dataclass(frozen=True)
class Number:
    """One number.

    Attributes:
        section: Section of the report; one CSV file each.
        mode: ``paper`` or ``corrected``; empty if both agree.
        input: The input, or ``removed-clear`` for a difference.
        item: The class, bin, score or split.
        figure: The metric.
        estimate: The value, with an interval if there is one.
        count: Number of patches, or of pixels in the sections of per-pixel classifiers; None if it has no meaning.
    """

    section: str
    mode: str
    input: str
    item: str
    figure: str
    estimate: Estimate
    count: int | None = None

    def row(self) -> tuple[str, ...]:
        """The cells of the row: numbers with all digits, empty without a number."""
        bounds = (self.estimate.value, self.estimate.low, self.estimate.high)
        return (
            *(self.section, self.mode, self.input, self.item, self.figure),
            *("" if np.isnan(value) else repr(float(value)) for value in bounds),
            "" if self.count is None else str(self.count),
        )


def numbers(evaluation: Evaluation) -> list[Number]:
    """All numbers of an evaluation, in the order of the report."""
    found = list(_counts(evaluation))
    classes = evaluation.table.classes
    for name, figures in evaluation.inputs.items():
        found += _classification(name, figures, classes)
    for difference in evaluation.differences:
        found += _difference(difference, classes)
    for figures_of_mode in evaluation.modes.values():
        found += _mode(figures_of_mode)
    for one in evaluation.quality:
        found.append(Number("quality", "", one.input, "", one.figure, one.mean, one.patches))
        found.append(Number("quality", "", one.input, "", f"{one.figure}_infinite", Estimate(float(one.infinite))))
        found.append(Number("quality", "", one.input, "", f"{one.figure}_unknown", Estimate(float(one.unknown))))
    found += [
        Number("correlation", "", one.input, one.figure, f"spearman with drop in {one.loss}", one.rho, one.points)
        for one in evaluation.correlations
    ]
    found += [
        Number("remarks", "", "", remark.topic, remark.text, Estimate(float(remark.count)))
        for remark in evaluation.remarks
    ]
    return found


def write_numbers(everything: Sequence[Number], folder: Path) -> dict[str, Path]:
    """Write `numbers.csv` with these numbers, and one file per section.

    Returns:
        The files by name; `numbers` is first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections: dict[str, list[Number]] = {"numbers": list(everything)}
    for number in everything:
        sections.setdefault(number.section, []).append(number)
    paths = {}
    for name, rows in sections.items():
        paths[name] = folder / f"{name}.csv"
        with paths[name].open("w", newline="", encoding="utf-8") as file:
            table = CsvTable(file, lineterminator="\n")
            table.row(HEADER)
            table.rows(number.row() for number in rows)
    return paths


def _counts(evaluation: Evaluation) -> Iterator[Number]:
    for split, counts in evaluation.class_counts.items():
        total = max(int(counts.sum()), 1)
        for name, count in zip(evaluation.table.classes, counts, strict=True):
            yield Number("classes", "", split, name, "share", Estimate(float(count / total)), int(count))


def _classification(name: str, figures: InputFigures, classes: tuple[str, ...]) -> Iterator[Number]:
    support, predicted = figures.confusion.sum(axis=1), figures.confusion.sum(axis=0)
    total = int(support.sum())
    for figure, estimate in figures.overall.items():
        yield Number("overall", "", name, "", figure, estimate, total)
    for average, macro in figures.macro.items():
        for figure, estimate in macro.items():
            yield Number("overall", "", name, f"mean over {average} classes", f"macro_{figure}", estimate, total)
    for figure, estimates in figures.per_class.items():
        behind = predicted if figure == "precision" else support
        for title, estimate, count in zip(classes, estimates, behind, strict=True):
            yield Number("per_class", "", name, title, figure, estimate, int(count))
    for (row, column), share in np.ndenumerate(figures.shares):
        estimate = Estimate(
            float(share), float(figures.shares_low[row, column]), float(figures.shares_high[row, column])
        )
        count = int(figures.confusion[row, column])
        yield Number("confusion", "", name, f"{classes[row]} as {classes[column]}", "share", estimate, count)
    bins = figures.reliability
    for index, count in enumerate(bins.count):
        title = f"{bins.edges[index]:.4f}-{bins.edges[index + 1]:.4f}"
        confidence = Estimate(float(bins.confidence[index]))
        yield Number("reliability", "", name, title, "confidence", confidence, int(count))
        yield Number("reliability", "", name, title, "accuracy", figures.reliability_accuracy[index], int(count))


def _difference(found: Difference, classes: tuple[str, ...]) -> Iterator[Number]:
    name = f"{found.second}-{found.first}"
    for figure, estimate in found.figures.items():
        yield Number("difference", "", name, "", figure, estimate)
    for (row, column), share in np.ndenumerate(found.shares):
        estimate = Estimate(float(share), float(found.shares_low[row, column]), float(found.shares_high[row, column]))
        yield Number("difference", "", name, f"{classes[row]} as {classes[column]}", "share", estimate)


def _mode(figures: ModeFigures) -> Iterator[Number]:
    yield from _bins("by_cover", figures.mode, figures.by_cover, "")
    for name, table in figures.by_ssim.items():
        yield from _bins("by_ssim", figures.mode, table, f" (SSIM of {name})")
    for one in figures.separations:
        pr = "pr_trapezoid" if figures.mode == "paper" else "average_precision"
        cells = [("roc", one.roc), (pr, one.pr), ("roc_either_way", Estimate(one.either_way))]
        if one.fpr95 is not None:
            cells.append(("fpr95", one.fpr95))
        for figure, estimate in cells:
            yield Number(
                "separability",
                figures.mode,
                f"clear against {one.other}",
                one.score.name,
                figure,
                estimate,
                one.patches,
            )


def _bins(section: str, mode: str, table: BinTable, of: str) -> Iterator[Number]:
    for name, figures in table.figures.items():
        for figure, estimates in figures.items():
            for title, estimate, count in zip(table.binning.titles, estimates, table.binning.count, strict=True):
                yield Number(section, mode, name, f"{title}{of}", figure, estimate, int(count))
