"""Training of a multi-label classifier on BigEarthNet, as in the second paper: a softmax over the labels.

A patch with k labels has the target 1/k for each of them. With a given probability, only one random label is used. A
batch depends only on the seed and its number, so a resumed training equals an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from sunbreak.datasets.bigearthnet import Patch, label_vector
from sunbreak.datasets.bigearthnet.bands import SIDE
from sunbreak.datasets.bigearthnet.kept import KeptPatches
from sunbreak.datasets.bigearthnet.labels import Nomenclature
from sunbreak.drafts import draft
from sunbreak.errors import Cancelled, InputError, RunError
from sunbreak.events import Reporter
from sunbreak.models.resnet import ResNet
from sunbreak.training.bigearthnet_images import varied
from sunbreak.training.disk import writing
from sunbreak.training.state_files import append_row, cut_rows, read_state, restoring
from sunbreak.training.workers import lost_worker_is_named

STATE, LOG = "state.pt", "log.csv"
_SAVE_EVERY = 100
_PREDICTED = 32
_DN = np.float32(10000)


@dataclass(frozen=True)
class MultilabelTraining:
    """The recipe of the training. The paper does not state learning rate, batch size and standardisation.

    Attributes:
        bands: Sentinel-2 bands in input order.
        mean: Mean of the standardisation, per band in DN.
        deviation: Standard deviation of the standardisation, per band in DN.
        depth: Depth of the ResNet, 18 or 50.
        width: Channels of the network's first stage. The last layer has 8 times as many features with depth 18, 32
            times with 50.
        steps: Number of training steps.
        batch: Patches per batch.
        learning_rate: Highest learning rate of AdamW. It rises over 5 % of the steps, then follows a cosine.
        weight_decay: Weight decay of AdamW.
        single: Probability that only one label of a patch is used.
        nomenclature: 19 or 43 labels.
        seed: Seed of all random numbers.
    """

    bands: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    depth: int = 18
    width: int = 64
    steps: int = 20000
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 5e-2
    single: float = 0.5
    nomenclature: Nomenclature = 19
    seed: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise InputError("A training needs at least one step and batches of at least 2 patches.", code="bad-recipe")
        if not 0 <= self.single <= 1:
            raise InputError("The probability of a single label lies between 0 and 1.", code="bad-recipe")


class LabelledPixels(Dataset[tuple[Tensor, Tensor]]):
    """Patches as standardised pixels (band, 120, 120) and the target of the softmax (label,).

    An item is a pair of the patch's index and a seed of the data augmentation. Without a seed there is no augmentation.
    """

    def __init__(self, patches: Sequence[Patch], recipe: MultilabelTraining) -> None:
        self._pixels = KeptPatches(patches, recipe.bands)
        self._single = recipe.single
        self._mean = (np.array(recipe.mean, np.float32) / _DN)[:, None, None]
        self._deviation = (np.array(recipe.deviation, np.float32) / _DN)[:, None, None]
        self.labels = label_matrix(patches, recipe.nomenclature)

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, item: tuple[int, int | None]) -> tuple[Tensor, Tensor]:
        """Read one patch."""
        index, seed = item
        pixels, labels = self._pixels[index], self.labels[index]
        if seed is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                pixels = varied(pixels, SIDE)
                if float(torch.rand(())) < self._single:
                    own = np.flatnonzero(labels)
                    labels = np.zeros_like(labels)
                    labels[own[int(torch.randint(len(own), ()))]] = 1
        values = (pixels - self._mean) / self._deviation
        return torch.from_numpy(values), torch.from_numpy(labels / labels.sum())


def label_matrix(patches: Sequence[Patch], nomenclature: Nomenclature) -> NDArray[np.float32]:
    """(patch, label) of zeros and ones.

    Raises:
        InputError: A patch has no label, or its labels cannot be read.
    """
    rows = [label_vector(patch.labels(nomenclature), nomenclature, patch.labels_file) for patch in patches]
    for patch, row in zip(patches, rows, strict=True):
        if not row.any():
            raise InputError(
                f"{patch.labels_file}: {patch.name} has none of the {nomenclature} labels.",
                "Leave out patches without labels.",
                code="no-label",
            )
    return np.stack(rows)


def standardisation(
    patches: Sequence[Patch], bands: Sequence[str], seed: int, most: int = 500
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per band in DN, over at most `most` random patches."""
    chosen = np.random.default_rng(seed).permutation(len(patches))[:most]
    pixels = KeptPatches([patches[int(index)] for index in chosen], bands)
    total, squares = np.zeros(len(bands)), np.zeros(len(bands))
    for index in range(len(pixels)):
        values = pixels[index].astype(np.float64) * 1e4
        total += values.mean(axis=(1, 2))
        squares += (values**2).mean(axis=(1, 2))
    mean = total / len(pixels)
    deviation = np.sqrt(np.maximum(squares / len(pixels) - mean**2, 1.0))
    return tuple(round(float(v), 2) for v in mean), tuple(round(float(v), 2) for v in deviation)


def softmax_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of softmax probabilities with targets (batch, label) that sum to 1."""
    return -(target * F.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


def train(
    recipe: MultilabelTraining,
    patches: Sequence[Patch],
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    workers: int = 0,
) -> ResNet:
    """Train a classifier, or resume an earlier call in this folder. Writes `state.pt` and `log.csv` there.

    Args:
        recipe: How to train.
        patches: Clear patches with labels.
        folder: Folder of the run.
        reporter: Receives the progress and can stop the training, which saves the state first.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read the data; 0 reads in this process.

    Raises:
        InputError: There are too few patches, or the folder belongs to another run.
        RunError: The loss is not a number; the last valid state stays on disk.
        Cancelled: The reporter stopped the run.
    """
    if len(patches) < recipe.batch:
        raise InputError(
            f"There are {len(patches)} patches with labels, but a batch has {recipe.batch}.",
            "Give more patches or a smaller batch.",
            code="too-few-images",
        )
    data = LabelledPixels(patches, recipe)
    torch.manual_seed(recipe.seed)
    depth: Any = recipe.depth
    module = ResNet(depth, len(recipe.bands), data.labels.shape[1], recipe.width).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    terms = {**asdict(recipe), "patches": len(patches)}
    step = _restore(folder, terms, module, optimizer)
    reporter.progress(step, recipe.steps, "steps")
    module.train()
    try:
        for x, target in _batches(data, recipe, step, workers):
            reporter.checkpoint()
            for group in optimizer.param_groups:
                group["lr"] = _learning_rate(recipe, step)
            loss = softmax_loss(module(x.to(device)), target.to(device))
            if not math.isfinite(loss.item()):
                raise RunError(
                    f"The loss is not a number at step {step}.",
                    f"The last valid state is in {folder / STATE}. Train with a lower learning rate.",
                    code="nan-loss",
                )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            append_row(folder / LOG, {"step": step, "loss": loss.item()})
            step += 1
            if step % _SAVE_EVERY == 0 or step == recipe.steps:
                _save(folder, terms, step, module, optimizer)
            reporter.progress(step, recipe.steps, "steps")
    except Cancelled:
        _save(folder, terms, step, module, optimizer)
        raise
    return module.eval()


@torch.inference_mode()
def predict(
    module: ResNet, recipe: MultilabelTraining, patches: Sequence[Patch], *, device: str = "cpu", workers: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Softmax probabilities and labels of patches, each (patch, label)."""
    data = LabelledPixels(patches, recipe)
    module = module.to(device).eval()
    order = [
        [(index, None) for index in range(start, min(start + _PREDICTED, len(data)))]
        for start in range(0, len(data), _PREDICTED)
    ]
    loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
        data,
        batch_sampler=order,
        num_workers=workers,
        generator=torch.Generator(),
    )
    with lost_worker_is_named():
        parts = [torch.softmax(module(x.to(device)).double(), dim=1).cpu().numpy() for x, _ in loader]
    return np.concatenate(parts), data.labels


def _batches(
    data: LabelledPixels, recipe: MultilabelTraining, first: int, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches from number `first` on. Every patch occurs once per epoch."""
    loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
        data,
        batch_sampler=_Order(recipe, len(data), first),
        num_workers=workers,
        # without its own generator the loader would draw from the global one
        generator=torch.Generator(),
    )
    with lost_worker_is_named():
        yield from loader


class _Order:
    """The patches of each batch with their seeds, from the recipe's seed and the batch's number only."""

    def __init__(self, recipe: MultilabelTraining, count: int, first: int) -> None:
        self.recipe, self.count, self.first = recipe, count, first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        batch, seed = self.recipe.batch, self.recipe.seed
        per_pass = self.count // batch
        order: NDArray[np.int64] = np.empty(0, np.int64)
        of = -1
        for step in range(self.first, self.recipe.steps):
            number, place = divmod(step, per_pass)
            if number != of:
                order, of = np.random.default_rng([seed, 0, number]).permutation(self.count), number
            seeds = np.random.default_rng([seed, 1, step]).integers(2**31, size=batch)
            chosen = order[place * batch : (place + 1) * batch]
            yield [(int(index), int(draw)) for index, draw in zip(chosen, seeds, strict=True)]


def _learning_rate(recipe: MultilabelTraining, step: int) -> float:
    rise = max(1, round(0.05 * recipe.steps))
    if step < rise:
        return recipe.learning_rate * (step + 1) / rise
    progress = (step - rise) / max(1, recipe.steps - rise)
    return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _save(folder: Path, terms: dict[str, Any], step: int, module: ResNet, optimizer: torch.optim.Optimizer) -> None:
    state = {"terms": terms, "step": step, "model": module.state_dict(), "optimizer": optimizer.state_dict()}
    with writing(folder / STATE), draft(folder / STATE) as place:
        torch.save(state, place)


def _restore(folder: Path, terms: dict[str, Any], module: ResNet, optimizer: torch.optim.Optimizer) -> int:
    path = folder / STATE
    if not path.is_file():
        (folder / LOG).unlink(missing_ok=True)
        return 0
    state = read_state(path, terms)
    with restoring(path):
        module.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step = int(state["step"])
    cut_rows(folder / LOG, step)
    return step
