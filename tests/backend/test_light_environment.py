"""With the base packages only, commands give what they give with all packages, or one line that names the extra."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from light import run

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
CLOUDY, CLEAR, RADAR = (DEMO / f"demo_{name}.tif" for name in ("s2_cloudy", "s2_clear", "s1"))


def layers(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


def test_clouds_are_detected_to_the_same_bytes(tmp_path):
    for name, hidden in (("light", {}), ("full", {"without": ()})):
        options = ("--detector", "s2cloudless", "--window", 0, 0, 300, 300)
        done = run("detect-clouds", CLOUDY, *options, "-o", tmp_path / name, **hidden)
        assert done.returncode == 0, done.stderr
    light = layers(tmp_path / "light")
    assert len(light) == 2 and light == layers(tmp_path / "full")


@pytest.mark.parametrize(
    "command",
    [
        ("clean", "--s1", RADAR, "--detector", "s2cloudless"),
        ("clean", "--detector", "s2cloudless", "--reference", DEMO / "demo_s2_before.tif"),
        ("run", "--s1", RADAR, "--detector", "s2cloudless"),
        ("classify", "--model", "resnet18-fpn-landcover"),
    ],
    ids=["clean", "clean with another date", "run", "classify each pixel"],
)
def test_layers_are_the_same_to_the_byte(tmp_path, command):
    for name, hidden in (("light", {}), ("full", {"without": ()})):
        done = run(*command[:1], CLOUDY, *command[1:], "--window", 300, 200, 200, 200, "-o", tmp_path / name, **hidden)
        assert done.returncode == 0, done.stderr
    light, full = layers(tmp_path / "light"), layers(tmp_path / "full")
    assert len(light) >= 3 and light.keys() == full.keys()
    assert [name for name in light if light[name] != full[name]] == []


@pytest.mark.parametrize(
    ("command", "extra", "message"),
    [
        (("compare", CLOUDY, CLEAR), "evaluation", "Comparing images needs scipy"),
        (("simulate",), "evaluation", "Simulating needs scipy"),
        (
            ("explain", CLOUDY, "--model", "resnet18-fpn-landcover"),
            "torch",
            "Explaining the model resnet18-fpn-landcover, which needs gradients, needs torch",
        ),
        (("explain", CLOUDY, "--block", "layer3"), "torch", "A saliency map at layer3 needs torch"),
        (("clean", CLOUDY, "--runtime", "torch"), "torch", "The runtime torch needs torch"),
    ],
)
def test_a_command_without_its_extra_ends_with_one_line_that_names_it(tmp_path, command, extra, message):
    done = run(*command, "-o", tmp_path / "out")
    said = " ".join(done.stderr.split())
    assert said.endswith(f"{message}, which is not installed. Install it: pip install 'sunbreak[{extra}]'.")
    assert "Clouds:" not in said
    assert done.returncode == 2
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    "command",
    [
        ("models", "import", "a.pth", "--name", "a"),
        ("models", "convert", "uncrtaints-guided"),
        ("adapt", CLOUDY, "--name", "a"),
        ("train", "removal", "--name", "a", "-o", "out"),
    ],
    ids=lambda command: " ".join(command[:2]) if command[0] != "adapt" else "adapt",
)
def test_commands_that_are_all_torch_say_so_in_one_line(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    Path("a.pth").write_bytes(b"no checkpoint")
    done = run(*command)
    assert done.returncode == 2
    assert done.stderr.endswith("needs torch, which is not installed. Install it: pip install 'sunbreak[torch]'.\n")
    assert "Traceback" not in done.stderr


def test_hidden_packages_look_as_if_they_were_not_installed():
    shown = run("doctor", "--json").stdout
    checks = {check["name"]: check for check in json.loads(shown)}
    assert all(check["well"] for name, check in checks.items() if name not in ("packages", "disk")), checks
    assert checks["device"]["found"].startswith("cpu; torch is not installed")
    assert checks["clouds"]["found"].endswith("ukis-csmask is not installed")
