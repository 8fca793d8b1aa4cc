from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from installing import Watching

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def wait_until(done, seconds=30.0):
    from qgis.PyQt.QtCore import QCoreApplication, QEventLoop

    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "nothing happened"
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


# builds


@pytest.mark.parametrize(
    ("system", "machine", "smi", "build"),
    [
        ("Linux", "x86_64", "", "light"),
        ("Linux", "x86_64", "NVIDIA H200, 580.65.06, 9.0\n", "cuda130"),
        ("Windows", "AMD64", "NVIDIA GeForce RTX 5090, 581.29, 12.0\n", "cuda130"),
        ("Linux", "x86_64", "Tesla P100-PCIE-16GB, 580.65.06, 6.0\n", "cuda126"),
        ("Windows", "AMD64", "NVIDIA GeForce RTX 3060, 552.22, 8.6\n", "cuda126"),
        ("Linux", "x86_64", "NVIDIA GeForce RTX 5090, 570.10, 12.0\n", "light"),
        ("Linux", "x86_64", "GeForce GTX 780, 470.256.02, 3.5\n", "light"),
        ("Linux", "x86_64", "NVIDIA-SMI has failed because it couldn't communicate with the driver.\n", "light"),
        ("Darwin", "arm64", "", "mps"),
        ("Darwin", "x86_64", "", "light"),
    ],
)
def test_light_is_recommended_where_torch_would_use_no_gpu(system, machine, smi, build):
    from sunbreak.plugin.bridge.install_plan import parse_gpus, recommended

    assert recommended(system, machine, parse_gpus(smi)).key == build


def test_intel_macs_get_light_with_the_last_openvino_for_them():
    from sunbreak.plugin.bridge.install_plan import constraints, recommended_full, variants_of

    assert [variant.key for variant in variants_of("Darwin", "x86_64")] == ["light"]
    assert recommended_full("Darwin", "x86_64", ()) is None
    lock = "numpy==2.2.6 \\\n    --hash=sha256:00\nopenvino==2026.4.1 \\\n    --hash=sha256:00\n"
    assert constraints(lock, "Darwin", "x86_64") == "numpy==2.2.6\nopenvino==2025.4.1\n"
    assert constraints(lock, "Darwin", "arm64") == constraints(lock) == "numpy==2.2.6\nopenvino==2026.4.1\n"


def test_torch_is_pinned_by_the_lock_and_its_build_is_read_from_its_version():
    from sunbreak.plugin.bridge.install_plan import constraints, locked, variant_of_torch
    from sunbreak.plugin.bridge.installed import PLUGIN_FOLDER

    lock = (PLUGIN_FOLDER / "requirements.lock").read_text(encoding="utf-8")
    assert f'"torch=={locked(lock, "torch")}"' in (PLUGIN_FOLDER / "pyproject.toml").read_text(encoding="utf-8")
    assert locked(lock, "torchvision") == ""
    assert "sha256" in lock and "sha256" not in constraints(lock)
    assert f"torch=={locked(lock, 'torch')}" in constraints(lock).splitlines()
    assert [variant_of_torch(f"2.13.0{build}") for build in ("+cpu", "+cu126", "+cu130", "")] == [
        "cpu", "cuda126", "cuda130", "cpu",
    ]  # fmt: skip
    assert variant_of_torch("") == "light"


def test_a_folder_of_wheels_lists_its_packages_and_missing_ones(tmp_path):
    from sunbreak.plugin.bridge.install_plan import read_wheels

    assert read_wheels(tmp_path / "nowhere").lacks
    for name in (
        "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl",
        "rasterio-1.4.4-cp312-cp312-manylinux_2_28_x86_64.whl",
        "opencv_python_headless-5.0.0.93-cp37-abi3-manylinux_2_28_x86_64.whl",
        "Hatchling-1.33.0-py3-none-any.whl",
        "notes.txt",
    ):
        (tmp_path / name).write_bytes(b"0" * 500_000)
    wheels = read_wheels(tmp_path)
    assert wheels.names == {"torch", "rasterio", "opencv-python-headless", "hatchling"}
    assert (wheels.python, wheels.torch, wheels.variant, wheels.megabytes) == ((3, 12), "2.13.0+cpu", "cpu", 2.0)
    assert wheels.lacks == ("openvino",)
    (tmp_path / "torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl").unlink()
    (tmp_path / "openvino-2026.4.1-1-cp312-cp312-manylinux_2_28_x86_64.whl").touch()
    wheels = read_wheels(tmp_path)
    assert (wheels.python, wheels.torch, wheels.variant, wheels.lacks) == ((3, 12), "", "light", ())


def test_full_builds_have_everything_and_light_has_neither_torch_nor_workers():
    from sunbreak.plugin.bridge.install_plan import VARIANTS

    assert list(VARIANTS) == ["light", "cpu", "cuda130", "cuda126", "mps"]
    light = VARIANTS["light"]
    for variant in list(VARIANTS.values())[1:]:
        assert set(variant.extras) == {*light.extras, "torch", "distributed"}
        assert variant.disk_mb > light.disk_mb
    assert not light.has_torch
    small = light.without_clouds()
    assert set(light.extras) - set(small.extras) == {"clouds", "evaluation"}
    assert (light.download_mb - small.download_mb, light.disk_mb - small.disk_mb) == (180, 280)
    assert VARIANTS["cpu"].beyond(light).download_mb == VARIANTS["cpu"].download_mb - light.download_mb


def test_the_extras_of_the_builds_are_those_of_the_backend():
    from sunbreak.plugin.bridge.install_plan import VARIANTS, extra_of_wheels
    from sunbreak.plugin.settings import PLUGIN_FOLDER

    project = (PLUGIN_FOLDER / "pyproject.toml").read_text(encoding="utf-8")
    for extra in {extra for variant in VARIANTS.values() for extra in variant.extras}:
        listed = re.search(rf"^{extra} = \[(.*?)\]$", project, re.MULTILINE | re.DOTALL)
        assert listed, extra
        names = {re.match(r"[\w.-]+", text)[0].lower() for text in re.findall(r'"([^"]+)"', listed[1])}
        assert names == extra_of_wheels(extra), extra
    lock = (PLUGIN_FOLDER / "requirements.lock").read_text(encoding="utf-8")
    assert "\nukis-csmask==1.0.0 " in lock
    assert "\ndistributed==" in lock
    assert "\npsutil==" in lock


@pytest.mark.parametrize(
    ("names", "extras"),
    [
        ((), ""),
        (("ukis_csmask", "scipy"), "[clouds,evaluation]"),
        (("torch", "scipy"), "[evaluation]"),  # the extra torch needs more
        (("torch", "safetensors", "scipy", "scikit_learn"), "[torch,evaluation]"),
        (("pystac_client", "pyyaml", "requests", "urllib3"), "[catalogue]"),
        (("pystac_client",), ""),
        (("distributed", "psutil"), "[distributed]"),
        (("distributed",), ""),
        (None, "[catalogue,clouds,evaluation]"),
    ],
)
def test_without_a_network_only_extras_with_wheels_are_installed(plan, tmp_path, monkeypatch, names, extras):
    from sunbreak.plugin.bridge.install import Installation
    from sunbreak.plugin.bridge.install_plan import VARIANTS

    for name in ("rasterio", "openvino", "opencv_python_headless", "hatchling", *(names or ())):
        (tmp_path / f"{name}-1.0-py3-none-any.whl").write_bytes(b"0")
    asked = []
    monkeypatch.setattr(Installation, "_pip", lambda self, options, *_: asked.append(options))
    given = replace(plan, variant=VARIANTS["light"], wheels=None if names is None else tmp_path)
    Installation(given, Watching(), tmp_path / "environment")._install_backend()
    assert asked[0][-1] == f"{plan.source}{extras}"


# interpreters


def test_pythons_are_found_without_blocking_and_without_venvs():
    from sunbreak.plugin.bridge.install_python import find_pythons

    answers = []
    start = time.monotonic()
    find_pythons(answers.append)
    assert time.monotonic() - start < 0.5
    wait_until(lambda: answers)
    (found,) = answers
    assert found
    for python in found:
        assert (3, 10) <= python.version[:2] <= (3, 13)
        assert not python.is_venv
    assert len({python.base for python in found}) == len(found)
    assert Path(sys.executable) not in {python.path for python in found}  # the tests' own environment


def test_programs_other_than_python_are_left_out(tmp_path):
    from sunbreak.plugin.bridge.install_python import find_pythons, parse_probe

    (tmp_path / "python3").write_text("#!/bin/sh\necho Python 3.12.0\n")
    (tmp_path / "python3").chmod(0o755)
    answers = []
    find_pythons(answers.append, [tmp_path / "python3", tmp_path / "gone", Path(sys.executable)])
    wait_until(lambda: answers)
    assert answers == [[]]  # a script, a missing file, and an environment
    facts = {"probe": 1, "version": [3, 11, 2], "base": "/b", "venv": False, "bits": 64, "machine": "x", "can": True}
    told = json.dumps(dict(facts, implementation="CPython"))
    python = parse_probe(tmp_path, f"site says hello\n{told}\n")
    assert python.suits
    assert parse_probe(tmp_path, json.dumps(dict(facts, implementation="PyPy"))) is None
    assert not parse_probe(tmp_path, told.replace("[3, 11, 2]", "[3, 14, 0]")).suits
    assert not parse_probe(tmp_path, told.replace("64", "32")).suits


def test_an_interpreter_that_never_answers_times_out(tmp_path):
    from sunbreak.plugin.bridge.asking import ask

    answers = []
    ask("/bin/sleep", ["30"], lambda status, text: answers.append((status, text)), 200)
    wait_until(lambda: answers, 5)
    assert answers == [(-1, "")]


def test_the_best_python_comes_first():
    from sunbreak.plugin.bridge.install_python import Python, preference

    def python(version, can=True):
        return Python(Path("/p"), version, "/b", can, False, 64, "x86_64")

    ordered = [python((3, 11, 9)), python((3, 11, 2)), python((3, 12, 1)), python((3, 13, 0)), python((3, 10, 1))]
    ordered.append(python((3, 11, 9), can=False))
    mixed = ordered[3:] + ordered[:3]
    assert sorted(mixed, key=preference) == ordered


def test_a_conda_environment_on_windows_gets_the_folders_of_its_libraries(tmp_path):
    from sunbreak.plugin.bridge.environment import with_conda

    python = tmp_path / "env ä" / "python.exe"
    (python.parent / "conda-meta").mkdir(parents=True)
    path = with_conda({"Path": "C:\\Windows", "A": "b"}, python)["Path"].split(";")
    assert path[0] == str(python.parent)
    assert str(python.parent / "Library" / "bin") in path
    assert path[-1] == "C:\\Windows"
    for other in (python.with_name("python"), tmp_path / "python.exe"):
        assert with_conda({"PATH": "x"}, other) == {"PATH": "x"}


# proxy and certificates


@pytest.fixture
def proxy(qgis_app):
    """Sets QGIS's proxy as its options do, and restores it."""
    from qgis.core import QgsNetworkAccessManager, QgsSettings

    settings = QgsSettings()
    names = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword", "noProxyUrls")

    def use(kind, host="", port=0, user="", word="", without=()):
        values = (kind != "", kind, host, str(port), user, word, list(without))
        for name, value in zip(names, values, strict=True):
            settings.setValue(f"proxy/{name}", value)
        QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()

    yield use
    for name in names:
        settings.remove(f"proxy/{name}")
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


def test_the_proxy_of_qgis_is_given_to_the_child_with_its_login(proxy):
    from sunbreak.plugin.bridge.install_network import network_environment, secrets_of

    assert network_environment() == {}
    proxy("HttpProxy", "proxy.example", 3128, "jürgen", "p@ss:wörd", ["http://intern.example/files", "10.0.0.1"])
    variables = network_environment()
    login = "j%C3%BCrgen:p%40ss%3Aw%C3%B6rd"
    assert variables["HTTPS_PROXY"] == f"http://{login}@proxy.example:3128"
    assert variables["https_proxy"] == variables["HTTP_PROXY"] == variables["HTTPS_PROXY"]
    assert set(variables["NO_PROXY"].split(",")) == {"intern.example", "10.0.0.1"}
    line = f"tunnel to {variables['HTTPS_PROXY']} failed for p@ss:wörd"
    for secret in secrets_of(variables):
        line = line.replace(secret, "***")
    assert "rd" not in line.replace("tunnel to", "")


def test_a_socks_proxy_is_reported_as_one(proxy):
    from sunbreak.plugin.bridge.install_network import network_environment

    proxy("Socks5Proxy", "socks.example", 1080)
    assert network_environment()["HTTPS_PROXY"] == "socks5h://socks.example:1080"


def test_certificates_of_qgis_are_added_to_the_existing_ones(qgis_app, tmp_path, monkeypatch):
    from sunbreak.plugin.bridge.install_network import certificates, write_bundle

    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert b"BEGIN CERTIFICATE" in certificates()
    company, bundled = tmp_path / "company.pem", tmp_path / "bundled.pem"
    company.write_bytes(b"company")
    bundled.write_bytes(b"bundled")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company))
    target = tmp_path / "bundle.pem"
    variables = write_bundle(target, b"qgis", [bundled, tmp_path / "gone.pem"])
    assert target.read_bytes() == b"qgis\nbundled\ncompany"
    assert set(variables) == {"PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}
    assert write_bundle(target, b" ") == {}


# output of pip


def test_progress_is_read_from_the_output_of_pip(tmp_path):
    from sunbreak.plugin.bridge.install_progress import PipProgress

    progress = PipProgress(200, 1000, tmp_path, 0.6)
    assert progress.take("  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (180.0 MB)")
    assert progress.text == "torch 2.13.0 (180.0 MB)"
    assert not progress.take("Progress 100000000 of 180000000")
    assert progress.fraction == pytest.approx(0.6 * 0.5)
    assert progress.text == "torch 2.13.0: 100 of 180 MB (100 MB of about 200)"
    assert not progress.take("Progress 180000000 of 180000000")
    progress.take("Processing /wheels/numpy-2.2.6-cp311-cp311-linux_x86_64.whl (from sunbreak==0.1.0)")
    assert progress.text == "numpy 2.2.6"
    progress.take("Installing collected packages: torch, numpy, sunbreak")
    assert progress.fraction >= 0.6
    (tmp_path / "torch-2.13.0.dist-info").mkdir()
    (tmp_path / "numpy-2.2.6.dist-info").mkdir()
    progress.look()
    assert progress.text == "Unpacked 2 of 3 packages"
    assert progress.fraction >= 0.6 + 0.4 * 2 / 3


def test_lines_are_split_at_any_line_ending():
    from sunbreak.plugin.bridge.install_progress import Lines

    lines = Lines()
    assert lines.feed("a\r\nb\rü".encode()) == ["a", "b"]
    assert lines.feed(b"c\n\n") == ["üc"]
    assert lines.feed(b"rest") == []
    assert lines.finish() == ["rest"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "install-no-space"),
        ("OSError: [WinError 112] There is not enough space on the disk", "install-no-space"),
        ("WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.', OSError('Tunnel "
         "connection failed: 407 Proxy Authentication Required'))': /simple/pip/", "install-proxy-login"),
        ("ERROR: Could not install packages: Missing dependencies for SOCKS support.", "install-socks"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))",
         "install-certificate"),
        ("The virtual environment was not created successfully because ensurepip is not available.", "install-no-venv"),
        ("HINT: This error might have occurred since this system does not have Windows Long Path support enabled.",
         "install-long-path"),
        ("PermissionError: [Errno 13] Permission denied: '/profile/sunbreak'", "install-permission"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied: 'C:\\\\x.pyd'",
         "install-permission"),
        ("ERROR: Package 'sunbreak' requires a different Python: 3.9.2 not in '<3.14,>=3.10'", "install-python"),
        ("ERROR: No matching distribution found for torch==2.13.0", "install-no-distribution"),
        ("Segmentation fault", "install-failed"),
    ],
)  # fmt: skip
def test_pip_output_becomes_one_message_with_a_fix(said, code):
    from sunbreak.plugin.bridge.install_errors import diagnose

    error = diagnose(["Collecting torch", *said.splitlines()])
    assert error.code == code
    assert str(error).count(".") >= 1
    assert "\n" not in str(error)


# installed backends


def test_only_folders_with_a_record_are_backends(tmp_path):
    from sunbreak.plugin.bridge.install import sweep
    from sunbreak.plugin.bridge.installed import (
        empty_trash,
        installed_backend,
        installed_backends,
        plugin_version,
        write_record,
    )

    assert installed_backend(tmp_path / "nothing yet") is None
    for version in ("0.0.9", "0.0.10", plugin_version(), "0.0.8"):
        (tmp_path / f"backend-{version}" / "bin").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "downloads").mkdir()
    for version in ("0.0.9", "0.0.10"):
        write_record(
            tmp_path / f"backend-{version}", {"version": version, "variant": "cpu", "base": "/usr/bin/python3"}
        )
    (tmp_path / "backend-0.0.8" / "installed.json").write_text("{half")
    newest = installed_backend(tmp_path)
    assert (newest.version, newest.outdated, newest.broken) == ("0.0.10", True, True)
    own = tmp_path / f"backend-{plugin_version()}"
    write_record(own, {"version": plugin_version(), "variant": "cpu", "base": "/usr/bin/python3"})
    assert [b.version for b in installed_backends(tmp_path)] == [plugin_version(), "0.0.10", "0.0.9"]
    (own / "installed.json").unlink()
    (tmp_path / "backend-0.0.8" / "installed.json").unlink()
    sweep(tmp_path)
    empty_trash(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"backend-0.0.9", "backend-0.0.10", "downloads"}


def test_on_windows_a_long_profile_path_moves_to_local_data(monkeypatch):
    from sunbreak.plugin.bridge import installed

    class App:
        folder = "C:/Users/somebody/AppData/Roaming/QGIS/QGIS3/profiles/default/"

        @staticmethod
        def qgisSettingsDirPath():
            return App.folder

    monkeypatch.setattr(installed, "QgsApplication", App)
    monkeypatch.setattr(installed.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", "C:/Users/somebody/AppData/Local")
    assert installed.home() == Path("C:/Users/somebody/AppData/Local/sunbreak/default")
    App.folder = "D:/q/default/"
    assert installed.home() == Path("D:/q/default/sunbreak")
