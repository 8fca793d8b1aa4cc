"""Runs short programs without blocking QGIS, and stops them when the plugin is unloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QProcess, QTimer

from .environment import backend_environment

_END_MS = 2_000

# A process must not be deleted while it runs, even if the dialog that started it is closed.
_asking: set[QProcess] = set()


def ask(program: str, arguments: Iterable[str], answered: Callable[[int, str], None], limit_ms: int) -> None:
    """Run a short program and pass its exit status and output to a callback, later, in the same thread.

    A program that cannot be started or exceeds its time gives the status -1 and its output so far.
    """
    process = QProcess()
    process.setProcessEnvironment(backend_environment(program))
    process.setStandardInputFile(QProcess.nullDevice())
    timer = QTimer(process)
    timer.setSingleShot(True)
    timer.timeout.connect(process.kill)

    def end(status: int) -> None:
        if process in _asking:
            _asking.discard(process)
            if sip.isdeleted(process):  # QGIS is being closed
                return
            text = bytes(process.readAllStandardOutput()).decode("utf-8", errors="replace")
            if status:
                text += bytes(process.readAllStandardError()).decode("utf-8", errors="replace")
            process.deleteLater()
            answered(status, text)

    def finished(code: int, how: QProcess.ExitStatus) -> None:
        end(code if how == QProcess.ExitStatus.NormalExit else -1)

    def failed(error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            end(-1)

    process.finished.connect(finished)
    process.errorOccurred.connect(failed)
    _asking.add(process)
    process.start(program, list(arguments))
    timer.start(limit_ms)


def open_questions() -> int:
    """Number of programs that still run."""
    return len(_asking)


def stop_asking() -> None:
    """Stop all programs when the plugin is unloaded; their callbacks are not called."""
    processes = [process for process in _asking if not sip.isdeleted(process)]
    _asking.clear()
    for process in processes:
        process.kill()
    for process in processes:
        process.waitForFinished(_END_MS)
