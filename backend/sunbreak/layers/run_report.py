"""The report of a run: one HTML file that contains its pictures and opens in any browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.layers.html import figure, key, table, write_page
from sunbreak.layers.quicklook import fades, legend_of, overlay, picture_of, true_colour_picture
from sunbreak.layers.roles import LayerSpec


@dataclass(frozen=True)
class Picture:
    """One picture of the report: the role it shows (``before`` for the scene as it came), a title, a caption."""

    role: str
    title: str
    caption: str


@dataclass(frozen=True)
class Report:
    """The content of a report.

    Attributes:
        title: Headline.
        facts: Name and value.
        areas: Class, colour, hectares, fraction that relies on reconstructed pixels, mean confidence.
        trust: Kind and fraction of the area, in the order of the layer's values.
        bands: Band, fraction of the attribution, mean attribution.
        pictures: In order; those whose layer is missing are left out.
        cautions: What to be careful about.
        footer: Where it comes from.
        adjusted: Class, colour, hectares on the map, hectares adjusted for classification error, half of their 95 %
            interval.
        adjustment: How they were adjusted.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    areas: Sequence[tuple[str, str, float, float, float]]
    trust: Sequence[tuple[str, float]]
    bands: Sequence[tuple[str, float, float]]
    pictures: Sequence[Picture]
    cautions: Sequence[str]
    footer: str
    adjusted: Sequence[tuple[str, str, float, float, float]] = ()
    adjustment: str = ""


def write_report(
    path: Path,
    report: Report,
    specs: Sequence[LayerSpec],
    files: Mapping[str, Path],
    before: NDArray[np.float32] | None,
) -> None:
    """Write the report.

    Args:
        path: The file.
        report: Its content.
        specs: The layers.
        files: Role -> finished file.
        before: (3, row, column) reflectance of the scene as it came, NaN where unknown.
    """
    by_role = {spec.role: spec for spec in specs}
    trust = by_role.get("trust")
    colours = [category.colour for category in trust.categories] if trust else []
    sections = [
        table(("", ""), [(f"<b>{escape(name)}</b>", escape(value)) for name, value in report.facts], numeric=0),
        '<div class="care"><b>What to be careful about</b><ul>'
        + "".join(f"<li>{escape(text)}</li>" for text in report.cautions)
        + "</ul></div>",
        "<h2>Pictures</h2>",
        '<div class="pictures">' + "".join(_figure(p, by_role, files, before) for p in report.pictures) + "</div>",
        "<h2>Classes</h2>",
        table(
            ("class", "hectares", "rests on reconstructed pixels", "mean confidence"),
            [
                (key(colour) + escape(name), f"{hectares:,.1f}", f"{fraction:.1%}", f"{confidence:.2f}")
                for name, colour, hectares, fraction, confidence in report.areas
            ],
        ),
    ]
    if report.adjusted:
        adjusted = [
            (key(colour) + escape(name), f"{mapped:,.1f}", f"{hectares:,.1f}", f"± {half:,.1f}")
            for name, colour, mapped, hectares, half in report.adjusted
        ]
        sections += [
            f"<h2>Areas adjusted for classification error</h2><p>{escape(report.adjustment)}</p>",
            table(("class", "hectares on the map", "hectares, adjusted", "95 % interval"), adjusted),
        ]
    if report.trust:
        rows = [
            (key(colour) + escape(name), f"{fraction:.1%}")
            for (name, fraction), colour in zip(report.trust, colours, strict=True)
        ]
        sections += ["<h2>Trust</h2>", table(("kind", "of the area"), rows)]
    if report.bands:
        bands = [(escape(band), f"{fraction:.1%}", f"{value:+.3f}") for band, fraction, value in report.bands]
        sections += [
            "<h2>Bands</h2><p>Gradient x input: how much each band had to do with the answer, and whether it spoke "
            "for the explained class (+) or against it (-).</p>",
            table(("band", "share", "mean attribution"), bands),
        ]
    write_page(path, report.title, "\n".join(sections), report.footer)


def _figure(
    picture: Picture, specs: Mapping[str, LayerSpec], files: Mapping[str, Path], before: NDArray[np.float32] | None
) -> str:
    if picture.role == "before":
        if before is None:
            return ""
        pixels = true_colour_picture(before)
    elif picture.role not in files:
        return ""
    elif fades(specs[picture.role]) and "cleaned" in files:
        ground = picture_of(specs["cleaned"], files["cleaned"])
        pixels = overlay(ground, specs[picture.role], files[picture.role])
    else:
        pixels = picture_of(specs[picture.role], files[picture.role])
    shown = legend_of(specs[picture.role], files[picture.role]) if picture.role != "before" else ()
    return figure(pixels, picture.title, picture.caption, [(one.colour, one.name) for one in shown])
