"""Time of a training step of the Augmented CycleGAN, compared with its forward and backward passes.

python benchmarks/augcyclegan_step.py [STEPS]
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from common import say

from sunbreak.models.augcyclegan import AugCycleGAN, AugCycleGANConfig
from sunbreak.training.unpaired.losses import weighted_sum
from sunbreak.training.unpaired.step import (
    GeneratorAverage,
    Latents,
    Optimizers,
    Pair,
    Weights,
    critic_terms,
    training_step,
    translate_both,
    translator_terms,
)

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SIDE, BATCH, BANDS, CONDITIONING = 120, 4, 3, 2

torch.manual_seed(0)
model = AugCycleGAN(AugCycleGANConfig.alike(BANDS, CONDITIONING)).train()
average = GeneratorAverage(model, 0.999)
optimizers = Optimizers(model, 2e-4, 0.5, 0.2, 500.0)
weights = Weights()


def images(bands: int) -> torch.Tensor:
    """A batch of noise in [-1, 1]."""
    return torch.rand(BATCH, bands, SIDE, SIDE) * 2 - 1


pair = Pair(images(BANDS), images(CONDITIONING), images(BANDS), images(CONDITIONING))
generator = torch.Generator().manual_seed(0)
there, back = model.directions()
latents = Latents(there.prior(BATCH, generator), back.prior(BATCH, generator))


def passes() -> None:
    """Forward and backward passes of both losses only."""
    halves = translate_both(model, pair, latents)
    judged = critic_terms(model, pair, latents, *halves)
    weighted_sum(judged, dict.fromkeys(judged, 1.0)).backward()
    for network in optimizers.groups[1][0]:
        network.requires_grad_(False)
    weighted_sum(translator_terms(model, pair, latents, *halves), weights.by_term()).backward()
    for network in optimizers.groups[1][0]:
        network.requires_grad_(True)
    model.zero_grad()


def seconds(work) -> tuple[float, float]:
    """Wall time and processor time of one call; other programs hardly affect the latter."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


passes()
training_step(model, average, optimizers, weights, pair, latents, 0)
steps, bare = [], []
for number in range(1, STEPS + 1):
    steps.append(
        seconds(lambda number=number: training_step(model, average, optimizers, weights, pair, latents, number))
    )
    bare.append(seconds(passes))
ratios = np.median(np.array(steps) / np.array(bare), axis=0)
say(
    f"Augmented CycleGAN, {BATCH} pairs of {SIDE} px, medians of {STEPS}",
    [
        ("a training step", f"{np.median(steps, axis=0)[0]:.2f} s"),
        ("beside its forward and backward passes", f"{ratios[0]:.3f}x"),
        ("the same in processor time", f"{ratios[1]:.3f}x"),
    ],
)
