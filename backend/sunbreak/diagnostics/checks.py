"""The checks of `sunbreak doctor`: each gives what was found and, if it fails, one fix.

A failed check does not stop the others. Results name neither the user nor the home folder.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from sunbreak import __version__
from sunbreak.errors import Cancelled, SunbreakError
from sunbreak.events import Reporter
from sunbreak.extras import is_installed
from sunbreak.privacy import without_private

PYTHONS = ((3, 10), (3, 13))

_ENOUGH_DISK = 10e9
_NETWORKS = "For cloud shadows, and for Level-2A without a scene classification: pip install 'sunbreak[clouds]'"
_MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL"}
_REPAIR = "Repair the backend (in QGIS: Plugins > Sunbreak > Backend), or install it into a new environment."
# 500 km east and 4649776 m north in UTM zone 30: on its meridian, at 42 degrees
_UTM, _DEGREES = (500_000.0, 4_649_776.22), (-3.0, 42.0)
_INDEX, _PATIENCE = "pypi.org:443", 5.0
_ONLY_INSTALLING = "Only the installation needs a network. Without one, install from a folder of wheels."
_FOREIGN = ("GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA", "PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: Name of the check.
        well: Whether it passed.
        found: What was found.
        advice: The fix if it failed, or an improvement.
    """

    name: str
    well: bool
    found: str
    advice: str = ""


def check_up(folder: Path, reporter: Reporter) -> list[Check]:
    """Run all checks.

    Args:
        folder: Folder for results.
        reporter: Receives the progress; may cancel between two checks.

    Raises:
        Cancelled: The caller asked to stop.
    """
    looks: dict[str, Callable[[], Check]] = {
        "python": _python,
        "packages": _packages,
        "gdal": _gdal,
        "proj": _proj,
        "device": _device,
        "openvino": _openvino,
        "clouds": _clouds,
        "models": _models,
        "self-test": partial(_self_test, reporter),
        "disk": partial(_disk, folder),
        "proxy": _proxy,
    }
    checks = []
    for done, (name, look) in enumerate(looks.items()):
        reporter.checkpoint()
        reporter.progress(done, len(looks), "checks")
        checks.append(_private(_checked(name, look)))
    reporter.progress(len(looks), len(looks), "checks")
    return checks


def _private(check: Check) -> Check:
    return replace(check, found=without_private(check.found), advice=without_private(check.advice))


def _checked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Cancelled:
        raise
    except SunbreakError as error:
        return Check(name, False, error.message, error.hint)
    except Exception as error:
        text = str(error).strip().splitlines()
        return Check(name, False, f"{type(error).__name__}: {text[0] if text else 'no message'}", _REPAIR)


def _python() -> Check:
    version = sys.version_info
    well = PYTHONS[0] <= version[:2] <= PYTHONS[1]
    found = (
        f"sunbreak {__version__}, Python {platform.python_version()} ({8 * _pointer_size()} bit) on "
        f"{platform.system()} "
        f"{platform.machine()}, {sys.executable}"
    )
    return Check("python", well, found, "" if well else "Install the backend with Python 3.10 to 3.13.")


def _pointer_size() -> int:
    """Bytes of a pointer: 8 in a 64-bit Python."""
    return (sys.maxsize.bit_length() + 1) // 8


def _packages() -> Check:
    """Import every required package: a common fault is a package whose shared libraries do not load."""
    found, broken = [], []
    for name in _required():
        try:
            importlib.import_module(_MODULES.get(name, name))
            found.append(f"{name} {metadata.version(name)}")
        except Exception as error:
            reason = str(error).strip().splitlines()
            broken.append(f"{name}: {reason[0] if reason else type(error).__name__}")
    if broken:
        return Check("packages", False, "; ".join(broken), _REPAIR)
    return Check("packages", True, ", ".join(found))


def _required() -> list[str]:
    """The required packages of the installed distribution, without those of its extras."""
    try:
        needed = metadata.requires("sunbreak") or []
    except metadata.PackageNotFoundError:  # run from a folder
        needed = ["numpy", "rasterio", "shapely", "opencv-python-headless", "openvino", "pillow"]
    names = [re.match(r"[\w.-]+", line) for line in needed if "extra ==" not in line]
    return [name[0].lower() for name in names if name]


def _gdal() -> Check:
    import rasterio
    from rasterio.drivers import raster_driver_extensions

    drivers = raster_driver_extensions()
    jp2 = "jp2" in drivers
    found = f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}, JPEG 2000 {'yes' if jp2 else 'no'}"
    foreign = [name for name in _FOREIGN if os.environ.get(name)]
    if foreign:
        found += f"; {', '.join(foreign)} set in the environment"
    if "tif" not in drivers:
        return Check("gdal", False, f"{found}, GeoTIFF no", _REPAIR)
    advice = (
        "" if jp2 else "Products in JPEG 2000 cannot be read: convert them to GeoTIFF, or reinstall rasterio from PyPI."
    )
    return Check("gdal", True, found, advice)


def _proj() -> Check:
    """Transform one point: PROJ needs the database of its own version, and the environment may name another one."""
    from rasterio.warp import transform

    (x,), (y,) = transform("EPSG:32630", "EPSG:4326", [_UTM[0]], [_UTM[1]])
    if max(abs(x - _DEGREES[0]), abs(y - _DEGREES[1])) < 1e-6:
        return Check("proj", True, "rasterio transforms a known point correctly")
    foreign = any(os.environ.get(name) for name in _FOREIGN)
    advice = "Start it without PROJ_LIB, PROJ_DATA and GDAL_DATA in the environment." if foreign else _REPAIR
    return Check("proj", False, f"rasterio transforms a known point to {x:g}, {y:g}, which is wrong", advice)


def _device() -> Check:
    if not is_installed("torch"):
        card = shutil.which("nvidia-smi") is not None
        advice = "There is an NVIDIA card, which only torch can use: install the extra torch." if card else ""
        return Check("device", True, "cpu; torch is not installed: gradients, training and GPUs need it", advice)
    import torch

    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        name, device = f"cuda ({torch.cuda.get_device_name(0)})", "cuda"
    elif torch.backends.mps.is_available():
        name, device = "mps", "mps"
    else:
        name, device = "cpu", "cpu"
    ones = torch.ones(64, 64, device=device)
    well = float((ones @ ones).sum()) == 64**3
    found = f"torch {torch.__version__}: {name}, {threads} threads"
    advice = "" if well else "Choose the device cpu, and update the driver of the graphics card."
    if device == "cpu" and shutil.which("nvidia-smi"):
        built = torch.version.cuda is not None
        advice = (
            "There is an NVIDIA card, but torch cannot use it: update its driver."
            if built
            else (
                "There is an NVIDIA card, but torch is the build for the CPU: reinstall the backend as its CUDA "
                "variant."
            )
        )
    return Check("device", well, found, advice)


def _openvino() -> Check:
    import openvino

    return Check("openvino", True, openvino.__version__.split("-")[0])


def _clouds() -> Check:
    """Run each detector over a white patch: s2cloudless, which is required, and the networks, which may be missing.

    The networks know clouds by their shape, so a white patch only shows that they run.
    """
    import numpy as np

    from sunbreak.clouds import CloudSettings, ukis_networks
    from sunbreak.clouds.registry import detector
    from sunbreak.defaults import REFERENCE_DETECTOR

    def probability(name: str) -> float:
        clouds = detector(name, CloudSettings(factor=1))
        white = np.full((len(clouds.bands), 12, 12), 0.6, np.float32)
        return float(clouds.predict(white).probability.mean())

    white = probability(REFERENCE_DETECTOR)
    well, advice = white > 0.5, ""
    found = f"{REFERENCE_DETECTOR} gives a white patch a cloud probability of {white:.2f}"
    if ukis_networks.available():
        well &= 0 <= probability("ukis") <= 1
        found += f"; {ukis_networks.PACKAGE} {ukis_networks.version()} runs"
    else:
        found += f"; {ukis_networks.PACKAGE} is not installed"
        advice = _NETWORKS
    return Check("clouds", well, found, advice if well else _REPAIR)


def _models() -> Check:
    from sunbreak.models.architectures import load_any
    from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, check_converted, find_model, list_models

    found, broken = list_models()
    for files in map(find_model, (DEFAULT_REMOVAL, DEFAULT_CLASSIFIER)):
        if check_converted(files) is None or is_installed("torch"):
            load_any(files)
    names = ", ".join(files.card.name for files in found)
    if broken:
        return Check("models", False, f"{names}; broken: {broken[0].message}", broken[0].hint)
    return Check("models", True, names)


def _disk(folder: Path) -> Check:
    found, well = [], True
    for name, place in (("results", folder), ("temporary files", Path(tempfile.gettempdir()))):
        nearest = next((path for path in (place.absolute(), *place.absolute().parents) if path.exists()), Path.cwd())
        free = shutil.disk_usage(nearest).free
        well &= free > _ENOUGH_DISK
        found.append(f"{free / 1e9:.0f} GB free for {name}")
        if not os.access(nearest, os.W_OK):
            return Check("disk", False, f"{nearest} cannot be written", "Choose another folder for results.")
    return Check("disk", well, ", ".join(found), "" if well else "A full scene needs about 10 GB during a run.")


def _self_test(reporter: Reporter) -> Check:
    """Clean a simulated scene of one tile, from files to files, and check the result."""
    from sunbreak.diagnostics.self_test import clean_simulated_scene

    found, wrong = clean_simulated_scene(reporter)
    return Check("self-test", not wrong, f"{found}, but {wrong}" if wrong else found, _REPAIR if wrong else "")


def _proxy() -> Check:
    """Check that the proxy of the environment allows connections. Only the installation needs the network."""
    proxies = getproxies()
    address = proxies.get("https") or proxies.get("http")
    if not address:
        return Check("proxy", True, "not set; Sunbreak itself needs no network")
    parts = urlsplit(address if "//" in address else f"//{address}")
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    shown = f"{parts.scheme or 'http'}://{host}:{port}"  # never with the password
    if parts.scheme not in {"", "http"}:
        return Check("proxy", True, f"{shown} (not checked: only plain http proxies are)")
    login = ""
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = f"Proxy-Authorization: Basic {b64encode(pair.encode()).decode()}\r\n"
    try:
        with socket.create_connection((host, port), _PATIENCE) as connection:
            connection.settimeout(_PATIENCE)
            connection.sendall(f"CONNECT {_INDEX} HTTP/1.1\r\nHost: {_INDEX}\r\n{login}\r\n".encode())
            answer = connection.recv(256).decode("latin-1")
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        return Check(
            "proxy", False, f"{shown} does not answer: {reason}", f"Check the proxy settings. {_ONLY_INSTALLING}"
        )
    status = answer.split(" ")[1] if answer.startswith("HTTP/") and " " in answer else "?"
    if status == "407":
        return Check(
            "proxy",
            False,
            f"{shown} requires a user name and a password (407)",
            f"Add them to its settings. {_ONLY_INSTALLING}",
        )
    if status != "200":
        return Check("proxy", False, f"{shown} refuses the connection to {_INDEX}: status {status}", _ONLY_INSTALLING)
    return Check("proxy", True, f"{shown} works")
