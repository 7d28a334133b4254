"""Details of runs that have ended are packed into pages, each text once, and are read as before, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from detailed_runs import entry, everything, killed, make_run
from hypothesis import given
from hypothesis import strategies as st
from ledger_fixtures import KILLED_ON
from sqlalchemy import text

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.flows.engines import NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import (
    Ledger,
    archive_details,
    cells_of,
    check_ledger,
    expire_texts,
    outcome_frame,
    pack_details,
    record,
    set_status,
)
from driftgate.ledger._details import detail_rows
from driftgate.ledger._pages import columns_of, decode, encode, numbers_in, texts_in
from driftgate.ledger._schema import node_outputs


def rows(ledger: Ledger, table: str) -> int:
    with ledger.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def questions(count: int) -> list[Sample]:
    """Questions so long that each is kept once."""
    return [
        make_sample(
            "own", "test", n, {"question": f"{n}. 다음 가운데 옳은 것은 어느 것인가? " * 3, "answer": "가"}, id=f"q{n}"
        )
        for n in range(count)
    ]


def test_everything_is_read_as_before(ledger: Ledger, samples: Callable[..., list[Sample]]) -> None:
    run = make_run(ledger, samples(6))
    before = everything(ledger, run)
    done = pack_details(ledger)
    assert done.cells == 2 and done.rows == 2 * (2 + 5 * 3 + 3 + 1 + 5 * 3 + 3 + 5 + 1)
    assert [rows(ledger, table) for table in ("node_outputs", "evaluations", "evaluated_lines")] == [0, 0, 0]
    assert everything(ledger, run) == before
    assert check_ledger(ledger).faults == ()
    assert pack_details(ledger).cells == 0 and everything(ledger, run) == before


def test_a_name_may_be_as_long_as_a_text(ledger: Ledger) -> None:
    asked = questions(2)
    run = make_run(ledger, asked)
    cell = cells_of(ledger, run)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    long = NodeResult("검색한 문서를 다시 차례로 세우는 마디 " * 3, "completed", "a", 0.1)
    record(ledger, [replace(entry(cell, ids[1], 1, asked[1], round=1), nodes=[long])])
    before = everything(ledger, run)
    pack_details(ledger)
    assert everything(ledger, run) == before
    assert all(row.status for row in detail_rows(ledger, node_outputs, cell, ["status"]))


def test_a_night_that_says_the_same_keeps_no_text_anew(ledger: Ledger) -> None:
    asked = questions(5)
    runs = [make_run(ledger, asked)]
    pack_details(ledger)
    held = rows(ledger, "texts")
    assert held == 5
    runs += [make_run(ledger, asked), make_run(ledger, asked)]
    before = [everything(ledger, run) for run in runs]
    pack_details(ledger)
    assert rows(ledger, "texts") == held
    assert [everything(ledger, run) for run in runs] == before


def test_a_text_stays_as_long_as_a_run_says_it(ledger: Ledger) -> None:
    runs = [make_run(ledger, questions(4)), make_run(ledger, questions(6)[2:])]
    pack_details(ledger)
    other = everything(ledger, runs[1])
    expire_texts(ledger, run=runs[0])
    assert everything(ledger, runs[1]) == other and rows(ledger, "texts") == 4
    expire_texts(ledger, run=runs[1])
    assert rows(ledger, "texts") == 0
    assert check_ledger(ledger).faults == ()


def test_a_packed_run_goes_on_and_what_is_there_is_not_there_twice(ledger: Ledger) -> None:
    asked = questions(4)
    run = make_run(ledger, asked)
    pack_details(ledger)
    cell = cells_of(ledger, run)[0].id
    ids = [int(one) for one in outcome_frame(ledger, cell)["sample_id"]]
    before = everything(ledger, run)
    record(ledger, [entry(cell, ids[2], 2, asked[2])])
    assert everything(ledger, run) == before
    set_status(ledger, run, "running")
    record(ledger, [entry(cell, ids[1], 3, asked[1], round=1)])
    assert pack_details(ledger).cells == 0  # it is being asked
    both = everything(ledger, run)
    assert both["hash"] != before["hash"]
    set_status(ledger, run, "complete")
    assert pack_details(ledger).cells == 1
    assert everything(ledger, run) == both


def test_what_is_packed_moves_to_the_archive(ledger: Ledger) -> None:
    runs = [make_run(ledger, questions(4)), make_run(ledger, questions(4))]
    before = [everything(ledger, run) for run in runs]
    pack_details(ledger)
    done = archive_details(ledger, run=runs[0])
    assert done.cells == 2
    assert [everything(ledger, run) for run in runs] == before
    assert rows(ledger, "texts") == 4
    archive_details(ledger)
    assert [everything(ledger, run) for run in runs] == before
    assert rows(ledger, "pages") == rows(ledger, "texts") == 0
    assert check_ledger(ledger).faults == ()


@KILLED_ON
@pytest.mark.parametrize(
    "at", ["INSERT INTO texts", "INSERT INTO pages", "DELETE FROM node_outputs", "before the commit"]
)
def test_kill_9_leaves_rows_or_pages(ledger: Ledger, location: str, tmp_path: Path, at: str) -> None:
    run = make_run(ledger, questions(4))
    before = everything(ledger, run)
    assert killed(location, tmp_path, "pack", at) == -9
    assert everything(ledger, run) == before
    pack_details(ledger)
    assert everything(ledger, run) == before
    assert rows(ledger, "node_outputs") == 0 and check_ledger(ledger).faults == ()


def test_a_page_that_is_damaged_or_names_a_text_that_is_not_there_is_found(ledger: Ledger) -> None:
    run = make_run(ledger, questions(4))
    pack_details(ledger)
    with ledger.write() as connection:
        connection.execute(text("DELETE FROM texts WHERE id = (SELECT min(id) FROM texts)"))
    (cell, _) = cells_of(ledger, run)
    assert any("texts that are not there" in fault.found for fault in check_ledger(ledger).faults)
    with pytest.raises(DriftgateError, match="a page of cell"):
        everything(ledger, run)
    with ledger.write() as connection:
        connection.execute(text("UPDATE pages SET data = substr(data, 1, 9) WHERE cell_id = :cell"), {"cell": cell.id})
    assert any("a page of cell" in fault.found for fault in check_ledger(ledger).faults)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\x01", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 10**6), st.integers(0, 3), st.sampled_from(["ask", "렌더", "\x01"])),
        st.tuples(JSON, st.floats(0, 1e6), st.text("a\x01가", max_size=50)),
        min_size=1,
        max_size=12,
    )
)
def test_a_page_is_read_as_it_was_written(held: dict[Any, Any]) -> None:
    written = [(*key, "completed", output, seconds, error) for key, (output, seconds, error) in sorted(held.items())]
    numbers = {said: n for n, said in enumerate(sorted(set(texts_in(written))), 7)}
    page = encode(node_outputs, written, numbers)
    assert numbers_in(page) == set(numbers.values())
    read = decode(node_outputs, page, {n: said for said, n in numbers.items()})
    # 1 and 1.0 are one number; their types are compared through JSON's own writing.
    assert list(map(repr, map(tuple, read))) == list(map(repr, written))
    assert read[0]._fields == tuple(columns_of(node_outputs))
