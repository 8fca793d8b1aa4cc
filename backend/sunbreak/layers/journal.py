"""Records what an unfinished run has on disk, so that the same command can resume it after the process was killed.

The journal is beside the staged layers: one JSON object per line, and one file with the counts of a task for each step.
A line is written after everything that it records was flushed to the disk. A truncated line is ignored. The point at
the end of a step is not flushed if it comes early: the system holds the rows even if the process is killed. Such a line
names the boot of the machine for which it is valid.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

State = dict[str, NDArray[Any]]

# fraction of the time that recording points may take
_SHARE = 0.03
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Point:
    """How far a step has got.

    Attributes:
        step: Name of the step.
        runtime: What ran the network. Another runtime may round differently.
        strips: Finished strips of tiles.
        computed: Tiles that the network processed for them.
        state: Name of the file with the counts of the task.
    """

    step: str
    runtime: str
    strips: int
    computed: int
    state: str


@dataclass
class Past:
    """The content of a journal.

    Attributes:
        run: What identifies the run, see `sunbreak.layers.resume.run_identity`.
        points: The last point of each step.
        rows: Rows of each layer that are on disk.
        settled: Layers that are finished files.
        publishing: Whether the run had begun to rename its files.
    """

    run: dict[str, str]
    points: dict[str, Point] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    publishing: bool = False


class Journal:
    """Written by one thread at a time.

    Args:
        folder: Of the run's staged layers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        self._file: TextIO | None = None
        self._next = 0.0

    def begin(self, run: Mapping[str, str]) -> None:
        """Start a new journal."""
        self.folder.mkdir()
        self._file = (self.folder / "lines").open("w", encoding="utf-8")
        self._line({"run": dict(run)})

    def go_on(self) -> None:
        """Continue an earlier journal after its last whole line."""
        path = self.folder / "lines"
        path.write_bytes(_whole_lines(path))
        self._file = path.open("a", encoding="utf-8")

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last point for another one."""
        return time.monotonic() >= self._next

    @property
    def may_trust_system(self) -> bool:
        """Whether a later run can tell that the machine has not been rebooted since."""
        return bool(_boot())

    def keep(
        self, point: Point, rows: Mapping[str, int], state: State, started: float, *, on_disk: bool = True
    ) -> None:
        """Record a point whose rows are on disk or held by the system.

        Args:
            point: The point. The file of its state must not exist yet.
            rows: Rows of each layer that are on disk.
            state: The content of that file.
            started: When (`time.monotonic`) the work of recording this point began.
            on_disk: Whether the rows were flushed to the disk. If not, they are valid until the machine stops.

        Raises:
            OSError: The disk is full or gone.
        """
        with (self.folder / point.state).open("wb") as file:
            np.savez(file, allow_pickle=False, **state)
            if on_disk:
                _flush(file.fileno())
        good_for = {} if on_disk else {"boot": _boot()}
        self._line({"point": asdict(point), "rows": dict(rows), **good_for})
        for path in self.folder.glob(f"{point.step}-*.npz"):
            if path.name != point.state:
                path.unlink()
        now = time.monotonic()
        self._next = now + (now - started) / _SHARE

    def settled(self, role: str) -> None:
        """Record that a layer is a finished file."""
        self._line({"settled": role})

    def publishing(self) -> None:
        """Record that the run begins to rename its files."""
        self._line({"publishing": True})

    def state(self, point: Point) -> State:
        """The counts of the task at a point.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is damaged.
        """
        with np.load(self.folder / point.state, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Past | None:
        """The content of the journal; None if there is none or it cannot be used."""
        try:
            lines = [json.loads(line) for line in _whole_lines(self.folder / "lines").splitlines()]
            past = Past(lines[0]["run"])
            for line in lines[1:]:
                if line.get("boot", _boot()) != _boot():
                    return None
                if "point" in line:
                    point = Point(**line["point"])
                    past.points[point.step] = point
                    past.rows = line["rows"]
                elif "settled" in line:
                    past.settled.add(line["settled"])
                past.publishing |= "publishing" in line
        except (OSError, ValueError, TypeError, KeyError, IndexError):
            return None
        return past

    def _line(self, content: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps(content) + "\n")
        self._file.flush()
        _flush(self._file.fileno())


def _boot() -> str:
    """The identifier of this boot of the machine; empty on systems that have none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


def _flush(handle: int) -> None:
    # some file systems cannot flush; they lose data when the power fails, not when the process is killed
    with contextlib.suppress(OSError):
        os.fsync(handle)
