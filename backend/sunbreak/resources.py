"""Where the files that travel with the code lie: model cards and weights, styles, the demo scene.

An installed distribution carries them inside the package; a checkout keeps them in `resources/` at its root.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_path(*parts: str) -> Path:
    """The path of a bundled file or folder, such as ``resource_path("models")``. It need not exist."""
    installed = _PACKAGE / "resources"
    root = installed if installed.is_dir() else _PACKAGE.parents[1] / "resources"
    return root.joinpath(*parts)
