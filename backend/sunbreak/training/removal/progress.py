"""How far a training has come, on disk: weights, optimizer, the best look so far, and the log.

A state is whole or it is the one before; the log holds every step once, however often the training was interrupted.
"""

from __future__ import annotations

import csv
import io
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

from sunbreak.drafts import draft, write_bytes
from sunbreak.errors import InputError, ModelError
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.training.disk import writing
from sunbreak.training.removal.recipe import RemovalTraining

STATE, LOG = "state.pt", "log.csv"
_BREAK = 120.0  # seconds without a step
_COLUMNS = ("time", "step", "loss", "mean_absolute_error", "learning_rate", "held_out_loss")

Weights = dict[str, torch.Tensor]


@dataclass
class Course:
    """How far a training has come.

    Attributes:
        step: Steps done.
        best: The lowest held-out loss so far.
        best_step: Steps done when it was found.
        stale: Looks since then.
        best_weights: Weights of then; kept only where there is a patience.
    """

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    best_weights: Weights | None = None

    def note(self, loss: float, module: UnCRtainTS, recipe: RemovalTraining) -> None:
        """Take notice of a held-out loss."""
        if loss < self.best:
            self.best, self.best_step, self.stale = loss, self.step, 0
            if recipe.patience:
                self.best_weights = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
        else:
            self.stale += 1

    def over(self, recipe: RemovalTraining) -> bool:
        """Whether there is nothing more to do."""
        return self.step >= recipe.steps or 0 < recipe.patience <= self.stale

    def save(self, path: Path, recipe: RemovalTraining, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> None:
        """Write it with weights and optimizer.

        Raises:
            RunError: The disk is full or the folder cannot be written; the state before is still there.
        """
        # into memory first: torch's own errors on a full disk say nothing about the disk
        content = io.BytesIO()
        torch.save(
            {
                "recipe": asdict(recipe),
                "config": module.config.to_dict(),
                "course": {key: value for key, value in vars(self).items() if key != "best_weights"},
                "best_weights": self.best_weights,
                "weights": module.state_dict(),
                "optimizer": optimizer.state_dict(),
            },
            content,
        )
        with writing(path):
            write_bytes(path, content.getbuffer())


def restore(path: Path, recipe: RemovalTraining, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> Course:
    """Load the state that an earlier call with the same recipe left, or begin."""
    if not path.is_file():
        return Course()
    state = _read(path)
    # a recipe that is older than one of the fields means what that field says by itself
    if {**asdict(RemovalTraining()), **state["recipe"]} != asdict(recipe) or "course" not in state:
        return Course()
    module.load_state_dict(state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    return Course(**state["course"], best_weights=state["best_weights"])


def load_state(path: Path) -> UnCRtainTS:
    """The network of a training that was stopped, in evaluation mode.

    Args:
        path: `state.pt`, or the folder of it.

    Raises:
        InputError: There is no state, or it cannot be read.
    """
    path = path / STATE if path.is_dir() else path
    if not path.is_file():
        raise InputError(
            f"{path}: no state of a training.", "Give the folder that holds its state.pt.", code="missing-file"
        )
    state = _read(path)
    try:
        module = UnCRtainTS(UnCRtainTSConfig.from_dict(state["config"]))
        module.load_state_dict(state["weights"])
    except (KeyError, RuntimeError, TypeError) as error:
        raise ModelError(
            f"{path}: is not the state of a cloud removal training.",
            "Give a model's card instead.",
            code="bad-checkpoint",
        ) from error
    return module.eval()


def _read(path: Path) -> dict[str, Any]:
    import pickle  # nosec B403: for its exception only
    import zipfile

    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: the state of the training is damaged.", "Delete it to begin anew.", code="damaged"
        ) from error
    return state


class Log:
    """A row per step, in which the steps before `first` that are there already stay.

    Args:
        folder: Where `log.csv` goes.
        first: The step that comes next.
        board: Whether the same goes to TensorBoard's files in `folder`/tensorboard.

    Raises:
        InputError: TensorBoard is not installed.
        RunError: It cannot be written.
    """

    def __init__(self, folder: Path, first: int, board: bool = False) -> None:
        self._path = folder / LOG
        self._board = _board(folder, first) if board else None
        rows = []
        if first and self._path.is_file():
            with self._path.open(newline="", encoding="utf-8") as stream:
                rows = [row for row in csv.DictReader(stream) if int(row["step"]) < first]
        with (
            writing(self._path),
            draft(self._path) as place,
            place.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, _COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def row(self, step: int, loss: float, error: float, rate: float, held_out: float | None) -> None:
        """Write what one step did.

        Raises:
            RunError: It cannot be written.
        """
        with writing(self._path), self._path.open("a", newline="", encoding="utf-8") as stream:
            held = "" if held_out is None else f"{held_out:.6f}"
            values = (round(time.time(), 1), step, f"{loss:.6f}", f"{error:.6f}", f"{rate:.3g}", held)
            csv.writer(stream).writerow(values)
        if self._board is not None:
            self._board.add_scalar("loss", loss, step)
            self._board.add_scalar("mean absolute error", error, step)
            self._board.add_scalar("learning rate", rate, step)
            if held_out is not None:
                self._board.add_scalar("held-out loss", held_out, step)


def minutes_of(log: Path) -> float:
    """How long the steps of a log took, breaks left out."""
    with log.open(newline="", encoding="utf-8") as stream:
        times = np.array([float(row["time"]) for row in csv.DictReader(stream)])
    gaps = np.diff(times)
    return float(gaps[gaps < _BREAK].sum()) / 60


def board_is_there() -> bool:
    """Whether TensorBoard is installed."""
    from importlib.util import find_spec

    return find_spec("tensorboard") is not None


def _board(folder: Path, first: int) -> Any:
    if not board_is_there():
        raise InputError(
            "TensorBoard is not installed.",
            "pip install 'sunbreak[tensorboard]', or leave --tensorboard out: log.csv holds the same.",
            code="no-tensorboard",
        )
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=first or None)
