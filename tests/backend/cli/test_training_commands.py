"""`sunbreak train removal` and `sunbreak evaluate removal` on the command line: a model, or a one-line error."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from sunbreak.cli.app import app
from sunbreak.models.card import ModelCard

SMALL = [
    "--scenes",
    "2",
    "--held-out",
    "2",
    "--steps",
    "4",
    "--batch",
    "2",
    "--patch",
    "16",
    "--width",
    "16",
    "--depth",
    "1",
]
SMALL += ["--tile", "32", "--transplants", "0", "--validate-every", "2", "--no-tensorboard"]


@pytest.fixture
def call():
    runner = CliRunner()

    def run(*arguments: object) -> tuple[int, str]:
        result = runner.invoke(app, [str(one) for one in arguments])
        return result.exit_code, " ".join((result.output + (result.stderr or "")).split())

    return run


@pytest.fixture
def train(call, tmp_path):
    def run(*arguments: object) -> tuple[int, str]:
        return call(
            "train",
            "removal",
            "-o",
            tmp_path / "models",
            "--name",
            "m",
            "--work",
            tmp_path / "work",
            *SMALL,
            *arguments,
        )

    return run


@pytest.fixture
def pairs(tmp_path, write_raster, cloudy_dn, radar_db):
    """Write SEN12MS-CR patches of the given scenes of spring."""

    def write(*scenes, kinds=("s1", "s2", "s2_cloudy"), bands=13):
        base = "ROIs1158_spring"
        for scene in scenes:
            for kind in kinds:
                cloud = (slice(5, 20), slice(8, 24)) if kind == "s2_cloudy" else None
                values = radar_db(32, 32) if kind == "s1" else cloudy_dn(32, 32, cloud, seed=scene)[:bands]
                write_raster(f"cr/{base}_{kind}/{kind}_{scene}/{base}_{kind}_{scene}_p30.tif", values)
        return tmp_path / "cr"

    return write


def test_the_card_names_the_official_split(train, pairs, tmp_path):
    status, said = train("--real", pairs(9, 8, 17, 106), "--split", "official", "--patience", "3")
    assert status == 0, said
    card = ModelCard.read(tmp_path / "models" / "m.json")
    assert card.training["split"] == "official: 2 training, 1 validation patches, 1 test left out"
    assert card.training["real_pairs"] == ["sen12ms-cr 1158_spring_8_p30", "sen12ms-cr 1158_spring_9_p30"]
    assert card.calibrated_on == "1 held-out real pairs of 1 scenes"
    assert "--split official" in card.training["command"] and "--patience 3" in card.training["command"]
    # no cloud mask of a test patch was computed
    assert sorted(path.stem for path in (tmp_path / "work/masks").rglob("*.npz")) == [
        "1158_spring_17_p30", "1158_spring_8_p30", "1158_spring_9_p30",
    ]  # fmt: skip


def test_unusable_data_give_a_one_line_error(train, pairs, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, said = train("--real", empty)
    assert status == 2 and "no patches of SEN12MS or SEN12MS-CR" in said and "Traceback" not in said
    status, said = train("--real", tmp_path / "nowhere")
    assert status == 2 and "no such folder" in said
    status, said = train("--real", pairs(9, kinds=("s1", "s2")))
    assert status == 2 and "1158_spring_9_p30 lacks s2_cloudy" in said
    status, said = train("--real", pairs(9, bands=12))
    assert status == 2 and "has 12 bands, not 13" in said
    status, said = train("--real", pairs(9), "--split", "official")
    assert status == 2 and "no patch lies in a validation scene" in said
    status, said = train("--dates", "3")
    assert status == 2 and "--real" in said
    status, said = train("--dates", "3", "--real", pairs(9))
    assert status == 2 and "no sequences of SEN12MS-CR-TS" in said
    status, said = train("--clear-s2", tmp_path / "x.tif")
    assert status == 2 and "needs its radar" in said
    status, said = train("--worldcereal", empty)
    assert status == 2 and "--worldcereal-share go together" in said
    status, said = train("--worldcereal", empty, "--worldcereal-share", "0.1")
    assert status == 2 and "no sites of WorldCereal" in said
    status, said = train("--start", tmp_path / "empty")
    assert status == 2 and "there is no training state" in said
    assert not (tmp_path / "models").exists()


def test_a_nan_loss_leaves_weights_to_continue_from(train, call, tmp_path):
    status, said = train("--steps", "150", "--learning-rate", "1e25", "--validate-every", "0")
    assert status == 1 and "The loss is not a number" in said
    status, said = train("--steps", "4")
    assert status == 0, said
    again = [
        "train",
        "removal",
        "-o",
        tmp_path / "models",
        "--name",
        "n",
        "--work",
        tmp_path / "work",
        *SMALL,
        "--no-guided",
    ]
    status, said = call(*again, "--start", tmp_path / "work" / "m")
    # the first model is guided, the second is not
    assert status == 2 and "has another architecture than the model to train" in said
    status, said = call(*again[:-1], "--start", tmp_path / "work" / "m")
    assert status == 0, said
    assert ModelCard.read(tmp_path / "models" / "n.json").training["started_from"] == "the training m"


def test_two_processes_make_one_model(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "sunbreak"]
    command += [
        "train",
        "removal",
        "-o",
        str(tmp_path / "models"),
        "--name",
        "m",
        "--work",
        str(tmp_path / "work"),
        *SMALL,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=150, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert done.returncode == 0, done.stderr
    card = ModelCard.read(tmp_path / "models" / "m.json")
    assert card.training["processes"] == 2
    assert len((tmp_path / "work/m/log.csv").read_text().splitlines()) == 5


def test_a_model_is_measured_on_a_data_set(call, pairs, small_model, tmp_path):
    folder = pairs(31, 9)
    status, said = call(
        "evaluate",
        "removal",
        "--data",
        folder,
        "--model",
        small_model.path,
        "-o",
        tmp_path / "out",
        "--runtime",
        "torch",
    )
    assert status == 0, said
    for words in (
        "everywhere",
        "inside clouds",
        "outside clouds",
        "mean of clear pixels",
        "of the most certain pixels",
    ):
        assert words in said
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["patches"] == 1
    assert {"cleaned", "cloudy image", "nearest clear pixel", "mean of clear pixels"} == set(summary["means"])


def test_folders_of_rasters_are_compared_by_name(call, write_raster, cloudy_dn, tmp_path):
    for number in (1, 2):
        clear = cloudy_dn(20, 20, seed=number)
        write_raster(f"clear/{number}.tif", clear)
        write_raster(f"pred/{number}_cleaned.tif", (clear + np.uint16(100)).astype(np.uint16))
    arguments = ["evaluate", "removal", "--pred", tmp_path / "pred", "--target", tmp_path / "clear"]
    status, said = call(*arguments, "--json", "-o", tmp_path / "out")
    assert status == 0, said
    assert json.JSONDecoder().raw_decode(said, said.index("{"))[0]["cleaned"]["mae"] == pytest.approx(0.01, abs=1e-6)
    assert len((tmp_path / "out/patches.csv").read_text().splitlines()) == 3
    status, said = call(*arguments, "--mask", tmp_path / "pred" / "1_cleaned.tif")
    assert status == 2 and "for two rasters" in said


def test_evaluation_needs_a_data_set_or_folders(call, tmp_path):
    assert call("evaluate", "removal")[0] == 2
    status, said = call("evaluate", "removal", "--data", tmp_path, "--pred", tmp_path)
    assert status == 2 and "cannot be combined with" in said
    status, said = call("evaluate", "removal", "--data", tmp_path)
    assert status == 2 and "no patches of SEN12MS" in said
