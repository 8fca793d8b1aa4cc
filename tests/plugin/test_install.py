"""Real installations with a tiny backend: real virtual environments, real pip, local servers that misbehave."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

BASE = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
NEEDED = (
    "numpy", "scipy", "sklearn", "rasterio", "pyproj", "shapely", "s2cloudless", "safetensors", "typer", "rich",
    "pystac", "PIL", "jsonschema", "hatchling",
)  # fmt: skip
TORCH = """
__version__ = "2.13.0+cpu"
class cuda: is_available = staticmethod(lambda: False)
class backends:
    class mps: is_available = staticmethod(lambda: False)
"""
# builds its wheel itself, so that no build tool is needed
BUILD = """
import base64, hashlib, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    return make(folder, "sunbreak", VERSION, FILES, REQUIRES)
def get_requires_for_build_wheel(config_settings=None):
    return []
"""


def make(folder, name, version, files, requires=(), tag="py3-none-any"):
    """A wheel with these files; gives back its name."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {other}\n" for other in requires)
    metadata += "Provides-Extra: openvino\n"
    contents = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = []
    wheel = f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(f"{folder}/{wheel}", "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text.encode())}")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return wheel


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """A folder with tiny packages of the right names."""
    folder = tmp_path_factory.mktemp("Räder und Flügel")
    for name in NEEDED:
        make(folder, name, "9.0", {f"{name}/__init__.py": "__version__ = '9.0'\n"})
    make(folder, "torch", "2.13.0+cpu", {"torch/__init__.py": TORCH})
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> Path:
    """The source of a tiny backend that says the right things."""
    import inspect

    folder = tmp_path_factory.mktemp("plugin mit Lücke")
    files = {"sunbreak/__init__.py": "__version__ = '0.1.0'\n", "sunbreak/events.py": "PROTOCOL_VERSION = 1\n"}
    requires = [f"{name}==9.0" for name in NEEDED if name != "hatchling"] + ["torch==2.13.0"]
    script = BUILD + f"VERSION = '0.1.0'\nFILES = {files!r}\nREQUIRES = {requires!r}\n" + inspect.getsource(make)
    (folder / "build_tiny.py").write_text(script, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "build_tiny"\nbackend-path = ["."]\n'
    )
    (folder / "requirements.lock").write_text("torch==2.13.0\n")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """One real environment, since pip takes seconds to be put into each."""
    folder = tmp_path_factory.mktemp("template") / "environment"
    if subprocess.run([BASE, "-I", "-m", "venv", folder], capture_output=True, check=False).returncode:
        pytest.skip("this Python cannot make virtual environments")
    # as the installation does it; without a network the pip that came with Python stays
    update = [folder / "bin" / "python", "-I", "-m", "pip", "install", "-q", "--retries", "0", "--upgrade", "pip>=25.1"]
    subprocess.run(update, capture_output=True, check=False)
    return folder


def old_pip(template) -> bool:
    version = next((template / "lib").glob("python3*/site-packages/pip-*.dist-info")).name.split("-")[1]
    return tuple(int(part) for part in version.split(".")[:2]) < (25, 1)


@pytest.fixture
def quick(template, monkeypatch):
    """Environments are copied from the template instead of made."""
    from sunbreak.plugin.bridge import install

    def copy(self):
        shutil.copytree(template, self._target, symlinks=True, copy_function=os.link)

    monkeypatch.setattr(install.Installation, "_make_environment", copy)


@pytest.fixture
def plan(source, tmp_path, monkeypatch):
    """A plan without a network; nothing that is set for pip on this machine gets in."""
    from sunbreak.plugin.bridge.install import Plan
    from sunbreak.plugin.bridge.install_plan import Variant

    for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return Plan(BASE, source, tmp_path / "Jürgen Öl" / "profil" / "sunbreak", "0.1.0", Variant("cpu", "", (), 1, 1))


class Watching:
    """Remembers what it was told; asks to stop `after` seconds beyond the line that holds `at`."""

    def __init__(self, at="", after=0.0):
        self.at, self.after = at, after
        self.lines, self.texts, self.fractions = [], [], []
        self.seen = self.asked = None

    def stand(self, fraction, text):
        self.fractions.append(fraction)
        self.texts.append(text)
        self.look(text)

    def log(self, line):
        self.lines.append(line)
        self.look(line)

    def look(self, text):
        if self.at and self.at in text and self.seen is None:
            self.seen = time.monotonic()

    def stopped(self):
        if self.seen is not None and time.monotonic() - self.seen >= self.after:
            self.asked = self.asked or time.monotonic()
            return True
        return False


def left_in(root) -> set[str]:
    """What is there after deleting what was thrown away."""
    from sunbreak.plugin.bridge.installed import empty_trash

    empty_trash(root)
    return {path.name for path in root.iterdir()} if root.exists() else set()


def failing(plan, watcher=None):
    """The error of an installation that must fail, and that nothing but downloads is left of it."""
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError) as caught:
        install(plan, watcher or Watching())
    assert left_in(plan.root) <= {"downloads"}
    return caught.value


@pytest.fixture
def serve():
    """Starts local servers; each handler is a function of the request."""
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answer(self)

            do_CONNECT = do_GET  # noqa: N815 -- named by the library

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def closed_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def send(request, body, kind="text/html", length=None):
    request.send_response(200)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    request.send_header("Cache-Control", "max-age=3600")
    request.end_headers()
    request.wfile.write(body)


def test_an_offline_installation_stands_in_a_folder_with_spaces_and_umlauts_and_qgis_is_as_before(plan, wheels):
    import numpy
    import scipy
    from osgeo import gdal

    from sunbreak.plugin.bridge.install import install, remove
    from sunbreak.plugin.bridge.installed import installed_backend

    def state():
        modules = [(module.__version__, module.__file__) for module in (numpy, scipy, gdal)]
        return modules, list(sys.path), sorted(os.environ)

    before = state()
    watcher = Watching()
    backend = install(replace(plan, wheels=wheels), watcher)
    assert backend == installed_backend(plan.root)
    assert (backend.version, backend.variant, backend.broken, backend.outdated) == ("0.1.0", "cpu", False, False)
    facts = json.loads((backend.folder / "installed.json").read_text(encoding="utf-8"))
    assert (facts["torch"], facts["origin"], facts["devices"]) == ("2.13.0+cpu", "offline", ["cpu"])
    assert left_in(plan.root) == {"backend-0.1.0"}
    assert watcher.fractions == sorted(watcher.fractions)
    assert watcher.fractions[-1] == 1.0
    assert any(text.startswith("Unpack") for text in watcher.texts)
    said = subprocess.run([backend.python, "-I", "-c", "import sunbreak, sys; print(sunbreak.__file__, sys.prefix)"],
                          capture_output=True, text=True, check=True, encoding="utf-8").stdout  # fmt: skip
    assert said.count(str(plan.root)) == 2
    assert state() == before
    remove(backend)
    assert left_in(plan.root) == set()


def test_repairing_that_fails_brings_the_former_one_back(plan, wheels, quick, tmp_path):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.installed import installed_backend
    from sunbreak.plugin.bridge.process import BackendError

    former = install(replace(plan, wheels=wheels), Watching())
    (former.folder / "mark").touch()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BackendError):
        install(replace(plan, wheels=empty), Watching())
    assert installed_backend(plan.root) == former
    assert (former.folder / "mark").exists()
    assert left_in(plan.root) == {"backend-0.1.0"}
    (plan.root / "former-backend-0.1.0").mkdir()  # of a QGIS that was killed while it repaired
    install(replace(plan, wheels=wheels), Watching())
    assert not (former.folder / "mark").exists()
    assert left_in(plan.root) == {"backend-0.1.0"}


def test_an_update_takes_the_place_of_the_older_release(plan, wheels, quick):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.installed import installed_backends, write_record

    older = plan.root / "backend-0.0.9"
    older.mkdir(parents=True)
    write_record(older, {"version": "0.0.9", "variant": "cpu", "base": str(BASE)})
    assert [backend.outdated for backend in installed_backends(plan.root)] == [True]
    install(replace(plan, wheels=wheels), Watching())
    assert [backend.version for backend in installed_backends(plan.root)] == ["0.1.0"]
    assert not older.exists()


def test_an_empty_folder_of_wheels_is_named_as_the_cause(plan, quick, tmp_path):
    empty = tmp_path / "leer"
    empty.mkdir()
    error = failing(replace(plan, wheels=empty))
    assert error.code == "install-no-wheel"
    assert "hatchling" in str(error)


def test_a_wheel_that_was_cut_short_is_named(plan, wheels, quick, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(wheels, folder)
    name = "rasterio-9.0-py3-none-any.whl"
    (folder / name).write_bytes((wheels / name).read_bytes()[:200])
    error = failing(replace(plan, wheels=folder))
    assert error.code == "install-broken-wheel"
    assert "rasterio" in str(error)


def test_a_proxy_that_wants_a_login_is_told_apart_and_its_password_stays_out_of_the_log(plan, quick, serve):
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


def test_a_proxy_that_is_not_there_and_an_index_that_is_not_there_are_two_things(plan, quick, monkeypatch):
    nowhere = f"http://127.0.0.1:{closed_port()}"
    error = failing(replace(plan, proxies={"HTTPS_PROXY": nowhere, "https_proxy": nowhere}))
    assert error.code == "install-proxy"
    elsewhere = f"http://localhost:{closed_port()}"
    monkeypatch.setenv("PIP_INDEX_URL", elsewhere)
    error = failing(plan)
    assert error.code == "install-no-network"
    assert "offline" in str(error)


@pytest.fixture
def index(wheels, serve, monkeypatch):
    """A package index. `ways` says how a file is sent: "cut" short, or cut "once" and then from there on."""
    from sunbreak.plugin.bridge import install, install_wheels

    class Index:
        ways, sent = {}, []

    def answer(request):
        name = request.path.rstrip("/").split("/")[-1].replace("%2B", "+")
        if request.path.endswith("/"):
            files = [file.name for file in wheels.iterdir() if file.name.split("-")[0].lower() == name]
            send(request, "".join(f'<a href="/files/{file}">{file}</a>' for file in files).encode())
            return
        body, package, start = (wheels / name).read_bytes(), name.split("-")[0], request.headers.get("Range")
        Index.sent.append(f"{package} {start}" if start else package)
        if start and Index.ways.get(package) == "once":
            first = int(start.removeprefix("bytes=").rstrip("-"))
            request.send_response(206)
            request.send_header("Content-Length", str(len(body) - first))
            request.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            request.end_headers()
            request.wfile.write(body[first:])
        elif package in Index.ways:
            send(request, body[:100], "application/zip", len(body))
            request.close_connection = True
        else:
            send(request, body, "application/zip")

    for module in (install, install_wheels):
        monkeypatch.setattr(module, "TOOLS", ("hatchling",))  # pip is there
    monkeypatch.setenv("PIP_INDEX_URL", serve(answer) + "/simple/")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "127.0.0.1")
    Index.ways.clear()
    Index.sent.clear()
    return Index


def test_a_download_that_breaks_off_goes_on_next_time_with_the_packages_that_are_missing(plan, quick, template, index):
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


def test_a_connection_that_breaks_is_taken_up_where_it_was(plan, quick, template, index):
    from sunbreak.plugin.bridge.install import install

    if old_pip(template):
        pytest.skip("no network to bring pip up to date, and an old one cannot")
    index.ways["scipy"] = "once"
    install(plan, Watching())
    assert [sent for sent in index.sent if sent.startswith("scipy")] == ["scipy", "scipy bytes=100-"]


def test_torch_comes_from_the_index_of_its_build_and_nothing_else_does(plan, quick, index, serve, wheels):
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
def test_cancelling_during_the_network_takes_less_than_three_seconds_and_leaves_nothing(
    plan, quick, serve, monkeypatch, keep
):
    silence = threading.Event()
    monkeypatch.setenv("PIP_INDEX_URL", serve(lambda _: silence.wait(30)))
    watcher = Watching("Asking the package index", 1.0)
    (plan.root / "downloads").mkdir(parents=True)
    error = failing(replace(plan, keep_downloads=keep), watcher)
    assert error.code == "cancelled"
    assert time.monotonic() - watcher.asked < 3
    assert (plan.root / "downloads").exists() == keep
    silence.set()


def test_cancelling_while_the_environment_is_made_leaves_nothing(plan, wheels):
    watcher = Watching("Making a Python environment", 0.5)
    assert failing(replace(plan, wheels=wheels), watcher).code == "cancelled"
    assert time.monotonic() - watcher.asked < 3


def test_too_little_disk_is_seen_before_anything_is_made(plan):
    from sunbreak.plugin.bridge.install_plan import Variant

    error = failing(replace(plan, variant=Variant("cpu", "", (), 10**9, 10**9)))
    assert error.code == "install-no-space"
    assert "2000000.0 GB are needed" in str(error)
    assert not plan.root.exists()


def test_a_program_that_is_no_python_is_refused(plan, wheels, tmp_path):
    error = failing(replace(plan, python=tmp_path / "gone"))
    assert error.code == "install-wrong-interpreter"
    assert str(tmp_path / "gone") in str(error)
    assert failing(replace(plan, python=Path("/bin/false"))).code == "install-failed"


def test_two_installations_at_once_are_one_too_many(plan, wheels):
    from qgis.PyQt.QtCore import QLockFile

    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.process import BackendError

    plan.root.mkdir(parents=True)
    lock = QLockFile(str(plan.root / "install.lock"))
    assert lock.tryLock(0)
    with pytest.raises(BackendError, match="Another QGIS"):
        install(replace(plan, wheels=wheels), Watching())
    lock.unlock()


def test_an_existing_python_is_checked_for_what_it_lacks(tmp_path, backend):
    from sunbreak.plugin.bridge.install_child import check_interpreter, refuse_unfit
    from sunbreak.plugin.bridge.install_python import Check
    from sunbreak.plugin.bridge.process import BackendError

    check = check_interpreter(backend, Watching())
    refuse_unfit(check)
    assert check.torch.startswith("2.13.0")
    with pytest.raises(BackendError, match="does not answer"):
        check_interpreter(Path("/bin/echo"), Watching())
    with pytest.raises(BackendError, match="has no Sunbreak backend"):
        refuse_unfit(check_interpreter(BASE, Watching()))
    for wrong, message in (
        (replace(check, version=(3, 9, 18)), "Python 3.9.18"),
        (replace(check, broken={"rasterio": "ImportError: libexpat.so.1"}), "rasterio.*libexpat"),
        (replace(check, broken={"torch": "OSError: [WinError 126] c10.dll"}), "Visual C"),
        (replace(check, protocol=2), "version 2 of the process protocol"),
        (Check((3, 14, 0), "0.1.0", 1), "needs Python 3.10 to 3.13"),
    ):
        with pytest.raises(BackendError, match=message):
            refuse_unfit(wrong)


@pytest.fixture
def dialog(plugin, plan, source, monkeypatch, tmp_path):
    """The window, on a machine where only the tests' own Python is found, with the tiny backend as the plugin's."""
    from processing.core.ProcessingConfig import ProcessingConfig

    from sunbreak.plugin import settings
    from sunbreak.plugin.bridge import install_python, installed
    from sunbreak.plugin.gui import backend_dialog, backend_pages

    for module in (installed, backend_dialog):
        monkeypatch.setattr(module, "home", lambda: plan.root)
    monkeypatch.setattr(backend_pages, "folder_for", lambda version: plan.root / f"backend-{version}")
    monkeypatch.setattr(backend_dialog, "PLUGIN_FOLDER", source)
    monkeypatch.setattr(settings, "PLUGIN_FOLDER", tmp_path)
    monkeypatch.setattr(install_python, "candidate_paths", lambda: [BASE])
    monkeypatch.delenv("SUNBREAK_PYTHON", raising=False)
    window = backend_dialog.open_backend_dialog(None)
    wait_until(lambda: window.pages[0].chosen_python() is not None)
    yield window
    ProcessingConfig.setSettingValue("SUNBREAK_PYTHON", "")
    backend_dialog.close_backend_dialog()
    wait_until(lambda: install_task_running() is None)


def install_task_running():
    from sunbreak.plugin.bridge import install_task

    return install_task.running()


def wait_until(done, seconds=90.0):
    """Let QGIS work until something is so; gives back the longest time in which it did not answer."""
    from qgis.PyQt.QtCore import QCoreApplication, QEventLoop, QTimer

    ticks = [time.monotonic()]
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    timer.start(20)
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "nothing happened"
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    ticks.append(time.monotonic())
    return max(after - before for before, after in itertools.pairwise(ticks))


def test_the_window_installs_offline_while_qgis_answers_and_removes_again(dialog, plan, wheels, quick, monkeypatch):
    from qgis.PyQt.QtWidgets import QMessageBox

    from sunbreak.plugin import settings

    changes = []
    dialog.backendChanged.connect(lambda: changes.append(True))
    assert "No backend is installed" in dialog.state.text()
    assert not dialog.remove_button.isEnabled()
    dialog.tabs.setCurrentIndex(1)
    assert not dialog.go.isEnabled()
    dialog.pages[1].folder.setFilePath(str(wheels))
    assert dialog.go.isEnabled()
    assert "torch 2.13.0+cpu" in dialog.pages[1].found.text()
    dialog.go.click()
    assert dialog.cancel.isVisible()
    assert not dialog.go.isEnabled()
    gap = wait_until(lambda: install_task_running() is None)
    assert gap < 1.0
    assert "is installed and will be used" in dialog.message.text()
    assert settings.backend_python() == plan.root / "backend-0.1.0" / "bin" / "python"
    assert changes == [True]
    assert "Successfully installed" in dialog.log.toPlainText()
    dialog.check_button.click()
    wait_until(lambda: install_task_running() is None)
    assert "works: Python" in dialog.message.text()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    dialog.remove_button.click()
    wait_until(lambda: install_task_running() is None)
    assert "No backend is installed" in dialog.state.text()
    wait_until(lambda: list(plan.root.iterdir()) == [], 10)
    with pytest.raises(settings.BackendMissingError, match="Plugins > Sunbreak > Backend"):
        settings.backend_python()


def test_cancelling_in_the_window_takes_less_than_three_seconds(dialog, plan, quick, serve, monkeypatch):
    silence = threading.Event()
    monkeypatch.setenv("PIP_INDEX_URL", serve(lambda _: silence.wait(30)))
    dialog.tabs.setCurrentIndex(0)
    dialog.go.click()
    wait_until(lambda: "package index" in dialog.stand.text())
    time.sleep(0.5)
    start = time.monotonic()
    dialog.cancel.click()
    wait_until(lambda: install_task_running() is None, 5)
    assert time.monotonic() - start < 3
    assert dialog.message.text().startswith("Cancelled.")
    assert dialog.go.isEnabled()
    wait_until(lambda: list(plan.root.iterdir()) == [], 10)
    silence.set()


def test_a_failure_stands_in_the_window_and_in_the_log_of_qgis(dialog, quick, monkeypatch):
    from qgis.core import QgsApplication

    said = []
    QgsApplication.messageLog().messageReceived[str, str, "Qgis::MessageLevel"].connect(
        lambda text, tag, _: said.append((tag, text))
    )
    monkeypatch.setenv("PIP_INDEX_URL", f"http://localhost:{closed_port()}")
    dialog.tabs.setCurrentIndex(0)
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "package index cannot be reached" in dialog.message.text()
    assert ("Sunbreak", dialog.message.text()) in said


def test_an_existing_environment_is_taken_by_its_folder_and_a_wrong_one_is_not(dialog, backend):
    from sunbreak.plugin import settings

    dialog.tabs.setCurrentIndex(2)
    dialog.pages[2].path.setEditText(str(Path(sys.prefix)))
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "has no Sunbreak backend" in dialog.message.text()
    with pytest.raises(settings.BackendMissingError):
        settings.backend_python()
    dialog.pages[2].path.setEditText(str(backend.parent.parent))
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "works: Python" in dialog.message.text()
    assert settings.backend_python() == backend
    assert "your own Python" in dialog.state.text()


def test_an_older_backend_is_offered_an_update(dialog, plan, wheels):
    from sunbreak.plugin.bridge.installed import write_record

    older = plan.root / "backend-0.0.9" / "bin"
    older.mkdir(parents=True)
    (older / "python").symlink_to(BASE)
    write_record(older.parent, {"version": "0.0.9", "variant": "cpu", "base": str(BASE), "python": "3.11.2"})
    dialog._show_state()
    dialog._refresh_buttons()
    assert "press Update" in dialog.state.text()
    assert dialog.update_button.isVisible()


@pytest.fixture
def debian(tmp_path) -> Path:
    """A Python that lacks `ensurepip`, as Debian's does without its package python3-venv."""
    script = tmp_path / "python without ensurepip"
    script.write_text(
        '#!/bin/sh\ncase "$*" in *--without-pip*) ;; *"-m venv"*)\n'
        "echo 'The virtual environment was not created successfully because ensurepip is not available.'\n"
        "exit 1;; esac\n"
        f'exec "{BASE}" "$@"\n'
    )
    script.chmod(0o755)
    return script


def bundled_pip() -> Path:
    import ensurepip

    found = [
        *Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"),
        *Path("/usr/share/python-wheels").glob("pip-*.whl"),
    ]
    if not found:
        pytest.skip("this Python has no wheel of pip")
    return found[0]


def test_a_python_without_pip_gets_it_out_of_the_folder_of_wheels(plan, wheels, debian, tmp_path):
    from sunbreak.plugin.bridge.install import install

    error = failing(replace(plan, python=debian, wheels=wheels))
    assert error.code == "install-no-wheel"
    assert "no pip" in str(error)
    folder = tmp_path / "with pip"
    shutil.copytree(wheels, folder)
    shutil.copy(bundled_pip(), folder)
    assert install(replace(plan, python=debian, wheels=folder), Watching()).facts["origin"] == "offline"


def test_or_from_the_package_index_checked_by_its_hash(serve, tmp_path, monkeypatch, qgis_app):
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


def test_an_update_downloads_only_what_has_changed(plan, quick, index, monkeypatch):
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


def test_a_folder_of_wheels_is_prepared_from_the_index_and_can_be_installed_from(plan, quick, index, tmp_path):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.install_wheels import prepare_wheels

    folder = tmp_path / "für drüben"
    wheels = prepare_wheels(plan, folder, Watching())
    assert wheels.names == {name.lower() for name in NEEDED} | {"torch"}
    assert left_in(plan.root) == set()
    index.sent.clear()
    assert install(replace(plan, wheels=folder), Watching()).facts["origin"] == "offline"
    assert index.sent == []
