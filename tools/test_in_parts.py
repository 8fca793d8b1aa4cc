"""Runs tests in two processes at once, of one thread each, and gives one exit status.

python tools/test_in_parts.py FOLDER... --first PATH... [-- OPTIONS OF PYTEST]

One process runs the tests of the paths after `--first`, the other one all others of the folders. What the second one
prints comes at the end.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

# two processes of two threads each would wait for each other
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main(folders: list[str], first: list[str], options: list[str]) -> int:
    """The exit status: that of pytest, the larger one."""
    pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    environment = {**ONE_THREAD, **os.environ}
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        others = [*pytest, *folders, *(f"--ignore={path}" for path in first)]
        processes = [
            subprocess.Popen([*pytest, *first], env=environment),
            subprocess.Popen(others, env=environment, stdout=said, stderr=said),
        ]
        try:
            statuses = [process.wait() for process in processes]
        finally:
            for process in processes:
                process.kill()
            said.seek(0)
            sys.stdout.flush()
            shutil.copyfileobj(said, sys.stdout.buffer)
    print(f"two processes, {(time.monotonic() - began) / 60:.1f} min, status {' and '.join(map(str, statuses))}")
    # a process that a signal ended has a negative one
    return max(abs(status) for status in statuses)


if __name__ == "__main__":
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--first", nargs="+", required=True)
    asked = parser.parse_args(given[:end])
    sys.exit(main(asked.folders, asked.first, given[end + 1 :]))
