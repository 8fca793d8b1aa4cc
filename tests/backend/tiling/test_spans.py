"""The shortest range that holds everything wanted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sunbreak.tiling.spans import span_of


@given(st.lists(st.booleans(), max_size=40))
def test_the_span_holds_all_that_is_wanted_and_ends_at_it(wanted):
    span = span_of(np.array(wanted, bool))
    places = [place for place, one in enumerate(wanted) if one]
    assert span == (slice(places[0], places[-1] + 1) if places else None)
