"""The chain gives the same bytes from the toolbox, from `qgis_process` and from the shell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

OUTPUTS = {
    "OUTPUT": "landcover",
    "TRUST": "trust",
    "SALIENCY": "saliency_predicted",
    "CHANGE": "landcover_cloudy_vs_cleaned",
    "CONFIDENCE": "landcover_confidence",
    "ENTROPY": "landcover_entropy",
    "PROBABILITIES": "landcover_probabilities",
    "EVIDENCE": "landcover_evidence",
    "CLEANED": "cleaned",
    "UNCERTAINTY": "uncertainty",
    "RECONSTRUCTED": "reconstructed",
    "CLOUD_MASK": "cloud_mask",
    "CLOUD_PROBABILITY": "cloud_probability",
}

# What a script of a QGIS user does.
TOOLBOX = """
import json
import sys
from qgis.core import QgsApplication

application = QgsApplication([], False)
application.initQgis()
sys.path += [sys.argv[1], QgsApplication.pkgDataPath() + "/python/plugins"]
from processing.core.Processing import Processing

Processing.initialize()
import processing
import sunbreak

plugin = sunbreak.classFactory(None)
plugin.initProcessing()
result = processing.run("sunbreak:cleanclassifyexplain", json.loads(sys.argv[2]))
print(json.dumps(result))
plugin.unload()
application.exitQgis()
"""


@pytest.fixture(scope="module")
def parameters(scene) -> dict[str, str]:
    return {"INPUT": str(scene["s2"]), "S1": str(scene["s1"]), "CLASSIFIER": "tiny-landcover", "DEVICE": "cpu"}


@pytest.fixture(scope="module")
def shell(python, environment, parameters, tmp_path_factory) -> Path:
    """The folder that the command line filled, from names as it gives them."""
    folder = tmp_path_factory.mktemp("shell")
    command = ["run", parameters["INPUT"], "--s1", parameters["S1"], "--classifier", "tiny-landcover"]
    done = subprocess.run(
        [python, "-I", "-m", "sunbreak", *command, "--device", "cpu", "-o", folder],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def targets(folder: Path) -> dict[str, str]:
    rasters = {name: str(folder / f"{name.lower()}.tif") for name in OUTPUTS}
    return rasters | {"BANDS": str(folder / "bands.csv"), "REPORT": str(folder / "report.html")}


def same_as_the_shell(shell: Path, folder: Path, results: dict) -> None:
    for name, role in OUTPUTS.items():
        assert results[name] == str(folder / f"{name.lower()}.tif")
        assert Path(results[name]).read_bytes() == (shell / f"scene_s2_cloudy_{role}.tif").read_bytes(), role
    table = shell / "scene_s2_cloudy_saliency_predicted_bands.csv"
    assert Path(results["BANDS"]).read_bytes() == table.read_bytes()
    assert "<title>scene_s2_cloudy" in Path(results["REPORT"]).read_text(encoding="utf-8")
    assert 0 < results["MEAN_CONFIDENCE"] < 1


def test_qgis_process_gives_the_same_bytes_as_the_shell(shell, qgis_process, parameters, tmp_path):
    given = parameters | targets(tmp_path)
    done = qgis_process(
        *("run", "sunbreak:cleanclassifyexplain", "--"), *(f"{name}={value}" for name, value in given.items())
    )
    assert done.returncode == 0, done.stdout + done.stderr
    same_as_the_shell(shell, tmp_path, json.loads(done.stdout)["results"])


def test_the_toolbox_gives_the_same_bytes_as_the_shell(shell, qgis_python, environment, parameters, tmp_path):
    plugins = environment["QGIS_PLUGINPATH"]
    given = json.dumps(parameters | targets(tmp_path))
    done = subprocess.run(
        [qgis_python, "-c", TOOLBOX, plugins, given],
        env={**environment, "PYTHONPATH": plugins},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    same_as_the_shell(shell, tmp_path, json.loads(done.stdout.splitlines()[-1]))


def test_a_point_is_explained_by_qgis_process_without_a_project(qgis_process, scene, tmp_path):
    described = subprocess.run(["gdalinfo", scene["s2"]], capture_output=True, text=True).stdout
    x, y = re.search(r"Center +\( *([\d.]+), *([\d.]+)\)", described).groups()
    done = qgis_process(
        *("run", "sunbreak:explainclassification", "--"),
        f"INPUT={scene['s2']}",
        "MODEL=tiny-landcover",
        f"POINT={x},{y}",
        f"OUTPUT={tmp_path / 'a.tif'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert 0 < results["PROBABILITY"] <= 1
    assert results["PREDICTED_CLASS"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.qml", "a.stac.json", "a.tif"]


def test_classes_of_pixels_are_the_same_from_qgis_process_and_the_shell(
    python, environment, qgis_process, scene, tmp_path
):
    (tmp_path / "shell").mkdir()
    done = subprocess.run(
        [
            *(python, "-I", "-m", "sunbreak", "classify", scene["s2"], "--model", "tiny-pixels", "--probabilities"),
            *("--device", "cpu", "-o", tmp_path / "shell"),
        ],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    given = {"INPUT": scene["s2"], "MODEL": "tiny-pixels", "DEVICE": "cpu", "OUTPUT": tmp_path / "a.tif"}
    command = ("run", "sunbreak:classifylandcover", "--", *(f"{name}={value}" for name, value in given.items()))
    done = qgis_process(*command, f"PROBABILITIES={tmp_path / 'b.tif'}")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    for name, role in (("OUTPUT", "landcover"), ("PROBABILITIES", "landcover_probabilities")):
        written = tmp_path / "shell" / f"scene_s2_cloudy_{role}.tif"
        assert Path(results[name]).read_bytes() == written.read_bytes(), role
    assert sum(area.get("hectares", 0) for area in json.loads(results["AREAS"]).values()) == pytest.approx(
        625,
        rel=0.01,  # 250 x 250 pixels
    )
    done = qgis_process(*command, "STRIDE=16")
    assert done.returncode != 0
    assert "tiny-pixels gives a class for each pixel; there are no patches and no stride" in done.stdout + done.stderr
