"""What is asked of a worker and what it answers: plain values that travel as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sunbreak import __version__

State = Literal["done", "failed", "differs", "busy", "cancelled"]


class WorkerDiffers(Exception):
    """A worker cannot do what is asked, though others may: it lacks a file, a model or this version.

    Args:
        what: What differs, one phrase each: ``it does not see /data/a.tif``.
    """

    def __init__(self, *what: str) -> None:
        super().__init__("; ".join(what))
        self.what = what


class Busy(Exception):
    """Somebody else works on it at the moment: ask again later.

    Args:
        code: Of the error if it stays so.
        reason: One line.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class Call:
    """A function to run on a worker.

    Attributes:
        name: What it works on, unique in one run: the name of a scene, or of a part.
        function: ``module:function`` of this package. It takes the arguments and a `Reporter`, and returns JSON values.
        arguments: JSON values.
        title: How it is called in messages.
    """

    name: str
    function: str
    arguments: Mapping[str, Any]
    title: str = ""

    def to_json(self, key: str, topic: str) -> str:
        """The text that a worker is sent; `key` is the name of dask's task, `topic` that of its events."""
        return json.dumps({**asdict(self), "key": key, "topic": topic, "sunbreak": __version__}, allow_nan=False)


@dataclass(frozen=True)
class Answer:
    """What became of a call.

    Attributes:
        state: ``failed``: the function raised, nothing is left behind. ``differs``: this worker cannot do it.
            ``busy``: ask again later.
        value: What the function returned.
        code: Of the error.
        reason: One line that says what was wrong.
        what: What differs on the worker.
        worker: Address of the worker.
        events: Number of events that the call sent.
        internal: The error is none of the user's.
    """

    state: State
    value: Any = None
    code: str = ""
    reason: str = ""
    what: tuple[str, ...] = field(default=())
    worker: str = ""
    events: int = 0
    internal: bool = False

    def to_json(self) -> str:
        """The text that a worker sends."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """Read what a worker sent."""
        plain: dict[str, Any] = json.loads(text)
        return cls(**{**plain, "what": tuple(plain["what"])})
