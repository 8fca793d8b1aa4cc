"""Light, installed as QGIS's dialog does it: no torch in it, and the same layers as from the full backend.

It downloads 0.4 GB of packages and is run by `make test-light`. SUNBREAK_TEST_LIGHT=install installs into a fresh
profile; with the folder of a profile in which Light is installed already, that one is used.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WANTED = os.environ.get("SUNBREAK_TEST_LIGHT", "")
BASE = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
MINUTE = 60

pytestmark = [
    pytest.mark.skipif(not WANTED, reason="make test-light"),
    pytest.mark.timeout(20 * MINUTE),
]

# What the dialog does when *Install* is pressed, without the window.
INSTALL = """
import sys
from pathlib import Path
from qgis.core import QgsApplication
application = QgsApplication([], False)
application.initQgis()
sys.path.insert(0, sys.argv[1])
from sunbreak.plugin.bridge.install import Plan, install
from sunbreak.plugin.bridge.install_network import certificates, network_environment
from sunbreak.plugin.bridge.install_plan import VARIANTS
from sunbreak.plugin.bridge.installed import PLUGIN_FOLDER, home, plugin_version
class Watcher:
    def stand(self, fraction, text): pass
    def log(self, line): print(line, flush=True)
    def stopped(self): return False
plan = Plan(Path(sys.argv[2]), PLUGIN_FOLDER, home(), plugin_version(), VARIANTS["light"],
            proxies=network_environment(), authorities=certificates())
print(install(plan, Watcher()).folder)
"""


@pytest.fixture(scope="module")
def profile(environment, tmp_path_factory) -> Path:
    """The configuration folder of QGIS whose profile holds the light backend."""
    if WANTED != "install":
        return Path(WANTED)
    folder = tmp_path_factory.mktemp("Jürgen Öl") / "config"
    shutil.copytree(environment["QGIS_CUSTOM_CONFIG_PATH"], folder)
    return folder


@pytest.fixture(scope="module")
def light(environment, profile, qgis_python) -> Path:
    """The folder of the light backend."""
    if WANTED == "install":
        done = subprocess.run(
            [qgis_python, "-c", INSTALL, environment["QGIS_PLUGINPATH"], BASE],
            env=environment | {"QGIS_CUSTOM_CONFIG_PATH": str(profile)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (record,) = profile.rglob("sunbreak/backend-*/installed.json")
    return record.parent


@pytest.fixture(scope="module")
def run_in_light(qgis_process, light, profile):
    """Runs `qgis_process` with the light backend, which the plugin finds in the profile."""

    def run(*arguments):
        return qgis_process(*arguments, SUNBREAK_PYTHON="", QGIS_CUSTOM_CONFIG_PATH=str(profile))

    return run


def test_a_light_backend_has_no_torch_and_nothing_that_only_torch_needs(light):
    facts = json.loads((light / "installed.json").read_text(encoding="utf-8"))
    assert (facts["variant"], facts["torch"], facts["devices"]) == ("light", "", ["cpu"])
    assert {"clouds", "catalogue"} <= set(facts["extras"])
    assert "torch" not in facts["extras"]
    names = {path.name.split("-")[0].lower() for path in light.rglob("*.dist-info")}
    assert {"openvino", "rasterio", "ukis_csmask"} <= names
    assert not names & {"torch", "s2cloudless", "lightgbm", "scikit_learn", "safetensors", "pyproj"}


def test_light_is_small(light):
    sizes = {path: path.stat().st_size for path in light.rglob("*") if path.is_file() and not path.is_symlink()}
    # the networks for clouds and what they need can be left out
    clouds = [path for path in sizes if any(part.startswith(("ukis_csmask", "scipy")) for part in path.parts)]
    assert sum(sizes.values()) < 1.0e9
    assert sum(sizes.values()) - sum(sizes[path] for path in clouds) < 650e6


@pytest.mark.parametrize(
    ("algorithm", "inputs", "outputs"),
    [
        ("detectclouds", {"DETECTOR": "s2cloudless"}, ("OUTPUT",)),
        ("detectclouds", {"DETECTOR": "auto"}, ("OUTPUT",)),
        ("removeclouds", {"S1": "s1", "DEVICE": "cpu"}, ("OUTPUT", "UNCERTAINTY", "RECONSTRUCTED")),
        ("classifylandcover", {"MODEL": "resnet18-landcover", "DEVICE": "cpu"}, ("OUTPUT", "CONFIDENCE")),
        ("classifylandcover", {"MODEL": "resnet18-fpn-landcover", "DEVICE": "cpu"}, ("OUTPUT",)),
        ("explainclassification", {"MODEL": "resnet18-landcover", "METHOD": "gradcam", "DEVICE": "cpu"}, ("OUTPUT",)),
    ],
)
def test_the_layers_of_light_are_those_of_the_full_backend(
    run_in_light, qgis_process, scene, tmp_path, algorithm, inputs, outputs
):
    given = {"INPUT": scene["s2"]} | {name: scene.get(value, value) for name, value in inputs.items()}
    for name, run in (("light", run_in_light), ("full", qgis_process)):
        (tmp_path / name).mkdir()
        targets = {output: tmp_path / name / f"{output.lower()}.tif" for output in outputs}
        parameters = (f"{name}={value}" for name, value in (given | targets).items())
        done = run("run", f"sunbreak:{algorithm}", "--", *parameters)
        assert done.returncode == 0, f"{name}: {done.stdout} {done.stderr}"
    for output in outputs:
        written = [(tmp_path / name / f"{output.lower()}.tif").read_bytes() for name in ("light", "full")]
        assert written[0] == written[1], output


def test_what_needs_torch_says_so_in_one_line_with_the_way_to_add_it(run_in_light, scene, tmp_path):
    done = run_in_light(
        *("run", "sunbreak:explainclassification", "--"),
        f"INPUT={scene['s2']}",
        "MODEL=resnet18-fpn-landcover",
        "METHOD=integrated-gradients",
        f"OUTPUT={tmp_path / 'a.tif'}",
    )
    assert done.returncode != 0
    assert "needs torch, which is not installed. Add PyTorch with Plugins > Sunbreak > Backend." in (
        done.stdout + done.stderr
    )
    assert list(tmp_path.iterdir()) == []
