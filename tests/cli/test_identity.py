"""What a person does to a file of questions between two nights, and what the gate then compares."""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import re
import sqlite3
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_endpoint import Answer, ChatEndpoint
from command_line import Cli, Make

FORMATS = Path(__file__).parents[1] / "ledger/formats"
N = 60
Row = dict[str, Any]
Rows = list[Row]


def rows_of(count: int = N) -> Rows:
    return [
        {
            "question": f"문제 {n}번은?",
            "A": f"가{n}",
            "B": f"나{n}",
            "C": f"다{n}",
            "D": f"라{n}",
            "answer": "ABCD"[n % 4],
        }
        for n in range(count)
    ]


def write(folder: Path, rows: Rows, path: str = "data/own.csv", form: str = "NFC") -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (folder / path).write_text(unicodedata.normalize(form, out.getvalue()), encoding="utf-8")


def configure(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "driftgate.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    edit(config)
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def dataset(folder: Path, **settings: Any) -> None:
    columns = {"choices": ["A", "B", "C", "D"], **settings.pop("columns", {})}
    config = {"kind": "csv", "path": "data/own.csv", "columns": columns, **settings}
    configure(folder, lambda whole: whole["datasets"].update(own=config))


@pytest.fixture
def night(cli: Cli, make: Make, endpoint: ChatEndpoint) -> Path:
    """A workspace after one night, whose gate wants the next one to be no worse."""
    folder = make(
        N,
        lambda config: config["gates"]["small"].update(
            rules=[{"metric": "accuracy", "no_worse_than": "previous", "margin": 0.1}]
        ),
    )
    endpoint.default = lambda prompt: Answer("ABCD"[int(re.findall(r"(\d+)번", prompt)[-1]) % 4])
    write(folder, rows_of())
    assert cli("bench", "-w", folder).code == 0
    return folder


def judged(cli: Cli, folder: Path) -> tuple[str, str]:
    """Run another night and judge it: the verdict and its reason."""
    done = cli("bench", "-w", folder)
    assert done.code in (0, 3), done.out + done.err
    cli("gate", "-w", folder, "--json", folder / "gate.json")
    (rule,) = json.loads((folder / "gate.json").read_text(encoding="utf-8"))[0]["rules"]
    return rule["verdict"], rule["reason"]


def taken_out(rows: Rows) -> Rows:
    return rows[:3] + rows[4:]


def moved(rows: Rows) -> Rows:
    return [rows[-1], *rows[:-1]]


def turned_round(rows: Rows) -> Rows:
    return rows[::-1]


def put_in(rows: Rows) -> Rows:
    return [{**rows[0], "question": "새 문제 4번은?"}, *rows]


def constant_column(rows: Rows) -> Rows:
    return [{**row, "source": "2026"} for row in rows]


def row_number(rows: Rows) -> Rows:
    return [{"no": n, **row} for n, row in enumerate(rows)]


def id_of_row(rows: Rows) -> Rows:
    return [{"id": n, **row} for n, row in enumerate(rows)]


def category_given(rows: Rows) -> Rows:
    return [{**row, "category": f"분야 {n % 2}"} for n, row in enumerate(rows)]


def blanks_around(rows: Rows) -> Rows:
    return [{**row, "question": f" {row['question']}\r\n"} for row in rows]


def answer_as_number(rows: Rows) -> Rows:
    return [{**row, "answer": "①②③④"["ABCD".index(row["answer"])]} for row in rows]


@pytest.mark.parametrize(
    "edit",
    [
        *(taken_out, moved, turned_round, put_in, constant_column, row_number, id_of_row, category_given),
        *(blanks_around, answer_as_number),
        lambda rows: row_number(taken_out(rows)),
        lambda rows: id_of_row(taken_out(rows)),
    ],
)
def test_an_edit_that_asks_the_same_keeps_the_pairs(cli: Cli, night: Path, edit: Callable[[Rows], Rows]) -> None:
    rows = edit(rows_of())
    write(night, rows)
    verdict, reason = judged(cli, night)
    assert verdict == "pass", reason
    assert "unpaired" not in reason
    assert "another right answer" not in reason
    shared = re.search(r"(\d+) of (\d+) samples are shared", reason)
    assert shared is None or int(shared[1]) >= N - 1


@pytest.mark.parametrize("change", ["renamed", "decomposed", "cp949", "json lines", "parquet", "mapped"])
def test_a_file_that_is_saved_otherwise_keeps_the_pairs(cli: Cli, night: Path, change: str) -> None:
    rows = rows_of()
    listed = [
        {"question": row["question"], "choices": [row[c] for c in "ABCD"], "answer": row["answer"]} for row in rows
    ]
    if change == "renamed":
        write(night, rows, "data/questions-v2.csv")
        dataset(night, path="data/questions-v2.csv")
    elif change == "decomposed":
        write(night, rows, form="NFD")
    elif change == "cp949":
        dataset(night, encoding="cp949")
        (night / "data/own.csv").write_bytes((night / "data/own.csv").read_bytes().decode().encode("cp949"))
    elif change == "json lines":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in listed)
        (night / "data/own.jsonl").write_text(text, encoding="utf-8")
        configure(night, lambda config: config["datasets"].update(own={"kind": "jsonl", "path": "data/own.jsonl"}))
    elif change == "parquet":
        table = importlib.import_module("pyarrow").Table.from_pylist(listed)
        importlib.import_module("pyarrow.parquet").write_table(table, night / "data/own.parquet")
        configure(night, lambda config: config["datasets"].update(own={"kind": "parquet", "path": "data/own.parquet"}))
    else:
        write(night, [{"물음": row["question"], **{k: v for k, v in row.items() if k != "question"}} for row in rows])
        dataset(night, columns={"question": "물음"})
    verdict, reason = judged(cli, night)
    assert verdict == "pass", reason
    assert "shared" not in reason and "unpaired" not in reason


def test_a_question_that_was_reworded_is_not_paired_and_is_named(cli: Cli, night: Path) -> None:
    rows = [{"id": f"q{n}", **row} for n, row in enumerate(rows_of())]
    write(night, rows)
    assert cli("bench", "-w", night).code == 0
    rows[7]["question"] = "다시 쓴 문제 7번은?"
    rows[9]["A"] = "다른 보기"
    write(night, rows)
    _, reason = judged(cli, night)
    assert f"{N - 2} of {N} samples are shared" in reason
    assert "asking something else under the same id, so not paired: 2 (q7, q9)" in reason


def test_a_right_answer_that_was_corrected_keeps_its_pair_and_is_told(cli: Cli, night: Path) -> None:
    rows = [{"id": f"q{n}", **row} for n, row in enumerate(rows_of())]
    write(night, rows)
    assert cli("bench", "-w", night).code == 0
    rows[5]["answer"] = "A"
    write(night, rows)
    _, reason = judged(cli, night)
    assert "samples are shared" not in reason  # all of them are
    assert "shared with another right answer, which may be what they differ by: 1 (q5)" in reason


def test_two_runs_beside_each_other_say_what_changed(cli: Cli, night: Path, tmp_path: Path) -> None:
    rows = [{"id": f"q{n}", **row} for n, row in enumerate(rows_of())]
    rows[7]["question"] = "다시 쓴 문제 7번은?"
    write(night, rows)
    assert cli("bench", "-w", night).code == 0
    rows[7]["question"] = "또 다시 쓴 문제 7번은?"
    rows[5]["answer"] = "A"
    write(night, rows[1:])
    assert cli("bench", "-w", night).code == 0
    runs = re.findall(r"\d{8}-\d{6}-small-\w{4}", cli("runs", "list", "-w", night).out)
    done = cli("compare", runs[1], runs[0], "-w", night, "--csv", tmp_path / "csv")
    assert done.code == 0, done.err
    tables = "".join(path.read_text(encoding="utf-8-sig") for path in (tmp_path / "csv").iterdir())
    assert f"paired on the {N - 2} shared samples (of {N - 1} and {N})" in tables
    assert "asking something else under the same id, so not paired: 1 (q7)" in tables
    assert "shared with another right answer, which may be what they differ by: 1 (q5)" in tables


def test_a_subset_outlives_a_column_and_a_deleted_row(cli: Cli, night: Path) -> None:
    from driftgate.benchmarks.datasets import SubsetItem, SubsetPlan, load_dataset, parse_config, write_subset

    whole = {"kind": "csv", "path": "data/own.csv", "columns": {"choices": ["A", "B", "C", "D"]}}
    keys = [sample.key for sample in load_dataset("own", parse_config(whole), night).samples]
    items = [SubsetItem(key=key) for key in keys[20:40]]
    plan = SubsetPlan(of="own", n=N, method="random", standard_error=0.02, random_error=0.03, items=items)
    write_subset(plan, night / "data/small.jsonl")
    write(night, constant_column(taken_out(rows_of())))
    config = parse_config({"kind": "subset", "of": whole, "path": "data/small.jsonl"})
    part = load_dataset("part", config, night)
    assert [sample.data["question"] for sample in part.samples] == [row["question"] for row in rows_of()[20:40]]


@pytest.mark.parametrize("number", [lambda n: {}, lambda n: {"no": n}, lambda n: {"id": f"q{n}"}])
def test_questions_asked_twice_are_all_found_at_once(cli: Cli, night: Path, number: Callable[[int], Row]) -> None:
    rows = rows_of(10)
    rows += [rows[2], {**rows[4], "answer": "B"}, {**rows[7], "question": f" {rows[7]['question']}"}]
    write(night, [{**number(n), **row} for n, row in enumerate(rows)])
    done = cli("bench", "-w", night)
    assert done.code == 2
    said = " ".join(done.err.split())
    assert "3 rows repeat others" in said
    assert "row 11 (line 12) asks the same as row 3 (line 4);" in said
    assert "row 12 (line 13) asks the same as row 5 (line 6), with another answer;" in said
    assert "row 13 (line 14) asks the same as row 8 (line 9)" in said


def test_ids_that_stand_twice_are_all_found_at_once(cli: Cli, night: Path) -> None:
    write(night, [{"id": ["a", "b", "a", "c", "b", ""][n % 6], **row} for n, row in enumerate(rows_of(6))])
    done = cli("bench", "-w", night)
    assert done.code == 2
    said = " ".join(done.err.split())
    assert "2 rows repeat others" in said
    assert "row 3 (line 4) has the id 'a' of row 1 (line 2)" in said
    assert "row 5 (line 6) has the id 'b' of row 2 (line 3)" in said


def test_a_further_column_that_is_asked_tells_rows_apart(cli: Cli, night: Path) -> None:
    rows = [{"question": "요약하시오. 1번", "text": f"글 {n}", "answer": f"요약 {n}"} for n in range(4)]
    write(night, rows)
    configure(night, lambda whole: whole["suites"]["small"].update(inputs={"choices": []}))
    dataset(night, columns={"choices": None})
    refused = cli("doctor", "-w", night)
    assert refused.code == 2
    assert "columns.asked" in refused.out
    dataset(night, columns={"choices": None, "asked": ["text"]})
    assert cli("doctor", "-w", night).code == 0


def test_a_ledger_of_format_1_is_the_night_before(cli: Cli, make: Make, endpoint: ChatEndpoint, tmp_path: Path) -> None:
    """See ``tests/ledger/test_formats.py``: nine questions, with a row number, of which two are asked twice."""
    folder = make(
        1,
        lambda config: config["gates"]["small"].update(
            rules=[{"metric": "accuracy", "no_worse_than": "previous", "margin": 0.5}]
        ),
    )
    (folder / ".driftgate").mkdir()
    with sqlite3.connect(folder / ".driftgate/ledger.db") as connection:
        connection.executescript(gzip.decompress((FORMATS / "1.sql.gz").read_bytes()).decode())
    endpoint.default = lambda prompt: Answer("ABCD"[int(re.findall(r"(\d+)번", prompt)[-1]) % 4])
    write(folder, rows_of(9))
    _, reason = judged(cli, folder)
    assert "7 of 9 samples are shared" in reason  # the old file had 0 and 2 to 7
    assert "compared with tested of run 20261126-144834-small-5b4a" in reason
    assert cli("report", "20261126-144821-small-c334", "-w", folder).code == 0
