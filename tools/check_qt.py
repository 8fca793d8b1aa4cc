"""Checks that the plugin works with PyQt5 and PyQt6; part of `make check-package`.

    check_qt.py names FOLDER     names in the source that Qt 6 lacks: needs PyQt6
    check_qt.py import FOLDER    imports every module: with QGIS (PyQt5), or with PyQt6 and stand-ins for QGIS's own
    classes

FOLDER is the unpacked plugin. No Debian has a QGIS with Qt 6, so PyQt6 is real and the classes of QGIS are empty
stand-ins.
"""

from __future__ import annotations

import ast
import enum
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

# Moved to QtGui in Qt 6. QGIS offers them in both places, from 3.34 on; before that only QtWidgets has them.
MOVED = {"QAction", "QActionGroup", "QShortcut"}
# Methods that PyQt5 had for Python 2, or that Qt 6 dropped, whatever they are called on.
GONE = {"exec_", "print_", "toPyObject", "setTabStopWidth"}
HEAVY = ("torch", "numpy", "scipy", "rasterio", "openvino", "sunbreak.backend")


def check_names(folder: Path) -> list[str]:
    """Every finding as `file:line: what`. Attributes of Qt's classes are looked up in the installed PyQt6."""
    findings = []
    for path in sources(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        place = path.relative_to(folder)
        imported: dict[str, Any] = {}
        for line, text in _imports(tree, imported):
            findings.append(f"{place}:{line}: {text}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in GONE:
                findings.append(f"{place}:{node.lineno}: {node.attr} does not exist in Qt 6")
            names = _chain(node)
            if names and names[0] in imported:
                findings += [f"{place}:{node.lineno}: {text}" for text in _missing(imported[names[0]], names)]
    return list(dict.fromkeys(findings))


def sources(folder: Path) -> list[Path]:
    """The modules that QGIS imports."""
    return [folder / "__init__.py", *sorted((folder / "plugin").rglob("*.py"))]


def _imports(tree: ast.AST, imported: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Findings among the imports; names from Qt are added to `imported`."""
    for node in ast.walk(tree):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        for module in modules:
            if module.split(".")[0] in {"PyQt4", "PyQt5", "PyQt6", "PySide2", "PySide6", "sip"}:
                yield node.lineno, f"imports {module}: take it from qgis.PyQt"
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("qgis.PyQt."):
            continue
        module = node.module.rsplit(".", 1)[1]
        for alias in node.names:
            try:
                value = getattr(_pyqt6(module), alias.name)
            except (ImportError, AttributeError):
                yield node.lineno, f"{module} has no {alias.name} in Qt 6"
                continue
            imported[alias.asname or alias.name] = value


def _pyqt6(module: str) -> ModuleType:
    """A module of PyQt6 with what QGIS adds to it."""
    found = importlib.import_module(f"PyQt6.{module}")
    if module in {"QtGui", "QtWidgets"}:
        gui = importlib.import_module("PyQt6.QtGui")
        for name in MOVED:
            setattr(found, name, getattr(gui, name))
    return found


def _chain(node: ast.AST) -> list[str]:
    """`["Qt", "Orientation", "Horizontal"]` of such an expression; empty for any other."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) and names else []


def _missing(value: Any, names: list[str]) -> Iterator[str]:
    """The part of a chain of names that PyQt6 does not have."""
    for depth, name in enumerate(names[1:], 1):
        try:
            value = getattr(value, name)
        except AttributeError:
            yield f"{'.'.join(names[: depth + 1])} does not exist in Qt 6"
            return
        if not isinstance(value, type):
            return


def check_enums(folder: Path) -> list[str]:
    """Members of QGIS's own enums that are reached without the enum's name, which its Qt 6 builds refuse. Needs QGIS."""
    findings = []
    for path in sources(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in {"qgis.core", "qgis.gui", "qgis.analysis"}:
                module = importlib.import_module(node.module)
                classes |= {alias.asname or alias.name: getattr(module, alias.name, None) for alias in node.names}
        for node in ast.walk(tree):
            names = _chain(node)
            if len(names) != 2 or names[0] not in classes:
                continue
            value = getattr(classes[names[0]], names[1], None)
            if isinstance(value, (int, enum.Enum)) and type(value) not in (int, bool):
                scoped = f"{type(value).__qualname__}.{names[1]}"
                findings.append(f"{path.relative_to(folder)}:{node.lineno}: {'.'.join(names)} is not scoped: {scoped}")
    return findings


def check_import(folder: Path) -> dict[str, Any]:
    """Import all modules of the plugin; report failures, time and imported packages."""
    sys.path.insert(0, str(folder.parent))
    before, path = set(sys.modules), list(sys.path)
    findings, count = [], 0
    started = time.perf_counter()
    for source in sources(folder):
        parts = source.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        count += 1
        try:
            importlib.import_module(name)
        except Exception as error:
            findings.append(f"{name}: {type(error).__name__}: {error}")
    seconds = time.perf_counter() - started
    new = set(sys.modules) - before
    findings += [f"the plugin imports {name}" for name in HEAVY if name in new]
    findings += [f"sys.path grew by {entry}" for entry in sys.path if entry not in path]
    return {"findings": findings, "modules": count, "seconds": seconds}


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `qgis.PyQt.X` as PyQt6's X, and the rest of QGIS and Processing as modules that have any class one asks for."""

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Finds `qgis` and `processing` only."""
        ours = name.split(".")[0] in {"qgis", "processing"}
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if ours else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Create the module."""
        if spec.name.startswith("qgis.PyQt."):
            module = ModuleType(spec.name)
            module.__dict__.update(vars(_pyqt6(spec.name.rsplit(".", 1)[1])))
            return module
        return StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


class StandInModule(ModuleType):
    """Creates a class for every requested name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = stand_in_class(name)
        setattr(self, name, made)
        return made


def stand_in_class(name: str) -> type:
    """A class derived from QObject, so that signals can be declared in it, with any attribute one asks for."""
    from PyQt6.QtCore import QObject

    class Meta(type(QObject)):  # type: ignore[misc]
        def __getattr__(cls, attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return stand_in_class(attribute)

    return Meta(name, (QObject,), {"__init__": lambda self, *_, **__: QObject.__init__(self)})


def main(what: str, folder: Path) -> None:
    """Run one check and print what it found as JSON."""
    if what == "names":
        print(json.dumps({"findings": check_names(folder), "modules": len(sources(folder))}))
        return
    if importlib.util.find_spec("PyQt6"):
        sys.meta_path.insert(0, StandIns())
        print(json.dumps(check_import(folder)))
        return
    from qgis.core import QgsApplication

    application = QgsApplication([], True)
    application.initQgis()
    sys.path.insert(0, str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins"))
    result = check_import(folder)
    result["findings"] += check_enums(folder)
    print(json.dumps(result), flush=True)
    application.exitQgis()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
