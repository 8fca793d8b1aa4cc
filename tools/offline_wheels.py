"""Fills a folder with all wheels that the plugin needs to install its backend without a network.

Run it on a machine with a network and with the operating system, processor and Python version of the target machine.
The settings of pip apply.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from plugin.bridge.install_plan import LOCKED_FROM, TOOLS, VARIANTS, Variant, constraints, locked, read_wheels  # noqa: E402

LIST = "wheels.txt"


def main() -> None:
    """Fill the folder, list its wheels and print its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--variant", choices=list(VARIANTS), default="cpu", help="light has no torch (default: cpu)")
    parser.add_argument(
        "--python", default=sys.executable, help="the Python that will be used offline (default: this one)"
    )
    parser.add_argument("--torch-index", help="package index for torch; empty for the default index")
    arguments = parser.parse_args()
    variant = VARIANTS[arguments.variant]
    index = variant.torch_index if arguments.torch_index is None else arguments.torch_index
    start = time.monotonic()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    fill(arguments.folder, arguments.python, variant, index)
    wheels = read_wheels(arguments.folder)
    lacks = [*wheels.lacks, *(["torch"] if variant.has_torch and not wheels.torch else [])]
    if lacks:
        sys.exit(f"{arguments.folder} lacks {', '.join(lacks)}.")
    write_list(arguments.folder)
    print(
        f"{arguments.folder}: {len(wheels.names)} packages, {wheels.megabytes:.0f} MB, "
        f"{f'torch {wheels.torch}' if wheels.torch else 'no torch'}, "
        f"Python {'.'.join(map(str, wheels.python or ()))}, {time.monotonic() - start:.0f} s"
    )


def fill(folder: Path, python: str, variant: Variant, index: str) -> None:
    """Download the tools, torch from its index if the build has it, and then all packages that match that torch."""
    lock = ROOT / "requirements.lock"
    version = locked(lock.read_text(encoding="utf-8"), "torch")
    asked = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    major, minor = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    versions = folder / "constraints.txt"
    pins = constraints(lock.read_text(encoding="utf-8"), platform.system(), platform.machine())
    versions.write_text(pins, encoding="utf-8")
    constraint = ["--constraint", str(versions)] if (int(major), int(minor)) >= LOCKED_FROM else []
    own = ["--index-url", index] if index else []
    extras = f"[{','.join(variant.extras)}]" if variant.extras else ""
    get(python, folder, [], list(TOOLS))
    if variant.has_torch:
        get(python, folder, own, ["--no-deps", f"torch=={version}" if version else "torch"])
    get(python, folder, [*constraint, "--find-links", str(folder)], [f"{ROOT}{extras}"])
    versions.unlink()
    for built in folder.glob("sunbreak-*.whl"):
        built.unlink()  # the backend itself is installed from the plugin, so that both have one version


def get(python: str, folder: Path, options: list[str], what: list[str]) -> None:
    """Let pip download wheels, or build them from source."""
    command = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "--wheel-dir", str(folder), *options, *what]
    done = subprocess.run(command, env=dict(os.environ), check=False)
    if done.returncode:
        sys.exit(f"pip could not get {' '.join(what)}: see above.")


def write_list(folder: Path) -> None:
    """`wheels.txt`: name, size and SHA-256 of each wheel, to check a copy with."""
    wheels = sorted(folder.glob("*.whl"))
    rows = [f"{_digest(wheel)}  {wheel.stat().st_size:>12}  {wheel.name}" for wheel in wheels]
    (folder / LIST).write_text("\n".join(rows) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
