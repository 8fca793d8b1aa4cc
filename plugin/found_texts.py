"""The texts about found dates in the list, in the timeline and on the page."""

from __future__ import annotations

from .compat import tr
from .found import RADAR, REFERENCE, REFERENCE_RADAR, SCENE, Found, FoundRadar, FoundScene


def days_text(days: int) -> str:
    """How far a date is from another one: before it with a minus."""
    if days == 0:
        return tr("same day")
    text = tr("{days} day") if abs(days) == 1 else tr("{days} days")
    return text.format(days=f"{days:+d}".replace("-", "\N{MINUS SIGN}"))


def percent(share: float | None) -> str:
    """A share as a whole percentage. Neither "0 %" nor "100 %" is said of what is only nearly that."""
    if share is None:
        return tr("unknown")
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %"


def use_text(use: str) -> str:
    """What a date is proposed or taken as; empty for nothing."""
    texts = {SCENE: tr("scene"), REFERENCE: tr("other date"), RADAR: tr("radar"), REFERENCE_RADAR: tr("radar")}
    return texts.get(use, "")


def scene_lines(scene: FoundScene) -> str:
    """Date, satellite and tile, and what it is proposed as: three short lines."""
    lines = [
        f"{scene.acquired:%Y-%m-%d} ({days_text(scene.days)})",
        ", ".join(filter(None, (scene.platform, " ".join(scene.tiles), scene.level))),
    ]
    if scene.use:
        lines.append(tr("Proposed as {use}").format(use=use_text(scene.use)))
    return "\n".join(lines)


def radar_lines(radar: FoundRadar, scene: FoundScene) -> str:
    """Date, satellite and orbit of radar: two short lines."""
    days = (radar.acquired.date() - scene.acquired.date()).days
    orbit = {"ascending": tr("ascending"), "descending": tr("descending")}.get(radar.orbit, radar.orbit)
    return "\n".join(
        (
            tr("Radar {date} ({days})").format(date=f"{radar.acquired:%Y-%m-%d}", days=days_text(days)),
            ", ".join(filter(None, (radar.platform, orbit))),
        )
    )


def cover_text(covers: float | None) -> str:
    """How much of the area has data; empty if that is not known."""
    return "" if covers is None else tr("covers {share}").format(share=percent(covers))


def scene_tip(scene: FoundScene) -> str:
    """All about a date. A tooltip needs `shown` around it."""
    lines = [f"{scene.acquired:%Y-%m-%d %H:%M} UTC, {scene.id}"]
    lines.append(tr("Clouds over the area: {share}").format(share=percent(scene.area_cloud)))
    if scene.area_shadow is not None:
        lines.append(tr("Cloud shadow over the area: {share}").format(share=percent(scene.area_shadow)))
    lines.append(tr("Clouds over the whole tile: {share}").format(share=percent(scene.tile_cloud)))
    lines += [cover_text(scene.covers).capitalize()] if scene.covers is not None else []
    lines += [scene.why] if scene.why else []
    return "\n".join(lines)


def radar_tip(radar: FoundRadar) -> str:
    """All about a radar overpass. A tooltip needs `shown` around it."""
    lines = [f"{radar.acquired:%Y-%m-%d %H:%M} UTC, {radar.id}"]
    if radar.relative_orbit is not None:
        lines.append(tr("Relative orbit {number}").format(number=radar.relative_orbit))
    lines += [radar.why] if radar.why else []
    return "\n".join(lines)


def counted(found: Found) -> str:
    """How many dates were found."""
    text = tr("1 date found") if len(found.scenes) == 1 else tr("{count} dates found").format(count=len(found.scenes))
    return text + " " + (tr("in {catalogue}.").format(catalogue=found.catalogue) if found.catalogue else "")
