"""The doctor's checks when they fail: each gives one line and one fix."""

from __future__ import annotations

import shutil
import socket
import threading
from pathlib import Path

import pytest

from sunbreak.diagnostics import checks, self_test
from sunbreak.errors import Cancelled
from sunbreak.events import Cancellation, Silent


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that answers with one status, and its requests."""
    server = socket.create_server(("127.0.0.1", 0))
    asked = []

    def start(status: str, login: str = "") -> list[str]:
        def serve():
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096).decode())
                connection.sendall(f"HTTP/1.1 {status}\r\n\r\n".encode())

        threading.Thread(target=serve, daemon=True).start()
        for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", f"http://{login}127.0.0.1:{server.getsockname()[1]}")
        return asked

    yield start
    server.close()


def test_a_working_proxy_passes_and_gets_its_login(proxy):
    asked = proxy("200 Connection established", "me:p%40ss@")
    check = checks._proxy()
    assert check.well
    assert "p@ss" not in check.found
    assert asked[0].startswith("CONNECT pypi.org:443 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cEBzcw==" in asked[0]


def test_a_proxy_that_requires_a_login_fails(proxy):
    proxy("407 Proxy Authentication Required")
    check = checks._proxy()
    assert not check.well
    assert "(407)" in check.found
    assert "folder of wheels" in check.advice


def test_without_a_proxy_there_is_nothing_to_check(monkeypatch):
    monkeypatch.setattr(checks, "getproxies", dict)
    assert checks._proxy() == checks.Check("proxy", True, "not set; Sunbreak itself needs no network")


def test_a_package_that_cannot_be_imported_fails_with_its_reason(monkeypatch):
    monkeypatch.setattr(checks, "_required", lambda: ["numpy", "no-such-package"])
    check = checks._packages()
    assert not check.well
    assert check.found == "no-such-package: No module named 'no-such-package'"
    assert "Repair" in check.advice


def test_the_required_packages_are_those_of_the_distribution():
    names = checks._required()
    assert {"numpy", "rasterio", "openvino", "opencv-python-headless"} <= set(names)
    assert {"torch", "scipy", "pyproj", "hypothesis"}.isdisjoint(names)


def test_a_full_disk_fails(monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage._replace(free=2_000_000_000))
    check = checks._disk(tmp_path / "not" / "yet")
    assert not check.well
    assert "2 GB free for results" in check.found


def test_a_gpu_that_torch_cannot_use_is_reported(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(checks.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.version, "cuda", None)
    check = checks._device()
    assert check.well  # it runs, on the CPU
    assert "reinstall the backend as its CUDA variant" in check.advice


def test_the_cloud_detectors_that_are_installed_are_named():
    check = checks._clouds()
    assert check.well
    assert check.found.startswith("s2cloudless gives a white patch a cloud probability of ")
    assert check.found.endswith("ukis-csmask 1.0.0 runs")
    assert check.advice == ""


def test_without_the_cloud_networks_the_check_passes_and_names_the_command(monkeypatch):
    from sunbreak.clouds import ukis_networks

    monkeypatch.setattr(ukis_networks, "available", lambda: False)
    check = checks._clouds()
    assert check.well
    assert check.found.endswith("; ukis-csmask is not installed")
    assert check.advice.endswith("pip install 'sunbreak[clouds]'")


def test_cloud_networks_that_do_not_run_fail(monkeypatch):
    from sunbreak.clouds import ukis_networks

    def broken(*_):
        raise OSError("libopenvino.so: cannot open shared object file")

    monkeypatch.setattr(ukis_networks, "_network", broken)
    check = checks._checked("clouds", checks._clouds)
    assert not check.well
    assert "libopenvino.so" in check.found
    assert "Repair the backend" in check.advice


def test_a_check_that_raises_is_a_finding_without_private_paths(monkeypatch):
    def broken():
        raise OSError(f"{Path.home()}/lib/x.so: cannot open")

    check = checks._private(checks._checked("gdal", broken))
    assert not check.well
    assert check.found == "OSError: ~/lib/x.so: cannot open"
    assert check.advice


def test_checks_can_be_cancelled(tmp_path):
    reporter = Silent(Cancellation())
    reporter.cancellation.request()
    with pytest.raises(Cancelled):
        checks.check_up(tmp_path, reporter)


def test_the_self_test_detects_changed_clear_pixels_and_kept_clouds(tmp_path):
    import rasterio

    s2, _, mask = self_test._simulated(tmp_path, 64)
    assert self_test._wrong(s2, s2, mask) == "the clouds are still there"
    shifted = tmp_path / "shifted.tif"
    with rasterio.open(s2) as file:
        profile, values = file.profile, file.read()
    with rasterio.open(shifted, "w", **profile) as file:
        file.write(values + 1)
    assert self_test._wrong(s2, shifted, mask) == "clear pixels were changed"
    with rasterio.open(mask) as file:
        values[:, file.read(1) == 1] = 1500
    with rasterio.open(shifted, "w", **profile) as file:
        file.write(values)
    assert self_test._wrong(s2, shifted, mask) == ""
