"""Package indexes and proxies with faults: broken downloads, logins, resuming, cancelling."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from dataclasses import replace

import pytest
from installing import NEEDED, Watching, closed_port, failing, left_in, old_pip, send

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def test_a_proxy_login_error_keeps_the_password_out_of_the_log(plan, quick, serve):
    asked = []

    def refuse(request):
        asked.append(request.command)
        request.send_response(407, "Proxy Authentication Required")
        request.send_header("Proxy-Authenticate", 'Basic realm="company"')
        request.send_header("Content-Length", "0")
        request.end_headers()

    address = serve(refuse).replace("http://", "http://hans:geh%40eim@")
    watcher = Watching()
    error = failing(replace(plan, proxies={"HTTPS_PROXY": address, "https_proxy": address}), watcher)
    assert error.code == "install-proxy-login"
    assert "Settings > Options > Network" in str(error)
    assert set(asked) == {"CONNECT"}
    assert not any("eim" in line for line in [*watcher.lines, str(error)])


def test_a_missing_proxy_and_a_missing_index_are_different_errors(plan, quick, monkeypatch):
    nowhere = f"http://127.0.0.1:{closed_port()}"
    error = failing(replace(plan, proxies={"HTTPS_PROXY": nowhere, "https_proxy": nowhere}))
    assert error.code == "install-proxy"
    elsewhere = f"http://localhost:{closed_port()}"
    monkeypatch.setenv("PIP_INDEX_URL", elsewhere)
    error = failing(plan)
    assert error.code == "install-no-network"
    assert "offline" in str(error)


def test_an_interrupted_download_resumes_with_missing_packages(plan, quick, template, index):
    from sunbreak.plugin.bridge.install import install

    if old_pip(template):
        pytest.skip("no network to bring pip up to date, and an old one does not notice")
    index.ways["pystac"] = "cut"
    error = failing(plan)
    assert error.code == "install-broken-download"
    assert "Install again" in str(error)
    first = set(index.sent)
    index.ways.clear()
    index.sent.clear()
    assert install(plan, Watching()).facts["origin"] == "online"
    assert "pystac" in index.sent
    assert {"rasterio", "numpy"} <= first
    assert not set(index.sent) & (first - {"pystac"})
    assert left_in(plan.root) == {"backend-0.1.0"}


def test_a_broken_connection_resumes_at_its_position(plan, quick, template, index):
    from sunbreak.plugin.bridge.install import install

    if old_pip(template):
        pytest.skip("no network to bring pip up to date, and an old one cannot")
    index.ways["scipy"] = "once"
    install(plan, Watching())
    assert [sent for sent in index.sent if sent.startswith("scipy")] == ["scipy", "scipy bytes=100-"]


def test_only_torch_comes_from_the_index_of_its_build(plan, quick, index, serve, wheels):
    from sunbreak.plugin.bridge.install import install

    asked = []

    def torch_index(request):
        asked.append(request.path)
        name = "torch-2.13.0+cpu-py3-none-any.whl"
        if request.path.endswith("/"):
            send(request, f'<a href="/{name}">{name}</a>'.encode())
        else:
            send(request, (wheels / name).read_bytes(), "application/zip")

    install(replace(plan, torch_index=serve(torch_index) + "/whl/cpu"), Watching())
    assert asked[0] == "/whl/cpu/torch/"
    assert all("torch" in path for path in asked)
    assert "torch" not in index.sent


@pytest.mark.parametrize("keep", [False, True])
def test_cancelling_a_download_takes_less_than_three_seconds(plan, quick, serve, monkeypatch, keep):
    silence = threading.Event()
    monkeypatch.setenv("PIP_INDEX_URL", serve(lambda _: silence.wait(30)))
    watcher = Watching("Querying the package index", 1.0)
    (plan.root / "downloads").mkdir(parents=True)
    error = failing(replace(plan, keep_downloads=keep), watcher)
    assert error.code == "cancelled"
    assert time.monotonic() - watcher.asked < 3
    assert (plan.root / "downloads").exists() == keep
    silence.set()


def test_pip_comes_from_the_package_index_checked_by_its_hash(serve, tmp_path, monkeypatch, qgis_app):
    from sunbreak.plugin.bridge.install_environment import wheel_of_pip
    from sunbreak.plugin.bridge.process import BackendError

    files = {f"pip-{version}-py3-none-any.whl": f"pip {version}".encode() for version in ("9.0.1", "25.3", "25.10")}
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    rows = [{"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": hashes[name]}} for name in files]
    rows.append({"filename": "pip-99.0-py3-none-any.whl", "url": "x", "hashes": {}, "yanked": True})

    def answer(request):
        name = request.path.split("/")[-1]
        send(request, files[name] if name else json.dumps({"files": rows}).encode(), "application/octet-stream")

    monkeypatch.setenv("PIP_INDEX_URL", serve(answer) + "/simple/")
    wheel = wheel_of_pip(None, tmp_path)
    assert (wheel.name, wheel.read_bytes()) == ("pip-25.10-py3-none-any.whl", b"pip 25.10")
    files["pip-25.10-py3-none-any.whl"] = b"something else"
    with pytest.raises(BackendError, match="damaged"):
        wheel_of_pip(None, tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://localhost:{closed_port()}/simple")
    with pytest.raises(BackendError, match="cannot be reached"):
        wheel_of_pip(None, tmp_path)


def test_an_update_downloads_only_changed_packages(plan, quick, index, monkeypatch):
    from sunbreak.plugin.bridge import installed
    from sunbreak.plugin.bridge.install import install

    first = install(plan, Watching())
    older = plan.root / "backend-0.0.9"
    first.folder.rename(older)
    installed.write_record(older, dict(first.facts, version="0.0.9"))
    shutil.rmtree(next(older.glob("lib/python3*/site-packages/rasterio-*.dist-info")))
    index.sent.clear()
    updated = install(plan, Watching())
    assert index.sent == ["rasterio"]
    assert (updated.version, older.exists()) == ("0.1.0", False)


def test_a_prepared_folder_of_wheels_can_be_installed_from(plan, quick, index, tmp_path):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.install_wheels import prepare_wheels

    folder = tmp_path / "für drüben"
    wheels = prepare_wheels(plan, folder, Watching())
    with_torch = {"torch", "safetensors", "scipy", "scikit-learn", "hatchling"}
    assert wheels.names == {name.replace("_", "-") for name in NEEDED} | with_torch
    assert left_in(plan.root) == set()
    index.sent.clear()
    assert install(replace(plan, wheels=folder), Watching()).facts["origin"] == "offline"
    assert index.sent == []
