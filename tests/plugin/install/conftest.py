"""Real installations with a tiny backend: real virtual environments, real pip, local servers with faults."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from installing import BASE, BUILD, NEEDED, OPTIONAL, REQUIRES, TORCH, install_task_running, make, send, wait_until


@pytest.fixture(scope="session")
def wheels(tmp_path_factory) -> Path:
    """A folder with tiny packages of the right names."""
    folder = tmp_path_factory.mktemp("Räder und Flügel")
    for name, module in {**NEEDED, **OPTIONAL, "hatchling": "hatchling"}.items():
        make(folder, name, "9.0", {f"{module}/__init__.py": "__version__ = '9.0'\n"})
    make(folder, "torch", "2.13.0+cpu", {"torch/__init__.py": TORCH})
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> Path:
    """The source of a tiny backend with the expected output."""
    import inspect

    folder = tmp_path_factory.mktemp("plugin mit Lücke")
    files = {"sunbreak/__init__.py": "__version__ = '0.1.0'\n", "sunbreak/events.py": "PROTOCOL_VERSION = 1\n"}
    script = BUILD + f"VERSION = '0.1.0'\nFILES = {files!r}\nREQUIRES = {REQUIRES!r}\n" + inspect.getsource(make)
    (folder / "build_tiny.py").write_text(script, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "build_tiny"\nbackend-path = ["."]\n'
    )
    (folder / "requirements.lock").write_text("torch==2.13.0\n")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """One real environment, because installing pip takes seconds."""
    folder = tmp_path_factory.mktemp("template") / "environment"
    if subprocess.run([BASE, "-I", "-m", "venv", folder], capture_output=True, check=False).returncode:
        pytest.skip("this Python cannot make virtual environments")
    # as in the installation; without a network the bundled pip is kept
    update = [folder / "bin" / "python", "-I", "-m", "pip", "install", "-q", "--retries", "0", "--upgrade", "pip>=25.1"]
    subprocess.run(update, capture_output=True, check=False)
    return folder


@pytest.fixture
def quick(template, monkeypatch):
    """Environments are copied from the template instead of created."""
    from sunbreak.plugin.bridge import install

    def copy(self):
        shutil.copytree(template, self._target, symlinks=True, copy_function=os.link)

    monkeypatch.setattr(install.Installation, "_make_environment", copy)


@pytest.fixture
def plan(source, tmp_path, monkeypatch):
    """A plan without a network, isolated from pip's settings on this machine."""
    from sunbreak.plugin.bridge.install import Plan
    from sunbreak.plugin.bridge.install_plan import Variant

    for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    root = tmp_path / "Jürgen Öl" / "profil" / "sunbreak"
    return Plan(BASE, source, root, "0.1.0", Variant("cpu", "", ("torch",), 1, 1))


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


@pytest.fixture
def index(wheels, serve, monkeypatch):
    """A package index. `ways` says how a file is sent: "cut" short, or cut "once" and then from there on."""
    from sunbreak.plugin.bridge import install, install_wheels

    class Index:
        ways, sent = {}, []

    def answer(request):
        name = request.path.rstrip("/").split("/")[-1].replace("%2B", "+")
        if request.path.endswith("/"):
            files = [file.name for file in wheels.iterdir() if file.name.split("-")[0].replace("_", "-") == name]
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
        monkeypatch.setattr(module, "TOOLS", ("hatchling",))  # pip is installed
    monkeypatch.setenv("PIP_INDEX_URL", serve(answer) + "/simple/")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "127.0.0.1")
    Index.ways.clear()
    Index.sent.clear()
    return Index


@pytest.fixture
def dialog(plugin, plan, source, monkeypatch, tmp_path):
    """The dialog, with only the tests' Python and the tiny backend."""
    from processing.core.ProcessingConfig import ProcessingConfig

    from sunbreak.plugin import settings
    from sunbreak.plugin.bridge import install_python, installed
    from sunbreak.plugin.gui import backend_dialog, backend_pages

    for module in (installed, backend_dialog, backend_pages):
        monkeypatch.setattr(module, "home", lambda: plan.root)
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
