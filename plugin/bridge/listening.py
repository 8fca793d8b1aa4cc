"""What a running backend says: messages and progress go to the feedback, its result or error is kept."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from qgis.core import QgsProcessingFeedback

from ..compat import tr
from .missing import MISSING, advice
from .protocol import PROTOCOL_VERSION, Event, LineReader, parse

_REPORT_EVERY_S = 15.0  # dialogs write each text of the progress into the log too
_REPORT_OTHERS_S = 5.0  # other scenes are worked on
_MOST_SHOWN = 4
_KILLED = (9, 137, -9)
_SOME_FAILED = 1  # exit status of a command over several scenes that ended with a result


class BackendError(Exception):
    """A backend command failed.

    Attributes:
        code: The backend's error code, or ``backend-...`` if it sent none.
    """

    def __init__(self, message: str, hint: str = "", code: str = "backend-failed") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.code = code


@dataclass
class Result:
    """The result of a finished run.

    Attributes:
        layers: Role to file.
        numbers: Name to value, such as ``cloud_share``.
        written: Role and file of every layer, in the order in which they were written. A command that cleans several
            scenes writes each role several times.
    """

    layers: dict[str, Path] = field(default_factory=dict)
    numbers: dict[str, float | str] = field(default_factory=dict)
    written: list[tuple[str, Path]] = field(default_factory=list)


class Listener:
    """Turns the output of a process into feedback, and keeps its result or error.

    Args:
        feedback: Receives messages and progress.
        secrets: Texts that no message contains.

    Attributes:
        ready: Whether the process waits for commands, see `sunbreak serve`.
        ended: Identifier and exit status of the command that is over.
    """

    def __init__(self, feedback: QgsProcessingFeedback, secrets: tuple[str, ...]) -> None:
        self._feedback = feedback
        self._secrets = secrets
        self._stdout = LineReader()
        self._stderr = LineReader()
        self._last_words: deque[str] = deque(maxlen=20)
        self._unit = ""
        self._on: set[str] = set()
        self._reported = 0.0
        self._started = False
        self.ready = False
        self.ended: tuple[object, int] | None = None
        self._error: Event | None = None
        self._result: Event | None = None
        self._written: list[tuple[str, Path]] = []

    @property
    def begun(self) -> bool:
        """Whether a command has begun: it has greeted, or failed before it could."""
        return self._started or self._error is not None

    def hear(self, output: bytes, errors: bytes, *, last: bool = False) -> None:
        """Take what the process has written; with `last`, also an unfinished line.

        Raises:
            BackendError: It uses another version of the protocol.
        """
        for line in self._stdout.feed(output):
            self._take(parse(line))
        for line in self._stderr.feed(errors):
            self._overhear(line)
        if last:
            for line in self._stdout.finish():
                self._take(parse(line))
            for line in self._stderr.finish():
                self._overhear(line)

    def outcome(self, program: str, code: int, *, crashed: bool, several: bool = False) -> Result:
        """The result of a command that is over.

        Args:
            program: What was started.
            code: Its exit status, or the signal that ended it.
            crashed: Whether a signal ended it.
            several: See `run_backend`.

        Raises:
            BackendError: With the backend's own message, if it sent one.
        """
        if self._error is not None:
            error = self._error
            message, hint = self._public(error.text("message")), self._public(error.text("hint"))
            if error.text("code") == MISSING:
                hint = advice(program, message, hint, error.text("extra"))
            raise BackendError(message, hint, error.text("code") or "backend-failed")
        if code in _KILLED:
            raise BackendError(
                tr("The backend was killed, most likely because the machine ran out of memory."),
                tr("Close other programs, or set a smaller extent."),
                "backend-killed",
            )
        words = " | ".join(self._last_words)
        if "No module named sunbreak" in words:
            raise BackendError(
                tr("{program} has no Sunbreak backend.").format(program=program),
                tr('Install it there: "{program}" -m pip install sunbreak.').format(program=program),
                "backend-missing",
            )
        some_failed = several and code == _SOME_FAILED and self._result is not None
        if crashed or (code != 0 and not some_failed):
            how = tr("crashed (signal {code})") if crashed else tr("ended with exit status {code}")
            raise BackendError(tr("The backend {how}.").format(how=how.format(code=code)), words)
        if self._result is None or not self._started:
            raise BackendError(tr("The backend ended without a result."), words)
        return Result(
            {role: Path(path) for role, path in self._result.mapping("layers").items()},
            self._result.mapping("numbers"),
            self._written,
        )

    def _take(self, event: Event) -> None:
        if event.kind == "started":
            self._started = True
            self._check_version(event)
        elif event.kind == "ready":
            self.ready = True
            self._check_version(event)
        elif event.kind == "ended":
            status = event.number("status")
            self.ended = event.fields.get("id"), _SOME_FAILED if status is None else int(status)
        elif event.kind == "progress":
            self._progress(event)
        elif event.kind == "message":
            tell = self._feedback.pushWarning if event.text("level") == "warning" else self._feedback.pushInfo
            tell(self._public(event.text("text")))
        elif event.kind == "error":
            self._error = event
        elif event.kind == "layer":
            self._written.append((event.text("role"), Path(event.text("path"))))
        elif event.kind == "result":
            self._result = event
        elif event.kind == "text":
            self._feedback.pushConsoleInfo(self._public(event.text("text")))

    def _overhear(self, line: bytes) -> None:
        text = self._public(line.decode("utf-8", errors="replace").strip())
        self._last_words.append(text)
        self._feedback.pushConsoleInfo(text)

    def _public(self, text: str) -> str:
        """The text without the login of a proxy."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def _check_version(self, event: Event) -> None:
        version = event.number("version")
        if version != PROTOCOL_VERSION:
            raise BackendError(
                tr(
                    "The backend {release} uses version {theirs} of the process protocol, this plugin uses version "
                    "{ours}."
                ).format(release=event.text("sunbreak"), theirs=event.text("version") or "?", ours=PROTOCOL_VERSION),
                tr("Update the older of the two."),
                "backend-version",
            )

    def _progress(self, event: Event) -> None:
        done, total, eta = event.number("done"), event.number("total"), event.number("eta")
        if done is None or not total:
            return
        self._feedback.setProgress(min(100.0, 100.0 * done / total))
        now, on = time.monotonic(), event.texts("on")
        names = {text.rpartition(": ")[0] for text in on}
        soon = _REPORT_EVERY_S if names == self._on else _REPORT_OTHERS_S
        if event.text("unit") == self._unit and now - self._reported < soon:
            return
        self._unit, self._on, self._reported = event.text("unit"), names, now
        text = f"{done:.0f} / {total:.0f} {self._unit}"
        if eta is not None:
            text += tr(", about {minutes:.0f} min {seconds:02.0f} s left").format(minutes=eta // 60, seconds=eta % 60)
        if on:
            text += ". " + tr("At work: {scenes}").format(scenes=_shortened(on))
        self._feedback.setProgressText(self._public(text))


def _shortened(texts: list[str]) -> str:
    """The first texts, and how many more there are."""
    shown = "; ".join(texts[:_MOST_SHOWN])
    more = len(texts) - _MOST_SHOWN
    return tr("{scenes}; and {count} more").format(scenes=shown, count=more) if more > 0 else shown
