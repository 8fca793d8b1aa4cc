"""Looks at a sample of a scene's numbers: which of them are data, and whether unnamed bands are in native order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.discovery import Finding
from sunbreak.scene.fill import Fill, FillSearch, is_certain
from sunbreak.scene.nodata import usable_nodata
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.sampling import border_windows, sample_density, sample_windows, strips
from sunbreak.scene.sentinel2 import BandStack, StackReader, Zeros

NodataOption = Literal["auto", "none"] | float
"""The stored number of pixels without data, ``none`` if all pixels hold data, or ``auto``."""


@dataclass(frozen=True)
class Look:
    """A sample of a scene.

    Attributes:
        stack: The bands, with what the numbers say about pixels without data.
        sample: (band, pixel) valid stored numbers.
        fill: The number that fills a connected part of all bands, if there is one.
        pixels: Of the scene.
        saturated: The number that the product's metadata sets aside for saturated pixels, and the fraction of the
            sampled pixels that have it in a band; they are data, and not in `sample`.
    """

    stack: BandStack
    sample: NDArray[np.float32]
    fill: Fill | None
    pixels: int
    saturated: tuple[float, float] | None = None

    def settled(self, radiometry: Radiometry, notes: list[str], warnings: list[str]) -> BandStack:
        """The bands; what is taken as no data is added to the notes, what is in doubt to the warnings."""
        if self.saturated is not None:
            value, share = self.saturated
            notes.append(
                f"About {share:.2%} of the pixels ({share * self.pixels:,.0f}) are saturated in a band ({value:g}): "
                "taken as data."
            )
        fill = self.fill
        if fill is None:
            return self.stack
        reflectance = (fill.value + radiometry.offset) / radiometry.quantification
        about = f"{fill.value:g} in all bands of about {fill.share:.1%} of the pixels ({fill.share * self.pixels:,.0f})"
        if is_certain(reflectance):
            notes.append(f"No nodata value is declared; {about} is taken as no data.")
            return self.stack
        warnings.append(f"There is {about}: taken as data. If there is none, say so with --s2-nodata {fill.value:g}.")
        return replace(self.stack, fill=None)


def look(finding: Finding, crop: Window, name: str, option: NodataOption) -> Look:
    """Sample a scene.

    Args:
        finding: Its files.
        crop: The part that is worked on.
        name: Of the file, for messages.
        option: The number of pixels without data, if the user says so.

    Raises:
        InputError: ``all-nodata`` if nothing in the crop is valid; ``bad-option`` for a number that the dtype lacks.
    """
    stack = _as_told(finding, name, option)
    saturated = usable_nodata(finding.facts.saturated, stack.dtype) if np.dtype(stack.dtype).kind in "iu" else None
    search = FillSearch(saturated=saturated)
    sample, part = _without_saturated(_sample(stack, crop, name, search), saturated)
    fill = search.found if option == "auto" else None
    pixels = stack.grid.width * stack.grid.height
    if fill is None:
        return Look(stack, sample, None, pixels, part)
    left = sample[:, ~(sample == np.float32(fill.value)).all(axis=0)]
    if not left.shape[1]:
        # nothing else was seen, and nothing tells it from a cloud
        return (
            Look(stack, sample, None, pixels, part)
            if fill.value > 0
            else Look(*_filled(stack, crop, name, fill), fill, pixels, part)
        )
    return Look(replace(stack, fill=fill.value), left, fill, pixels, part)


def _without_saturated(
    sample: NDArray[np.float32], value: float | None
) -> tuple[NDArray[np.float32], tuple[float, float] | None]:
    """The sample without pixels that are saturated in a band, if others remain; the number and their fraction."""
    if value is None:
        return sample, None
    hit = (sample == np.float32(value)).any(axis=0)
    if not hit.any():
        return sample, None
    return sample if hit.all() else sample[:, ~hit], (value, float(hit.mean()))


def _filled(stack: BandStack, crop: Window, name: str, fill: Fill) -> tuple[BandStack, NDArray[np.float32]]:
    stack = replace(stack, fill=fill.value)
    return stack, _sample(stack, crop, name, None)


def _as_told(finding: Finding, name: str, option: NodataOption) -> BandStack:
    stack = finding.stack
    if option == "auto":
        special = usable_nodata(finding.facts.nodata, stack.dtype)
        if special and stack.declared_nodata is None:  # all products so far have 0
            return replace(stack, sources=tuple(replace(source, nodata=special) for source in stack.sources))
        return replace(stack, zeros=_zeros(finding))
    if option == "none":
        kept = tuple(replace(source, nodata=None) for source in stack.sources)
        return replace(stack, sources=kept, masks=(), zeros="none")
    value = usable_nodata(float(option), stack.dtype)
    if value is None:
        raise InputError(
            f"{name} holds {stack.dtype} numbers, of which {option:g} is none.",
            "Give --s2-nodata a number that the file can hold.",
            code="bad-option",
        )
    return replace(stack, sources=tuple(replace(source, nodata=value) for source in stack.sources))


def _zeros(finding: Finding) -> Zeros:
    """Which bands are 0 where there is no data, if no file says so.

    In L1C 0 is reserved for no data, and air scatters light into every band but B10. In L2A and in what was made from
    it dark water may be 0 in the infrared. Signed numbers may be 0 anywhere.
    """
    if np.dtype(finding.stack.dtype).kind != "u":
        return "all"
    first = finding.facts.level == "L1C" or (finding.facts.level is None and "B10" in finding.stack.bands)
    return "any" if first else "visible"


def _sample(stack: BandStack, crop: Window, name: str, search: FillSearch | None) -> NDArray[np.float32]:
    """Valid stored numbers (band, pixel) from windows across the scene; `search` also looks along its border.

    Raises:
        InputError: ``all-nodata`` if nothing in the crop is valid.
    """
    whole = crop.width == stack.grid.width and crop.height == stack.grid.height
    per_side, size = sample_density(stack.files)
    with StackReader(stack) as reader:

        def numbers(window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
            raw = reader.read(window, stack.sources)
            return raw, stack.valid(raw, stack.sources)

        def valid(window: Window) -> NDArray[np.float32]:
            raw, kept = numbers(window)
            if search is not None:
                search.add(raw, kept)
            found: NDArray[np.float32] = raw[:, kept].astype(np.float32)
            return found

        sample = np.concatenate([valid(part) for part in sample_windows(stack.grid.window, per_side, size)], axis=1)
        if search is not None:
            for part in border_windows(stack.grid.window, per_side, size):
                search.add(*numbers(part))
        if whole and sample.shape[1]:
            return sample
        # the crop, or the part between the sampled windows, is read until a valid pixel is found
        found = next((one for one in map(valid, strips(crop)) if one.shape[1]), None)
    if found is None:
        place = "holds" if whole else "holds, in the chosen part,"
        raise InputError(
            f"{name} {place} no valid pixel: it is all nodata.",
            "Give a scene, or a part of it, that holds data.",
            code="all-nodata",
        )
    return sample if sample.shape[1] else found
