"""The first contents of a new environment: pip, and the packages of an older backend.

Debian and Ubuntu put the module that installs pip into a separate package (`python3-venv`), which most QGIS users lack.
The wheel of pip can install itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

from qgis.core import QgsBlockingNetworkRequest
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtNetwork import QNetworkRequest

from ..compat import tr
from .install_plan import LIGHT
from .installed import Backend
from .process import BackendError

_INDEX = "https://pypi.org/simple"
_JSON = b"application/vnd.pypi.simple.v1+json"
_WHEEL = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl")
_NOT_TAKEN = ("pip", "sunbreak")


def site_packages(environment: Path) -> Path:
    """The site-packages folder of an environment; on Linux and macOS it is below the Python version."""
    if sys.platform == "win32":
        return environment / "Lib" / "site-packages"
    return next((environment / "lib").glob("python3*/site-packages"), environment / "lib")


def python_version(environment: Path) -> tuple[int, ...]:
    """Major and minor version of an environment's Python, from its `pyvenv.cfg`; (0, 0) if it does not say."""
    try:
        lines = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return (0, 0)
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip() == "version":
            return tuple(int(part) for part in value.strip().split(".")[:2])
    return (0, 0)


def take_over(former: Backend, environment: Path, variant: str) -> bool:
    """Link the packages of another backend into a new environment, so that only changed and new ones are downloaded.

    Links take no disk space. Pip replaces files and never writes into them, so the other backend stays intact.

    Returns:
        Whether it was of the same kind: of the same build, or Light, whose packages all builds have.
    """
    if former.variant not in {variant, LIGHT} or python_version(former.folder) != python_version(environment):
        return False
    source, target = site_packages(former.folder), site_packages(environment)
    for entry in source.iterdir():
        if re.split(r"[-.]", entry.name)[0].lower() in _NOT_TAKEN or (target / entry.name).exists():
            continue
        if entry.is_dir():
            shutil.copytree(entry, target / entry.name, copy_function=_link)
        else:
            _link(str(entry), str(target / entry.name))
    return True


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def wheel_of_pip(wheels: Path | None, work: Path) -> Path:
    """The wheel of pip, from the folder of wheels or downloaded with QGIS's proxy and certificates.

    Raises:
        BackendError: There is none in the folder, or the package index cannot be reached.
    """
    if wheels is not None:
        found = [wheel for wheel in wheels.glob("pip-*.whl") if _WHEEL.fullmatch(wheel.name)]
        if not found:
            raise BackendError(
                tr("This Python has no pip, and the folder of wheels has none either."),
                tr("Prepare the folder again, or choose another Python."),
                "install-no-wheel",
            )
        return max(found, key=lambda wheel: _version(wheel.name))
    index = os.environ.get("PIP_INDEX_URL", _INDEX).rstrip("/")
    listed = json.loads(_get(f"{index}/pip/", _JSON))
    files = [file for file in listed.get("files", ()) if _WHEEL.fullmatch(file["filename"]) and not file.get("yanked")]
    if not files:
        raise BackendError(tr("The package index has no pip."), tr("Choose another Python."), "install-no-distribution")
    newest = max(files, key=lambda file: _version(file["filename"]))
    content = _get(QUrl(f"{index}/pip/").resolved(QUrl(newest["url"])).toString())
    if hashlib.sha256(content).hexdigest() != newest.get("hashes", {}).get("sha256"):
        raise BackendError(tr("The downloaded pip is damaged."), tr("Press Install again."), "install-damaged-download")
    wheel = work / newest["filename"]
    wheel.write_bytes(content)
    return wheel


def pip_out_of(wheel: Path) -> list[str]:
    """Arguments with which an interpreter installs pip from its own wheel."""
    return ["-I", f"{wheel}/pip", "install", "--no-index", "--no-input", "--disable-pip-version-check", str(wheel)]


def _version(name: str) -> tuple[int, ...]:
    match = _WHEEL.fullmatch(name)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _get(address: str, accept: bytes = b"*/*") -> bytes:
    request = QNetworkRequest(QUrl(address))
    request.setRawHeader(b"Accept", accept)
    blocking = QgsBlockingNetworkRequest()
    if blocking.get(request, True) != QgsBlockingNetworkRequest.ErrorCode.NoError:
        raise BackendError(
            tr("The package index cannot be reached: {reason}.").format(reason=blocking.errorMessage().rstrip(".")),
            tr("Check the network and the proxy in Settings > Options > Network."),
            "install-no-network",
        )
    return bytes(blocking.reply().content())
