"""Writes the report on pixels: its sections as sentences, tables and captioned figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from sunbreak.metrics.bootstrap import Estimate
from sunbreak.models.legends import SIMPLIFIED_IGBP
from sunbreak.studies.downstream.page_parts import Chapter, Section, Table, with_chapters
from sunbreak.studies.downstream.per_pixel.areas import LEAST
from sunbreak.studies.downstream.per_pixel.figures import CAPTIONS, pixel_figures
from sunbreak.studies.downstream.per_pixel.numbers_csv import pixel_numbers
from sunbreak.studies.downstream.per_pixel.results import PLACE_TITLES, PixelEvaluation
from sunbreak.studies.downstream.report_pages import fill_page, write_parts
from sunbreak.studies.downstream.report_sections import cell
from sunbreak.studies.downstream.table import INPUT_TITLES

_TEMPLATE = "per_pixel/pixel_pages.html.j2"
_FIGURE_TITLES = {"agreement": "Agreement", "macro_f1": "Macro F1"}


def write_pixel_report(
    evaluation: PixelEvaluation,
    classifier: str,
    folder: Path,
    checkpoint: Callable[[], None] = lambda: None,
    chapters: Sequence[Chapter] = (),
) -> dict[str, Path]:
    """Write `report.html`, `figures/` and `csv/`, see `sunbreak.studies.downstream.report_pages.write_report`.

    Args:
        evaluation: The results.
        classifier: Name of the classifier.
        folder: Folder of the report; created if missing.
        checkpoint: Called before each figure; may raise to stop.
        chapters: Additions that need images.

    Returns:
        The page (`report`), the CSV files (`csv_<section>`) and the PNG figures, by name.

    Raises:
        InputError: A package for figures or pages is missing.
        OutputError: The folder cannot be written.
    """
    added = {name: draw for chapter in chapters for name, draw in chapter.draws.items()}

    def page(figures: dict[str, Path], tables: dict[str, Path]) -> str:
        sections = pixel_sections(evaluation, figures, chapters)
        return fill_page(_TEMPLATE, sections, tables, evaluation=evaluation, classifier=classifier)

    return write_parts(folder, {**pixel_figures(evaluation), **added}, pixel_numbers(evaluation), page, checkpoint)


def pixel_sections(
    evaluation: PixelEvaluation, figures: dict[str, Path], chapters: Sequence[Chapter] = ()
) -> list[Section]:
    """All sections of the page in their order, with the additions of the chapters.

    Args:
        evaluation: The results.
        figures: PNG files in a folder `figures` beside the page, by name.
        chapters: Additions that need images.
    """

    def path(name: str) -> str | None:
        return f"figures/{figures[name].name}" if name in figures else None

    def pictures(*names: str) -> list[tuple[str, str]]:
        return [(found, CAPTIONS[name]) for name in names if (found := path(name)) is not None]

    examples = {"examples": Section("Examples", [], [], [])} if any(one.place == "examples" for one in chapters) else {}
    sections = {
        "remarks": Section("Exclusions and special cases", [remark.text for remark in evaluation.remarks], [], []),
        "agreement": Section(
            "Agreement with the clear images", _AGREEMENT, [*_agreement(evaluation)],
            pictures("pixel_confusion", "pixel_confusion_replaced"),
        ),
        **examples,
        "areas": Section(
            "Areas of the classes", _area_texts(evaluation), [*_areas(evaluation)], pictures("pixel_areas")
        ),
        "by_cover": Section(
            "By cloud cover", ["Bins are closed on the right."], [*_by_cover(evaluation)], pictures("pixel_by_cover")
        ),
    }  # fmt: skip
    if evaluation.labels:
        sections["labels"] = Section("Labels of the patches", _label_texts(evaluation), [*_labels(evaluation)], [])
    return with_chapters(sections, chapters, path)


_AGREEMENT = [
    "Agreement is the fraction of the pixels that have the class of the clear image. Macro F1 is the mean over the "
    "classes on the clear images.",
    "Clear and cloudy images are of different dates. The pixels that are not replaced show how far classes differ "
    "between the dates without cloud removal.",
    "Replaced pixels are those in the dilated cloud mask, for all versions. The raw prediction replaces the rest too.",
]


def _agreement(evaluation: PixelEvaluation) -> Iterator[Table]:
    titles = _FIGURE_TITLES
    rows = [
        (
            INPUT_TITLES[name],
            title,
            str(int(found.confusion.sum())),
            *(cell(found.overall[figure]) for figure in titles),
        )
        for place, title in PLACE_TITLES.items()
        for name, found in evaluation.versions[place].items()
    ]
    yield Table("Agreement", ("Version", "Pixels of", "Pixels", *titles.values()), rows)
    rows = [
        (
            f"{INPUT_TITLES[one.second]} minus {INPUT_TITLES[one.first].lower()}",
            title,
            *(cell(one.overall[figure], sign=True) for figure in titles),
        )
        for place, title in PLACE_TITLES.items()
        for one in evaluation.differences[place]
    ]
    yield Table("Differences on the same pixels", ("Versions", "Pixels of", *titles.values()), rows)
    for place, title in PLACE_TITLES.items():
        versions = evaluation.versions[place]
        pixels = next(iter(versions.values())).confusion.sum(axis=1)
        rows = [
            (kind, str(pixels[index]), *(cell(found.f1[index]) for found in versions.values()))
            for index, kind in enumerate(evaluation.counts.classes)
        ]
        header = ("Class", "Pixels on the clear images", *(INPUT_TITLES[name] for name in versions))
        yield Table(f"F1 of each class, {title}", header, rows)


def _area_texts(evaluation: PixelEvaluation) -> list[str]:
    texts = [
        "Fractions of the area by counting pixels. A change whose interval does not contain 0 is unlikely to come from "
        "the choice of patches.",
        "Detail is the mean gradient magnitude of the clear images in the pixels of a class. If cleaned images favour "
        "classes with little detail, the correlation of detail with gain in area is negative. It is over the "
        f"{int(evaluation.detail.compared.sum())} classes with at least {100 * LEAST:g} % of the area of the clear "
        "images.",
    ]
    for name in evaluation.areas["all"].changes:
        changes = evaluation.areas["all"].changes[name]
        certain = [
            (kind, one)
            for kind, one in zip(evaluation.counts.classes, changes, strict=True)
            if one.low > 0 or one.high < 0
        ]
        gains, losses = (
            ", ".join(f"{kind} ({_points(one)})" for kind, one in sorted(certain, key=lambda pair: -abs(pair[1].value))
                      if (one.value > 0) == wanted)
            for wanted in (True, False)
        )  # fmt: skip
        said = [f"{verb} area: {text}" for verb, text in (("gain", gains), ("lose", losses)) if text]
        texts.append(
            f"{INPUT_TITLES[name]}, against the clear images, percentage points: "
            f"{'; '.join(said) or 'no class changes by more than its interval'}."
        )
    return texts


def _areas(evaluation: PixelEvaluation) -> Iterator[Table]:
    for place, title in PLACE_TITLES.items():
        areas = evaluation.areas[place]
        header = (
            "Class",
            *(INPUT_TITLES[name] for name in areas.fractions),
            *(f"{INPUT_TITLES[name]} minus clear" for name in areas.changes),
        )
        rows = [
            (
                kind,
                *(_percent(found[index]) for found in areas.fractions.values()),
                *(_percent(found[index], sign=True) for found in areas.changes.values()),
            )
            for index, kind in enumerate(evaluation.counts.classes)
        ]
        yield Table(f"Area of each class, % of {title}", header, rows)
    detail = evaluation.detail
    order = np.argsort([one.value for one in detail.gradient])
    clear = evaluation.areas["all"].pixels["clear"]
    rows = [
        (
            evaluation.counts.classes[index],
            cell(detail.gradient[index], 4),
            *(_gain(found[index], clear[index]) for name, found in evaluation.areas["all"].pixels.items()
              if name != "clear"),
            "yes" if detail.compared[index] else "no",
        )
        for index in order.tolist()
    ]  # fmt: skip
    names = [INPUT_TITLES[name] for name in detail.rho]
    rows.append(("Spearman's correlation with detail", "–", *(cell(rho) for rho in detail.rho.values()), "–"))
    header = (
        "Class",
        "Detail, reflectance",
        *(f"{name}, area / area on clear" for name in names),
        "In the correlation",
    )
    yield Table("Detail of the classes, from least to most, and their gain in area", header, rows)


def _by_cover(evaluation: PixelEvaluation) -> Iterator[Table]:
    for figure, name in _FIGURE_TITLES.items():
        for place, title in PLACE_TITLES.items():
            table = evaluation.by_cover[place]
            rows = [
                (bin_, str(count), *(cell(found[figure][index]) for found in table.figures.values()))
                for index, (bin_, count) in enumerate(zip(table.binning.titles, table.binning.count, strict=True))
            ]
            header = ("Cloud cover", "Patches", *(INPUT_TITLES[one] for one in table.figures))
            yield Table(f"{name} by cloud cover, {title}", header, rows)


def _label_texts(evaluation: PixelEvaluation) -> list[str]:
    found = evaluation.labels["clear"]
    possible = found.patches + found.without
    return [
        "The label of a patch is the most frequent simplified IGBP class of its land-cover map, which has cells of "
        "500 m. It is compared with the class that most of its pixels have, translated to simplified IGBP.",
        f"{found.without} of {possible} patches have a label without a counterpart among the classes of the network "
        "(such as Savanna). They are not in accuracy and macro F1.",
    ]


def _labels(evaluation: PixelEvaluation) -> Iterator[Table]:
    rows: list[tuple[str, ...]] = [
        (INPUT_TITLES[name], str(found.patches), cell(found.accuracy), cell(found.macro_f1))
        for name, found in evaluation.labels.items()
    ]
    yield Table("Labels against the class of most pixels", ("Version", "Patches", "Accuracy", "Macro F1"), rows)
    names = [kind.name for kind in SIMPLIFIED_IGBP]
    for version, found in evaluation.labels.items():
        rows = [
            (name, *map(str, counts))
            for name, counts in zip(names, found.confusion.tolist(), strict=True)
            if any(counts)
        ]
        yield Table(f"Patches by label (rows) and class of most pixels, {INPUT_TITLES[version].lower()}",
                    ("Label", *names), rows)  # fmt: skip


def _percent(found: Estimate, *, sign: bool = False) -> str:
    return cell(Estimate(100 * found.value, 100 * found.low, 100 * found.high), 2, sign=sign)


def _points(found: Estimate) -> str:
    return f"{100 * found.value:+.2f}".replace("-", "−")


def _gain(pixels: int, clear: int) -> str:
    return f"{pixels / clear:.3f}" if clear else "–"
