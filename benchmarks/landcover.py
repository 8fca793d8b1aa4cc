"""What classifying and explaining a scene cost beside the network alone: ResNet-50, and the bundled classifier.

python benchmarks/landcover.py [ROUNDS]

Told are the time and the processor time; the latter hardly depends on what else the machine does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import say, write_scene

from sunbreak.engine import Runtime, make_runtime
from sunbreak.engine.saliency_runtime import SaliencyRuntime
from sunbreak.events import Silent
from sunbreak.models import legends
from sunbreak.models.importing import save_classifier
from sunbreak.models.registry import DEFAULT_CLASSIFIER, ModelFiles, find_model, load_classifier
from sunbreak.models.resnet import ResNet
from sunbreak.scene import Scene
from sunbreak.tasks.jobs import ClassifyOptions, ExplainOptions, classify, explain

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
# of ResNet-50 a patch takes so long that a smaller scene shows as much
RESNET50_SIDE, BUNDLED_SIDE = 896, 2048


def full_size(folder: Path) -> ModelFiles:
    """ResNet-50 of the published size on ten bands and patches of 224 px, random weights."""
    torch.manual_seed(0)
    return save_classifier(
        ResNet(50, 10, 10).eval(), "resnet50", folder, title="random", description="random weights", licence="CC0-1.0",
        bands=legends.TEN_BANDS, standardisation=legends.SEN12MS_10, classes=legends.SIMPLIFIED_IGBP, depth=50,
    )  # fmt: skip


class Clock:
    """Seconds and processor seconds since it was made."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def read(self) -> np.ndarray:
        """Both."""
        return np.subtract((time.perf_counter(), time.process_time()), self.start)


def alone(runtime: Runtime, patch: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Times for as many patches as a run computes, in the groups that it makes of each row, kept in flight alike."""
    row = np.repeat(patch[None], min(columns, runtime.batch), axis=0)
    clock = Clock()
    for _ in range(rows):
        for first in range(0, columns, runtime.batch):
            while not runtime.room:
                runtime.collect()
            runtime.submit(row[: columns - first])
    while runtime.pending:
        runtime.collect()
    return clock.read()


def saliency_runtime(files: ModelFiles) -> SaliencyRuntime:
    """As a run of `explain` makes it."""
    module = load_classifier(files)
    return SaliencyRuntime(
        module, torch.device("cpu"), files.card.tile, 8, target=None, block="layer4", method="gradcam"
    )


rows = []
with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    for files, side in ((full_size(home), RESNET50_SIDE), (find_model(DEFAULT_CLASSIFIER), BUNDLED_SIDE)):
        s2, *_ = write_scene(home, side, side, cloudy_tiles=0.1)
        scene = Scene.open(s2)
        card = files.card
        patch = np.random.default_rng(0).random((len(card.inputs), card.tile, card.tile), np.float32)
        runtime = make_runtime(files, "cpu")
        gradients = saliency_runtime(files)
        # an eighth of a patch is the stride of explanations; a quarter is enough to know what lies outside the network
        how = ExplainOptions(stride=card.tile // 4)
        alone(runtime, patch, 1, 64)
        alone(gradients, patch, 1, 64)
        ratios: dict[str, list[np.ndarray]] = {"classify": [], "explain": []}
        times: dict[str, list[np.ndarray]] = {"classify": [], "explain": []}
        for _ in range(ROUNDS):
            clock = Clock()
            result = classify(scene, home / "c", files, ClassifyOptions(), Silent(), overwrite=True, runtime=runtime)
            taken = clock.read()
            count = int(result.numbers["patches"])
            across = round(count**0.5)  # the scene is a square
            times["classify"].append(taken)
            ratios["classify"].append(taken / alone(runtime, patch, across, across))
            clock = Clock()
            explain(scene, home / "e", files, how, Silent(), overwrite=True, runtime=gradients)
            taken = clock.read()
            times["explain"].append(taken)
            ratios["explain"].append(taken / alone(gradients, patch, across, across))
        for name, values in ratios.items():
            (ratio, of_processor), each = np.median(values, axis=0), 1e3 * np.median(times[name], axis=0)[0] / count
            told = f"{ratio:.3f}x the network alone, {of_processor:.3f}x its processor time, {each:.2f} ms a patch"
            rows.append((f"{name}, {card.name}, {count} patches", told))
say(f"Classifying and explaining, medians of {ROUNDS} rounds", rows)
