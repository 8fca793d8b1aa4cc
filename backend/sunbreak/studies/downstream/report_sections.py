"""The sections of the report's page: the results as sentences, tables and captioned figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sunbreak.metrics.bootstrap import Estimate
from sunbreak.metrics.classification import AVERAGES, BIN_AVERAGE, OVERALL_AVERAGE
from sunbreak.studies.downstream import quality, separation
from sunbreak.studies.downstream.page_parts import Chapter, Section, Table, with_chapters
from sunbreak.studies.downstream.results import BinTable, Evaluation
from sunbreak.studies.downstream.table import INPUT_TITLES, QUALITY

_CAPTIONS = {
    "fig1_cover": "Figure 1. Cloud cover of the cloudy images.",
    "fig2_classes": "Figure 2. Class distribution of the splits.",
    "fig5_confusion": "Figure 5. Confusion matrices, normalised by true class (rows).",
    "fig5_confusion_raw": "Figure 5, continued. Clear pixels kept, and raw prediction.",
    "fig6_difference": "Figure 6. Change of the confusion matrix against the clear images.",
    "fig9_scores": "Figure 9. Distributions of the paper's four scores.",
    "reliability": "Reliability diagram: accuracy by confidence, in 15 bins of equal width.",
}
_MODE_TITLES = {"paper": "paper mode", "corrected": "corrected mode"}


def report_sections(evaluation: Evaluation, figures: dict[str, Path], chapters: Sequence[Chapter]) -> list[Section]:
    """All sections of the page in their order, with the additions of the chapters.

    Args:
        evaluation: The results.
        figures: PNG files in a folder `figures` beside the page, by name.
        chapters: Additions that need images.
    """
    sections = {
        "remarks": Section("Exclusions and special cases", [remark.text for remark in evaluation.remarks], [], []),
        "data": _data(figures),
        "quality": _quality(evaluation),
        "classification": _classification(evaluation, figures),
    }
    if {"removed", "removed_raw"} <= set(evaluation.inputs):
        sections["kept"] = _kept(evaluation)
    sections |= {f"bins {mode}": _bins(evaluation, mode, figures) for mode in evaluation.modes}
    sections["separability"] = _separability(evaluation, figures)
    return with_chapters(sections, chapters, lambda name: f"figures/{figures[name].name}" if name in figures else None)


def _data(figures: dict[str, Path]) -> Section:
    return Section("Data", [], [], _pictures(figures, ("fig1_cover", "fig2_classes")))


def _quality(evaluation: Evaluation) -> Section:
    if not evaluation.quality:
        return Section("Image quality (Table 1)", ["The table has no image quality metrics."], [], [])
    header = ("Images", *(quality.QUALITY_TITLES[figure] for figure in QUALITY))
    found = {(one.input, one.figure): one for one in evaluation.quality}
    names = list(dict.fromkeys(one.input for one in evaluation.quality))
    rows = [
        (
            f"{INPUT_TITLES[name]} against clear",
            *(
                cell(found[name, figure].mean, quality.DIGITS[figure]) if (name, figure) in found else "–"
                for figure in QUALITY
            ),
        )
        for name in names
    ]
    rows += [
        (
            f"published: {who}",
            *(f"{values[figure]:.{quality.DIGITS[figure]}f}" if figure in values else "–" for figure in QUALITY),
        )
        for who, values in quality.PUBLISHED.items()
    ]
    texts = [
        "Means over patches. The detail ratio is the gradient magnitude relative to that of the clear image: 1 means "
        "the same amount of detail, less means blur. The published values are those of raw predictions, clear pixels "
        "included."
    ]
    texts += [
        f"{INPUT_TITLES[one.input]}, {quality.QUALITY_TITLES[one.figure]}: {one.infinite} patches identical to the "
        f"clear image and {one.unknown} patches with an undefined value are not in the mean."
        for one in evaluation.quality
        if one.infinite or one.unknown
    ]
    tables = [Table("Table 1. Image quality", header, rows)]
    if evaluation.correlations:
        losses = list(dict.fromkeys(one.loss for one in evaluation.correlations))
        rho = {(one.input, one.figure, one.loss): one.rho for one in evaluation.correlations}
        pairs = list(dict.fromkeys((one.input, one.figure) for one in evaluation.correlations))
        tables.append(
            Table(
                "Spearman's correlation of image quality with the drop in classification against the clear image "
                "(drop in macro F1: over ten bins of equal size)",
                ("Images", "Figure", *(f"drop in {loss}" for loss in losses)),
                [
                    (
                        INPUT_TITLES[name],
                        quality.QUALITY_TITLES[figure],
                        *(cell(rho[name, figure, loss]) for loss in losses),
                    )
                    for name, figure in pairs
                ],
            )
        )
        texts.append(
            "A negative correlation means that better image quality goes with a smaller drop. SAM and MAE have the "
            "opposite sign."
        )
    return Section("Image quality (Table 1)", texts, tables, [])


def _classification(evaluation: Evaluation, figures: dict[str, Path]) -> Section:
    overall = ("accuracy", "cross_entropy", "confidence", "calibration_error", "overconfidence")
    header = (
        "Input",
        "Accuracy",
        "Cross-entropy, nats",
        "Mean confidence",
        "Calibration error (ECE)",
        "Confidence − accuracy",
    )
    rows = [
        (INPUT_TITLES[name], *(cell(found.overall[figure]) for figure in overall))
        for name, found in evaluation.inputs.items()
    ]
    tables = [Table("Accuracy and confidence", header, rows)]
    for average in AVERAGES:
        modes = [_MODE_TITLES[mode] for mode in evaluation.modes if OVERALL_AVERAGE[mode] == average]
        said = f" ({', '.join(modes)})" if modes else ""
        macro = ("precision", "recall", "f1")
        rows = [
            (INPUT_TITLES[name], *(cell(found.macro[average][figure]) for figure in macro))
            for name, found in evaluation.inputs.items()
        ]
        caption = f"Means over {AVERAGES[average]}{said}"
        tables.append(Table(caption, ("Input", "Macro precision", "Macro recall", "Macro F1"), rows))
    tables.append(_differences(evaluation))
    support = next(iter(evaluation.inputs.values())).confusion.sum(axis=1)
    tables.append(
        Table(
            "F1 of each class",
            ("Class", "Patches", *(INPUT_TITLES[name] for name in evaluation.inputs)),
            [
                (
                    title,
                    str(support[index]),
                    *(cell(found.per_class["f1"][index]) for found in evaluation.inputs.values()),
                )
                for index, title in enumerate(evaluation.table.classes)
            ],
        )
    )
    names = ("fig5_confusion", "fig5_confusion_raw", "fig6_difference", "reliability")
    texts = [
        "The interval of a calibration error is biased upwards: resampling adds noise to every bin, and absolute "
        "differences do not cancel it."
    ]
    return Section("Classification (Figures 5 and 6)", texts, tables, _pictures(figures, names))


def _differences(evaluation: Evaluation) -> Table:
    titles = {f"macro_f1_{average}": f"Macro F1, {average} classes" for average in AVERAGES}
    titles["accuracy"] = "Accuracy"
    return Table(
        "Differences on the same patches",
        ("Inputs", *titles.values()),
        [
            (
                f"{INPUT_TITLES[one.second]} minus {INPUT_TITLES[one.first].lower()}",
                *(cell(one.figures[figure], sign=True) for figure in titles),
            )
            for one in evaluation.differences
        ],
    )


def _kept(evaluation: Evaluation) -> Section:
    """The default output of `sunbreak clean` compared with the raw prediction."""
    names = ("removed", "removed_raw")
    found = {(one.input, one.figure): one.mean for one in evaluation.quality}
    rows = [
        (quality.QUALITY_TITLES[figure], *(cell(found[name, figure], quality.DIGITS[figure]) for name in names), "–")
        for figure in QUALITY
        if all((name, figure) in found for name in names)
    ]
    difference = next((one for one in evaluation.differences if (one.second, one.first) == names), None)
    titles = {"accuracy": "Accuracy", "calibration_error": "Calibration error (ECE)", "confidence": "Mean confidence"}
    apart = difference.figures if difference is not None else {}
    f1 = [evaluation.inputs[name].macro["supported"]["f1"] for name in names]
    change = cell(apart["macro_f1_supported"], sign=True) if apart else "–"
    rows.append(("Macro F1, supported classes", *(cell(one) for one in f1), change))
    for figure, title in titles.items():
        values = [evaluation.inputs[name].overall[figure] for name in names]
        change = cell(apart[figure], sign=True) if figure in apart else "–"
        rows.append((title, *(cell(one) for one in values), change))
    text = (
        "`sunbreak clean` keeps clear pixels unchanged; the paper evaluates the prediction for all pixels. Unchanged "
        "pixels are not blurred, but clouds that the mask misses remain in the image."
    )
    table = Table(
        "Both versions on the same patches",
        ("Figure", "Clear pixels kept", "Raw prediction", "Kept minus raw, paired"),
        rows,
    )
    return Section("Clear pixels kept compared with the raw prediction", [text], [table], [])


def _bins(evaluation: Evaluation, mode: Any, figures: dict[str, Path]) -> Section:
    found = evaluation.modes[mode]
    tables = [_bin_table(found.by_cover, f"Macro F1 by cloud cover, {_MODE_TITLES[mode]}")]
    for name, table in found.by_ssim.items():
        tables.append(_bin_table(table, f"Macro F1 by SSIM of {INPUT_TITLES[name].lower()}, {_MODE_TITLES[mode]}"))
    names = [f"fig7_by_cover_{mode}", *(f"fig8_by_ssim_{name}_{mode}" for name in found.by_ssim)]
    texts = [f"Bins are closed on the right. Means over {AVERAGES[BIN_AVERAGE[found.mode]]}, computed within each bin."]
    return Section(
        f"By cloud cover and by SSIM, {_MODE_TITLES[mode]} (Figures 7 and 8)", texts, tables, _pictures(figures, names)
    )


def _bin_table(table: BinTable, caption: str) -> Table:
    return Table(
        caption,
        (table.binning.of.capitalize() if table.binning.of.islower() else table.binning.of, "Patches",
         *(INPUT_TITLES[name] for name in table.figures)),
        [
            (title, str(count), *(cell(figures["f1"][index]) for figures in table.figures.values()))
            for index, (title, count) in enumerate(zip(table.binning.titles, table.binning.count, strict=True))
        ],
    )  # fmt: skip


def _separability(evaluation: Evaluation, figures: dict[str, Path]) -> Section:
    tables = []
    texts = []
    if "paper" in evaluation.modes:
        texts.append(
            "Paper mode: clear patches are the positive class. Scores keep their sign. The area under the "
            "precision/recall curve uses the trapezoidal rule. Cloudy images count only with a cover above 10 %. An "
            "area below 0.5 means that the sign of the score is reversed. The published values are those of raw "
            "predictions, clear pixels included."
        )
        tables.append(_paper_table(evaluation))
    if "corrected" in evaluation.modes:
        texts.append(
            "Corrected mode: the other input is the positive class. Each score is oriented so that high means unlike "
            "clear. Average precision replaces the area under the curve. All patches count. FPR@95 is the fraction of "
            "clear patches that are flagged when 95 % of the others are."
        )
        tables.append(_corrected_table(evaluation))
    return Section("Separability (Table 2, Figure 9)", texts, tables, _pictures(figures, ("fig9_scores",)))


def _paper_table(evaluation: Evaluation) -> Table:
    rows = []
    for one in evaluation.modes["paper"].separations:
        published = separation.published(one.score.name, one.other, evaluation.inputs)
        pr, roc = (f"{value:.3f}" for value in published) if published else ("–", "–")
        title = f"clear against {INPUT_TITLES[one.other].lower()}"
        rows.append((one.score.title, title, str(one.patches), cell(one.pr), pr, cell(one.roc), roc))
    header = ("Score", "Inputs", "Patches each", "PR AUC", "published", "ROC AUC", "published")
    return Table("Table 2. Separability, paper mode", header, rows)


def _corrected_table(evaluation: Evaluation) -> Table:
    rows = [
        (
            one.score.title,
            f"clear against {INPUT_TITLES[one.other].lower()}",
            "low" if one.score.clear_is_high else "high",
            cell(one.pr),
            cell(one.roc),
            f"{one.either_way:.3f}",
            cell(one.fpr95) if one.fpr95 is not None else "–",
        )
        for one in evaluation.modes["corrected"].separations
    ]
    header = ("Score", "Inputs", "Unlike clear is", "Average precision", "ROC AUC", "ROC AUC, either sign", "FPR@95")
    return Table("Table 2, corrected mode", header, rows)


def _pictures(figures: dict[str, Path], names: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for name in names:
        if name in figures:
            caption = _CAPTIONS.get(name)
            if caption is None:
                number = "7" if name.startswith("fig7") else "8"
                of = "cloud cover" if number == "7" else "SSIM"
                caption = f"Figure {number}. Classification by {of}, {_MODE_TITLES[name.rsplit('_', 1)[1]]}."
            found.append((f"figures/{figures[name].name}", caption))
    return found


def cell(found: Estimate, digits: int = 3, *, sign: bool = False) -> str:
    """A figure with its interval as the cell of a table; a dash where it is not defined."""
    if math.isnan(found.value):
        return "–"
    form = f"{'+' if sign else ''}.{digits}f"
    text = format(found.value, form)
    if not math.isnan(found.low):
        text += f" ({format(found.low, form)} to {format(found.high, form)})"
    return text.replace("-", "−")
