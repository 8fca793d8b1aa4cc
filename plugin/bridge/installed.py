"""Which backends are installed in the QGIS profile, and how they are removed.

A folder `backend-<version>` is valid if and only if it holds `installed.json`, which is written last: the remains of a
crashed installation are never used. A backend that is being replaced stays where it is, and its successor gets a folder
with another name (`backend-<version>-2`): whenever an installation ends, one of the two is complete.
"""

from __future__ import annotations

import configparser
import itertools
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication

from .install_plan import CLOUDS, LIGHT, TORCH, VARIANTS, Variant, of_record

PLUGIN_FOLDER = Path(__file__).resolve().parents[2]
RECORD = "installed.json"
DOWNLOADS = "downloads"
_PREFIX = "backend-"
_TRASH = "trash-"
_ATTEMPTS = 20
_LONGEST_IN_WHEELS = 180  # torch carries licences of licences; Windows refuses paths of 260 characters
_WINDOWS_LIMIT = 259


@dataclass(frozen=True)
class Backend:
    """One backend that the plugin installed.

    Attributes:
        folder: Its virtual environment.
        version: Release of the backend.
        variant: Key of its build, see `install_plan.VARIANTS`.
        base: The interpreter that the environment was made with.
        facts: Other recorded facts: versions of Python and torch, source of the packages, extras.
    """

    folder: Path
    version: str
    variant: str
    base: str
    facts: Mapping[str, Any]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return interpreter_of(self.folder)

    @property
    def extras(self) -> tuple[str, ...]:
        """Extras of the backend that are installed in it. Records of older releases do not name them."""
        if "extras" in self.facts:
            return tuple(map(str, self.facts["extras"]))
        return VARIANTS[self.variant].extras if self.variant in VARIANTS else (TORCH, CLOUDS)

    @property
    def build(self) -> Variant:
        """Its build, without what it lacks."""
        return of_record(self.variant, self.extras)

    def can_become(self, variant: Variant) -> bool:
        """Whether a build only adds packages to this backend. Light ones of this release can get more packages."""
        if self.variant != LIGHT or self.outdated or self.broken:
            return False
        keeps_clouds = CLOUDS in variant.extras or CLOUDS not in self.extras
        return keeps_clouds and not set(variant.extras) <= set(self.extras)

    @property
    def outdated(self) -> bool:
        """Whether plugin and backend are of different releases."""
        return self.version != plugin_version()

    @property
    def broken(self) -> bool:
        """Whether its interpreter cannot be started, because its base Python was removed."""
        return not (self.python.is_file() and os.access(self.python, os.X_OK))


def home() -> Path:
    """The folder of everything that the plugin installs: in the QGIS profile.

    On Windows it is in the local application data if paths in the profile would be too long.
    """
    profile = Path(QgsApplication.qgisSettingsDirPath())
    folder = profile / "sunbreak"
    if sys.platform == "win32":
        longest = len(str(folder / f"{_PREFIX}{plugin_version()}-2" / "Lib" / "site-packages")) + _LONGEST_IN_WHEELS
        local = os.environ.get("LOCALAPPDATA")
        if longest > _WINDOWS_LIMIT and local:
            return Path(local) / "sunbreak" / profile.name
    return folder


def free_folder(version: str, root: Path | None = None) -> Path:
    """A folder for a backend of a release that holds no complete backend yet."""
    first = (root or home()) / f"{_PREFIX}{version}"
    folders = (first if number == 1 else first.with_name(f"{first.name}-{number}") for number in itertools.count(1))
    return next(folder for folder in folders if read_record(folder) is None)


def interpreter_of(environment: Path) -> Path:
    """The interpreter of a virtual or conda environment, whether it exists or not. Links are kept."""
    if sys.platform != "win32":
        return environment / "bin" / "python"
    conda = environment / "python.exe"
    return conda if conda.is_file() else environment / "Scripts" / "python.exe"


def plugin_version() -> str:
    """The release of this plugin."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(PLUGIN_FOLDER / "metadata.txt", encoding="utf-8")
    return metadata.get("general", "version", fallback="")


def installed_backends(root: Path | None = None) -> list[Backend]:
    """All backends in the profile: of this release first, then the newest release, then the last installed one."""
    root = root or home()
    if not root.is_dir():
        return []
    found = (read_record(folder) for folder in root.glob(f"{_PREFIX}*"))
    backends = [backend for backend in found if backend is not None]
    return sorted(backends, key=_preference, reverse=True)


def installed_backend(root: Path | None = None) -> Backend | None:
    """The backend that is used: of this release if there is one, else the newest; None if none is installed."""
    return next(iter(installed_backends(root)), None)


def read_record(folder: Path) -> Backend | None:
    """The backend in a folder; None where there is no complete one."""
    try:
        facts = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Backend(folder, str(facts["version"]), str(facts["variant"]), str(facts["base"]), facts)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(folder: Path, facts: Mapping[str, Any]) -> None:
    """Mark a folder as a complete backend. The record is written atomically."""
    draft = folder / f"{RECORD}.draft"
    draft.write_text(json.dumps(dict(facts), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(folder / RECORD)


def leftovers(root: Path | None = None) -> list[Path]:
    """Remains of crashed installations, without downloads (used to resume) and folders being deleted."""
    root = root or home()
    if not root.is_dir():
        return []
    folders = [path for path in root.iterdir() if path.is_dir() and path.name != DOWNLOADS]
    return [
        path
        for path in folders
        if not path.name.startswith(_TRASH) and not (path.name.startswith(_PREFIX) and (path / RECORD).is_file())
    ]


def discard(path: Path) -> None:
    """Rename a folder to a trash name, which is instant. `empty_trash` deletes it later.

    Deleting gigabytes takes up to minutes, too long to wait for after a cancel.

    Raises:
        OSError: It cannot be renamed: on Windows, because a program in it runs.
    """
    if path.is_dir():
        _rename(path, path.with_name(f"{_TRASH}{uuid.uuid4().hex[:8]}"))


def retire(backend: Backend) -> None:
    """Discard a backend that has a successor. If a program in it runs, its folder is discarded by a later `sweep`."""
    with suppress(OSError):
        (backend.folder / RECORD).unlink()
        discard(backend.folder)


def _rename(path: Path, target: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            path.rename(target)
            return
        except PermissionError:  # on Windows a killed program keeps its files open for a moment
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.1)


def trash(root: Path | None = None) -> list[Path]:
    """Discarded folders that are not deleted yet."""
    root = root or home()
    return sorted(root.glob(f"{_TRASH}*")) if root.is_dir() else []


def empty_trash(root: Path | None = None, stopped: Callable[[], bool] = lambda: False) -> None:
    """Delete discarded folders; files in use, and the rest after a stop, are deleted next time."""
    for folder in trash(root):
        for place, folders, files in os.walk(folder, topdown=False):
            if stopped():
                return
            for name in files:
                with suppress(OSError):
                    os.unlink(os.path.join(place, name))  # noqa: PTH108, PTH118 -- tens of thousands of files
            for name in folders:
                path = Path(place, name)
                with suppress(OSError):
                    path.unlink() if path.is_symlink() else path.rmdir()
        with suppress(OSError):
            folder.rmdir()


def _preference(backend: Backend) -> tuple[bool, tuple[tuple[int, str], ...], float]:
    try:
        written = (backend.folder / RECORD).stat().st_mtime
    except OSError:
        written = 0.0
    return not backend.outdated, _ordered(backend.version), written


def _ordered(version: str) -> tuple[tuple[int, str], ...]:
    """A version for sorting: numbers by value, the rest by its letters."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))
