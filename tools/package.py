"""Builds the plugin's zip: one folder `sunbreak` with the plugin, the backend's source and the models, nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOP_FILES = (
    "__init__.py",
    "metadata.txt",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "requirements.lock",
)
FOLDERS = ("plugin/", "backend/", "resources/icons/", "resources/models/")
LARGEST = 25e6


def main() -> None:
    """Write `dist/sunbreak-<version>.zip` from the files that git tracks."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(ROOT / "metadata.txt", encoding="utf-8")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    chosen = sorted(name for name in listed if name in TOP_FILES or name.startswith(FOLDERS))
    target = ROOT / "dist" / f"sunbreak-{metadata['general']['version']}.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in chosen:
            archive.write(ROOT / name, f"sunbreak/{name}")
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {len(chosen)} files, {size / 1e6:.1f} MB")
    if size > LARGEST:
        sys.exit(f"{target.name} is larger than the {LARGEST / 1e6:.0f} MB that the plugin repository takes.")


if __name__ == "__main__":
    main()
