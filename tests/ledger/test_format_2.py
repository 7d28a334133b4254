"""A ledger of the last version before format 3 opens, and everything that is read of it says what it said there.

``formats/2.sql`` is the dump of a ledger that ``driftgate bench`` wrote twice at commit 40e051a (the ledger of 2dad095
is the same): eight questions of a CSV file, one of them filtered, one cut off, one not read, and one that failed the
first time; then ``driftgate gate``. Its tables are not those of the other version that called its format 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from old_ledgers import bring

import driftgate
from driftgate.api.facade import Workspace
from driftgate.ledger import ScoreRow, check_ledger, run_hash, scores_of, verdicts_of
from driftgate.ledger._schema import metadata

DUMP = Path(__file__).parent / "formats/2.sql"
FIRST, SECOND = "20261126-173456-small-04ca", "20261126-173502-small-bd6d"
WORKSPACE = """\
version: 1
ledger: {ledger}
models:
  one: {{provider: openai, endpoint: "http://127.0.0.1:9/v1", model: one}}
datasets:
  own: {{kind: csv, path: own.csv, columns: {{choices: [A, B, C, D]}}}}
suites:
  small: {{models: [one], datasets: [own], variants: [terse], flow: multiple_choice}}
gates:
  small:
    suite: small
    rules:
      - {{metric: accuracy, min: 0.05}}
      - {{metric: accuracy, no_worse_than: previous, margin: 0.9}}
"""


@pytest.fixture
def ws(location: str, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose ledger is the old one, on each database."""
    where = bring(DUMP.read_text(encoding="utf-8"), location, tmp_path)
    (tmp_path / "driftgate.yaml").write_text(WORKSPACE.format(ledger=where), encoding="utf-8")
    with driftgate.open(tmp_path) as opened:
        yield opened


def rounded(row: ScoreRow) -> tuple[Any, ...]:
    """Without the last digits of limits, which another library computed."""
    return tuple(round(value, 12) if isinstance(value, float) else value for value in astuple(row))


def test_it_gets_the_tables_of_a_new_one(ws: Workspace) -> None:
    with ws.ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_scores_are_what_they_were(ws: Workspace) -> None:
    assert [run.id for run in ws.runs(kind="benchmark")] == [SECOND, FIRST]
    for run in ws.runs():
        for now in run.scored:
            then = scores_of(ws.ledger, now.cell.id, now.cell.signature)
            assert len(then) >= 25
            # What nobody computed then, such as the cost of a model without prices, is not among them.
            known = {(row.metric, row.slice_kind, row.slice): rounded(row) for row in now.rows}
            assert [known[row.metric, row.slice_kind, row.slice] for row in then] == [rounded(row) for row in then]
    accuracy = ws.run("latest").scores("accuracy").iloc[0]
    assert (accuracy["value"], accuracy["n"]) == (0.625, 8)
    assert (accuracy["low"], accuracy["high"]) == pytest.approx((0.305742, 0.863156), abs=1e-6)


def test_the_verdict_holds_and_is_given_again(ws: Workspace) -> None:
    (kept,) = verdicts_of(ws.ledger, SECOND)
    assert {run: run_hash(ws.ledger, run) for run in (FIRST, SECOND)} == kept.details["runs"]
    assert check_ledger(ws.ledger).faults == ()
    (again,) = ws.gate("latest")
    assert again.verdict == kept.verdict == "pass"
    before, after = kept.details["rules"], again.rules
    assert [rule.value for rule in after] == [rule["value"] for rule in before] == [0.625, 0.375]
    assert [after[0].low, after[0].high] == pytest.approx([before[0]["low"], before[0]["high"]])
    assert [rule.baseline for rule in after] == [rule["baseline"] for rule in before] == ["", FIRST]


def test_it_is_compared_reported_and_browsed(ws: Workspace) -> None:
    (compared,) = ws.compare([SECOND, FIRST]).datasets
    (pair,) = compared.pairs
    assert pair.shared == 8
    page = ws.run(SECOND).report().html.read_text(encoding="utf-8")
    assert "문제 5번은?" in page and "0.625" in page
    failed = ws.run(FIRST).samples(failed=True)
    assert dict(zip(failed["question"], failed["outcome"], strict=True)) == {
        "문제 4번은?": "truncated",
        "문제 5번은?": "filtered",
        "문제 6번은?": "failed",
        "문제 7번은?": "unparsed",
    }
    ((_, sample),) = ws.run(FIRST).sample(failed["key"].iloc[3])
    assert sample["nodes"][1]["output"]["text"] == "모르겠습니다."
