"""State and log of a training on disk: weights, optimizer, best validation so far, and a row per step.

A state is replaced as a whole. The log has every step once, even if the training was interrupted.
"""

from __future__ import annotations

import io
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sunbreak.drafts import appended, draft, write_bytes
from sunbreak.errors import InputError, ModelError
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.models.weights import build_for, load_strictly
from sunbreak.tables import CsvTable
from sunbreak.training.disk import writing
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.state_files import LOG_OF_TRAINING, read_content, read_rows, restoring

STATE, LOG = "state.pt", "log.csv"
_COLUMNS = ("time", "step", "loss", "mean_absolute_error", "learning_rate", "held_out_loss")

Weights = dict[str, torch.Tensor]


@dataclass
class Course:
    """The progress of a training.

    Attributes:
        step: Number of finished steps.
        best: Lowest validation loss so far.
        best_step: Number of steps at the lowest validation loss.
        stale: Validations since then.
        best_weights: Weights at the lowest validation loss; stored only with early stopping.
        average: Exponential moving average of the weights, if the recipe wants one.
    """

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    stale: int = 0
    best_weights: Weights | None = None
    average: AveragedModel | None = None

    def result(self, module: UnCRtainTS) -> UnCRtainTS:
        """The network to validate and to return: the average if there is one."""
        return module if self.average is None else cast(UnCRtainTS, self.average.module)

    def stepped(self, module: UnCRtainTS) -> None:
        """Count a step of the optimizer."""
        self.step += 1
        if self.average is not None:
            self.average.update_parameters(module)

    def note(self, loss: float, module: UnCRtainTS, recipe: RemovalTraining) -> None:
        """Record a validation loss."""
        if loss < self.best:
            self.best, self.best_step, self.stale = loss, self.step, 0
            if recipe.patience:
                self.best_weights = {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
        else:
            self.stale += 1

    def over(self, recipe: RemovalTraining) -> bool:
        """Whether the training is finished, by steps or by early stopping."""
        return self.step >= recipe.steps or 0 < recipe.patience <= self.stale

    def save(self, path: Path, recipe: RemovalTraining, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> None:
        """Write the state with weights and optimizer.

        Raises:
            RunError: The disk is full or the folder cannot be written; the earlier state remains.
        """
        # serialise in memory first: torch's errors on a full disk do not mention the disk
        content = io.BytesIO()
        torch.save(
            {
                "recipe": asdict(recipe),
                "config": module.config.to_dict(),
                "course": {key: value for key, value in vars(self).items() if key not in ("best_weights", "average")},
                "best_weights": self.best_weights,
                "average": None if self.average is None else self.average.state_dict(),
                "weights": module.state_dict(),
                "optimizer": optimizer.state_dict(),
            },
            content,
        )
        with writing(path):
            write_bytes(path, content.getbuffer())


def restore(path: Path, recipe: RemovalTraining, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> Course:
    """Load the state of an earlier call with the same recipe; without one, start at step 0."""
    average = None
    if recipe.average:
        decayed = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
        average = AveragedModel(module, multi_avg_fn=decayed, use_buffers=True)
    if not path.is_file():
        return Course(average=average)
    state = read_content(path)
    with restoring(path):
        # a field that an older recipe lacks has its default
        if {**asdict(RemovalTraining()), **state["recipe"]} != asdict(recipe) or "course" not in state:
            return Course(average=average)
        module.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        if average is not None:
            average.load_state_dict(state["average"])
        return Course(**state["course"], best_weights=state["best_weights"], average=average)


def load_state(path: Path) -> UnCRtainTS:
    """The network of a stopped training, in evaluation mode.

    Args:
        path: `state.pt` or its folder.

    Raises:
        InputError: There is no state, or it cannot be read.
    """
    path = path / STATE if path.is_dir() else path
    if not path.is_file():
        raise InputError(
            f"{path}: there is no training state.", "Give the folder that holds state.pt.", code="missing-file"
        )
    state = read_content(path)
    if not isinstance(state.get("config"), dict) or not isinstance(state.get("weights"), dict):
        raise ModelError(
            f"{path}: this is not the state of a cloud removal training.",
            "Give a model's card instead.",
            code="bad-checkpoint",
        )
    prefix = "module."  # of the averaged weights, which are the better ones
    averaged = state.get("average") or {}
    weights = {name.removeprefix(prefix): value for name, value in averaged.items() if name.startswith(prefix)}
    weights = weights or state["weights"]
    module = build_for(lambda: UnCRtainTS(UnCRtainTSConfig.from_dict(state["config"])), weights, path)
    load_strictly(module, weights, path)
    return module.eval()


class Log:
    """The log with a row per step. Rows of an earlier call before step `first` remain.

    Args:
        folder: Folder of `log.csv`.
        first: The next step.
        board: Whether the log is also written for TensorBoard, in `folder`/tensorboard.

    Raises:
        InputError: TensorBoard is not installed.
        RunError: The log cannot be written.
    """

    def __init__(self, folder: Path, first: int, board: bool = False) -> None:
        self._path = folder / LOG
        self._board = _board(folder, first) if board else None
        rows = []
        if first and self._path.is_file():
            with restoring(self._path, LOG_OF_TRAINING):
                rows = [row for row in read_rows(self._path) if int(row["step"]) < first]
        with (
            writing(self._path),
            draft(self._path) as place,
            place.open("w", newline="", encoding="utf-8") as stream,
        ):
            CsvTable(stream).records(_COLUMNS, rows)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def row(self, step: int, loss: float, error: float, rate: float, held_out: float | None) -> None:
        """Write the row of one step.

        Raises:
            RunError: The log cannot be written.
        """
        with writing(self._path), appended(self._path) as stream:
            held = "" if held_out is None else f"{held_out:.6f}"
            values = (round(time.time(), 1), step, f"{loss:.6f}", f"{error:.6f}", f"{rate:.3g}", held)
            CsvTable(stream).row(values)
        if self._board is not None:
            self._board.add_scalar("loss", loss, step)
            self._board.add_scalar("mean absolute error", error, step)
            self._board.add_scalar("learning rate", rate, step)
            if held_out is not None:
                self._board.add_scalar("held-out loss", held_out, step)


def board_is_there() -> bool:
    """Whether TensorBoard is installed."""
    from importlib.util import find_spec

    return find_spec("tensorboard") is not None


def _board(folder: Path, first: int) -> Any:
    if not board_is_there():
        raise InputError(
            "TensorBoard is not installed.",
            "pip install 'sunbreak[tensorboard]', or use --no-tensorboard: log.csv has the same content.",
            code="no-tensorboard",
        )
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=first or None)
