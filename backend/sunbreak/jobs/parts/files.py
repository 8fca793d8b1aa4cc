"""Files of finished parts: rows of the layers as they are stored, and the sums of the task.

A part is a folder. It gets its name when everything in it is written, so a folder with that name is a finished part.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sunbreak import unfinished
from sunbreak.array_files import DamagedArrays, read_arrays
from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.detector import CloudDetector
from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.drafts import create, draft, open_stored, read_stored
from sunbreak.engine.checkpoints import State
from sunbreak.jobs.runtimes import SceneClouds, cloud_key
from sunbreak.layers.encoding import encode
from sunbreak.layers.roles import LayerSpec
from sunbreak.scene import Scene

_RECORD, _STATE = "part.json", "state.npz"
_LIMIT = 2**40


@dataclass(frozen=True)
class Part:
    """A part of one phase of the work: strips, or other things that are counted from 0.

    Attributes:
        phase: ``clouds``, ``dates``, ``around`` or ``clean``.
        first: The first one.
        stop: The one after the last.
    """

    phase: str
    first: int
    stop: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.phase}-{self.first}-{self.stop}"


@dataclass(frozen=True)
class PartRecord:
    """What is known of a finished part.

    Attributes:
        tiles: Tiles of its strips.
        computed: Tiles that went through the network for them.
        label: What ran the network.
        rows: First row and number of rows of each block in the file of a layer, by role.
    """

    tiles: int = 0
    computed: int = 0
    label: str = ""
    rows: Mapping[str, list[tuple[int, int]]] | None = None


class PartWriter:
    """Writes one part; use it as a context manager. What is not finished is removed.

    Args:
        folder: Folder of all parts.
        part: The part.
        specs: Layers that may be written; rows of others are left out.
    """

    def __init__(self, folder: Path, part: Part, specs: Mapping[str, LayerSpec]) -> None:
        self._place, self._specs = folder / part.name, specs
        self._draft = folder / f".{part.name}.{uuid.uuid4().hex[:8]}"
        self._files: dict[str, BinaryIO] = {}
        self._rows: dict[str, list[tuple[int, int]]] = {}

    def __enter__(self) -> PartWriter:
        self._draft.mkdir()
        unfinished.add(self._draft)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self._draft, ignore_errors=True)
        unfinished.drop(self._draft)

    def write(self, role: str, row: int, values: NDArray[Any]) -> None:
        """Append rows of a layer, (band, row, column); see `sunbreak.layers.output.LayerSet.write`.

        Raises:
            OSError: The disk is full or gone.
        """
        spec = self._specs.get(role)
        if spec is None:
            return
        if role not in self._files:
            self._files[role] = create(self._draft / f"{role}.raw")
        self._files[role].write(np.ascontiguousarray(encode(values, spec)).data)
        self._rows.setdefault(role, []).append((row, values.shape[1]))

    def finish(self, state: State, tiles: int = 0, computed: int = 0, label: str = "") -> None:
        """Record the part as finished. If another worker finished it meanwhile, that one stays.

        Raises:
            OSError: The disk is full or gone.
        """
        for file in self._files.values():
            file.close()
        with create(self._draft / _STATE) as stream:
            np.savez(stream, allow_pickle=False, **state)
        record = asdict(PartRecord(tiles, computed, label, self._rows))
        with create(self._draft / _RECORD) as stream:
            stream.write(json.dumps(record).encode())
        with contextlib.suppress(FileExistsError, OSError):
            self._draft.rename(self._place)
        if not self._place.exists():
            self._draft.rename(self._place)  # the error says why


class FinishedPart:
    """Reads a finished part.

    Args:
        folder: Folder of all parts.
        part: The part.
        specs: The layers.
    """

    def __init__(self, folder: Path, part: Part, specs: Mapping[str, LayerSpec]) -> None:
        self.part, self._place, self._specs = part, folder / part.name, specs

    def record(self) -> PartRecord | None:
        """What is known of it; None if it is not finished, or not whole."""
        try:
            plain = json.loads(read_stored(self._place / _RECORD))
            return PartRecord(
                **{**plain, "rows": {role: [(int(a), int(b)) for a, b in rows] for role, rows in plain["rows"].items()}}
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def state(self) -> State:
        """The sums of the task.

        Raises:
            OSError: It cannot be read.
            DamagedArrays: It is not as it was written.
        """
        return load_state(self._place / _STATE)

    def rows(self, record: PartRecord, role: str, columns: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """First row and values (band, row, column) of each block of a layer, in order.

        Raises:
            OSError: They cannot be read, or are fewer than recorded.
        """
        blocks = (record.rows or {}).get(role, [])
        if not blocks:
            return
        spec = self._specs[role]
        kind, bands = np.dtype(spec.dtype), len(spec.bands)
        with open_stored(self._place / f"{role}.raw", limit=_LIMIT) as file:
            for row, count in blocks:
                content = file.read(bands * count * columns * kind.itemsize)
                yield row, np.frombuffer(content, kind).reshape(bands, count, columns)


def save_state(path: Path, state: State) -> None:
    """Write arrays to a file that other processes read; it gets its name when it is whole."""
    with draft(path) as place, create(place) as stream:
        np.savez(stream, allow_pickle=False, **state)


def load_state(path: Path) -> State:
    """Read what `save_state` wrote.

    Raises:
        OSError: It cannot be read.
        DamagedArrays: It is not as it was written.
    """
    with open_stored(path, limit=_LIMIT) as file:
        return dict(read_arrays(file))


class SharedClouds:
    """The clouds of other dates in files: one process detects them, all read them.

    Args:
        folder: Folder of all parts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, scene: Scene, detector: CloudDetector) -> SceneClouds | None:
        """See `sunbreak.jobs.runtimes.Clouds`."""
        try:
            state = load_state(self._place(scene, detector))
        except (OSError, DamagedArrays):
            return None
        mask, counts = MaskRows(*scene.grid.shape), ClassCounts()
        mask.packed[...] = state["classes"]
        counts.restore(state["counts"])
        return mask, counts

    def put(self, scene: Scene, detector: CloudDetector, mask: MaskRows, counts: ClassCounts) -> None:
        """See `sunbreak.jobs.runtimes.Clouds`."""
        save_state(self._place(scene, detector), {"classes": mask.packed, "counts": counts.state()})

    def _place(self, scene: Scene, detector: CloudDetector) -> Path:
        return self._folder / f"clouds-{sha256(repr(cloud_key(scene, detector)).encode()).hexdigest()[:16]}.npz"
