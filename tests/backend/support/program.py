"""Runs `sunbreak` in a process of its own, without the seconds that each start would spend on imports.

A server imports the program and its libraries once and forks a process for each call. That process has its own
standard streams, environment, folder and exit status, and runs what `python -m sunbreak` runs. Where processes cannot
be forked, a new interpreter is started. Tests of signals and of the start itself always start one.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

RUN = [sys.executable, "-I", "-u", "-m", "sunbreak"]
#: The command, and what it imports when it runs a network.
_PRELOADED = [
    "sunbreak.cli.app", "sunbreak.jobs.single", "sunbreak.jobs.chain", "sunbreak.diagnostics.inspection",
    "sunbreak.clouds.s2cloudless", "sunbreak.engine.openvino_runtime", "rasterio", "s2cloudless", "scipy.ndimage",
    "sklearn.linear_model", "openvino", "torch", "PIL.Image",
]  # fmt: skip
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()


def sunbreak(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 120,
    first: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end.

    Its standard input stays open, because a program that reports events is cancelled when it ends.

    Args:
        arguments: The command and its options.
        env: All variables of its environment; those of this process by default.
        cwd: Its folder.
        timeout: Seconds after which it is killed.
        first: Python code that the process runs before the command.
    """
    words = [str(argument) for argument in arguments]
    environment = dict(os.environ if env is None else env)
    if not _FORKS:
        return _started(words, environment, cwd, timeout, first)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        os.mkfifo(streams[0])
        process = context.Process(target=_run, args=(words, environment, cwd or Path.cwd(), streams, first))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([*RUN, *words], timeout)
        out, err = (path.read_text(encoding="utf-8") for path in streams[1:])
    return subprocess.CompletedProcess([*RUN, *words], process.exitcode, out, err)


def _run(words: list[str], environment: dict[str, str], folder: Path, streams: list[Path], first: str) -> None:
    """The forked process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate(streams):
        # a pipe that this process itself could write to has no end
        opened = os.open(path, os.O_RDWR if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", buffering=1) for number in (1, 2))
    sys.argv = ["sunbreak", *words]
    from sunbreak.cli import main

    exec(first, {})
    main()


def _started(
    words: list[str], environment: dict[str, str], folder: Path | None, timeout: float, first: str
) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-I", "-u", "-c", f"{first}\nfrom sunbreak.cli import main\nmain()"] if first else RUN
    reading, writing = os.pipe()
    try:
        return subprocess.run(
            [*start, *words], stdin=reading, capture_output=True, text=True, encoding="utf-8", timeout=timeout,
            env=environment, cwd=folder, check=False,
        )  # fmt: skip
    finally:
        os.close(reading)
        os.close(writing)
