"""Installs the backend into its own virtual environment in the QGIS profile.

It blocks the calling thread (a background task) and needs no event loop. The environment is created under its final
name, because its scripts contain their path. It is valid only once its record is written; an environment without a
record can be deleted at any time. A backend that is there already is used until then: an update, a repair or an
addition that fails or is killed leaves it as it was.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from qgis.PyQt.QtCore import QLockFile

from ..compat import tr
from .install_child import Child, Watcher, check_interpreter, refuse_unfit
from .install_environment import pip_out_of, python_version, site_packages, take_over, wheel_of_pip
from .install_errors import diagnose, no_space
from .install_network import write_bundle
from .install_plan import LOCKED_FROM, TOOLS, Variant, constraints, locked, read_wheels, variant_of_torch
from .install_progress import PipProgress
from .installed import (
    DOWNLOADS,
    Backend,
    discard,
    free_folder,
    installed_backend,
    installed_backends,
    interpreter_of,
    leftovers,
    read_record,
    retire,
    write_record,
)
from .process import BackendError

_UNPACKED = 2.2  # how much larger than their wheels the packages of a CUDA build are
_SHARES = {"venv": 0.03, "tools": 0.07, "torch": 0.4, "backend": 0.9, "check": 0.98}


@dataclass(frozen=True)
class Plan:
    """What to install, and where.

    Attributes:
        python: Interpreter that makes the environment.
        source: Folder with the backend's source and `pyproject.toml`.
        root: Folder that the environment is made in, see `installed.home`.
        version: Release of the backend in `source`.
        variant: Which build.
        torch_index: Package index for torch; empty for the usual one.
        wheels: Install from this folder only.
        addition: Reuse the packages of the installed backend of the same release, to which the build adds some.
        proxies: Variables from `install_network.network_environment`.
        authorities: From `install_network.certificates`.
        keep_downloads: Keep finished downloads when the user cancels. After a failure they are always kept.
    """

    python: Path
    source: Path
    root: Path
    version: str
    variant: Variant
    torch_index: str = ""
    wheels: Path | None = None
    addition: bool = False
    proxies: Mapping[str, str] = field(default_factory=dict)
    authorities: bytes = b""
    keep_downloads: bool = False


def install(plan: Plan, watcher: Watcher) -> Backend:
    """Install a backend, then discard the one that was there.

    Raises:
        BackendError: With one message and the fix; no partial installation is left, and the former backend is in use.
    """
    with alone(plan):
        return Installation(plan, watcher).run()


@contextmanager
def alone(plan: Plan) -> Iterator[None]:
    """Check the disk space, create the folder and lock it against another QGIS.

    Raises:
        BackendError: The disk is too small, the folder is locked, or a file could not be written.
    """
    _check_room(plan)
    try:
        plan.root.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(str(plan.root / "install.lock"))
        lock.setStaleLockTime(0)  # an installation may take an hour; the lock of a crashed QGIS is removed nevertheless
        if not lock.tryLock(0):
            raise BackendError(
                tr("Another QGIS is installing the backend."),
                tr("Wait until it has finished."),
                "install-locked",
            )
        try:
            yield
        finally:
            lock.unlock()
    except OSError as error:
        raise diagnose([str(error)]) from error


def remove(backend: Backend) -> None:
    """Remove a backend and all downloads.

    Raises:
        BackendError: It is in use.
    """
    try:
        (backend.folder / "installed.json").unlink()
        discard(backend.folder)
        sweep(backend.folder.parent)
        discard(backend.folder.parent / DOWNLOADS)
    except OSError as error:
        raise BackendError(
            tr("The backend could not be removed: {error}.").format(error=error.strerror or error),
            tr("Wait until its runs have finished, or restart QGIS. Then try again."),
            "remove-failed",
        ) from error


def sweep(root: Path) -> None:
    """Discard the remains of crashed installations."""
    for folder in leftovers(root):
        discard(folder)


class Installation:
    """The steps of an installation."""

    def __init__(self, plan: Plan, watcher: Watcher, target: Path | None = None) -> None:
        self._plan = plan
        self._watcher = watcher
        self._target = target or free_folder(plan.version, plan.root)
        self._work = plan.root / "work"
        self._new = _new_part(plan)
        self._child = Child(watcher, plan.proxies, self._work, offline=plan.wheels is not None)

    def run(self) -> Backend:
        """Run all steps. The record of the new environment puts it in the place of the former one."""
        plan = self._plan
        sweep(plan.root)
        self._work.mkdir(parents=True)
        try:
            self._make_environment()
            self._reuse()
            self._install_tools()
            if self._torch_comes_first():
                self._install_torch()
            self._install_backend()
            self._check()
        except BaseException as error:
            discard(self._target)
            code = error.code if isinstance(error, BackendError) else ""
            # a damaged file may be cached, and would then be reused in every attempt
            if code == "install-damaged-download" or (code == "cancelled" and not plan.keep_downloads):
                discard(plan.root / DOWNLOADS)
            raise
        finally:
            discard(self._work)
        for other in installed_backends(plan.root):
            if other.folder != self._target:
                retire(other)
        discard(plan.root / DOWNLOADS)
        self._stand(1.0, tr("The backend is installed."))
        backend = read_record(self._target)
        if backend is None:
            raise BackendError(tr("The installation failed."), str(self._target), "install-failed")
        return backend

    def _make_environment(self) -> None:
        plan = self._plan
        self._stand(0.0, tr("Creating a Python environment"))
        status, lines = self._child.run(str(plan.python), ["-I", "-m", "venv", str(self._target)])
        if status == 0:
            return
        error = diagnose(lines)
        if error.code != "install-no-venv":
            raise error
        discard(self._target)
        self._run(plan.python, ["-I", "-m", "venv", "--without-pip", str(self._target)])
        self._stand(0.0, tr("Downloading pip, which this Python lacks"))
        self._run(interpreter_of(self._target), pip_out_of(wheel_of_pip(plan.wheels, self._work)))

    def _reuse(self) -> None:
        plan = self._plan
        former = next((one for one in installed_backends(plan.root) if one.outdated or plan.addition), None)
        if former is not None and plan.wheels is None:
            self._stand(_SHARES["venv"], tr("Reusing the packages of {version}").format(version=former.version))
            take_over(former, self._target, plan.variant.key)

    def _torch_comes_first(self) -> bool:
        """Whether torch has an index of its own. Otherwise it comes with the backend's other packages, if at all."""
        plan = self._plan
        return plan.wheels is None and plan.variant.has_torch and bool(plan.torch_index)

    def _install_tools(self) -> None:
        self._stand(_SHARES["venv"], tr("Querying the package index"))
        tools = [tool.partition(">=")[0] if self._plan.wheels else tool for tool in TOOLS]
        bundled = site_packages(self._target) / "pip" / "_vendor" / "certifi" / "cacert.pem"
        self._child.add(write_bundle(self._work / "certificates.pem", self._plan.authorities, [bundled]))
        self._pip(["--upgrade", "--no-warn-script-location", *tools], "venv", "tools", 6, 25)
        wheels = self._plan.wheels
        with_torch = self._plan.variant.has_torch if wheels is None else bool(read_wheels(wheels).torch)
        # Pythons before 3.12 put it into every environment; of all packages only torch needs it
        if not with_torch and any(site_packages(self._target).glob("setuptools-*.dist-info")):
            python = interpreter_of(self._target)
            self._run(python, ["-I", "-X", "utf8", "-m", "pip", "uninstall", "--yes", "--quiet", "setuptools"])

    def _install_torch(self) -> None:
        plan = self._plan
        version = locked((plan.source / "requirements.lock").read_text(encoding="utf-8"), "torch")
        # The index of torch also holds old copies of other packages: take torch only from there.
        self._pip(
            [
                "--no-deps",
                "--no-warn-script-location",
                "--index-url",
                plan.torch_index,
                f"torch=={version}" if version else "torch",
            ],
            "tools",
            "torch",
            self._new.download_mb * 0.4,
            self._new.disk_mb * 0.4,
        )

    def _install_backend(self) -> None:
        plan = self._plan
        extras = plan.variant.extras
        expected = float(self._new.download_mb)
        if plan.wheels is not None:
            wheels = read_wheels(plan.wheels)
            extras = wheels.extras
            expected = wheels.megabytes
        source = str(plan.source) + (f"[{','.join(extras)}]" if extras else "")
        self._pip(
            ["--no-build-isolation", "--no-warn-script-location", source],
            "torch" if self._torch_comes_first() else "tools",
            "backend",
            expected,
            self._new.disk_mb,
        )

    def _check(self) -> None:
        self._stand(_SHARES["backend"], tr("Checking the installation"))
        check = check_interpreter(interpreter_of(self._target), self._watcher)
        refuse_unfit(check)
        plan = self._plan
        variant = plan.variant.key
        if plan.wheels is not None:
            found = variant_of_torch(check.torch)
            variant = "mps" if found == "cpu" and platform.system() == "Darwin" else found
        write_record(
            self._target,
            {
                "version": check.sunbreak,
                "variant": variant,
                "base": str(plan.python),
                "python": ".".join(map(str, check.version)),
                "torch": check.torch,
                "devices": list(check.devices),
                "extras": list(check.extras),
                "origin": "offline" if plan.wheels is not None else "online",
                "index": plan.torch_index,
                "protocol": check.protocol,
            },
        )

    def _pip(
        self, arguments: list[str], begin: str, end: str, expected: float, unpacked: float, command: str = "install"
    ) -> None:
        plan = self._plan
        options = ["--no-input", "--disable-pip-version-check"]
        # Python compiles what it imports, which is a fifth of it; each file that is not written needs no virus scan
        options += ["--no-compile"] if command == "install" else []
        if plan.wheels is not None:
            options += ["--no-index", "--find-links", str(plan.wheels)]
        else:
            options += ["--cache-dir", str(plan.root / DOWNLOADS), "--retries", "3", "--timeout", "30"]
        if self._pip_version() >= (25, 1):
            options += ["--progress-bar", "raw"]
            options += [] if plan.wheels is not None else ["--resume-retries", "10"]
        if begin != "venv" and python_version(self._target) >= LOCKED_FROM:
            options += ["--constraint", str(self._versions())]
        progress = PipProgress(expected, unpacked, site_packages(self._target), 0.1 if plan.wheels is not None else 0.6)
        first, last = _SHARES[begin], _SHARES[end]

        def hear(line: str) -> bool:
            told = progress.take(line)
            self._stand(first + (last - first) * progress.fraction, progress.text)
            return told

        def look() -> None:
            progress.look()
            self._stand(first + (last - first) * progress.fraction, progress.text)

        python = interpreter_of(self._target)
        self._run(python, ["-I", "-u", "-X", "utf8", "-m", "pip", command, *options, *arguments], hear, look)

    def _versions(self) -> Path:
        """A file with the versions that the tests ran with."""
        path = self._work / "constraints.txt"
        if not path.is_file():
            self._work.mkdir(parents=True, exist_ok=True)
            lock = (self._plan.source / "requirements.lock").read_text(encoding="utf-8")
            path.write_text(constraints(lock, platform.system(), platform.machine()), encoding="utf-8")
        return path

    def _run(
        self,
        program: Path,
        arguments: Sequence[str],
        hear: Callable[[str], bool] | None = None,
        look: Callable[[], None] | None = None,
    ) -> None:
        status, lines = self._child.run(str(program), arguments, hear, look)
        if status != 0:
            raise diagnose(lines, offline=self._plan.wheels is not None, proxies=self._child.proxy_hosts())

    def _pip_version(self) -> tuple[int, ...]:
        found = next(site_packages(self._target).glob("pip-*.dist-info"), None)
        parts = found.name.split("-")[1].split(".") if found else []
        return tuple(int(part) for part in parts if part.isdigit())

    def _stand(self, fraction: float, text: str) -> None:
        self._watcher.stand(fraction, text)


def _new_part(plan: Plan) -> Variant:
    """The build with the sizes of what has to be downloaded and unpacked."""
    former = installed_backend(plan.root) if plan.addition else None
    return plan.variant if former is None else plan.variant.beyond(former.build)


def _check_room(plan: Plan) -> None:
    """Raise if the disk is too small. The free space of the nearest existing parent folder counts."""
    folder = next(parent for parent in (plan.root, *plan.root.parents) if parent.is_dir())
    free = shutil.disk_usage(folder).free / 1e6
    needed = float(_new_part(plan).needed_mb)
    if plan.wheels is not None:
        needed = max(plan.variant.disk_mb, _UNPACKED * read_wheels(plan.wheels).megabytes)
    if free < needed:
        raise no_space(folder, needed, free)
