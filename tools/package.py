"""Builds the plugin's zip and the list of wheels that its backend needs.

The zip holds one folder `sunbreak`: the plugin, the backend's source, the models, a part of the demo scene, the user guide and the translations.
The same files give the same bytes. The list (`dist/wheels.txt`) names what `pip download` has to
fetch for an installation without a network.
"""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import pages  # noqa: E402
import translations  # noqa: E402

from plugin.bridge.install_plan import TOOLS, VARIANTS, constraints  # noqa: E402

TOP_FILES = (
    "__init__.py",
    "metadata.txt",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "requirements.lock",
)
FOLDERS = ("plugin/", "backend/", *(f"resources/{name}/" for name in ("catalogues", "detectors", "icons", "models")))
DEMO = tuple(f"resources/demo/demo_{name}.tif" for name in ("s2_cloudy", "s1", "s2_before", "s2_after"))
DEMO_PART = 0, 64, 512, 512  # column, row, width and height in the demo scene; the whole would be 9 MB larger
LARGEST = 25_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o644 << 16


def main() -> None:
    """Write `dist/sunbreak-<version>.zip` and `dist/wheels.txt`."""
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "metadata.txt", encoding="utf-8")
    target = ROOT / "dist" / f"sunbreak-{settings['general']['version']}.zip"
    target.parent.mkdir(exist_ok=True)
    contents = {name: cut(ROOT / name) if name in DEMO else (ROOT / name).read_bytes() for name in chosen()}
    contents |= pages.pages(settings["general"]["repository"])
    contents |= {f"i18n/{path.stem}.qm": translations.compiled(path) for path in translations.files()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(contents.items()):
            entry = zipfile.ZipInfo(f"sunbreak/{name}", _EPOCH)
            entry.external_attr = _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    size = target.stat().st_size
    print(f"{target.relative_to(ROOT)}: {len(contents)} files, {size / 1e6:.1f} MB")
    if size > LARGEST:
        sys.exit(f"{target.name} is larger than the {LARGEST / 1e6:.0f} MB that the plugin repository accepts.")
    listed = wheels()
    (target.parent / "wheels.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    print(f"dist/wheels.txt: {len(listed)} packages for an installation without a network")


def cut(path: Path) -> bytes:
    """The part of a raster of the demo scene that goes into the zip, as a GeoTIFF like the whole one."""
    import rasterio
    from rasterio.io import MemoryFile
    from rasterio.windows import Window

    window = Window(*DEMO_PART)
    with rasterio.open(path) as source, MemoryFile() as memory:
        profile = source.profile | {
            "width": window.width, "height": window.height, "transform": source.window_transform(window),
            "compress": "deflate", "zlevel": 9, "predictor": 3 if source.dtypes[0] == "float32" else 2,
        }  # fmt: skip
        with memory.open(**profile) as part:
            part.write(source.read(window=window))
            part.descriptions = source.descriptions
            part.colorinterp = source.colorinterp
            part.scales, part.offsets = source.scales, source.offsets
            part.update_tags(**source.tags())
            for band in source.indexes:
                part.update_tags(band, **source.tags(band))
        return memory.read()


def chosen() -> list[str]:
    """The files of the zip: tracked and untracked files that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return sorted(
        name for name in set(listed)
        if (name in TOP_FILES or name in DEMO or name.startswith(FOLDERS)) and (ROOT / name).is_file()
    )  # fmt: skip


def wheels() -> list[str]:
    """Requirements of the plugin's Full build for the CPU: pip's own needs, then `name==version` in the versions of the lock.

    Which packages need which is read from those in this environment, so it holds for this platform.
    """
    lines = constraints((ROOT / "requirements.lock").read_text(encoding="utf-8")).splitlines()
    pins = {Requirement(line).name: line for line in lines}
    pins = {canonicalize_name(name): line for name, line in pins.items()}
    extras = set(metadata.metadata("sunbreak").get_all("Provides-Extra") or ())
    if not extras.issuperset(VARIANTS["cpu"].extras):
        sys.exit("The backend in this environment is older than pyproject.toml: install it again (make setup).")
    seen: set[tuple[str, str]] = set()
    waiting = [("sunbreak", extra) for extra in ("", *VARIANTS["cpu"].extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in metadata.requires(name) or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), part) for part in ("", *need.extras)]
    names = sorted({name for name, _ in seen} - {"sunbreak"})
    # setuptools, which torch needs, is none of the packages that `pip freeze` lists
    return [*TOOLS, *(pins.get(name) or f"{name}=={metadata.version(name)}" for name in names)]


if __name__ == "__main__":
    main()
