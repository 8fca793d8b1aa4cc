"""The report: one HTML page, the figures it shows and the CSV files behind it, in one folder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sunbreak import __version__
from sunbreak.drafts import draft_files
from sunbreak.errors import InputError, OutputError
from sunbreak.metrics.bootstrap import Estimate
from sunbreak.metrics.classification import AVERAGES, BIN_AVERAGE, OVERALL_AVERAGE
from sunbreak.studies.downstream import quality, separation
from sunbreak.studies.downstream.figures import draw_all
from sunbreak.studies.downstream.page_parts import Chapter, Section, Table, with_chapters
from sunbreak.studies.downstream.results import BinTable, Evaluation
from sunbreak.studies.downstream.results_csv import write_csv
from sunbreak.studies.downstream.table import INPUT_TITLES, QUALITY

_TEMPLATE = Path(__file__).with_name("report_pages.html.j2")

_CAPTIONS = {
    "fig1_cover": "Figure 1. Cloud cover of the cloudy images.",
    "fig2_classes": "Figure 2. Classes of the splits.",
    "fig5_confusion": "Figure 5. Confusion, each row as shares of its true class.",
    "fig5_confusion_raw": "Figure 5, continued. Clear pixels kept beside the raw prediction.",
    "fig6_difference": "Figure 6. What changes in the confusion against the clear images.",
    "fig9_scores": "Figure 9. Distributions of the paper's four scores.",
    "reliability": "Reliability: how often the classifier is right at each confidence, in 15 bins of equal width.",
}
_MODE_TITLES = {"paper": "paper mode", "corrected": "corrected mode"}


def write_report(
    evaluation: Evaluation,
    folder: Path,
    checkpoint: Callable[[], None] = lambda: None,
    chapters: Sequence[Chapter] = (),
) -> dict[str, Path]:
    """Write `report.html`, `figures/` and `csv/`.

    Everything is made in a hidden folder first, so that a run that fails or is cancelled leaves nothing behind. Files
    of an earlier report are replaced, others are left alone.

    Args:
        evaluation: What to tell.
        folder: Where; made when missing.
        checkpoint: Called before each figure; may raise to stop.
        chapters: What the images add.

    Returns:
        The page (`report`), the CSV files (`csv_<section>`) and the PNG figures, by name.

    Raises:
        InputError: A package for figures or pages is missing.
        OutputError: The folder cannot be written.
    """
    try:
        with draft_files(folder) as part:
            added = {name: draw for chapter in chapters for name, draw in chapter.draws.items()}
            figures = draw_all(evaluation, part / "figures", checkpoint, added)
            tables = write_csv(evaluation, part / "csv")
            page = part / "report.html"
            page.write_text(render(evaluation, figures, tables, chapters), encoding="utf-8")
            made = {"report": page, **{f"csv_{name}": path for name, path in tables.items()}, **figures}
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}).", "Choose another folder."
        ) from error
    return {name: folder / path.relative_to(part) for name, path in made.items()}


def render(
    evaluation: Evaluation, figures: dict[str, Path], tables: dict[str, Path], chapters: Sequence[Chapter] = ()
) -> str:
    """The page as text.

    Args:
        evaluation: What it tells.
        figures: PNG files in a folder `figures` beside the page.
        tables: CSV files in a folder `csv` beside the page.
        chapters: What the images add.

    Raises:
        InputError: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise InputError(
            "The report needs the package jinja2, which is not installed.",
            "Install it: pip install jinja2.",
            code="package-missing",
        ) from error
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        evaluation=evaluation,
        sections=_sections(evaluation, figures, chapters),
        files=[(name, f"csv/{path.name}") for name, path in tables.items()],
        version=__version__,
    )


def _sections(evaluation: Evaluation, figures: dict[str, Path], chapters: Sequence[Chapter]) -> list[Section]:
    sections = {
        "remarks": Section("What was counted and left out", [remark.text for remark in evaluation.remarks], [], []),
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
        return Section("Image quality (Table 1)", ["The table has no figures of image quality."], [], [])
    header = ("Images", *(quality.QUALITY_TITLES[figure] for figure in QUALITY))
    found = {(one.input, one.figure): one for one in evaluation.quality}
    names = list(dict.fromkeys(one.input for one in evaluation.quality))
    rows = [
        (
            f"{INPUT_TITLES[name]} beside clear",
            *(
                _cell(found[name, figure].mean, quality.DIGITS[figure]) if (name, figure) in found else "–"
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
        "Means over patches. The detail ratio compares gradient magnitudes with those of the clear image: 1 is as "
        "much detail, less is blurred. The published values are of raw predictions, clear pixels included."
    ]
    texts += [
        f"{INPUT_TITLES[one.input]}, {quality.QUALITY_TITLES[one.figure]}: {one.infinite} patches identical to the "
        f"clear image and {one.unknown} without a figure are not in the mean."
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
                "Spearman's correlation of image quality with what the classifier loses against the clear image "
                "(drop in macro "
                "F1: over ten bins of equal size)",
                ("Images", "Figure", *(f"drop in {loss}" for loss in losses)),
                [
                    (
                        INPUT_TITLES[name],
                        quality.QUALITY_TITLES[figure],
                        *(_cell(rho[name, figure, loss]) for loss in losses),
                    )
                    for name, figure in pairs
                ],
            )
        )
        texts.append(
            "A negative correlation says that higher values go with smaller losses; for SAM and MAE the sign is "
            "opposite."
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
        (INPUT_TITLES[name], *(_cell(found.overall[figure]) for figure in overall))
        for name, found in evaluation.inputs.items()
    ]
    tables = [Table("Accuracy and confidence", header, rows)]
    for average in AVERAGES:
        modes = [_MODE_TITLES[mode] for mode in evaluation.modes if OVERALL_AVERAGE[mode] == average]
        said = f" ({', '.join(modes)})" if modes else ""
        macro = ("precision", "recall", "f1")
        rows = [
            (INPUT_TITLES[name], *(_cell(found.macro[average][figure]) for figure in macro))
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
                    *(_cell(found.per_class["f1"][index]) for found in evaluation.inputs.values()),
                )
                for index, title in enumerate(evaluation.table.classes)
            ],
        )
    )
    names = ("fig5_confusion", "fig5_confusion_raw", "fig6_difference", "reliability")
    texts = [
        "The interval of a calibration error leans upwards: resampling adds noise to every bin, which an absolute "
        "difference cannot cancel."
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
                *(_cell(one.figures[figure], sign=True) for figure in titles),
            )
            for one in evaluation.differences
        ],
    )


def _kept(evaluation: Evaluation) -> Section:
    """The product's default beside the raw prediction, figure by figure."""
    names = ("removed", "removed_raw")
    found = {(one.input, one.figure): one.mean for one in evaluation.quality}
    rows = [
        (quality.QUALITY_TITLES[figure], *(_cell(found[name, figure], quality.DIGITS[figure]) for name in names), "–")
        for figure in QUALITY
        if all((name, figure) in found for name in names)
    ]
    difference = next((one for one in evaluation.differences if (one.second, one.first) == names), None)
    titles = {"accuracy": "Accuracy", "calibration_error": "Calibration error (ECE)", "confidence": "Mean confidence"}
    apart = difference.figures if difference is not None else {}
    f1 = [evaluation.inputs[name].macro["supported"]["f1"] for name in names]
    change = _cell(apart["macro_f1_supported"], sign=True) if apart else "–"
    rows.append(("Macro F1, supported classes", *(_cell(one) for one in f1), change))
    for figure, title in titles.items():
        values = [evaluation.inputs[name].overall[figure] for name in names]
        change = _cell(apart[figure], sign=True) if figure in apart else "–"
        rows.append((title, *(_cell(one) for one in values), change))
    text = (
        "`sunbreak clean` keeps clear pixels as they are; the paper judged the prediction everywhere. What cleaning "
        "leaves alone it cannot blur, but clouds that the mask misses stay in the image too."
    )
    table = Table(
        "The same patches both ways", ("Figure", "Clear pixels kept", "Raw prediction", "Kept minus raw, paired"), rows
    )
    return Section("Clear pixels kept against the raw prediction", [text], [table], [])


def _bins(evaluation: Evaluation, mode: Any, figures: dict[str, Path]) -> Section:
    found = evaluation.modes[mode]
    tables = [_bin_table(found.by_cover, f"Macro F1 by cloud cover, {_MODE_TITLES[mode]}")]
    for name, table in found.by_ssim.items():
        tables.append(_bin_table(table, f"Macro F1 by SSIM of {INPUT_TITLES[name].lower()}, {_MODE_TITLES[mode]}"))
    names = [f"fig7_by_cover_{mode}", *(f"fig8_by_ssim_{name}_{mode}" for name in found.by_ssim)]
    texts = [f"Bins are closed on the right. Means over {AVERAGES[BIN_AVERAGE[found.mode]]}, judged within each bin."]
    return Section(
        f"By cloud cover and by SSIM, {_MODE_TITLES[mode]} (Figures 7 and 8)", texts, tables, _pictures(figures, names)
    )


def _bin_table(table: BinTable, caption: str) -> Table:
    return Table(
        caption,
        (table.binning.of.capitalize() if table.binning.of.islower() else table.binning.of, "Patches",
         *(INPUT_TITLES[name] for name in table.figures)),
        [
            (title, str(count), *(_cell(figures["f1"][index]) for figures in table.figures.values()))
            for index, (title, count) in enumerate(zip(table.binning.titles, table.binning.count, strict=True))
        ],
    )  # fmt: skip


def _separability(evaluation: Evaluation, figures: dict[str, Path]) -> Section:
    tables = []
    texts = []
    if "paper" in evaluation.modes:
        texts.append(
            "Paper mode: clear patches are the positives, no score is turned round, the area under precision/recall "
            "is by trapezoid, cloudy images count only where their cover is above 10 %. An area under .5 is a flipped "
            "sign. The published values are of raw predictions, clear pixels included."
        )
        tables.append(_paper_table(evaluation))
    if "corrected" in evaluation.modes:
        texts.append(
            "Corrected mode: the other input is the positive class, each score is turned so that high means unlike "
            "clear, average precision stands for the area, all patches count. FPR@95 is the share of clear patches "
            "flagged once 95 % of the others are."
        )
        tables.append(_corrected_table(evaluation))
    return Section("Separability (Table 2, Figure 9)", texts, tables, _pictures(figures, ("fig9_scores",)))


def _paper_table(evaluation: Evaluation) -> Table:
    rows = []
    for one in evaluation.modes["paper"].separations:
        published = separation.published(one.score.name, one.other, evaluation.inputs)
        pr, roc = (f"{value:.3f}" for value in published) if published else ("–", "–")
        title = f"clear against {INPUT_TITLES[one.other].lower()}"
        rows.append((one.score.title, title, str(one.patches), _cell(one.pr), pr, _cell(one.roc), roc))
    header = ("Score", "Inputs", "Patches each", "PR AUC", "published", "ROC AUC", "published")
    return Table("Table 2. Separability, paper mode", header, rows)


def _corrected_table(evaluation: Evaluation) -> Table:
    rows = [
        (
            one.score.title,
            f"clear against {INPUT_TITLES[one.other].lower()}",
            "low" if one.score.clear_is_high else "high",
            _cell(one.pr),
            _cell(one.roc),
            f"{one.either_way:.3f}",
            _cell(one.fpr95) if one.fpr95 is not None else "–",
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


def _cell(found: Estimate, digits: int = 3, *, sign: bool = False) -> str:
    if math.isnan(found.value):
        return "–"
    form = f"{'+' if sign else ''}.{digits}f"
    text = format(found.value, form)
    if not math.isnan(found.low):
        text += f" ({format(found.low, form)} to {format(found.high, form)})"
    return text.replace("-", "−")
