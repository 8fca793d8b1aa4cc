"""From a trained network to a model: gain of the residual, calibration of sigma, measurements, and model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sunbreak.engine.runtime import TorchRuntime
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.networks import RemovalNetwork
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.removal.guide import guide
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample

_GAINS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 11))


def finish(
    module: UnCRtainTS,
    recipe: RemovalTraining,
    held_out: Sequence[Sample],
    checks: Sequence[tuple[str, Sequence[Sample]]],
    name: str,
    folder: Path,
    facts: dict[str, Any],
    *,
    real_calibration: Sequence[Sample] = (),
) -> ModelFiles:
    """Calibrate on held-out samples, measure, and write weights and card.

    Args:
        module: The trained network.
        recipe: How it was trained.
        held_out: Held-out simulated samples. The first half calibrates sigma, the second half is measured on.
        checks: Further data sets with their names, used for measurements only.
        name: Name of the model.
        folder: Folder for the model.
        facts: Facts about the training for the card, in addition to the recipe.
        real_calibration: Held-out real pairs. If given, they calibrate sigma instead of the simulated samples.
    """
    from sunbreak.training.removal import validation

    module = module.to("cpu").eval()
    if recipe.prior and real_calibration:
        gain = choose_gain(module, real_calibration, recipe)
        scale_residual(module, gain)
        facts = {
            **facts,
            "residual_gain": gain,
            "residual_gain_chosen_on": f"{len(real_calibration)} held-out real pairs",
        }
    runtime = TorchRuntime(RemovalNetwork(module.to("cpu").eval()), torch.device("cpu"), recipe.tile)
    half = len(held_out) // 2
    predictions = validation.predict(runtime, held_out, recipe.prior)
    if real_calibration:
        factor = validation.temperature(real_calibration, validation.predict(runtime, real_calibration, recipe.prior))
        scenes = validation.scenes(real_calibration)
        calibrated_on = f"{len(real_calibration)} held-out real pairs of {scenes} scenes"
    else:
        factor = validation.temperature(held_out[:half], predictions[:half])
        calibrated_on = f"{half} held-out simulated scenes"
    groups = [("held-out simulated scenes, not used for calibration", held_out[half:], predictions[half:])]
    groups += [(label, samples, validation.predict(runtime, samples, recipe.prior)) for label, samples in checks]
    metrics = []
    for label, samples, predicted in groups:
        figures = validation.evaluate(samples, predicted, factor)
        if recipe.no_radar > 0:
            figures |= validation.without_radar(runtime, samples, factor, recipe.prior)
        metrics.append({"data": f"{label} ({len(samples)} images)", "figures": figures})
    return save_uncrtaints(
        module,
        name,
        folder,
        title=f"UnCRtainTS{', guided,' if recipe.prior else ','} mono-temporal, trained on simulated and real scenes",
        description=(
            "A first set of weights, so that Sunbreak works without training. Trained by `sunbreak train removal` on "
            "simulated scenes and a few real scenes. See the measurements before you rely on it. Small or sudden "
            "things under clouds are not recovered."
        ),
        licence="GPL-2.0-or-later",
        tile=recipe.tile,
        # guides of neighbouring tiles differ where few pixels are clear: an overlap of 32 px leaves visible seams
        overlap=recipe.tile // (4 if recipe.prior else 8),
        temperature=tuple(round(float(value), 4) for value in factor),
        calibrated_on=calibrated_on,
        training={**facts, "recipe": asdict(recipe)},
        metrics=tuple(metrics),
    )


def choose_gain(module: UnCRtainTS, samples: Sequence[Sample], recipe: RemovalTraining) -> float:
    """The best factor on the residual that a guided network adds to its guide, in steps of 0.1.

    A network trained mostly on simulated scenes is overconfident on real scenes. The factor with the highest mean PSNR
    inside the masks of held-out real pairs is chosen.
    """
    from sunbreak.metrics import image
    from sunbreak.training.removal import validation

    runtime = TorchRuntime(RemovalNetwork(module), torch.device("cpu"), recipe.tile)
    totals = np.zeros(len(_GAINS))
    for sample, (mean, _) in zip(samples, validation.predict(runtime, samples, recipe.prior), strict=True):
        if sample.hidden is None or not sample.hidden.any():
            continue
        cloudy, target = validation.reflectance(sample)
        start = guide(cloudy, ~sample.hidden, recipe.prior, sample.s1)
        for index, gain in enumerate(_GAINS):
            mixed = np.clip(start + np.float32(gain) * (mean - start), 0, 1)
            totals[index] += image.psnr(mixed, target, sample.hidden)
    return float(_GAINS[int(totals.argmax())])


def scale_residual(module: UnCRtainTS, gain: float) -> None:
    """Multiply the residual of a guided network by a factor, by scaling the last layer's weights."""
    last: Any = module.network.out_conv.conv.conv[0]  # type: ignore[index]
    with torch.no_grad():
        last.weight[:13].mul_(gain)
        last.bias[:13].mul_(gain)
