"""What classifying and explaining a scene cost beside the network alone: ResNet-50, and the bundled classifier.

python benchmarks/landcover.py [ROUNDS]

Told are the time and the processor time; the latter hardly depends on what else the machine does. The network alone sees
one patch again and again, which lies in the cache. Explanations are computed while the run waits, so of them it is also
told how much of the run's own time passed outside of the network.
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
# sides of the scenes to classify and to explain: what a scene costs once, whatever its size, is to be small beside it
RESNET50_SIDES, BUNDLED_SIDES = (896, 896), (4096, 2048)


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


class Watched:
    """A runtime that says how long its caller waited for it."""

    def __init__(self, inner: Runtime) -> None:
        self.inner, self.waited = inner, 0.0
        self.label, self.batch = inner.label, inner.batch

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return self.inner.pending

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return self.inner.room

    def submit(self, tiles: np.ndarray) -> None:
        """See `sunbreak.engine.Runtime`."""
        start = time.perf_counter()
        self.inner.submit(tiles)
        self.waited += time.perf_counter() - start

    def collect(self) -> tuple[np.ndarray, ...]:
        """See `sunbreak.engine.Runtime`."""
        start = time.perf_counter()
        found = self.inner.collect()
        self.waited += time.perf_counter() - start
        return found


def told(name: str, ratios: list[np.ndarray], times: list[np.ndarray], count: int, more: str = "") -> tuple[str, str]:
    """A row of the table."""
    (ratio, of_processor), each = np.median(ratios, axis=0), 1e3 * np.median(times, axis=0)[0] / count
    figures = f"{ratio:.3f}x the network alone, {of_processor:.3f}x its processor time, {each:.2f} ms a patch"
    return f"{name}, {count} patches", figures + more


rows = []
with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    for files, sides in ((full_size(home), RESNET50_SIDES), (find_model(DEFAULT_CLASSIFIER), BUNDLED_SIDES)):
        card = files.card
        patch = np.random.default_rng(0).random((len(card.inputs), card.tile, card.tile), np.float32)
        scene = Scene.open(write_scene(home, sides[0], sides[0], cloudy_tiles=0.1)[0])
        runtime = make_runtime(files, "cpu")
        alone(runtime, patch, 1, 64)
        ratios, times, shares = [], [], []
        for _ in range(ROUNDS):
            clock = Clock()
            result = classify(scene, home / "c", files, ClassifyOptions(), Silent(), overwrite=True, runtime=runtime)
            times.append(clock.read())
            count = int(result.numbers["patches"])
            across = round(count**0.5)  # the scene is a square
            ratios.append(times[-1] / alone(runtime, patch, across, across))
        rows.append(told(f"classify, {card.name}", ratios, times, count))
        scene = Scene.open(write_scene(home, sides[1], sides[1], cloudy_tiles=0.1)[0])
        gradients = saliency_runtime(files)
        alone(gradients, patch, 1, 64)
        # an eighth of a patch is the stride of explanations; a quarter is enough to know what lies outside the network
        how = ExplainOptions(stride=card.tile // 4)
        across = (sides[1] - card.tile) // how.stride + 1
        ratios, times = [], []
        for _ in range(ROUNDS):
            watched = Watched(gradients)
            clock = Clock()
            explain(scene, home / "e", files, how, Silent(), overwrite=True, runtime=watched)
            times.append(clock.read())
            shares.append(1 - watched.waited / times[-1][0])
            ratios.append(times[-1] / alone(gradients, patch, across, across))
        outside = f", {np.median(shares):.1%} of the run outside the network"
        rows.append(told(f"explain, {card.name}", ratios, times, across**2, outside))
say(f"Classifying and explaining, medians of {ROUNDS} rounds", rows)
