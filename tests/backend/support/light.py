"""Runs Sunbreak as in an environment with the base packages only: those of the extras are hidden.

`run` starts the command line in a process of its own, in which the packages look as if they were not installed: they
cannot be imported, are not found, and have no metadata.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import DistributionFinder, PathDistribution

EXTRAS = (
    "torch", "scipy", "sklearn", "lightgbm", "s2cloudless", "safetensors", "pyarrow", "pyproj", "h5py", "matplotlib",
    "ukis_csmask", "distributed", "dask", "psutil", "pystac_client", "yaml", "requests", "jinja2", "tensorboard",
)  # fmt: skip
_INDEX_NAMES = {"sklearn": "scikit-learn", "yaml": "pyyaml"}


def hide(packages: Iterable[str]) -> None:
    """Hide packages from this process. Those that are imported already stay."""
    hidden = frozenset(packages)
    names = {_INDEX_NAMES.get(package, package).replace("_", "-") for package in hidden}

    class Finder(PathFinder):
        @classmethod
        def find_spec(cls, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
            if fullname.partition(".")[0] in hidden:
                return None
            return PathFinder.find_spec(fullname, path, target)

        @classmethod
        def find_distributions(cls, context: DistributionFinder.Context | None = None) -> Iterable[PathDistribution]:
            for one in PathFinder.find_distributions(context or DistributionFinder.Context()):
                if re.sub(r"[-_.]+", "-", one.name or "").lower() not in names:
                    yield one

    sys.meta_path[sys.meta_path.index(PathFinder)] = Finder


def run(*arguments: object, without: Iterable[str] = EXTRAS) -> subprocess.CompletedProcess[str]:
    """Run ``sunbreak ARGUMENTS`` without some packages. Standard output and standard error are text."""
    command = [sys.executable, __file__, ",".join(without), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    hide(filter(None, sys.argv.pop(1).split(",")))
    sys.path.pop(0)  # the folder of this file
    from sunbreak.cli import main

    main()
