"""What another ledger recorded of a run, added to the run's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftgate.benchmarks.datasets import Sample, make_sample
from driftgate.flows.engines import NodeResult
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import Evaluation
from driftgate.ledger import (
    Ledger,
    LineAt,
    Record,
    TakenCell,
    TakenLine,
    add_cell,
    add_left_out,
    add_taken,
    cells_of,
    finish_run,
    left_out_of,
    open_ledger,
    outcome_frame,
    pack_details,
    pending_samples,
    record,
    samples_frame,
    start_run,
    take_cells,
    take_lines,
)

RUN = "20261128-080000-demo-0001"
ROW = {"model": "m", "flow": "f", "variant": "", "dataset": "d", "signature": "s", "details": {}}


@pytest.fixture
def own(location: str, tmp_path: Path) -> Iterator[Ledger]:
    """The ledger that the run belongs to, on each database; it has had another run before."""
    ledger = open_ledger(location, tmp_path)
    before = start_run(ledger, "demo", {}, "h", 0, "1")
    add_cell(ledger, before.id, 0, ROW, questions(2))
    _begin(ledger, questions(4))
    yield ledger
    ledger.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Ledger]:
    """The ledger of a machine elsewhere, which numbers samples otherwise."""
    ledger = open_ledger("elsewhere.db", tmp_path)
    _begin(ledger, questions(4)[::-1])
    yield ledger
    ledger.close()


def questions(count: int) -> list[Sample]:
    return [make_sample("d", "test", place, {"question": f"{place}?"}) for place in range(count)]


KEYS = [sample.key for sample in questions(4)]


def _begin(ledger: Ledger, samples: list[Sample]) -> None:
    start_run(ledger, "demo", {}, "h", 0, "1", id=RUN)
    add_cell(ledger, RUN, 0, ROW, samples)


def cell_of(ledger: Ledger) -> int:
    (cell,) = cells_of(ledger, RUN)
    return cell.id


def answer(ledger: Ledger, *keys: str, said: str = "가") -> None:
    ids = {key: number for key, (number, _) in pending_samples(ledger, cell_of(ledger)).items()}
    made = [
        Record(
            cell_id=cell_of(ledger),
            sample_id=ids[key],
            round=0,
            outcome="answered",
            answer=said,
            correct=1.0,
            rule="",
            error="",
            finish_reason="stop",
            input_tokens=3,
            output_tokens=1,
            cost=0.5,
            latency=0.1,
            seconds=0.2,
            served_model="m",
            fingerprint="",
            attempts=1,
            cached=False,
            finished_at=datetime(2026, 11, 28, 8, tzinfo=UTC),
            nodes=(NodeResult("ask", "completed", {"text": said, "n": [1.5, None]}, 0.25, ""),),
            evaluations=(Evaluation("ask", "exact", "correct", 1.0),),
            asked={"m"},
        )
        for key in keys
    ]
    record(ledger, made)


def told(ledger: Ledger, but: Collection[LineAt] = ()) -> tuple[list[TakenCell], list[TakenLine]]:
    """What is taken out of a ledger, by way of JSON."""
    lines = json.loads(json.dumps([asdict(line) for line in take_lines(ledger, RUN, but)]))
    cells = json.loads(json.dumps([asdict(cell) for cell in take_cells(ledger, RUN)]))
    return [TakenCell(**one) for one in cells], [TakenLine(LineAt(**one["at"]), one["rows"]) for one in lines]


def state(ledger: Ledger) -> str:
    frame = outcome_frame(ledger, cell_of(ledger))
    kept = samples_frame(ledger, cell_of(ledger), [int(one) for one in frame["sample_id"]])
    rows = frame.drop(columns=["sample_id"]).to_dict("records")
    return str([rows, [(one["nodes"], one["evaluations"]) for one in kept]])


def test_what_comes_from_elsewhere_stands_as_if_it_had_been_recorded_here(
    own: Ledger, elsewhere: Ledger, tmp_path: Path
) -> None:
    answer(elsewhere, *KEYS[:3])
    add_taken(own, RUN, *told(elsewhere))
    direct = open_ledger("direct.db", tmp_path)
    _begin(direct, questions(4))
    answer(direct, *KEYS[:3])
    assert state(own) == state(direct)
    direct.close()
    assert list(pending_samples(own, cell_of(own))) == KEYS[3:]


def test_what_is_there_stays_also_where_it_is_packed(own: Ledger, elsewhere: Ledger) -> None:
    answer(own, KEYS[0], said="first")
    answer(elsewhere, *KEYS[:2], said="second")
    for _ in range(2):
        add_taken(own, RUN, *told(elsewhere))
    assert list(outcome_frame(own, cell_of(own))["answer"])[:2] == ["first", "second"]
    before = state(own)
    finish_run(own, RUN)
    assert pack_details(own).rows > 0
    add_taken(own, RUN, *told(elsewhere))
    assert state(own) == before


def test_lines_that_are_known_are_not_taken_again(elsewhere: Ledger) -> None:
    answer(elsewhere, KEYS[0])
    known = {line.at for line in take_lines(elsewhere, RUN)}
    assert known == {LineAt(0, KEYS[0], 0)}
    answer(elsewhere, KEYS[1])
    assert [line.at.key for line in take_lines(elsewhere, RUN, known)] == [KEYS[1]]


def test_replies_of_a_model_that_was_asked_otherwise_are_refused(own: Ledger, elsewhere: Ledger) -> None:
    answer(own, KEYS[0])
    add_left_out(elsewhere, cell_of(elsewhere), "m", {"temperature": "no"})
    answer(elsewhere, KEYS[1])
    with pytest.raises(DriftgateError, match="asked with 'temperature' and without it"):
        add_taken(own, RUN, *told(elsewhere))
    assert len(pending_samples(own, cell_of(own))) == 3


def test_what_a_model_was_asked_without_comes_along(own: Ledger, elsewhere: Ledger) -> None:
    add_left_out(elsewhere, cell_of(elsewhere), "m", {"temperature": "no"})
    answer(elsewhere, KEYS[0])
    for _ in range(2):
        add_taken(own, RUN, *told(elsewhere))
    (cell,) = cells_of(own, RUN)
    assert left_out_of(own, cell.id) == {"m": {"temperature"}} and "without:temperature" in cell.signature


@pytest.mark.parametrize("what", ["key", "cell", "column", "table", "outcome"])
def test_what_is_not_of_the_run_is_refused_and_changes_nothing(own: Ledger, elsewhere: Ledger, what: str) -> None:
    answer(elsewhere, *KEYS[:2])
    cells, (first, second) = told(elsewhere)
    row = dict(second.rows["outcomes"][0])
    strange = {
        "key": replace(second, at=replace(second.at, key="other")),
        "cell": replace(second, at=replace(second.at, cell=7)),
        "column": replace(second, rows={**second.rows, "outcomes": [{**row, "cell_id": 1}]}),
        "table": replace(second, rows={**second.rows, "runs": []}),
        "outcome": replace(second, rows={}),
    }[what]
    with pytest.raises(DriftgateError, match="recorded elsewhere"):
        add_taken(own, RUN, cells, [first, strange])
    assert len(pending_samples(own, cell_of(own))) == 4
