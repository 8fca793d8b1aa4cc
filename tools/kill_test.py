"""Kills runs at random moments and resumes them: `python tools/kill_test.py --kills 100 --terms 100`.

Small scenes are cleaned, taken through the whole chain, and processed as a batch. Each kill (SIGKILL) is followed by the
same command with ``--resume``, which must end with the bytes of a run that nobody disturbed. Each SIGTERM must end the
process with status 130 and its line, with nothing left but finished scenes of a batch. A table says how often that
held, and how long a terminated process took to end. Exit status 1 if anything failed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

COMMANDS = ("clean", "run", "batch")
SLOW_S = 3.0
LIMIT_S = 300


@dataclass
class Tally:
    """What happened to the calls of one command.

    Attributes:
        counts: How often each outcome came.
        endings: Seconds from SIGTERM to the end of the process.
        failures: What went wrong, a line for each.
    """

    counts: Counter[str] = field(default_factory=Counter)
    endings: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Victim:
    """One command on inputs of its own, which can be started, killed and compared with an undisturbed run.

    Args:
        name: ``clean``, ``run`` or ``batch``.
        root: Folder of the inputs and outputs.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.out = name, root / name / "out"
        self.arguments = [*arguments(name, root), "-o", str(self.out)]
        self.environment = {**os.environ, "SUNBREAK_CACHE": str(root / "cache"), "SUNBREAK_MODELS": str(root / "own")}
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        self.start_s = 2 * (time.monotonic() - started)
        done, self.seconds = self._whole(), 0.0  # the first one fills the caches of the disk
        started = time.monotonic()
        self.expected = self._whole()
        self.seconds = time.monotonic() - started
        if done != self.expected:
            changed = sorted(name for name in {*done, *self.expected} if done.get(name) != self.expected.get(name))
            sys.exit(f"{name}: two undisturbed runs differ in {', '.join(changed)}")

    def _whole(self) -> dict[str, str]:
        shutil.rmtree(self.out, ignore_errors=True)
        done = self.call()
        if done.returncode:
            sys.exit(f"{self.name} fails without being disturbed: {done.stderr}")
        return contents(self.out)

    def call(self, *more: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        command = [sys.executable, "-m", "sunbreak", *self.arguments, *more]
        return subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S,
            check=False,
        )  # fmt: skip

    def stopped(self, after: float, number: signal.Signals) -> tuple[int, str, float]:
        """Send a signal so many seconds after the start: status, standard error, seconds until the end."""
        shutil.rmtree(self.out, ignore_errors=True)
        command = [sys.executable, "-m", "sunbreak", *self.arguments]
        with subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True,
        ) as running:  # fmt: skip
            time.sleep(after)
            started = time.monotonic()
            running.send_signal(number)
            _, said = running.communicate(timeout=LIMIT_S)
            return running.returncode, said, time.monotonic() - started

    def kill(self, after: float, tally: Tally) -> None:
        """One SIGKILL and the run that resumes."""
        status, _, _ = self.stopped(after, signal.SIGKILL)
        torn = [name for name, digest in contents(self.out).items() if self.expected.get(name) != digest]
        # of a batch the summary grows with every scene
        torn = [name for name in torn if not (self.name == "batch" and name == "summary.csv")]
        done = self.call("--resume")
        said = done.stdout + done.stderr
        where = f"killed after {after:.3f} s"
        if torn:
            tally.failures.append(f"{where}: partial {', '.join(torn[:3])} under final names")
        if done.returncode:
            tally.failures.append(f"{where}: --resume ends with {done.returncode}: {last_line(done.stderr)}")
        elif contents(self.out) != self.expected:
            now = contents(self.out)
            changed = sorted(name for name in {*now, *self.expected} if now.get(name) != self.expected.get(name))
            tally.failures.append(f"{where}: other bytes in {', '.join(changed[:3])}")
        elif hidden(self.out):
            tally.failures.append(f"{where}: left {', '.join(hidden(self.out)[:3])}")
        else:
            tally.counts["identical"] += 1
        if status != -signal.SIGKILL:
            tally.counts["had ended"] += 1
        elif "Resuming" in said:
            tally.counts["resumed"] += 1
        else:
            tally.counts["started anew"] += 1

    def terminate(self, after: float, tally: Tally) -> None:
        """One SIGTERM."""
        status, said, seconds = self.stopped(after, signal.SIGTERM)
        where = f"terminated after {after:.3f} s"
        left = contents(self.out)
        if status == 0:
            tally.counts["had ended"] += 1
            if left != self.expected:
                tally.failures.append(f"{where}: status 0 without all outputs")
            return
        if status == -signal.SIGTERM and after < self.start_s and not said and not left:
            tally.counts["had not begun"] += 1  # the interpreter itself was starting
            return
        tally.endings.append(seconds)
        tally.counts["status 130"] += status == 130
        tally.counts["line"] += last_line(said).startswith("Cancelled")
        tally.counts[f"under {SLOW_S:.0f} s"] += seconds < SLOW_S
        torn = [name for name, digest in left.items() if self.name != "batch" or self.expected.get(name) != digest]
        torn = [name for name in torn if name != "summary.csv"] + hidden(self.out)
        tally.counts["nothing left"] += not torn and (self.name == "batch" or not self.out.exists())
        if status != 130:
            tally.failures.append(f"{where}: status {status}: {last_line(said)}")
        elif not last_line(said).startswith("Cancelled"):
            tally.failures.append(f"{where}: says {last_line(said)!r}")
        if torn:
            tally.failures.append(f"{where}: left {', '.join(torn[:3])}")


def arguments(name: str, root: Path) -> list[str]:
    """The arguments of a command, on scenes that are made for it: without the output."""
    folder, models = root / name, root / "models"
    how = ["--detector", "s2cloudless", "--runtime", "torch", "--device", "cpu", "--model", str(models / "small.json")]
    if name == "batch":
        for number in range(3):
            write_scene(folder, f"place{number}_2020-06-01", 160, number)
        return ["batch", str(folder / "*_s2.tif"), "--task", "clean", "--s1-pattern", "{stem}_s1.tif", *how]
    rows = 900 if name == "clean" else 250
    write_scene(folder, "place_2020-06-01", rows, 4)
    more = ["--classifier", str(models / "small-landcover.json"), "--stride", "32"] if name == "run" else []
    return [name, str(folder / "place_2020-06-01_s2.tif"), "--s1", str(folder / "place_2020-06-01_s1.tif"), *how, *more]


def write_scene(folder: Path, stem: str, rows: int, seed: int) -> None:
    """A cloudy scene of 66 columns and so many rows, and its radar."""
    from fuzz_subjects import write_raster

    from sunbreak.datasets.simulation import simulate_scene
    from sunbreak.scene import S2_BANDS

    made = simulate_scene((rows, 66), seed, cover=0.4)
    write_raster(folder / f"{stem}_s2.tif", made.cloudy, S2_BANDS)
    write_raster(folder / f"{stem}_s1.tif", made.s1, ("VV", "VH"))


def contents(folder: Path) -> dict[str, str]:
    """A digest of every file that is not hidden, without what two equal runs write differently: times."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_timeless(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def hidden(folder: Path) -> list[str]:
    """What is left under hidden names."""
    kept = {".sunbreak-done.json"}  # how a batch knows a finished scene
    return [path.name for path in folder.rglob(".*") if path.name not in kept] if folder.exists() else []


def last_line(text: str) -> str:
    """The last line of a program's words."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == "summary.csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        timed = ("seconds", "state", "status", "tiles_computed")
        return json.dumps([{k: v for k, v in row.items() if k not in timed} for row in rows]).encode()
    if path.suffix == ".json":
        item = json.loads(content)
        _forget(item)
        return json.dumps(item).encode()
    return content


def _forget(item: object) -> None:
    """Remove the times of writing, at any depth."""
    inner = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
    if isinstance(item, dict):
        for key in ("created", "updated", "processing:datetime", "seconds"):
            item.pop(key, None)
    for value in inner:
        _forget(value)


def table(tallies: dict[str, tuple[Tally, Tally]]) -> None:
    """Print what held."""
    for name, (kills, terms) in tallies.items():
        many = kills.counts["had ended"] + kills.counts["resumed"] + kills.counts["started anew"]
        parts = ", ".join(f"{kills.counts[key]} {key}" for key in ("identical", "resumed", "started anew", "had ended"))
        print(f"{name:6} {many} kills: {parts}")
        times = sorted(terms.endings)
        if times:
            at = [times[min(int(len(times) * part), len(times) - 1)] for part in (0.5, 0.95)]
            said = ", ".join(
                f"{terms.counts[key]} {key}" for key in ("status 130", "line", "nothing left", f"under {SLOW_S:.0f} s")
            )
            print(
                f"{name:6} {len(times)} terminated ({terms.counts['had ended']} had ended, {terms.counts['had not begun']} had not begun): {said}"
            )
            print(f"       seconds to the end: median {at[0]:.2f}, 95 % {at[1]:.2f}, longest {times[-1]:.2f}")
        for line in (*kills.failures, *terms.failures):
            print(f"       FAILED {line}")


def main() -> None:
    """Parse the options, disturb every command, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="SIGKILLs of each command")
    parser.add_argument("--terms", type=int, default=100, help="SIGTERMs of each command")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=COMMANDS, help="what is killed")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    from fuzz_subjects import write_models

    tallies: dict[str, tuple[Tally, Tally]] = {}
    with tempfile.TemporaryDirectory(prefix="sunbreak-kill-") as scratch:
        root = Path(scratch)
        write_models(root / "models")
        for name in options.commands:
            rng = random.Random(f"{options.seed} {name}")
            victim, (kills, terms) = Victim(name, root), tallies.setdefault(name, (Tally(), Tally()))
            for _ in range(options.kills):
                victim.kill(rng.uniform(0, 1.05 * victim.seconds), kills)
            for _ in range(options.terms):
                victim.terminate(rng.uniform(0, 0.95 * victim.seconds), terms)
    table(tallies)
    sys.exit(1 if any(one.failures for pair in tallies.values() for one in pair) else 0)


if __name__ == "__main__":
    main()
