"""Helpers for the tests of the installer: tiny wheels, a watcher that cancels, server answers, waiting."""

from __future__ import annotations

import base64
import hashlib
import itertools
import socket
import sys
import time
import zipfile
from pathlib import Path

import pytest

BASE = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"


# package to module; the first ones are needed by every build
NEEDED = {
    "numpy": "numpy", "rasterio": "rasterio", "shapely": "shapely", "opencv_python_headless": "cv2",
    "openvino": "openvino", "pillow": "PIL", "typer": "typer", "rich": "rich", "pystac": "pystac",
    "jsonschema": "jsonschema", "threadpoolctl": "threadpoolctl",
}  # fmt: skip
OPTIONAL = {"scipy": "scipy", "scikit_learn": "sklearn", "safetensors": "safetensors", "ukis_csmask": "ukis_csmask"}
REQUIRES = [
    *(f"{name}==9.0" for name in NEEDED),
    'torch==2.13.0; extra == "torch"',
    *(f'{name}==9.0; extra == "torch"' for name in ("safetensors", "scipy", "scikit_learn")),
    'ukis-csmask==9.0; extra == "clouds"',
    'scipy==9.0; extra == "evaluation"',
]


TORCH = """
__version__ = "2.13.0+cpu"
class cuda: is_available = staticmethod(lambda: False)
class backends:
    class mps: is_available = staticmethod(lambda: False)
"""


# builds its own wheel, so that no build tool is needed
BUILD = """
import base64, hashlib, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    return make(folder, "sunbreak", VERSION, FILES, REQUIRES)
def get_requires_for_build_wheel(config_settings=None):
    return []
"""


def make(folder, name, version, files, requires=(), tag="py3-none-any"):
    """Write a wheel with these files; returns its name."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {other}\n" for other in requires)
    for extra in ("torch", "clouds", "catalogue", "distributed", "evaluation"):
        metadata += f"Provides-Extra: {extra}\n"
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


def old_pip(template) -> bool:
    version = next((template / "lib").glob("python3*/site-packages/pip-*.dist-info")).name.split("-")[1]
    return tuple(int(part) for part in version.split(".")[:2]) < (25, 1)


class Watching:
    """Records its messages; asks to stop `after` seconds after the line that contains `at`."""

    def __init__(self, at="", after=0.0):
        self.at, self.after = at, after
        self.lines, self.texts, self.fractions = [], [], []
        self.seen = self.asked = None

    def stand(self, fraction, text):
        self.fractions.append(round(fraction, 6))  # as the background task does
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
    """The remaining files after the trash was deleted."""
    from sunbreak.plugin.bridge.installed import empty_trash

    empty_trash(root)
    return {path.name for path in root.iterdir()} if root.exists() else set()


def failing(plan, watcher=None):
    """The error of an installation that must fail; checks that only downloads are left."""
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.process import BackendError

    with pytest.raises(BackendError) as caught:
        install(plan, watcher or Watching())
    assert left_in(plan.root) <= {"downloads"}
    return caught.value


def closed_port() -> int:
    """A closed port."""
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


def install_task_running():
    from sunbreak.plugin.bridge import install_task

    return install_task.running()


def wait_until(done, seconds=90.0):
    """Process QGIS events until a condition holds; returns the longest time without events."""
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


def bundled_pip() -> Path:
    import ensurepip

    found = [
        *Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"),
        *Path("/usr/share/python-wheels").glob("pip-*.whl"),
    ]
    if not found:
        pytest.skip("this Python has no wheel of pip")
    return found[0]
