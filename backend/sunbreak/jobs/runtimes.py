"""What is kept between jobs: loaded networks, and the clouds and samples of scenes that several jobs read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.detector import CloudDetector
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.engine import Runtime, make_runtime
from sunbreak.engine.runtime import DeviceName, Precision, RuntimeName
from sunbreak.models.registry import ModelFiles
from sunbreak.removal.temporal.kept_samples import SampleMemory
from sunbreak.scene import Scene

MEMORY_BYTES = 512 * 1024**2
"""Of the masks in a `CloudMemory`: 17 full Sentinel-2 tiles."""

SceneClouds = tuple[MaskRows, ClassCounts]
"""The detected classes of a scene, and how many pixels are of each."""


class CloudMemory:
    """The clouds that were detected in scenes, for jobs that read the same scenes again.

    Args:
        limit: Bytes of the masks that are kept; the oldest are dropped. One mask that is larger is not kept.
    """

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        self.limit = limit
        self._held: dict[Hashable, SceneClouds] = {}

    def get(self, scene: Scene, detector: CloudDetector) -> SceneClouds | None:
        """What `put` was given for the same files, part of the scene, reading and detector; do not change it."""
        return self._held.get(cloud_key(scene, detector))

    def put(self, scene: Scene, detector: CloudDetector, mask: MaskRows, counts: ClassCounts) -> None:
        """Keep the clouds of a scene; neither may be changed afterwards."""
        key = cloud_key(scene, detector)
        self._held.pop(key, None)
        self._held[key] = mask, counts
        while self.bytes > self.limit:
            del self._held[next(iter(self._held))]

    @property
    def bytes(self) -> int:
        """Size of the masks."""
        return sum(mask.packed.nbytes for mask, _ in self._held.values())


class Clouds(Protocol):
    """Keeps the clouds of scenes that several jobs or processes read."""

    def get(self, scene: Scene, detector: CloudDetector) -> SceneClouds | None:
        """The clouds that `put` was given for the same scene and detector; do not change them."""
        ...

    def put(self, scene: Scene, detector: CloudDetector, mask: MaskRows, counts: ClassCounts) -> None:
        """Keep the clouds of a scene; neither may be changed afterwards."""
        ...


@dataclass
class SceneMemory:
    """What is known of scenes that several jobs read.

    Attributes:
        clouds: Their clouds.
        samples: Their samples, of scenes that were other dates.
    """

    clouds: Clouds = field(default_factory=CloudMemory)
    samples: SampleMemory = field(default_factory=SampleMemory)


class Runtimes:
    """Holds runtimes between jobs of one thread.

    Args:
        most: Networks that are held; the one that was not used for longest is dropped. None holds all.
        scenes: What is known of scenes that several jobs read.
    """

    def __init__(self, most: int | None = None, scenes: SceneMemory | None = None) -> None:
        self._held: dict[tuple[str, ...], Runtime] = {}
        self._most = most
        self.scenes = scenes if scenes is not None else SceneMemory()

    def load(
        self, files: ModelFiles, device: DeviceName, runtime: RuntimeName, precision: Precision = "exact"
    ) -> Runtime:
        """Load a network now, and hold it for `lent`.

        Raises:
            ModelError: The weights cannot be loaded.
            InputError: The device is not there.
        """
        key = _key(files, device, runtime, precision)
        if key not in self._held:
            self._hold(key, make_runtime(files, device, runtime, precision))
        return self._held[key]

    @contextmanager
    def lent(
        self, files: ModelFiles, device: DeviceName, runtime: RuntimeName, precision: Precision = "exact"
    ) -> Iterator[Runtime]:
        """The runtime of a network for one job. After a failure it is dropped: tiles may still be in it.

        Raises:
            ModelError: The weights cannot be loaded.
            InputError: The device is not there.
        """
        key = _key(files, device, runtime, precision)
        lent = self._held.pop(key, None) or make_runtime(files, device, runtime, precision)
        yield lent
        self._hold(key, lent)

    def _hold(self, key: tuple[str, ...], runtime: Runtime) -> None:
        self._held[key] = runtime
        while self._most is not None and len(self._held) > self._most:
            del self._held[next(iter(self._held))]


def cloud_key(scene: Scene, detector: CloudDetector) -> Hashable:
    """What the clouds of a scene depend on."""
    mask = scene.cloud_mask
    sources = [*scene.stack.files, *([mask.file] if mask is not None else [])]
    files = tuple((source.identity, *source.fingerprint()) for source in sources)
    given = mask.option if mask is not None else None
    part = scene.origin, scene.grid.shape
    reading = scene.bands, repr(scene.radiometry), scene.level, given
    return files, part, reading, detector.name, tuple(sorted(detector.settings.items()))


def _key(files: ModelFiles, *how: str) -> tuple[str, ...]:
    return files.card.digest, *how


_of_process = Runtimes()
_of_commands: Runtimes | None = None


def process_runtimes() -> Runtimes:
    """The networks that a worker keeps loaded from one call to the next; it does one call at a time."""
    return _of_process


def keep_for_commands(runtimes: Runtimes) -> None:
    """Keep the networks of the commands of this process from now on."""
    global _of_commands
    _of_commands = runtimes


def runtimes_of_commands() -> Runtimes | None:
    """The networks that the commands of this process share; None in a process of one command."""
    return _of_commands
