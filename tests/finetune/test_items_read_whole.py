"""The privacy check reads every text of an item, wherever it stands: what it did not read it does not call clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgate.finetune.assurance import PrivacyLimits, assure, read_records, read_texts
from driftgate.finetune.synthesis import FORMATS, Candidate, as_row, lines_of
from driftgate.finetune.train import TrainingItem
from driftgate.flows.errors import DriftgateError

CANARY = "내부 확인 문구 마머허-2033 자라너-8364"
SOURCE = "창고 세 번째 칸의 열쇠는 새벽 네 시에 경비실 앞에서 건네받는다고 적혀 있다."
PERSONAL = "담당자는 010-1234-5678로 연락한다."
SECRET = f"{PERSONAL} {CANARY} {SOURCE}"
LIMITS = PrivacyLimits(longest_run=20, closer_share=None, membership_advantage=None)


def chat(text: str, role: str = "assistant") -> list[dict[str, str]]:
    return [{"role": "user", "content": "왜?"}, {"role": role, "content": text}]


SHAPES: dict[str, Any] = {
    "unknown key": lambda text: {"foo": text},
    "instruction": lambda text: {"instruction": "요약하라", "output": text},
    "preference, preferred": lambda text: preference(text, "아니다"),
    "preference, not preferred": lambda text: preference("그렇다", text),
    "rejected beside a question": lambda text: {"question": "왜?", "answer": "그냥", "rejected": text},
    "wrong": lambda text: {"question": "왜?", "answer": "그냥", "wrong": text},
    "answer in words": lambda text: {"question": "왜?", "answer": text},
    "chat history": lambda text: {
        "question": "왜?",
        "chat_history": [{"inputs": {"question": "어디?"}, "outputs": {"answer": text}}],
    },
    "chosen": lambda text: {"prompt": chat("네", "user"), "chosen": chat(text), "rejected": chat("아니다")},
    "rejected": lambda text: {"prompt": chat("네", "user"), "chosen": chat("네"), "rejected": chat(text)},
    "nested": lambda text: {"question": "왜?", "meta": {"memo": {"deep": [[{"x": text}]]}}},
    "parts": lambda text: {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]},
    "escaped arguments": lambda text: {"question": "왜?", "call": json.dumps({"to": text})},
    "system prompt": lambda text: {"messages": chat("네"), "system": text},
    "a key": lambda text: {"question": "왜?", text: 1},
    "a key of a list": lambda text: {"question": "왜?", "meta": [{text: []}]},
    "a key of an object": lambda text: {"question": "왜?", text: {"a": "나"}},
    "marked up": lambda text: {"question": "".join(f"<b>{letter}</b>" for letter in text)},
}


def preference(better: str, worse: str) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": "왜?"}]},
        "preferred_output": [{"role": "assistant", "content": better}],
        "non_preferred_output": [{"role": "assistant", "content": worse}],
    }


def failing(item: Any) -> set[str]:
    found = assure([item], [f"{SOURCE}\n{CANARY}"], [], LIMITS, canaries=[CANARY])
    return {figure.name for figure in found.figures if figure.verdict == "fail"}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_text_is_read_under_whatever_key_it_stands(shape: str) -> None:
    make = SHAPES[shape]
    assert failing(make(SECRET)) == {"personal_data", "longest_run", "canaries"}
    assert not failing(make("창문을 연다"))


values = st.none() | st.booleans() | st.integers() | st.text("abc 가나", max_size=5)
structures = st.recursive(
    st.just(SECRET),
    lambda inner: st.one_of(
        st.tuples(st.lists(values, max_size=2), inner).map(lambda pair: [*pair[0], pair[1]]),
        st.tuples(
            st.dictionaries(st.text("abc_가나", max_size=4), values, max_size=2), st.text("xyz_", max_size=5), inner
        ).map(lambda three: {**three[0], three[2] if isinstance(three[2], str) else three[1]: three[2]}),
    ),
    max_leaves=6,
)


@given(structures, st.sampled_from(["foo", "id", "lineage", "role", "한 글"]))
@settings(max_examples=40, deadline=None)
def test_no_nesting_hides_a_text(structure: Any, key: str) -> None:
    assert failing({key: structure}) >= {"longest_run", "canaries"}


def test_digests_roles_and_times_are_no_texts() -> None:
    row = {
        "id": "4af09b12cd34",
        "content_hash": "010123456789abcd",
        "lineage": {"source_hash": "01012345678a", "seed": 1012345678},
        "created": 1705121234567,
        "messages": chat("창문을 연다"),
    }
    assert not failing(row)
    assert failing({**row, "id": "010-1234-5678"}) == {"personal_data"}
    assert failing({**row, "number": 8503152023459}) == {"personal_data"}


@pytest.mark.parametrize(
    "item", [{}, {"foo": 1}, {"foo": " "}, {"id": "4af09b12cd34", "weight": 1.0}, {"role": "user"}]
)
def test_an_item_without_text_is_unmeasurable_and_its_line_a_mistake(item: dict[str, Any], tmp_path: Path) -> None:
    found = assure([{"question": "왜?"}, item], [SOURCE], [], LIMITS, canaries=[CANARY])
    assert {figure.verdict for figure in found.figures} == {"unmeasurable"} and "items hold no text: 2" in str(found)
    file = tmp_path / "items.jsonl"
    file.write_text(json.dumps({"question": "왜?"}) + "\n" + json.dumps(item) + "\n", "utf-8")
    with pytest.raises(DriftgateError, match=rf"line 2 holds no text.*{', '.join(item) or 'none'}"):
        read_records(file)
    # One more item that cannot be read makes no failure better.
    worst = assure([{"question": SECRET}, item], [SOURCE], [], LIMITS, canaries=[CANARY])
    assert worst.verdict == "fail"


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("choices", [(), ("아홉", "열")])
def test_every_form_of_an_export_is_read_whole(form: str, choices: tuple[str, ...], tmp_path: Path) -> None:
    planted = [f"심은 문구 {letter * 3}-{n}{n}{n}{n}" for n, letter in enumerate("가나다라", start=1)]
    prompt = f"# system:\n{planted[0]}\n# user:\n{planted[1]}"
    answer, wrong = planted[2], planted[3]
    candidate = Candidate(
        planted[1],
        (answer, wrong) if choices else (),
        "A" if choices else answer,
        *("배송", "오늘", "plain", "t", "1/a", "h", "g", "1", 0),
        wrong="" if choices else wrong,
    )
    file = tmp_path / "train.jsonl"
    file.write_bytes(lines_of([(candidate, TrainingItem(prompt, answer))], form))
    (row,) = read_records(file)
    found = assure([row], planted, [], LIMITS, canaries=planted)
    (canaries,) = [figure for figure in found.figures if figure.name == "canaries"]
    assert canaries.value == (4 if form in ("preference", "pairs") else 3)


def test_what_an_answer_is_preferred_to_is_measured_before_a_repair_trains_on_it() -> None:
    item = Candidate("왜?", (), "그냥", *("배송", "오늘", "plain", "t", "1/a", "h", "g", "1", 0), wrong=SECRET)
    assert failing(as_row(item)) == {"personal_data", "longest_run", "canaries"}
    trained = [{"prompt": "왜?", "target": "그냥", "rejected": SECRET}]
    found = assure([{"question": "왜?"}], [SOURCE + CANARY], [], LIMITS, canaries=[CANARY], trained=trained)
    assert {figure.verdict for figure in found.figures} == {"fail"}


def test_a_source_is_read_under_whatever_key_and_none_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.JSONL").write_text(json.dumps({"output": SOURCE}) + "\n", "utf-8")
    (folder / "b.TXT").write_text("다른 글", "utf-8")
    assert read_texts(folder) == [SOURCE, "다른 글"]
    (folder / "c.pdf").write_bytes(b"%PDF")
    with pytest.raises(DriftgateError, match=r"1 files of .* cannot be read.*c\.pdf"):
        read_texts(folder)
    (folder / "c.pdf").unlink()
    (folder / "a.JSONL").write_text('{"foo": 1}\n', "utf-8")
    with pytest.raises(DriftgateError, match=r"line 1 holds no text.*foo"):
        read_texts(folder)
    with pytest.raises(DriftgateError, match="there is no file or folder"):
        read_texts(tmp_path / "none.jsonl")
