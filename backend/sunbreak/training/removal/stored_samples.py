"""Samples that are read from disk when they are drawn, because data sets are larger than memory.

The samples read last are cached. A sample that cannot be read is reported once, and the next sample replaces it. So a
draw depends only on its number and on the data set.
"""

from __future__ import annotations

import math
import threading
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from sunbreak.array_files import read_arrays
from sunbreak.drafts import STATE_LIMIT, draft, open_stored
from sunbreak.errors import InputError
from sunbreak.training.disk import writing

KEPT_BYTES = 1 << 30

Item = TypeVar("Item")
Say = Callable[[str], None]


class Stored(Sequence[Item], Generic[Item]):
    """A sequence whose items are read on access.

    Args:
        count: Number of items.
        say: Called with a message about each item that cannot be read.
        kept_bytes: Size of the cache in memory.
    """

    def __init__(self, count: int, say: Say, kept_bytes: int = KEPT_BYTES) -> None:
        self._count, self._say, self._limit = count, say, kept_bytes
        self._kept: OrderedDict[int, Item] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()
        self.unreadable: dict[int, str] = {}

    @abstractmethod
    def read(self, index: int) -> Item:
        """One item from disk.

        Raises:
            InputError: It cannot be read.
        """

    @abstractmethod
    def size(self, item: Item) -> int:
        """Size of an item in bytes."""

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        index %= self._count
        for step in range(self._count):
            number = (index + step) % self._count
            if number in self.unreadable:
                continue
            try:
                return self._get(number)
            except InputError as error:
                self.leave_out(number, error)
        raise InputError(
            f"None of {self._count} samples can be read; the last one: {self.unreadable[index]}",
            "Fetch the data set again.",
            code="no-samples",
        )

    def leave_out(self, index: int, error: InputError) -> None:
        """Mark an item as unreadable and report it."""
        self.unreadable[index] = error.message
        self._say(f"{error.message} It is left out.")

    def _get(self, index: int) -> Item:
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        item = self.read(index)
        with self._lock:
            if index not in self._kept:
                self._kept[index] = item
                self._held += self.size(item)
            while self._held > self._limit and len(self._kept) > 1:
                self._held -= self.size(self._kept.popitem(last=False)[1])
        return item


def unpacked(packed: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask that was packed into bits.

    Raises:
        ValueError: The bits are not those of such a mask.
    """
    count = math.prod(shape)
    if min(shape) < 1 or packed.dtype != np.uint8 or packed.shape != (-(-count // 8),):
        raise ValueError("it holds a mask of another size")
    mask: NDArray[np.bool_] = np.unpackbits(packed, count=count).reshape(shape).astype(bool)
    return mask


def recalled(path: Path, key: str, make: Callable[[], Mapping[str, NDArray[Any]]]) -> Mapping[str, NDArray[Any]]:
    """Arrays that are computed once and cached in a file.

    Args:
        path: The file.
        key: Fingerprint of the inputs; with another key the arrays are computed again.
        make: Computes the arrays.

    Raises:
        RunError: The file cannot be written.
    """
    try:
        with open_stored(path, limit=STATE_LIMIT) as file:
            if str(read_arrays(file, ["key"])["key"]) == key:
                file.seek(0)
                kept = read_arrays(file)
                return {name: kept[name] for name in kept if name != "key"}
    except (OSError, ValueError, KeyError):
        pass
    arrays = make()
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as place, place.open("wb") as file:
            np.savez(file, **arrays, key=np.array(key))  # type: ignore[arg-type]
    return arrays
