"""Installing, updating and repairing without a network, and failures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from installing import BASE, Watching, bundled_pip, failing, left_in

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


def test_an_offline_installation_works_in_a_path_with_umlauts(plan, wheels):
    import numpy
    import scipy
    from osgeo import gdal

    from sunbreak.plugin.bridge.install import install, remove
    from sunbreak.plugin.bridge.installed import installed_backend

    def state():
        modules = [(module.__version__, module.__file__) for module in (numpy, scipy, gdal)]
        return modules, list(sys.path), sorted(os.environ)

    before = state()
    watcher = Watching()
    backend = install(replace(plan, wheels=wheels), watcher)
    assert backend == installed_backend(plan.root)
    assert (backend.version, backend.variant, backend.broken, backend.outdated) == ("0.1.0", "cpu", False, False)
    facts = json.loads((backend.folder / "installed.json").read_text(encoding="utf-8"))
    assert (facts["torch"], facts["origin"], facts["devices"]) == ("2.13.0+cpu", "offline", ["cpu"])
    assert left_in(plan.root) == {"backend-0.1.0"}
    assert watcher.fractions == sorted(watcher.fractions)
    assert watcher.fractions[-1] == 1.0
    assert any(text.startswith("Unpack") for text in watcher.texts)
    said = subprocess.run([backend.python, "-I", "-c", "import sunbreak, sys; print(sunbreak.__file__, sys.prefix)"],
                          capture_output=True, text=True, check=True, encoding="utf-8").stdout  # fmt: skip
    assert said.count(str(plan.root)) == 2
    assert state() == before
    remove(backend)
    assert left_in(plan.root) == set()


def test_a_failed_or_killed_repair_leaves_the_former_backend(plan, wheels, quick, tmp_path):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.installed import free_folder, installed_backend
    from sunbreak.plugin.bridge.process import BackendError

    former = install(replace(plan, wheels=wheels), Watching())
    (former.folder / "mark").touch()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BackendError):
        install(replace(plan, wheels=empty), Watching())
    assert installed_backend(plan.root) == former
    assert (former.folder / "mark").exists()
    assert left_in(plan.root) == {"backend-0.1.0"}
    (plan.root / "backend-0.1.0-2" / "bin").mkdir(parents=True)  # of a QGIS that was killed while it repaired
    assert installed_backend(plan.root) == former
    repaired = install(replace(plan, wheels=wheels), Watching())
    assert installed_backend(plan.root) == repaired
    assert left_in(plan.root) == {"backend-0.1.0-2"}
    assert free_folder("0.1.0", plan.root) == former.folder


def test_an_update_replaces_the_older_release(plan, wheels, quick):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.installed import installed_backends, write_record

    older = plan.root / "backend-0.0.9"
    older.mkdir(parents=True)
    write_record(older, {"version": "0.0.9", "variant": "cpu", "base": str(BASE)})
    assert [backend.outdated for backend in installed_backends(plan.root)] == [True]
    install(replace(plan, wheels=wheels), Watching())
    assert [backend.version for backend in installed_backends(plan.root)] == ["0.1.0"]
    assert not older.exists()


def test_an_empty_folder_of_wheels_is_named_as_the_cause(plan, quick, tmp_path):
    empty = tmp_path / "leer"
    empty.mkdir()
    error = failing(replace(plan, wheels=empty))
    assert error.code == "install-no-wheel"
    assert "hatchling" in str(error)


def test_a_wheel_that_was_cut_short_is_named(plan, wheels, quick, tmp_path):
    folder = tmp_path / "cut"
    shutil.copytree(wheels, folder)
    name = "rasterio-9.0-py3-none-any.whl"
    (folder / name).write_bytes((wheels / name).read_bytes()[:200])
    error = failing(replace(plan, wheels=folder))
    assert error.code == "install-broken-wheel"
    assert "rasterio" in str(error)


def test_cancelling_while_the_environment_is_made_leaves_nothing(plan, wheels):
    watcher = Watching("Creating a Python environment", 0.5)
    assert failing(replace(plan, wheels=wheels), watcher).code == "cancelled"
    assert time.monotonic() - watcher.asked < 3


def test_too_little_disk_space_is_detected_first(plan):
    from sunbreak.plugin.bridge.install_plan import Variant

    error = failing(replace(plan, variant=Variant("cpu", "", (), 10**9, 10**9)))
    assert error.code == "install-no-space"
    assert "2000000.0 GB are needed" in str(error)
    assert not plan.root.exists()


def test_a_program_other_than_python_is_refused(plan, wheels, tmp_path):
    error = failing(replace(plan, python=tmp_path / "gone"))
    assert error.code == "install-wrong-interpreter"
    assert str(tmp_path / "gone") in str(error)
    assert failing(replace(plan, python=Path("/bin/false"))).code == "install-failed"


def test_a_second_installation_at_once_is_refused(plan, wheels):
    from qgis.PyQt.QtCore import QLockFile

    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.process import BackendError

    plan.root.mkdir(parents=True)
    lock = QLockFile(str(plan.root / "install.lock"))
    assert lock.tryLock(0)
    with pytest.raises(BackendError, match="Another QGIS"):
        install(replace(plan, wheels=wheels), Watching())
    lock.unlock()


def test_an_existing_python_is_checked_for_missing_parts(tmp_path, backend):
    from sunbreak.plugin.bridge.install_child import check_interpreter, refuse_unfit
    from sunbreak.plugin.bridge.install_python import Check
    from sunbreak.plugin.bridge.process import BackendError

    check = check_interpreter(backend, Watching())
    refuse_unfit(check)
    assert check.torch.startswith("2.13.0")
    with pytest.raises(BackendError, match="is not a working Python"):
        check_interpreter(Path("/bin/echo"), Watching())
    with pytest.raises(BackendError, match="has no Sunbreak backend"):
        refuse_unfit(check_interpreter(BASE, Watching()))
    for wrong, message in (
        (replace(check, version=(3, 9, 18)), "Python 3.9.18"),
        (replace(check, broken={"rasterio": "ImportError: libexpat.so.1"}), "rasterio.*libexpat"),
        (replace(check, broken={"torch": "OSError: [WinError 126] c10.dll"}), "Visual C"),
        (replace(check, protocol=2), "version 2 of the process protocol"),
        (Check((3, 14, 0), "0.1.0", 1), "needs Python 3.10 to 3.13"),
    ):
        with pytest.raises(BackendError, match=message):
            refuse_unfit(wrong)


def test_a_python_without_pip_gets_it_from_the_folder_of_wheels(plan, wheels, debian, tmp_path):
    from sunbreak.plugin.bridge.install import install

    error = failing(replace(plan, python=debian, wheels=wheels))
    assert error.code == "install-no-wheel"
    assert "no pip" in str(error)
    folder = tmp_path / "with pip"
    shutil.copytree(wheels, folder)
    shutil.copy(bundled_pip(), folder)
    assert install(replace(plan, python=debian, wheels=folder), Watching()).facts["origin"] == "offline"
