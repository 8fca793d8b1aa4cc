"""The parts of a guided network's prior, and the row of numbers in a network's configuration.

A model card holds the parts under their names. `sunbreak.removal.guide.Prior` computes with them. The networks check
the length of the row only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

BANDS = 13
RADAR_FEATURES = 12  # backscatter of two polarisations at four scales, their squares and textures
OF_RADAR = RADAR_FEATURES + BANDS * RADAR_FEATURES
# a spectrum; with its weight; with the water spectrum; with the radar regression; with both
PRIOR_SIZES = (BANDS, BANDS + 1, 2 * BANDS + 1, BANDS + 1 + OF_RADAR, 2 * BANDS + 1 + OF_RADAR)


def named_prior(numbers: Sequence[float]) -> dict[str, Any]:
    """The parts of a prior by name, as far as it has them.

    `spectrum` (13,), `weight`, `water` (13,), `backscatter` (12,) and `slopes` (13, 12): see the attributes of
    `sunbreak.removal.guide.Prior`.

    Raises:
        ValueError: That many numbers are no prior.
    """
    if len(numbers) not in PRIOR_SIZES:
        raise ValueError(f"a prior has {', '.join(map(str, PRIOR_SIZES))} numbers, not {len(numbers)}")
    values = [float(value) for value in numbers]
    parts: dict[str, Any] = {"spectrum": values[:BANDS]}
    if len(values) > BANDS:
        parts["weight"] = values[BANDS]
    rest = values[BANDS + 1 :]
    if len(rest) in (BANDS, BANDS + OF_RADAR):
        parts["water"], rest = rest[:BANDS], rest[BANDS:]
    if rest:
        parts["backscatter"], slopes = rest[:RADAR_FEATURES], rest[RADAR_FEATURES:]
        parts["slopes"] = [slopes[first : first + RADAR_FEATURES] for first in range(0, len(slopes), RADAR_FEATURES)]
    return parts


def flat_prior(parts: Mapping[str, Any]) -> tuple[float, ...]:
    """The inverse of `named_prior`.

    Raises:
        ValueError: A part is missing or has another size.
    """
    sizes = {"spectrum": BANDS, "water": BANDS, "backscatter": RADAR_FEATURES, "slopes": BANDS * RADAR_FEATURES}
    rows: dict[str, list[float]] = {name: list(parts.get(name, ())) for name in ("spectrum", "water", "backscatter")}
    rows["slopes"] = [float(value) for row in parts.get("slopes", ()) for value in row]
    for name, row in rows.items():
        if (row or name == "spectrum") and len(row) != sizes[name]:
            raise ValueError(f"the prior's {name} has {len(row)} numbers, not {sizes[name]}")
    if bool(rows["backscatter"]) != bool(rows["slopes"]):
        raise ValueError("the prior has one of backscatter and slopes, which belong together")
    if "weight" not in parts:
        if len(parts) > 1:
            raise ValueError("the prior has no weight")
        return _floats(rows["spectrum"])
    return _floats([*rows["spectrum"], parts["weight"], *rows["water"], *rows["backscatter"], *rows["slopes"]])


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
