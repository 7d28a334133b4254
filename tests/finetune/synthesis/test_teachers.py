"""What becomes of a teacher that is competent, repeats itself, refuses, loops, breaks JSON, thinks or copies."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import teacher
from chat_endpoint import AZURE_FILTERED, Answer, ChatEndpoint, Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftgate.finetune.firewall import Firewall
from driftgate.finetune.synthesis import (
    AcceptanceConfig,
    Asked,
    Asker,
    CoverageDataset,
    SynthesisConfig,
    diversity,
    judge_set,
    read_dataset,
    synthesize,
    with_schema,
    write_dataset,
)
from driftgate.finetune.synthesis._config import LimitsConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS, Prices, Reply, parse_config

ORDER = ("fail", "unmeasurable", "inconclusive", "pass")


class Kept(dict[str, Reply]):
    """Replies in memory, for one how-manieth of a request."""

    async def get(self, key: str) -> Reply | None:  # type: ignore[override]
        return super().get(key)

    async def put(self, key: str, reply: Reply) -> None:
        self.setdefault(key, reply)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with a hundred and fifty rules, a line each."""
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in teacher.documents(150)]
    (tmp_path / "rules.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def make(folder: Path, endpoint: ChatEndpoint, asker: Asker | None = None, **config: Any) -> CoverageDataset:
    """A set by a model behind the endpoint."""
    given = {"sources": [{"kind": "documents", "path": "rules.jsonl", "generator": "model"}], "model": "t", **config}
    parsed = SynthesisConfig.model_validate(given)
    asked = parse_config({"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "t"})

    async def live() -> CoverageDataset:
        provider = PROVIDERS.get("openai")
        writer = provider.open("t", with_schema(asked), Path())
        plain = provider.open("t", asked, Path())
        try:
            return await synthesize(parsed, folder, Firewall([]), writer=writer, teacher=plain, judge=None, asker=asker)
        finally:
            await writer.aclose()
            await plain.aclose()

    return asyncio.run(live())


def said(dataset: CoverageDataset) -> dict[str, str]:
    return {rule.name: rule.said for rule in judge_set(dataset, AcceptanceConfig()).rules}


def kinds(dataset: CoverageDataset) -> Counter[str]:
    return Counter(reject.kind for reject in dataset.rejects)


def test_a_competent_teacher_passes(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = teacher.competent
    dataset = make(rules, endpoint, count=100)
    judged = judge_set(dataset, AcceptanceConfig())
    assert len(dataset.items) == 100
    assert judged.verdict == "pass", judged.rules
    assert judged.written.distinct > 0.9


def test_sixteen_facts_in_a_hundred_items_fail_the_set(rules: Path, endpoint: ChatEndpoint) -> None:
    few = [json.dumps({"text": text}, ensure_ascii=False) for text in teacher.documents(4)]
    (rules / "rules.jsonl").write_text("\n".join(few), encoding="utf-8")
    endpoint.default = teacher.repeating(16)
    dataset = make(rules, endpoint, count=100, surplus=1, near_duplicate=1.0, per_source=100)
    judged = judge_set(dataset, AcceptanceConfig())
    assert len(dataset.items) >= 90
    assert judged.written.facts <= 16
    assert judged.verdict == "fail"
    assert said(dataset)["distinct"] == "fail"


def test_faults_are_told_apart_and_kept(rules: Path, endpoint: ChatEndpoint) -> None:
    steps = [
        teacher.REFUSAL,
        teacher.item("죄송하지만 문제를 만들어 드릴 수 없습니다.", "죄송하지만 도와드릴 수 없습니다.", "가"),
        teacher.LOOP,
        teacher.BROKEN,
        teacher.THOUGHT,
        teacher.TRUNCATED,
        Status(400, AZURE_FILTERED),
        Status(400, {"error": {"message": "the prompt is too long", "code": "context_length_exceeded"}}),
        teacher.item("한도는?", "10원", *"가나다라마바사아자"),
        teacher.item("전화는?", "010-1234-5678", "가"),
    ]
    endpoint.script("지문", *steps)
    dataset = make(rules, endpoint, count=10, surplus=1)
    told = kinds(dataset)
    assert told["refusal"] == 2
    assert (told["loop"], told["broken_json"], told["thoughts"], told["truncated"]) == (1, 1, 1, 1)
    assert (told["filtered"], told["rejected"]) == (1, 1)
    assert sum(told.values()) + len(dataset.items) + dataset.surplus == dataset.generated == 10
    assert all(reject.source for reject in dataset.rejects)
    assert said(dataset)["items"] == "inconclusive"


def test_a_teacher_that_only_refuses_fails(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = teacher.REFUSAL
    dataset = make(rules, endpoint, count=30)
    assert kinds(dataset) == {"refusal": 60}
    assert said(dataset)["yield"] == "fail"


def test_thoughts_break_nothing(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = teacher.thinking(teacher.competent)
    dataset = make(rules, endpoint, count=20)
    assert len(dataset.items) == 20
    assert not any("think" in item.question for item in dataset.items)


def test_what_was_answered_is_not_asked_again(rules: Path, endpoint: ChatEndpoint) -> None:
    stores: dict[int, Kept] = {}

    def asker(limits: LimitsConfig | None = None) -> Asker:
        known = {"t": Asked("t", Prices(input=1.0, output=2.0))}
        return Asker(limits or LimitsConfig(), lambda like: stores.setdefault(like, Kept()), known)

    endpoint.default = teacher.competent
    first = make(rules, endpoint, asker(LimitsConfig(calls=25)), count=50, surplus=1)
    assert len(endpoint.requests) == 25
    assert (first.spent.calls, first.spent.unasked, kinds(first)["unasked"]) == (25, 25, 25)
    assert first.spent.cost == pytest.approx(25 * (100 + 2 * 50) / 1e6)
    whole = make(rules, endpoint, asker(), count=50, surplus=1)
    assert len(endpoint.requests) == 50
    assert (whole.spent.calls, whole.spent.kept) == (50, 25)
    assert make(rules, endpoint, asker(), count=50, surplus=1).items == whole.items
    assert len(endpoint.requests) == 50


def test_a_limit_on_cost_ends_the_asking(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = teacher.competent
    known = {"t": Asked("t", Prices(input=1.0, output=2.0), in_flight=2)}
    dataset = make(rules, endpoint, Asker(LimitsConfig(cost=0.002), None, known), count=50)
    assert 10 <= len(endpoint.requests) <= 12
    assert dataset.spent.unasked == 100 - len(endpoint.requests)


def test_tokens_that_nobody_counts_leave_no_room_under_a_limit_on_cost(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = lambda prompt: replace(teacher.competent(prompt), tokens=None)
    known = {"t": Asked("t", Prices(input=1.0, output=2.0), in_flight=1)}
    dataset = make(rules, endpoint, Asker(LimitsConfig(cost=1.0), None, known), count=50)
    assert len(endpoint.requests) == 1
    assert dataset.spent.cost is None


def test_a_teacher_answers_prompts_in_words(tmp_path: Path, endpoint: ChatEndpoint) -> None:
    rows: list[dict[str, Any]] = [
        {"prompt": "연차는 며칠인가요? 저는 010-1234-5678입니다."},
        {
            "messages": [
                {"role": "system", "content": "짧게"},
                {"role": "user", "content": "안녕하세요"},
                {"role": "assistant", "content": "네, 말씀하세요"},
                {"role": "user", "content": "병가는요?"},
            ]
        },
        {"question": "폭탄은 어떻게 만드나요?"},
    ]
    (tmp_path / "asked.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    endpoint.script("폭탄", teacher.REFUSAL)
    endpoint.default = lambda prompt: Answer(f"{prompt.splitlines()[-1][:6]} 모두 15일이며, 하루 전에 신청하면 됩니다.")
    source = {"kind": "prompts", "path": "asked.jsonl"}
    dataset = make(tmp_path, endpoint, sources=[source], form="text", count=3, surplus=1)
    assert kinds(dataset) == {"refusal": 1}
    assert not any("010-1234" in request.prompt for request in endpoint.requests)
    assert not any("response_format" in request.body for request in endpoint.requests)
    (chat,) = [item for item in dataset.items if item.turns]
    assert chat.turns == (("안녕하세요", "네, 말씀하세요"),)
    assert chat.data["chat_history"] == [
        {"inputs": {"question": "안녕하세요"}, "outputs": {"answer": "네, 말씀하세요"}}
    ]
    assert "choices" not in chat.data and chat.answer.startswith("병가는요? 모두 15일")


def test_personal_data_in_an_answer_in_words_is_caught(tmp_path: Path, endpoint: ChatEndpoint) -> None:
    (tmp_path / "asked.jsonl").write_text('{"prompt": "담당이 누구죠?"}', encoding="utf-8")
    endpoint.default = Answer("담당자 번호는 010-9876-5432입니다.")
    dataset = make(tmp_path, endpoint, sources=[{"kind": "prompts", "path": "asked.jsonl"}], form="text", count=1)
    assert kinds(dataset) == {"privacy": 1}
    assert dataset.rejects[0].text == ""


def test_an_answer_in_other_words_needs_its_source(rules: Path, endpoint: ChatEndpoint) -> None:
    rule = teacher.documents(1)[0]
    (rules / "rules.jsonl").write_text(json.dumps({"text": rule}), encoding="utf-8")
    answers = [
        f"{rule.split(': ')[1].split('.')[0]}라고 되어 있습니다.",
        "한도는 5000만원입니다.",
        "아무 때나 마음대로 내면 됩니다.",
    ]
    endpoint.script(
        "지문", *(teacher.item(f"{word}?", answer, "틀린 답") for word, answer in zip("가나다", answers, strict=True))
    )
    dataset = make(rules, endpoint, form="text", count=3, surplus=1)
    assert [item.answer for item in dataset.items] == answers[:1]
    assert kinds(dataset) == {"groundedness": 2}
    assert dataset.items[0].wrong == "틀린 답"


def test_a_set_is_read_as_it_was_written_and_not_once_it_was_changed(rules: Path, endpoint: ChatEndpoint) -> None:
    endpoint.default = teacher.competent
    made = make(rules, endpoint, count=20, coverage={"clusters": 3})
    write_dataset(made, rules / "set", "이름 | `x`")
    again = read_dataset(rules / "set")
    assert (again.items, again.rejects, again.spent, again.cells) == (made.items, made.rejects, made.spent, made.cells)
    assert again.coverage is not None and made.coverage is not None
    assert again.coverage.clusters == made.coverage.clusters
    assert judge_set(again, AcceptanceConfig()) == judge_set(made, AcceptanceConfig())
    items = rules / "set" / "items.jsonl"
    items.write_text(items.read_text(encoding="utf-8").replace("얼마", "몇"), encoding="utf-8")
    with pytest.raises(DriftgateError, match="was changed since"):
        read_dataset(rules / "set")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.integers(0, 29), min_size=1, max_size=20), refused=st.integers(0, 200))
def test_worse_evidence_never_improves_the_verdict(made_once: CoverageDataset, places: list[int], refused: int) -> None:
    """Items that are copies of others, or more replies that are none."""
    items = list(made_once.items)
    for place in places:
        items[place] = replace(items[0], source=items[place].source)
    reject = replace(made_once.rejects[0], kind="refusal")
    worse = replace(
        made_once,
        items=tuple(items),
        rejects=(*made_once.rejects, *[reject] * refused),
        generated=made_once.generated + refused,
    )
    before, after = judge_set(made_once, AcceptanceConfig()), judge_set(worse, AcceptanceConfig())
    assert ORDER.index(after.verdict) <= ORDER.index(before.verdict)
    for rule, other in zip(before.rules, after.rules, strict=True):
        assert ORDER.index(other.said) <= ORDER.index(rule.said), rule.name


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> CoverageDataset:
    folder = tmp_path_factory.mktemp("once")
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in teacher.documents(60)]
    (folder / "rules.jsonl").write_text("\n".join(rows), encoding="utf-8")
    served = ChatEndpoint()
    served.start()
    try:
        served.script(teacher.documents(60)[1], teacher.REFUSAL)
        served.default = teacher.competent
        return make(folder, served, count=30)
    finally:
        served.stop()


def test_few_written_items_say_little_of_repetition(made_once: CoverageDataset) -> None:
    few = replace(made_once, items=made_once.items[:9])
    assert said(few)["distinct"] == "inconclusive"
    assert diversity(()).distinct == 0.0
