"""The settings: where the backend's interpreter is, whether it is kept running, and the address of a dask scheduler.

The interpreter is that of a setting, of an environment variable, in the QGIS profile or in the plugin's folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QIcon

from .bridge.installed import installed_backend
from .compat import tr
from .scheduler import SchedulerError, check_address

GROUP = "Sunbreak"
PYTHON = "SUNBREAK_PYTHON"
SCHEDULER = "SUNBREAK_SCHEDULER"
KEEP = "SUNBREAK_KEEP_BACKEND"
PLUGIN_FOLDER = Path(__file__).parent.parent
_CONFIG = "processing.core.ProcessingConfig"
ICONS = PLUGIN_FOLDER / "resources" / "icons"
ICON = ICONS / "sunbreak.svg"
GUIDE = "https://github.com/sunbreak/sunbreak/blob/main/docs/guide.md"


class BackendMissingError(Exception):
    """No interpreter for the backend. The text says which place was checked and what to do."""


def guide(topic: str = "") -> str:
    """Address of the user guide: the local copy of the plugin package or, in a checkout, the online guide.

    Args:
        topic: Anchor of a heading.
    """
    own = PLUGIN_FOLDER / "docs" / "guide.html"
    address = own.as_uri() if own.is_file() else GUIDE
    return f"{address}#{topic}" if topic else address


def with_processing(work: Callable[[], None]) -> None:
    """Run `work`, which needs Processing's Python part: now if it is loaded, otherwise when QGIS has started.

    Importing it takes 0.2 s. QGIS imports it anyway, but in some versions after this plugin.
    """
    if _CONFIG in sys.modules:
        work()
    else:
        QTimer.singleShot(0, work)


def register() -> None:
    """Add the group "Sunbreak" to Settings > Options > Processing > Providers."""
    from processing.core.ProcessingConfig import ProcessingConfig, Setting

    ProcessingConfig.settingIcons[GROUP] = QIcon(str(ICON))
    ProcessingConfig.addSetting(
        Setting(GROUP, PYTHON, tr("Python interpreter of the backend"), "", valuetype=Setting.FILE)
    )
    ProcessingConfig.addSetting(Setting(GROUP, KEEP, tr("Keep the backend running for previews"), True))
    ProcessingConfig.addSetting(
        Setting(
            GROUP,
            SCHEDULER,
            tr("Dask scheduler (series, many scenes)"),
            "",
            valuetype=Setting.STRING,
            validator=check_address,
            placeholder="tcp://host:8786",
        )
    )
    ProcessingConfig.readSettings()


def unregister() -> None:
    """Remove the group; its values stay in the user's profile."""
    if _CONFIG not in sys.modules:
        return
    from processing.core.ProcessingConfig import ProcessingConfig

    for name in (PYTHON, KEEP, SCHEDULER):
        if name in ProcessingConfig.settings:
            ProcessingConfig.removeSetting(name)


def backend_python() -> Path:
    """The interpreter to run the backend with. Symbolic links are kept: a venv's interpreter is one.

    Raises:
        BackendMissingError: None is set and none is installed, or the one that is set or installed cannot be started.
    """
    advice = tr(
        "Install the backend with Plugins > Sunbreak > Backend, or set an interpreter that has it in Settings > "
        "Options > Processing > Providers > Sunbreak, or in the environment variable SUNBREAK_PYTHON."
    )
    for origin, value in (
        (tr("the Processing options"), _value(PYTHON)),
        (tr("the environment variable SUNBREAK_PYTHON"), os.environ.get(PYTHON)),
    ):
        if value:
            path = Path(value).expanduser()
            if not _is_executable(path):
                raise BackendMissingError(
                    tr("The backend's interpreter from {origin} is not an executable file: {path}.").format(
                        origin=origin, path=path
                    )
                    + " "
                    + advice
                )
            return path
    backend = installed_backend()
    if backend is not None:
        if backend.broken:
            raise BackendMissingError(
                tr("The Python that the backend was installed with was removed: {base}.").format(base=backend.base)
                + " "
                + tr("Repair the backend with Plugins > Sunbreak > Backend.")
            )
        return backend.python
    own = PLUGIN_FOLDER / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if _is_executable(own):
        return own
    raise BackendMissingError(tr("The Sunbreak backend was not found.") + " " + advice)


def keeps_backend() -> bool:
    """Whether the backend stays running between previews."""
    kept = _value(KEEP)
    return kept is None or str(kept).lower() == "true"


def scheduler() -> str:
    """The address of the dask scheduler that series and many scenes are sent to; empty if none is set.

    Raises:
        SchedulerError: What is set is no address.
    """
    address = str(_value(SCHEDULER) or "").strip()
    try:
        check_address(address)
    except SchedulerError as error:
        where = tr("It is set in Settings > Options > Processing > Providers > Sunbreak.")
        raise SchedulerError(f"{error} {where}") from error
    return address


def _value(name: str) -> Any:
    """The value of a setting; None if the user never changed it and it is not registered."""
    from processing.core.ProcessingConfig import ProcessingConfig

    if name in ProcessingConfig.settings:
        return ProcessingConfig.getSetting(name)
    # qgis_process runs algorithms before `with_processing` gets its turn
    return QgsSettings().value(f"Processing/Configuration/{name}")


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
