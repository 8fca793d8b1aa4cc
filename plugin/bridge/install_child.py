"""Runs the programs of an installation with a clean environment, reads their output, kills them on cancel."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from qgis.PyQt.QtCore import QProcess

from ..compat import tr
from .environment import backend_environment
from .install_errors import cancelled
from .install_network import proxy_hosts, secrets_of
from .install_progress import Lines
from .install_python import CHECK_COMMAND, Check, parse_check
from .process import BackendError
from .protocol import PROTOCOL_VERSION

POLL_MS = 50
START_MS = 30_000
KILL_MS = 1_000
_LOOK_EVERY_S = 0.5
_FOREIGN = ("PIP_",)
_dying: list[QProcess] = []


class Watcher(Protocol):
    """Receives progress and log lines, and can ask to stop. Called in the installation's thread."""

    def stand(self, fraction: float, text: str) -> None:
        """Progress, 0 to 1, and the current step."""

    def log(self, line: str) -> None:
        """One line of output."""

    def stopped(self) -> bool:
        """Whether to stop."""


class Child:
    """Runs programs one after the other in one environment, and passes on their output."""

    def __init__(
        self,
        watcher: Watcher,
        proxies: Mapping[str, str],
        temporary: Path | None = None,
        *,
        python: Path | str = "",
        offline: bool = False,
    ) -> None:
        self._watcher = watcher
        self._secrets = secrets_of(proxies)
        self._environment = backend_environment(python)
        if offline:  # no other pip configuration may add package sources to the folder
            for name in self._environment.keys():  # noqa: SIM118 -- Qt's class, no mapping
                if name.upper().startswith(_FOREIGN):
                    self._environment.remove(name)
            self._environment.insert("PIP_CONFIG_FILE", "nul" if sys.platform == "win32" else "/dev/null")
        self.add(proxies)
        if temporary is not None:
            self.add(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)))

    def add(self, variables: Mapping[str, str]) -> None:
        """Set variables for all later runs."""
        for name, value in variables.items():
            self._environment.insert(name, value)

    def proxy_hosts(self) -> frozenset[str]:
        """The hosts of the proxies that the programs use, whether QGIS or the user's environment names them."""
        return proxy_hosts({name: self._environment.value(name) for name in self._environment.keys()})  # noqa: SIM118

    def run(
        self,
        program: str,
        arguments: Sequence[str],
        hear: Callable[[str], bool] | None = None,
        look: Callable[[], None] | None = None,
    ) -> tuple[int, list[str]]:
        """Run a program and wait for it.

        Args:
            program: File to start.
            arguments: Its arguments.
            hear: Gets each line; returns False for lines that are not logged.
            look: Called twice a second while it runs.

        Returns:
            Exit status (-1 if it crashed) and its last lines.

        Raises:
            BackendError: It cannot be started, or the user cancelled and it was stopped.
        """
        process = QProcess()
        process.setProcessEnvironment(self._environment)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.setStandardInputFile(QProcess.nullDevice())
        process.start(program, list(arguments))
        if not process.waitForStarted(START_MS):
            raise BackendError(
                tr("{program} could not be started: {reason}.").format(program=program, reason=process.errorString()),
                tr("Choose another Python."),
                "install-wrong-interpreter",
            )
        cutter, said, looked = Lines(), deque(maxlen=200), time.monotonic()
        try:
            while not process.waitForFinished(POLL_MS) and process.state() != QProcess.ProcessState.NotRunning:
                self._take(cutter.feed(bytes(process.readAllStandardOutput())), said, hear)
                if look is not None and time.monotonic() - looked > _LOOK_EVERY_S:
                    look()
                    looked = time.monotonic()
                if self._watcher.stopped():
                    raise cancelled()
        finally:
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()  # pip leaves nothing that is not discarded anyway
                if not process.waitForFinished(KILL_MS):
                    _dying.append(process)  # deleting it here would block until its disk access ends
        self._take(cutter.feed(bytes(process.readAllStandardOutput())) + cutter.finish(), said, hear)
        if self._watcher.stopped():
            raise cancelled()
        crashed = process.exitStatus() == QProcess.ExitStatus.CrashExit
        return (-1 if crashed else process.exitCode()), list(said)

    def _take(self, lines: Sequence[str], said: deque[str], hear: Callable[[str], bool] | None) -> None:
        for line in lines:
            for secret in self._secrets:
                line = line.replace(secret, "***")
            if hear is None or hear(line):
                said.append(line)
                self._watcher.log(line)


def check_interpreter(python: Path, watcher: Watcher) -> Check:
    """Start an interpreter and import everything that the backend needs.

    Raises:
        BackendError: It does not answer, or was cancelled.
    """
    lines: list[str] = []
    status, _ = Child(watcher, {}, python=python).run(str(python), CHECK_COMMAND, lambda line: bool(lines.append(line)))
    check = parse_check("\n".join(lines))
    if status != 0 or check is None:
        raise BackendError(
            tr("{python} is not a working Python interpreter.").format(python=python),
            " | ".join(lines[-2:]) or tr("Choose another interpreter."),
            "install-wrong-interpreter",
        )
    return check


def refuse_unfit(check: Check) -> None:
    """Refuse an interpreter that cannot run the backend.

    Raises:
        BackendError: Its version, a package, or the version of the process protocol is wrong.
    """
    version = ".".join(map(str, check.version))
    if not (3, 10) <= check.version[:2] <= (3, 13):
        raise BackendError(
            tr("This is Python {version}.").format(version=version),
            tr("The backend needs Python 3.10 to 3.13."),
            "install-python",
        )
    if not check.sunbreak:
        raise BackendError(
            tr("Python {version} has no Sunbreak backend.").format(version=version),
            tr("Install it there with pip or conda, or let Sunbreak install its own backend."),
            "backend-missing",
        )
    if check.broken:
        why = next(iter(check.broken.values()))
        raise BackendError(
            tr("{names} cannot be imported there: {why}").format(names=", ".join(check.broken), why=why),
            tr("Install the Microsoft Visual C++ Redistributable (x64) and try again.")
            if "WinError 126" in why or "WinError 1114" in why or "DLL load failed" in why
            else tr("Repair that environment, or let Sunbreak install its own backend."),
            "install-broken-import",
        )
    if check.protocol != PROTOCOL_VERSION:
        raise BackendError(
            tr("The backend {release} uses version {theirs} of the process protocol, this plugin uses {ours}.").format(
                release=check.sunbreak, theirs=check.protocol, ours=PROTOCOL_VERSION
            ),
            tr("Update the older of the two."),
            "backend-version",
        )
