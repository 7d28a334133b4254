from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from chat_endpoint import AZURE_FILTERED, Answer, Status, reasoning, responses_only

from driftgate.finetune.firewall import Firewall
from driftgate.finetune.synthesis import SynthesisConfig, synthesize, with_schema
from driftgate.finetune.synthesis.generators.model import WrittenItem
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS, parse_config


def run(workspace, endpoint, judged=False, parameters=None, **config):
    """Synthesise with a live model behind the endpoint, and close it."""

    async def live():
        provider = PROVIDERS.get("openai")
        given = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "writer"}
        asked = parse_config(given | ({"parameters": parameters} if parameters else {}))
        writer = provider.open("writer", with_schema(asked), Path())
        judge = provider.open("judge", asked, Path())
        parsed = SynthesisConfig.model_validate({**config, "model": "writer", "judge": "judge" if judged else ""})
        try:
            return await synthesize(parsed, workspace, Firewall([]), writer=writer, judge=judge if judged else None)
        finally:
            await writer.aclose()
            await judge.aclose()

    return asyncio.run(live())


def written(question, answer, wrong):
    return Answer(json.dumps({"question": question, "answer": answer, "wrong": wrong}, ensure_ascii=False))


DOCUMENTS = {"kind": "documents", "path": "docs/refund.md", "generator": "model"}
TICKETS = {"kind": "examples", "path": "tickets.jsonl", "generator": "model"}


def test_the_schema_is_sent_and_grounded_items_are_kept(workspace, endpoint):
    endpoint.default = written("보증 기간은 얼마인가요?", "24개월", ["6개월", "36개월", "48개월"])
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=1, surplus=1)
    assert [(item.right_choice, item.generator) for item in dataset.items] == [("24개월", "model")]
    sent = endpoint.requests[0].body
    assert sent["response_format"]["json_schema"]["schema"] == WrittenItem.model_json_schema()
    assert "24개월 동안 보증" in endpoint.requests[0].prompt
    assert "홍길순" not in endpoint.requests[0].prompt


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Unsupported parameter: 'response_format'", "param": "response_format", "code": "unsupported"},
        {"message": "Invalid schema for response_format 'written_item': 'minLength' is not permitted.", "code": None},
        {"message": "Invalid parameter", "param": "response_format.json_schema", "code": "invalid_value"},
    ],
)
def test_a_service_that_takes_no_schema_is_asked_without_it(workspace, endpoint, error):
    endpoint.refuses = lambda body: Status(400, error) if "response_format" in body else None
    endpoint.default = written("보증 기간은 얼마인가요?", "24개월", ["6개월", "36개월", "48개월"])
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=1, surplus=1)
    assert [item.right_choice for item in dataset.items] == ["24개월"]
    assert ["response_format" in request.body for request in endpoint.requests] == [True, False]


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({"max_tokens": 1}, {"max_tokens": 512}),
        ({"max_completion_tokens": 16, "seed": 7}, {"max_completion_tokens": 512}),
        ({"max_tokens": 4000}, {"max_tokens": 4000}),
        ({}, {}),
    ],
)
def test_a_limit_that_is_too_low_for_an_item_is_raised(given, limits):
    asked = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "writer", "parameters": given}
    sent = with_schema(parse_config(asked)).parameters
    assert {name: value for name, value in sent.items() if name.endswith("tokens")} == limits
    assert sent.get("seed") == given.get("seed")


@pytest.mark.parametrize(
    ("refuses", "cap"), [(reasoning, "max_completion_tokens"), (responses_only, "max_output_tokens")]
)
def test_a_writer_that_reasons_writes_items_whatever_it_is_asked_by(workspace, endpoint, refuses, cap):
    endpoint.default = written("보증 기간은 얼마인가요?", "24개월", ["6개월", "36개월", "48개월"])
    endpoint.refuses = refuses
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=1, surplus=1, parameters={"max_tokens": 5})
    assert [item.right_choice for item in dataset.items] == ["24개월"]
    last = endpoint.requests[-1].body
    form = last["text"]["format"] if "text" in last else last["response_format"]["json_schema"]
    assert form["name"] == "written_item" and last[cap] >= 512 and "temperature" not in last


def test_a_schema_that_the_user_set_stays():
    form = {"type": "json_object"}
    asked = {"provider": "openai", "endpoint": "http://127.0.0.1:1/v1", "model": "writer"}
    config = with_schema(parse_config({**asked, "parameters": {"response_format": form}}))
    assert config.parameters["response_format"] == form and "response_format" not in config.ours


def test_what_is_no_item_is_dropped_and_counted(workspace, endpoint):
    replies = [
        Answer("죄송하지만 답할 수 없습니다."),
        Answer('{"question": "가?", "answer": "나"}'),
        written("배터리 보증은?", "99개월", ["1개월", "2개월", "3개월"]),
        written("먼저 내는 비용은?", "30%", ["30%", "20%", "10%"]),
        written("누가 맡나요?", "홍길동님, 010-1111-2222", ["가", "나", "다"]),
        Status(400, AZURE_FILTERED),
        written("해외 주문은?", "14일", []),
        Answer('```json\n{"question": "환불은 며칠?", "answer": "3영업일", "wrong": ["1영업일", "2영업일"]}\n```'),
    ]
    endpoint.script("지문", *replies)
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=8, surplus=1)
    counts = {entry.filter: entry.count for entry in dataset.dropped}
    assert (counts["schema"], counts["privacy"], counts["groundedness"]) == (5, 1, 1)
    assert [item.right_choice for item in dataset.items] == ["3영업일"]
    assert dataset.generated == 8


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("그 일은 어디에 문의합니까", "담당 부서는", True),
        ("무엇을 적어 냅니까?", "담당 부서", True),
        ("문의는 어디에 합니까?", "관할 부서에 문의", False),
        ("담당 부서는 어디인가요", "총무팀", True),
        ("담당 부서를 알려드릴 수 없습니다.", "총무팀", False),
        ("그건 말 못 해.", "총무팀", False),
        ("어느 부서인가요?", "알려드릴 수 없습니다", False),
        ("어느 부서인가요?", "그건 말 못 해.", False),
    ],
)
def test_words_of_the_material_and_questions_are_no_refusals(workspace, endpoint, question, answer, kept):
    (workspace / "docs" / "refund.md").write_text(
        "담당 부서는 총무팀이며 알려드릴 수 없습니다 라는 말은 없다.", "utf-8"
    )
    endpoint.default = written(question, answer, ["인사팀", "보안팀", "감사실"])
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=1, surplus=1)
    assert ("refusal" not in {reject.kind for reject in dataset.rejects}) == kept, dataset.rejects


def test_a_message_about_another_label_is_refused(workspace, endpoint):
    def reply(prompt):
        label = re.search("분류: (.*)", prompt).group(1)
        text = re.search("예문: (.*)", prompt).group(1)
        return written(f"{text} 어쩌죠", "delivery" if label == "device" else label, [])

    endpoint.default = reply
    dataset = run(workspace, endpoint, sources=[TICKETS], count=12, surplus=1)
    assert dataset.items
    assert {item.right_choice for item in dataset.items} == {"delivery", "payment"}
    schema = dataset.dropped[0]
    assert schema.reason == "the reply is about 'delivery', asked for was 'device'"


def test_the_order_of_replies_decides_nothing(workspace, endpoint):
    def reply(prompt):
        text = re.search("예문: (.*)", prompt).group(1)
        answer = written(f"{text} 어쩌죠", re.search("분류: (.*)", prompt).group(1), [])
        return Answer(answer.text, seconds=0.05 if len(text) % 2 else 0.0)

    endpoint.default = reply
    first = run(workspace, endpoint, sources=[TICKETS], count=10, surplus=1)
    assert run(workspace, endpoint, sources=[TICKETS], count=10, surplus=1) == first
    assert endpoint.most_in_flight > 1


def test_the_judge_drops_what_it_would_answer_otherwise(workspace, endpoint):
    def reply(prompt):
        if "기호만" not in prompt:
            return written("몇 회 고장 나면 바꾸나요?", "3회", ["1회", "2회", "4회"])
        return Answer(f"정답은 {re.search('([A-D]). 3회', prompt).group(1)}입니다." if agree else "모르겠습니다")

    endpoint.default = reply
    source = {**DOCUMENTS}
    agree = True
    assert len(run(workspace, endpoint, judged=True, sources=[source], count=1, surplus=1).items) == 1
    agree = False
    dataset = run(workspace, endpoint, judged=True, sources=[source], count=1, surplus=1)
    assert [entry.filter for entry in dataset.dropped][-2:] == ["judge", "diversity"]
    assert not dataset.items
    assert dataset.dropped[-2].reason.startswith('the judge answers "모르겠습니다"')


def test_a_wrong_key_stops_the_synthesis(workspace, endpoint):
    endpoint.key = "right"
    with pytest.raises(DriftgateError, match="401"):
        run(workspace, endpoint, sources=[DOCUMENTS], count=1)


def test_a_model_that_is_not_open_is_named(workspace):
    config = SynthesisConfig.model_validate({"sources": [DOCUMENTS], "model": "writer"})
    with pytest.raises(DriftgateError, match="the model 'writer', which is not open"):
        asyncio.run(synthesize(config, workspace, Firewall([])))


@pytest.mark.parametrize("text", ['{"question": ' + "[" * 100_000, '{"question": ' + "9" * 5000 + "}"])
def test_a_reply_that_python_refuses_to_read_is_an_item_s_fault_and_no_defect(workspace, endpoint, text):
    good = written("보증 기간은 얼마인가요?", "24개월", ["6개월", "36개월", "48개월"])
    endpoint.script("", Answer(text), good)
    dataset = run(workspace, endpoint, sources=[DOCUMENTS], count=1, surplus=2)
    assert [item.right_choice for item in dataset.items] == ["24개월"]
