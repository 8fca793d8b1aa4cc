"""Finds Python interpreters on the machine and queries their version, without blocking QGIS.

QGIS's own interpreter is never offered. On Windows and macOS an update of QGIS replaces it, and packages installed into
it break other plugins. `sys.executable` is not used, because inside QGIS it can be any program.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSettings, QTimer

from .asking import ask
from .install_plan import PYTHON_VERSIONS

PROBE_MS = 15_000
CHECK_MS = 120_000

_PROBE = """
import importlib.util as u, json, os, platform, struct, sys
base = getattr(sys, "_base_executable", "") or sys.executable
print(json.dumps({"probe": 1, "version": list(sys.version_info[:3]), "executable": sys.executable,
  "base": os.path.realpath(base), "venv": sys.prefix != sys.base_prefix, "machine": platform.machine(),
  "bits": 8 * struct.calcsize("P"), "implementation": platform.python_implementation(),
  "can": bool(u.find_spec("venv") and u.find_spec("ensurepip"))}))
"""

# Import every package: a common fault is a package whose shared libraries do not load. Which ones are needed is read
# from the backend's own metadata; of its extras, those that are installed.
_CHECK = """
import importlib, json, platform, re, sys
from importlib import metadata
facts = {"check": 1, "version": list(sys.version_info[:3]), "python": platform.python_version()}
modules = {"opencv-python-headless": "cv2", "pillow": "PIL", "scikit-learn": "sklearn", "ukis-csmask": "ukis_csmask"}
broken, needed, extras = {}, [], {}
def there(name):
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False
try:
    lines = metadata.requires("sunbreak") or []
except metadata.PackageNotFoundError:
    lines = ["numpy", "rasterio"]
for line in lines:
    name = re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", line)[0].lower())
    extra = re.search(r"extra == ['\\"]([^'\\"]+)", line)
    if extra is None:
        needed.append(name)
    elif name != "sunbreak":
        extras[extra[1]] = extras.get(extra[1], True) and there(name)
needed += [name for name in ("torch", "scipy", "scikit-learn", "safetensors") if name not in needed and there(name)]
for name in needed:
    try:
        importlib.import_module(modules.get(name, name.replace("-", "_")))
    except Exception as error:
        broken[name] = (type(error).__name__ + ": " + str(error))[:300]
if "torch" in needed and "torch" not in broken:
    import torch
    facts["torch"] = torch.__version__
    facts["cuda"] = torch.cuda.is_available()
    facts["mps"] = torch.backends.mps.is_available()
try:
    import sunbreak
    from sunbreak.events import PROTOCOL_VERSION
    facts["sunbreak"], facts["protocol"] = sunbreak.__version__, PROTOCOL_VERSION
except Exception as error:
    broken["sunbreak"] = (type(error).__name__ + ": " + str(error))[:300]
print(json.dumps(dict(facts, broken=broken, extras=[name for name in extras if extras[name]])))
"""

CHECK_COMMAND = ("-I", "-u", "-c", _CHECK)


@dataclass(frozen=True)
class Python:
    """One interpreter that answered.

    Attributes:
        path: How it was found.
        version: Major, minor, micro.
        base: The interpreter below it, with links followed; the same for all names of one Python.
        can_make_venvs: Whether it has `venv` and `ensurepip`; without the latter, pip is downloaded first.
        is_venv: Whether it belongs to a virtual environment itself.
        bits: 32 or 64.
        machine: Processor, such as ``x86_64``.
    """

    path: Path
    version: tuple[int, int, int]
    base: str
    can_make_venvs: bool
    is_venv: bool
    bits: int
    machine: str

    @property
    def suits(self) -> bool:
        """Whether a backend can be installed with it."""
        return self.version[:2] in PYTHON_VERSIONS and self.bits == 64 and not self.is_venv

    @property
    def text(self) -> str:
        """Displayed text: version and path."""
        return f"Python {'.'.join(map(str, self.version))}: {self.path}"


@dataclass(frozen=True)
class Check:
    """What an interpreter says about the backend in it.

    Attributes:
        version: Of Python.
        sunbreak: Release of the backend, empty if it has none.
        protocol: Version of its process protocol.
        torch: Version of torch, empty if it is not installed or cannot be imported.
        devices: ``cpu`` and what else torch can use.
        broken: Package to the reason why it cannot be imported.
        extras: Extras of the backend of which all packages are installed.
    """

    version: tuple[int, int, int]
    sunbreak: str = ""
    protocol: int | None = None
    torch: str = ""
    devices: tuple[str, ...] = ("cpu",)
    broken: dict[str, str] = field(default_factory=dict)
    extras: tuple[str, ...] = ()


def probe(path: Path, answered: Callable[[Python | None], None]) -> None:
    """Query one interpreter; None if it is not a working Python."""
    ask(
        str(path),
        ["-I", "-c", _PROBE],
        lambda status, text: answered(parse_probe(path, text) if status == 0 else None),
        PROBE_MS,
    )


def parse_probe(path: Path, text: str) -> Python | None:
    """The answer to a probe; None for anything else and for Pythons that are not CPython."""
    fields = _last_object(text, "probe")
    try:
        if fields.get("implementation") != "CPython":
            return None
        major, minor, micro = fields["version"]
        return Python(
            path,
            (major, minor, micro),
            str(fields["base"]),
            bool(fields["can"]),
            bool(fields["venv"]),
            int(fields["bits"]),
            str(fields["machine"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def parse_check(text: str) -> Check | None:
    """The answer to `CHECK_COMMAND`; None for anything else."""
    fields = _last_object(text, "check")
    try:
        major, minor, micro = fields["version"]
        return Check(
            (major, minor, micro),
            str(fields.get("sunbreak", "")),
            fields.get("protocol"),
            str(fields.get("torch", "")),
            ("cpu", *(name for name in ("cuda", "mps") if fields.get(name) is True)),
            {str(name): str(why) for name, why in fields.get("broken", {}).items()},
            tuple(map(str, fields.get("extras", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _last_object(text: str, key: str) -> dict:
    """The last line that is a JSON object with this key; site customisations may write other lines."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                fields = json.loads(line)
            except ValueError:
                continue
            if isinstance(fields, dict) and key in fields:
                return fields
    return {}


def find_pythons(ready: Callable[[list[Python]], None], candidates: Iterable[Path] | None = None) -> None:
    """Query all interpreters of the machine and pass on the suitable ones, best first.

    Args:
        ready: Called once, later, in the same thread.
        candidates: Paths to query instead of `candidate_paths`.
    """
    waiting = list(candidate_paths() if candidates is None else candidates)
    found: dict[str, Python] = {}
    open_questions = len(waiting)

    def answered(python: Python | None) -> None:
        nonlocal open_questions
        open_questions -= 1
        if python is not None and python.suits:
            found.setdefault(python.base, python)
        if waiting:
            probe(waiting.pop(0), answered)
        elif open_questions == 0:
            ready(sorted(found.values(), key=preference))

    if not waiting:
        QTimer.singleShot(0, lambda: ready([]))
    for _ in range(min(4, len(waiting))):  # a few at a time, so that a small machine stays usable
        probe(waiting.pop(0), answered)


def preference(python: Python) -> tuple[bool, int, tuple[int, ...]]:
    """Sort key: interpreters that can create environments first, then by version."""
    return (
        not python.can_make_venvs,
        PYTHON_VERSIONS.index(python.version[:2]),
        tuple(-part for part in python.version),
    )


def candidate_paths() -> list[Path]:
    """Possible interpreters, each once, without QGIS's own and without the Microsoft Store's placeholders."""
    found: dict[str, Path] = {}
    for path in _windows_paths() if sys.platform == "win32" else _posix_paths():
        in_venv = (path.parent.parent / "pyvenv.cfg").is_file()
        if path.is_file() and os.access(path, os.X_OK) and not in_venv and not is_qgis_own(path):
            found.setdefault(os.path.normcase(os.path.realpath(path)), path)
    return list(found.values())


def is_qgis_own(path: Path) -> bool:
    """Whether an interpreter belongs to QGIS's installation. On Linux QGIS uses the system's, which may be used."""
    if sys.platform not in {"win32", "darwin"}:
        return False
    roots = [os.environ.get("OSGEO4W_ROOT", ""), QgsApplication.prefixPath()]
    if any(root and Path(root) in path.parents for root in roots):  # Path compares without case on Windows
        return True
    return any(part.lower().startswith("qgis") and part.lower().endswith(".app") for part in path.parts)


def _posix_paths() -> Iterable[Path]:
    names = ["python3", *(f"python{major}.{minor}" for major, minor in PYTHON_VERSIONS)]
    user = Path.home()
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    folders += [Path(folder) for folder in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin")]
    folders.append(user / ".local" / "bin")
    for pattern in (
        ".pyenv/versions/3.1*/bin",
        ".local/share/uv/python/cpython-3.1*/bin",
        "mini*3/bin",
        "mambaforge/bin",
        "anaconda3/bin",
    ):
        folders += sorted(user.glob(pattern))
    folders += sorted(Path("/Library/Frameworks/Python.framework/Versions").glob("3.1*/bin"))
    folders += [Path("/opt/conda/bin")]
    return (folder / name for folder in folders for name in names if "shims" not in folder.parts)


def _windows_paths() -> Iterable[Path]:
    folders = []
    for hive in ("HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"):
        registry = QSettings(f"{hive}\\Software\\Python\\PythonCore", QSettings.Format.NativeFormat)
        for version in registry.childGroups():
            place = registry.value(f"{version}/InstallPath/.") or registry.value(f"{version}/InstallPath/Default")
            if place:
                folders.append(Path(str(place)))
    local, user = Path(os.environ.get("LOCALAPPDATA", "C:/")), Path.home()
    folders += sorted((local / "Programs" / "Python").glob("Python31*"))
    folders += sorted(Path(os.environ.get("PROGRAMFILES", "C:/")).glob("Python31*"))
    folders += [root / name for root in (user, local) for name in ("miniforge3", "miniconda3", "anaconda3")]
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    # WindowsApps holds placeholders that open the Store.
    return (folder / "python.exe" for folder in folders if "WindowsApps" not in folder.parts)
