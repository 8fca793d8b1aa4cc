"""How far the prediction is off: cross-validation by blocks as large as the clouds, on the clear pixels of the scene.

Neighbouring pixels err alike, so single pixels that are left out say nothing about a cloud; blocks do (Roberts et al.
2017). Each block is predicted by a model and by smooth fields that have not seen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Image, Mask
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fields import LOCAL, SmoothFields, local
from sunbreak.removal.temporal.gaussian import DatesModel, without
from sunbreak.removal.temporal.sample import Lattice

FOLDS = 4
_LEAST_BLOCK, _MOST_BLOCK = 32, 256  # pixels
_PIXELS = 20000  # that the model of a fold is fitted to
_FINE = 2  # lattice steps up to which the local correction is validated too


@dataclass(frozen=True)
class Validation:
    """Errors of clear pixels that were predicted without their surroundings, all on the lattice.

    Attributes:
        errors: (band, pixel) observation less prediction; only `held` counts.
        predicted: (band, pixel).
        expected: (band, pixel) standard deviation of the error according to the fit.
        distance: (pixel,) pixels to the nearest clear pixel that was not left out.
        held: (pixel,) True where there is an error.
    """

    errors: Image
    predicted: Image
    expected: Image
    distance: Image
    held: Mask


def predict(model: DatesModel, features: Image, codes: NDArray[np.int32]) -> tuple[Image, Image]:
    """Prediction and its standard deviation according to the fit, (band, pixel) each.

    Args:
        model: The model.
        features: (feature, pixel), standardised.
        codes: (pixel,) patterns of known blocks.
    """
    predicted = np.empty((model.bands, codes.size), np.float32)
    sigma = np.empty_like(predicted)
    found = np.unique(codes)
    for code in found:
        where: Any = slice(None) if len(found) == 1 else np.flatnonzero(codes == code)
        predictor = model.predictor(int(code))
        predicted[:, where] = predictor(features[:, where])
        sigma[:, where] = predictor.sigma[:, None]
    return predicted, sigma


def validate(model: DatesModel, lattice: Lattice, prior: DaysPrior) -> Validation:
    """Cross-validate a model on the lattice that it was fitted to."""
    features, codes = lattice.standardised(model), lattice.codes & ~1
    seen = (codes & model.blocks.optical_bits) > 0
    clear = lattice.clear & seen
    observed = lattice.target
    fold = _folds(lattice)
    empty = np.zeros((model.bands, codes.size), np.float32)
    result = Validation(empty, empty.copy(), empty.copy(), np.zeros(codes.size, np.float32), np.zeros(codes.size, bool))
    for number in range(FOLDS):
        held, kept = clear & (fold == number), clear & (fold != number)
        if not held.any() or not kept.any():
            continue
        chosen = np.flatnonzero(kept)
        if len(chosen) > _PIXELS:
            chosen = chosen[np.linspace(0, len(chosen) - 1, _PIXELS).astype(np.intp)]
        again = without(model, features[:, chosen], [known[chosen] for known in lattice.known], prior)
        predicted, sigma = predict(again, features, codes)
        errors = lattice.grid(observed - predicted)
        fields = SmoothFields(errors, lattice.grid(kept), lattice.step).at(lattice.rows + 0.5, lattice.columns + 0.5)
        if lattice.step <= _FINE:
            fields = fields + local(errors - fields, lattice.grid(kept), LOCAL / lattice.step)
        predicted += fields.reshape(predicted.shape)
        result.errors[:, held] = observed[:, held] - predicted[:, held]
        result.predicted[:, held] = predicted[:, held]
        result.expected[:, held] = sigma[:, held]
        result.distance[held] = distance_to(lattice.grid(kept))[lattice.grid(held)] * lattice.step
        result.held[held] = True
    return result


def _folds(lattice: Lattice) -> NDArray[np.intp]:
    """(pixel,) number of the fold: blocks as wide as the clouds, dealt out so that neighbours differ."""
    hidden = lattice.grid(~lattice.clear)
    side = float(_LEAST_BLOCK)
    if hidden.any() and not hidden.all():
        side = 2 * float(np.percentile(distance_to(~hidden)[hidden], 90)) * lattice.step
    side = min(max(side, _LEAST_BLOCK), _MOST_BLOCK)
    rows, columns = (lattice.rows // side).astype(np.intp), (lattice.columns // side).astype(np.intp)
    return ((2 * rows[:, None] + columns[None]) % FOLDS).ravel()


def distance_to(seen: Mask) -> Image:
    """Distance to the nearest True, in places of the lattice; infinite if there is none."""
    import cv2

    if not seen.any():
        return np.full(seen.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
