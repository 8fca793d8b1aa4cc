"""What an unfinished run has on disk for sure, so that the same command can go on with it after the process was killed.

The journal lies beside the staged layers: one JSON object per line, and one file with a task's counts for each step. A
line is written only when everything that it speaks of has been sent to the disk, and a line that was cut off counts as
not written. The point at the end of a step does not wait for the disk when it comes early: the system has the rows,
whatever becomes of the process. Such a line names the start of the machine that it holds for.
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

# share of the time that keeping may take
_SHARE = 0.03
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Point:
    """How far a step has come.

    Attributes:
        step: Name of the step.
        runtime: What ran the network; another one may round differently.
        strips: Finished strips of tiles.
        computed: Tiles that went through the network for them.
        state: Name of the file with what the task counted.
    """

    step: str
    runtime: str
    strips: int
    computed: int
    state: str


@dataclass
class Past:
    """What a journal says.

    Attributes:
        run: What the run was: words by name, see `sunbreak.layers.output`.
        points: The last point of each step.
        rows: Rows of each layer that are on disk.
        settled: Layers that stand as finished files.
        publishing: Whether files were being given their final names.
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
        """Continue an old one, behind its last whole line."""
        path = self.folder / "lines"
        path.write_bytes(_whole_lines(path))
        self._file = path.open("a", encoding="utf-8")

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last point for another to be worth its time."""
        return time.monotonic() >= self._next

    @property
    def may_trust_system(self) -> bool:
        """Whether it can be told later that the machine has not been started anew since."""
        return bool(_boot())

    def keep(
        self, point: Point, rows: Mapping[str, int], state: State, started: float, *, on_disk: bool = True
    ) -> None:
        """Write down a point whose rows are on disk, or on their way.

        Args:
            point: The point; its state's file must be a new one.
            rows: Rows of each layer that are on disk.
            state: What goes into that file.
            started: When (`time.monotonic`) the work of keeping this point began.
            on_disk: Whether the rows have been sent to the disk; if not, they are good until the machine stops.

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
        """Write down that a layer stands as a finished file."""
        self._line({"settled": role})

    def publishing(self) -> None:
        """Write down that from now on files get their final names."""
        self._line({"publishing": True})

    def state(self, point: Point) -> State:
        """What the task had counted.

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
        """What stands there; None if there is no journal, or none that can be used."""
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
    """What tells this start of the machine from any other one; empty where there is no such thing."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]


def _flush(handle: int) -> None:
    # some file systems cannot; what they lose is lost with the power, not with the process
    with contextlib.suppress(OSError):
        os.fsync(handle)
