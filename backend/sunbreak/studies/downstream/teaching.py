"""Training of the study's classifier on clear patches of the training scenes, with the training curve of the report.

The training loop is `sunbreak.training.classifier.loop`. This module reads the images when they are drawn, and
validates on the validation scenes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.drafts import appended
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.models import legends
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS
from sunbreak.studies.downstream.quadruplets import Pairs, Quadruplet, read_patch
from sunbreak.studies.downstream.store import key_of, read_json, stamp, write_json
from sunbreak.studies.downstream.study_classifier import CROP, centre
from sunbreak.tables import CsvTable

NAME = "study-classifier"
_KEPT_BYTES = 2 * 2**30
_AT_ONCE = 16


@dataclass(frozen=True)
class Teaching:
    """How the classifier is trained.

    Attributes:
        depth: Depth of the ResNet, 18 or 50.
        width: Channels of the first stage; 64 in the published networks.
        steps: Number of training steps.
        batch: Patches per batch.
        seed: Seed of all random numbers.
    """

    depth: int = 18
    width: int = 20
    steps: int = 600
    batch: int = 16
    seed: int = 1


@dataclass(frozen=True)
class Curve:
    """The curve of a training.

    Attributes:
        steps: Number of finished steps at each training loss.
        loss: Loss of each batch in nats, with label smoothing and mixup.
        checks: Number of finished steps at each validation.
        check_loss: Cross-entropy on the validation patches, nats.
        check_f1: Macro F1 over the supported classes on the validation patches.
        check_accuracy: Accuracy on the validation patches, which is the micro F1.
    """

    steps: NDArray[np.int64]
    loss: NDArray[np.float64]
    checks: NDArray[np.int64]
    check_loss: NDArray[np.float64]
    check_f1: NDArray[np.float64]
    check_accuracy: NDArray[np.float64]


class PatchImages:
    """Reads the centre crops of clear images and caches up to 2 GiB of them in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}
        self._bytes = 0

    def read(self, patch: Quadruplet) -> NDArray[np.float32]:
        """(13, row, column) DN."""
        image = self._kept.get(patch.name)
        if image is None:
            image = np.ascontiguousarray(centre(read_patch(patch.files["s2"], "s2", patch.name), CROP))
            if self._bytes + image.nbytes <= _KEPT_BYTES:
                self._kept[patch.name] = image
                self._bytes += image.nbytes
        return image.astype(np.float32)


@dataclass(frozen=True)
class StoredPatch:
    """A labelled patch that reads its image on access."""

    patch: Quadruplet
    images: PatchImages

    @property
    def label(self) -> int:
        """Index of the class, from 0."""
        return self.patch.label

    @property
    def dn(self) -> NDArray[np.float32]:
        """(13, row, column) DN of the centre crop."""
        return self.images.read(self.patch)


def teach(pairs: Pairs, wanted: Teaching, folder: Path, reporter: Reporter, device: str = "cpu") -> ModelFiles:
    """Train on the clear training patches, validate on the validation patches, and write a model with its card.

    An interrupted training resumes. With other patches or another recipe, the training starts again.

    Args:
        pairs: Patches with labels.
        wanted: How to train.
        folder: Folder of model, state and curve.
        reporter: Receives the progress and can stop the training.
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: There is no training or no validation patch, or an image cannot be read.
        RunError: The loss is not a number.
        Cancelled: The reporter asked to stop; the last state stays in `folder`.
    """
    from sunbreak.training.classifier.loop import ClassifierTraining, train

    parts = {split: pairs.of_split(split) for split in ("train", "val")}
    for split, patches in parts.items():
        if not patches:
            raise InputError(
                f"There is no patch of the split '{split}' for the "
                f"{'training' if split == 'train' else 'validation'} of the classifier.",
                "Choose a classifier with --classifier, or give a data set with these scenes.",
                code="split-missing",
            )
    seen = [[patch.name, patch.label, stamp(patch.files["s2"])] for patches in parts.values() for patch in patches]
    key = key_of("teach 1", wanted.__dict__, seen)
    _claim(folder, key)
    done = taught(folder, key)
    if done is not None:
        return done
    images = PatchImages()
    standard = legends.SEN12MS_10
    side = images.read(parts["train"][0]).shape[-1]
    recipe = ClassifierTraining(
        legends.TEN_BANDS, standard.mean, standard.deviation,
        depth=wanted.depth, width=wanted.width, steps=wanted.steps, batch=wanted.batch, patch=side, real_share=0.0,
        seed=wanted.seed,
    )  # fmt: skip
    watched = list(_batches(parts["val"], images, standard))
    truth = np.array([patch.label for patch in parts["val"]])

    def watch(step: int, module: Any) -> None:
        _write_check(folder / "checks.csv", step, _logits(module, watched, device), truth)

    learned = [StoredPatch(patch, images) for patch in parts["train"]]
    module = train(recipe, learned, [], len(legends.SIMPLIFIED_IGBP), folder, reporter, device=device, watch=watch)
    files = _save(module, recipe, watched, truth, len(learned), folder)
    write_json(folder / "taught.json", {"key": key, "card": files.path.name})
    return files


def taught(folder: Path, key: str | None = None) -> ModelFiles | None:
    """The model that was trained in this folder (with this key, if given), or None."""
    facts = read_json(folder / "taught.json")
    if not isinstance(facts, dict) or (key is not None and facts.get("key") != key):
        return None
    path = folder / Path(str(facts.get("card"))).name
    return ModelFiles(ModelCard.read(path), path, bundled=False) if path.is_file() else None


def read_curve(folder: Path) -> Curve | None:
    """The curve of the training, or None without a training."""
    losses = _columns(folder / "log.csv", ("step", "loss"))
    checks = _columns(folder / "checks.csv", ("step", "loss", "macro_f1", "accuracy"))
    if not len(losses) or not len(checks):
        return None
    return Curve(
        losses[:, 0].astype(np.int64) + 1, losses[:, 1], checks[:, 0].astype(np.int64), checks[:, 1], checks[:, 2],
        checks[:, 3],
    )  # fmt: skip


def _claim(folder: Path, key: str) -> None:
    """Remove the files of another training, whose state must not be used."""
    claim = read_json(folder / "training.json")
    if not isinstance(claim, dict) or claim.get("key") != key:
        shutil.rmtree(folder, ignore_errors=True)
        write_json(folder / "training.json", {"key": key})


def _batches(
    patches: Sequence[Quadruplet], images: PatchImages, standard: Standardisation
) -> Iterator[NDArray[np.float32]]:
    index = [S2_BANDS.index(band) for band in legends.TEN_BANDS]
    mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (standard.mean, standard.deviation))
    for first in range(0, len(patches), _AT_ONCE):
        yield np.stack([(images.read(patch)[index] - mean) / deviation for patch in patches[first : first + _AT_ONCE]])


def _logits(module: Any, batches: Sequence[NDArray[np.float32]], device: str) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        return np.concatenate([module(torch.from_numpy(x).to(device)).cpu().numpy() for x in batches])


def _save(
    module: Any,
    recipe: Any,
    watched: Sequence[NDArray[np.float32]],
    truth: NDArray[np.int64],
    learned: int,
    folder: Path,
) -> ModelFiles:
    from sunbreak.models.importing import save_classifier
    from sunbreak.training.classifier.loop import figures, fit_temperature

    module = module.to("cpu").eval()
    logits = _logits(module, watched, "cpu")
    temperature = round(fit_temperature(logits, truth), 4)
    names = [kind.name for kind in legends.SIMPLIFIED_IGBP]
    return save_classifier(
        module,
        NAME,
        folder,
        title=f"ResNet-{recipe.depth} of the downstream study, {recipe.patch} px patches",
        description=(
            "Trained by `sunbreak study downstream --classifier train` on clear patches of the training scenes."
        ),
        licence="GPL-2.0-or-later",
        bands=recipe.bands,
        standardisation=Standardisation(recipe.mean, recipe.deviation),
        classes=legends.SIMPLIFIED_IGBP,
        tile=recipe.patch,
        depth=recipe.depth,
        temperature=(temperature,),
        calibrated_on=f"{len(truth)} patches of the validation scenes",
        training={"patches": learned, "steps": recipe.steps, "batch": recipe.batch, "seed": recipe.seed},
        metrics=(
            {
                "data": f"validation scenes ({len(truth)} patches)",
                "figures": figures(logits / temperature, truth, names),
            },
        ),
    )


def _write_check(path: Path, step: int, logits: NDArray[np.float32], truth: NDArray[np.int64]) -> None:
    from sunbreak.metrics.classification import confusion, cross_entropy, macro

    predicted = logits.argmax(axis=1)
    f1 = float(macro(confusion(truth, predicted, logits.shape[1]), "supported")["f1"])
    row = (step, float(cross_entropy(logits, truth).mean()), f1, float((predicted == truth).mean()))
    new = not path.exists()
    with appended(path) as stream:
        table = CsvTable(stream)
        if new:
            table.row(["step", "loss", "macro_f1", "accuracy"])
        table.row(row)


def _columns(path: Path, names: Sequence[str]) -> NDArray[np.float64]:
    """Rows of numbers, one per step in order; the last row of a step that was repeated after an interruption."""
    from sunbreak.training.state_files import LOG_OF_TRAINING, read_rows, restoring

    if not path.is_file():
        return np.empty((0, len(names)))
    with restoring(path, LOG_OF_TRAINING):
        rows = {int(row["step"]): [float(row[name]) for name in names] for row in read_rows(path)}
    return np.array([rows[step] for step in sorted(rows)]).reshape(-1, len(names))
