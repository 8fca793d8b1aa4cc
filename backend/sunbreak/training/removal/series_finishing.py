"""From a trained multi-temporal network to a model: calibration and measurements on held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.metrics import calibration, image
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import spread
from sunbreak.training.removal.series import Dates, Series, fixed_dates, plain_example

_MOST = 200
_EVERY = 8  # every 8th pixel calibrates: errors of neighbours are correlated
_NETWORK = "network"

Image = NDArray[np.float32]


@dataclass(frozen=True)
class _Judged:
    """Measurements of a held-out place: figures by method, and errors and sigmas of every eighth pixel."""

    figures: dict[str, dict[str, float]]
    error: Image
    sigma: Image


def finish_series(
    module: UnCRtainTS,
    recipe: RemovalTraining,
    held_out: Sequence[Series],
    name: str,
    folder: Path,
    facts: dict[str, Any],
    *,
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> ModelFiles:
    """Calibrate on every other held-out place, measure on the rest, and write weights and card.

    At most 200 evenly spread places are used. Their dates are those of `sunbreak.training.removal.series.fixed_dates`.
    Pixels that are cloudy in the target do not count.

    Args:
        module: The trained network.
        recipe: How it was trained.
        held_out: Held-out places; two or more.
        name: Name of the model.
        folder: Folder for the model.
        facts: Facts about the training for the card, in addition to the recipe.
        checkpoint: Called with the number of finished places and of all places; may raise to stop.

    Raises:
        InputError: There are fewer than two places.
    """
    module = module.to("cpu").eval()
    places = spread(held_out, _MOST)
    if len(places) < 2:
        raise InputError(
            "A multi-temporal model needs at least two held-out sequences: one to calibrate on, one to measure on.",
            "Give more sequences, or hold out more of them.",
            code="no-samples",
        )
    judged = []
    for number, place in enumerate(places):
        checkpoint(number, len(places))
        judged.append(_judge(module, place, recipe))
    checkpoint(len(places), len(places))
    own, others = judged[::2], judged[1::2]
    factor = calibration.temperature(
        np.concatenate([one.error for one in own], axis=1), np.concatenate([one.sigma for one in own], axis=1)
    )
    # errors within a place are correlated, see `sunbreak.training.removal.validation.temperature`
    factor = factor * np.sqrt(1 + 1 / len(own))
    figures: dict[str, Any] = {
        method: {key: float(np.mean([one.figures[method][key] for one in others])) for key in others[0].figures[method]}
        for method in others[0].figures
    }
    sigmas = [(one.error, one.sigma * factor[:, None]) for one in others]
    figures["coverage"] = {
        label: float(np.mean([calibration.coverage(error, sigma, width) for error, sigma in sigmas]))
        for label, width in (("68 %", 1.0), ("95 %", 1.96))
    }
    return save_uncrtaints(
        module,
        name,
        folder,
        title=f"UnCRtainTS, {recipe.dates} dates, trained on SEN12MS-CR-TS",
        description=(
            f"A multi-temporal network of {recipe.dates} dates, trained by `sunbreak train removal --dates`. It runs "
            "through the Python interface; `sunbreak clean` takes one date."
        ),
        licence="GPL-2.0-or-later",
        tile=recipe.tile,
        overlap=recipe.tile // 8,
        dates=recipe.dates,
        temperature=tuple(round(float(value), 4) for value in factor),
        calibrated_on=f"{len(own)} held-out sequences",
        training={**facts, "recipe": asdict(recipe)},
        metrics=({"data": f"held-out sequences, not used for calibration ({len(others)} places)", "figures": figures},),
    )


def _judge(module: UnCRtainTS, place: Series, recipe: RemovalTraining) -> _Judged:
    dates = fixed_dates(place, recipe.dates)
    example = plain_example(place, dates, recipe.tile)
    days = None if example.days is None else torch.from_numpy(example.days)[None]
    with torch.no_grad():
        mean, variance = module(torch.from_numpy(example.x)[None], days)
    if variance is None:
        raise ValueError("calibration needs a network with variance")
    prediction, target = mean[0].numpy(), example.target
    known = example.weight[0] > 0
    if not known.any():
        known = np.ones_like(known)
    optical = example.x[:, -target.shape[0] :]
    clearest = int(np.argmin(place.covers[list(dates.inputs)]))
    candidates = {
        _NETWORK: prediction,
        "least cloudy input": optical[clearest],
        "mean of the clear inputs": _clear_mean(optical, place, dates, recipe.tile),
    }
    figures = {
        method: {
            "psnr": image.psnr(candidate, target, known),
            "ssim": image.ssim(candidate, target),
            "sam": image.sam_degrees(candidate, target, known),
        }
        for method, candidate in candidates.items()
    }
    error, sigma = target - prediction, variance[0].sqrt().numpy()
    return _Judged(figures, error[:, known][:, ::_EVERY], sigma[:, known][:, ::_EVERY])


def _clear_mean(optical: Image, place: Series, dates: Dates, side: int) -> Image:
    """Mean of the clear dates at each pixel; mean of all dates where none is clear."""
    row, col = ((length - min(side, length)) // 2 for length in place.shape)
    hidden = place.hidden[list(dates.inputs), row : row + side, col : col + side]
    weight = np.where(hidden.all(axis=0), True, ~hidden)[:, None]
    mean: Image = (optical * weight).sum(axis=0) / weight.sum(axis=0)
    return mean
