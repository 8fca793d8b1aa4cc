"""What can be installed: the builds of torch, which machines can use them, and their disk space.

It imports no QGIS: the command that prepares a folder of wheels uses the same table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 10))  # in the order in which they are preferred
LOCKED_FROM = (3, 11)  # for Python 3.10 some of the locked versions do not exist

# From 25.1 on, pip reports its progress as plain numbers and resumes interrupted downloads.
TOOLS = ("pip>=25.1", "hatchling>=1.26")


@dataclass(frozen=True)
class Variant:
    """One build of the backend.

    Attributes:
        key: Stable name, kept in `installed.json`.
        torch_index: Package index of torch; empty for the default index.
        extras: Extras of the backend to install with it.
        download_mb: Approximate download size in MB.
        disk_mb: Approximate installed size in MB.
    """

    key: str
    torch_index: str
    extras: tuple[str, ...]
    download_mb: int
    disk_mb: int

    @property
    def needed_mb(self) -> int:
        """Free disk space in MB during an installation: downloads and packages exist side by side."""
        return self.download_mb + self.disk_mb


_EXTRAS = ("clouds", "catalogue", "distributed")

# CUDA 12.6 is the older line of torch 2.13 (GPUs from Maxwell to Hopper, drivers from 525), 13.0 the usual one (from
# Turing on, drivers from 580). On macOS the usual wheel has Metal in it, and there is none for Intel processors.
VARIANTS = {
    variant.key: variant
    for variant in (
        Variant("cpu", "https://download.pytorch.org/whl/cpu", ("openvino", *_EXTRAS), 640, 2140),
        Variant("cuda130", "https://download.pytorch.org/whl/cu130", _EXTRAS, 3230, 6940),
        Variant("cuda126", "https://download.pytorch.org/whl/cu126", _EXTRAS, 3230, 6940),
        Variant("mps", "", _EXTRAS, 580, 1840),
    )
}


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU as `nvidia-smi` lists it."""

    name: str
    driver: int
    capability: float


GPU_QUERY = ("--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader")


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """The GPUs in the output of `GPU_QUERY`; other lines are ignored."""
    gpus = []
    for line in text.splitlines():
        match = re.fullmatch(r"\s*(.+?)\s*,\s*(\d+)[\d.]*\s*,\s*(\d+\.\d+)\s*", line)
        if match:
            gpus.append(Gpu(match[1], int(match[2]), float(match[3])))
    return tuple(gpus)


def variants_of(system: str, machine: str) -> tuple[Variant, ...]:
    """The builds that exist for an operating system (`platform.system()`) and processor; empty for Intel Macs."""
    if system == "Darwin":
        return (VARIANTS["mps"],) if machine.lower() in {"arm64", "aarch64"} else ()
    return (VARIANTS["cpu"], VARIANTS["cuda130"], VARIANTS["cuda126"])


def recommended(system: str, machine: str, gpus: Iterable[Gpu]) -> Variant | None:
    """The fastest build for the machine; None if torch has no build for it."""
    offered = variants_of(system, machine)
    if not offered or system == "Darwin":
        return offered[0] if offered else None
    keys = {_cuda_of(gpu) for gpu in gpus}
    return next((variant for variant in (VARIANTS["cuda130"], VARIANTS["cuda126"]) if variant.key in keys), offered[0])


def _cuda_of(gpu: Gpu) -> str:
    if gpu.driver >= 580 and gpu.capability >= 7.5:
        return "cuda130"
    if gpu.driver >= 525 and 5.0 <= gpu.capability < 10.0:
        return "cuda126"
    return ""


def variant_of_torch(version: str) -> str:
    """The key of the build that a torch version such as ``2.13.0+cu126`` belongs to; ``cpu`` if it says nothing."""
    build = version.partition("+")[2]
    return {"cu130": "cuda130", "cu126": "cuda126"}.get(build, "cpu")


def locked(lock: str, name: str) -> str:
    """The version that a lock file holds for a package; empty if it holds none."""
    match = re.search(rf"^{re.escape(name)}==([^\s;+\\]+)", lock, re.MULTILINE | re.IGNORECASE)
    return match[1] if match else ""


def constraints(lock: str) -> str:
    """The versions of a lock file without builds and hashes, one `name==version` a line.

    With hashes pip would install nothing that has none, such as the backend itself, which is a folder, and torch from
    an index of its own.
    """
    pins = re.findall(r"^[\w.-]+==[^\s;+\\]+", lock, re.MULTILINE)
    return "".join(f"{pin}\n" for pin in dict.fromkeys(pins))


@dataclass(frozen=True)
class Wheels:
    """What a folder of wheels holds.

    Attributes:
        names: Normalised names of the packages.
        megabytes: Size of all files together.
        python: Version that the folder is made for; None if that cannot be told.
        torch: Version of torch in it, empty if there is none.
    """

    names: frozenset[str]
    megabytes: float
    python: tuple[int, int] | None
    torch: str

    @property
    def lacks(self) -> tuple[str, ...]:
        """Required packages that the folder does not have."""
        return tuple(name for name in ("torch", "rasterio", "s2cloudless", "hatchling") if name not in self.names)


def read_wheels(folder: Path) -> Wheels:
    """Read a folder of wheels. An unreadable folder counts as empty."""
    names, size, python, torch = set(), 0, None, ""
    for wheel in folder.glob("*.whl"):
        parts = wheel.stem.split("-")
        if len(parts) < 5:
            continue
        names.add(re.sub(r"[-_.]+", "-", parts[0]).lower())
        size += wheel.stat().st_size
        if parts[0].lower() == "torch":
            torch = parts[1]
            match = re.fullmatch(r"cp3(\d+)", parts[-3])
            python = (3, int(match[1])) if match else None
    return Wheels(frozenset(names), size / 1e6, python, torch)
