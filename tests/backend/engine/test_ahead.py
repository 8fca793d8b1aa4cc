"""What is made in a thread arrives, also if it fails."""

from __future__ import annotations

import threading

import pytest

from sunbreak.engine.ahead import Ahead


def test_other_work_goes_on_until_the_value_is_needed():
    go_on = threading.Event()

    def make() -> int:
        assert go_on.wait(10)
        return 7

    coming = Ahead(make)
    go_on.set()  # would never be reached if `make` ran at once
    assert coming.get() == 7
    assert coming.get() == 7


def test_a_failure_is_raised_where_the_value_is_needed():
    coming = Ahead(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        coming.get()
