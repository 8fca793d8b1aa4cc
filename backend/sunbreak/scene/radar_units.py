"""Decides from the numbers in which unit Sentinel-1 is stored and which band is VH, and doubts what the user says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.scene.radar import RadarUnit

RadarUnitOption = Literal["auto", "db", "linear", "amplitude"]

_UNIT_HINT = "Give calibrated backscatter (sigma0 or gamma0), or say its unit with --s1-unit db or --s1-unit linear."
_SCALE_HINT = (
    "Give calibrated backscatter (sigma0 or gamma0). Scaled numbers need their scale in the file (gdal_translate "
    "-a_scale 0.01 in.tif out.tif), whole dB need --s1-unit db."
)
_WORDS = {"db": "dB", "linear": "linear power", "amplitude": "amplitude"}
_APART = 2.0  # dB between VV and VH from which their order is certain
# taken as power, VH lies below the first and 5 to 8 dB below VV; amplitudes halve both in dB
_STRONG_VH, _CLOSE = -12.0, 5.0
_LARGEST = 10.0  # no median of calibrated backscatter is larger, in any unit
_FAINTEST = -60.0  # and none is smaller
_MOST_NOISE = 0.3  # share of numbers that noise removal may have made negative


def decide_unit(
    name: str,
    sample: NDArray[np.float32],
    integers: bool,
    option: RadarUnitOption,
    notes: list[str],
    warnings: list[str],
) -> RadarUnit:
    """The unit, dB or linear power, from the sampled numbers. Zeros do not count.

    Args:
        name: The file, for messages.
        sample: Finite stored numbers, with the file's own scale and offset applied.
        integers: They are stored as integers without a scale.
        option: What the user says.
        notes: Receives the decision.
        warnings: Receives what is doubtful about it.

    Raises:
        InputError: ``s1-units`` for uncalibrated or implausible numbers, ``all-nodata``.
    """
    values = sample[sample != 0]
    if values.size == 0:
        raise InputError(
            f"{name} holds no valid Sentinel-1 pixel under the scene: all are zero or nodata.",
            "Give a Sentinel-1 scene that holds data there.",
            code="all-nodata",
        )
    median = float(np.median(values))
    negative = float((values < 0).mean())
    # dB spread over many; what stays within 1 of zero is power, and the negative part of it is noise taken off too far
    small = float(np.percentile(np.abs(values), 99)) < 1
    if option != "auto":
        _doubt(name, option, median, negative, small, warnings)
        notes.append(f"S1 is taken as {_WORDS[option]}, as given or named.")
        return option
    if integers:
        raise InputError(
            f"{name} holds integers: uncalibrated amplitudes, not backscatter.", _SCALE_HINT, code="s1-units"
        )
    if negative > 0.3 and -45 <= median <= 5 and not small:
        notes.append(f"S1 is in dB (median {median:.1f}).")
        return "db"
    if 0 <= median < 1 and (negative < 0.05 or (small and negative <= _MOST_NOISE)):
        notes.append(f"S1 is taken as linear power (median {median:.3g}) and turned into dB.")
        if negative >= 0.05:
            warnings.append(
                f"{name}: {negative:.0%} of its numbers are slightly negative, as where noise was taken off; they "
                "count as missing."
            )
        return "linear"
    if small:
        raise InputError(
            f"{name}: {negative:.0%} of its numbers are slightly negative (median {median:.2g}), and negative power "
            "has no dB.",
            "Export it without noise removal, or give another Sentinel-1 scene.",
            code="s1-units",
        )
    raise InputError(
        f"{name}: numbers around {median:.4g} are neither dB (about -35 to 5) nor linear power (about 0 to 1).",
        _UNIT_HINT,
        code="s1-units",
    )


def _doubt(
    name: str, option: RadarUnitOption, median: float, negative: float, small: bool, warnings: list[str]
) -> None:
    """Refuse a unit that leaves nothing of the numbers, and warn of one that they do not look like.

    Raises:
        InputError: ``s1-units``.
    """
    if median > _LARGEST or median < _FAINTEST:
        raise InputError(
            f"{name}: numbers around {median:.4g} are uncalibrated, and no {_WORDS[option]}.",
            _SCALE_HINT,
            code="s1-units",
        )
    if option != "db" and negative > 0.5:
        raise InputError(
            f"{name}: {negative:.0%} of its numbers are negative (median {median:.3g}), which no {_WORDS[option]} is.",
            "Leave --s1-unit out, or give --s1-unit db.",
            code="s1-units",
        )
    looks = ""
    if option == "db" and (small or negative < 0.05):
        looks = "linear power" if small or 0 <= median < 1 else "uncalibrated amplitudes" if median > 5 else ""
    elif option != "db" and negative >= 0.05 and not small:
        looks = "dB"
    if looks:
        warnings.append(f"{name} is taken as {_WORDS[option]}, as given, but looks like {looks} (median {median:.3g}).")


def are_swapped(
    name: str,
    samples: Sequence[NDArray[np.float32]],
    unit: RadarUnit,
    named: bool,
    notes: list[str],
    warnings: list[str],
) -> bool:
    """Whether what is taken as VV is VH: over land and water VH is 5 to 8 dB weaker.

    Args:
        name: The file, for messages.
        samples: Finite stored numbers of what is taken as VV, and as VH.
        unit: What is stored.
        named: Whether the files name the polarisations.
        notes: Receives the decision.
        warnings: Receives what is doubtful about names.

    Raises:
        InputError: ``s1-bands`` if the polarisations are not named and cannot be told apart.
    """
    first, second = (_median_db(values, unit) for values in samples)
    apart = first - second
    if unit == "linear" and min(first, second) > _STRONG_VH and abs(apart) < _CLOSE:
        warnings.append(
            f"{name} may hold amplitudes instead of power: VV is {max(first, second):.1f} dB, VH "
            f"{abs(apart):.1f} dB below it. If it does, say so with --s1-unit amplitude."
        )
    if named:
        if apart < -_APART:
            warnings.append(f"{name}: VH is {-apart:.1f} dB stronger than VV; are the names swapped?")
        return False
    if abs(apart) < _APART:
        raise InputError(
            f"{name} does not name its polarisations, and they cannot be told apart ({apart:+.1f} dB).",
            "Name VV and VH in the band descriptions or file names.",
            code="s1-bands",
        )
    order = "VV, VH" if apart > 0 else "VH, VV"
    notes.append(f"S1 is taken as {order} in this order, since VH is the weaker one ({abs(apart):.1f} dB).")
    return apart < 0


def _median_db(values: NDArray[np.float32], unit: RadarUnit) -> float:
    if unit == "db":
        return float(np.median(values[values != 0]))
    factor = 20 if unit == "amplitude" else 10
    return factor * float(np.log10(np.median(values[values > 0])))
