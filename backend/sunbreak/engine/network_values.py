"""Refuses networks that give NaN, infinity or absurd values, which later steps would hide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import ModelError

Array = NDArray[np.float32]

MAGNITUDE = "magnitude"
"""Name of the output of a converted network that `check_magnitude` takes."""
# reflectance, logits and log-variances are below some hundreds
_LARGEST = 1e6


def check_magnitude(magnitude: Array, source: Path | None, largest: float = _LARGEST) -> None:
    """Refuse a network whose values are not finite, or so large that they mean nothing.

    Args:
        magnitude: Mean absolute value of what the network gave for each tile, see
            `sunbreak.models.networks.TileNetwork.measured`.
        source: Where the network is from, for the message.
        largest: What is too large.

    Raises:
        ModelError: ``model-output``.
    """
    if not (magnitude < largest).all():  # NaN is not less than anything
        owner = "The network" if source is None else f"{source}: the network"
        raise bad_output(owner, "values that are not finite or far too large")


def bad_output(owner: str, what: str) -> ModelError:
    """The error for a network that gives what it should not."""
    return ModelError(
        f"{owner} gave {what}.",
        "Use another model; this one's weights are damaged or do not suit the data.",
        code="model-output",
    )
