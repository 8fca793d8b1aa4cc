"""Runs tests in several processes at the same time, each of one thread, and gives one exit status.

python tools/test_in_parts.py [--processes N] PART... [-- OPTIONS OF PYTEST]

A part is a file or folder of tests, or several with commas between them; each gets a process of its own. The longest
ones should be given first. What a part prints comes when it has ended.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

# processes of several threads each would wait for each other
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(part: str, options: list[str]) -> tuple[int, float]:
    """Run one part and print what it said; its exit status and its seconds."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *part.split(",")]
    # to a pipe of its own, read to its end: nothing of two parts is mixed
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**ONE_THREAD, **os.environ}, check=False
    )
    seconds = time.monotonic() - began
    heading = f"== {part}: {f'status {done.returncode}' if done.returncode else 'passed'}, {seconds:.0f} s"
    print(f"{heading}\n{done.stdout.decode(errors='replace')}", flush=True)
    return done.returncode, seconds


def main(parts: list[str], processes: int, options: list[str]) -> int:
    """1 if a part failed, otherwise 0."""
    began = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        results = list(pool.map(lambda part: run(part, options), parts))
    failed = [part for part, (status, _) in zip(parts, results, strict=True) if status]
    total = sum(seconds for _, seconds in results)
    print(f"{len(parts)} parts, {total / 60:.1f} min in {(time.monotonic() - began) / 60:.1f} min")
    for part in failed:
        print(f"FAILED: {part}")
    return bool(failed)


if __name__ == "__main__":
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="+")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args(given[:end])
    sys.exit(main(asked.parts, asked.processes, given[end + 1 :]))
