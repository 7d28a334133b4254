"""Which question a recorded row answers: blocks that were lost, and what cannot be told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgate.benchmarks.recorded import align_by_position
from driftgate.flows.errors import DriftgateError


@given(st.data())
def test_rows_with_lost_blocks_are_found_again_or_refused(data: st.DataObject) -> None:
    golds = data.draw(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=60))
    lost = data.draw(st.sets(st.integers(0, (len(golds) - 1) // 10)))
    kept = [place for place in range(len(golds)) if place // 10 not in lost]
    try:
        found = align_by_position([golds[place] for place in kept], golds, "m.csv")
    except DriftgateError as problem:
        assert "in more than one way" in str(problem)
    else:
        assert found == kept


@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=60), st.data())
def test_a_row_too_many_or_too_few_is_refused(golds: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(golds) - 1))
    with pytest.raises(DriftgateError, match="cannot be aligned"):
        align_by_position([*golds, golds[place]], golds, "m.csv")
    if len(golds) % 10 != 1:  # otherwise the last row is a block of its own
        with pytest.raises(DriftgateError, match="cannot be aligned"):
            align_by_position(golds[:place] + golds[place + 1 :], golds, "m.csv")
