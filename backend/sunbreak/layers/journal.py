"""Records what an unfinished run has on disk, so that the same command can resume it after the process was killed.

The journal is beside the staged layers: one JSON object per line, and one file with the counts of a task for each step.
A line is written after everything that it records was flushed to the disk. A truncated line is ignored. The point at
the end of a step is not flushed if it comes early: the system holds the rows even if the process is killed. Such a line
names the boot of the machine for which it is valid.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import time
import tokenize
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sunbreak.drafts import create, open_stored, read_stored

State = dict[str, NDArray[Any]]

# fraction of the time that recording points may take
_SHARE = 0.03
_LINES = "lines"
_LIMIT, _STATE_LIMIT = 2**24, 2**32
_BROKEN = (
    ValueError, TypeError, KeyError, EOFError, IndexError, NotImplementedError, RuntimeError, zipfile.BadZipFile,
    tokenize.TokenError,
)  # fmt: skip
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


class DamagedJournal(Exception):
    """A journal, or the counts beside it, that this program did not write like that. The text says what is wrong."""


class Journal:
    """Points are recorded by one thread at a time, finished layers by several.

    Args:
        folder: Of the run's staged layers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        self._file: BinaryIO | None = None
        self._next = 0.0

    def begin(self, run: Mapping[str, str]) -> None:
        """Start a new journal."""
        self.folder.mkdir(mode=0o700)
        self._file = create(self.folder / _LINES)
        self._line({"run": dict(run)})

    def go_on(self) -> None:
        """Continue an earlier journal after its last whole line."""
        self._file = open_stored(self.folder / _LINES, limit=_LIMIT, write=True)
        self._file.truncate(len(_whole_lines(self._file.read())))
        self._file.seek(0, os.SEEK_END)

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
        place = self.folder / point.state
        place.unlink(missing_ok=True)  # of a run that was killed before it wrote the line
        with create(place) as file:
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

    def end(self) -> None:
        """Delete the lines: all files have their final names."""
        self.close()
        (self.folder / _LINES).unlink(missing_ok=True)

    def state(self, point: Point) -> State:
        """The counts of the task at a point.

        Raises:
            OSError: The file cannot be read.
            DamagedJournal: It is not as it was written.
        """
        try:
            with open_stored(self.folder / point.state, limit=_STATE_LIMIT) as file:
                return _arrays(file)
        except _BROKEN as error:
            raise DamagedJournal(f"{point.state} is cut off or damaged ({_first_line(error)})") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Past | None:
        """The content of the journal; None if there is none, or if it is of no use since the machine was restarted.

        Raises:
            DamagedJournal: It is not as it was written.
        """
        try:
            if not stat.S_ISDIR(self.folder.lstat().st_mode):
                raise DamagedJournal("it is no folder")
            content = _whole_lines(read_stored(self.folder / _LINES, limit=_LIMIT))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DamagedJournal(error.strerror or str(error)) from error
        if not content:
            return None
        try:
            return _past([json.loads(line) for line in content.splitlines()])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DamagedJournal(f"its lines are damaged ({_first_line(error)})") from error

    def _line(self, content: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps(content).encode() + b"\n")
        self._file.flush()
        _flush(self._file.fileno())


def _boot() -> str:
    """The identifier of this boot of the machine; empty on systems that have none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def _past(lines: list[Any]) -> Past | None:
    """What checked lines say.

    Raises:
        ValueError, TypeError, KeyError: A line says something that no run writes.
    """
    if not all(isinstance(line, dict) for line in lines):
        raise ValueError("a line is no object")
    run = lines[0]["run"]
    if not isinstance(run, dict) or not all(isinstance(value, str) for value in run.values()):
        raise ValueError("the first line names no run")
    past = Past(run)
    for line in lines[1:]:
        if line.get("boot", _boot()) != _boot():
            return None
        if "point" in line:
            point = _point(line["point"])
            past.points[point.step] = point
            past.rows = {_name(role): _count(rows) for role, rows in dict(line["rows"]).items()}
        elif "settled" in line:
            past.settled.add(_name(line["settled"]))
        past.publishing |= "publishing" in line
    return past


def _point(values: Any) -> Point:
    point = Point(**values)
    if point.state != f"{_name(point.step)}-{_count(point.strips)}.npz":
        raise ValueError("a point names a foreign file")
    _count(point.computed)
    return point


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 100 or set(value) & set("/\\\0"):
        raise ValueError("a name is not one")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise ValueError("a number is not a count")
    return value


def _arrays(file: BinaryIO) -> State:
    """The arrays of a file that `numpy.savez` wrote. What a header claims must be there before memory is taken.

    Raises:
        ValueError, KeyError, EOFError, zipfile.BadZipFile: The file is damaged.
    """
    found: State = {}
    with zipfile.ZipFile(file) as members:
        for member in members.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError("it is compressed")
            content = members.read(member)  # checks its checksum; not more than the file holds
            stream = io.BytesIO(content)
            version = npy.read_magic(stream)  # type: ignore[no-untyped-call]
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, kind = read_header(stream)  # type: ignore[no-untyped-call]
            if kind.hasobject or int(np.prod(shape, dtype=object)) * kind.itemsize != len(content) - stream.tell():
                raise ValueError(f"{member.filename} is not as long as it says")
            stream.seek(0)
            found[member.filename.removesuffix(".npy")] = npy.read_array(stream, allow_pickle=False)  # type: ignore[no-untyped-call]
    return found


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:100]


def _flush(handle: int) -> None:
    # some file systems cannot flush; they lose data when the power fails, not when the process is killed
    with contextlib.suppress(OSError):
        os.fsync(handle)
