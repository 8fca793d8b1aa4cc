"""Cost of classifying and explaining a scene, relative to the network alone: ResNet-50 and the bundled classifier.

python benchmarks/landcover.py [ROUNDS]

Prints wall time and processor time; other programs hardly affect the latter. The network alone gets the same number of
patches in the same groups and by the same runtime; the patches are different and in memory. The value in brackets is
relative to one repeated group, which stays in the cache.

For runs it also prints the time outside the network. Explanations are computed while the run waits, so this is the time
in which the run did not wait. Classification overlaps with the network, so this is the fraction of the time with no group
in the network, and the fraction of the processor time not spent by OpenVINO's threads.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from common import say, write_scene

from sunbreak.engine import Runtime, make_runtime
from sunbreak.engine.saliency_runtime import SaliencyRuntime
from sunbreak.events import Silent
from sunbreak.jobs.single import ClassifyOptions, ExplainOptions, classify, explain
from sunbreak.models import legends
from sunbreak.models.architectures import load_classifier
from sunbreak.models.card import ModelCard
from sunbreak.models.importing import save_classifier
from sunbreak.models.registry import DEFAULT_CLASSIFIER, ModelFiles, find_model
from sunbreak.models.resnet import ResNet
from sunbreak.scene import Scene

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
# sides of the scenes to classify and to explain: large enough that fixed costs are small
RESNET50_SIDES, BUNDLED_SIDES = (896, 896), (4096, 2048)
# number of different groups for the network alone: more than fit into the cache
GROUPS = 64


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


def groups_of(runtime: Runtime, card: ModelCard, count: int) -> list[np.ndarray]:
    """Different groups of patches in the memory layout of a run: channels last."""
    random, shape = np.random.default_rng(0), (runtime.batch, card.tile, card.tile, len(card.inputs))
    return [np.moveaxis(random.standard_normal(shape, np.float32), -1, 1) for _ in range(count)]


def alone(runtime: Runtime, groups: list[np.ndarray], rows: int, columns: int) -> np.ndarray:
    """Times for the patches of a run, in the same groups per row and with the same number in flight."""
    clock, put_in = Clock(), 0
    for _ in range(rows):
        for first in range(0, columns, runtime.batch):
            while not runtime.room:
                runtime.collect()
            runtime.submit({"x": groups[put_in % len(groups)][: columns - first]})
            put_in += 1
    while runtime.pending:
        runtime.collect()
    return clock.read()


def thread_times() -> dict[int, float]:
    """Processor seconds of the threads that Python did not start; in a run these are OpenVINO's."""
    ours = {thread.native_id for thread in threading.enumerate()}
    times = {}
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) not in ours:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            times[int(task.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return times


def saliency_runtime(files: ModelFiles) -> SaliencyRuntime:
    """As a run of `explain` makes it."""
    module = load_classifier(files)
    return SaliencyRuntime(
        module, torch.device("cpu"), files.card.tile, 8, target=None, block="layer4", method="gradcam"
    )


class Watched:
    """A runtime that measures how long its caller waited for it, and how long it was idle."""

    def __init__(self, inner: Runtime) -> None:
        self.inner, self.waited, self.empty = inner, 0.0, 0.0
        self.label, self.batch = inner.label, inner.batch
        self._emptied = time.perf_counter()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return self.inner.pending

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return self.inner.room

    def submit(self, inputs: Mapping[str, np.ndarray]) -> None:
        """See `sunbreak.engine.Runtime`."""
        start = time.perf_counter()
        if not self.inner.pending:
            self.empty += start - self._emptied
        self.inner.submit(inputs)
        self.waited += time.perf_counter() - start

    def collect(self) -> tuple[np.ndarray, ...]:
        """See `sunbreak.engine.Runtime`."""
        start = time.perf_counter()
        found = self.inner.collect()
        self._emptied = time.perf_counter()
        self.waited += self._emptied - start
        return found

    def end(self) -> None:
        """Called when the run has finished."""
        self.empty += time.perf_counter() - self._emptied


def told(name: str, found: list[tuple[np.ndarray, ...]], count: int, more: str) -> tuple[str, str]:
    """A row of the table: times of the run, of the network alone, and of one repeated group."""
    runs, alones, again = (np.array([times[part] for times in found]) for part in range(3))
    ratio, of_processor = np.median(runs / alones, axis=0)
    one, one_processor = np.median(runs / again, axis=0)
    figures = (
        f"{ratio:.3f}x ({one:.3f}x) the network alone, {of_processor:.3f}x ({one_processor:.3f}x) its processor time, "
        f"{1e3 * np.median(runs[:, 0]) / count:.3f} ms a patch"
    )
    return f"{name}, {count} patches", figures + more


rows = []
with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    for files, sides in ((full_size(home), RESNET50_SIDES), (find_model(DEFAULT_CLASSIFIER), BUNDLED_SIDES)):
        card = files.card
        scene = Scene.open(write_scene(home, sides[0], sides[0], cloudy_tiles=0.1)[0])
        runtime = make_runtime(files, "cpu")
        groups = groups_of(runtime, card, GROUPS)
        alone(runtime, groups, 1, 64)
        found, shares = [], []
        for _ in range(ROUNDS):
            watched, threads = Watched(runtime), thread_times()
            clock = Clock()
            result = classify(scene, home / "c", files, ClassifyOptions(), Silent(), overwrite=True, runtime=watched)
            run = clock.read()
            watched.end()
            in_network = sum(spent - threads.get(thread, 0) for thread, spent in thread_times().items())
            count = int(result.numbers["patches"])
            across = round(count**0.5)  # the scene is a square
            rounds = [alone(runtime, kind, across, across) for kind in (groups, groups[:1])]
            found.append((run, *rounds))
            shares.append((watched.empty / run[0], 1 - in_network / run[1]))
        empty, outside = np.median(shares, axis=0)
        more = f"; nothing in the network {empty:.1%} of the time, {outside:.1%} of the processor time outside of it"
        rows.append(told(f"classify, {card.name}", found, count, more))
        scene = Scene.open(write_scene(home, sides[1], sides[1], cloudy_tiles=0.1)[0])
        gradients = saliency_runtime(files)
        groups = groups_of(gradients, card, GROUPS // 4)
        alone(gradients, groups, 1, 64)
        # explanations have a stride of an eighth of a patch; a quarter is enough to measure the time outside the network
        how = ExplainOptions(stride=card.tile // 4)
        across = (sides[1] - card.tile) // how.stride + 1
        found, shares = [], []
        for _ in range(ROUNDS):
            watched = Watched(gradients)
            clock = Clock()
            explain(scene, home / "e", files, how, Silent(), overwrite=True, runtime=watched)
            run = clock.read()
            rounds = [alone(gradients, kind, across, across) for kind in (groups, groups[:1])]
            found.append((run, *rounds))
            shares.append(1 - watched.waited / run[0])
        rows.append(told(f"explain, {card.name}", found, across**2, f"; {np.median(shares):.1%} outside the network"))
say(f"Classifying and explaining, medians of {ROUNDS} rounds", rows)
