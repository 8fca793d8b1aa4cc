"""The parts of a page that is one file: its style, tables, and pictures as data inside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak import __version__

_SIDE = 420

# no grid and no flexbox: QGIS 3 shows results with an old WebKit
_CSS = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1180px;padding:24px;color:#1c2733;background:#fff}
h1{font-size:24px;margin:0 0 16px}h2{font-size:18px;margin:32px 0 8px}
table{border-collapse:collapse}td,th{padding:3px 14px 3px 0;text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:1px solid #c8d0d8}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.key{display:inline-block;width:14px;height:14px;border:1px solid #8a95a0;vertical-align:-2px;margin-right:7px}
.pictures figure{display:inline-block;vertical-align:top;width:31%;min-width:330px;margin:0 22px 18px 0}
figure img{width:100%;image-rendering:pixelated;border:1px solid #d8dee4;background:#808080}
figcaption{font-size:13px;color:#4a5865}figcaption b{color:#1c2733}
.legend{margin-top:4px}.legend span{display:inline-block;margin-right:14px}
.care{background:#fff6e0;border-left:4px solid #e0a100;padding:10px 18px;margin:12px 0}
.care ul{margin:6px 0;padding-left:20px}
footer{margin-top:36px;font-size:12px;color:#6a7680}
"""


def write_page(path: Path, title: str, body: str, footer: str) -> None:
    """Write a page. `body` is HTML; title and footer are text."""
    path.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_CSS}</style></head><body>'
        f"<h1>{escape(title)}</h1>{body}<footer>{escape(footer)} Sunbreak {__version__}.</footer></body></html>\n",
        encoding="utf-8",
    )


def figure(pixels: NDArray[np.uint8], title: str, caption: str, legend: Sequence[tuple[str, str]] = ()) -> str:
    """A picture (row, column, 3) with its caption, and a legend of colours and names."""
    text = f"<b>{escape(title)}.</b> {escape(caption)}"
    if legend:
        names = "".join(f"<span>{key(colour)}{escape(name)}</span> " for colour, name in legend)
        text += f'<div class="legend">{names}</div>'
    return f'<figure><img alt="{escape(title)}" src="{inline(pixels)}"><figcaption>{text}</figcaption></figure>'


def inline(pixels: NDArray[np.uint8]) -> str:
    """A picture (row, column, 3) as a data URL, enlarged if it is small."""
    from PIL import Image

    image = Image.fromarray(pixels)
    factor = max(1, _SIDE // max(image.size))
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], numeric: int = 1) -> str:
    """A table of cells that are HTML; columns from `numeric` on are numbers, none if it is 0."""

    def cells(tag: str, row: tuple[str, ...]) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if numeric and i >= numeric else f"<{tag}>{cell}</{tag}>"
            for i, cell in enumerate(row)
        )

    top = f"<tr>{cells('th', head)}</tr>" if any(head) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def key(colour: str) -> str:
    """A small square of a colour, as in a legend."""
    return f'<span class="key" style="background:{escape(colour)}"></span>'
