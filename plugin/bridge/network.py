"""QGIS's proxy and certificates for the backend commands that ask a catalogue on the network."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsApplication, QgsProcessingUtils

from .install_network import certificates, network_environment, write_bundle

_CATALOGUE = "https://planetarycomputer.microsoft.com/"
_BUNDLE = "sunbreak-authorities.pem"


def catalogue_environment(folder: Path | None = None) -> dict[str, str]:
    """Variables with which the backend uses the network as QGIS does. Main thread only.

    They may hold the login of a proxy: they are for the environment of the child only, and `run_backend` keeps the
    login out of all messages.

    Args:
        folder: Where the bundle of certificates is written; a temporary folder of this QGIS if not given.
    """
    found = network_environment(_CATALOGUE)
    authorities = own_authorities()
    if authorities:
        path = (folder or Path(QgsProcessingUtils.tempFolder())) / _BUNDLE
        found |= write_bundle(path, authorities)
    return found


def own_authorities() -> bytes:
    """What QGIS trusts, as PEM, if the user has added authorities to it; otherwise empty. Main thread only.

    Those of the system are among them. Without own ones the backend uses the bundle that it was installed with.
    """
    manager = QgsApplication.authManager()
    if manager is None or manager.isDisabled() or not (manager.databaseCAs() or manager.extraFileCAs()):
        return b""
    return certificates()
