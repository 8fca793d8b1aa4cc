"""`qgis_process` from the shell, as headless QGIS users have it: plugin found, algorithm described, scene cleaned."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest


def test_the_algorithms_are_listed_and_described(qgis_process):
    listed = json.loads(qgis_process("list").stdout)
    assert sorted(listed["providers"]["sunbreak"]["algorithms"]) == [
        "sunbreak:classifylandcover",
        "sunbreak:cleanclassifyexplain",
        "sunbreak:cleanseries",
        "sunbreak:comparescenes",
        "sunbreak:detectclouds",
        "sunbreak:doctor",
        "sunbreak:explainclassification",
        "sunbreak:findscenes",
        "sunbreak:getscenes",
        "sunbreak:inspectscene",
        "sunbreak:processscenes",
        "sunbreak:removeclouds",
    ]
    described = json.loads(qgis_process("help", "sunbreak:removeclouds").stdout)
    assert set(described["outputs"]) >= {"OUTPUT", "UNCERTAINTY", "CLOUD_SHARE", "QUICKLOOK"}
    assert described["parameters"]["S1"]["optional"] is True


def test_a_scene_is_cleaned_from_the_shell(qgis_process, scene, tmp_path):
    target = tmp_path / "cleaned scene.tif"
    done = qgis_process(
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


def test_the_interpreter_of_the_options_comes_before_that_of_the_environment(qgis_process, environment, tmp_path):
    shutil.copytree(environment["QGIS_CUSTOM_CONFIG_PATH"], tmp_path / "config")
    with (tmp_path / "config" / "profiles" / "default" / "QGIS" / "QGIS3.ini").open("a", encoding="utf-8") as options:
        options.write("\n[Processing]\nConfiguration\\SUNBREAK_PYTHON=/nowhere/python\n")
    done = qgis_process("run", "sunbreak:doctor", "--", QGIS_CUSTOM_CONFIG_PATH=str(tmp_path / "config"))
    assert "from the Processing options is not an executable file: /nowhere/python" in done.stdout


def test_the_detector_and_what_is_replaced_are_words(qgis_process, scene, tmp_path):
    described = json.loads(qgis_process("help", "sunbreak:removeclouds").stdout)["parameters"]
    assert described["DETECTOR"]["default_value"] == "auto"
    assert described["REPLACE"]["default_value"] == "clouds,thin,shadows"
    target = tmp_path / "a.tif"
    done = qgis_process(
        *("run", "sunbreak:removeclouds", "--"),
        f"INPUT={scene['s2']}",
        f"S1={scene['s1']}",
        "DETECTOR=ukis",
        "REPLACE=clouds,shadows",
        "BUFFER_SHADOW=2",
        f"OUTPUT={target}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    item = json.loads(target.with_name("a.stac.json").read_text(encoding="utf-8"))
    used = json.loads(item["properties"]["sunbreak:parameters"])
    assert used["clouds"]["detector"] == "ukis"
    assert used["replace"] == ["clouds", "shadows"]
    assert (used["buffer"], used["buffer_shadow"]) == (4, 2)
    refused = qgis_process(
        *("run", "sunbreak:removeclouds", "--"), f"INPUT={scene['s2']}", "DETECTOR=eyes", f"OUTPUT={tmp_path / 'b.tif'}"
    )
    assert refused.returncode != 0
    assert not (tmp_path / "b.tif").exists()


def test_a_backend_error_is_the_last_line_with_a_failing_status(qgis_process, scene, tmp_path):
    done = qgis_process(
        *("run", "sunbreak:removeclouds", "--"),
        f"INPUT={scene['s2']}",
        f"S1={scene['s1']}",
        "MODEL=no-such-model",
        f"OUTPUT={tmp_path / 'a.tif'}",
    )
    assert done.returncode != 0
    assert "no-such-model" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_file_type_is_refused_before_anything_runs(qgis_process, scene, tmp_path):
    done = qgis_process(
        *("run", "sunbreak:detectclouds", "--"),
        f"INPUT={scene['s2']}",
        f"OUTPUT={tmp_path / 'mask.png'}",
    )
    assert done.returncode != 0
    assert "png" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_an_interpreter_the_setting_is_named(qgis_process, scene, tmp_path):
    done = qgis_process(
        *("run", "sunbreak:detectclouds", "--"),
        f"INPUT={scene['s2']}",
        f"OUTPUT={tmp_path / 'mask.tif'}",
        SUNBREAK_PYTHON=str(tmp_path / "none"),
    )
    assert done.returncode != 0
    assert "Providers > Sunbreak" in done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_the_backend_stops_when_qgis_crashes(qgis_program, environment, scene, tmp_path):
    inputs = f"INPUT={scene['s2']}", f"S1={scene['s1']}"
    running = subprocess.Popen(
        [
            qgis_program,
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


def test_a_series_is_cleaned_from_the_shell_with_layers_that_are_named(qgis_process, scene, tmp_path):
    dates = []
    for day in ("2021-06-05", "2021-07-25"):
        dates.append(tmp_path / "in" / f"S2_{day}.tif")
        dates[-1].parent.mkdir(exist_ok=True)
        shutil.copy(scene["s2"], dates[-1])
    done = qgis_process(
        *("run", "sunbreak:cleanseries", "--"),
        *(f"LAYERS={date}" for date in dates),
        f"OUTPUT={tmp_path / 'out'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert (results["DONE"], results["FAILED"]) == (2, 0)
    assert (tmp_path / "out" / "2021-07-25" / "S2_2021-07-25_cleaned.tif").exists()
    assert Path(results["SUMMARY"]).read_text(encoding="utf-8").count("\n") == 3


def test_many_scenes_are_processed_by_workers_from_the_shell(qgis_process, scene, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        shutil.copy(scene["s2"], tmp_path / "in" / f"{name}_s2.tif")
        shutil.copy(scene["s1"], tmp_path / "in" / f"{name}_s1.tif")
    done = qgis_process(
        *("run", "sunbreak:processscenes", "--"),
        f"INPUT={tmp_path / 'in'}",
        "S1_PATTERN={stem}_s1.tif",
        "WORKERS=2",
        f"OUTPUT={tmp_path / 'out'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert (results["DONE"], results["FAILED"]) == (2, 0)
    assert (tmp_path / "out" / "b_s2" / "b_s2_cleaned.tif").exists()
    assert Path(results["SUMMARY"]).read_text(encoding="utf-8").count("\n") == 3


def test_the_scheduler_of_the_profile_is_the_one_of_the_shell(qgis_process, environment, scene, tmp_path):
    profile = tmp_path / "config"
    shutil.copytree(environment["QGIS_CUSTOM_CONFIG_PATH"], profile)
    (ini,) = profile.rglob("QGIS3.ini")
    with ini.open("a", encoding="utf-8") as file:
        file.write("\n[Processing]\nConfiguration\\SUNBREAK_SCHEDULER=http://host:8786\n")
    done = qgis_process(
        *("run", "sunbreak:processscenes", "--"),
        f"LAYERS={scene['s2']}",
        f"OUTPUT={tmp_path / 'out'}",
        QGIS_CUSTOM_CONFIG_PATH=str(profile),
    )
    assert done.returncode != 0
    assert "http://host:8786 is no address of a dask scheduler." in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_other_dates_are_named_one_by_one_in_the_shell(qgis_process, scene, tmp_path):
    date = tmp_path / "S2_2021-07-25.tif"
    shutil.copy(scene["s2"], date)
    done = qgis_process(
        *("run", "sunbreak:removeclouds", "--"),
        f"INPUT={scene['s2']}",
        f"S1={scene['s1']}",
        f"DATES={date}",
        f"OUTPUT={tmp_path / 'a.tif'}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Other date 2021-07-25" in done.stdout
