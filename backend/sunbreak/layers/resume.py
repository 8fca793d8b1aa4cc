"""Resumes the layers of a killed run: checks that it is the same run, and reuses what is on the disk."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sunbreak.errors import OutputError
from sunbreak.layers.journal import Journal, Point, State
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
    """

    def __init__(self, folder: Path, run: Mapping[str, str], resume: bool) -> None:
        self.folder, self.run = folder, dict(run)
        self.journal = Journal(folder)
        self.past = self.journal.read() if resume else None
        self.refused = False
        """Whether the folder belongs to an unfinished run that must stay as it is."""

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
        return sum(path.stat().st_size for path in _files(self.folder)) if self.past is not None else 0

    def take_over(self, finished: Iterable[str]) -> None:
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
            whole = set(finished)
            for path in _files(self.folder):
                if path.suffix != ".raw" and path.name not in whole:
                    path.unlink()
        self.journal.go_on()

    def staging(self, spec: LayerSpec, grid: Grid) -> Staging:
        """A layer's staged rows, as far as the earlier run recorded them.

        Raises:
            OSError: They cannot be created or are missing.
        """
        first = self.past.rows.get(spec.role) if self.past is not None else None
        if not first:
            for path in self.folder.glob(f"{spec.role}.*.raw"):
                path.unlink()
        return Staging(self.folder, spec, grid, first or None)

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
        except (OSError, ValueError) as error:
            raise self._refusal(f"left counts that cannot be read ({error})", "Check the disk") from error

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


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]
