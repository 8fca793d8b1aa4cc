"""Without the packages of the extra, only what needs them is refused."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
for name in ("requests", "urllib3", "pystac_client", "planetary_computer", "yaml"):
    sys.modules[name] = None
import sunbreak
import sunbreak.sources
from sunbreak.errors import InputError
from sunbreak.sources.remote import Access, RemoteClient, RemoteRaster
try:
    RemoteClient(Access(frozenset({"example.org"})))
except InputError as error:
    print(error.code, error)
"""


def test_the_extra_is_named_where_it_is_missing() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("no-catalogue ") and "pip install 'sunbreak[catalogue]'" in done.stdout
    assert done.stdout.count("\n") == 1


def test_the_package_itself_loads_none_of_it() -> None:
    text = "import sys, sunbreak, sunbreak.sources; print(sorted({'requests', 'urllib3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
