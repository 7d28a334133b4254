"""The published runs' own layout, on small files of our own invention."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import Cli
from recorded_files import outcomes, write

from driftgate.ledger import open_ledger

GOLDS = random.Random(1).choices("ABCD", k=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with sixty questions of KMMLU's layout over two subjects, and a few of CLIcK's."""
    for subject, golds in {"Law": GOLDS[:25], "Math": GOLDS[25:]}.items():
        rows = [[f"{subject} {n}?", str("ABCD".index(gold) + 1), *"가나다라"] for n, gold in enumerate(golds)]
        write(tmp_path / f"kmmlu/data/{subject}-test.csv", ["question", "answer", *"ABCD"], rows)
    for category, ids in {"Functional": ["f1", "same", "twin"], "Grammar": ["g1", "same", "twin"]}.items():
        rows = [
            {"id": id_, "paragraph": "", "question": f"{category} {id_}?", "choices": [*"가나다라"], "answer": answer}
            for id_, answer in zip(ids, "가나다" if category == "Functional" else "가라다", strict=True)
        ]
        path = tmp_path / f"click/Dataset/Language/{category}/{category}_Kedu.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    datasets = {name: {"kind": name, "path": name} for name in ("kmmlu", "click")}
    (tmp_path / "driftgate.yaml").write_text(json.dumps({"version": 1, "datasets": datasets}), encoding="utf-8")
    return tmp_path


def kmmlu_rows(places: Sequence[int], *, said: str = "") -> list[list[str]]:
    categories = ["Law"] * 25 + ["Math"] * 35
    return [[categories[n], GOLDS[n], said or GOLDS[n], said or GOLDS[n]] for n in places]


KMMLU = ["category", "answer", "pred", "response"]


def test_a_lost_batch_that_spans_two_categories_is_recognised(folder: Path, cli: Cli) -> None:
    kept = [n for n in range(60) if not 20 <= n < 30]
    file = write(folder / "in/[KMMLU] some-model-5shot.csv", KMMLU, kmmlu_rows(kept))
    done = cli("runs", "import", file.parent, "-w", folder)
    assert done.code == 0, done.err
    assert "50 of 60 samples, 10 missing" in done.out
    assert "shots:5" in done.out
    found = outcomes(folder, "recorded-kmmlu-some-model-5shot")
    missing = [place for place, (outcome, _) in found.items() if outcome == "missing"]
    assert missing == [f"Law/{n}" for n in range(20, 25)] + [f"Math/{n}" for n in range(5)]
    assert {correct for outcome, correct in found.values() if outcome == "answered"} == {1.0}


def test_rows_of_several_categories_in_turns_are_put_in_order(folder: Path, cli: Cli) -> None:
    turns = sorted(range(60), key=lambda n: (n if n < 25 else n - 25, n))
    file = write(folder / "[KMMLU] threaded.csv", KMMLU, kmmlu_rows(turns))
    done = cli("runs", "import", file, "-w", folder)
    assert done.code == 0, done.err
    assert set(outcomes(folder, "threaded").values()) == {("answered", 1.0)}


@pytest.mark.parametrize(
    ("places", "said", "unpaired", "missing"),
    [
        ([*range(59)], "it has 59 rows, and they are not the questions with whole blocks of 10 missing", 34, 1),
        ([*range(60), 59], "it has 61 rows", 36, 0),
        ([1, 0, *range(2, 60)], "is not the question's, first in row 1", 25, 0),
    ],
)
def test_a_category_that_cannot_be_aligned_is_scored_and_paired_with_nothing(
    folder: Path, cli: Cli, places: list[int], said: str, unpaired: int, missing: int
) -> None:
    assert GOLDS[0] != GOLDS[1]
    whole = write(folder / "[KMMLU] whole.csv", KMMLU, kmmlu_rows(range(60)))
    file = write(folder / "[KMMLU] broken.csv", KMMLU, kmmlu_rows(places))
    assert cli("runs", "import", whole, "-w", folder).code == 0
    done = cli("runs", "import", file, "-w", folder)
    assert done.code == 0, done.err
    assert f"{unpaired} score only, unpaired" in done.out
    assert "cannot be aligned with its 60 questions" in done.out
    assert said in done.out
    assert f"unpaired:{unpaired}" in done.out  # in the signature
    found = outcomes(folder, "kmmlu-broken")
    assert len(found) == max(60, len(places))  # what was never answered is still asked for
    assert [outcome for outcome, _ in found.values()].count("missing") == missing
    assert sum(correct == 1.0 for _, correct in found.values()) == len(places)
    assert len(found.keys() & outcomes(folder, "kmmlu-whole").keys()) == len(places) - unpaired


def test_one_refused_file_of_a_folder_does_not_stop_the_others(folder: Path, cli: Cli) -> None:
    write(folder / "in/[KMMLU] good.csv", KMMLU, kmmlu_rows(range(60)))
    write(folder / "in/[KMMLU] broken.csv", [*KMMLU[:3], "reply"], kmmlu_rows(range(59)))
    done = cli("runs", "import", folder / "in" / "[KMMLU] good.csv", folder / "in" / "[KMMLU] broken.csv", "-w", folder)
    assert done.code == 2
    assert "[KMMLU] broken.csv has no column 'response'" in done.err + done.out


def test_what_a_folder_holds_and_no_preset_knows_is_named(folder: Path, cli: Cli) -> None:
    write(folder / "in/[KMMLU] good.csv", KMMLU, kmmlu_rows(range(60)))
    write(folder / "in/more/[KMMLU] other.csv", KMMLU, kmmlu_rows(range(60)))
    write(folder / "in/[KMMLU-PLUS] new.csv", KMMLU, kmmlu_rows(range(60)))
    (folder / "in/notes.txt").write_text("no run\n", encoding="utf-8")
    done = cli("runs", "import", folder / "in", "-w", folder)
    assert done.code == 0, done.err
    assert "not imported [KMMLU-PLUS] new.csv: its layout is not known, see --map" in done.out
    assert "not imported more: folder, name it to import what it holds" in done.out
    assert "notes.txt" not in done.out
    (folder / "in/[KMMLU] good.csv").unlink()
    nothing = cli("runs", "import", folder / "in", "-w", folder)
    assert nothing.code == 2
    assert "[KMMLU-PLUS] new.csv" in nothing.err


def test_an_id_of_two_categories_is_told_apart_by_answer_and_neighbours(folder: Path, cli: Cli) -> None:
    header = ["id", "trial", "answer", "pred", "response"]
    # Grammar first; ``same`` differs in its right answer, ``twin`` only in where it stands.
    rows = [["g1", "A"], ["twin", "C"], ["same", "D"], ["f1", "A"], ["twin", "C"], ["same", "B"]]
    said = ["A", "C", "D", "A", "D", "FAILED"]
    table = [[id_, "0", gold, answer, answer] for (id_, gold), answer in zip(rows, said, strict=True)]
    done = cli("runs", "import", write(folder / "[CLIcK] m.csv", header, table), "-w", folder)
    assert done.code == 0, done.err
    assert outcomes(folder, "click-m")["Grammar_Kedu/1"] == ("answered", 1.0)
    assert outcomes(folder, "click-m")["Functional_Kedu/1"][0] == "failed"
    assert outcomes(folder, "click-m")["Grammar_Kedu/2"] == ("answered", 1.0)
    assert outcomes(folder, "click-m")["Functional_Kedu/2"] == ("answered", 0.0)
    table[1][1] = "1"
    done = cli("runs", "import", write(folder / "[CLIcK] n.csv", header, table), "-w", folder)
    assert "several trials" in done.err


def haerae_rows(count: int) -> list[list[str]]:
    golds = random.Random(2).choices("ABCDE", k=1538)
    names = ["General Knowledge", "Loan Words"]
    return [[names[n // 769], golds[n], "FILTERED" if n == 3 else golds[n], "x"] for n in range(count)]


def test_without_questions_the_right_answers_are_the_samples(folder: Path, cli: Cli) -> None:
    write(folder / "in/[HAERAE] part.csv", KMMLU, [*haerae_rows(1538)[:100], *haerae_rows(1538)[110:]])
    alone = cli("runs", "import", folder / "in", "-w", folder)
    assert alone.code == 2
    assert "has 1,528 of 1,538 rows" in alone.err
    write(folder / "in/[HAERAE] whole.csv", KMMLU, haerae_rows(1538))
    done = cli("runs", "import", folder / "in", "-w", folder)
    assert done.code == 0, done.err
    assert "1,528 of 1,538 samples, 10 missing, without questions" in done.out
    assert done.out.count("questions:none") == 2
    whole, part = outcomes(folder, "haerae-whole"), outcomes(folder, "haerae-part")
    assert list(whole) == list(part)  # they can be paired
    assert whole["General Knowledge/3"] == ("filtered", pytest.approx(float("nan"), nan_ok=True))
    assert part["General Knowledge/100"][0] == "missing"
    assert part["Loan Words/768"] == ("answered", 1.0)
    report = cli("report", "haerae-whole", "-w", folder)
    assert report.code == 0, report.err
    page = next((folder / "reports").glob("recorded-haerae-whole*/*.html")).read_text(encoding="utf-8")
    assert "1 of 1,538 samples were never answered (1 filtered)" in page


def test_a_benchmark_whose_questions_are_needed_and_absent_is_refused(folder: Path, cli: Cli) -> None:
    (folder / "driftgate.yaml").write_text("version: 1\n", encoding="utf-8")
    file = write(folder / "[KMMLU] m.csv", KMMLU, kmmlu_rows(range(60)))
    done = cli("runs", "import", file, "-w", folder)
    assert done.code == 2
    assert "the workspace does not have" in done.err
    assert "kmmlu: {kind: kmmlu}" in done.err


def test_an_import_that_was_cut_short_goes_on(folder: Path, cli: Cli) -> None:
    from sqlalchemy import text

    file = write(folder / "[KMMLU] m.csv", KMMLU, kmmlu_rows(range(60)))
    assert cli("runs", "import", file, "-w", folder).code == 0
    ledger = open_ledger(".driftgate/ledger.db", folder)
    with ledger.write() as connection:  # as a kill would leave it: some rows written, the run not finished
        connection.execute(text("DELETE FROM node_outputs WHERE sample_id > 20"))
        connection.execute(text("DELETE FROM outcomes WHERE sample_id > 20"))
        connection.execute(text("UPDATE runs SET status = 'running'"))
    ledger.close()
    assert cli("runs", "import", file, "-w", folder).code == 0
    assert set(outcomes(folder, "kmmlu-m").values()) == {("answered", 1.0)}
