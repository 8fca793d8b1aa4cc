"""Headless QGIS and the backend of this machine; tests that need a missing one are skipped.

The interpreter that runs pytest needs neither.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def python() -> Path:
    """The backend's interpreter: SUNBREAK_PYTHON, or the checkout's .venv."""
    path = Path(os.environ.get("SUNBREAK_PYTHON") or CHECKOUT / ".venv" / "bin" / "python")
    if not path.exists():
        pytest.skip(f"no backend: set SUNBREAK_PYTHON or make {path}")
    return path


@pytest.fixture(scope="session")
def qgis_program() -> str:
    """The program `qgis_process`."""
    # Debian 12's `qgis_process` is a wrapper that passes an option which the program does not know.
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("qgis_process is not installed")
    return program


@pytest.fixture(scope="session")
def qgis_python() -> str:
    """An interpreter that can import QGIS's modules."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        if (
            Path(candidate).exists()
            and not subprocess.run([candidate, "-c", "import qgis.core"], capture_output=True).returncode
        ):
            return candidate
    pytest.skip("QGIS's Python modules cannot be imported")


@pytest.fixture(scope="session")
def classifiers(python, tmp_path_factory) -> Path:
    """The folder of `tiny-landcover` and `tiny-pixels`."""
    folder = tmp_path_factory.mktemp("models")
    for script in ("tiny_classifier.py", "tiny_pixel_classifier.py"):
        subprocess.run([python, "-I", CHECKOUT / "tests" / script, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def environment(qgis_program, python, classifiers, tmp_path_factory) -> dict[str, str]:
    """A fresh QGIS profile in which the plugin is enabled."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "sunbreak").symlink_to(CHECKOUT, target_is_directory=True)
    (folder / "run").mkdir(mode=0o700)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
        "QGIS_PLUGINPATH": str(folder / "plugins"),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "config"),
        "XDG_RUNTIME_DIR": str(folder / "run"),
        "QT_QPA_PLATFORM": "offscreen",
        "SUNBREAK_PYTHON": str(python),
        "SUNBREAK_MODELS": str(classifiers),
        "OMP_NUM_THREADS": "1",
        # The system's own tools come first: QGIS must not find the interpreter of an activated venv.
        "PATH": os.pathsep.join(["/usr/bin", "/bin", os.environ.get("PATH", "")]),
    }
    done = subprocess.run(
        [qgis_program, "plugins", "enable", "sunbreak"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture(scope="session")
def qgis_process(qgis_program, environment):
    """Runs `qgis_process --json` with arguments; keywords are further variables of its environment."""

    def run(*arguments, **variables):
        return subprocess.run(
            [qgis_program, "--json", *map(str, arguments)],
            env=environment | variables,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def scene(python, tmp_path_factory) -> dict[str, Path]:
    """A simulated scene, made by the backend itself."""
    folder = tmp_path_factory.mktemp("scene ä")
    subprocess.run(
        [python, "-I", "-m", "sunbreak", "simulate", "-o", folder, "--size", "250", "--seed", "3"],
        check=True,
        capture_output=True,
    )
    return {"s2": folder / "scene_s2_cloudy.tif", "s1": folder / "scene_s1.tif"}
