"""Packages that only some commands need: one clear error where such a package is missing.

pyproject.toml lists them as extras. Import such a package inside the function that uses it, after `require`.
"""

from __future__ import annotations

from importlib.util import find_spec

from sunbreak.errors import MissingExtra

# the names under which the package index has them
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "ukis_csmask": "ukis-csmask", "yaml": "PyYAML"}
# what whole commands need, and the extra that brings it
_OF_COMMANDS = {"torch": "torch", "safetensors": "torch", "sklearn": "torch", "scipy": "evaluation"}


def is_installed(package: str) -> bool:
    """Whether a top-level package can be imported. It is not imported."""
    return find_spec(package) is not None


def require(package: str, extra: str, purpose: str) -> None:
    """Check that a package is installed; it is not imported.

    Args:
        package: The name under which it is imported, such as ``sklearn``.
        extra: The extra of Sunbreak that brings it, such as ``evaluation``.
        purpose: What needs it, as the subject of a sentence in the singular, such as ``Comparing images``.

    Raises:
        InputError: ``missing-extra``: the package is not installed. It is a `MissingExtra`, which names the extra.
    """
    if not is_installed(package):
        raise MissingExtra(purpose, _DISTRIBUTIONS.get(package, package), extra)


def lacking(error: ImportError) -> MissingExtra | None:
    """The error for a command that failed to import a package of an extra; None for any other package."""
    package = (error.name or "").partition(".")[0]
    if package not in _OF_COMMANDS or is_installed(package):
        return None
    return MissingExtra("This command", _DISTRIBUTIONS.get(package, package), _OF_COMMANDS[package])
