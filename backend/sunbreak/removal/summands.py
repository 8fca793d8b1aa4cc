"""Summands whose sum does not depend on their order, so that parts of a scene add up to the figures of the whole."""

from __future__ import annotations

from typing import SupportsFloat

_STEPS = 2.0**20


def summand(value: SupportsFloat) -> float:
    """A number rounded to 2^-20: sums of such numbers are exact up to 2^33, more than a scene has pixels."""
    return round(float(value) * _STEPS) / _STEPS
