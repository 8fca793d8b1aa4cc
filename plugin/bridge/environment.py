"""The environment of the backend process: the user's variables without those that QGIS sets for itself.

With QGIS's PYTHONHOME the backend would load the wrong standard library. With PROJ_LIB or LD_LIBRARY_PATH it would
load the wrong projection database or the wrong shared libraries.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Mapping
from pathlib import Path

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
    """The variables without those of QGIS.

    On Windows the folders of QGIS's installation are also removed from PATH, because DLLs are searched there.
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


def with_conda(environment: Mapping[str, str], program: Path) -> dict[str, str]:
    """The variables with the folders on PATH that `conda activate` would put there on Windows, where DLLs lie in them.

    Args:
        environment: Variables.
        program: The interpreter; only one of a conda environment on Windows changes PATH.
    """
    prefix = program.parent
    if program.suffix.lower() != ".exe" or not (prefix / "conda-meta").is_dir():
        return dict(environment)
    name = next((name for name in environment if name.upper() == "PATH"), "PATH")
    places = [
        prefix,
        *(prefix / "Library" / place for place in ("mingw-w64/bin", "usr/bin", "bin")),
        prefix / "Scripts",
    ]
    path = ";".join(filter(None, [*map(str, places), environment.get(name, "")]))
    return {**environment, name: path}


def backend_variables(program: Path | str = "", extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The scrubbed environment of this QGIS as variables; see `backend_environment`."""
    return {**with_conda(scrubbed(os.environ), Path(program)), **(extra or {})}


def backend_environment(program: Path | str = "", extra: Mapping[str, str] | None = None) -> QProcessEnvironment:
    """The scrubbed environment of this QGIS, for `QProcess.setProcessEnvironment`.

    Args:
        program: What will be started in it, if that is the backend's interpreter.
        extra: Variables that replace those of QGIS's environment, such as its proxy.
    """
    environment = QProcessEnvironment()
    for name, value in backend_variables(program, extra).items():
        environment.insert(name, value)
    return environment


def _is_inside(folder: str, root: str) -> bool:
    """Whether a Windows folder is `root` or below it, ignoring case and kind of slash."""
    folder, root = (ntpath.normcase(ntpath.normpath(path)) for path in (folder, root))
    return folder == root or folder.startswith(root.rstrip("\\") + "\\")
