"""How stored Sentinel-2 numbers relate to reflectance, and whether the numbers agree with the metadata.

Since processing baseline 04.00 products contain an offset of +1000 DN, so that negative reflectance can be stored.
Names and tags state it unreliably (archives are reprocessed, exports remove it), so the data is always checked: with
the offset, the darkest numbers lie just above 1000.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sunbreak.errors import InputError
from sunbreak.scene.product import ProductFacts

Unit = Literal["dn", "reflectance"]
UnitOption = Literal["auto", "dn", "reflectance"]
OffsetOption = Literal["auto"] | float

QUANTIFICATION = 10000.0
BASELINE_OFFSET = -1000.0
_LARGEST_OFFSET = 100_000.0
FIRST_BASELINE_WITH_OFFSET = 4.0

_DIMMEST, _BRIGHTEST = 0.0256, 4.0  # reflectance that 0.5 % of the numbers of a scene lie above, all bands together


@dataclass(frozen=True)
class Radiometry:
    """reflectance = (raw + offset) / quantification.

    Attributes:
        unit: What the stored numbers are.
        offset: In stored numbers, such as -1000.
        quantification: Stored numbers per unit of reflectance: 10000 for DN, 1 for reflectance.
    """

    unit: Unit
    offset: float
    quantification: float

    def to_reflectance(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Reflectance as a new float32 array of the same shape. Nothing is masked or clipped."""
        out = np.empty(raw.shape, np.float32)
        if self.offset == 0 and self.quantification == 1:
            np.copyto(out, raw, casting="unsafe")
            return out
        # band by band: the band is still in the processor's cache for the second operation
        for source, target in zip(np.atleast_3d(raw), np.atleast_3d(out), strict=True):
            np.add(source, np.float32(self.offset), out=target, dtype=np.float32, casting="unsafe")
            np.divide(target, np.float32(self.quantification), out=target)
        return out

    def to_raw(self, reflectance: NDArray[Any], dtype: DTypeLike, nodata: float | None) -> NDArray[Any]:
        """Stored numbers for reflectance: rounded and clipped to the dtype's range, never equal to `nodata`.

        A result that would equal `nodata` is moved by the smallest step. NaN becomes `nodata` (0 or NaN if there is
        none).
        """
        target = np.dtype(dtype)
        # 24 bits of a float32 hold a 16-bit number with room for rounding
        work = np.float32 if target.kind != "f" and target.itemsize <= 2 else np.float64
        values: NDArray[Any] = np.multiply(reflectance, work(self.quantification), dtype=work)
        values -= work(self.offset)
        # a maximum with a NaN is NaN, which is faster to detect than every NaN
        missing = np.isnan(values) if values.size and np.isnan(values.max()) else np.zeros((), np.bool_)
        missing = np.broadcast_to(missing, values.shape)
        if target.kind == "f":
            with np.errstate(over="ignore"):
                floats = values.astype(target)
            if nodata is not None and not np.isnan(nodata):
                marker = np.array(nodata, target)
                floats[floats == marker] = np.nextafter(marker, np.array(np.inf if nodata <= 0 else 0, target))
                floats[missing] = marker
            return floats
        limits = np.iinfo(target)
        np.rint(values, out=values)
        np.clip(values, limits.min, limits.max, out=values)
        if missing.any():
            values[missing] = limits.min
        numbers = values.astype(target)
        hole = int(nodata) if nodata is not None and limits.min <= nodata <= limits.max else None
        if hole is not None:
            met = numbers == hole
            if met.any():
                numbers[met] = hole + 1 if hole < limits.max else hole - 1
        if missing.any():
            numbers[missing] = 0 if hole is None else hole
        return numbers


@dataclass(frozen=True)
class Evidence:
    """What a sample of valid pixels says: (band, pixel) numbers on the DN scale."""

    offset_in: bool | None
    reason: str


def offset_evidence(sample: NDArray[np.float32], bands: Sequence[str]) -> Evidence:
    """Whether the +1000 offset is still in the data, from a sample (band, pixel) on the DN scale of 10000.

    The cirrus band decides where there is one: its reflectance is close to 0 outside high cloud. Otherwise the darkest
    band of each pixel does: many pixels below 900 are evidence against the offset; many just above 1000 and
    almost none below are evidence for it.
    """
    if sample.shape[1] == 0:
        return Evidence(None, "no valid pixel was sampled")
    if "B10" in bands:
        cirrus = sample[bands.index("B10")]
        cirrus = cirrus[cirrus != 0]
        if cirrus.size:
            low, middle = float(np.percentile(cirrus, 1)), float(np.median(cirrus))
            if low < 900:
                return Evidence(False, f"the cirrus band B10 goes down to {low:.0f}")
            if low >= 950 and middle < 2000:
                return Evidence(True, f"the cirrus band B10 stands at {middle:.0f}")
    others = [index for index, name in enumerate(bands) if name != "B10"]
    darkest = sample[others].min(axis=0)
    below_900 = float((darkest < 900).mean())
    below_950 = float((darkest < 950).mean())
    above = float(((darkest >= 950) & (darkest < 1300)).mean())
    if below_900 > 0.005 and below_950 > 0.05 * above:
        return Evidence(False, f"{below_900:.0%} of the pixels have a band below 900")
    if above >= 0.01:
        return Evidence(
            True, f"the darkest band of {above:.0%} of the pixels lies right above 1000 and of almost none below"
        )
    return Evidence(None, "no pixel is dark enough to tell")


def decide_unit(name: str, dtype: np.dtype[Any], sample: NDArray[np.float32], option: UnitOption) -> Unit:
    """DN or reflectance, from the dtype and a sample (band, pixel) of valid numbers.

    Raises:
        InputError: ``s2-units`` if the numbers fit neither.
    """
    if option != "auto":
        return option
    if dtype.kind in "iu":
        return "dn"
    high = float(np.percentile(sample, 99)) if sample.size else 0.0
    if high <= 2.5:
        return "reflectance"
    if high >= 50:
        return "dn"
    raise InputError(
        f"{name}: numbers up to {high:.1f} are neither reflectance (0..1) nor DN (0..10000).",
        "Say which with --s2-unit dn or --s2-unit reflectance.",
        code="s2-units",
    )


def scale_of(option: float | None) -> float | None:
    """A scale that the user gave.

    Raises:
        InputError: ``bad-option`` if it is not a number above 0.
    """
    if option is not None and not (math.isfinite(option) and option > 0):
        raise InputError(f"--s2-scale is {option:g}.", "Give a number above 0, such as 0.0001.", code="bad-option")
    return option


def decide(
    name: str,
    dtype: np.dtype[Any],
    bands: Sequence[str],
    sample: NDArray[np.float32],
    facts: ProductFacts,
    stored: tuple[float, float] | None,
    unit_option: UnitOption,
    offset_option: OffsetOption,
    scale_option: float | None = None,
) -> tuple[Radiometry, list[str], list[str]]:
    """The radiometry of a scene, with notes and warnings about how it was found.

    Args:
        name: The file, for messages.
        dtype: Of the stored numbers.
        bands: Names of the sampled bands.
        sample: (band, pixel) valid stored numbers.
        facts: What names and tags claim.
        stored: (scale, offset) stored in the file itself, where reflectance = raw * scale + offset; None if it has
            none.
        unit_option: What the user says, or ``auto``.
        offset_option: What the user says, in stored numbers, or ``auto``.
        scale_option: Reflectance per stored number, if the user says so.

    Raises:
        InputError: ``s2-units`` also for numbers that are no reflectance on Earth; ``offset-contradiction`` if the data
            contradicts the metadata, or the metadata states different offsets for its bands.
    """
    if offset_option != "auto" and not abs(float(offset_option)) <= _LARGEST_OFFSET:  # true for NaN as well
        raise InputError(
            f"--s2-offset is {float(offset_option):g}.", "Give auto or a number such as -1000.", code="bad-option"
        )
    trusted = scale_option is not None or unit_option != "auto"
    if scale_option is not None:
        unit_option = "reflectance" if scale_option == 1 else "dn"
        facts, stored = replace(facts, quantification=round(1 / scale_option, 6), offset=None, differing=""), None
    unit = decide_unit(name, dtype, sample, unit_option)
    found = _decide(name, unit, bands, sample, facts, stored, offset_option)
    if not trusted:
        _refuse_implausible(name, sample, found[0])
    return found


def _refuse_implausible(name: str, sample: NDArray[np.float32], radiometry: Radiometry) -> None:
    if not sample.size:
        return
    high = float(np.percentile(sample, 99.5))
    reflectance = (high + radiometry.offset) / radiometry.quantification
    if _DIMMEST < reflectance < _BRIGHTEST:
        return
    kind = "stretched to 16 bits" if reflectance >= _BRIGHTEST else "stretched to 8 bits, in percent, or empty"
    raise InputError(
        f"{name}: numbers up to {high:.4g} would be a reflectance of {reflectance:.3g}; they look {kind}.",
        "Give the product's own numbers, or the reflectance of one stored number with --s2-scale (0.01 for percent).",
        code="s2-units",
    )


def _decide(
    name: str,
    unit: Unit,
    bands: Sequence[str],
    sample: NDArray[np.float32],
    facts: ProductFacts,
    stored: tuple[float, float] | None,
    offset_option: OffsetOption,
) -> tuple[Radiometry, list[str], list[str]]:
    quantification = 1.0 if unit == "reflectance" else (facts.quantification or QUANTIFICATION)
    if stored is not None and unit == "dn":
        quantification = round(1 / stored[0], 6)
    to_dn = QUANTIFICATION / quantification
    baseline_offset = BASELINE_OFFSET / to_dn
    evidence = offset_evidence(sample * np.float32(to_dn) if to_dn != 1 else sample, bands)
    kind = "DN" if unit == "dn" else "reflectance"
    if offset_option != "auto":
        offset = float(offset_option)
        warnings = []
        if evidence.offset_in is not None and evidence.offset_in != (offset < 0):
            warnings = [f"The given offset {offset:g} is used although {evidence.reason}."]
        return (
            Radiometry(unit, offset, quantification),
            [f"S2 numbers are {kind}; offset {offset:g} as given."],
            warnings,
        )
    if facts.differing and stored is None and unit == "dn":
        raise InputError(
            f"{name}: the metadata states different offsets for its bands ({facts.differing}).",
            "Say which one counts for all of them with --s2-offset.",
            code="offset-contradiction",
        )
    claimed, source = _claimed_offset(facts, stored, unit, baseline_offset)
    if claimed is None:
        return _from_evidence(unit, kind, quantification, evidence, baseline_offset)
    warnings = []
    contradicted = evidence.offset_in is not None and evidence.offset_in != (claimed < 0)
    if contradicted and facts.of_product and stored is None and unit == "dn":
        warnings = [f"The offset {claimed:g} of the product's metadata is used although {evidence.reason}."]
    elif contradicted:
        raise InputError(
            f"{name}: {source} states an offset of {claimed:g}, but {evidence.reason}.",
            f"Settle it with --s2-offset {baseline_offset:g} (still in the data) or --s2-offset 0 (taken out already).",
            code="offset-contradiction",
        )
    return (
        Radiometry(unit, claimed, quantification),
        [f"S2 numbers are {kind}; offset {claimed:g} from {source}."],
        warnings,
    )


def _claimed_offset(
    facts: ProductFacts, stored: tuple[float, float] | None, unit: Unit, baseline_offset: float
) -> tuple[float | None, str]:
    if stored is not None and unit == "dn":
        return round(stored[1] / stored[0], 6) + 0.0, "the scale and offset in the file"
    if facts.offset is not None and unit == "dn":
        return facts.offset, facts.said_by.get("offset", "the metadata")
    if facts.offset_applied and unit == "dn":
        return 0.0, "the STAC item (offset applied)"
    if facts.harmonised:
        return 0.0, "the name (harmonised)"
    if facts.baseline is not None:
        later = facts.baseline >= FIRST_BASELINE_WITH_OFFSET
        return (baseline_offset if later else 0.0), f"processing baseline {facts.baseline:05.2f}"
    return None, ""


def _from_evidence(
    unit: Unit, kind: str, quantification: float, evidence: Evidence, baseline_offset: float
) -> tuple[Radiometry, list[str], list[str]]:
    if evidence.offset_in is None:
        warning = (
            f"Whether the +1000 offset of newer Sentinel-2 products is in the data cannot be told ({evidence.reason}); "
            "taken as none. Settle it with --s2-offset."
        )
        return Radiometry(unit, 0.0, quantification), [f"S2 numbers are taken as {kind} without offset."], [warning]
    offset = baseline_offset if evidence.offset_in else 0.0
    note = f"S2 numbers are {kind}; offset {offset:g} assumed because {evidence.reason}."
    return Radiometry(unit, offset, quantification), [note], []
