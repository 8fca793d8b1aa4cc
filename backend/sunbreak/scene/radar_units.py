"""Decides whether Sentinel-1 is stored in dB or as linear power, from the numbers, and doubts what the user says."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.scene.radar import RadarUnit

RadarUnitOption = Literal["auto", "db", "linear"]

_UNIT_HINT = "Give calibrated backscatter (sigma0 or gamma0), or say its unit with --s1-unit db or --s1-unit linear."
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
        notes.append(f"S1 is taken as {'dB' if option == 'db' else 'linear power'}, as given.")
        return option
    if integers:
        raise InputError(
            f"{name} holds integers: uncalibrated amplitudes, not backscatter.", _UNIT_HINT, code="s1-units"
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
    if option == "linear" and negative > 0.5:
        raise InputError(
            f"{name}: {negative:.0%} of its numbers are negative (median {median:.3g}), which no linear power is.",
            "Leave --s1-unit out, or give --s1-unit db.",
            code="s1-units",
        )
    looks = ""
    if option == "db" and (small or negative < 0.05):
        looks = "linear power" if small or 0 <= median < 1 else "uncalibrated amplitudes" if median > 5 else ""
    elif option == "linear" and (negative >= 0.05 or median >= 10):
        looks = "dB" if negative >= 0.05 and not small else "uncalibrated amplitudes" if median >= 10 else ""
    if looks:
        unit = "dB" if option == "db" else "linear power"
        warnings.append(f"{name} is taken as {unit}, as given, but looks like {looks} (median {median:.3g}).")
