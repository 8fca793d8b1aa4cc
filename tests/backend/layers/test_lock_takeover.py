"""Several processes want the lock of a host that has stopped, and an owner wakes up after it lost its lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sunbreak import unfinished
from sunbreak.layers import lease, roles
from sunbreak.layers.output import LayerSet

ROUNDS = 20
RACER = """
import sys, time
from pathlib import Path
from sunbreak.errors import OutputError
from sunbreak.layers.lock import OutputLock
path = Path(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    lock = OutputLock(path)
    while time.time() < float(line):
        pass
    try:
        lock.acquire()
    except OutputError as error:
        print(error.code, flush=True)
        continue
    print("won", flush=True)
    sys.stdin.readline()
    lock.check()
    lock.release()
"""
# a run on a host of another name, which stops in the middle
OWNER = """
import os, signal, socket, sys
from pathlib import Path
import numpy as np
from affine import Affine
from rasterio.crs import CRS
socket.gethostname = lambda: "farm-2"
from sunbreak import unfinished
from sunbreak.errors import OutputError
from sunbreak.layers import lease, roles
from sunbreak.layers.journal import Point
from sunbreak.layers.output import LayerSet
from sunbreak.scene import Grid
grid = Grid(CRS.from_epsg(32632), Affine(10, 0, 500000, 0, -10, 5300000), 300, 200)
lease.RENEW_S = 3600  # it wakes up between two renewals
try:
    with LayerSet(Path(sys.argv[1]), "place", grid, [roles.reconstructed()], provenance={}, inputs=[]) as layers:
        layers.write("reconstructed", 0, np.zeros((1, 100, 300), np.float32))
        print("stops", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
        if sys.argv[2] == "forced":
            unfinished.remove_all(0)
            os._exit(0)
        layers.write("reconstructed", 100, np.zeros((1, 100, 300), np.float32))
        if sys.argv[2] == "keeps":
            layers.keep(Point("clean", "torch", 100, 9, "clean-100.npz"), {"sum": np.arange(9)})
        layers.finish()
except OutputError as error:
    print(error.code, flush=True)
"""


def test_of_two_processes_that_find_a_stale_lock_at_once_exactly_one_gets_it(tmp_path):
    path = tmp_path / ".sunbreak-place.lock"
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
        for number in range(ROUNDS):
            path.write_text(f"4711 farm-2 {number:032}\n")
            os.utime(path, (time.time() - 100, time.time() - 100))
            start = time.time() + 0.05
            for racer in racers:
                racer.stdin.write(f"{start}\n")
                racer.stdin.flush()
            said = [racer.stdout.readline() for racer in racers]
            assert sorted(said) == ["output-locked\n", "won\n"]
            winner = racers[said.index("won\n")]
            assert path.read_text().split()[0] == str(winner.pid)
            assert [file.name for file in tmp_path.iterdir()] == [path.name]
            winner.stdin.write("release\n")
            winner.stdin.flush()
            while path.exists():
                time.sleep(0.001)
    finally:
        for racer in racers:
            racer.stdin.close()
            assert racer.wait(timeout=30) == 0
            racer.stdout.close()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no such signal")
@pytest.mark.parametrize(("way", "says"), [("finishes", "lease-lost\n"), ("keeps", "lease-lost\n"), ("forced", "")])
def test_an_owner_that_wakes_up_after_a_takeover_publishes_and_deletes_nothing(tmp_path, monkeypatch, grid, way, says):
    monkeypatch.setattr(lease, "LEASE_S", 0.5)
    out = tmp_path / "out"
    with subprocess.Popen([sys.executable, "-c", OWNER, str(out), way], stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout.readline() == "stops\n"
            time.sleep(0.7)
            with LayerSet(out, "place", grid, [roles.reconstructed()], provenance={}, inputs=[]) as layers:
                layers.write("reconstructed", 0, np.ones((1, 300, grid.width), np.float32))
                before = files(out)
                os.kill(owner.pid, signal.SIGCONT)
                assert owner.stdout.read() == says
                assert owner.wait(timeout=30) == 0
                assert files(out) == before
                layers.write("reconstructed", 300, np.ones((1, grid.height - 300, grid.width), np.float32))
                paths = layers.finish()
        finally:
            owner.kill()
    assert paths["reconstructed"].is_file()
    assert not list(out.glob(".sunbreak*"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_loses_its_lock_at_the_end_publishes_nothing_and_leaves_the_folder(tmp_path, grid):
    lock, journal = tmp_path / ".sunbreak-place.lock", tmp_path / ".sunbreak-place.tmp" / "journal" / "lines"

    def lose(folder: Path, layers) -> None:
        lock.write_text(f"4711 farm-2 {'a' * 32}\n")

    with pytest.raises(Exception, match="lost its lock") as caught:  # noqa: SIM117
        with LayerSet(tmp_path, "place", grid, [roles.reconstructed()], provenance={}, inputs=[]) as layers:
            layers.write("reconstructed", 0, np.zeros((1, *grid.shape), np.float32))
            layers.finish(beside=lose)
    assert caught.value.code == "lease-lost"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".sunbreak-place.lock", ".sunbreak-place.tmp"]
    assert lock.read_text() == f"4711 farm-2 {'a' * 32}\n"
    assert "publishing" not in journal.read_text()
    unfinished.remove_all(0)
    assert journal.exists()
