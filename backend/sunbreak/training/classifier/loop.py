"""Training loop of a land-cover classifier, and the finished model with its card."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from sunbreak.drafts import appended, draft
from sunbreak.errors import InputError, RunError
from sunbreak.events import Reporter
from sunbreak.models.card_landcover import LandCoverClass, Standardisation
from sunbreak.models.importing import save_classifier
from sunbreak.models.registry import ModelFiles
from sunbreak.models.resnet import ResNet
from sunbreak.tables import CsvTable
from sunbreak.training.classifier.labelled_patches import Labelled, LabelledDraws
from sunbreak.training.disk import writing
from sunbreak.training.state_files import read_content, restoring

_SAVE_EVERY = 100
# strength of the colour augmentation of simulated patches, whose colours already vary
_MILD = 0.4


@dataclass(frozen=True)
class ClassifierTraining:
    """The recipe of a classifier training.

    Attributes:
        depth: Depth of the ResNet, 18 or 50.
        width: Channels of the network's first stage.
        bands: Sentinel-2 bands in input order.
        mean: Mean of the standardisation, per band in DN.
        deviation: Standard deviation of the standardisation, per band in DN.
        steps: Number of training steps.
        batch: Patches per batch.
        patch: Side of a patch in pixels.
        learning_rate: Highest learning rate of AdamW. It rises over 5 % of the steps, then follows a cosine.
        weight_decay: Weight decay of AdamW.
        smoothing: Label smoothing.
        mixup: Parameter of the beta distribution of mixup (Zhang et al. 2018); 0 disables mixup.
        real_share: Fraction of patches from real labelled data, if there are any.
        seed: Seed of all random numbers.
    """

    bands: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    depth: int = 18
    width: int = 20
    steps: int = 1800
    batch: int = 48
    patch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 5e-2
    smoothing: float = 0.05
    mixup: float = 0.4
    real_share: float = 0.5
    seed: int = 1

    def draws(self, groups: Sequence[tuple[float, Sequence[Labelled], float]]) -> LabelledDraws:
        """Random batches of this recipe."""
        return LabelledDraws(groups, self.bands, self.mean, self.deviation, self.seed)


def train(
    recipe: ClassifierTraining,
    simulated: Sequence[Labelled],
    real: Sequence[Labelled],
    classes: int,
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    watch: Callable[[int, ResNet], None] = lambda step, module: None,
) -> ResNet:
    """Train a classifier, or resume an interrupted training.

    Args:
        recipe: How to train.
        simulated: Simulated patches.
        real: Real patches; may be empty.
        classes: Number of classes.
        folder: Folder of state and log.
        reporter: Receives the progress and can stop the training.
        device: ``cpu`` or ``cuda``.
        watch: Called before each saved state, with the number of finished steps and the network in evaluation mode.

    Raises:
        InputError: There are no patches.
        RunError: The loss is not a number; the last valid state stays in `folder`.
        Cancelled: The reporter asked to stop; the last saved state stays in `folder`.
    """
    if not simulated and not real:
        raise InputError(
            "There are no patches to train on.", "Give simulated scenes or real patches.", code="no-samples"
        )
    torch.manual_seed(recipe.seed)
    depth: Any = recipe.depth
    module = ResNet(depth, len(recipe.bands), classes, recipe.width).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    draws = recipe.draws([(1 - recipe.real_share, simulated, _MILD), (recipe.real_share, real, 1.0)])
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.pt"
    first = _restore(state, recipe, module, optimizer)
    reporter.progress(first, recipe.steps, "steps")
    for step in range(first, recipe.steps):
        reporter.checkpoint()
        x, labels = draws.batch(step, recipe.batch)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(recipe, step)
        module.train()
        target = torch.from_numpy(labels).to(device)
        fraction = _mixing(recipe, step)
        inputs = torch.from_numpy(x).to(device)
        logits = module(fraction * inputs + (1 - fraction) * inputs.flip(0) if fraction < 1 else inputs)
        loss = fraction * F.cross_entropy(logits, target, label_smoothing=recipe.smoothing)
        if fraction < 1:
            loss = loss + (1 - fraction) * F.cross_entropy(logits, target.flip(0), label_smoothing=recipe.smoothing)
        if not math.isfinite(loss.item()):
            raise RunError(
                f"The loss is not a number at step {step}.",
                f"The last valid state is in {folder}. Train with a lower learning rate.",
                code="nan-loss",
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        right = float((logits.argmax(dim=1) == target).float().mean())
        _log(folder / "log.csv", step, loss.item(), right)
        if (step + 1) % _SAVE_EVERY == 0 or step + 1 == recipe.steps:
            watch(step + 1, module.eval())
            _save(state, recipe, step + 1, module, optimizer)
        reporter.progress(step + 1, recipe.steps, "steps")
    return module.eval()


def finish(
    module: ResNet,
    recipe: ClassifierTraining,
    classes: Sequence[LandCoverClass],
    calibration: Sequence[Labelled],
    checks: Sequence[tuple[str, Sequence[Labelled]]],
    name: str,
    folder: Path,
    facts: dict[str, Any],
) -> ModelFiles:
    """Fit the temperature, measure, and write weights and card.

    Args:
        module: The trained network.
        recipe: How it was trained.
        classes: The classes of the network.
        calibration: Held-out patches for the temperature.
        checks: Groups of held-out patches with their names, used for measurements only.
        name: Name of the model.
        folder: Folder for the model.
        facts: Facts about the training for the card, in addition to the recipe.
    """
    # weights are stored as float16, so they are rounded before the measurements
    module = module.to("cpu").half().float().eval()
    draws = recipe.draws([])
    logits, labels = _predict(module, *draws.standardised(calibration))
    temperature = fit_temperature(logits, labels)
    metrics = []
    for label, patches in checks:
        predicted, truth = _predict(module, *draws.standardised(patches))
        metrics.append(
            {
                "data": f"{label} ({len(patches)} patches)",
                "figures": figures(predicted / temperature, truth, [c.name for c in classes]),
            }
        )
    return save_classifier(
        module,
        name,
        folder,
        title=f"ResNet-{recipe.depth}, {len(classes)} land-cover classes, {recipe.patch} px patches",
        description=facts.pop("description"),
        licence="GPL-2.0-or-later",
        bands=recipe.bands,
        standardisation=Standardisation(recipe.mean, recipe.deviation),
        classes=tuple(classes),
        tile=recipe.patch,
        depth=recipe.depth,
        half=True,
        temperature=(round(temperature, 4),),
        calibrated_on=f"{len(calibration)} held-out patches",
        training={**facts, "recipe": asdict(recipe)},
        metrics=tuple(metrics),
    )


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature of the logits with the lowest cross-entropy (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    scores, target = torch.from_numpy(logits).double(), torch.from_numpy(labels)
    found = minimize_scalar(
        lambda log: float(F.cross_entropy(scores / math.exp(log), target)), bounds=(-3, 3), method="bounded"
    )
    return math.exp(float(found.x))


def figures(logits: NDArray[np.float32], labels: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1 over the classes that occur, calibration error, and F1, recall and patches per class."""
    from sunbreak.metrics.classification import class_figures, confusion, reliability

    predicted = logits.argmax(axis=1)
    matrix = confusion(labels, predicted, len(names))
    found = class_figures(matrix)
    occurring = found.support > 0
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    confidence = (powers / powers.sum(axis=1, keepdims=True)).max(axis=1)
    return {
        "accuracy": float((predicted == labels).mean()),
        "macro_f1": float(np.nan_to_num(found.f1[occurring]).mean()),
        "calibration_error": reliability(confidence, predicted == labels).error,
        "f1": {name: float(found.f1[i]) for i, name in enumerate(names) if occurring[i]},
        "recall": {name: float(found.recall[i]) for i, name in enumerate(names) if occurring[i]},
        "patches": {name: int(found.support[i]) for i, name in enumerate(names) if occurring[i]},
    }


def _predict(
    module: ResNet, x: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    with torch.inference_mode():
        parts = [module(torch.from_numpy(x[i : i + 64])).numpy() for i in range(0, len(x), 64)]
    return np.concatenate(parts), labels


def _mixing(recipe: ClassifierTraining, step: int) -> float:
    """Mixup coefficient of a step (0.5..1), drawn from seed and step only."""
    if recipe.mixup <= 0:
        return 1.0
    share = float(np.random.default_rng([recipe.seed, step, 1]).beta(recipe.mixup, recipe.mixup))
    return max(share, 1 - share)


def _learning_rate(recipe: ClassifierTraining, step: int) -> float:
    rise = max(1, round(0.05 * recipe.steps))
    if step < rise:
        return recipe.learning_rate * (step + 1) / rise
    progress = (step - rise) / max(1, recipe.steps - rise)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _save(path: Path, recipe: ClassifierTraining, step: int, module: ResNet, optimizer: torch.optim.Optimizer) -> None:
    content = {"weights": module.state_dict(), "optimizer": optimizer.state_dict()}
    with writing(path), draft(path) as place:
        torch.save({"recipe": repr(recipe), "step": step, **content}, place)


def _restore(path: Path, recipe: ClassifierTraining, module: ResNet, optimizer: torch.optim.Optimizer) -> int:
    """Load the state of the same recipe and return its step; 0 without one."""
    if not path.is_file():
        return 0
    state = read_content(path)
    with restoring(path):
        if state["recipe"] != repr(recipe):
            return 0
        module.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])


def _log(path: Path, step: int, loss: float, right: float) -> None:
    new = not path.exists()
    with writing(path), appended(path) as stream:
        table = CsvTable(stream)
        if new:
            table.row(["time", "step", "loss", "accuracy"])
        table.row([round(time.time(), 1), step, f"{loss:.6f}", f"{right:.4f}"])
