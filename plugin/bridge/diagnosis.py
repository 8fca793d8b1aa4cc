"""What the plugin can find out by itself about the backend: whether one is there, starts, fits; and about the proxy.

The backend's own doctor does the rest, if it can be started at all.
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
from ..compat import tr
from .environment import backend_environment
from .installed import plugin_version
from .process import BackendError, Result, run_backend, stop
from .protocol import PROTOCOL_VERSION

# Nothing heavy is imported: whether it starts is the question, not whether all of it works.
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
    """One thing that was looked at.

    Attributes:
        name: What.
        well: Whether it works.
        found: What was found.
        advice: What to do if it is not well, or could be better.
    """

    name: str
    well: bool
    found: str
    advice: str = ""


def look_at_everything(folder: Path, proxy: str, feedback: QgsProcessingFeedback) -> list[Finding]:
    """All findings: the plugin's own, then the backend's.

    Args:
        folder: Where results would go.
        proxy: Address of QGIS's proxy, empty for none.
        feedback: Of the run.

    Raises:
        BackendError: The user cancelled; everything else is a finding.
    """
    findings = [_qgis()]
    try:
        python = settings.backend_python()
    except settings.BackendMissingError as error:
        findings.append(Finding("interpreter", False, str(error), _reinstall()))
    else:
        findings.append(Finding("interpreter", True, str(python)))
        own = look_at_backend(python, feedback)
        findings += own
        if all(finding.well for finding in own):
            findings += _ask_backend(python, folder, feedback)
    findings.append(look_at_proxy(proxy))
    return findings


def look_at_backend(python: Path, feedback: QgsProcessingFeedback) -> list[Finding]:
    """Whether an interpreter starts and has a backend that belongs to this plugin.

    Raises:
        BackendError: The user cancelled.
    """
    status, text = _run(python, feedback)
    facts = _last_object(text)
    if not facts:
        said = text.strip().splitlines()
        reason = said[-1][:300] if said else tr("it says nothing (exit status {status})").format(status=status)
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
            Finding("start", False, found, tr("The backend needs Python 3.10 to 3.13 with 64 bit: choose another one."))
        ]
    findings = [Finding("start", True, f"Python {shown}")]
    ours, theirs = plugin_version(), str(facts["sunbreak"])
    if not theirs:
        found = tr("there is no Sunbreak backend in it: {reason}").format(reason=facts.get("missing", ""))
        return [*findings, Finding("version", False, found, _reinstall())]
    found = tr("backend {theirs}, plugin {ours}").format(theirs=theirs, ours=ours)
    if theirs != ours or facts["protocol"] != PROTOCOL_VERSION:
        found += tr("; protocol {theirs} and {ours}").format(theirs=facts["protocol"], ours=PROTOCOL_VERSION)
        advice = tr("Update the older of the two (the backend with Plugins > Sunbreak > Backend).")
        return [*findings, Finding("version", False, found, advice)]
    return [*findings, Finding("version", True, found)]


def look_at_proxy(address: str) -> Finding:
    """Whether QGIS's proxy lets through. It is asked directly, as the installer's downloads would ask it.

    Args:
        address: ``http://host:port``, with name and password before the host where it wants them; empty for none.
    """
    if not address:
        return Finding("QGIS's proxy", True, tr("none set; Sunbreak itself needs no network"))
    url = QUrl(address)
    shown = f"{url.scheme()}://{url.host()}:{url.port(80)}"  # never with its password
    if url.scheme() != "http":
        return Finding("QGIS's proxy", True, tr("{proxy} (only proxies over plain http are asked)").format(proxy=shown))
    only = tr("Only installing needs the network; without it, install from a folder of wheels.")
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
        return Finding("QGIS's proxy", True, tr("{proxy} lets through").format(proxy=shown))
    if status == "407":
        found = tr("{proxy} asks for a user name and a password (407)").format(proxy=shown)
        return Finding("QGIS's proxy", False, found, tr("Add them in {where}.").format(where=where) + " " + only)
    if status:
        found = tr("{proxy} does not let through to {host}: status {status}")
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


def _reinstall() -> str:
    return tr("Install or repair the backend with Plugins > Sunbreak > Backend.")


def _ask_backend(python: Path, folder: Path, feedback: QgsProcessingFeedback) -> list[Finding]:
    """The backend's own findings, or the one that it could not say."""
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
    """Run the probe; exit status (-1 if there is none) and everything that it wrote."""
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
    """What a program sends to a proxy to be let through."""
    full = QUrl.ComponentFormattingOption.FullyDecoded
    login = ""
    if url.userName(full):
        pair = f"{url.userName(full)}:{url.password(full)}"
        login = f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"
    return f"CONNECT {_INDEX} HTTP/1.1\r\nHost: {_INDEX}\r\n{login}\r\n".encode()
