"""Recorded files of benchmarks whose own data is not ours to ship, on small stand-ins in their published layouts."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from command_line import Cli
from recorded_files import outcomes, write

SHARED = Path(__file__).parents[3] / "shared" / "data"
HAERAE = {
    "General Knowledge": "KGK",
    "History": "HI",
    "Loan Words": "LW",
    "Rare Words": "RW",
    "Reading Comprehension": "RC",
    "Standard Nomenclature": "SN",
}


def workspace(folder: Path, **kinds: str) -> Path:
    """A workspace with datasets of these kinds in folders of these names."""
    datasets = {kind: {"kind": kind, "path": path} for kind, path in kinds.items()}
    (folder / "driftgate.yaml").write_text(json.dumps({"version": 1, "datasets": datasets}), encoding="utf-8")
    return folder


def haerae_questions(folder: Path, golds: dict[str, list[str]], four: set[str]) -> None:
    """HAE-RAE Bench in its published layout; categories in `four` have four choices and a blank fifth column."""
    for category, answers in golds.items():
        rows = [
            [f"{category} {n}?", *"가나다라", "" if category in four else "마", gold] for n, gold in enumerate(answers)
        ]
        code = HAERAE[category]
        write(folder / f"haerae/data/HAERAE-Bench-v1-{code}.csv", ["question", *"abcde", "answer"], rows)


def test_an_answer_beyond_the_choices_is_no_answer_and_refuses_no_file(tmp_path: Path, cli: Cli) -> None:
    golds = {category: random.Random(category).choices("ABCD", k=20) for category in HAERAE}
    haerae_questions(tmp_path, golds, four={"History"})
    folder = workspace(tmp_path, haerae="haerae")
    rows = [[category, gold, gold, gold] for category, answers in golds.items() for gold in answers]
    for place in (20, 23, 27, 3):  # three of History, which has no E, and one of General Knowledge, which has
        rows[place][2:] = ["E", "E"]
    file = write(folder / "[HAERAE] m.csv", ["category", "answer", "pred", "response"], rows)
    for time in range(2):
        done = cli("runs", "import", file, "-w", folder)
        assert done.code == 0, done.err
        assert "120 of 120 samples, 3 predict none of the choices (unparsed)" in done.out
        assert ("was imported before" in done.out) == bool(time)
    found = outcomes(folder, "haerae-m")
    assert [place for place, (outcome, _) in found.items() if outcome == "unparsed"] == ["HI/0", "HI/3", "HI/7"]
    assert found["KGK/3"] == ("answered", 0.0)
    scored = cli("runs", "rescore", "haerae-m", "--as", "published-ko", "--json", folder / "s.json", "-w", folder)
    assert scored.code == 0, scored.err
    overall = json.loads((folder / "s.json").read_text(encoding="utf-8"))[0]["overall"]
    assert overall["accuracy"] == pytest.approx(116 / 120)  # counted, and wrong


@pytest.mark.skipif(not (SHARED / "recorded").is_dir(), reason="needs the recorded files in ../shared/data")
def test_the_published_haerae_files_import_beside_questions_of_four_choices(tmp_path: Path, cli: Cli) -> None:
    source = SHARED / "recorded" / "[HAERAE] phi-3-5-moe-instruct.csv"
    with source.open(encoding="utf-8-sig", newline="") as file:
        recorded = list(csv.DictReader(file))
    golds: dict[str, list[str]] = {}
    for row in recorded:
        golds.setdefault(row["category"], []).append(row["answer"])
    four = {category for category, answers in golds.items() if "E" not in answers}
    haerae_questions(tmp_path, golds, four)
    folder = workspace(tmp_path, haerae="haerae")
    done = cli("runs", "import", *sorted((SHARED / "recorded").glob("*HAERAE*.csv")), "-w", folder)
    assert done.code == 0, done.err + done.out
    assert done.out.count("of 1,538 samples") == 5
    assert "refused" not in done.out and "unpaired" not in done.out
    beyond = sum(row["pred"] == "E" for row in recorded if row["category"] in four)
    assert beyond > 0
    found = outcomes(folder, "haerae-phi-3-5-moe-instruct")
    assert [outcome for outcome, _ in found.values()].count("unparsed") == beyond
    scored = cli("runs", "rescore", "haerae-phi", "--as", "published-ko", "--json", folder / "s.json", "-w", folder)
    assert scored.code == 0, scored.err
    overall = json.loads((folder / "s.json").read_text(encoding="utf-8"))[0]["overall"]
    assert 100 * overall["accuracy"] == pytest.approx(61.83, abs=0.01)


def test_kormedmcqa_is_joined_by_its_numbered_ids_whatever_the_order(tmp_path: Path, cli: Cli) -> None:
    golds = {profession: random.Random(profession).choices("ABCDE", k=12) for profession in ("doctor", "nurse")}
    header = ["subject", "year", "question", *"ABCDE", "answer"]
    for profession, answers in golds.items():
        rows = [
            ["s", "2022", f"{profession} {n}?", *"가나다라마", str("ABCDE".index(g) + 1)] for n, g in enumerate(answers)
        ]
        write(tmp_path / f"kormedmcqa/{profession}/test-0.csv", header, rows)
    folder = workspace(tmp_path, kormedmcqa="kormedmcqa")
    rows = [[f"{p}_{n}", p, "0", gold, gold, gold] for p, answers in golds.items() for n, gold in enumerate(answers)]
    random.Random(0).shuffle(rows)
    again = [*rows[0][:4], "FAILED", "RATE_LIMIT"]
    columns = ["id", "category", "trial", "answer", "pred", "response"]
    done = cli("runs", "import", write(folder / "[KorMedMCQA] m.csv", columns, [*rows[:20], again]), "-w", folder)
    assert done.code == 0, done.err
    assert "20 of 24 samples, 4 missing, 1 rows repeated, the first counts" in done.out
    found = outcomes(folder, "kormedmcqa-m")
    missing = {f"{row[1]}/{row[0].split('_')[1]}" for row in rows[20:]}
    assert {place for place, (outcome, _) in found.items() if outcome == "missing"} == missing
    assert [correct for outcome, correct in found.values() if outcome == "answered"] == [1.0] * 20


def test_kobalt_is_joined_by_its_order_within_the_class(tmp_path: Path, cli: Cli) -> None:
    golds = random.Random(5).choices("ABCDEFGHIJ", k=24)
    choices = "\n".join(f"{letter}: 보기 {letter}" for letter in "ABCDEFGHIJ")
    classes = ["Syntax"] * 14 + ["Semantics"] * 10
    rows = [
        {"ID": f"k{n}", "Class": c, "Subclass": "s", "Question": f"문제 {n}?\n\n{choices}", "Answer": g, "Level": 1}
        for n, (c, g) in enumerate(zip(classes, golds, strict=True))
    ]
    (tmp_path / "kobalt/data").mkdir(parents=True)
    (tmp_path / "kobalt/data/train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    folder = workspace(tmp_path, kobalt="kobalt")
    table = [[c, "s", "1", g, g, g] for c, g in zip(classes, golds, strict=True)]
    turned = [*table[14:], *table[:14]]  # the workers end in any order
    columns = ["category", "subcategory", "level", "answer", "pred", "response"]
    done = cli("runs", "import", write(folder / "[KoBALT] m.csv", columns, turned), "-w", folder)
    assert done.code == 0, done.err
    assert "24 of 24 samples" in done.out and "unpaired" not in done.out
    assert set(outcomes(folder, "kobalt-m").values()) == {("answered", 1.0)}


def test_hrm8k_is_joined_by_subset_and_index_and_judged_by_value(tmp_path: Path, cli: Cli) -> None:
    answers = {"gsm8k_test": "18", "math_do_test": "-3", "omni-math_do_test": "70,000.0", "mmmlu_test": "2"}
    subsets = {"gsm8k_test": "GSM8K", "math_do_test": "MATH", "omni-math_do_test": "OMNI_MATH", "mmmlu_test": "MMMLU"}
    for file, answer in {**answers, "ksm_test": "7"}.items():
        rows = [[f"{file} {n}의 값은?", f"{file} {n}?", answer] for n in range(2)]
        write(tmp_path / f"hrm8k/HRM8K/{file}.csv", ["question", "original", "answer"], rows)
    folder = workspace(tmp_path, hrm8k="hrm8k")
    table = []
    for file, subset in (*subsets.items(), ("ksm_test", "KSM")):
        gold = {"gsm8k_test": "18.0", "ksm_test": "7"}.get(file) or answers[file]  # a table of numbers has decimals
        table += [
            [subset, "1", gold, gold.replace(",", ""), "#### x", "True"],
            [subset, "0", gold, "", "RATE_LIMIT", ""],
        ]
    columns = ["subset", "index", "answer", "pred", "response", "correct"]
    done = cli("runs", "import", write(folder / "[HRM8K] m.csv", columns, table), "-w", folder)
    assert done.code == 0, done.err
    found = outcomes(folder, "hrm8k-m")
    assert len(found) == 10
    assert {found[f"{subset}/1"] for subset in (*subsets.values(), "KSM")} == {("answered", 1.0)}
    assert {found[f"{subset}/0"][0] for subset in (*subsets.values(), "KSM")} == {"unparsed"}
