"""The environment of the backend process: the user's own, without what QGIS put in for its own Python, PROJ and GDAL.

A backend that inherits QGIS's PYTHONHOME loads the wrong standard library, and one that inherits PROJ_LIB or
LD_LIBRARY_PATH loads the wrong projection database or the wrong shared libraries.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Mapping

from qgis.PyQt.QtCore import QProcessEnvironment

_PREFIXES = ("PYTHON", "PROJ_", "GDAL_", "OGR_", "CPL_", "QGIS_", "QT_", "DYLD_")
_NAMES = {
    "__PYVENV_LAUNCHER__",  # macOS: makes any framework Python believe it is QGIS's
    "CONDA_PREFIX",
    "GEOTIFF_CSV",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "OSGEO4W_ROOT",
    "VIRTUAL_ENV",
}


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the backend may see.

    On Windows the folders of QGIS's own installation also leave PATH, because DLLs are searched along it.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name.upper() not in _NAMES and not name.upper().startswith(_PREFIXES)
    }
    root = next((value for name, value in environment.items() if name.upper() == "OSGEO4W_ROOT"), "")
    if root:
        for name in kept:
            if name.upper() == "PATH":
                kept[name] = ";".join(part for part in kept[name].split(";") if not _is_inside(part, root))
    return kept


def backend_environment() -> QProcessEnvironment:
    """The scrubbed environment of this QGIS, for `QProcess.setProcessEnvironment`."""
    environment = QProcessEnvironment()
    for name, value in scrubbed(os.environ).items():
        environment.insert(name, value)
    return environment


def _is_inside(folder: str, root: str) -> bool:
    """Whether a Windows folder is `root` or lies below it, whatever the case and the slashes."""
    folder, root = (ntpath.normcase(ntpath.normpath(path)) for path in (folder, root))
    return folder == root or folder.startswith(root.rstrip("\\") + "\\")
