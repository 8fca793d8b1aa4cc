"""Unpacks the plugin's zip and runs the checks of the plugin repository, and more, on it.

    python tools/check_package.py [dist/sunbreak-....zip]
    python tools/check_package.py --source      only the checks without other tools, on the checkout (1 s)

Layout and metadata, Bandit without a severity floor, detect-secrets, pip-audit over the lock file, flake8 at 120
columns, names that Qt 6 lacks, unscoped enums, and the import of every module of the plugin with PyQt5 (in QGIS) and
PyQt6. Exit status 1 if anything is found. pip-audit asks PyPI for known vulnerabilities; without an answer the check is
reported as not done, at its place and in the last line.
"""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

sys.path.insert(0, str(Path(__file__).parent))
import translations
from package import LARGEST

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".venv-check" / "bin"
QGIS_PYTHON = "/usr/bin/python3"
CHECK_QT = Path(__file__).with_name("check_qt.py")
TOP = "sunbreak"
NEEDED = (
    "__init__.py",
    "metadata.txt",
    "LICENSE",
    "pyproject.toml",
    "requirements.lock",
    "backend/sunbreak/__init__.py",
)
SUFFIXES = {
    "", ".bin", ".cfg", ".css", ".html", ".j2", ".json", ".lock", ".md", ".npz", ".png", ".py", ".qm", ".qml",
    ".safetensors", ".svg", ".tif", ".toml", ".txt", ".xml", ".yaml",
}  # fmt: skip
FORBIDDEN_FOLDERS = {"__pycache__", "__MACOSX", "tests", "test", ".git"}
REQUIRED = (
    "name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository",
)  # fmt: skip
IMPORT_LIMIT_S = 10.0


class NotDoneError(Exception):
    """A check could not be made, for example without a network. Its text says why."""


def check_layout(folder: Path, archive: Path) -> list[str]:
    """One folder of plain files of allowed kinds, with all files that the plugin needs."""
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        damaged = opened.testzip()
    found = [f"{damaged}: damaged"] if damaged else []
    size = archive.stat().st_size
    if size > LARGEST:
        found.append(f"{archive.name}: {size / 1e6:.1f} MB, allowed are {LARGEST / 1e6:.0f}")
    for entry in entries:
        parts = entry.filename.split("/")
        mode = entry.external_attr >> 16
        if parts[0] != TOP:
            found.append(f"{entry.filename}: outside the folder {TOP}")
        if ".." in parts or FORBIDDEN_FOLDERS & set(parts[:-1]) or any(part.startswith(".") for part in parts):
            found.append(f"{entry.filename}: does not belong in a plugin")
        if Path(parts[-1]).suffix.lower() not in SUFFIXES:
            found.append(f"{entry.filename}: files of this kind are not allowed")
        if mode & 0o111 or mode & 0o170000 == 0o120000:
            found.append(f"{entry.filename}: is executable or a link")
    found += [f"{name}: missing" for name in NEEDED if not (folder / name).is_file()]
    if not (folder / "resources" / "catalogues" / "planetary-computer.yaml").is_file():
        found.append("resources/catalogues: the profiles of the catalogues are missing")
    detectors = {path.name for path in (folder / "resources" / "detectors").glob("*")}
    if not {"s2cloudless.npz", "LICENSE-s2cloudless.md"} <= detectors:
        found.append("resources/detectors: the trees of s2cloudless or their licence are missing")
    cards = {path.stem for path in (folder / "resources" / "models").glob("*.json")}
    weights = {path.stem for path in (folder / "resources" / "models").glob("*.safetensors")}
    if not cards or cards != weights:
        found.append(f"resources/models: cards {sorted(cards)}, weights {sorted(weights)}")
    return found


def check_metadata(folder: Path, _: Path) -> list[str]:
    """The keys that the plugin repository requires, read with its parser; matching versions."""
    parser = configparser.ConfigParser()  # with interpolation, as in the repository: a per cent sign is an error
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string((folder / "metadata.txt").read_text(encoding="utf-8"))
        data = dict(parser.items("general"))
    except configparser.Error as error:
        return [f"metadata.txt: {error}"]
    found = [f"metadata.txt: {key} is missing" for key in REQUIRED if not data.get(key, "").strip()]
    version = data.get("version", "")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        found.append(f"metadata.txt: version {version!r} is not of the form 1.2.3")
    backend = re.search(r'__version__ = "(.+)"', (folder / "backend/sunbreak/__init__.py").read_text(encoding="utf-8"))
    if backend is None or backend[1] != version:
        found.append(f"metadata.txt: version {version}, but the backend's is {backend and backend[1]}")
    for name, text in (
        ("changelog", data.get("changelog", "")),
        ("CHANGELOG.md", (folder / "CHANGELOG.md").read_text()),
    ):
        if version not in text:
            found.append(f"{name}: does not mention {version}")
    lowest, highest = data.get("qgisMinimumVersion", ""), data.get("qgisMaximumVersion", "")
    if (lowest, highest) != ("3.22", "4.99"):
        found.append(f"metadata.txt: QGIS {lowest} to {highest} instead of 3.22 to 4.99")
    for key in ("tracker", "repository", "homepage"):
        address = urlparse(data.get(key, ""))
        if address.scheme not in {"http", "https"} or not address.netloc:
            found.append(f"metadata.txt: {key} is no address")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", data.get("email", "")):
        found.append("metadata.txt: email is no address")
    if not (folder / data.get("icon", "missing")).is_file():
        found.append("metadata.txt: the icon is not there")
    flags = ("experimental", "deprecated", "server", "hasProcessingProvider")
    return found + [
        f"metadata.txt: {key} is neither true nor false"
        for key in flags
        if data.get(key, "").lower() not in {"true", "false", "yes", "no"}
    ]


def check_bandit(folder: Path, _: Path) -> list[str]:
    """Bandit, every severity and every confidence."""
    report = json.loads(run([TOOLS / "bandit", "-r", folder, "-f", "json", "--quiet"]))
    found = [f"{name}: {why}" for name, why in ((e["filename"], e["reason"]) for e in report["errors"])]
    return found + [
        (
            f"{Path(issue['filename']).relative_to(folder)}:{issue['line_number']}: {issue['test_id']} "
            f"{issue['issue_text']}"
        )
        for issue in report["results"]
    ]


def check_secrets(folder: Path, _: Path) -> list[str]:
    """detect-secrets, as in the pre-commit hook and in the scan of the plugin repository."""
    report = json.loads(run([TOOLS / "detect-secrets", "scan", "--all-files", "."], cwd=folder))
    found = [
        f"{name}:{secret['line_number']}: {secret['type']}"
        for name, secrets in report["results"].items()
        for secret in secrets
    ]
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]
    said = run([TOOLS / "detect-secrets-hook", *files], cwd=folder)
    return found + [line for line in said.splitlines() if line.startswith("Location:") and not found]


def check_vulnerabilities(folder: Path, _: Path) -> list[str]:
    """pip-audit over the locked versions: the vulnerabilities that PyPI knows of.

    pip-audit counts a package that its service does not answer for as skipped, and then says that nothing was found.

    Raises:
        NotDoneError: The service cannot be reached, or does not know most of the packages.
    """
    lock = folder / "requirements.lock"
    command = [TOOLS / "pip-audit", "-r", lock, "--no-deps", "--disable-pip", "--progress-spinner=off", "-f", "json"]
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, check=False)
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        why = error if isinstance(error, subprocess.TimeoutExpired) else done.stderr.strip().splitlines()[-1:]
        raise NotDoneError(f"the service of vulnerabilities cannot be asked ({why})") from error
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if 2 * len(skipped) > len(packages):
        raise NotDoneError(f"no answer for {len(skipped)} of {len(packages)} packages from the service")
    if skipped:
        print(f"       no answer for {', '.join(skipped)}")
    return [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'nothing'}"
        for package in packages
        for found in package.get("vulns", ())
    ]


def check_flake8(folder: Path, _: Path) -> list[str]:
    """flake8 at 120 columns, without E203, which contradicts the formatter and is disabled in the repository."""
    said = run([TOOLS / "flake8", "--isolated", "--max-line-length=120", "--extend-ignore=E203", "."], cwd=folder)
    return said.splitlines()


def check_plugin_imports(folder: Path, _: Path) -> list[str]:
    """The plugin imports only QGIS and the standard library, without the modules that Bandit warns about."""
    allowed = {*sys.stdlib_module_names, "qgis", "processing", "osgeo"} - {"subprocess", "pickle", "random"}
    found = []
    for path in [folder / "__init__.py", *sorted((folder / "plugin").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            wrong = [name for name in names if name.split(".")[0] not in allowed]
            found += [f"{path.relative_to(folder)}:{node.lineno}: imports {name}" for name in wrong]
    return found


def check_translated(folder: Path, _: Path) -> list[str]:
    """Every text of the plugin is translated into every language."""
    return [problem for path in translations.files() for problem in translations.untranslated(path, folder / "plugin")]


def check_translations(folder: Path, archive: Path) -> list[str]:
    """All texts are translated, and the compiled files exist."""
    return check_translated(folder, archive) + [
        f"i18n/{path.stem}.qm: missing"
        for path in translations.files()
        if not (folder / "i18n" / f"{path.stem}.qm").is_file()
    ]


def check_qt6_names(folder: Path, _: Path) -> list[str]:
    """Names and enums against the real PyQt6."""
    return qt(TOOLS / "python", "names", folder)


def check_qt6_import(folder: Path, _: Path) -> list[str]:
    """Every module imported with PyQt6."""
    return qt(TOOLS / "python", "import", folder)


def check_qt5_import(folder: Path, _: Path) -> list[str]:
    """Every module imported in the installed QGIS, and QGIS's own enums."""
    return qt(QGIS_PYTHON, "import", folder)


def qt(python: str | Path, what: str, folder: Path) -> list[str]:
    """One run of check_qt.py."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    lines = run([python, "-I", CHECK_QT, what, folder], env=environment).splitlines()
    results = [json.loads(line) for line in lines if line.startswith("{")]
    if not results:
        return [f"check_qt.py {what} said nothing: {' | '.join(lines[-3:])}"]
    slow = results[0].get("seconds", 0.0) > IMPORT_LIMIT_S
    return results[0]["findings"] + (["importing the plugin takes more than 10 s"] if slow else [])


def run(command: list[str | Path], **options: object) -> str:
    """Standard output of a checker; findings are not an error."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600, check=False, **options
    )  # type: ignore[call-overload]
    if not done.stdout.strip() and done.returncode not in (0, 1):
        sys.exit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return str(done.stdout)


CHECKS: tuple[tuple[str, Callable[[Path, Path], list[str]]], ...] = (
    ("layout", check_layout),
    ("metadata", check_metadata),
    ("imports of the plugin", check_plugin_imports),
    ("translations", check_translations),
    ("Bandit", check_bandit),
    ("detect-secrets", check_secrets),
    ("pip-audit", check_vulnerabilities),
    ("flake8", check_flake8),
    ("Qt 6 names", check_qt6_names),
    ("import with PyQt6", check_qt6_import),
    ("import with PyQt5", check_qt5_import),
)


def main() -> None:
    """Run all checks on one zip, or the quick ones on the checkout."""
    if sys.argv[1:] == ["--source"]:
        quick = (check_metadata, check_plugin_imports, check_translated)
        found = [line for check in quick for line in check(ROOT, ROOT)]
        if found:
            sys.exit("\n".join(found))
        return
    named = [Path(argument) for argument in sys.argv[1:]]
    archive = (named or sorted((ROOT / "dist").glob("sunbreak-*.zip")))[-1].resolve()
    total, not_done = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(scratch)
        for title, check in CHECKS:
            started = time.monotonic()
            try:
                found = check(Path(scratch) / TOP, archive)
            except NotDoneError as error:
                not_done.append(title)
                print(f"NOT DONE {title}: {error}", flush=True)
                continue
            total += len(found)
            print(f"{'FAILED' if found else 'ok':7}{title} ({time.monotonic() - started:.1f} s)", flush=True)
            for line in found:
                print(f"       {line}")
    if total:
        sys.exit(f"{archive.name}: {total} findings")
    print(f"{archive.name}: no findings" + (f"; NOT DONE: {', '.join(not_done)}" if not_done else ""))


if __name__ == "__main__":
    main()
