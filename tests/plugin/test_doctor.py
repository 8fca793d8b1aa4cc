"""`sunbreak:doctor` in real QGIS: with the real backend, without one, with the wrong one, and behind proxies."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

ID = "sunbreak:doctor"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """Only the proxy of the test."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def interpreter(folder, script):
    """A program that replaces the interpreter."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def doctor(tmp_path, **keywords):
    import processing

    result = processing.run(ID, {"OUTPUT": str(tmp_path / "findings.html")}, **keywords)
    lines = [line.split(maxsplit=2) for line in result["TEXT"].splitlines()[1:]]
    # (how, name, words): a name with a space in it has its second word in the third part
    return result, {name: (how, words) for how, name, words in lines if how != "->"}


def test_the_real_backend_runs_all_checks(plugin, backend, monkeypatch, tmp_path, feedback):
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    result, found = doctor(tmp_path, feedback=feedback)
    assert list(found) == [
        "plugin", "interpreter", "start", "version", "python", "packages", "gdal", "proj", "device", "openvino", "clouds",
        "models", "self-test", "disk", "proxy", "QGIS's",
    ]  # fmt: skip
    well = {name: how == "ok" for name, (how, _) in found.items()}
    assert result["FAILURES"] == list(well.values()).count(False)
    assert all(
        well[name] for name in ("interpreter", "start", "version", "packages", "gdal", "proj", "clouds", "models")
    )
    assert "cleaned 256 x 256 px" in found["self-test"][1]
    assert found["clouds"][1].startswith("s2cloudless gives a white patch")
    assert found["clouds"][1].endswith("ukis-csmask 1.0.0 runs")
    page = Path(result["OUTPUT"]).read_text(encoding="utf-8")
    assert "To copy into a bug report" in page
    assert "rasterio transforms a known point correctly" in page


def test_the_text_names_neither_the_user_nor_the_home_folder(plugin, monkeypatch, tmp_path):
    home = tmp_path / "home of Jürgen"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOGNAME", "juergen7")
    monkeypatch.setenv("SUNBREAK_PYTHON", str(interpreter(home, "echo trouble in /data/juergen7/x >&2; exit 3")))
    result, found = doctor(tmp_path)
    page = Path(result["OUTPUT"]).read_text(encoding="utf-8")
    for text in (result["TEXT"], page):
        assert str(home) not in text
        assert "juergen7" not in text
    assert found["interpreter"] == ("ok", "~/python")
    assert found["start"] == ("!!", "~/python does not run: trouble in /data/<user>/x")


def test_without_a_backend_it_runs_and_suggests_the_fix(plugin, monkeypatch, tmp_path, feedback):
    from qgis.core import QgsApplication

    from sunbreak.plugin import settings

    monkeypatch.setattr(settings, "PLUGIN_FOLDER", tmp_path)
    monkeypatch.setattr(settings, "installed_backend", lambda: None, raising=False)
    monkeypatch.delenv("SUNBREAK_PYTHON", raising=False)
    assert QgsApplication.processingRegistry().algorithmById(ID).canExecute() == (True, "")
    result, found = doctor(tmp_path, feedback=feedback)
    assert list(found) == ["plugin", "interpreter", "QGIS's"]
    assert found["interpreter"][0] == "!!"
    assert "was not found" in found["interpreter"][1]
    assert result["FAILURES"] == 1
    assert "Install or repair the backend with Plugins > Sunbreak > Backend." in result["TEXT"]
    assert any("Install or repair" in warning for warning in feedback.said["warning"])


@pytest.mark.parametrize(
    ("answer", "name", "words"),
    [
        (
            '{"probe": 1, "version": [3, 9, 2], "bits": 64, "sunbreak": "", "protocol": 0}',
            "start",
            "Python 3.9.2, 64 bit",
        ),
        ('{"probe": 1, "version": [3, 12, 1], "bits": 32, "sunbreak": "", "protocol": 0}', "start", "3.12.1, 32 bit"),
        (
            '{"probe": 1, "version": [3, 12, 1], "bits": 64, "sunbreak": "", "protocol": 0, "missing": "No module"}',
            "version",
            "no Sunbreak backend is installed in it: No module",
        ),
        (
            '{"probe": 1, "version": [3, 12, 1], "bits": 64, "sunbreak": "0.0.9", "protocol": 1}',
            "version",
            "backend 0.0.9, plugin",
        ),
        ("not json", "start", "does not run: not json"),
    ],
)
def test_an_unsuitable_interpreter_fails_its_check(plugin, monkeypatch, tmp_path, answer, name, words):
    monkeypatch.setenv("SUNBREAK_PYTHON", str(interpreter(tmp_path, f"echo '{answer}'")))
    result, found = doctor(tmp_path)
    assert found[name][0] == "!!"
    assert words in found[name][1]
    assert result["FAILURES"] == 1
    assert result["TEXT"].count("\n->") == 1


def test_qgis_own_python_is_reported_to_have_no_backend(plugin, monkeypatch, tmp_path):
    python = "/usr/bin/python3"
    if subprocess.run([python, "-I", "-c", "import sunbreak"], capture_output=True).returncode == 0:
        pytest.skip("it has one")
    monkeypatch.setenv("SUNBREAK_PYTHON", python)
    _, found = doctor(tmp_path)
    if sys.version_info < (3, 14):  # else its version is the reason
        assert "No module named 'sunbreak'" in found["version"][1]


def test_a_backend_that_crashes_in_its_doctor_is_one_finding(plugin, monkeypatch, tmp_path):
    from sunbreak.plugin.bridge.installed import plugin_version
    from sunbreak.plugin.bridge.protocol import PROTOCOL_VERSION

    facts = {"probe": 1, "version": [3, 12, 1], "bits": 64, "sunbreak": plugin_version(), "protocol": PROTOCOL_VERSION}
    script = f'case "$*" in *doctor*) echo "libgomp is missing" >&2; exit 1;; *) echo \'{json.dumps(facts)}\';; esac'
    monkeypatch.setenv("SUNBREAK_PYTHON", str(interpreter(tmp_path, script)))
    result, found = doctor(tmp_path)
    assert found["version"][0] == "ok"
    assert found["backend"][0] == "!!"
    assert "libgomp is missing" in found["backend"][1]
    assert result["FAILURES"] == 1


def test_cancelling_stops_a_hanging_interpreter(plugin, monkeypatch, tmp_path, feedback):
    import processing
    from qgis.core import QgsProcessingException

    monkeypatch.setenv("SUNBREAK_PYTHON", str(interpreter(tmp_path, "exec sleep 60")))
    threading.Timer(0.5, feedback.cancel).start()
    started = time.monotonic()
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        processing.run(ID, {"OUTPUT": str(tmp_path / "findings.html")}, feedback=feedback)
    assert time.monotonic() - started < 8
    assert not (tmp_path / "findings.html").exists()


@pytest.fixture
def proxy():
    """A proxy that answers with one status, and its requests."""
    server = socket.create_server(("127.0.0.1", 0))
    asked = []

    def start(status):
        def serve():
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096).decode())
                connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())

        threading.Thread(target=serve, daemon=True).start()
        return server.getsockname()[1], asked

    yield start
    server.close()


def test_a_working_proxy_gets_its_login(plugin, proxy):
    from sunbreak.plugin.bridge.diagnosis import check_proxy

    port, asked = proxy("200 Connection established")
    finding = check_proxy(f"http://me:p%40ss@127.0.0.1:{port}")
    assert finding.well
    assert "p@ss" not in finding.found
    assert "p%40ss" not in finding.found
    assert asked[0].startswith("CONNECT pypi.org:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cEBzcw==" in asked[0]


def test_a_proxy_without_login_and_a_missing_proxy_fail(plugin, proxy):
    from sunbreak.plugin.bridge.diagnosis import check_proxy

    port, _ = proxy("407 Proxy Authentication Required")
    finding = check_proxy(f"http://127.0.0.1:{port}")
    assert not finding.well
    assert "requires a user name and a password (407)" in finding.found
    assert "Settings > Options > Network" in finding.advice
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    finding = check_proxy(f"http://127.0.0.1:{port}")
    assert not finding.well
    assert f"http://127.0.0.1:{port} does not answer" in finding.found


def test_private_paths_are_hidden_as_in_the_backend(plugin, backend):
    from sunbreak.plugin.privacy import without_private

    home = str(Path.home())
    texts = [f"{home}/x", f"{home}y/x", f"/tmp/a-{getpass.getuser()}/b", f"in {home}: no", "nothing"]
    code = (
        "import json, sys; from sunbreak.privacy import without_private;"
        "print(json.dumps([without_private(text) for text in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [backend, "-I", "-c", code], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [without_private(text) for text in texts]


def test_it_runs_from_the_shell_through_qgis_process(plugin_folder, tmp_path):
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("no qgis_process")
    environment = {
        **os.environ,
        "QGIS_PLUGINPATH": str(plugin_folder),
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "profile"),
        "SUNBREAK_PYTHON": str(tmp_path / "nowhere"),
    }

    def call(*arguments):
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("plugins", "enable", "sunbreak")
    results = json.loads(call("--json", "run", ID, "--", f"OUTPUT={tmp_path / 'findings.html'}"))["results"]
    assert results["FAILURES"] == 1
    assert "is not an executable file" in results["TEXT"]
    assert (tmp_path / "findings.html").is_file()
