"""Parses the lines that the backend writes under `--events`: one JSON object each, arriving in arbitrary chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PROTOCOL_VERSION = 1

_EVENTS = {"started", "message", "progress", "layer", "result", "error", "ready", "ended"}
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Event:
    """One line of the protocol.

    Attributes:
        kind: ``started``, ``message``, ``progress``, ``layer``, ``result`` or ``error``; ``ready`` and ``ended`` of a
            process that runs several commands; ``text`` is any foreign line.
        fields: What the line carries; ``{"text": ...}`` for a foreign line.
    """

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A field as text, empty where it is missing."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        """A field as a number, None where it is missing or is no number."""
        value = self.fields.get(name)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def texts(self, name: str) -> list[str]:
        """A field as a list of texts, empty where it is missing or is none."""
        value = self.fields.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def mapping(self, name: str) -> dict[str, Any]:
        """A field as a mapping, empty where it is missing or is none."""
        value = self.fields.get(name)
        return value if isinstance(value, dict) else {}


def parse(line: bytes) -> Event:
    """Parse one line. A line outside the protocol becomes a ``text`` event, so that no output is lost."""
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    if text.lstrip().startswith("{"):
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            return Event("text", {"text": text})
        kind = fields.pop("event", None) if isinstance(fields, dict) else None
        if isinstance(kind, str) and kind in _EVENTS:
            return Event(kind, fields)
    return Event("text", {"text": text})


class LineReader:
    """Collects chunks of bytes and returns complete lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Add a chunk; yields each line that it completes, without its line feed.

        A line longer than 1 MiB is split, so that endless output cannot fill QGIS's memory.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        yield from (line for line in lines if line.strip())

    def finish(self) -> Iterator[bytes]:
        """The last line, if the writer ended without a line feed."""
        rest, self._rest = self._rest, b""
        if rest.strip():
            yield rest
