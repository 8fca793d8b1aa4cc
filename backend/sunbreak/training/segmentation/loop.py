"""The training loop of land cover per pixel. An interrupted training continues where it stopped."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from sunbreak.drafts import appended, draft
from sunbreak.errors import RunError
from sunbreak.events import Reporter
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.tables import CsvTable
from sunbreak.training.disk import writing
from sunbreak.training.segmentation.draws import DN, Batch, Draws
from sunbreak.training.segmentation.local_start import train_local
from sunbreak.training.segmentation.losses import Weighing, patch_loss, pixel_loss
from sunbreak.training.state_files import read_content, restoring

STATE, LOG = "state.pt", "log.csv"
_SAVE_EVERY = 100
_CLIP = 2.0  # gradient norm


@dataclass(frozen=True)
class SegmentationTraining:
    """The recipe.

    Attributes:
        width: Channels of the encoder's first stage.
        pyramid: Channels of the pyramid.
        local: Channels of the first hidden layer of the local branch.
        steps: Number of training steps of the encoder, after the local branch (`train_local`).
        batch: Images per batch.
        side: Rows and columns of an image, a multiple of 16.
        learning_rate: Highest learning rate of AdamW. It rises over 5 % of the steps, then follows a cosine.
        weight_decay: Weight decay of AdamW.
        patch_share: Fraction of images with a label of the whole patch.
        simulated_share: Fraction of simulated images.
        patch_weight: Weight of the loss of whole patches.
        average: Decay per step of the moving average of the weights, which is the result.
        seed: Seed of all random numbers.
    """

    width: int = 18
    pyramid: int = 32
    local: int = 96
    steps: int = 300
    batch: int = 12
    side: int = 96
    learning_rate: float = 1e-3
    weight_decay: float = 5e-2
    patch_share: float = 0.3
    simulated_share: float = 0.05
    patch_weight: float = 0.4
    average: float = 0.98
    seed: int = 1

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rise = max(1, round(0.05 * self.steps))
        if step < rise:
            return self.learning_rate * (step + 1) / rise
        progress = (step - rise) / max(1, self.steps - rise)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def train(recipe: SegmentationTraining, draws: Draws, folder: Path, reporter: Reporter, device: str) -> ResNetFPN:
    """Train a network, or resume an earlier call with the same recipe.

    Args:
        recipe: How to train.
        draws: Gives the batches.
        folder: Folder of state and log.
        reporter: Receives the progress and can stop the training.
        device: ``cpu`` or ``cuda``.

    Raises:
        RunError: The loss is not a number; the last valid state stays in `folder`.
        Cancelled: The reporter asked to stop; the last saved state stays in `folder`.
    """
    module = _new(recipe, draws).to(device)
    trained = [part for name, part in module.named_parameters() if not name.startswith("local.")]
    optimizer = torch.optim.AdamW(trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    decayed = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
    average = AveragedModel(module, multi_avg_fn=decayed, use_buffers=True)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    found = _restore(folder / STATE, recipe, module, optimizer, average, device)
    if found is None:
        found = 0, train_local(module, draws, recipe.seed, reporter, device)
        average.module.load_state_dict(module.state_dict())
    module.local.requires_grad_(False)
    first, weighing = found
    reporter.progress(first, recipe.steps, "steps")
    with ThreadPoolExecutor(1, "sunbreak-batches") as pool:
        waiting = pool.submit(draws.batch, first, recipe.batch)
        for step in range(first, recipe.steps):
            reporter.checkpoint()
            batch = waiting.result()
            if step + 1 < recipe.steps:
                waiting = pool.submit(draws.batch, step + 1, recipe.batch)
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(step)
            module.train()
            loss, right = _losses(module, batch, recipe, weighing, device)
            if not math.isfinite(loss.item()):
                raise RunError(
                    f"The loss is not a number at step {step}.",
                    f"The last valid state is in {folder}. Train with a lower learning rate.",
                    code="nan-loss",
                )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, _CLIP)
            optimizer.step()
            average.update_parameters(module)
            _log(folder / LOG, step, loss.item(), right)
            if (step + 1) % _SAVE_EVERY == 0 or step + 1 == recipe.steps:
                _save(folder / STATE, recipe, step + 1, module, optimizer, average, weighing)
            reporter.progress(step + 1, recipe.steps, "steps")
    result = average.module
    if not isinstance(result, ResNetFPN):
        raise TypeError("the average is of another network")
    return result.eval()


def _new(recipe: SegmentationTraining, draws: Draws) -> ResNetFPN:
    """A network with random weights, which knows how its input was standardised."""
    torch.manual_seed(recipe.seed)
    module = ResNetFPN(len(TEN_BANDS), len(DYNAMIC_WORLD), recipe.width, recipe.pyramid, recipe.local)
    for buffer, values in ((module.logarithm.shift, draws.mean), (module.logarithm.factor, draws.deviation)):
        buffer.copy_(torch.from_numpy(values / DN))
    # the encoder adds to the local branch what it learns; it begins with nothing
    torch.nn.init.zeros_(module.classifier.weight)
    return module


def _losses(
    module: ResNetFPN, batch: Batch, recipe: SegmentationTraining, weighing: Weighing, device: str
) -> tuple[Tensor, float]:
    """The loss, and the fraction of labelled pixels that are right."""
    logits = module(torch.from_numpy(batch.x).to(device))
    classes, confidence = (torch.from_numpy(part).to(device) for part in (batch.classes, batch.confidence))
    loss = pixel_loss(logits, classes, confidence, weighing)
    loss = loss + recipe.patch_weight * patch_loss(logits, batch.patches)
    known = classes > 0
    right = (logits.detach().argmax(dim=1) + 1 == classes)[known]
    return loss, float(right.float().mean()) if right.numel() else math.nan


def _save(
    path: Path,
    recipe: SegmentationTraining,
    step: int,
    module: ResNetFPN,
    optimizer: torch.optim.Optimizer,
    average: AveragedModel,
    weighing: Weighing,
) -> None:
    content = {"weights": module.state_dict(), "optimizer": optimizer.state_dict(), "average": average.state_dict()}
    content["weighing"] = {"confidence": weighing.confidence, "balance": weighing.balance}
    with writing(path), draft(path) as place:
        torch.save({"recipe": asdict(recipe), "step": step, **content}, place)


def _restore(
    path: Path,
    recipe: SegmentationTraining,
    module: ResNetFPN,
    optimizer: torch.optim.Optimizer,
    average: AveragedModel,
    device: str,
) -> tuple[int, Weighing] | None:
    """Load the state of the same recipe and return its step and weights of the classes; None without one."""
    if not path.is_file():
        return None
    state = read_content(path)
    with restoring(path):
        if state["recipe"] != asdict(recipe):
            return None
        module.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        average.load_state_dict(state["average"])
        held = {name: part.to(device) for name, part in state["weighing"].items()}
        return int(state["step"]), Weighing(**held)


def _log(path: Path, step: int, loss: float, right: float) -> None:
    new = not path.exists()
    with writing(path), appended(path) as stream:
        table = CsvTable(stream)
        if new:
            table.row(["time", "step", "loss", "accuracy"])
        table.row([round(time.time(), 1), step, f"{loss:.6f}", f"{right:.4f}"])
