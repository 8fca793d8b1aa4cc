"""All numbers of the report on pixels as rows of the long table of `sunbreak.studies.downstream.results_csv`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sunbreak.metrics.bootstrap import Estimate
from sunbreak.models.legends import SIMPLIFIED_IGBP
from sunbreak.studies.downstream.per_pixel.results import PLACE_TITLES, PixelEvaluation
from sunbreak.studies.downstream.results_csv import Number


def pixel_numbers(evaluation: PixelEvaluation) -> list[Number]:
    """All numbers of an evaluation, in the order of the report."""
    return [
        *_versions(evaluation),
        *_areas(evaluation),
        *_detail(evaluation),
        *_by_cover(evaluation),
        *_labels(evaluation),
        *(_number("remarks", "", one.topic, one.text, Estimate(float(one.count))) for one in evaluation.remarks),
    ]


def _number(section: str, version: str, item: str, figure: str, estimate: Estimate, count: int | None = None) -> Number:
    return Number(f"pixel_{section}", "", version, item, figure, estimate, count)


def _versions(evaluation: PixelEvaluation) -> Iterator[Number]:
    classes = evaluation.counts.classes
    for place, title in PLACE_TITLES.items():
        for name, found in evaluation.versions[place].items():
            clear, total = found.confusion.sum(axis=1), int(found.confusion.sum())
            for figure, estimate in found.overall.items():
                yield _number("agreement", name, title, figure, estimate, total)
            for kind, estimate, count in zip(classes, found.f1, clear, strict=True):
                yield _number("per_class", name, f"{kind}, {title}", "f1", estimate, int(count))
            for (row, column), fraction in np.ndenumerate(found.fractions):
                bounds = (found.fractions_low[row, column], found.fractions_high[row, column])
                estimate = Estimate(float(fraction), *map(float, bounds))
                count = int(found.confusion[row, column])
                yield _number(
                    "confusion", name, f"{classes[row]} as {classes[column]}, {title}", "fraction", estimate, count
                )
        for one in evaluation.differences[place]:
            for figure, estimate in one.overall.items():
                yield _number("difference", f"{one.second}-{one.first}", title, figure, estimate)


def _areas(evaluation: PixelEvaluation) -> Iterator[Number]:
    for place, title in PLACE_TITLES.items():
        areas = evaluation.areas[place]
        for name, fractions in areas.fractions.items():
            for kind, estimate, count in zip(evaluation.counts.classes, fractions, areas.pixels[name], strict=True):
                yield _number("areas", name, f"{kind}, {title}", "fraction", estimate, int(count))
        for name, changes in areas.changes.items():
            for kind, estimate in zip(evaluation.counts.classes, changes, strict=True):
                yield _number("areas", f"{name}-clear", f"{kind}, {title}", "fraction", estimate)


def _detail(evaluation: PixelEvaluation) -> Iterator[Number]:
    detail = evaluation.detail
    pixels = evaluation.counts.gradient_pixels.sum(axis=0)
    for kind, estimate, count in zip(evaluation.counts.classes, detail.gradient, pixels, strict=True):
        yield _number("detail", "clear", kind, "gradient", estimate, int(count))
    for name, rho in detail.rho.items():
        yield _number("detail", name, "", "spearman of gradient and gain in area", rho, int(detail.compared.sum()))


def _by_cover(evaluation: PixelEvaluation) -> Iterator[Number]:
    for place, title in PLACE_TITLES.items():
        table = evaluation.by_cover[place]
        for name, figures in table.figures.items():
            for figure, estimates in figures.items():
                for bin_, estimate, count in zip(table.binning.titles, estimates, table.binning.count, strict=True):
                    yield _number("by_cover", name, f"{bin_}, {title}", figure, estimate, int(count))


def _labels(evaluation: PixelEvaluation) -> Iterator[Number]:
    names = [kind.name for kind in SIMPLIFIED_IGBP]
    for version, found in evaluation.labels.items():
        yield _number("labels", version, "", "accuracy", found.accuracy, found.patches)
        yield _number("labels", version, "", "macro_f1", found.macro_f1, found.patches)
        for (row, column), count in np.ndenumerate(found.confusion):
            support = int(found.confusion[row].sum())
            fraction = Estimate(float(count) / support if support else float("nan"))
            yield _number("labels", version, f"{names[row]} as {names[column]}", "fraction", fraction, int(count))
