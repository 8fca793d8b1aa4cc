from __future__ import annotations

import subprocess
import sys

import pytest

from sunbreak import defaults
from sunbreak.clouds import CloudSettings
from sunbreak.errors import InputError


def test_a_threshold_outside_zero_and_one_is_refused():
    with pytest.raises(InputError, match="threshold"):
        CloudSettings(threshold=1.2)


def test_the_defaults_are_those_of_the_paper_on_blocks_of_30_m():
    assert CloudSettings() == CloudSettings(0.4, 4, 2, 3)
    assert (defaults.BUFFER, defaults.FEATHER) == (4, 4)


def test_settings_and_command_line_options_load_neither_numpy_nor_torch():
    code = (
        "import sys, sunbreak.clouds, sunbreak.cli.options; print({'numpy', 'torch', 's2cloudless'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
