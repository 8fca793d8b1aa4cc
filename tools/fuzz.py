"""Mutates small inputs and runs the real program on them: `python tools/fuzz.py --seconds 60 --seed 1`.

Sentinel-2 and Sentinel-1 GeoTIFF, cloud masks, model cards, safetensors, checkpoints, SAFE and STAC metadata, zip archives, virtual rasters, tables of
scenes and of patches, polygons and the journal of an unfinished run are mutated by a seeded generator
(`tools/fuzz_mutations.py`, `tools/fuzz_subjects.py`).
Each is read by the command line inside a worker process that is kept alive, because imports take seconds.

A failure is an exit status other than 0 and 2, a traceback, an error without its line, no end within `--limit` seconds,
a crash, a connection to a listener on this machine, a changed input, or an output after an error. The failing files
are stored under `--keep`, and the command that repeats it is printed. Exit status 1 if anything failed. A case is made
from the seed and its number alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported
sys.path.insert(0, str(Path(__file__).parent))

import fuzz_subjects
from fuzz_subjects import SUBJECTS, Subject

SPARE_BYTES = 3 * 2**30
CASES_OF_A_WORKER = 500
SLOW_START_S = 60.0


class Worker:
    """A process that runs `sunbreak` on one case after the other; replaced when it dies or hangs."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, __file__, "--worker"]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.cases = 0

    def run(self, arguments: list[str], log: Path, limit: float) -> tuple[str, float]:
        """How a call ended (``status 2``, ``hang``, ``crash by signal 11``), and its seconds."""
        assert self._process.stdin and self._process.stdout
        started = time.monotonic()
        # the first call imports what the command needs
        limit += SLOW_START_S if self.cases == 0 else 0
        self.cases += 1
        self._process.stdin.write(json.dumps({"arguments": arguments, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        readable, _, _ = select.select([self._process.stdout], [], [], limit)
        answer = self._process.stdout.readline() if readable else ""
        seconds = time.monotonic() - started
        if answer:
            return f"status {json.loads(answer)['status']}", seconds
        if readable:
            code = self._process.wait(10)
            return (f"crash by signal {-code}" if code < 0 else f"worker ended with {code}"), seconds
        self.end()
        return "hang", seconds

    @property
    def usable(self) -> bool:
        """Whether it lives and is not worn out."""
        return self._process.poll() is None and self.cases < CASES_OF_A_WORKER

    def end(self) -> None:
        """Kill the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


def work() -> None:
    """The worker: reads one JSON line for each case, answers with its exit status on the descriptor that was stdout."""
    import resource

    from sunbreak.cli.app import app

    answers = os.fdopen(os.dup(1), "w")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    # what is mapped for libraries that are imported later is not used memory
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * SPARE_BYTES, used + 2 * SPARE_BYTES))
    resource.setrlimit(resource.RLIMIT_DATA, (used + SPARE_BYTES, used + SPARE_BYTES))
    for line in sys.stdin:
        case = json.loads(line)
        with Path(case["log"]).open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        try:
            app(case["arguments"], prog_name="sunbreak")
            status: Any = 0
        except SystemExit as error:
            status = error.code
        except BaseException as error:
            import traceback

            traceback.print_exc()
            status = type(error).__name__
        sys.stdout.flush()
        sys.stderr.flush()
        answers.write(json.dumps({"status": status}) + "\n")
        answers.flush()


class Fuzzer:
    """One seeded run over the subjects.

    Args:
        seed: Of all cases.
        root: Scratch folder.
        keep: Where failing files go.
        limit: Seconds that a call may take.
        subjects: What is mutated.
    """

    def __init__(self, seed: int, root: Path, keep: Path, limit: float, subjects: tuple[Subject, ...]) -> None:
        self.seed, self.root, self.keep, self.limit, self.subjects = seed, root, keep, limit, subjects
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.models = fuzz_subjects.prepare(root)
        self.environment = {
            **os.environ, "SUNBREAK_MODELS": str(root / "own-models"), "SUNBREAK_CACHE": str(root / "cache"),
            "HOME": str(root), "no_proxy": "*",
        }  # fmt: skip
        self.worker = Worker(self.environment)
        self.endings: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.slowest = (0.0, "")

    def case(self, number: int) -> None:
        """Make one case, run it, judge it."""
        subject = self.subjects[number % len(self.subjects)]
        rng = random.Random(f"{self.seed} {subject.name} {number}")
        folder, log = self.root / "case", self.root / "log"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.root / subject.name, folder)
        found = sorted(path for pattern in subject.files for path in folder.glob(pattern) if path.is_file())
        target = rng.choice(found)
        target.write_bytes(subject.how(rng, target.read_bytes(), self._tokens(folder)))
        if subject.name == "safetensors":
            fuzz_subjects.fit_checksum(folder)
        command = self._arguments(rng.choice(subject.commands), folder, target)
        before = snapshot(folder)
        if not self.worker.usable:
            self.worker.end()
            self.worker = Worker(self.environment)
        ending, seconds = self.worker.run(command, log, self.limit)
        if ending == "hang":  # a busy machine, or a hang: the second try tells
            self.worker = Worker(self.environment)
            ending, seconds = self.worker.run(command, log, self.limit)
        self.endings[f"{subject.name}: {ending}"] += 1
        self.slowest = max(self.slowest, (seconds, f"{subject.name} {number}"))
        problems = self._problems(subject, ending, log, before, folder)
        if problems:
            self._store(subject, number, command, problems, log)

    def _problems(self, subject: Subject, ending: str, log: Path, before: dict[str, str], folder: Path) -> list[str]:
        found = [] if ending in {f"status {status}" for status in subject.status} else [ending]
        said = log.read_text(errors="replace") if log.exists() else ""
        found += [word for word in ("Traceback (most recent call last)", "Internal error") if word in said]
        if ending == "status 2" and not said.strip():
            found.append("no line")
        if "\x1b" in said or "\u202e" in said:
            found.append("control characters in the output")
        while True:
            try:
                connection, _ = self.listener.accept()
            except BlockingIOError:
                break
            connection.close()
            found.append("connection")
        after = snapshot(folder)
        changed = [name for name in {*before, *after} if before.get(name) != after.get(name)]
        own = [name for name in changed if name.startswith("out/")]
        if len(own) < len(changed):
            found.append(f"changed {sorted(set(changed) - set(own))[:3]}")
        if ending == "status 2" and any("/." not in name for name in own):
            found.append("output after an error")
        return found

    def _store(self, subject: Subject, number: int, command: list[str], problems: list[str], log: Path) -> None:
        place = self.keep / f"{subject.name}-{self.seed}-{number}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.root / "case", place / "in")
        shutil.copytree(self.models, place / "models")
        said = log.read_text(errors="replace").strip() if log.exists() else ""
        last = said.splitlines()[-1] if said else ""
        text = " ".join(f"'{part}'" if " " in part else part for part in command)
        text = text.replace(str(self.root / "case"), str(place / "in")).replace(str(self.models), str(place / "models"))
        call = f"SUNBREAK_MODELS={place}/own {sys.executable} -m sunbreak {text} --debug"
        call = call.replace(" --debug", "") if command[:2] == ["models", "show"] else call
        (place / "command.txt").write_text(f"{call}\n\n{', '.join(problems)}\n\n{said}\n")
        self.failures[f"{subject.name}: {', '.join(problems)}: {_kind(last)}"] += 1
        print(f"FAILED {subject.name} {number}: {', '.join(problems)}\n  {last[:300]}\n  {call}", flush=True)

    def _arguments(self, pattern: tuple[str, ...], folder: Path, target: Path) -> list[str]:
        safe = next(folder.glob("*.SAFE"), folder)
        names = {"in": folder, "out": folder / "out", "models": self.models, "file": target, "safe": safe}
        return [text.format_map(names) for text in pattern]

    def _tokens(self, folder: Path) -> list[bytes]:
        address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/x.tif"
        texts = (
            f"/vsicurl/{address}", address, f"/vsicurl_streaming/{address}", f"NETCDF:{address}", "MEM:::DATAPOINTER=1",
            f'<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
            f"<SourceFilename>/vsicurl/{address}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
            f'<GDALMetadata><Item name="OVERVIEW_FILE" domain="OVERVIEWS">/vsicurl/{address}</Item></GDALMetadata>',
            '<GDALMetadata><Item name="DESCRIPTION" sample="0" role="description">B02</Item></GDALMetadata>',
            '<GDALMetadata><Item name="OFFSET" sample="0" role="offset">nan</Item>'
            '<Item name="SCALE" sample="0" role="scale">1e400</Item></GDALMetadata>',
            "nan", "-nan", "1e400", "inf", "-9999", "\x1b[2J\x1b[31m", "\n", "%s%n{0}", "\xff\xfe", "=1+1", "../" * 20,
            "csubprocess\ncall\n(S'true'\ntR.", "PROJCS[\"x\",GEOGCS[]]", "EPSG:4326", "A" * 3000, "0", "[", "{", "<",
        )  # fmt: skip
        return [text.encode("latin-1") for text in texts] + [bytes(64), b"\xff" * 64]


def snapshot(folder: Path) -> dict[str, str]:
    """The digest of every file under a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _kind(line: str) -> str:
    """An error's line without what differs from case to case."""
    start = line.find("Internal error")
    return line[start : start + 70] if start >= 0 else line[-90:]


def main() -> None:
    """Parse the options, run cases until the time is over, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--seed", type=int, default=1, help="of all cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--cases", type=int, default=10**9, help="stop after this many")
    parser.add_argument("--only", nargs="*", choices=[subject.name for subject in SUBJECTS], help="subjects")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds that one call may take")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder for the failing files")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work()
        return
    subjects = tuple(subject for subject in SUBJECTS if not options.only or subject.name in options.only)
    with tempfile.TemporaryDirectory(prefix="sunbreak-fuzz-") as scratch:
        fuzzer = Fuzzer(options.seed, Path(scratch), options.keep.absolute(), options.limit, subjects)
        try:
            end, number = time.monotonic() + options.seconds, options.first
            while time.monotonic() < end and number < options.first + options.cases:
                fuzzer.case(number)
                number += 1
        finally:
            fuzzer.worker.end()
    for ending, count in sorted(fuzzer.endings.items()):
        print(f"{count:6} {ending}")
    print(f"slowest: {fuzzer.slowest[0]:.1f} s ({fuzzer.slowest[1]})")
    print(f"{number - options.first} cases, {fuzzer.failures.total()} failures, seed {options.seed}")
    for text, count in fuzzer.failures.most_common():
        print(f"{count:6} {text}")
    sys.exit(1 if fuzzer.failures else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a worker never outlives its parent
    main()
