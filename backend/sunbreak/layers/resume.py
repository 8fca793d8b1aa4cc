"""Resumes the layers of a killed run: checks that it is the same run, and reuses what is on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sunbreak.errors import OutputError
from sunbreak.layers.journal import DamagedJournal, Journal, Point, State
from sunbreak.layers.roles import LayerSpec
from sunbreak.layers.staging import Staging
from sunbreak.scene.grid import Grid
from sunbreak.sources.fingerprint import fingerprint


class Continuation:
    """The journal of a run, and of the earlier run that it resumes.

    Args:
        folder: The hidden folder of the run.
        run: What identifies the run, text by name. Only the same run is resumed.
        resume: Whether to resume an earlier run.

    Raises:
        OutputError: The folder is none that a run of this user made, or its journal cannot be read.
    """

    def __init__(self, folder: Path, run: Mapping[str, str], resume: bool) -> None:
        self.folder, self.run = folder, dict(run)
        self.journal = Journal(folder)
        self.refused = False
        """Whether the folder belongs to an unfinished run that must stay as it is."""
        self._check_folder()
        try:
            self.past = self.journal.read() if resume else None
        except DamagedJournal as error:
            raise self._damage(f"has a journal that cannot be used: {error}") from error

    def _check_folder(self) -> None:
        """What somebody else made could lead elsewhere."""
        try:
            status = self.folder.lstat()
        except OSError:
            return
        mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        if not stat.S_ISDIR(status.st_mode) or not mine:
            self.refused = True
            raise OutputError(
                f"{self.folder} is {'a folder of another user' if stat.S_ISDIR(status.st_mode) else 'no folder'}, and "
                "the run would keep its unfinished layers there.",
                "Move it away, or choose another folder.",
                code="foreign-folder",
            )

    @property
    def publishing(self) -> bool:
        """Whether the earlier run had begun to rename its files."""
        return self.past is not None and self.past.publishing

    @property
    def settled(self) -> frozenset[str]:
        """Layers that the earlier run finished."""
        return frozenset(self.past.settled) if self.past is not None else frozenset()

    @property
    def nbytes(self) -> int:
        """Bytes that the earlier run has on disk."""
        return sum(path.lstat().st_size for path in _entries(self.folder)) if self.past is not None else 0

    def take_over(self, finished: Sequence[str]) -> None:
        """Reuse what the earlier run finished and delete the rest.

        Args:
            finished: Names of the files to keep besides the staged rows.

        Raises:
            OutputError: It was a different run.
        """
        past = self.past
        if past is None:
            return
        others = sorted(name for name in {*past.run, *self.run} if past.run.get(name) != self.run.get(name))
        if others:
            raise self._refusal(f"was a different one ({', '.join(others)})", "Repeat its command")
        if not past.publishing:
            # GDAL keeps the names of classes beside a raster
            whole = {*finished, *(f"{name}.aux.xml" for name in finished)}
            for path in _entries(self.folder):
                # a run may be killed before it deletes the staged rows of a layer that it finished
                staged = path.suffix == ".raw" and path.name.partition(".")[0] not in past.settled
                if not staged and path.name not in whole:
                    path.unlink()
        missing = [name for name in finished if not (self.folder / name).exists()] if not past.publishing else []
        if missing:
            raise self._damage(f"lacks {missing[0]}, which it had finished")
        for path in _entries(self.folder):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise self._damage(f"holds {path.name}, which is no regular file")
        try:
            self.journal.go_on()
        except OSError as error:
            raise self._damage(f"has a journal that cannot be continued: {error.strerror}") from error

    def begin(self) -> None:
        """Start a new run: delete what an earlier one left, and begin the journal.

        Raises:
            OSError: The folder cannot be made.
        """
        self.remove()
        self.folder.mkdir(mode=0o700)
        self.journal.begin(self.run)

    def remove(self) -> None:
        """Delete the folder, if there is one.

        Raises:
            OSError: It cannot be deleted.
        """
        if os.path.lexists(self.folder):
            shutil.rmtree(self.folder)

    def staging(self, spec: LayerSpec, grid: Grid, *, south_up: bool = False) -> Staging:
        """A layer's staged rows, as far as the earlier run recorded them.

        Raises:
            OSError: They cannot be created or are missing.
            OutputError: The journal names more rows than there are.
        """
        first = self.past.rows.get(spec.role) if self.past is not None else None
        if first and first > grid.height:
            raise self._damage(f"has a journal that names {first} rows of {grid.height} of the layer {spec.role}")
        if not first:
            for path in self.folder.glob(f"{spec.role}.*.raw"):
                path.unlink()
        return Staging(self.folder, spec, grid, first or None, south_up=south_up)

    def point(self, step: str, runtime: str) -> tuple[Point, State] | None:
        """How far the earlier run got in a step, and the counts of its task; None if it did not reach the step.

        Args:
            step: Name of the step.
            runtime: What runs the network now.

        Raises:
            OutputError: Another runtime ran it, which may round differently, or the counts cannot be read.
        """
        point = self.past.points.get(step) if self.past is not None else None
        if point is None:
            return None
        if point.runtime != runtime:
            reason = f"ran with {point.runtime}, and this run would use {runtime}"
            raise self._refusal(reason, "Give the same --device and --runtime")
        try:
            return point, self.journal.state(point)
        except (OSError, DamagedJournal) as error:
            raise self.damaged_counts(error) from error

    def damaged_counts(self, error: Exception) -> OutputError:
        """The error for counts of an earlier run that cannot be used. Its work stays."""
        return self._damage(f"left counts that cannot be used: {error}")

    def keep(self, staged: Mapping[str, Staging], point: Point, state: State) -> None:
        """Flush the rows, unless that was done a moment ago, and record them in the journal.

        Raises:
            OSError: The disk is full or gone.
        """
        started = time.monotonic()
        on_disk = self.journal.due or not self.journal.may_trust_system
        if on_disk:
            for staging in staged.values():
                staging.flush()
        rows = {role: staging.next_row for role, staging in staged.items()}
        self.journal.keep(point, rows, state, started, on_disk=on_disk)

    def damaged_rows(self, error: OSError) -> OutputError:
        """The error for staged rows of an earlier run that cannot be used. They stay."""
        return self._damage(f"left layers that cannot be used: {error.strerror or error}")

    def damaged_journal(self, role: str, wanted: int, there: int) -> OutputError:
        """The error for a journal that contradicts itself: rows of a layer do not fit how far a step got."""
        return self._damage(f"has a journal that names {there} rows of the layer {role}, where {wanted} are needed")

    def _damage(self, reason: str) -> OutputError:
        self.refused = True
        return OutputError(
            f"The unfinished run in {self.folder} {reason}.",
            "Nothing of it was deleted; leave out --resume to delete it and start from the beginning.",
            code="damaged-run",
        )

    def _refusal(self, reason: str, advice: str) -> OutputError:
        self.refused = True
        return OutputError(
            f"The unfinished run in {self.folder.parent} {reason}.",
            f"{advice}, or leave out --resume to start from the beginning.",
            code="other-run",
        )


def run_identity(
    provenance: Mapping[str, str], inputs: Sequence[Path], specs: Sequence[LayerSpec], grid: Grid
) -> dict[str, str]:
    """What identifies a run, text by name. Two runs with equal texts write the same layers."""
    files = [(str(path.absolute()), *fingerprint(path)) for path in inputs if path.exists()]
    forms = [asdict(spec) for spec in specs]
    return {
        **provenance,
        "input files": hashlib.sha256(json.dumps(files).encode()).hexdigest(),
        "layers": hashlib.sha256(json.dumps(forms).encode()).hexdigest(),
        "grid": f"{grid.width} x {grid.height} {tuple(grid.transform)}",
    }


def _entries(folder: Path) -> list[Path]:
    """What lies in the folder beside the journal and the folder of replaced files."""
    return [path for path in folder.iterdir() if path.is_symlink() or not path.is_dir()]
