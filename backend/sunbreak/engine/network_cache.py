"""The cache of converted networks, in the user's cache folder.

A network stands under everything that it was made from: the whole card with the checksum of its weights, and the
programs. Files that are not as they were written are not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import subprocess  # nosec B404: to try a network apart
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak import __version__
from sunbreak.drafts import draft_files, scratch_folder
from sunbreak.models.registry import file_sha256

if TYPE_CHECKING:
    from sunbreak.models.card import ModelCard

# raise it when the conversion changes the result for the same card between two releases
_VERSION = 9
_DIGESTS = ".sha256"
_TRIAL = "import sys, openvino; openvino.Core().compile_model(sys.argv[1], 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})"
_TRIAL_SECONDS = 120


def place_of(card: ModelCard, core: Any) -> Path:
    """The `.xml` file of a model's converted network in the cache; it need not exist.

    Args:
        card: The model.
        core: The `openvino.Core` that runs it.
    """
    return cache_folder() / f"{card.sha256[:32]}-{_key(card, core)}.xml"


def cache_folder() -> Path:
    """The folder of converted networks: `SUNBREAK_CACHE`, or the user's cache folder on this system."""
    named = os.environ.get("SUNBREAK_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "sunbreak" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sunbreak"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sunbreak"


def stored(core: Any, path: Path) -> Any | None:
    """A converted network from the cache; None if it is not there, or is not as it was written."""
    try:
        if path.with_suffix(_DIGESTS).read_text(encoding="ascii") == _digests(path):
            return read_network(core, path)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: OpenVINO's, for a network that it cannot read
        pass
    return None


def read_network(core: Any, path: Path) -> Any:
    """A converted network from its `.xml` and `.bin` files.

    They are read into memory. OpenVINO would map them: a mapped file cannot be deleted on Windows, and a process ends
    when one is shortened.

    Raises:
        OSError: A file cannot be read.
        RuntimeError: OpenVINO cannot read the network.
    """
    return core.read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes())


def save(model: Any, path: Path, *, half: bool = False) -> None:
    """Write a converted network as `.xml` and `.bin`.

    Args:
        model: The network.
        path: The `.xml` file.
        half: Store the weights in half precision.

    Raises:
        OSError: The folder cannot be written.
        RuntimeError: OpenVINO cannot write it.
    """
    import openvino

    openvino.save_model(model, path, compress_to_fp16=half)


def store(model: Any, path: Path) -> None:
    """Write a converted network to the cache atomically; a cache that cannot be written is not an error."""
    try:
        # files are moved in the order of their names, .bin and .sha256 before .xml
        with draft_files(path.parent) as folder:
            save(model, folder / path.name)
            (folder / path.name).with_suffix(_DIGESTS).write_text(_digests(folder / path.name), encoding="ascii")
    except (OSError, RuntimeError):
        return


def as_stored(core: Any, model: Any) -> Any | None:
    """A network as it is after it was stored and read, which differs in the last bit, for a cache that is not writable.

    None if no file can be written at all.
    """
    try:
        with scratch_folder() as folder:
            path = folder / "network.xml"
            save(model, path)
            return read_network(core, path)
    except (OSError, RuntimeError):
        return None


def compiles(path: Path) -> bool:
    """Whether OpenVINO can compile a stored network, tried in a process of its own.

    OpenVINO 2026.4 ends the process while it compiles some networks of few channels or small tiles. Without the stored
    file, or where no process can be started, the answer is yes.
    """
    if not path.is_file():
        return True
    try:
        done = subprocess.run(  # nosec B603: this interpreter, on a file of ours
            [sys.executable, "-I", "-c", _TRIAL, str(path)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_TRIAL_SECONDS, check=False,
        )  # fmt: skip
    except OSError:
        return True
    except subprocess.TimeoutExpired:
        return False
    # a Python error, such as an OpenVINO that is found here only, is no crash
    return 0 <= done.returncode < 2**31


def forget(path: Path) -> None:
    """Remove a stored network."""
    for suffix in (".xml", _DIGESTS, ".bin"):
        with contextlib.suppress(OSError):
            path.with_suffix(suffix).unlink()


def _key(card: ModelCard, core: Any) -> str:
    """Cache key of a converted network: the whole card, with its weights, and all programs that have a part in it."""
    import openvino

    abilities = sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    programs = [__version__, _VERSION, openvino.__version__, version("torch"), platform.machine(), abilities]
    return hashlib.sha256(json.dumps([card.digest, programs]).encode()).hexdigest()[:32]


def _digests(path: Path) -> str:
    """The checksums of both files of a stored network."""
    return " ".join(file_sha256(path.with_suffix(suffix)) for suffix in (".bin", ".xml"))
