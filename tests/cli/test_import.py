"""Recorded answers through ``driftgate runs import``: joined to questions, counted once, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from command_line import Cli, Make

from driftgate.ledger import cells_of, find_run, latest_runs, open_ledger, outcome_frame


def write_csv(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def answers(count: int, *, wrong: Sequence[int] = ()) -> list[str]:
    """A row for each of the questions that ``make`` writes, ``id,gold,said,reply``."""
    rows = []
    for n in range(count):
        gold = "ABCD"[n % 4]
        said = "ABCD"[(n + 1) % 4] if n in wrong else gold
        rows.append(f"q{n},{gold},{said},{said}입니다")
    return rows


MAP = "id=id,gold=gold,prediction=said,response=reply"
HEADER = "id,gold,said,reply"


def frames(folder: Path) -> dict[str, list[tuple[str, str, object]]]:
    """Key, outcome and correctness of every sample, by model, over all runs."""
    ledger = open_ledger(".driftgate/ledger.db", folder)
    try:
        return {
            cell.model: [(row.key, row.outcome, row.correct) for row in outcome_frame(ledger, cell.id).itertuples()]
            for run in latest_runs(ledger)
            for cell in cells_of(ledger, run.id)
        }
    finally:
        ledger.close()


def test_imported_answers_stand_beside_those_of_a_run(make: Make, cli: Cli) -> None:
    folder = make(12)
    assert cli("bench", "small", "-w", folder).code == 0
    rows = answers(12, wrong=[1, 5])
    rows[2], rows[3], rows[4] = "q2,C,FILTERED,x", "q3,D,FAILED,x", "q4,A,,나는 모른다"
    file = write_csv(folder / "old-model.csv", HEADER, rows[:11])
    done = cli("runs", "import", file, "--map", MAP, "--dataset", "own", "-w", folder)
    assert done.code == 0, done.err
    found = frames(folder)
    assert [key for key, _, _ in found["old-model"]] == [key for key, _, _ in found["tested"]]
    outcomes = [outcome for _, outcome, _ in found["old-model"]]
    assert outcomes[2:5] == ["filtered", "failed", "unparsed"]
    assert outcomes[11] == "missing"
    assert [correct for _, outcome, correct in found["old-model"] if outcome == "answered"] == [1, 0, 0, 1, 1, 1, 1, 1]


def test_the_same_file_is_one_run(make: Make, cli: Cli) -> None:
    folder = make(12)
    file = write_csv(folder / "m.csv", HEADER, answers(12))
    for _ in range(2):
        done = cli("runs", "import", file, "--map", MAP, "--dataset", "own", "-w", folder)
        assert done.code == 0, done.err
    assert "was imported before" in done.out
    ledger = open_ledger(".driftgate/ledger.db", folder)
    assert [run.status for run in latest_runs(ledger)] == ["complete"]
    assert find_run(ledger, "own-m").suite == "recorded"
    ledger.close()


def test_json_lines_and_replies_without_a_prediction(make: Make, cli: Cli) -> None:
    folder = make(4)
    said = ["정답: A", "B", "알 수 없습니다", "정답은 A입니다"]
    lines = [json.dumps({"id": f"q{n}", "key": n + 1, "reply": said[n]}, ensure_ascii=False) for n in range(4)]
    (folder / "m.jsonl").write_text("\n".join(lines), encoding="utf-8")
    mapping = "id=id,gold=key,response=reply"
    done = cli(
        "runs", "import", folder / "m.jsonl", "--map", mapping, "--dataset", "own", "--model", "phi", "-w", folder
    )
    assert done.code == 0, done.err
    found = [(outcome, correct) for _, outcome, correct in frames(folder)["phi"]]
    assert found[:2] == [("answered", 1), ("answered", 1)]
    assert found[2][0] == "unparsed"
    assert found[3] == ("answered", 0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row.replace("q", "r", 1) for row in answers(12)], "row 1 has the id 'r0'.* as 12 of its 12 rows"),
        ([f"q{n},{'ABCD'[(n + 1) % 4]},A,A" for n in range(12)], "12 of 12 rows .* are not the dataset's"),
        (["q0,A,F,F"], "row 1 predicts 'F', which is none of A, B, C, D, as 1 of its 1 predictions"),
        (["q0,,A,A"], "has no right answer"),
        ([], "has no rows"),
    ],
)
def test_what_would_give_a_wrong_number_is_refused(make: Make, cli: Cli, rows: list[str], said: str) -> None:
    folder = make(12)
    file = write_csv(folder / "m.csv", HEADER, rows)
    done = cli("runs", "import", file, "--map", MAP, "--dataset", "own", "-w", folder)
    assert done.code == 2
    assert re.search(said, done.err), done.err
    assert frames(folder) == {}


def test_a_row_that_is_odd_in_itself_refuses_no_file(make: Make, cli: Cli) -> None:
    folder = make(12)
    rows = answers(12)
    rows[5], rows[11] = "q5,B,F,F", "q99,A,A,A"
    file = write_csv(folder / "m.csv", HEADER, [*rows, "q3,D,A,A"])
    for time in range(2):
        done = cli("runs", "import", file, "--map", MAP, "--dataset", "own", "-w", folder)
        assert done.code == 0, done.err
        assert (
            "12 of 12 samples, 1 predict none of the choices (unparsed), 1 rows repeated, the first counts" in done.out
        )
        assert "1 score only, unpaired" in done.out
        assert "row 12 has the id 'q99', which the dataset does not have" in done.out
        assert ("was imported before" in done.out) == bool(time)
        (found,) = frames(folder).values()
        assert [outcome for _, outcome, _ in found].count("answered") == 11
        assert [correct for _, _, correct in found].count(1.0) == 11  # the repetition of q3 was wrong
        assert [key for key, outcome, _ in found if outcome == "unparsed"] == [found[5][0]]


def test_rows_without_ids_are_joined_by_their_order(make: Make, cli: Cli) -> None:
    folder = make(40)
    rows = answers(40)
    kept = [row.split(",", 1)[1] for row in [*rows[:10], *rows[20:]]]  # the second batch of ten was lost
    unclear = kept[10:]  # the first two were lost, and the last two have the same right answers
    mapping = "gold=gold,prediction=said,response=reply"
    for lines, said in ((kept[:-1], "it has 29 rows"), (unclear, "in more than one way")):
        file = write_csv(folder / "m.csv", "gold,said,reply", lines)
        done = cli("runs", "import", file, "--map", mapping, "--dataset", "own", "-w", folder)
        assert done.code == 2
        assert said in done.err
    file = write_csv(folder / "m.csv", "gold,said,reply", kept)
    done = cli("runs", "import", file, "--map", mapping, "--dataset", "own", "-w", folder)
    assert done.code == 0, done.err
    outcomes = [outcome for _, outcome, _ in frames(folder)["m"]]
    assert [place for place, outcome in enumerate(outcomes) if outcome == "missing"] == list(range(10, 20))


def test_answers_that_are_text_or_numbers_are_compared_as_such(make: Make, cli: Cli) -> None:
    def numbers(config: dict[str, object]) -> None:
        config["datasets"]["sums"] = {"kind": "csv", "path": "data/sums.csv"}  # type: ignore[index]

    folder = make(1, numbers)
    write_csv(folder / "data/sums.csv", "id,question,answer", ["a,하나 더하기 하나?,2", "b,수도?,서울", "c,백?,100.0"])
    rows = ["a,2,2.0,x", "b,서울,서울입니다,x", 'c,100.0,"1,000",x']
    file = write_csv(folder / "m.csv", HEADER, rows)
    done = cli("runs", "import", file, "--map", MAP, "--dataset", "sums", "-w", folder)
    assert done.code == 0, done.err
    assert [correct for _, _, correct in frames(folder)["m"]] == [1.0, 1.0, 0.0]
