"""What became of the data between two runs."""

from __future__ import annotations

import pandas as pd
import pytest

from driftgate.benchmarks.changes import Changes, changes


def side(*rows: tuple[int, str, str, str | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Frames of samples: number in the ledger, what it asks, its id (a place begins with ``:``), its right answer."""
    ids = [row[0] for row in rows]
    frame = pd.DataFrame({"sample_id": ids, "key": [row[1] for row in rows], "upstream_id": [row[2] for row in rows]})
    own = ["" if row[2].startswith(":") else row[2] for row in rows]
    return frame, pd.DataFrame({"sample_id": ids, "gold": [row[3] for row in rows], "own_id": own})


@pytest.mark.parametrize(
    ("before", "after", "reworded", "corrected"),
    [
        ([(1, "k1", "a", "A")], [(1, "k1", "a", "A")], (), ()),
        ([(1, "k1", "a", "A")], [(2, "k1", "a", "A")], (), ()),  # another column changed
        ([(1, "k1", "a", "A")], [(2, "k1", "a", "B")], (), ("a",)),
        ([(1, "k1", "a", "A")], [(2, "k1", "b", "B")], (), ("b",)),
        ([(1, "k1", "a", "A")], [(2, "k2", "a", "B")], ("a",), ()),
        ([(1, "k1", ":0", "A")], [(2, "k2", ":0", "A")], (), ()),  # a place is no id: another row stands there now
        ([(1, "k1", "a", "A"), (2, "k2", "b", "A")], [(3, "k1", "b", "A"), (4, "k2", "a", "A")], (), ()),  # ids swapped
        ([(1, "k1", "a", None)], [(2, "k1", "a", None)], (), ()),
        ([(1, "k1", "a", "A"), (2, "k2", "b", "A")], [(1, "k1", "a", "A")], (), ()),  # taken out
    ],
)
def test_what_changed_is_told(before, after, reworded, corrected) -> None:
    theirs, their_keys = side(*before)
    ours, our_keys = side(*after)
    assert changes(ours, our_keys, theirs, their_keys) == Changes(reworded, corrected)


def test_many_ids_are_counted_and_a_few_named() -> None:
    (said,) = Changes(tuple(f"q{n}" for n in range(1234))).words
    assert said.endswith("not paired: 1,234 (q0, q1, q2, q3, q4 and 1,229 more)")
    assert Changes().words == ()
