"""One progress bar for several steps."""

from __future__ import annotations

from sunbreak.events import Reporter
from sunbreak.jobs.relay import OneBar


class Seen(Reporter):
    """Keeps the percentages."""

    def __init__(self) -> None:
        super().__init__()
        self.percent: list[float] = []

    def progress(self, done, total, unit="tiles"):
        assert (total, unit) == (100, "percent")
        self.percent.append(done)


def test_a_step_that_counts_twice_has_its_share_of_the_bar_split_as_it_says():
    seen = Seen()
    bar = OneBar(seen, 40)
    bar.begin(30, 1)
    bar.progress(5, 10)
    bar.progress(10, 10)
    bar.begin(10, 2, 0.8)
    bar.progress(1, 2, "gradients")
    bar.progress(2, 2, "gradients")
    bar.progress(1, 2, "tiles")
    bar.progress(2, 2, "tiles")
    assert seen.percent == [37.5, 75, 85, 95, 97.5, 100]


def test_the_first_count_of_a_step_is_a_tenth_if_it_does_not_say():
    seen = Seen()
    bar = OneBar(seen, 10)
    bar.begin(10, 2)
    bar.progress(1, 1, "blocks")
    bar.progress(1, 2, "tiles")
    assert seen.percent == [10, 55]
