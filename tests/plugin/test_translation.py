"""Cleaning from the toolbox with an imported Augmented CycleGAN, with the real backend and random weights."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "aug-cyclegan-tiny"


@pytest.fixture(scope="module")
def models(backend, tmp_path_factory) -> Path:
    """The folder of the tiny model."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([backend, "-I", CHECKOUT / "tests" / "tiny_translation.py", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def real(plugin, backend, models, monkeypatch):
    """The plugin with the real backend set, which knows the tiny model."""
    from sunbreak.plugin.bridge import models as bridge

    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setenv("SUNBREAK_MODELS", str(models))
    monkeypatch.setattr(bridge, "_seen", {})
    return plugin


def run(parameters, **keywords):
    import processing

    return processing.run("sunbreak:removeclouds", {"MODEL": NAME, "DEVICE": "cpu", **parameters}, **keywords)


def read(path):
    from osgeo import gdal

    return gdal.Open(str(path)).ReadAsArray()


def test_the_model_is_among_those_that_remove_clouds(real, backend, qgis_app):
    from sunbreak.plugin.bridge.models import ask_for_models

    answers: list[tuple] = []
    ask_for_models(backend, "cloud-removal", answers.append)
    deadline = time.monotonic() + 60
    while not answers and time.monotonic() < deadline:
        qgis_app.processEvents()
        time.sleep(0.02)
    (model,) = [model for model in answers[0] if model.name == NAME]
    assert (model.title, model.task, model.default) == ("Random weights", "cloud-removal", False)


def test_it_cleans_a_scene_with_uncertainty_and_names_skipped_outputs(real, scene, tmp_path, feedback):
    given = {"INPUT": str(scene["s2"]), "S1": str(scene["s1"])}
    targets = {"OUTPUT": str(tmp_path / "clean.tif"), "UNCERTAINTY": str(tmp_path / "sigma.tif")}
    targets |= {"RECONSTRUCTED": str(tmp_path / "share.tif")}
    result = run({**given, **targets}, feedback=feedback)
    before, after, sigma, share = (
        read(path) for path in (scene["s2"], result["OUTPUT"], result["UNCERTAINTY"], result["RECONSTRUCTED"])
    )
    assert 0.05 < result["RECONSTRUCTED_SHARE"] < 0.8
    assert (after[:, share == 0] == before[:, share == 0]).all()
    assert (after[10] == before[10]).all()
    made = [band for band in range(13) if band != 10]
    assert (after[made][:, share == 10000] != before[made][:, share == 10000]).mean() > 0.9
    assert (sigma[:, share == 0] == 0).all()
    assert (sigma[made][:, share == 10000] > 0).mean() > 0.9
    assert any("does not give B10" in text for text in feedback.said["warning"])


def test_missing_radar_is_refused_with_the_backend_message(real, scene, tmp_path):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException, match=f"{NAME} needs Sentinel-1"):
        run({"INPUT": str(scene["s2"]), "OUTPUT": str(tmp_path / "clean.tif")})
    assert list(tmp_path.iterdir()) == []
