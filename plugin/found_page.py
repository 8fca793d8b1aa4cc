"""The result of a search as one HTML page with its pictures, for the toolbox. Texts of the catalogue are escaped."""

from __future__ import annotations

import base64
from typing import Any

from .compat import tr
from .found import Found, FoundRadar, FoundScene
from .found_texts import counted, days_text, percent, use_text
from .plain import in_html

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1060px;padding:24px;color:#1c2733;background:#fff}
h1{font-size:24px;margin:0 0 12px}h2{font-size:18px;margin:24px 0 6px}table{border-collapse:collapse}
td,th{padding:5px 14px 5px 0;vertical-align:top;border-top:1px solid #e3e8ec;text-align:left}
td.date{white-space:nowrap}td.why,small{color:#4a5865}img{width:96px;height:96px;object-fit:cover;display:block}
tr.used td{background:#f2f7fb}li.warning{color:#8a4b00;font-weight:600}
"""


def as_page(found: Found) -> str:
    """The page: the scenes with their pictures, the radar, and what the backend says."""
    title = in_html(tr("Scenes around {date}").format(date=f"{found.date:%Y-%m-%d}"))
    said = in_html(counted(found))
    scenes = "".join(_scene_row(one) for one in found.scenes)
    radar = "".join(_radar_row(one) for one in found.radar)
    heads = ("", tr("Date"), tr("Satellite"), tr("Clouds"), tr("Covers"), tr("Proposed as"))
    tables = _table(heads, scenes) if scenes else ""
    if radar:
        heads = (tr("Date"), tr("Satellite"), tr("Orbit"), tr("Covers"), tr("Proposed as"))
        tables += f"<h2>{in_html(tr('Radar'))}</h2>" + _table(heads, radar)
    notes = "".join(f'<li class="warning">{in_html(text)}</li>' for text in found.warnings)
    notes += "".join(f"<li>{in_html(text)}</li>" for text in found.notes)
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head><body>'
        f"<h1>{title}</h1><p>{said}</p>{tables}<ul>{notes}</ul></body></html>\n"
    )


def _table(heads: tuple[str, ...], rows: str) -> str:
    return "<table><tr>" + "".join(f"<th>{in_html(head)}</th>" for head in heads) + f"</tr>{rows}</table>"


def _scene_row(one: FoundScene) -> str:
    picture = ""
    if one.thumbnail is not None and one.thumbnail.is_file():
        picture = base64.b64encode(one.thumbnail.read_bytes()).decode("ascii")
        picture = f'<img src="data:image/png;base64,{picture}" alt="">'
    satellite = ", ".join(filter(None, (one.platform, " ".join(one.tiles), one.level)))
    return (
        f"<tr{_used(one.use)}><td>{picture}</td><td class='date'><b>{one.acquired:%Y-%m-%d}</b><br>"
        f"{in_html(days_text(one.days))}</td><td>{in_html(satellite)}<br><small>{in_html(one.id)}</small></td>"
        f"<td>{in_html(percent(one.area_cloud))}</td><td>{in_html(percent(one.covers))}</td>"
        f"{_use(one.use, one.why)}</tr>"
    )


def _radar_row(one: FoundRadar) -> str:
    orbit = " ".join(filter(None, (one.orbit, str(one.relative_orbit or ""))))
    return (
        f"<tr{_used(one.use)}><td class='date'><b>{one.acquired:%Y-%m-%d}</b></td><td>{in_html(one.platform)}<br>"
        f"<small>{in_html(one.id)}</small></td><td>{in_html(orbit)}</td><td>{in_html(percent(one.covers))}</td>"
        f"{_use(one.use, one.why)}</tr>"
    )


def _used(use: str) -> str:
    return " class='used'" if use else ""


def _use(use: str, why: str) -> str:
    return f"<td class='why'>{in_html(': '.join(filter(None, (use_text(use), why))))}</td>"


def without_pictures(content: dict[str, Any]) -> dict[str, Any]:
    """The backend's JSON without the paths of its pictures, which are temporary."""
    return content | {"scenes": [scene | {"thumbnail": None} for scene in content.get("scenes", [])]}
