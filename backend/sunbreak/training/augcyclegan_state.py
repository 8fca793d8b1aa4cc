"""What a training of the Augmented CycleGAN keeps on disk: its state, whole or not at all, and its log."""

from __future__ import annotations

import csv
import pickle  # nosec B403: for its exception only
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sunbreak.errors import InputError
from sunbreak.models.augcyclegan import AugCycleGAN
from sunbreak.training.augcyclegan_step import GeneratorAverage, Optimizers

STATE, LOG, EPOCHS = "state.pt", "log.csv", "epochs.csv"


def save_state(
    folder: Path,
    terms: Mapping[str, Any],
    step: int,
    model: AugCycleGAN,
    average: GeneratorAverage,
    optimizers: Optimizers,
) -> None:
    """Write everything that the next step depends on; an earlier state stays until the new one is complete.

    Args:
        folder: Of the run.
        terms: What the run was started with, as plain values; only a run with the same may continue.
        step: Steps done.
        model: Networks, with the singular vectors of their spectral normalisation and the statistics of their batch
            norms.
        average: Averaged generators.
        optimizers: With their moments.
    """
    random = {"cpu": torch.get_rng_state()}
    device = next(model.parameters()).device
    if device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(device)
    draft = folder / f".{STATE}"
    torch.save(
        {
            "terms": dict(terms),
            "step": step,
            "model": model.state_dict(),
            "average": average.state_dict(),
            "translators": optimizers.translators.state_dict(),
            "critics": optimizers.critics.state_dict(),
            "random": random,
        },
        draft,
    )
    draft.replace(folder / STATE)


def restore_state(
    folder: Path, terms: Mapping[str, Any], model: AugCycleGAN, average: GeneratorAverage, optimizers: Optimizers
) -> int:
    """Load the state of an earlier call, cut the log back to it, and give the steps done: 0 where there is none.

    Raises:
        InputError: The state is damaged or belongs to a run with another recipe, other networks or other data.
    """
    path = folder / STATE
    if not path.is_file():
        return 0
    state = read_state(path, terms)
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


def read_state(path: Path, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier call of a training saved, if it was started with the same terms.

    Raises:
        InputError: The state is damaged or belongs to a run with another recipe, other networks or other data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found, _ = dict(state["terms"]), int(state["step"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is not a readable state of a training ({type(error).__name__}).",
            "Delete it to start again, or choose another folder.",
            code="bad-state",
        ) from error
    other = sorted(name for name in {*found, *terms} if found.get(name) != terms.get(name))
    if other:
        raise InputError(
            f"{path}: belongs to a training with other settings ({', '.join(other)}).",
            "Choose another folder, or repeat the call with the settings it was started with.",
            code="other-recipe",
        )
    return state


def append_row(path: Path, row: Mapping[str, float | int]) -> None:
    """Add a row to a log, with the names first if it is new. The first column is `step`, the steps before the row."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(row)
        writer.writerow([value if isinstance(value, int) else f"{value:.7g}" for value in row.values()])


def cut_rows(path: Path, step: int) -> None:
    """Drop the rows that a killed run wrote after its last state."""
    if not path.is_file():
        return
    head, *rows = path.read_bytes().splitlines(keepends=True)
    kept = [row for row in rows if row.endswith(b"\n") and int(row.partition(b",")[0]) < step]
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(b"".join([head, *kept]))
    draft.replace(path)
