"""A signal is handled, whatever became of the networks that a process ran."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import os, signal, sys, threading
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

signal.signal(signal.SIGTERM, lambda *_: print("handled"))
runtimes = [OpenVinoRuntime.for_model(find_model(DEFAULT_REMOVAL)) for _ in range(2)]


def end():
    while runtimes:
        del runtimes[0]


if sys.argv[1] == "another thread":
    ending = threading.Thread(target=end)
    ending.start()
    ending.join()
else:
    end()
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("where", ["this thread", "another thread"])
def test_a_signal_after_the_networks_of_a_process_ended_is_handled(where):
    done = subprocess.run([sys.executable, "-c", RUN, where], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["handled", "alive"]), done.stderr
