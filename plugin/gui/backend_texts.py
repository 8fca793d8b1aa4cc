"""What the backend dialog says: which backend is in use, and how an installation, check or removal ended."""

from __future__ import annotations

from ..bridge.install_plan import CLOUDS, Wheels
from ..bridge.installed import Backend, plugin_version
from ..builds import build_name
from ..compat import tr


def describe(backend: Backend) -> str:
    """Release, build and Python of a backend in one line."""
    text = tr("Sunbreak {version}, {build}, Python {python}").format(
        version=backend.version, build=build_name(backend.variant), python=backend.facts.get("python", "?")
    )
    if CLOUDS not in backend.build.extras:
        text += ", " + tr("without networks for clouds")
    return text


def state_text(backend: Backend | None, chosen: str) -> str:
    """Which backend is in use.

    Args:
        backend: The installed one, if any.
        chosen: Interpreter set in the Processing options; empty for none. It goes before the installed one.
    """
    if chosen:
        return tr("In use: your own Python {path}.").format(path=chosen)
    if backend is None:
        return tr("No backend is installed yet.")
    if backend.broken:
        return tr(
            "The backend {version} cannot be started, because its Python was removed: {base}. Press Repair."
        ).format(version=backend.version, base=backend.base)
    text = tr("Installed: {backend}.").format(backend=describe(backend))
    if backend.outdated:
        text += " " + tr("The plugin has version {version}: press Update.").format(version=plugin_version())
    return text


def outcome_text(result: object) -> str:
    """How a task ended.

    Args:
        result: An installed `Backend`; `Wheels` with their folder; an interpreter's path with its `Check`; or None
            after a removal.
    """
    if isinstance(result, Backend):
        text = tr("{backend} is installed and will be used.").format(backend=describe(result))
        if result.variant.startswith("cuda") and "cuda" not in result.facts.get("devices", ()):
            text += " " + tr("It does not detect the GPU and will use the CPU. Update the NVIDIA driver.")
        return text
    if not isinstance(result, tuple):
        return tr("The backend is removed.")
    if isinstance(result[0], Wheels):
        wheels, folder = result
        return tr("{folder}: {count} packages, {size:.0f} MB, {build}, for machines like this one.").format(
            folder=folder, count=len(wheels.names), size=wheels.megabytes, build=build_name(wheels.variant)
        )
    path, check = result
    text = tr("{path} works: Python {python}, Sunbreak {sunbreak}, {torch}, devices: {devices}.").format(
        path=path,
        python=".".join(map(str, check.version)),
        sunbreak=check.sunbreak,
        torch=f"torch {check.torch}" if check.torch else tr("no PyTorch"),
        devices=", ".join(check.devices),
    )
    if check.sunbreak != plugin_version():
        text += " " + tr("The plugin has version {version}; use the same version for both.").format(
            version=plugin_version()
        )
    return text
