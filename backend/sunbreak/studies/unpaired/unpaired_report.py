"""Writes the report of the study: one HTML page, its figures and its CSV files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sunbreak import __version__
from sunbreak.drafts import draft_files
from sunbreak.errors import OutputError
from sunbreak.extras import require
from sunbreak.metrics.bootstrap import Estimate
from sunbreak.studies.unpaired.figures import draw_all
from sunbreak.studies.unpaired.known_truth import FIGURES
from sunbreak.studies.unpaired.unpaired_study import Results
from sunbreak.tables import CsvTable

_TEMPLATE = Path(__file__).with_name("unpaired_report.html.j2")
# values of the second paper: distances of cloudy and of cleared patches (epoch 100), and metrics of the classifier
PUBLISHED = {"baseline": 228.0, "final": 106.0, "precision": 0.85, "recall": 0.77, "f1": 0.79, "f2": 0.77}
_CAPTIONS = {
    "fig1a_columns": (
        "Figure 1a. Validation patches, translated with two latent vectors, and the first translated back."
    ),
    "fig1b_distance": (
        "Figure 1b. Distance and diversity of the cleared validation patches after every epoch (95 % interval)."
    ),
    "fig2_pairs": "Figure 2. Validation patches, evenly spread over the split, and their translations.",
    "quality": "Image quality under clouds: mean over the patches with its 95 % interval.",
}


@dataclass(frozen=True)
class Table:
    """A table of the page."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    title: str
    texts: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[tuple[str, str]] = ()


def write_report(results: Results, folder: Path, checkpoint: Callable[[], None] = lambda: None) -> dict[str, Path]:
    """Write `report.html`, `figures/` and `csv/`; files of an earlier report are replaced when all new files exist.

    Args:
        results: Results of the study.
        folder: Folder of the report; must exist.
        checkpoint: Called before each figure; may raise to stop.

    Returns:
        The page (`report`), the CSV files (`csv_<name>`) and the figures, by name.

    Raises:
        InputError: A package for figures or pages is missing.
        OutputError: The folder cannot be written.
    """
    try:
        with draft_files(folder) as part:
            figures = draw_all(results, part / "figures", checkpoint)
            tables = write_csv(results, part / "csv")
            page = part / "report.html"
            page.write_text(render(results, figures, tables), encoding="utf-8")
            made = {"report": page, **{f"csv_{name}": path for name, path in tables.items()}, **figures}
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}).", "Choose another folder."
        ) from error
    return {name: folder / path.relative_to(part) for name, path in made.items()}


def render(results: Results, figures: Mapping[str, Path], tables: Mapping[str, Path]) -> str:
    """The page as text.

    Raises:
        InputError: jinja2 is not installed.
    """
    require("jinja2", "reports", "Writing the report")
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        introduction=_introduction(results),
        care=_care(results),
        sections=_sections(results, figures),
        files=[(name, f"csv/{path.name}") for name, path in tables.items()],
        version=__version__,
    )


def write_csv(results: Results, folder: Path) -> dict[str, Path]:
    """Write all numbers of the page. Returns the paths by name."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {"other clear": results.floor, "cloudy": results.baseline, "cleared": results.final}
    contents: dict[str, list[dict[str, Any]]] = {
        "distances": [{"images_of": name, **found.figures()} for name, found in named.items()],
        "epochs": [dict(row) for row in results.epochs],
        "classifier": [
            {"data": group["data"], "figure": key, "value": value}
            for group in results.classifier.card.metrics
            for key, value in group["figures"].items()
            if not isinstance(value, Mapping)
        ],
    }
    if results.pairs is not None:
        contents["pairs"] = [
            {"method": name, "figure": key, "mean": one.value, "low": one.low, "high": one.high}
            for name, row in results.pairs.rows.items()
            for key, one in row.items()
        ]
    return {name: _csv(folder / f"{name}.csv", rows) for name, rows in contents.items() if rows}


def ratio(results: Results) -> float:
    """Ratio of the distance of the cleared patches to the distance of the cloudy patches."""
    return results.final.frechet.value / results.baseline.frechet.value


def _introduction(results: Results) -> list[str]:
    collection, size = results.collection, results.size.translation
    data = "simulated patches in the layout of BigEarthNet" if results.simulated else "BigEarthNet"
    return [
        f"{data[0].upper()}{data[1:]}, version {collection.version}: {len(collection.patches)} patches. Eight "
        f"networks were trained to translate between {len(collection.pile('cloudy', 'train'))} cloudy and "
        f"{len(collection.pile('clear', 'train'))} clear patches of different places, in squares of "
        f"{size.side} pixels, with {', '.join(size.channels.conditioning) or 'no bands'} as "
        "conditioning. The training has no pairs of a cloudy and a clear image. A classifier of the clear patches "
        "gives the features of the Frechet distance, which compares the cleared validation patches with clear ones.",
        f"The distance fell from {_number(results.baseline.frechet)} (cloudy) to {_number(results.final.frechet)} "
        f"(cleared), a ratio of {ratio(results):.2f}. The distance of clear patches of the training split is "
        f"{_number(results.floor.frechet)}. All distances use {results.baseline.width} features of "
        f"{results.baseline.layer}. Intervals are 95 % intervals.",
    ]


def _care(results: Results) -> list[str]:
    notes = []
    if results.simulated:
        notes.append(
            "Landscapes and clouds are simulated. The results show a trend, but not the quality on real images."
        )
    if results.final.collapsed:
        notes.append(
            f"Mode collapse: the diversity of the cleared patches is {results.final.score.value:.3g}, below "
            f"{results.final.bound:.3g}. Their distance may be small because the same image is generated repeatedly."
        )
    if any(found.deficient for found in (results.baseline, results.final)):
        notes.append(
            f"There are at most as many images as features ({results.final.width}), so the covariances lack full rank. "
            "The distances are exact for these images, but larger than with many images."
        )
    if ratio(results) >= 0.5:
        notes.append("Target not met: the distance did not fall below half of the baseline.")
    return notes


def _sections(results: Results, figures: Mapping[str, Path]) -> list[Section]:
    sections = [
        _classifier(results),
        _distances(results, figures),
        Section("Images", pictures=_pictures(figures, ("fig1a_columns", "fig2_pairs")), texts=[
            "The patches are evenly spread over the validation split. If two latent vectors give the same image, the "
            "translation is effectively deterministic. Under thick clouds, the image is generated from the radar, in "
            "the style of the clear patches.",
        ]),
        _comparison(results),
    ]  # fmt: skip
    if results.pairs is not None and results.pairs.rows:
        sections.append(_quality(results, figures))
    return sections


def _classifier(results: Results) -> Section:
    card = results.classifier.card
    rows = []
    for group in card.metrics:
        own = group["figures"]
        for average in ("sample", "micro", "macro", "macro_supported"):
            figures = (f"{own[f'{key}_{average}']:.3f}" for key in ("precision", "recall", "f1", "f2"))
            area = own.get({"micro": "map_micro", "macro_supported": "map_macro"}.get(average, ""))
            rows.append((group["data"], average.replace("_", ", labels that occur: "), *figures, _plain(area)))
    threshold = card.threshold
    of = " of the largest probability" if threshold["rule"] == "relative" else ""
    text = (
        f"{card.title}. A label is predicted at a probability of at least {threshold['value']:g}{of}. Rule and value "
        f"were tuned on validation patches ({threshold['chosen_by']})."
    )
    header = ("Patches", "Average", "Precision", "Recall", "F1", "F2", "Average precision")
    return Section("The classifier", [text], [Table("Multi-label metrics", header, [tuple(row) for row in rows])])


def _distances(results: Results, figures: Mapping[str, Path]) -> Section:
    named = {
        "clear, of the training split": results.floor,
        "cloudy": results.baseline,
        "cleared": results.final,
    }
    rows = [
        (
            name,
            str(found.counts[0]),
            str(found.counts[1]),
            _number(found.frechet),
            f"{found.bias:.3g}",
            _number(found.score),
            "yes" if found.collapsed else "no",
        )
        for name, found in named.items()
    ]
    header = (
        "Images",
        "Count",
        "Clear images",
        "Frechet distance",
        "Bias by resampling",
        "Diversity",
        "Below the bound",
    )
    caption = f"Distance to the clear validation patches, in {results.final.width} features of {results.final.layer}"
    texts = [
        "The distance is the squared Wasserstein distance of Gaussians fitted to the features. It is biased upwards if "
        "there are few images; resampling estimates the bias. Diversity is an inception score for several labels; it "
        f"is 1 if all images have the same labels. Below {results.final.bound:.3g}, half of the information of the "
        "clear patches, images count as collapsed. The row of the cloudy patches shows that clouds alone reduce "
        "diversity.",
    ]
    return Section(
        "Frechet distance (Figure 1b)", texts, [Table(caption, header, rows)], _pictures(figures, ("fig1b_distance",))
    )


def _comparison(results: Results) -> Section:
    own = results.classifier.card.metrics[0]["figures"]
    baseline, final = results.baseline.frechet.value, results.final.frechet.value
    other = "no: other features (the paper does not name its layer), and the unit depends on the features"
    rows = [
        ("Distance, cloudy against clear", "228", f"{baseline:.4g}", other),
        (f"Distance, cleared (paper: epoch 100; here: {len(results.epochs)})", "106", f"{final:.4g}", other),
        (
            "Ratio of the two",
            f"{PUBLISHED['final'] / PUBLISHED['baseline']:.2f}",
            f"{ratio(results):.2f}",
            "with care: the ratio has no unit, but depends on features, clouds and landscapes"
            + ("; these are simulated" if results.simulated else ""),
        ),
    ]
    for key, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1"), ("f2", "F2")):
        why = (
            "no: simulated patches with fewer labels"
            if results.simulated
            else "the same data, if the splits are the official ones"
        )
        rows.append((f"{title}, sample average", f"{PUBLISHED[key]:.2f}", f"{own[f'{key}_sample']:.2f}", why))
    texts = [
        "The paper's F1 is below the harmonic mean of its precision and recall, so it is an average over the patches. "
        "Its metrics are therefore compared with the sample averages. The paper does not state threshold and split."
    ]
    return Section(
        "Comparison with the paper",
        texts,
        [Table("Published and measured", ("Figure", "Paper", "Here", "Comparable?"), rows)],
    )


def _quality(results: Results, figures: Mapping[str, Path]) -> Section:
    pairs = results.pairs
    if pairs is None:
        raise ValueError("there are no pairs")
    rows = [
        (name, *(_number(row[key], 2 if key != "ssim" else 3) for key in FIGURES)) for name, row in pairs.rows.items()
    ]
    texts = [
        f"Means over {pairs.patches} validation patches. {pairs.hidden:.0%} of the pixels are under cloud or shadow. "
        f"{pairs.overcast} patches have no clear pixel, so fills cannot reconstruct them. Images are reflectance of "
        f"approximately Level-2A in {len(results.size.translation.channels.bands)} bands. The fills and UnCRtainTS get "
        "the true mask of clouds and shadows; the Augmented CycleGAN does not. UnCRtainTS was trained on pairs of "
        "other places of the same simulation.",
    ]
    header = ("Method", *FIGURES.values())
    return Section(
        "Image quality under clouds",
        texts,
        [Table("Image quality under clouds and shadows", header, rows)],
        _pictures(figures, ("quality",)),
    )


def _pictures(figures: Mapping[str, Path], names: Iterable[str]) -> list[tuple[str, str]]:
    return [(f"figures/{figures[name].name}", _CAPTIONS[name]) for name in names if name in figures]


def _number(found: Estimate, digits: int | None = None) -> str:
    def text(value: float) -> str:
        return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"

    if not math.isfinite(found.value):
        return "–"
    between = f" ({text(found.low)} to {text(found.high)})" if math.isfinite(found.low) else ""
    return text(found.value) + between


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        CsvTable(stream).records(list(rows[0]), rows)
    return path
