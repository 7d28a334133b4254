"""Texts that somebody asked to have removed go from every table, and what was measured stands, on both databases."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from detailed_runs import PERSON, everything, killed, make_run, open_questions, places_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledger_fixtures import KILLED_ON, make_samples
from sqlalchemy import text

from driftgate.benchmarks.conventions import find_convention, rescore
from driftgate.benchmarks.datasets import Sample
from driftgate.flows.errors import DriftgateError
from driftgate.flows.needles import FORGOTTEN, Needles
from driftgate.ledger import (
    Ledger,
    add_verdict,
    archive_details,
    cells_of,
    check_ledger,
    find_sample,
    find_text,
    forget,
    forgotten_before,
    node_results,
    open_ledger,
    outcome_frame,
    pack_details,
    run_hash,
    sample_data,
    samples_frame,
    set_status,
    verdicts_of,
)


def stored(ledger: Ledger) -> str:
    """Every value of every table as text, what is compressed as well."""

    def plain(value: Any) -> str:
        return zlib.decompress(value).decode() if isinstance(value, bytes) and value[:1] == b"x" else str(value)

    with ledger.read() as connection:
        names = connection.dialect.get_table_names(connection)
        rows = [row for name in names for row in connection.execute(text(f"SELECT * FROM {name}"))]
    return "\n".join(" ".join(map(plain, row)) for row in rows)


def measured(ledger: Ledger, run: str) -> list[Any]:
    """What stands of a run without its texts."""
    found: list[Any] = [run_hash(ledger, run), [(row.gate, row.verdict) for row in verdicts_of(ledger, run)]]
    for cell in cells_of(ledger, run):
        frame = outcome_frame(ledger, cell.id).drop(columns=["answer", "error", "upstream_id"])
        found.append(frame.to_dict("records").__repr__())
    return found


@pytest.fixture(params=["rows", "packed", "archived"])
def keep(request: pytest.FixtureRequest) -> Callable[[Ledger], None]:
    """Where the details are."""

    def move(ledger: Ledger) -> None:
        if request.param == "packed":
            pack_details(ledger)
        elif request.param == "archived":
            archive_details(ledger)

    return move


def ids_of(ledger: Ledger, run: str) -> dict[str, int]:
    frame = outcome_frame(ledger, cells_of(ledger, run)[0].id)
    return dict(zip(frame["upstream_id"], map(int, frame["sample_id"]), strict=True))


def test_a_text_is_nowhere_any_more_and_what_was_measured_stands(
    ledger: Ledger, keep: Callable[[Ledger], None], tmp_path: Path
) -> None:
    runs = [make_run(ledger, open_questions(6)), make_run(ledger, open_questions(4))]
    add_verdict(ledger, runs[0], "other", "fail", {"why": [f"{PERSON}의 답이 달라졌다"], "n": 1})
    keep(ledger)
    before = [measured(ledger, run) for run in runs]
    assert PERSON in stored(ledger)
    sought = find_text(ledger, unicodedata.normalize("NFD", PERSON))
    planned = forget(ledger, sought, "the lead", dry=True)
    assert PERSON in stored(ledger) and forgotten_before(ledger) == []
    done = forget(ledger, sought, "the lead")
    assert (done.samples, done.lines, done.runs) == (6, 2 * (6 + 4), 2)
    assert done.rows == {"verdicts": 1} and done.named == {}
    assert {name: value for name, value in vars(planned).items() if name != "space"} == {
        name: value for name, value in vars(done).items() if name != "space"
    }
    assert PERSON not in stored(ledger)
    folders = [ledger.archive] if ledger.engine.dialect.name == "postgresql" else [tmp_path]
    assert places_of(PERSON, *folders) == []
    assert [measured(ledger, run) for run in runs] == before
    assert check_ledger(ledger).faults == ()
    (kept,) = forgotten_before(ledger)
    assert (kept.who, kept.what, kept.subject) == ("the lead", "matching", "") and kept.done >= kept.at
    with ledger.read() as connection:
        tombs = connection.execute(text("SELECT hash FROM forgotten_lines")).scalars().all()
    assert len(tombs) == done.lines and all(len(one) == 64 for one in tombs)


def test_one_sample_goes_and_the_others_are_as_they_were(ledger: Ledger, keep: Callable[[Ledger], None]) -> None:
    runs = [make_run(ledger, open_questions(5)), make_run(ledger, open_questions(5))]
    keep(ledger)
    ids = ids_of(ledger, runs[0])
    others = [one for name, one in ids.items() if name != "q2"]
    before = [[samples_frame(ledger, cell.id, others) for cell in cells_of(ledger, run)] for run in runs]
    stands = [measured(ledger, run) for run in runs]
    done = forget(ledger, find_sample(ledger, "q2"), "me")
    assert (done.samples, done.lines, done.runs) == (1, 4, 2)
    after = [[samples_frame(ledger, cell.id, others) for cell in cells_of(ledger, run)] for run in runs]
    assert repr(after) == repr(before) and [measured(ledger, run) for run in runs] == stands
    for run in runs:
        for cell in cells_of(ledger, run):
            (gone,) = samples_frame(ledger, cell.id, [ids["q2"]])
            assert PERSON not in repr(gone)
            assert gone["answer"] == gone["data"]["question"] == FORGOTTEN and gone["forgotten"].startswith("20")
            assert gone["outcome"] == "answered" and gone["nodes"] == []
            with pytest.raises(DriftgateError, match=r"1 samples of run .* were forgotten on 20"):
                node_results(ledger, cell.id)
    assert check_ledger(ledger).faults == ()
    again = forget(ledger, find_sample(ledger, "q2"), "me")
    assert (again.samples, again.lines, again.runs) == (0, 0, 0)


def test_a_change_after_it_is_noticed(ledger: Ledger, keep: Callable[[Ledger], None]) -> None:
    run = make_run(ledger, open_questions(4))
    keep(ledger)
    before = run_hash(ledger, run)
    forget(ledger, find_sample(ledger, "q1"), "me")
    forget(ledger, find_sample(ledger, "q2"), "me")
    assert run_hash(ledger, run) == before
    with ledger.write() as connection:
        connection.execute(text("UPDATE outcomes SET correct = 1.0 WHERE correct = 0.0"))
    assert run_hash(ledger, run) != before


def test_what_is_asked_again_has_its_text_in_the_new_run_alone(ledger: Ledger) -> None:
    asked = open_questions(3)
    first = make_run(ledger, asked)
    pack_details(ledger)
    forget(ledger, find_text(ledger, PERSON), "me")
    second = make_run(ledger, asked)
    pack_details(ledger)
    ids = list(ids_of(ledger, second).values())
    assert [sample_data(ledger, ids)[one]["question"] for one in ids] == [f"{PERSON} {n}?" for n in range(3)]
    assert node_results(ledger, cells_of(ledger, second)[0].id)
    assert [one["nodes"] for one in samples_frame(ledger, cells_of(ledger, first)[0].id, ids)] == [[]] * 3
    assert check_ledger(ledger).faults == ()


@pytest.mark.parametrize("convention", ["asked", "macro", "lm-eval"])
def test_a_reply_that_is_forgotten_is_unmeasured_and_never_a_better_score(
    ledger: Ledger, samples: Callable[..., list[Sample]], convention: str
) -> None:
    run = make_run(ledger, samples(8))
    (cell, _) = cells_of(ledger, run)
    before = rescore(ledger, cell, find_convention(convention))
    for name in ("q1", "q2", "q3"):  # of which some are right and some wrong
        forget(ledger, find_sample(ledger, name), "me")
    after = rescore(ledger, cell, find_convention(convention))
    assert before.get() is not None and after.get() is not None
    assert after.get().value <= before.get().value and after.get().n == before.get().n  # type: ignore[union-attr,operator]
    assert after.outcomes()["missing"] == 3
    low, high = after.bounds() or (0, 0)
    was_low, was_high = before.bounds() or (0, 0)
    assert low <= was_low and high >= was_high
    assert any("forgotten on 20" in note and note.endswith(": 3") for note in after.notes)
    assert run_hash(ledger, run) == verdicts_of(ledger, run)[0].details["runs"][run]


@settings(max_examples=8)
@given(gone=st.sets(st.integers(0, 5), min_size=1))
def test_no_choice_of_samples_to_forget_improves_a_score(tmp_path_factory: Any, gone: set[int]) -> None:
    ledger = open_ledger("ledger.db", tmp_path_factory.mktemp("forget"))
    run = make_run(ledger, make_samples(6))
    (cell, _) = cells_of(ledger, run)
    named = [find_convention(name) for name in ("asked", "macro", "lm-eval", "published-ko")]
    before = [rescore(ledger, cell, one).get() for one in named]
    for n in gone:
        forget(ledger, find_sample(ledger, f"q{n}"), "me")
    for one, was in zip(named, before, strict=True):
        if len(gone) == 6 and one.reading != "run":  # there is nothing to read
            with pytest.raises(DriftgateError, match=r"every reply of .* was forgotten on 20"):
                rescore(ledger, cell, one)
            continue
        now = rescore(ledger, cell, one).get()
        assert now is not None and was is not None
        assert (now.value or 0) <= (was.value or 0) and now.n >= was.n
    ledger.close()


@KILLED_ON
@pytest.mark.parametrize(
    "at",
    [
        "INSERT INTO forgettings",
        "INSERT INTO forgotten_lines",
        "INSERT INTO forgotten_runs",
        "DELETE FROM replies",
        "UPDATE samples",
        "before the commit",
        "VACUUM",
        "UPDATE forgettings",
    ],
)
def test_kill_9_leaves_nothing_that_says_it_is_done_before_it_is(
    ledger: Ledger, location: str, tmp_path: Path, at: str
) -> None:
    runs = [make_run(ledger, open_questions(3)), make_run(ledger, open_questions(5))]
    pack_details(ledger)
    stands = [measured(ledger, run) for run in runs]
    code = killed(location, tmp_path, f"forget {PERSON}", at)
    assert code == -9 or (at == "DELETE FROM replies" and code == 0)  # there are none
    assert [measured(ledger, run) for run in runs] == stands and check_ledger(ledger).faults == ()
    if any(one.done for one in forgotten_before(ledger)):
        assert PERSON not in stored(ledger)
    forget(ledger, find_text(ledger, PERSON), "me")
    assert PERSON not in stored(ledger)
    assert places_of(PERSON, *([ledger.archive] if "://" in location else [tmp_path])) == []
    assert forgotten_before(ledger)[0].done is not None
    assert [measured(ledger, run) for run in runs] == stands and check_ledger(ledger).faults == ()


def test_what_cannot_be_meant_is_refused(ledger: Ledger) -> None:
    run = make_run(ledger, open_questions(2))
    for name in ("", " x "):
        with pytest.raises(DriftgateError, match="fewer than 2 characters"):
            find_text(ledger, name)
    with pytest.raises(DriftgateError, match="no sample 'q9'"):
        find_sample(ledger, "q9")
    make_run(ledger, make_samples(2))
    with pytest.raises(DriftgateError, match="2 samples have the id 'q1'"):
        find_sample(ledger, "q1")
    set_status(ledger, run, "running")
    with pytest.raises(DriftgateError, match=f"run {run}, which has it, is called running"):
        forget(ledger, find_text(ledger, PERSON), "me")
    assert everything(ledger, run)["one"]["nodes"]


@given(st.text(min_size=2, max_size=8), st.text(max_size=5), st.text(max_size=5))
@example("0\uf900", "", "")
def test_a_text_is_found_as_every_file_writes_it(said: str, before: str, after: str) -> None:
    import html
    import json
    from urllib.parse import quote

    sought = Needles((said,))
    whole = before + " " + said + " " + after
    for form in ("NFC", "NFD"):
        seen = unicodedata.normalize(form, whole)
        assert sought.in_text(seen) or unicodedata.normalize("NFC", whole) != whole
    for written in (whole, json.dumps(whole), json.dumps(whole, ensure_ascii=False), html.escape(whole), quote(whole)):
        assert sought.in_written(written)
