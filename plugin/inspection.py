"""What the backend's `inspect` found, as a table, a text and a page. It may come from files, so it is escaped."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compat import tr
from .plain import in_html, visible

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1060px;padding:24px;color:#1c2733;background:#fff}
h1{font-size:24px;margin:0 0 12px}h2{font-size:18px;margin:24px 0 6px}table{border-collapse:collapse}
td{padding:5px 14px 5px 0;vertical-align:top;border-top:1px solid #e3e8ec}td:first-child{white-space:nowrap}
td.why{color:#4a5865}img{max-width:100%}li.warning{color:#8a4b00;font-weight:600}
"""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        key: Its stable name.
        title: What it is about, in the language of QGIS.
        found: What was found.
        why: Where that comes from.
        well: False for a run that is not possible.
    """

    key: str
    title: str
    found: str
    why: str
    well: bool = True


@dataclass(frozen=True)
class Inspection:
    """An inspection of a scene.

    Attributes:
        scene: Name of the scene.
        rows: The table.
        notes: What a run says about the scene.
        warnings: What is unusual about it.
    """

    scene: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def titles() -> dict[str, str]:
    """Key of a row to its title."""
    return {
        "scene": tr("Sentinel-2"),
        "level": tr("Processing level"),
        "acquired": tr("Acquired"),
        "bands": tr("Bands"),
        "resampled": tr("Resampled bands"),
        "numbers": tr("Numbers"),
        "offset": tr("Offset"),
        "reflectance": tr("Reflectance"),
        "nodata": tr("Without data"),
        "grid": tr("Grid"),
        "pixel": tr("Pixel size"),
        "bounds": tr("Bounds"),
        "part": tr("Extent"),
        "radar": tr("Sentinel-1"),
        "radar_unit": tr("Unit of Sentinel-1"),
        "radar_acquired": tr("Sentinel-1 acquired"),
        "radar_coverage": tr("Sentinel-1 covers"),
        "mask": tr("Cloud mask"),
        "mask_shares": tr("The mask marks"),
        "date": tr("Other date"),
        "detect-clouds": tr("Clouds"),
        "clean": tr("Remove clouds"),
        "classify": tr("Classify land cover"),
    }


def parse_inspection(text: str) -> Inspection:
    """The JSON of the backend.

    Raises:
        ValueError: It is no inspection.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        known = titles()
        rows = tuple(
            Row(
                row["key"],
                known.get(row["key"], str(row["title"])),
                str(row["found"]),
                str(row["why"]),
                row.get("well") is not False,
            )
            for row in found["table"]
        )
        return Inspection(
            str(found["sentinel2"]["name"]), rows, tuple(map(str, found["notes"])), tuple(map(str, found["warnings"]))
        )
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def as_text(inspection: Inspection) -> str:
    """The inspection as plain text: the table, then the notes and the warnings."""
    width = max((len(row.title) for row in inspection.rows), default=0)
    lines = [
        f"{row.title:<{width}}  {row.found}" + (f"  ({row.why.rstrip('.')})" if row.why else "")
        for row in inspection.rows
    ]
    lines += ["", tr("What a run says:"), *inspection.notes, *(f"! {text}" for text in inspection.warnings)]
    return visible("\n".join(lines))


def as_page(inspection: Inspection, picture: Path | None) -> str:
    """The inspection as one HTML page that holds its picture."""
    rows = "".join(
        f'<tr><td><b>{in_html(row.title)}</b></td><td>{in_html(row.found)}</td><td class="why">{in_html(row.why)}</td>'
        "</tr>"
        for row in inspection.rows
    )
    said = "".join(f'<li class="warning">{in_html(text)}</li>' for text in inspection.warnings)
    said += "".join(f"<li>{in_html(text)}</li>" for text in inspection.notes)
    drawn = ""
    if picture is not None and picture.is_file():
        data = base64.b64encode(picture.read_bytes()).decode("ascii")
        drawn = f'<img src="data:image/png;base64,{data}" alt="">'
    title = in_html(tr("Inspection of {scene}").format(scene=inspection.scene))
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head><body>'
        f"<h1>{title}</h1><table>{rows}</table>{drawn}<h2>{in_html(tr('What a run says:'))}</h2><ul>{said}</ul>"
        "</body></html>\n"
    )
