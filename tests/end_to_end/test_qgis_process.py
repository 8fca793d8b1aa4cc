"""`qgis_process` from the shell, as headless QGIS users have it: plugin found, algorithm described, scene cleaned.

Needs QGIS and the backend, and skips without either. The interpreter that runs pytest needs neither.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# Debian 12's `qgis_process` is a wrapper that passes an option which the program does not know.
QGIS_PROCESS = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
PYTHON = Path(os.environ.get("SUNBREAK_PYTHON") or CHECKOUT / ".venv" / "bin" / "python")

pytestmark = [
    pytest.mark.skipif(QGIS_PROCESS is None, reason="qgis_process is not installed"),
    pytest.mark.skipif(not PYTHON.exists(), reason=f"no backend: set SUNBREAK_PYTHON or make {PYTHON}"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
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
        "SUNBREAK_PYTHON": str(PYTHON),
        "OMP_NUM_THREADS": "1",
        # The system's own tools come first: QGIS must not find the interpreter of an activated venv.
        "PATH": os.pathsep.join(["/usr/bin", "/bin", os.environ.get("PATH", "")]),
    }
    done = subprocess.run(
        [QGIS_PROCESS, "plugins", "enable", "sunbreak"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> dict[str, Path]:
    """A simulated scene, made by the backend itself."""
    folder = tmp_path_factory.mktemp("scene ä")
    subprocess.run(
        [PYTHON, "-I", "-m", "sunbreak", "simulate", "-o", folder, "--size", "280", "--seed", "3"],
        check=True,
        capture_output=True,
    )
    return {"s2": folder / "scene_s2_cloudy.tif", "s1": folder / "scene_s1.tif"}


def qgis_process(environment, *arguments, **keywords):
    return subprocess.run(
        [QGIS_PROCESS, "--json", *map(str, arguments)], env=environment, capture_output=True, text=True, **keywords
    )


def test_the_algorithms_are_listed_and_described(environment):
    listed = json.loads(qgis_process(environment, "list").stdout)
    assert sorted(listed["providers"]["sunbreak"]["algorithms"]) == ["sunbreak:detectclouds", "sunbreak:removeclouds"]
    described = json.loads(qgis_process(environment, "help", "sunbreak:removeclouds").stdout)
    assert set(described["outputs"]) >= {"OUTPUT", "UNCERTAINTY", "CLOUD_SHARE", "QUICKLOOK"}
    assert described["parameters"]["S1"]["optional"] is True


def test_a_scene_is_cleaned_from_the_shell(environment, scene, tmp_path):
    target = tmp_path / "cleaned scene.tif"
    done = qgis_process(
        environment,
        *("run", "sunbreak:removeclouds", "--"),
        f"INPUT={scene['s2']}",
        f"S1={scene['s1']}",
        f"OUTPUT={target}",
        f"UNCERTAINTY={tmp_path / 'sigma.tif'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert results["OUTPUT"] == str(target)
    assert 0 < results["CLOUD_SHARE"] < 1
    assert 0 < results["RECONSTRUCTED_SHARE"] <= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cleaned scene.qml",
        "cleaned scene.stac.json",
        "cleaned scene.tif",
        "cleaned scene_quicklook.png",
        "sigma.qml",
        "sigma.stac.json",
        "sigma.tif",
    ]
    assert target.stat().st_size > 100_000


def test_an_error_of_the_backend_is_the_last_word_and_the_status_is_not_0(environment, scene, tmp_path):
    done = qgis_process(
        environment,
        *("run", "sunbreak:removeclouds", "--"),
        f"INPUT={scene['s2']}",
        f"S1={scene['s1']}",
        "MODEL=no-such-model",
        f"OUTPUT={tmp_path / 'a.tif'}",
    )
    assert done.returncode != 0
    assert "no-such-model" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_file_type_is_refused_before_anything_runs(environment, scene, tmp_path):
    done = qgis_process(
        environment,
        *("run", "sunbreak:detectclouds", "--"),
        f"INPUT={scene['s2']}",
        f"OUTPUT={tmp_path / 'mask.png'}",
    )
    assert done.returncode != 0
    assert "png" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_an_interpreter_it_says_where_to_set_one(environment, scene, tmp_path):
    done = qgis_process(
        {**environment, "SUNBREAK_PYTHON": str(tmp_path / "none")},
        *("run", "sunbreak:detectclouds", "--"),
        f"INPUT={scene['s2']}",
        f"OUTPUT={tmp_path / 'mask.tif'}",
    )
    assert done.returncode != 0
    assert "Providers > Sunbreak" in done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_when_qgis_dies_the_backend_ends_too(environment, scene, tmp_path):
    inputs = f"INPUT={scene['s2']}", f"S1={scene['s1']}"
    running = subprocess.Popen(
        [
            QGIS_PROCESS,
            "run",
            "sunbreak:removeclouds",
            "--",
            *inputs,
            f"OUTPUT={tmp_path / 'a.tif'}",
            "REPLACE_ALL=true",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    child = None
    deadline = time.monotonic() + 60
    while child is None and time.monotonic() < deadline and running.poll() is None:
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        child = next((int(pid) for pid in children if b"sunbreak" in Path(f"/proc/{pid}/cmdline").read_bytes()), None)
        time.sleep(0.02)
    assert child is not None
    time.sleep(1.0)
    running.send_signal(signal.SIGKILL)
    running.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists()
    assert not (tmp_path / "a.tif").exists()
