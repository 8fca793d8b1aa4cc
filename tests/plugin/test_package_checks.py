"""`make check-package` finds what the plugin repository would refuse: each check is shown a plugin with that fault."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
QT6_PYTHON = CHECKOUT / ".venv-check" / "bin" / "python"


@pytest.fixture(scope="module")
def checks():
    """tools/check_package.py, without the part that builds the zip."""
    backend = CHECKOUT / ".venv" / "bin" / "python"
    if not backend.exists():
        pytest.skip("no .venv")
    sys.path.insert(0, str(CHECKOUT / "tools"))
    pytest.importorskip("packaging")
    yield importlib.import_module("check_package")
    sys.path.remove(str(CHECKOUT / "tools"))


@pytest.fixture
def plugin_copy(tmp_path) -> Path:
    """A small correct plugin, which the tests break."""
    folder = tmp_path / "sunbreak"
    for name in ("metadata.txt", "LICENSE", "CHANGELOG.md", "pyproject.toml", "requirements.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((CHECKOUT / name).read_bytes())
    resources = ("catalogues/planetary-computer.yaml", "icons/sunbreak.svg", "detectors/s2cloudless.npz")
    licence = "detectors/LICENSE-s2cloudless.md"
    for name in ("__init__.py", "backend/sunbreak/__init__.py", *(f"resources/{one}" for one in (*resources, licence))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((CHECKOUT / name).read_bytes())
    (folder / "resources" / "models").mkdir()
    for suffix in (".json", ".safetensors"):
        (folder / "resources" / "models" / f"m{suffix}").write_text("{}")
    (folder / "plugin").mkdir()
    (folder / "plugin" / "__init__.py").write_text("")
    return folder


def zipped(folder: Path) -> Path:
    archive = folder.parent / "plugin.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder.parent)))
                entry.external_attr = (path.stat().st_mode & 0o777) << 16
                opened.writestr(entry, path.read_bytes())
    return archive


def findings_of(program, what: str, folder: Path) -> list[str]:
    environment = {"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [program, "-I", CHECKOUT / "tools" / "check_qt.py", what, folder],
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(line)["findings"]


def test_a_correct_plugin_has_no_findings(checks, plugin_copy):
    archive = zipped(plugin_copy)
    assert checks.check_layout(plugin_copy, archive) == []
    assert checks.check_metadata(plugin_copy, archive) == []
    assert checks.check_plugin_imports(plugin_copy, archive) == []


def test_unwanted_and_missing_files_of_the_zip_are_found(checks, plugin_copy):
    (plugin_copy / "install.sh").write_text("pip install torch")
    (plugin_copy / "plugin" / "__pycache__").mkdir()
    (plugin_copy / "plugin" / "__pycache__" / "m.cpython-311.pyc").write_bytes(b"x")
    (plugin_copy / "tests").mkdir()
    (plugin_copy / "tests" / "test_m.py").write_text("")
    (plugin_copy / "plugin" / "run.py").write_text("")
    (plugin_copy / "plugin" / "run.py").chmod(0o755)
    (plugin_copy / "LICENSE").unlink()
    (plugin_copy / "resources" / "models" / "m.safetensors").unlink()
    found = "\n".join(checks.check_layout(plugin_copy, zipped(plugin_copy)))
    for name in ("install.sh", "m.cpython-311.pyc", "tests/test_m.py", "plugin/run.py", "LICENSE", "cards ['m']"):
        assert name in found


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("tracker=", "x=", "tracker"),
        ("version=0", "version=9", "backend"),
        ("qgisMaximumVersion=4.99", "qgisMaximumVersion=3.99", "3.99"),
        ("email=", "email=nobody at ", "email"),
        ("tags=", "tags=99 %, ", "%"),
        ("icon=", "icon=no", "icon"),
    ],
)
def test_metadata_errors_of_the_plugin_repository_are_found(checks, plugin_copy, old, new, wanted):
    path = plugin_copy / "metadata.txt"
    path.write_text(path.read_text().replace(f"\n{old}", f"\n{new}", 1))
    found = checks.check_metadata(plugin_copy, path)
    assert found and wanted in "\n".join(found)


def test_a_plugin_that_imports_more_than_qgis_is_found(checks, plugin_copy):
    (plugin_copy / "plugin" / "m.py").write_text("import subprocess\nfrom torch import nn\nfrom . import other\n")
    assert checks.check_plugin_imports(plugin_copy, plugin_copy) == [
        "plugin/m.py:1: imports subprocess",
        "plugin/m.py:2: imports torch",
    ]


@pytest.mark.skipif(not QT6_PYTHON.exists(), reason="make .stamps/check")
def test_names_that_qt_6_lacks_are_found_and_scoped_enums_are_not(plugin_copy):
    (plugin_copy / "plugin" / "m.py").write_text(
        "from PyQt5.QtCore import QObject\n"
        "from qgis.PyQt.QtCore import Qt, QVariant, QRegExp\n"
        "from qgis.PyQt.QtWidgets import QAction, QDialog\n"
        "a = Qt.Horizontal\n"
        "b = Qt.Orientation.Horizontal\n"
        "c = QVariant.Int\n"
        "QDialog().exec_()\n"
    )
    found = findings_of(QT6_PYTHON, "names", plugin_copy)
    assert sorted(line.split(": ", 1)[0] for line in found) == [f"plugin/m.py:{line}" for line in (1, 2, 4, 6, 7)]


@pytest.mark.skipif(not QT6_PYTHON.exists(), reason="make .stamps/check")
def test_a_module_that_pyqt6_cannot_import_is_found(plugin_copy):
    (plugin_copy / "plugin" / "m.py").write_text(
        "from qgis.core import QgsTask, QgsProcessingAlgorithm\n"
        "from qgis.PyQt.QtCore import QProcess, pyqtSignal\n"
        "class Task(QgsTask):\n"
        "    stood = pyqtSignal(float, str)\n"
        "STATE = QgsProcessingAlgorithm.Flag.CanCancel\n"
        "GONE = QProcess.NotRunning\n"
    )
    (found,) = findings_of(QT6_PYTHON, "import", plugin_copy)
    assert "NotRunning" in found


def test_enums_of_qgis_without_their_scope_and_broken_imports_are_found(plugin_copy):
    (plugin_copy / "plugin" / "m.py").write_text(
        "from qgis.core import Qgis, QgsProcessing\n"
        "a = Qgis.Warning\n"
        "b = Qgis.MessageLevel.Warning\n"
        "c = QgsProcessing.TypeRaster\n"
    )
    (plugin_copy / "plugin" / "n.py").write_text("import nothing_of_that_name\n")
    found = findings_of("/usr/bin/python3", "import", plugin_copy)
    assert [line.split(":")[0] for line in found] == ["sunbreak.plugin.n", "plugin/m.py", "plugin/m.py"]
    assert "Qgis.MessageLevel.Warning" in found[1]


def test_the_guide_in_the_zip_has_no_broken_link():
    python = CHECKOUT / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .venv")
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import pages\n"
        "print(json.dumps({n: d.decode() if n.endswith('html') else '' for n, d in pages.pages('https://r').items()}))"
    )
    done = subprocess.run([python, "-I", "-c", script, CHECKOUT / "tools"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert {"docs/guide.html", "docs/installing.html"} <= set(found)
    for name, text in found.items():
        ids = set(re.findall(r' id="([^"]+)"', text))
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            page, _, part = target.partition("#")
            assert target.startswith("https://") or not page or f"docs/{page}" in found, (name, target)
            assert page or part in ids, (name, target)
    assert "<table>" in found["docs/guide.html"]


def audit_that_says(monkeypatch, checks, tmp_path: Path, packages: list[dict]) -> None:
    """Put a program in the place of pip-audit that answers as the real one does."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps({'dependencies': packages}))})\n")
    program.chmod(0o755)
    monkeypatch.setattr(checks, "TOOLS", tmp_path)


def test_a_locked_version_with_a_known_vulnerability_is_found(checks, plugin_copy, tmp_path, monkeypatch):
    whole = [{"name": f"package{number}", "version": "1", "vulns": []} for number in range(3)]
    known = {"name": "requests", "version": "2.19.0", "vulns": [{"id": "PYSEC-2018-28", "fix_versions": ["2.20.0"]}]}
    audit_that_says(monkeypatch, checks, tmp_path, [*whole, known])
    assert checks.check_vulnerabilities(plugin_copy, plugin_copy) == ["requests 2.19.0: PYSEC-2018-28, fixed in 2.20.0"]


def test_vulnerabilities_that_nobody_was_asked_about_are_not_counted_as_none(
    checks, plugin_copy, tmp_path, monkeypatch
):
    skipped = [{"name": f"package{number}", "skip_reason": "not found on PyPI"} for number in range(4)]
    audit_that_says(monkeypatch, checks, tmp_path, skipped)
    with pytest.raises(checks.NotDoneError, match="4 of 4 packages"):
        checks.check_vulnerabilities(plugin_copy, plugin_copy)
    (tmp_path / "pip-audit").write_text(f"#!{sys.executable}\nraise SystemExit('no network')\n")
    with pytest.raises(checks.NotDoneError, match="no network"):
        checks.check_vulnerabilities(plugin_copy, plugin_copy)
