"""`sunbreak models import` and `delete` as another program runs them: protocol lines, and nothing half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from program import sunbreak

TINY = Path(__file__).resolve().parents[2] / "tiny_classifier.py"
TINY_PIXELS = TINY.with_name("tiny_pixel_classifier.py")


def events_of(folder: Path, *arguments: object) -> tuple[int, list[dict]]:
    """As a program that listens: standard input stays open until the end."""
    done = sunbreak("models", *arguments, "--events", env={**os.environ, "SUNBREAK_MODELS": str(folder)})
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_checkpoint_that_cannot_be_read_is_an_error_event_and_leaves_no_model(tmp_path):
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no checkpoint")
    status, events = events_of(tmp_path / "models", "import", broken, "--name", "mine")
    assert status == 2
    assert [event["event"] for event in events] == ["started", "progress", "error"]
    assert events[1]["done"] == 0
    assert "broken.pth" in events[2]["message"]
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").iterdir())


def test_a_deletion_says_what_it_did(tmp_path):
    subprocess.run([sys.executable, "-I", TINY, tmp_path], check=True, capture_output=True)
    status, events = events_of(tmp_path, "delete", "tiny-landcover")
    assert status == 0
    assert events[1] == {"event": "message", "text": "Deleted tiny-landcover.", "level": "info"}
    assert events[-1] == {"event": "result", "layers": {}, "numbers": {"model": "tiny-landcover"}}
    assert not list(tmp_path.glob("tiny-landcover*"))


def test_the_list_for_other_programs_contains_licence_and_metrics(tmp_path):
    done = sunbreak("models", "list", "--json")
    models = {row["name"]: row for row in json.loads(done.stdout)}
    assert models["resnet18-landcover"]["per_pixel"] is False
    removal = models["uncrtaints-guided"]
    assert removal["licence"] == "GPL-2.0-or-later"
    assert removal["description"]
    assert all({"data", "figures"} <= set(group) for group in removal["measured"])
    assert any(group["figures"]["network, default of clean"]["psnr"] > 20 for group in removal["measured"])


def test_a_classifier_of_pixels_is_called_one_in_list_and_card(tmp_path):
    subprocess.run([sys.executable, "-I", TINY_PIXELS, tmp_path], check=True, capture_output=True)
    done = sunbreak("models", "list", "--json", env={**os.environ, "SUNBREAK_MODELS": str(tmp_path)})
    (row,) = [row for row in json.loads(done.stdout) if row["name"] == "tiny-pixels"]
    assert row["per_pixel"] is True
    assert next(line for line in row["card"] if line.startswith("classes ")).endswith("Snow and ice (one per pixel)")
