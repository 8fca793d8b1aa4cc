"""The report of a run: one HTML file with its pictures inside, to be opened in any browser and passed on as it is."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak import __version__
from sunbreak.layers.quicklook import fades, overlay, picture_of, true_colour_picture
from sunbreak.layers.roles import LayerSpec

_SIDE = 420

_CSS = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1180px;padding:24px;color:#1c2733;background:#fff}
h1{font-size:24px;margin:0 0 16px}h2{font-size:18px;margin:32px 0 8px}
table{border-collapse:collapse}td,th{padding:3px 14px 3px 0;text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:1px solid #c8d0d8}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.key{display:inline-block;width:14px;height:14px;border:1px solid #8a95a0;vertical-align:-2px;margin-right:7px}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:22px}
figure{margin:0}figure img{width:100%;image-rendering:pixelated;border:1px solid #d8dee4;background:#808080}
figcaption{font-size:13px;color:#4a5865}figcaption b{color:#1c2733}
.care{background:#fff6e0;border-left:4px solid #e0a100;padding:10px 18px;margin:12px 0}.care ul{margin:6px 0;padding-left:20px}
footer{margin-top:36px;font-size:12px;color:#6a7680}
"""


@dataclass(frozen=True)
class Picture:
    """One picture of the report: the role it shows (``before`` for the scene as it came), a title, a caption."""

    role: str
    title: str
    caption: str


@dataclass(frozen=True)
class Report:
    """What a report says.

    Attributes:
        title: Headline.
        facts: Name and value.
        areas: Class, colour, hectares, share that rests on reconstructed pixels, mean confidence.
        trust: Kind and share of the area, in the order of the layer's values.
        bands: Band, share of the attribution, mean attribution.
        pictures: In order; those whose layer is missing are left out.
        cautions: What to be careful about.
        footer: Where it comes from.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    areas: Sequence[tuple[str, str, float, float, float]]
    trust: Sequence[tuple[str, float]]
    bands: Sequence[tuple[str, float, float]]
    pictures: Sequence[Picture]
    cautions: Sequence[str]
    footer: str


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
        report: What it says.
        specs: The layers.
        files: Role -> finished file.
        before: (3, row, column) reflectance of the scene as it came, NaN where unknown.
    """
    by_role = {spec.role: spec for spec in specs}
    trust = by_role.get("trust")
    colours = [category.colour for category in trust.categories] if trust else []
    sections = [
        _table(("", ""), [(f"<b>{escape(name)}</b>", escape(value)) for name, value in report.facts], numeric=0),
        '<div class="care"><b>What to be careful about</b><ul>'
        + "".join(f"<li>{escape(text)}</li>" for text in report.cautions)
        + "</ul></div>",
        "<h2>Pictures</h2>",
        '<div class="pictures">' + "".join(_figure(p, by_role, files, before) for p in report.pictures) + "</div>",
        "<h2>Classes</h2>",
        _table(
            ("class", "hectares", "rests on reconstructed pixels", "mean confidence"),
            [
                (_key(colour) + escape(name), f"{hectares:,.1f}", f"{share:.1%}", f"{confidence:.2f}")
                for name, colour, hectares, share, confidence in report.areas
            ],
        ),
    ]
    if report.trust:
        rows = [
            (_key(colour) + escape(name), f"{share:.1%}")
            for (name, share), colour in zip(report.trust, colours, strict=True)
        ]
        sections += ["<h2>Trust</h2>", _table(("kind", "of the area"), rows)]
    if report.bands:
        bands = [(escape(band), f"{share:.1%}", f"{value:+.3f}") for band, share, value in report.bands]
        sections += [
            "<h2>Bands</h2><p>Gradient x input: how much each band had to do with the answer, and whether it spoke for the "
            "explained class (+) or against it (-).</p>",
            _table(("band", "share", "mean attribution"), bands),
        ]
    body = "\n".join(sections)
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(report.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_CSS}</style></head><body>'
        f"<h1>{escape(report.title)}</h1>{body}<footer>{escape(report.footer)} Sunbreak {__version__}.</footer></body></html>\n",
        encoding="utf-8",
    )


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
    caption = f"<b>{escape(picture.title)}.</b> {escape(picture.caption)}"
    return f'<figure><img alt="{escape(picture.title)}" src="{_inline(pixels)}"><figcaption>{caption}</figcaption></figure>'


def _inline(pixels: NDArray[np.uint8]) -> str:
    """A picture (row, column, 3) as a data URL, enlarged if it is small."""
    from PIL import Image

    image = Image.fromarray(pixels)
    factor = max(1, _SIDE // max(image.size))
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], numeric: int = 1) -> str:
    """A table; columns from `numeric` on are numbers, none if it is 0."""

    def cells(tag: str, row: tuple[str, ...]) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if numeric and i >= numeric else f"<{tag}>{cell}</{tag}>"
            for i, cell in enumerate(row)
        )

    top = f"<tr>{cells('th', head)}</tr>" if any(head) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def _key(colour: str) -> str:
    return f'<span class="key" style="background:{escape(colour)}"></span>'
