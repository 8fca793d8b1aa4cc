"""Keeps networks loaded between jobs, so that a batch loads each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sunbreak.engine import Runtime, make_runtime
from sunbreak.engine.runtime import DeviceName, RuntimeName
from sunbreak.models.registry import ModelFiles


class Runtimes:
    """Holds runtimes between jobs of one thread."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], Runtime] = {}

    def load(self, files: ModelFiles, device: DeviceName, runtime: RuntimeName) -> Runtime:
        """Load a network now, and hold it for `lent`.

        Raises:
            ModelError: The weights cannot be loaded.
            InputError: The device is not there.
        """
        key = _key(files, device, runtime)
        if key not in self._held:
            self._held[key] = make_runtime(files, device, runtime)
        return self._held[key]

    @contextmanager
    def lent(self, files: ModelFiles, device: DeviceName, runtime: RuntimeName) -> Iterator[Runtime]:
        """The runtime of a network for one job. After a failure it is dropped: tiles may still be in it.

        Raises:
            ModelError: The weights cannot be loaded.
            InputError: The device is not there.
        """
        key = _key(files, device, runtime)
        lent = self._held.pop(key, None) or make_runtime(files, device, runtime)
        yield lent
        self._held[key] = lent


def _key(files: ModelFiles, device: str, runtime: str) -> tuple[str, str, str]:
    return files.card.sha256, device, runtime
