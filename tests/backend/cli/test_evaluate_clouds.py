"""`sunbreak evaluate clouds` on the command line: a table, JSON, events, or a one-line error."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from sunbreak.cli.app import app


@pytest.fixture
def call():
    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["evaluate", "clouds", *(str(one) for one in arguments)])
        return result.exit_code, " ".join((result.output + (result.stderr or "")).split())

    return run


@pytest.fixture
def pair(write):
    """A cloud of 20 x 20 pixels, predicted one column to the left, and a shadow that is not predicted."""
    truth = np.full((1, 40, 50), 4, "uint8")
    truth[0, 10:30, 10:30] = 9
    guess = np.roll(truth, -1, 2) == 9
    truth[0, 30:35, 10:30] = 3
    return write("S2_cloud_mask.tif", guess.astype("uint8"), nodata=255), write("S2_SCL.tif", truth)


def test_a_table_shows_exact_and_tolerant_figures_and_what_is_not_told(call, pair):
    status, text = call("--pred", pair[0], "--reference", pair[1], "--tolerance", 1)
    assert status == 0
    assert "cloud 0.950 0.950 0.950 0.969 0.905" in text and "cloud 1.000 1.000 1.000 1.000 1.000" in text
    assert "shadow – – – – –" in text and "not told: thick cloud, thin cloud, shadow" in text
    assert "2,000 pixels compared, 0 without data left out" in text
    assert "S2_cloud_mask.tif is taken as a binary mask" in text
    assert "tolerance" not in call("--pred", pair[0], "--reference", pair[1])[1]


def test_json_has_null_where_nothing_is_told(call, pair, tmp_path):
    status, text = call("--pred", pair[0], "--reference", pair[1], "--json", "-o", tmp_path / "out")
    content = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert status == 0 and content["compared_pixels"] == 2000 and content["tolerance"] == 0
    assert content["figures"]["cloud"]["recall"] == pytest.approx(0.95)
    assert content["masks"]["S2_cloud_mask.tif"]["shadow"]["recall"] is None
    assert (tmp_path / "out" / "clouds.csv").is_file()
    status, text = call("--pred", pair[0], "--reference", pair[1], "-o", tmp_path / "out")
    assert status == 2 and "exists already. Choose another folder, or allow overwriting (--overwrite)." in text


def test_events_end_with_the_figures_that_are_defined(pair, tmp_path):
    options = ["--pred", pair[0], "--reference", pair[1], "--tolerance", 1, "-o", tmp_path / "out", "--events"]
    running = subprocess.Popen(
        [sys.executable, "-m", "sunbreak", "evaluate", "clouds", *map(str, options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    events = [json.loads(line) for line in running.stdout.read().splitlines()]
    running.stdin.close()
    assert running.wait() == 0
    assert events[0]["event"] == "started" and events[0]["command"] == "evaluate clouds"
    progress = [(event["done"], event["total"], event["unit"]) for event in events if event["event"] == "progress"]
    assert progress == [(0, 40, "rows"), (40, 40, "rows")]
    assert events[-1]["event"] == "result" and events[-1]["layers"] == {"table": str(tmp_path / "out" / "clouds.csv")}
    numbers = events[-1]["numbers"]
    assert numbers["cloud: recall"] == pytest.approx(0.95) and numbers["cloud: recall_tolerant"] == 1
    assert numbers["compared_pixels"] == 2000 and not any(key.startswith("shadow") for key in numbers)


def test_folders_show_a_line_for_each_mask(call, write, tmp_path):
    for number in (1, 2):
        mask = np.zeros((1, 40, 50), "uint8")
        mask[0, :10] = 1
        write(f"ref/{number}.tif", mask)
        mask[0, :10, : 25 * (number - 1)] = 0
        write(f"pred/{number}_mask.tif", mask)
    write("pred/3_mask.tif", mask)
    status, text = call("--pred", tmp_path / "pred", "--reference", tmp_path / "ref")
    assert status == 0 and "Skipped for lack of a reference: 1, such as 3_mask.tif." in text
    assert "cloud 1.000 0.750 0.857" in text
    assert "F1 of each mask clear thick cloud thin cloud cloud shadow replaced 1 1.000 – – 1.000" in text
    assert "2 0.923 – – 0.667" in text


def test_wrong_input_is_one_line(call, pair, write):
    far = write("far.tif", np.zeros((1, 4, 4), "uint8"), crs="EPSG:32601")
    status, text = call("--pred", far, "--reference", pair[1])
    assert status == 2 and "does not overlap" in text and "Compare masks of the same place." in text
    odd = write("odd.tif", np.full((1, 40, 50), 77, "uint8"))
    status, text = call("--pred", odd, "--reference", pair[1])
    assert status == 2 and "odd.tif" in text and "77" in text
    assert call("--pred", pair[0], "--reference", pair[1], "--tolerance", -1)[0] == 2
