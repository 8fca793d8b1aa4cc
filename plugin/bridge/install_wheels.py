"""Fills a folder with wheels, from which a machine without a network can install the backend.

The wheels are for the chosen Python and build, so both machines must be of the same kind.
"""

from __future__ import annotations

from pathlib import Path

from ..compat import tr
from .install import Installation, Plan, alone
from .install_child import Watcher
from .install_plan import TOOLS, Wheels, locked, read_wheels
from .installed import DOWNLOADS, discard
from .process import BackendError


def prepare_wheels(plan: Plan, folder: Path, watcher: Watcher) -> Wheels:
    """Fill a folder. Existing wheels are kept and not downloaded again.

    Returns:
        What the folder holds then.

    Raises:
        BackendError: With one message and what to do.
    """
    with alone(plan):
        return _Preparation(plan, folder, watcher).prepare()


class _Preparation(Installation):
    """Runs the first steps of an installation in a temporary folder, then downloads wheels."""

    def __init__(self, plan: Plan, folder: Path, watcher: Watcher) -> None:
        super().__init__(plan, watcher, plan.root / "work" / "environment")
        self._folder = folder

    def prepare(self) -> Wheels:
        plan, here = self._plan, ["--wheel-dir", str(self._folder), "--find-links", str(self._folder)]
        extras = f"[{','.join(plan.variant.extras)}]" if plan.variant.extras else ""
        size = plan.variant.download_mb
        discard(self._work)
        self._work.mkdir(parents=True)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_environment()
            self._install_tools()
            self._pip([*here, *TOOLS], "tools", "tools", 6, 1, "wheel")
            if plan.variant.has_torch:
                self._get_torch(here, 0.4 * size)
            self._pip([*here, f"{plan.source}{extras}"], "torch", "check", 0.6 * size, 1, "wheel")
        finally:
            discard(self._work)
        for built in self._folder.glob("sunbreak-*.whl"):
            built.unlink()  # the backend itself is installed from the plugin, so that both have one version
        discard(plan.root / DOWNLOADS)
        wheels = read_wheels(self._folder)
        lacks = (*wheels.lacks, *(() if wheels.torch or not plan.variant.has_torch else ("torch",)))
        if lacks:
            raise BackendError(
                tr("The folder has no wheels of {names}.").format(names=", ".join(lacks)), "", "install-no-wheel"
            )
        self._stand(1.0, tr("The folder of wheels is ready."))
        return wheels

    def _get_torch(self, here: list[str], size: float) -> None:
        plan = self._plan
        version = locked((plan.source / "requirements.lock").read_text(encoding="utf-8"), "torch")
        own = ["--index-url", plan.torch_index] if plan.torch_index else []
        torch = ["--no-deps", f"torch=={version}" if version else "torch"]
        self._pip([*here, *own, *torch], "tools", "torch", size, 1, "wheel")
