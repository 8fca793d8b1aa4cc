"""The connection to a dask scheduler: one that is running, or one of our own with workers on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from sunbreak import __version__
from sunbreak.cluster import serving
from sunbreak.cluster.threads import thread_variables
from sunbreak.errors import InputError, RunError
from sunbreak.events import Reporter

CONNECT_S = 10.0
RECONNECT_S = 600.0
"""How long a scheduler that went away is waited for."""
_RETRY_S = 2.0
_LOOK_S = 2.0
_START_S = 120.0
_BYTES_PER_WORKER = 3 * 2**30


class Connection:
    """A client of a scheduler, and what is known of its workers. Use it as a context manager.

    Args:
        reporter: Is told about the workers; cancels waiting.
        scheduler: Address, such as ``tcp://host:8786``; None starts a cluster on this machine.
        workers: Processes of the own cluster; None chooses by cores and memory.
        threads: Threads that each of them computes with; None shares the cores out.

    Raises:
        InputError: `distributed` is not installed (``not-installed``), no scheduler answers at the address
            (``no-scheduler``), or no worker is like this process (``workers-differ``).
        RunError: No worker starts (``no-workers``).
    """

    def __init__(
        self,
        reporter: Reporter,
        *,
        scheduler: str | None = None,
        workers: int | None = None,
        threads: int | None = None,
    ) -> None:
        require_distributed()
        self.reporter, self.address = reporter, scheduler
        self._wanted = workers, threads
        self._cluster: Any = None
        self.client: Any = None
        self._good: list[str] = []
        self._bad: dict[str, str] = {}
        self._looked = 0.0

    @property
    def local(self) -> bool:
        """Whether the cluster is our own."""
        return self.address is None

    def __enter__(self) -> Connection:
        quiet()
        try:
            if self.address is None:
                self._start_cluster()
            else:
                self.client = self._connect(self.address)
            self._wait_for_workers()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the scheduler, and end a cluster of our own."""
        for thing in (self.client, self._cluster):
            if thing is not None:
                with contextlib.suppress(Exception):
                    thing.close(timeout=2)
        self.client = self._cluster = None

    def end_workers(self) -> None:
        """End the processes of an own cluster at once, whatever they do; others are left to end their calls."""
        if self._cluster is None:
            return

        async def end() -> None:
            for nanny in self._cluster.workers.values():
                nanny.close_gracefully()  # it starts no other process
                if nanny.pid is not None:
                    os.kill(nanny.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

        with contextlib.suppress(Exception):
            self._cluster.sync(end, callback_timeout=1)

    @property
    def slots(self) -> int:
        """Calls that the workers take at once: one each, whatever their threads."""
        return len(self._good)

    @property
    def restricted_to(self) -> list[str] | None:
        """The workers that may be used, by address; None if all may."""
        return list(self._good) if self._bad else None

    def exclude(self, worker: str, what: tuple[str, ...]) -> None:
        """Use a worker no more.

        Args:
            worker: Its address.
            what: What is wrong with it.

        Raises:
            InputError: No other worker is left (``workers-differ``).
        """
        if worker not in self._bad:
            self._bad[worker] = "; ".join(what)
            self.reporter.message(f"The worker {worker} is not used: {self._bad[worker]}.", "warning")
        self._good = [address for address in self._good if address != worker]
        self._refuse_if_all_differ()

    def look(self) -> None:
        """Look now and then for workers that came or went."""
        if time.monotonic() - self._looked < _LOOK_S:
            return
        self._looked = time.monotonic()
        there = self._scheduler_info()
        self._good = [address for address in self._good if address in there]
        for address in there:
            if address not in self._good and address not in self._bad:
                self._judge(address)

    def is_lost(self) -> bool:
        """Whether the scheduler is gone."""
        return self.client is None or self.client.status != "running"

    def connect_again(self) -> None:
        """Wait until the scheduler is there again.

        Raises:
            RunError: It did not come back (``no-scheduler``).
            Cancelled: The caller asked to stop.
        """
        if self.address is None:
            raise RunError(
                "The workers on this machine ended.", "Run the same command with --resume.", code="no-workers"
            )
        self.reporter.message(f"The scheduler at {self.address} does not answer. Waiting for it.", "warning")
        with contextlib.suppress(Exception):
            self.client.close(timeout=2)
        self._good.clear()
        self._bad.clear()
        until = time.monotonic() + RECONNECT_S
        while True:
            self.reporter.checkpoint()
            try:
                self.client = self._connect(self.address)
                break
            except InputError as error:
                if time.monotonic() > until:
                    raise RunError(
                        f"The scheduler at {self.address} did not come back within {RECONNECT_S / 60:.0f} minutes.",
                        "Start it and its workers, then run the same command with --resume.",
                        code="no-scheduler",
                    ) from error
            time.sleep(_RETRY_S)
        self.reporter.message(f"Connected to {self.address} again.")

    def _connect(self, address: str) -> Any:
        import distributed

        connect: Any = distributed.Client
        try:
            return connect(address, timeout=CONNECT_S, name="sunbreak")
        except (OSError, ValueError, TypeError) as error:
            text = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"No dask scheduler answers at {address}: {text}.",
                "Start one with 'dask scheduler' and give its address, such as tcp://host:8786.",
                code="no-scheduler",
            ) from error

    def _start_cluster(self) -> None:
        import dask
        import distributed

        start: Any = distributed.LocalCluster
        connect: Any = distributed.Client

        workers, threads = share_out(*self._wanted)
        variables = thread_variables(threads)
        settings = {
            # a call whose worker ended comes back to us, and we decide whether it is sent again
            "distributed.scheduler.allowed-failures": 0,
            "distributed.nanny.pre-spawn-environ": variables,
            "distributed.comm.timeouts.connect": f"{CONNECT_S} s",
        }
        with dask.config.set(settings):
            self._cluster = start(
                n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
                silence_logs=logging.CRITICAL, env=variables, memory_limit=total_memory() // workers,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port: dask warns if 8787 is taken
            )  # fmt: skip
            self.client = connect(self._cluster, name="sunbreak")
        each = f"{threads} thread" + ("s" if threads > 1 else "")
        self.reporter.message(f"{workers} worker{'s' * (workers > 1)} on this machine, {each} each.")

    def _wait_for_workers(self) -> None:
        until = time.monotonic() + _START_S
        told = False
        while not self._good:
            self.reporter.checkpoint()
            self._looked = 0.0
            self.look()
            if self._good:
                break
            self._refuse_if_all_differ()
            if time.monotonic() > until:
                raise RunError(
                    f"The scheduler at {self.address or 'this machine'} has no workers.",
                    "Start some with 'sunbreak worker ADDRESS', then run the same command again.",
                    code="no-workers",
                )
            if not told and not self.local:
                self.reporter.message(f"The scheduler at {self.address} has no workers yet. Waiting for one.")
                told = True
            time.sleep(0.2)
        if not self.local:
            self.reporter.message(f"{len(self._good)} worker{'s' * (len(self._good) > 1)} at {self.address}.")

    def _judge(self, address: str) -> None:
        try:
            found = self._ask(serving.describe, [address]).get(address)
        except Exception as error:
            found = error
        if isinstance(found, dict):
            if found["sunbreak"] == __version__:
                self._good.append(address)
                return
            what = f"it has Sunbreak {found['sunbreak']}, not {__version__}"
        elif isinstance(found, ImportError):
            what = "Sunbreak is not installed there"
        else:
            return  # it is just starting or ending
        self._bad[address] = what
        self.reporter.message(f"The worker {address} is not used: {what}.", "warning")

    def _ask(self, function: Callable[[], Any], workers: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = self.client.run(function, workers=workers, on_error="return")
        return found

    def _scheduler_info(self) -> dict[str, Any]:
        try:
            workers: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, KeyError, ValueError):
            return {}
        return workers

    def _refuse_if_all_differ(self) -> None:
        if self._bad and not self._good:
            there = self._scheduler_info()
            if all(address in self._bad for address in there):
                reasons = list(dict.fromkeys(self._bad.values()))
                raise InputError(
                    f"No worker can be used: {'; '.join(reasons)}.",
                    "Install the same version and models on the workers, and let them see the same paths.",
                    code="workers-differ",
                )


def share_out(workers: int | None, threads: int | None) -> tuple[int, int]:
    """Processes on this machine, and threads that each computes with.

    Args:
        workers: Processes, if they are given; else as many as cores and memory allow.
        threads: Threads, if they are given.
    """
    cores = usable_cores()
    if workers is None:
        workers = max(1, min(cores // (threads or 1), total_memory() // _BYTES_PER_WORKER))
    return workers, threads or max(1, cores // workers)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int:
    """Bytes of memory that this process may use."""
    from distributed.system import MEMORY_LIMIT

    return int(MEMORY_LIMIT)


def quiet() -> None:
    """Keep dask's own messages off the terminal: what a person should know is said by us."""
    import distributed  # noqa: F401 (sets the levels when it is imported)

    for name in ("distributed", "distributed.nanny", "distributed.worker", "distributed.scheduler", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in ("distributed.client", "distributed.comm", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def require_distributed() -> None:
    """Raise an error if dask is not installed.

    Raises:
        InputError: ``not-installed``.
    """
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise InputError(
            "Work on several processes needs dask.distributed, which is not installed.",
            "pip install 'sunbreak[distributed]', or leave out --executor dask.",
            code="not-installed",
        )
