"""Why a scene is read as it is: what each assumption about it comes from, in words.

`sunbreak.scene.scene` makes these when it opens a scene. `sunbreak inspect` shows them one by one; a run says those
that no other note says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sunbreak.scene.band_order import LEAST_PIXELS
from sunbreak.scene.discovery import Finding
from sunbreak.scene.radiometry import Radiometry, UnitOption
from sunbreak.scene.sentinel2 import BandStack, Zeros
from sunbreak.scene.validity import NodataOption

_ZEROS: Mapping[Zeros, str] = {
    "all": "pixels that are 0 in all bands",
    "visible": "pixels that are 0 in all bands, or in B02, B03 and B04",
    "any": "pixels that are 0 in any band but B10",
    "none": "",
}


@dataclass(frozen=True)
class Reasons:
    """What the assumptions about a scene come from. A phrase each, such as ``the name of the file``.

    Attributes:
        level: Of the processing level.
        acquired: Of the date of Sentinel-2; empty if it is not known.
        bands: Of the band names, by file.
        unit: Of the unit of the stored numbers.
        offset: Of their offset, as a sentence.
        quantification: Of the quantification value.
        nodata: Which pixels hold no data.
        radar: What was decided about Sentinel-1, one sentence each.
        mask: What was decided about the cloud mask, one sentence each.
    """

    level: str = ""
    acquired: str = ""
    bands: Mapping[Path, str] = field(default_factory=dict)
    unit: str = ""
    offset: str = ""
    quantification: str = ""
    nodata: str = ""
    radar: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()


def reasons_of(
    finding: Finding,
    stack: BandStack,
    radiometry: Radiometry,
    offset: str,
    pixels: int,
    *,
    reordered: bool,
    unit: UnitOption,
    scale: float | None,
    nodata: NodataOption,
) -> Reasons:
    """The reasons of what was decided about Sentinel-2.

    Args:
        finding: Its files.
        stack: Its bands, with what stands for no data.
        radiometry: What its numbers are.
        offset: The sentence about their offset.
        pixels: Valid pixels that were sampled.
        reordered: The spectra gave bands without names another order than the native one.
        unit: What the user says the numbers are.
        scale: What the user says one stored number is.
        nodata: What the user says stands for no data.
    """
    facts = finding.facts
    return Reasons(
        level=_level(finding),
        acquired=facts.said_by.get("acquired", ""),
        bands={path: _naming(how, pixels, reordered) for path, how in finding.named_by.items()},
        unit=_unit(stack, unit, scale),
        offset=_offset(finding, offset),
        quantification=_quantification(finding, radiometry, scale, unit),
        nodata=_nodata(stack, nodata),
    )


def notes_of(finding: Finding, reasons: Reasons, level: str | None, radiometry: Radiometry) -> list[str]:
    """What `sunbreak.scene.scene` has not said about Sentinel-2 yet, one sentence each."""
    notes = []
    acquired = finding.facts.acquired
    if finding.facts.level is not None:
        notes.append(f"Level {level}, by {reasons.level}.")
    elif level is None:
        notes.append(f"The processing level is not known: {reasons.level}.")
    notes.append(
        f"Acquired on {acquired.date().isoformat()}, by {reasons.acquired}." if acquired else "Its date is not known."
    )
    number = f"(number {radiometry.offset:+g})" if radiometry.offset else "number"
    notes.append(f"Reflectance is {number} / {radiometry.quantification:g}: {reasons.quantification}.")
    notes.append(f"No data: {reasons.nodata}.")
    if finding.stored is not None and radiometry.unit == "reflectance":
        notes.append("The scale and offset in the file are not used: its numbers are reflectance already.")
    return notes


def _level(finding: Finding) -> str:
    if finding.facts.level is not None:
        return finding.facts.said_by.get("level", "")
    if "B10" in finding.stack.bands:
        return "band B10 is there"
    if len(finding.stack.bands) == 12:
        return "all bands but B10 are there"
    return "without B10, clouds are detected as at Level-2A"


def _naming(how: str, pixels: int, reordered: bool) -> str:
    if how == "option":
        return "as given (--s2-bands)"
    if how != "count":
        return how.replace("its ", "the ", 1) if how != "its name" else "the name of the file"
    if reordered:
        return "their spectra"
    return "their number and their spectra" if pixels >= LEAST_PIXELS else "their number; too few pixels to tell more"


def _unit(stack: BandStack, unit: UnitOption, scale: float | None) -> str:
    if scale is not None:
        return "as given (--s2-scale)"
    if unit != "auto":
        return "as given (--s2-unit)"
    return f"they are stored as {stack.dtype}" if np.dtype(stack.dtype).kind in "iu" else "the size of the numbers"


def _offset(finding: Finding, said: str) -> str:
    """The sentence about the offset, with what states the processing baseline if that decides."""
    stated_by = finding.facts.said_by.get("baseline")
    return f"{said[:-1]}, which {stated_by} states." if stated_by and "from processing baseline" in said else said


def _quantification(finding: Finding, radiometry: Radiometry, scale: float | None, unit: UnitOption) -> str:
    if scale is not None:
        return "as given (--s2-scale)"
    if radiometry.unit == "reflectance":
        return "the numbers are reflectance"
    if finding.stored is not None:
        return "the scale in the file"
    if finding.facts.quantification:
        return finding.facts.said_by.get("quantification", "the metadata")
    return "usual for Sentinel-2, no file says otherwise"


def _nodata(stack: BandStack, option: NodataOption) -> str:
    if option == "none":
        return _joined(["none, as given (--s2-nodata)", *_infinite(stack)])
    rules = []
    declared = list(dict.fromkeys(source.nodata for source in stack.sources if source.nodata is not None))
    numbers = [f"{value:g}" for value in declared if not np.isnan(value)]
    if option != "auto":
        rules.append(f"pixels where a band other than B10 is {option:g}, as given (--s2-nodata)")
    elif numbers:
        some = [source.name for source in stack.sources if source.nodata is not None]
        which = f" ({', '.join(some)} alone declare it)" if len(some) < len(stack.sources) else ""
        rules.append(f"pixels where a band other than B10 has the declared value {' or '.join(numbers)}{which}")
    elif not declared and np.dtype(stack.dtype).kind != "f" and stack.zeros != "none":
        rules.append(f"{_ZEROS[stack.zeros]}, since no raster declares it")
    rules += _infinite(stack)
    if stack.fill is not None:
        rules.append(f"pixels with {stack.fill:g} in all bands, which fill a connected part")
    for mask in stack.masks:
        name = mask.file.path.name
        rules.append(
            f"what the mask in {name} hides" if mask.index is None else f"where band {mask.index} of {name} is 0"
        )
    return _joined(rules)


def _infinite(stack: BandStack) -> list[str]:
    return ["pixels where a band is not finite"] if np.dtype(stack.dtype).kind == "f" else []


def _joined(rules: Sequence[str]) -> str:
    return "; ".join(rules) or "none"
