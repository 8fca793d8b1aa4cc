"""Light, the build without torch: installing it, and adding torch and the networks for clouds to it."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from installing import NEEDED, Watching, install_task_running, left_in, wait_until

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def light(plan):
    """A plan for Light without the networks for clouds."""
    from sunbreak.plugin.bridge.install_plan import VARIANTS

    build = replace(VARIANTS["light"].without_clouds(), download_mb=1, disk_mb=1)
    return replace(plan, variant=build)


@pytest.fixture
def installed(light, quick, index):
    """An installed light backend."""
    from sunbreak.plugin.bridge.install import install

    backend = install(light, Watching())
    index.sent.clear()
    return backend


class Looking(Watching):
    """Records which backend is in use at each step."""

    def __init__(self, root):
        super().__init__()
        self.root, self.in_use = root, set()

    def stand(self, fraction, text):
        from sunbreak.plugin.bridge.installed import installed_backend

        super().stand(fraction, text)
        if fraction < 1.0:
            self.in_use.add(installed_backend(self.root).variant)


def modules_of(backend) -> set[str]:
    """Which of the large packages its interpreter finds."""
    script = "import importlib.util as u, sunbreak; print(*(n for n in ('torch', 'ukis_csmask', 'rasterio') if u.find_spec(n)))"
    done = subprocess.run([backend.python, "-I", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_light_has_no_torch_and_says_so(installed, index):
    from sunbreak.plugin.gui.backend_texts import outcome_text

    assert (installed.variant, installed.facts["torch"], installed.facts["devices"]) == ("light", "", ["cpu"])
    assert set(installed.extras) == set()  # those of the tiny backend without packages are not listed
    assert modules_of(installed) == {"rasterio"}
    assert not [*installed.folder.rglob("setuptools-*.dist-info")]  # which only torch needs
    text = outcome_text(installed)
    assert "0.1.0, Light (OpenVINO, no PyTorch), Python 3." in text
    assert "without networks for clouds" in text


@pytest.mark.parametrize(
    ("key", "sent", "found"),
    [
        ("cpu", {"torch", "safetensors", "scipy", "scikit_learn", "ukis_csmask"}, {"torch", "ukis_csmask", "rasterio"}),
        ("light", {"ukis_csmask", "scipy"}, {"ukis_csmask", "rasterio"}),
    ],
)
def test_an_addition_downloads_only_what_the_light_backend_lacks(light, installed, index, key, sent, found):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.install_plan import VARIANTS
    from sunbreak.plugin.bridge.installed import installed_backend

    build = replace(VARIANTS[key], torch_index="", download_mb=2, disk_mb=2)
    assert installed.can_become(build)
    watcher = Looking(light.root)
    added = install(replace(light, variant=build, addition=True), watcher)
    assert set(index.sent) == sent
    assert modules_of(added) == found
    assert watcher.in_use == {"light"}  # until the record of the new one was written
    assert added == installed_backend(light.root)
    assert added.variant == key
    assert left_in(light.root) == {added.folder.name}


def test_a_failed_addition_leaves_the_light_backend_usable(light, installed, index):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.install_plan import VARIANTS
    from sunbreak.plugin.bridge.installed import installed_backend
    from sunbreak.plugin.bridge.process import BackendError

    build = replace(VARIANTS["cpu"], torch_index="", download_mb=2, disk_mb=2)
    before = sorted(path for path in installed.folder.rglob("*") if path.suffix != ".pyc")
    for watcher, way, code in (
        (Watching(), "cut", "install-broken-download"),
        (Watching("Checking the installation"), "", "cancelled"),
    ):
        index.ways.clear()
        index.ways |= {"scipy": way} if way else {}
        with pytest.raises(BackendError) as caught:
            install(replace(light, variant=build, addition=True), watcher)
        assert caught.value.code == code
        assert installed_backend(light.root) == installed
        assert modules_of(installed) == {"rasterio"}
        assert sorted(path for path in installed.folder.rglob("*") if path.suffix != ".pyc") == before
        assert left_in(light.root) <= {installed.folder.name, "downloads"}


def test_light_is_installed_from_a_folder_of_wheels_without_torch(light, quick, index, tmp_path):
    from sunbreak.plugin.bridge.install import install
    from sunbreak.plugin.bridge.install_plan import VARIANTS
    from sunbreak.plugin.bridge.install_wheels import prepare_wheels

    build = replace(VARIANTS["light"], download_mb=1, disk_mb=1)
    wheels = prepare_wheels(replace(light, variant=build), tmp_path / "wheels", Watching())
    names = {name.replace("_", "-") for name in NEEDED}
    assert wheels.names == names | {"hatchling", "ukis-csmask", "scipy"}
    index.sent.clear()
    # the folder decides what is installed, not the build that was chosen
    backend = install(replace(light, variant=VARIANTS["cpu"], wheels=tmp_path / "wheels"), Watching())
    assert index.sent == []
    assert (backend.variant, backend.facts["origin"], backend.facts["torch"]) == ("light", "offline", "")
    assert set(backend.extras) == {"clouds", "evaluation"}


def test_a_light_backend_of_another_release_or_with_more_gets_no_addition(tmp_path):
    from sunbreak.plugin.bridge.install_plan import VARIANTS
    from sunbreak.plugin.bridge.installed import Backend, plugin_version

    def backend(variant, extras, version):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "python").touch(0o755)
        return Backend(tmp_path, version, variant, "", {"extras": extras})

    light, now = VARIANTS["light"], plugin_version()
    small = light.without_clouds()
    assert backend("light", small.extras, now).can_become(light)
    assert backend("light", light.extras, now).can_become(VARIANTS["mps"])
    assert not backend("light", light.extras, now).can_become(small)
    assert not backend("light", light.extras, now).can_become(light)
    assert not backend("light", small.extras, "0.0.9").can_become(light)
    assert not backend("cpu", VARIANTS["cpu"].extras, now).can_become(light)
    assert backend("light", small.extras, now).build == small
    assert Backend(tmp_path, now, "cpu", "", {}).build == VARIANTS["cpu"]  # a record without extras


# the dialog


def linux(monkeypatch):
    from sunbreak.plugin.gui import build_choice

    monkeypatch.setattr(build_choice.platform, "system", lambda: "Linux")
    monkeypatch.setattr(build_choice.platform, "machine", lambda: "x86_64")


def test_both_builds_are_shown_with_sizes_and_what_light_lacks(dialog, monkeypatch):
    linux(monkeypatch)
    build = dialog.pages[0].build
    build.offer_builds(())
    assert build.light.isChecked()
    assert build.chosen().key == "light"
    assert build.package_index() == ""
    assert build.light.text().replace("&", "") == "Light: 0.4 GB download, 0.9 GB on disk"
    assert build.full.text().replace("&", "") == "Full: 0.6 GB download, 1.7 GB on disk"
    assert "no saliency by gradients, no training, no imported checkpoints" in build.about_light.text()
    assert "networks for clouds" not in build.about_light.text()
    build.networks.setChecked(False)
    assert build.light.text().replace("&", "") == "Light: 0.2 GB download, 0.6 GB on disk"
    assert "no networks for clouds" in build.about_light.text()
    assert "about 0.2 GB and takes about 0.6 GB" in dialog.pages[0].room.text()
    assert dialog.go.text() == "Install"


def test_a_gpu_selects_its_full_build_unless_the_user_has_chosen(dialog, monkeypatch):
    from sunbreak.plugin.bridge.install_plan import parse_gpus

    linux(monkeypatch)
    build, gpus = dialog.pages[0].build, parse_gpus("NVIDIA H200, 580.65.06, 9.0\n")
    build.offer_builds(gpus)
    assert (build.chosen().key, build.package_index()) == ("cuda130", "https://download.pytorch.org/whl/cu130")
    assert "NVIDIA H200" in build.machine.text()
    build.light.click()
    build.offer_builds(gpus)
    assert (build.chosen().key, build.package_index()) == ("light", "")


def test_intel_macs_are_offered_light_alone(dialog, monkeypatch):
    from sunbreak.plugin.gui import build_choice

    monkeypatch.setattr(build_choice.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(build_choice.platform, "machine", lambda: "x86_64")
    build = dialog.pages[0].build
    build.offer_builds(())
    assert build.chosen().key == "light"
    assert not build.full.isEnabled()
    assert "no build for this machine" in build.about_full.text()
    build.offer("torch")
    assert build.chosen().key == "light"


def test_torch_is_added_to_a_light_backend_in_the_dialog(dialog, light, quick, index, monkeypatch):
    from sunbreak.plugin import settings
    from sunbreak.plugin.bridge.installed import installed_backend

    monkeypatch.setattr("sunbreak.plugin.bridge.installed.plugin_version", lambda: "0.1.0")
    linux(monkeypatch)
    page = dialog.pages[0]
    page.build.offer_builds(())
    page.build.networks.setChecked(False)
    assert not dialog.add_button.isVisible()
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "Light (OpenVINO, no PyTorch)" in dialog.state.text()
    assert settings.backend_python().parent.parent == light.root / "backend-0.1.0"
    assert dialog.add_button.isVisible()
    page.build.networks.setChecked(True)
    assert dialog.go.text() == "Add the networks"
    assert "Adds about 0.2 GB of downloads and 0.3 GB on disk" in page.room.text()
    dialog.add_button.click()
    assert dialog.go.text() == "Add PyTorch"
    assert page.build.chosen().key == "cpu"
    page.build.index.clear()  # torch comes from the index of the test
    index.sent.clear()
    dialog.go.click()
    wait_until(lambda: install_task_running() is None)
    assert "Full (PyTorch and OpenVINO, CPU)" in dialog.message.text()
    assert set(index.sent) == {"torch", "safetensors", "scipy", "scikit_learn", "ukis_csmask"}
    assert not dialog.add_button.isVisible()
    assert dialog.go.text() == "Install"
    assert modules_of(installed_backend(light.root)) == {"torch", "ukis_csmask", "rasterio"}
