"""Reports the scenes of a batch as one progress."""

from __future__ import annotations

import time
from pathlib import Path

from sunbreak.events import Level, Reporter, Share

_SHOWN_EVERY_S = 0.2


class SceneReporter(Reporter):
    """Reports one scene of a batch: messages carry its name, and its progress is a part of the batch's.

    Args:
        parent: The batch's reporter.
        name: The scene.
        before: Scenes that came before it.
        total: Scenes of the batch.
    """

    def __init__(self, parent: Reporter, name: str, before: int, total: int) -> None:
        super().__init__(parent.cancellation)
        self._parent, self._name, self._before, self._total = parent, name, before, total
        self._share = Share()

    def message(self, text: str, level: Level = "info") -> None:
        """See `Reporter`."""
        self._parent.message(f"{self._name}: {text}", level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        share = self._share.after(done, total, unit)
        self._parent.progress(round(self._before + share, 3), self._total, "scenes")

    def layer(self, role: str, path: Path) -> None:
        """See `Reporter`."""
        self._parent.layer(role, path)


class Board:
    """The progress of scenes that are worked on at the same time.

    Args:
        parent: The batch's reporter.
        total: Scenes of the batch.
        over: Scenes that are over already.
    """

    def __init__(self, parent: Reporter, total: int, over: int = 0) -> None:
        self._parent, self._total = parent, total
        self._count = over
        self._scenes: dict[str, tuple[float, str]] = {}
        self._shown, self._next = 0.0, 0.0

    def put(self, name: str, share: float, stage: str) -> None:
        """A scene has got that far: a share of 0 to 1, and the name of its stage."""
        self._scenes[name] = share, stage
        self._show()

    def over(self, name: str) -> None:
        """A scene is done or failed."""
        self._scenes.pop(name, None)
        self._count += 1
        self._next = 0.0
        self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _SHOWN_EVERY_S
        done = self._count + sum(share for share, _ in self._scenes.values())
        # a scene that is begun again does not move the bar back
        self._shown = max(self._shown, done)
        self._parent.working_on([f"{name}: {stage}, {share:.0%}" for name, (share, stage) in self._scenes.items()])
        self._parent.progress(round(self._shown, 3), self._total, "scenes")
