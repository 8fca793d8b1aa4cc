"""State and logs of an Augmented CycleGAN training on disk. A state is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sunbreak.drafts import draft
from sunbreak.models.augcyclegan import AugCycleGAN
from sunbreak.training.disk import writing
from sunbreak.training.state_files import cut_rows, read_state, restoring
from sunbreak.training.unpaired.step import GeneratorAverage, Optimizers

STATE, LOG, EPOCHS = "state.pt", "log.csv", "epochs.csv"


def save_state(
    folder: Path,
    terms: Mapping[str, Any],
    step: int,
    model: AugCycleGAN,
    average: GeneratorAverage,
    optimizers: Optimizers,
) -> None:
    """Write everything that the next step depends on. The earlier state is replaced when the new one is complete.

    Args:
        folder: Folder of the run.
        terms: Settings of the run as plain values; only a run with the same settings can resume.
        step: Number of finished steps.
        model: Networks, with the singular vectors of their spectral normalisation and the statistics of their batch
            norms.
        average: Averaged generators.
        optimizers: Optimizers with their moments.
    """
    random = {"cpu": torch.get_rng_state()}
    device = next(model.parameters()).device
    if device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(device)
    state = {
        "terms": dict(terms),
        "step": step,
        "model": model.state_dict(),
        "average": average.state_dict(),
        "translators": optimizers.translators.state_dict(),
        "critics": optimizers.critics.state_dict(),
        "random": random,
    }
    with writing(folder / STATE), draft(folder / STATE) as place:
        torch.save(state, place)


def restore_state(
    folder: Path, terms: Mapping[str, Any], model: AugCycleGAN, average: GeneratorAverage, optimizers: Optimizers
) -> int:
    """Load the state of an earlier call and truncate the logs to it. Returns the number of finished steps, or 0.

    Raises:
        InputError: The state is damaged, or belongs to a run with another recipe, other networks or other data.
    """
    path = folder / STATE
    if not path.is_file():
        return 0
    state = read_state(path, terms)
    with restoring(path):
        step = int(state["step"])
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizers.translators.load_state_dict(state["translators"])
        optimizers.critics.load_state_dict(state["critics"])
        torch.set_rng_state(state["random"]["cpu"])
        device = next(model.parameters()).device
        if device.type == "cuda" and "cuda" in state["random"]:
            torch.cuda.set_rng_state(state["random"]["cuda"], device)
    cut_rows(folder / LOG, step)
    cut_rows(folder / EPOCHS, step)
    return step
