"""Small folders of our own invention, laid out as upstream lays out each dataset."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from driftgate.benchmarks.datasets import (
    DATASETS,
    Dataset,
    SubsetItem,
    SubsetPlan,
    load_dataset,
    parse_config,
    write_subset,
)

Config = dict[str, Any]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=4), encoding="utf-8")


def write_jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow = importlib.import_module("pyarrow")
    importlib.import_module("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(list(rows)), path)


def lettered(tag: str, count: int, letters: str = "ABCD", **more: Any) -> list[dict[str, Any]]:
    """Rows with one column a choice and the answer as a number from 1."""
    return [
        {
            "question": f"{tag} 문제 {n}: 알맞은 것은?",
            "answer": n % len(letters) + 1,
            **{letter: f"{tag} {n}의 보기 {letter}" for letter in letters},
            **more,
        }
        for n in range(count)
    ]


def kmmlu(folder: Path) -> Config:
    for subject, category in {"Accounting": "Accounting", "korean-history": "Korean History", "math": "Math"}.items():
        more = {"Category": category, "Human Accuracy": "0.5"}
        write_csv(folder / f"data/{subject}-test.csv", lettered(subject, 4, **more))
        write_csv(folder / f"data/{subject}-dev.csv", lettered(f"{subject} 예시", 2, **more))
    return {"kind": "kmmlu", "path": "."}


def kmmlu_hard(folder: Path) -> Config:
    for subject in ("accounting", "political_science_and_sociology"):
        write_csv(folder / f"data/{subject}-test.csv", lettered(subject, 4))
        write_csv(folder / f"data/{subject}-dev.csv", lettered(f"{subject} 예시", 2))
    return {"kind": "kmmlu_hard", "path": "."}


def click(folder: Path) -> Config:
    def row(id: str, question: str, choices: list[str], answer: str, paragraph: str = "") -> dict[str, Any]:
        return {"id": id, "paragraph": paragraph, "question": question, "choices": choices, "answer": answer}

    passage = "가을이 되면 단풍이 든다."
    four = ["봄", "여름", "가을", "겨울"]
    shared = row("Kedu_16_1", "알맞지 않은 것은?", four, "봄")
    write_json(
        folder / "Dataset/Culture/Korean Law/Law_KIIP.json",
        [row("KIIP_law_1", "법을 만드는 곳은?", ["국회", "법원"], "국회 ")],
    )
    write_json(
        folder / "Dataset/Language/Textual/Textual_CSAT.json",
        [
            row("CSAT_1", "언제인가?", four, "가을", passage),
            row("CSAT_2", "무엇이 드는가?", [*"가나다라마"], "마", passage),
        ],
    )
    write_json(folder / "Dataset/Language/Grammar/Grammar_Kedu.json", [shared])
    write_json(folder / "Dataset/Language/Functional/Functional_Kedu.json", [shared])
    return {"kind": "click", "path": "."}


def haerae(folder: Path) -> Config:
    for code in ("KGK", "HI", "LW", "RW", "RC", "SN"):
        rows = lettered(code, 2, "abcde")
        write_csv(
            folder / f"data/HAERAE-Bench-v1-{code}.csv", [{**row, "answer": "abcde"[row["answer"] - 1]} for row in rows]
        )
    (folder / "data/text.md").touch()
    return {"kind": "haerae", "path": "."}


def hrm8k(folder: Path) -> Config:
    answers = {"gsm8k_test": "18.0", "math_do_test": "-3", "omni-math_do_test": "70,000.0", "mmmlu_test": "2"}
    for file, answer in {**answers, "ksm_test": r"\frac{1}{2}"}.items():
        rows = [{"question": f"{file} {n}의 값은?", "original": f"{file} {n}?", "answer": answer} for n in range(2)]
        write_csv(folder / f"HRM8K/{file}.csv", rows)
    return {"kind": "hrm8k", "path": "."}


def kobalt_rows() -> list[dict[str, Any]]:
    passage = "지문:\nA: 지금 몇 시야?\nB: 좀 전에 종 쳤어.\n\n"
    choices = "\n".join(f"{letter}: 보기 {letter}" for letter in "ABCDEFGHIJ")
    return [
        {
            "ID": f"67c81c5d{n}",
            "Class": category,
            "Subclass": "대화의 격률",
            "Question": f"{passage if n % 2 else ''}문제: {n}번 문제는?\n\n{choices}\n",
            "Answer": "ABCDEFGHIJ"[n * 2],
            "Level": n % 3 + 1,
            "Sampling_YN": 0,
        }
        for n, category in enumerate(["Syntax", "Semantics", "Pragmatics", "Phonetics/Phonology", "Morphology"])
    ]


def kobalt(folder: Path) -> Config:
    write_jsonl(folder / "data/train.jsonl", kobalt_rows())
    return {"kind": "kobalt", "path": "."}


def kormedmcqa(folder: Path) -> Config:
    for profession in ("dentist", "doctor", "nurse", "pharm"):
        for split, count in {"train": 3, "dev": 2, "test": 3, "fewshot": 2}.items():
            more = {"subject": profession, "year": 2022, "period": 1, "q_number": 7, "cot": None}
            rows = lettered(f"{profession} {split}", count, "ABCDE", **more)
            write_parquet(folder / f"{profession}/{split}-00000-of-00001-a16785.parquet", rows)
    return {"kind": "kormedmcqa", "path": "."}


def kmmlu_redux(folder: Path) -> Config:
    rows = [
        {
            "question": f"{category} 문제 {n}: 알맞은 것은?",
            "options": [f"{category} {n}의 보기 {place}" for place in "가나다라"],
            "solution": str(n % 4 + 1),
            "category": category,
        }
        for category in ("건설", "전기.전자")
        for n in range(3)
    ]
    write_parquet(folder / "data/test-00000-of-00001.parquet", rows)
    return {"kind": "kmmlu_redux", "path": "."}


def kmmlu_pro(folder: Path) -> Config:
    rows = [
        {
            "question": f"{licence} {subject} 문제 {n}: 옳지 않은 것은?",
            "options": [f"{licence} {n}의 보기 {place}" for place in "가나다라마"[: 4 + n % 2]],
            "solution": str(n % 4 + 1),
            "score": 1.0,
            "license_name": licence,
            "subject": subject,
            "year": 2024,
            "round": 1,
            "session": 1,
        }
        for licence, subject in (("변호사", "민사법"), ("의사", "의학총론"), ("새 자격", "총론"))
        for n in range(2)
    ]
    write_parquet(folder / "kmmlu_pro/test-00000-of-00001.parquet", rows)
    return {"kind": "kmmlu_pro", "path": "."}


def kosimpleqa(folder: Path) -> Config:
    rows = [
        {"id": n, "content": f"{n}번째 도시는?", "answer": f"도시 {n}", "category": category, "answer_type": "Place"}
        for n, category in enumerate(["지리", "역사", "지리"])
    ]
    write_json(folder / "updated_kosimpleqa_with_trans.json", rows)
    return {"kind": "kosimpleqa", "path": "."}


def ifeval_ko(folder: Path) -> Config:
    nulls = {"num_words": None, "relation": None, "keywords": None, "end_phrase": None}
    asked = [
        ("쉼표 없이 인사하세요.", ["punctuation:no_comma"], [{}]),
        (
            "'봄'을 넣어 열 단어 이상으로 쓰세요.",
            ["keywords:existence", "length_constraints:number_words"],
            [{"keywords": ["봄"]}, {"num_words": 10, "relation": "at least"}],
        ),
        ("'이상입니다.'로 끝내세요.", ["startend:end_checker"], [{"end_phrase": "이상입니다."}]),
    ]
    rows = [
        {"key": 1000 + n, "prompt": prompt, "instruction_id_list": ids, "kwargs": [{**nulls, **own} for own in given]}
        for n, (prompt, ids, given) in enumerate(asked)
    ]
    write_parquet(folder / "data/train-00000-of-00001.parquet", rows)
    return {"kind": "ifeval_ko", "path": "."}


def own_csv(folder: Path) -> Config:
    write_csv(folder / "own.csv", lettered("우리", 4, category="인사", note="메모"), encoding="utf-8-sig")
    write_csv(folder / "own-shots.csv", lettered("예시", 2, category="인사", note="메모"))
    columns = {"choices": ["A", "B", "C", "D"]}
    return {"kind": "csv", "path": "own.csv", "shots_path": "own-shots.csv", "columns": columns}


def own_jsonl(folder: Path) -> Config:
    rows = [{"question": f"{n} 더하기 1은?", "answer": n + 1, "category": "셈"} for n in range(3)]
    write_jsonl(folder / "own.jsonl", rows)
    return {"kind": "jsonl", "path": "own.jsonl"}


def own_parquet(folder: Path) -> Config:
    write_parquet(folder / "own.parquet", lettered("우리", 4, category="인사", note="메모"))
    write_parquet(folder / "own-shots.parquet", lettered("예시", 2, category="인사", note="메모"))
    columns = {"choices": ["A", "B", "C", "D"]}
    return {"kind": "parquet", "path": "own.parquet", "shots_path": "own-shots.parquet", "columns": columns}


def subset(folder: Path) -> Config:
    whole = own_csv(folder)
    keys = [sample.key for sample in load_dataset("whole", parse_config(whole), folder).samples]
    items = [SubsetItem(key=key, weight=2.0) for key in (keys[2], keys[0])]
    plan = SubsetPlan(of="whole", n=4, method="irt", standard_error=0.02, random_error=0.03, items=items)
    write_subset(plan, folder / "small.jsonl")
    return {"kind": "subset", "of": whole, "path": "small.jsonl"}


BUILDERS: dict[str, Callable[[Path], Config]] = {
    "click": click,
    "csv": own_csv,
    "haerae": haerae,
    "hrm8k": hrm8k,
    "ifeval_ko": ifeval_ko,
    "jsonl": own_jsonl,
    "kmmlu": kmmlu,
    "kmmlu_hard": kmmlu_hard,
    "kmmlu_pro": kmmlu_pro,
    "kmmlu_redux": kmmlu_redux,
    "kobalt": kobalt,
    "kormedmcqa": kormedmcqa,
    "kosimpleqa": kosimpleqa,
    "dialogues": lambda folder: {"kind": "dialogues"},
    "handbook": lambda folder: {"kind": "handbook"},
    "news": lambda folder: {"kind": "news"},
    "parquet": own_parquet,
    "subset": subset,
    "sample": lambda folder: {"kind": "sample"},
}


@pytest.fixture(params=DATASETS.names())
def kind(request: pytest.FixtureRequest) -> str:
    """Every member of the registry."""
    return str(request.param)


@pytest.fixture
def build() -> Callable[[str, Path], Config]:
    """``build(kind, folder)`` lays out a small dataset of that kind and returns its configuration."""
    return lambda kind, folder: BUILDERS[kind](folder)


@pytest.fixture
def load() -> Callable[[Config, Path], Dataset]:
    """``load(config, folder)`` reads it as a workspace would."""
    return lambda config, folder: load_dataset("mine", parse_config(config), folder)


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small inputs that failed for others, beside the project."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip("needs the cases in ../shared/cases")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real datasets beside the project."""
    folder = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real datasets in ../shared/data")
    return folder
