"""How much an adapted network's guide should believe what is known of its place: each place is tried without itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import image
from sunbreak.models.guide import Prior, guide
from sunbreak.models.place import Moments, prior_of

_WEIGHTS = (128.0, 512.0, 2048.0, 8192.0, 32768.0)


@dataclass(frozen=True)
class Trial:
    """A piece of ground under clouds, to try a prior on.

    Attributes:
        place: Where it is; what is known of this place from other dates is left out when it is tried.
        cloudy: (13, row, column) reflectance.
        clear: The same without clouds.
        seen: (row, column), what the guide may look at.
        judged: (row, column), where it is judged.
        radar: (2, row, column) dB, or None.
    """

    place: int
    cloudy: NDArray[np.float32]
    clear: NDArray[np.float32]
    seen: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    radar: NDArray[np.float32] | None


def fit_prior(parts: Sequence[tuple[int, Moments]], trials: Sequence[Trial]) -> Prior:
    """The prior of a place with the weight that fills its own clouds best, each place tried with what the others tell.

    Args:
        parts: Number of the place and what was seen of it.
        trials: The places under clouds.

    Raises:
        ValueError: There is but one place, so there is nothing to try it with.
    """
    if len({place for place, _ in parts}) < 2:
        raise ValueError("one place cannot tell how much it tells about another")
    scores = np.zeros(len(_WEIGHTS))
    for trial in trials:
        others = [part for place, part in parts if place != trial.place]
        for index, weight in enumerate(_WEIGHTS):
            filled = guide(trial.cloudy, trial.seen, prior_of(others, weight).numbers(), trial.radar)
            scores[index] += image.psnr(filled, trial.clear, trial.judged)
    return prior_of([part for _, part in parts], _WEIGHTS[int(scores.argmax())])
