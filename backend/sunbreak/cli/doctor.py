"""`sunbreak doctor`: what works on this machine."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sunbreak import __version__
from sunbreak.errors import SunbreakError

_ENOUGH_DISK = 10e9


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `advice` says what to do when it is not well."""

    name: str
    well: bool
    found: str
    advice: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False) -> None:
    """Say what works here: Python, GDAL, device, runtimes, models, a self-test, disk. Status 1 if something does not."""
    checks = [_checked(name, look) for name, look in _CHECKS.items()]
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        table = Table("", "", "found", "what to do", box=None, pad_edge=False, header_style="bold")
        for check in checks:
            table.add_row("ok" if check.well else "!!", check.name, check.found, check.advice)
        Console(highlight=False).print(table)
    if not all(check.well for check in checks):
        raise typer.Exit(1)


def _checked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except SunbreakError as error:
        return Check(name, False, error.message, error.hint)
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {error}", "Install Sunbreak again into a new environment.")


def _python() -> Check:
    version = sys.version_info
    well = (3, 10) <= version[:2] < (3, 14)
    found = f"sunbreak {__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", well, found, "" if well else "Use Python 3.10 to 3.13.")


def _gdal() -> Check:
    import rasterio
    from rasterio.crs import CRS
    from rasterio.drivers import raster_driver_extensions

    CRS.from_epsg(32632)
    jp2 = "jp2" in raster_driver_extensions()
    found = f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}, JPEG 2000 {'yes' if jp2 else 'no'}"
    return Check("gdal", True, found)


def _device() -> Check:
    import torch

    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.insert(0, f"cuda ({torch.cuda.get_device_name(0)})")
    if torch.backends.mps.is_available():
        devices.insert(0, "mps")
    return Check("device", True, f"torch {torch.__version__}: {', '.join(devices)}, {torch.get_num_threads()} threads")


def _openvino() -> Check:
    if find_spec("openvino") is None:
        return Check("openvino", True, "not installed", "For a faster CPU: pip install 'sunbreak[openvino]'")
    import openvino

    return Check("openvino", True, openvino.__version__.split("-")[0])


def _clouds() -> Check:
    import numpy as np

    from sunbreak.tasks.clouds import DETECTION_BANDS, CloudRuntime, CloudSettings

    bright = np.full((len(DETECTION_BANDS), 12, 12), 0.6, np.float32)
    probability = float(CloudRuntime(CloudSettings(factor=1)).probability(bright).mean())
    return Check("clouds", True, f"s2cloudless answers (probability {probability:.2f} for a white patch)")


def _models() -> Check:
    from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, find_model, list_models, load_any

    found, broken = list_models()
    for name in (DEFAULT_REMOVAL, DEFAULT_CLASSIFIER):
        load_any(find_model(name))
    names = ", ".join(files.card.name for files in found)
    if broken:
        return Check("models", False, f"{names}; broken: {broken[0].message}", broken[0].hint)
    return Check("models", True, names)


def _self_test() -> Check:
    import time

    import numpy as np

    from sunbreak.engine import make_runtime
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    files = find_model(DEFAULT_REMOVAL)
    runtime = make_runtime(files)
    tile = np.full((len(files.card.channels), files.card.tile, files.card.tile), 0.2, np.float32)
    runtime.submit(tile)
    runtime.collect()
    start = time.monotonic()
    runtime.submit(tile)
    well = bool(np.isfinite(runtime.collect()[0]).all())
    return Check("self-test", well, f"{runtime.label}: {time.monotonic() - start:.2f} s per {files.card.tile} px tile")


def _disk() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    well = free > _ENOUGH_DISK
    return Check(
        "disk",
        well,
        f"{free / 1e9:.0f} GB free here",
        "" if well else "A full scene needs about 10 GB while it is made.",
    )


_CHECKS: dict[str, Callable[[], Check]] = {
    "python": _python,
    "gdal": _gdal,
    "device": _device,
    "openvino": _openvino,
    "clouds": _clouds,
    "models": _models,
    "self-test": _self_test,
    "disk": _disk,
}
