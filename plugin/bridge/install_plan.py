"""What can be installed: the builds of the backend, which machines can use them, and their disk space.

*Light* runs networks with OpenVINO and has no torch. The *Full* builds are those of torch. It imports no QGIS: the
command that prepares a folder of wheels uses the same table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 10))  # in the order in which they are preferred
LOCKED_FROM = (3, 11)  # for Python 3.10 some of the locked versions do not exist

# From 25.1 on, pip reports its progress as plain numbers and resumes interrupted downloads.
TOOLS = ("pip>=25.1", "hatchling>=1.26")

LIGHT, TORCH, CLOUDS, EVALUATION = "light", "torch", "clouds", "evaluation"
DISTRIBUTED = "distributed"
# The networks for clouds need scipy, which is all that comparing scenes needs.
_WITH_CLOUDS = (CLOUDS, EVALUATION)
_CLOUDS_DOWNLOAD_MB, _CLOUDS_DISK_MB = 180, 280

# The last release of OpenVINO with wheels for Intel Macs, for which the lock's version has none.
_INTEL_MAC_OPENVINO = "2025.4.1"


@dataclass(frozen=True)
class Variant:
    """One build of the backend.

    Attributes:
        key: Stable name, kept in `installed.json`.
        torch_index: Package index of torch; empty for the default index, and without torch.
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
    def has_torch(self) -> bool:
        """Whether it is one of the Full builds."""
        return TORCH in self.extras

    @property
    def needed_mb(self) -> int:
        """Free disk space in MB during an installation: downloads and packages exist side by side."""
        return self.download_mb + self.disk_mb

    def without_clouds(self) -> Variant:
        """The same build without the networks for clouds and cloud shadows."""
        if CLOUDS not in self.extras:
            return self
        return replace(
            self,
            extras=tuple(extra for extra in self.extras if extra not in _WITH_CLOUDS),
            download_mb=self.download_mb - _CLOUDS_DOWNLOAD_MB,
            disk_mb=self.disk_mb - _CLOUDS_DISK_MB,
        )

    def beyond(self, former: Variant) -> Variant:
        """The same build with the sizes that it adds to packages that are there already."""
        return replace(
            self,
            download_mb=max(0, self.download_mb - former.download_mb),
            disk_mb=max(0, self.disk_mb - former.disk_mb),
        )


_FULL = (TORCH, "catalogue", DISTRIBUTED, *_WITH_CLOUDS)

# CUDA 12.6 is the older line of torch 2.13 (GPUs from Maxwell to Hopper, drivers from 525), 13.0 the usual one (from
# Turing on, drivers from 580). On macOS the usual wheel has Metal in it, and there is none for Intel processors.
VARIANTS = {
    variant.key: variant
    for variant in (
        Variant(LIGHT, "", ("catalogue", *_WITH_CLOUDS), 370, 910),
        Variant("cpu", "https://download.pytorch.org/whl/cpu", _FULL, 570, 1710),
        Variant("cuda130", "https://download.pytorch.org/whl/cu130", _FULL, 3160, 6700),
        Variant("cuda126", "https://download.pytorch.org/whl/cu126", _FULL, 3160, 6700),
        Variant("mps", "", _FULL, 510, 1600),
    )
}


def of_record(key: str, extras: Collection[str]) -> Variant:
    """The build that a record of an installation names; the light one if it had no networks for clouds."""
    variant = VARIANTS.get(key, VARIANTS["cpu"])
    return variant.without_clouds() if key == LIGHT and CLOUDS not in extras else variant


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
    """The builds that exist for an operating system (`platform.system()`) and processor, Light first."""
    if system == "Darwin":
        return (VARIANTS[LIGHT],) if is_intel_mac(system, machine) else (VARIANTS[LIGHT], VARIANTS["mps"])
    return (VARIANTS[LIGHT], VARIANTS["cpu"], VARIANTS["cuda130"], VARIANTS["cuda126"])


def is_intel_mac(system: str, machine: str) -> bool:
    """Whether it is a Mac for which torch has no build any more."""
    return system == "Darwin" and machine.lower() not in {"arm64", "aarch64"}


def recommended(system: str, machine: str, gpus: Iterable[Gpu]) -> Variant:
    """The build for a machine: Light without a GPU that torch can use, else the Full build for the GPU."""
    full = recommended_full(system, machine, gpus)
    return VARIANTS[LIGHT] if full is None or full.key == "cpu" else full


def recommended_full(system: str, machine: str, gpus: Iterable[Gpu]) -> Variant | None:
    """The fastest build with torch; None if torch has no build for the machine."""
    if system == "Darwin":
        return None if is_intel_mac(system, machine) else VARIANTS["mps"]
    keys = {_cuda_of(gpu) for gpu in gpus}
    return next((VARIANTS[key] for key in ("cuda130", "cuda126") if key in keys), VARIANTS["cpu"])


def _cuda_of(gpu: Gpu) -> str:
    if gpu.driver >= 580 and gpu.capability >= 7.5:
        return "cuda130"
    if gpu.driver >= 525 and 5.0 <= gpu.capability < 10.0:
        return "cuda126"
    return ""


def variant_of_torch(version: str) -> str:
    """The key of the build with a torch such as ``2.13.0+cu126``; ``cpu`` if it says nothing, ``light`` without one."""
    build = version.partition("+")[2]
    return {"cu130": "cuda130", "cu126": "cuda126"}.get(build, "cpu") if version else LIGHT


def locked(lock: str, name: str) -> str:
    """The version that a lock file holds for a package; empty if it holds none."""
    match = re.search(rf"^{re.escape(name)}==([^\s;+\\]+)", lock, re.MULTILINE | re.IGNORECASE)
    return match[1] if match else ""


def constraints(lock: str, system: str = "", machine: str = "") -> str:
    """The versions of a lock file without builds and hashes, one `name==version` a line.

    With hashes pip would install nothing that has none, such as the backend itself, which is a folder, and torch from
    an index of its own.

    Args:
        lock: Its text.
        system: `platform.system()` of the machine that they are for; Intel Macs get an older OpenVINO.
        machine: Its processor.
    """
    pins = dict.fromkeys(re.findall(r"^[\w.-]+==[^\s;+\\]+", lock, re.MULTILINE))
    if is_intel_mac(system, machine):
        pins = {f"openvino=={_INTEL_MAC_OPENVINO}" if pin.startswith("openvino==") else pin: None for pin in pins}
    return "".join(f"{pin}\n" for pin in pins)


_REQUIRED = ("rasterio", "openvino", "opencv-python-headless", "hatchling")
_OF_EXTRAS = {
    TORCH: {"torch", "safetensors", "scipy", "scikit-learn"},
    CLOUDS: {"ukis-csmask"},
    "catalogue": {"pystac-client", "pyyaml", "requests", "urllib3"},
    DISTRIBUTED: {"distributed", "psutil"},
    EVALUATION: {"scipy"},
}


def extra_of_wheels(extra: str) -> set[str]:
    """Normalised names of the packages that an extra of the backend needs."""
    return set(_OF_EXTRAS[extra])


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
        """Packages of every build that the folder does not have."""
        return tuple(name for name in _REQUIRED if name not in self.names)

    @property
    def variant(self) -> str:
        """Key of the build that can be installed from it."""
        return variant_of_torch(self.torch)

    @property
    def extras(self) -> tuple[str, ...]:
        """Extras of the backend that can be installed from it."""
        return tuple(extra for extra, needed in _OF_EXTRAS.items() if needed <= self.names)


def read_wheels(folder: Path) -> Wheels:
    """Read a folder of wheels. An unreadable folder counts as empty."""
    names, size, python, torch = set(), 0, None, ""
    for wheel in folder.glob("*.whl"):
        parts = wheel.stem.split("-")
        if len(parts) < 5:
            continue
        name = re.sub(r"[-_.]+", "-", parts[0]).lower()
        names.add(name)
        size += wheel.stat().st_size
        torch = parts[1] if name == "torch" else torch
        match = re.fullmatch(r"cp3(\d+)", parts[-3])
        # wheels for the stable ABI (abi3) also fit later versions
        if match and parts[-2] == parts[-3] and name in {"torch", "rasterio"}:
            python = (3, int(match[1]))
    return Wheels(frozenset(names), size / 1e6, python, torch)
