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
_OF_TREND = RADAR_FEATURES + 1 + OF_RADAR
_WITH_WATER = 2 * BANDS + 1
# a spectrum; with its weight; with the water spectrum; with the radar regression; with both; with the radar trend of
# land and water; with everything
PRIOR_SIZES = (
    BANDS,
    BANDS + 1,
    _WITH_WATER,
    BANDS + 1 + OF_RADAR,
    _WITH_WATER + OF_RADAR,
    _WITH_WATER + _OF_TREND,
    _WITH_WATER + _OF_TREND + OF_RADAR,
)


def named_prior(numbers: Sequence[float]) -> dict[str, Any]:
    """The parts of a prior by name, as far as it has them.

    `spectrum` (13,), `weight`, `water` (13,), `wetness` (13,), `land_backscatter` (12,), `land_slopes` (13, 12),
    `backscatter` (12,) and `slopes` (13, 12): see the attributes of `sunbreak.removal.guide.Prior` and of
    `sunbreak.removal.radar_trend.RadarTrend`.

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
    if len(rest) not in (0, OF_RADAR):
        parts["water"], rest = rest[:BANDS], rest[BANDS:]
    if len(rest) >= _OF_TREND:
        parts["wetness"], rest = rest[: RADAR_FEATURES + 1], rest[RADAR_FEATURES + 1 :]
        parts["land_backscatter"], parts["land_slopes"] = _regression(rest[:OF_RADAR])
        rest = rest[OF_RADAR:]
    if rest:
        parts["backscatter"], parts["slopes"] = _regression(rest)
    return parts


def _regression(row: list[float]) -> tuple[list[float], list[list[float]]]:
    """Means of the radar features, and the slopes of each band."""
    slopes = row[RADAR_FEATURES:]
    return row[:RADAR_FEATURES], [slopes[at : at + RADAR_FEATURES] for at in range(0, len(slopes), RADAR_FEATURES)]


def flat_prior(parts: Mapping[str, Any]) -> tuple[float, ...]:
    """The inverse of `named_prior`.

    Raises:
        ValueError: A part is missing or has another size.
    """
    sizes = {
        "spectrum": BANDS, "water": BANDS, "wetness": RADAR_FEATURES + 1,
        "land_backscatter": RADAR_FEATURES, "land_slopes": BANDS * RADAR_FEATURES,
        "backscatter": RADAR_FEATURES, "slopes": BANDS * RADAR_FEATURES,
    }  # fmt: skip
    rows: dict[str, list[float]] = {name: _flat(parts.get(name, ())) for name in sizes}
    for name, row in rows.items():
        if (row or name == "spectrum") and len(row) != sizes[name]:
            raise ValueError(f"the prior's {name} has {len(row)} numbers, not {sizes[name]}")
    for group in (("backscatter", "slopes"), ("wetness", "land_backscatter", "land_slopes")):
        if len({bool(rows[name]) for name in group}) > 1:
            raise ValueError(f"the prior has some of {', '.join(group)}, which belong together")
    if rows["wetness"] and not rows["water"]:
        raise ValueError("the prior has wetness, but no water")
    if "weight" not in parts:
        if len(parts) > 1:
            raise ValueError("the prior has no weight")
        return _floats(rows["spectrum"])
    return _floats([*rows["spectrum"], parts["weight"], *(value for name in list(sizes)[1:] for value in rows[name])])


def _flat(values: Iterable[Any]) -> list[float]:
    """The numbers of a row, or of a table row by row."""
    return [float(value) for part in values for value in (part if isinstance(part, (list, tuple)) else [part])]


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
