"""One run of the backend: starts it with a clean environment, reads its messages, cancels it on request.

It blocks the calling thread (Processing's background thread) and needs no event loop.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QProcess

from ..compat import tr
from .environment import backend_environment
from .install_network import secrets_of
from .listening import BackendError, Listener, Result

__all__ = ["BackendError", "Result", "output_of", "run_backend", "run_program", "stop"]

POLL_MS = 50
START_MS = 30_000
GRACE_MS = 2_000  # the backend removes its partial files after its standard input is closed
KILL_AFTER_MS = 5_000


def run_backend(
    python: Path,
    arguments: list[str],
    feedback: QgsProcessingFeedback,
    *,
    several: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Run `sunbreak <arguments> --events` and wait for it.

    Args:
        python: Interpreter that has the backend.
        arguments: Command and options, without `--events`.
        feedback: Receives messages and progress, and is asked whether to stop. If it has a `KeptBackend` in its
            attribute `kept`, that runs the command.
        several: Whether the command processes several scenes. It then has a result although some of them failed.
        environment: Further variables, such as a proxy; no message contains its login.

    Raises:
        BackendError: It could not be started, reported an error, was cancelled, or ended without a result.
    """
    feedback.pushCommandInfo(shlex.join(["sunbreak", *arguments]))
    kept = getattr(feedback, "kept", None)
    result = kept.run(python, arguments, feedback) if kept is not None and not environment else None
    if result is not None:
        return result
    program = ["-I", "-u", "-m", "sunbreak", *arguments, "--events"]
    return run_program(str(python), program, feedback, several=several, environment=environment)


def run_program(
    program: str,
    arguments: list[str],
    feedback: QgsProcessingFeedback,
    *,
    several: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Run any program that uses the protocol; see `run_backend`."""
    process = QProcess()
    process.setProcessEnvironment(backend_environment(program, environment))
    process.start(program, arguments)
    if not process.waitForStarted(START_MS):
        raise BackendError(
            tr("The backend could not be started: {program}: {reason}.").format(
                program=program, reason=process.errorString()
            ),
            tr("Check its interpreter in Settings > Options > Processing > Providers > Sunbreak."),
            "backend-not-started",
        )
    listener = Listener(feedback, secrets_of(environment or {}))
    try:
        while not process.waitForFinished(POLL_MS) and process.state() != QProcess.ProcessState.NotRunning:
            listener.hear(*output_of(process))
            if feedback.isCanceled():
                raise BackendError(tr("Cancelled."), tr("No partial files were left."), "cancelled")
    finally:
        stop(process)
    listener.hear(*output_of(process), last=True)
    crashed = process.exitStatus() == QProcess.ExitStatus.CrashExit
    return listener.outcome(program, process.exitCode(), crashed=crashed, several=several)


def output_of(process: QProcess) -> tuple[bytes, bytes]:
    """What has arrived on standard output and standard error."""
    return bytes(process.readAllStandardOutput()), bytes(process.readAllStandardError())


def stop(process: QProcess) -> None:
    """Stop a running process: close its input, terminate it, and kill it after 5 s."""
    if process.state() == QProcess.ProcessState.NotRunning:
        return
    process.closeWriteChannel()
    if process.waitForFinished(GRACE_MS):
        return
    process.terminate()
    if process.waitForFinished(KILL_AFTER_MS):
        return
    process.kill()
    process.waitForFinished(KILL_AFTER_MS)
