"""Compiled networks, kept in the user's cache folder: to compile one takes longer than to run it over a small scene.

A compiled network stands under everything that it depends on: the network, the options, OpenVINO and the processor.
Files that are not as they were written are not used. OpenVINO has such a cache too, but does not check its files.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sunbreak.drafts import draft_files
from sunbreak.engine.network_cache import cache_folder

LIMIT = 2**30
"""Bytes of all compiled networks that are kept; those that were not used for longest are removed."""
# raise it when what is done to a network before it is compiled changes
_VERSION = 1
_COMPILED, _DIGEST = ".compiled", ".sha256"
# of the environment, on which the code that oneDNN chooses depends
_CHOICES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")


def compile_network(core: Any, make: Callable[[], Any], options: Mapping[str, str], source: object) -> Any:
    """An `openvino.CompiledModel` for the CPU: the stored one, or one that is compiled and stored now.

    Args:
        core: The `openvino.Core`.
        make: Makes the network, an `openvino.Model`, or names its file. Called only if nothing is stored.
        options: Of the compilation.
        source: What the network is made from, which JSON can hold. None stores nothing.

    Raises:
        RuntimeError: OpenVINO cannot compile the network.
    """
    place = None if source is None else _place(core, options, source)
    found = None if place is None else _stored(core, place, options)
    if found is not None:
        return found
    compiled = core.compile_model(make(), "CPU", dict(options))
    if place is not None:
        _store(compiled, place)
    return compiled


def folder() -> Path:
    """The folder of the compiled networks."""
    return cache_folder() / "compiled"


def _place(core: Any, options: Mapping[str, str], source: object) -> Path:
    import openvino

    processor = [
        core.get_property("CPU", "FULL_DEVICE_NAME"),
        sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
        platform.machine(),
        os.cpu_count(),
        [os.environ.get(name) for name in _CHOICES],
    ]
    key = json.dumps([_VERSION, source, dict(options), openvino.__version__, processor], sort_keys=True)
    return folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}{_COMPILED}"


def _stored(core: Any, place: Path, options: Mapping[str, str]) -> Any | None:
    """A compiled network from the cache; None if it is not there, or is not as it was written."""
    try:
        content = place.read_bytes()
        if place.with_suffix(_DIGEST).read_text(encoding="ascii") != hashlib.sha256(content).hexdigest():
            return None
        found = core.import_model(io.BytesIO(content), "CPU", dict(options))
    except (OSError, ValueError, RuntimeError):  # RuntimeError: OpenVINO's, for a network that it cannot read
        return None
    with contextlib.suppress(OSError):
        os.utime(place)  # used now
    return found


def _store(compiled: Any, place: Path) -> None:
    """Write a compiled network to the cache; a cache that cannot be written is not an error."""
    try:
        content = compiled.export_model()
        content = content if isinstance(content, bytes) else content.getvalue()
        if len(content) > LIMIT:
            return
        with draft_files(place.parent) as drafts:
            draft = drafts / place.name
            draft.write_bytes(content)
            draft.with_suffix(_DIGEST).write_text(hashlib.sha256(content).hexdigest(), encoding="ascii")
        _tidy(place)
    except (OSError, RuntimeError):
        return


def _tidy(newest: Path) -> None:
    """Remove the compiled networks that were not used for longest until `LIMIT` is kept."""
    found = sorted(
        (entry.stat().st_mtime, entry.stat().st_size, entry) for entry in newest.parent.glob(f"*{_COMPILED}")
    )
    held = sum(size for _, size, _ in found)
    for _, size, entry in found:
        if held <= LIMIT or entry == newest:
            continue
        held -= size
        for path in (entry, entry.with_suffix(_DIGEST)):
            path.unlink(missing_ok=True)
