"""The page of a comparison: metrics, pictures, and an explanation of each metric."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.evaluation.other_dates import TITLES as BASELINES
from sunbreak.layers.html import figure, table, write_page
from sunbreak.layers.palette import REFLECTANCE_STRETCH, ramp
from sunbreak.layers.quicklook import picture_of, true_colour_picture
from sunbreak.layers.roles import LayerSpec
from sunbreak.metrics.blockwise import METRICS, Figures

TITLES = {
    "psnr": "PSNR dB",
    "ssim": "SSIM",
    "sam": "SAM deg",
    "mae": "MAE",
    "rmse": "RMSE",
    "bias": "bias",
    "detail_gradient": "edges",
    "detail_high_frequency": "fine detail",
}
FORMATS = {
    "psnr": ".2f",
    "ssim": ".4f",
    "sam": ".2f",
    "mae": ".4f",
    "rmse": ".4f",
    "bias": "+.4f",
    "detail_gradient": ".2f",
    "detail_high_frequency": ".2f",
}
MEANINGS = {
    "psnr": "Peak signal-to-noise ratio: the mean squared error on a logarithmic scale. Higher is better; "
    "6 dB more means half the error.",
    "ssim": "Structural similarity (Wang et al. 2004): agreement of brightness, contrast and pattern in windows of "
    "11 pixels. 1 is identical.",
    "sam": "Spectral angle: difference in colour over all bands, independent of brightness. 0 is identical.",
    "mae": "Mean absolute error in reflectance.",
    "rmse": "Root mean squared error in reflectance: like MAE, but large errors weigh more.",
    "bias": "Mean difference in reflectance, evaluated raster minus target: above 0 it is too bright.",
    "detail_gradient": "Strength of edges relative to the target: 1 is equally sharp, less is blurred, more is noise.",
    "detail_high_frequency": "Power of fine structures (smaller than 4 pixels) relative to the target. "
    "Blur lowers it long before it lowers PSNR.",
}
REGIONS = {"all": "everywhere", "inside": "inside the mask", "outside": "outside the mask"}
_RASTERS = {"prediction": "evaluated", "cloudy": "before cleaning", **BASELINES}
_OUTLINE = (0, 229, 255)


@dataclass(frozen=True)
class Row:
    """Metrics of one raster in one region, of one band or (if empty) of all bands."""

    raster: str
    region: str
    band: str
    pixels: int
    figures: Figures

    def numbers(self) -> Iterator[tuple[str, float]]:
        """The metrics by their names in the result, such as ``cloudy_psnr_inside_B04``."""
        before = "" if self.raster == "prediction" else f"{self.raster}_"
        after = "".join(f"_{part}" for part in (self.region, self.band) if part not in ("", "all"))
        for name, value in self.figures.items():
            yield f"{before}{name}{after}", value


@dataclass(frozen=True)
class Comparison:
    """Content of the page.

    Attributes:
        files: Name of each raster's file: ``prediction``, ``target`` and perhaps ``cloudy``.
        mask: Name of the mask's file.
        rows: The metrics.
        share: Fraction of the pixels that were compared.
        cautions: Warnings.
        pictures: By raster, (band, row, column) reflectance at the size of a picture, NaN where unknown.
        inside: Where the mask is, at the same size.
        other_dates: The other dates, if there are baselines from them.
    """

    files: Mapping[str, str]
    mask: str | None
    rows: Sequence[Row]
    share: float
    cautions: Sequence[str]
    pictures: Mapping[str, NDArray[np.float32]]
    inside: NDArray[np.bool_] | None
    other_dates: str | None = None


def write_comparison_page(
    path: Path, content: Comparison, specs: Sequence[LayerSpec], files: Mapping[str, Path]
) -> None:
    """Write the page.

    Args:
        path: The file.
        content: Its content.
        specs: The layers.
        files: Role -> finished file.
    """
    together = shown_rows(content.rows)
    facts = [("evaluated", content.files["prediction"]), ("target", content.files["target"])]
    facts += [("before cleaning", content.files["cloudy"])] if "cloudy" in content.files else []
    facts += [("mask", content.mask)] if content.mask else []
    facts += [("other dates", content.other_dates)] if content.other_dates else []
    facts.append(("compared", f"{content.share:.1%} of the pixels (known in all rasters)"))
    sections = [
        table(("", ""), [(f"<b>{escape(name)}</b>", escape(value)) for name, value in facts], numeric=0),
        f"<p>{escape(summary(together))}</p>",
    ]
    if content.cautions:
        sections.append(
            '<div class="care"><b>Warnings</b><ul>'
            + "".join(f"<li>{escape(text)}</li>" for text in content.cautions)
            + "</ul></div>"
        )
    sections += [
        "<h2>Metrics</h2>",
        table(
            ("", *TITLES.values()),
            [(escape(title(row)), *(shown(name, row.figures) for name in METRICS)) for row in together],
        ),
        "<h2>Pictures</h2>",
        '<div class="pictures">' + "".join(_pictures(content, specs, files)) + "</div>",
    ]
    for region in REGIONS:
        rows = [row for row in content.rows if row.band and row.region == region and row.raster == "prediction"]
        if rows:
            head = ("band", *(TITLES[name] for name in METRICS if name != "sam"))
            cells = [(row.band, *(shown(name, row.figures) for name in METRICS if name != "sam")) for row in rows]
            sections += [f"<h2>Bands, {REGIONS[region]}</h2>", table(head, cells)]
    meanings = [(f"<b>{escape(TITLES[name])}</b>", escape(MEANINGS[name])) for name in METRICS]
    sections += ["<h2>What the metrics mean</h2>", table(("", ""), meanings, numeric=0)]
    footer = "Reflectance is clipped to 0..1 before it is compared; the peak of PSNR and SSIM is 1."
    write_page(path, f"Comparison: {content.files['prediction']}", "\n".join(sections), footer)


def shown_rows(rows: Sequence[Row]) -> list[Row]:
    """The rows of the first table: over all bands, and of fills not outside of the mask, where they change nothing."""
    return [row for row in rows if not row.band and not (row.raster in BASELINES and row.region == "outside")]


def summary(together: Sequence[Row]) -> str:
    """A few sentences: the error, its change relative to the cloudy scene and to other dates, and the sharpness."""
    by_place = {(row.raster, row.region): row.figures for row in together}
    where = "inside" if ("prediction", "inside") in by_place and _known(by_place["prediction", "inside"]) else "all"
    ours = by_place["prediction", where]
    place = REGIONS[where].capitalize()
    text = f"{place}, the mean absolute error is {ours['mae']:.4f} in reflectance"
    before = by_place.get(("cloudy", where))
    if before is not None and _known(before) and before["mae"] > 0:
        change = ours["mae"] / before["mae"] - 1
        text += f", {abs(change):.0%} {'less' if change < 0 else 'more'} than before cleaning ({before['mae']:.4f})"
    text += "."
    fills = {name: by_place[name, where]["mae"] for name in BASELINES if (name, where) in by_place}
    known = {name: mae for name, mae in fills.items() if math.isfinite(mae)}
    if known:
        best = min(known, key=lambda name: known[name])
        text += f" The best fill from other dates ({BASELINES[best]}) has {known[best]:.4f}."
    sharp = ours["detail_gradient"]
    if math.isfinite(sharp):
        kind = "blurred" if sharp < 0.9 else "rougher than the target" if sharp > 1.1 else "as sharp as the target"
        text += f" The image is {kind}: its edges have {sharp:.0%} of the strength of those in the target."
    return text


def title(row: Row) -> str:
    """Displayed name of a row."""
    return f"{_RASTERS[row.raster]}, {REGIONS[row.region]}"


def shown(name: str, figures: Figures) -> str:
    """A metric as text; a dash if undefined."""
    value = figures.get(name, math.nan)
    return "-" if math.isnan(value) else format(value, FORMATS[name])


def _known(figures: Figures) -> bool:
    return math.isfinite(figures["mae"])


def _pictures(content: Comparison, specs: Sequence[LayerSpec], files: Mapping[str, Path]) -> Iterator[str]:
    low, high = REFLECTANCE_STRETCH
    colours = (
        f"True colour, reflectance {low:g} to {high:g}." if len(content.pictures["target"]) == 3 else "First band."
    )
    for raster, name in (("cloudy", "Before cleaning"), ("prediction", "Evaluated"), ("target", "Target")):
        if raster in content.pictures:
            values = content.pictures[raster]
            values = values if len(values) == 3 else np.repeat(values, 3, axis=0)
            yield figure(true_colour_picture(values), name, f"{content.files[raster]}. {colours}")
    for spec in specs:
        pixels = picture_of(spec, files[spec.role])
        scale = ramp(spec)
        caption = f"From {scale.low:g} (dark) to {scale.high:g} {spec.unit} (bright) and more."
        if content.inside is not None:
            pixels = _outlined(pixels, content.inside)
            caption += " The line is the edge of the mask."
        yield figure(pixels, spec.title, caption)


def _outlined(pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture with the outline of the mask."""
    import cv2
    from PIL import Image

    size = pixels.shape[1], pixels.shape[0]
    mask = np.asarray(Image.fromarray(inside.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)) > 0
    drawn = pixels.copy()
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    drawn[(cv2.dilate(mask.astype(np.uint8), cross) > 0) & ~mask] = _OUTLINE
    return drawn
