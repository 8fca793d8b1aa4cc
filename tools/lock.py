"""Writes requirements.lock: versions with the SHA-256 of every file that the package index has of them.

python tools/lock.py                         the same versions, hashes read anew
python tools/lock.py --freeze                the versions in this environment
python tools/lock.py --torch-index URL       also the hashes of torch's CPU builds there (repeatable)
python tools/lock.py --wheel torch-...whl    also the hash of such a build on this disk (repeatable)

Needs uv (pip install uv). A package may be there in several builds: pip accepts a file if one of the hashes is its own.
Known hashes of the same CPU build are kept, since not every machine reaches its index.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from plugin.bridge.install_plan import constraints  # noqa: E402

LOCK = ROOT / "requirements.lock"
HEAD = """\
# The versions that the tests ran with (Python 3.11 to 3.13), with the hashes of their files.
# Regenerate: python tools/lock.py --freeze in a fresh environment with '.[test,lint]'.
# Use it with pip install --require-hashes -r requirements.lock. On Linux the tests ran with torch's CPU build, which the
# package index does not have: add --extra-index-url https://download.pytorch.org/whl/cpu, or a folder with its wheel.
"""
LINUX, OTHERS = 'sys_platform == "linux"', 'sys_platform != "linux"'


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--freeze", action="store_true")
    parser.add_argument("--torch-index", action="append", default=[])
    parser.add_argument("--wheel", action="append", default=[], type=Path)
    arguments = parser.parse_args()
    before = LOCK.read_text(encoding="utf-8")
    pins = frozen() if arguments.freeze else constraints(before).splitlines()
    hashes = hashed(pins)
    entries = []
    for pin in pins:
        if pin.startswith("torch=="):
            cpu = f"{pin}+cpu"
            builds = known(before, cpu) | {digest(wheel) for wheel in arguments.wheel}
            for index in arguments.torch_index:
                builds |= hashed([cpu], index)[cpu]
            entries += [entry(f"{cpu} ; {LINUX}", builds), entry(f"{pin} ; {OTHERS}", hashes[pin])]
        else:
            entries.append(entry(pin, hashes[pin]))
    LOCK.write_text(HEAD + "".join(entries), encoding="utf-8")
    print(f"{LOCK.name}: {len(pins)} packages, {sum(one.count('--hash') for one in entries)} hashes")


def frozen() -> list[str]:
    """The versions in this environment; a local part such as +cpu is left out."""
    # --all: torch needs setuptools, which pip counts among its own tools
    command = [sys.executable, "-m", "pip", "freeze", "--all", "--exclude-editable", "--disable-pip-version-check"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.partition("+")[0] for line in lines if "==" in line and not line.startswith(("pip==", "uv=="))]


def hashed(pins: list[str], index: str = "") -> dict[str, set[str]]:
    """The hashes that the index has of each version."""
    command = ["uv", "pip", "compile", "-", "--quiet", "--no-deps", "--generate-hashes", "--universal", "--no-header"]
    command += ["--no-annotate", "--python-version", "3.11", *(["--index-url", index] if index else [])]
    done = subprocess.run(command, input="\n".join(pins), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"uv could not read the index: {done.stderr.strip()}")
    found = {canonical(name): known(done.stdout, name) for name in re.findall(r"^\S+==[^\s;\\]+", done.stdout, re.M)}
    return {pin: found[canonical(pin)] for pin in pins}


def known(lock: str, pin: str) -> set[str]:
    """The hashes that a lock has of one version."""
    match = re.search(rf"^{re.escape(pin)}(?=[\s;\\])(?:.*\\\n)*.*$", lock, re.MULTILINE)
    return set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", match[0])) if match else set()


def digest(wheel: Path) -> str:
    """The hash of a file."""
    return f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def entry(pin: str, hashes: set[str]) -> str:
    """The lines of one package."""
    return " \\\n".join([pin, *(f"    --hash={one}" for one in sorted(hashes))]) + "\n"


def canonical(pin: str) -> str:
    """The version with the name as the index spells it."""
    name, _, version = pin.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


if __name__ == "__main__":
    main()
