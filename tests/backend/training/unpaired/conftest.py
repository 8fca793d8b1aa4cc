"""The small networks of these tests compute with one thread, as the unpaired study does.

They have hundreds of tiny parallel parts. With more threads than free cores, the threads of OpenMP wait for each other
at the end of each part, and a test of 3 s takes minutes on a busy machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sunbreak.training.numerics import threads


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threads(1):
        yield
