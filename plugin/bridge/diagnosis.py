"""The checks that the plugin runs itself: whether a backend is installed, starts and fits, and whether the proxy works.

The backend's own doctor runs the other checks, if the backend starts.
"""

from __future__ import annotations

import json
import platform
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsProcessingFeedback
from qgis.PyQt.QtCore import QT_VERSION_STR, QProcess, QUrl
from qgis.PyQt.QtNetwork import QAbstractSocket, QNetworkProxy, QTcpSocket

from .. import settings
from ..builds import build_name
from ..compat import tr
from .environment import backend_environment
from .installed import installed_backend, plugin_version
from .process import BackendError, Result, run_backend, stop
from .protocol import PROTOCOL_VERSION

# Imports no large package: this checks that the interpreter starts, not that all packages work.
_PROBE = """
import importlib, json, struct, sys
facts = {"probe": 1, "version": list(sys.version_info[:3]), "bits": 8 * struct.calcsize("P")}
facts.update(sunbreak="", protocol=0)
try:
    facts["sunbreak"] = importlib.import_module("sunbreak").__version__
    facts["protocol"] = importlib.import_module("sunbreak.events").PROTOCOL_VERSION
except ImportError as error:
    facts["missing"] = str(error)
print(json.dumps(facts))
"""
_PROBE_S = 30
_POLL_MS = 50
_PATIENCE_MS = 5_000
_INDEX = "pypi.org:443"
_PYTHONS = ((3, 10), (3, 13))


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: Name of the check.
        well: Whether it passed.
        found: What was found.
        advice: The fix if it failed, or an improvement.
    """

    name: str
    well: bool
    found: str
    advice: str = ""


def run_checks(folder: Path, proxy: str, feedback: QgsProcessingFeedback) -> list[Finding]:
    """Run all checks: the plugin's own, then the backend's.

    Args:
        folder: Folder for results.
        proxy: Address of QGIS's proxy, empty for none.
        feedback: Of the run.

    Raises:
        BackendError: The user cancelled; any other failure is a finding.
    """
    findings = [_qgis()]
    try:
        python = settings.backend_python()
    except settings.BackendMissingError as error:
        findings.append(Finding("interpreter", False, str(error), _reinstall()))
    else:
        findings.append(Finding("interpreter", True, _described(python)))
        own = check_backend(python, feedback)
        findings += own
        if all(finding.well for finding in own):
            findings += _ask_backend(python, folder, feedback)
    findings.append(check_proxy(proxy))
    return findings


def check_backend(python: Path, feedback: QgsProcessingFeedback) -> list[Finding]:
    """Check that an interpreter starts and has a backend of this plugin's version.

    Raises:
        BackendError: The user cancelled.
    """
    status, text = _run(python, feedback)
    facts = _last_object(text)
    if not facts:
        said = text.strip().splitlines()
        reason = said[-1][:300] if said else tr("no output (exit status {status})").format(status=status)
        return [
            Finding(
                "start", False, tr("{python} does not run: {reason}").format(python=python, reason=reason), _reinstall()
            )
        ]
    version = tuple(facts["version"])
    shown = ".".join(map(str, version))
    if not _PYTHONS[0] <= version[:2] <= _PYTHONS[1] or facts["bits"] != 64:
        found = tr("Python {version}, {bits} bit").format(version=shown, bits=facts["bits"])
        return [
            Finding("start", False, found, tr("The backend needs a 64-bit Python 3.10 to 3.13. Choose another one."))
        ]
    findings = [Finding("start", True, f"Python {shown}")]
    ours, theirs = plugin_version(), str(facts["sunbreak"])
    if not theirs:
        found = tr("no Sunbreak backend is installed in it: {reason}").format(reason=facts.get("missing", ""))
        return [*findings, Finding("version", False, found, _reinstall())]
    found = tr("backend {theirs}, plugin {ours}").format(theirs=theirs, ours=ours)
    if theirs != ours or facts["protocol"] != PROTOCOL_VERSION:
        found += tr("; protocol {theirs} and {ours}").format(theirs=facts["protocol"], ours=PROTOCOL_VERSION)
        advice = tr("Update the older of the two (the backend with Plugins > Sunbreak > Backend).")
        return [*findings, Finding("version", False, found, advice)]
    return [*findings, Finding("version", True, found)]


def check_proxy(address: str) -> Finding:
    """Check that QGIS's proxy allows connections, with the request that the installer would send.

    Args:
        address: ``http://host:port``, with user name and password before the host if required; empty for none.
    """
    if not address:
        return Finding("QGIS's proxy", True, tr("not set; Sunbreak itself needs no network"))
    url = QUrl(address)
    shown = f"{url.scheme()}://{url.host()}:{url.port(80)}"  # never with the password
    if url.scheme() != "http":
        return Finding(
            "QGIS's proxy", True, tr("{proxy} (not checked: only plain http proxies are)").format(proxy=shown)
        )
    only = tr("Only the installation needs a network. Without one, install from a folder of wheels.")
    where = tr("Settings > Options > Network")
    socket = QTcpSocket()
    socket.setProxy(QNetworkProxy(QNetworkProxy.ProxyType.NoProxy))
    socket.connectToHost(url.host(), url.port(80))
    answer = ""
    if socket.waitForConnected(_PATIENCE_MS):
        socket.write(_request(url))
        if socket.waitForReadyRead(_PATIENCE_MS):
            answer = bytes(socket.readAll()).decode("latin-1")
    reason = socket.errorString()
    if socket.state() != QAbstractSocket.SocketState.UnconnectedState:
        socket.abort()
    status = answer.split(" ")[1] if answer.startswith("HTTP/") and " " in answer else ""
    if status == "200":
        return Finding("QGIS's proxy", True, tr("{proxy} works").format(proxy=shown))
    if status == "407":
        found = tr("{proxy} requires a user name and a password (407)").format(proxy=shown)
        return Finding("QGIS's proxy", False, found, tr("Add them in {where}.").format(where=where) + " " + only)
    if status:
        found = tr("{proxy} refuses the connection to {host}: status {status}")
        return Finding("QGIS's proxy", False, found.format(proxy=shown, host=_INDEX, status=status), only)
    found = tr("{proxy} does not answer: {reason}").format(proxy=shown, reason=reason)
    return Finding("QGIS's proxy", False, found, tr("Check it in {where}.").format(where=where) + " " + only)


def _qgis() -> Finding:
    found = (
        f"Sunbreak {plugin_version()}, QGIS {Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, Python "
        f"{platform.python_version()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )
    return Finding("plugin", True, found)


def _described(python: Path) -> str:
    """An interpreter, and the name of the build if the plugin installed it."""
    backend = installed_backend()
    if backend is None or backend.python != python:
        return str(python)
    return f"{python}: {build_name(backend.variant)}"


def _reinstall() -> str:
    return tr("Install or repair the backend with Plugins > Sunbreak > Backend.")


def _ask_backend(python: Path, folder: Path, feedback: QgsProcessingFeedback) -> list[Finding]:
    """The backend's own findings, or one finding that its doctor failed."""
    try:
        result = run_backend(python, ["doctor", "--folder", str(folder)], feedback)
        return _findings(result)
    except BackendError as error:
        if error.code == "cancelled":
            raise
        return [Finding("backend", False, str(error), _reinstall())]


def _findings(result: Result) -> list[Finding]:
    try:
        rows: Any = json.loads(str(result.numbers["checks"]))
        return [Finding(str(r["name"]), r["well"] is True, str(r["found"]), str(r["advice"])) for r in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError(tr("The backend's findings cannot be read.")) from error


def _run(python: Path, feedback: QgsProcessingFeedback) -> tuple[int, str]:
    """Run the probe; gives its exit status (-1 if there is none) and its output."""
    process = QProcess()
    process.setProcessEnvironment(backend_environment(python))
    process.setStandardInputFile(QProcess.nullDevice())
    process.start(str(python), ["-I", "-c", _PROBE])
    if not process.waitForStarted(_PATIENCE_MS):
        return -1, process.errorString()
    deadline = time.monotonic() + _PROBE_S
    try:
        while not process.waitForFinished(_POLL_MS) and process.state() != QProcess.ProcessState.NotRunning:
            if feedback.isCanceled():
                raise BackendError(tr("Cancelled."), code="cancelled")
            if time.monotonic() > deadline:
                return -1, tr("it did not answer within {seconds} s").format(seconds=_PROBE_S)
    finally:
        stop(process)
    text = bytes(process.readAllStandardError()) + b"\n" + bytes(process.readAllStandardOutput())
    return process.exitCode(), text.decode("utf-8", errors="replace")


def _last_object(text: str) -> dict[str, Any]:
    """The last line that is the probe's answer; empty if there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                facts = json.loads(line)
            except ValueError:
                continue
            if isinstance(facts, dict) and facts.get("probe") == 1:
                return facts
    return {}


def _request(url: QUrl) -> bytes:
    """The CONNECT request of a client to a proxy."""
    full = QUrl.ComponentFormattingOption.FullyDecoded
    login = ""
    if url.userName(full):
        pair = f"{url.userName(full)}:{url.password(full)}"
        login = f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"
    return f"CONNECT {_INDEX} HTTP/1.1\r\nHost: {_INDEX}\r\n{login}\r\n".encode()
