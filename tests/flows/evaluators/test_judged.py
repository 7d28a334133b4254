"""azure-ai-evaluation's judged evaluators against an endpoint that plays the judge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Hang, Status, reasoning, responses_only
from judge import careful

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators import EVALUATORS, EvaluatorContext, JudgedEvaluator, NoGrade
from driftgate.flows.evaluators._anchors import SHIPPED, load_anchors
from driftgate.flows.models import Capabilities, parse_config

NAMES = sorted(load_anchors(SHIPPED)[0].grades)
Make = Callable[..., JudgedEvaluator]


@pytest.fixture
def make(endpoint: ChatEndpoint) -> Make:
    """``make(name, **settings)``: an evaluator whose judge ``j`` is the endpoint."""
    endpoint.default = careful
    config = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"}
    context = EvaluatorContext({"j": parse_config(config)})
    return lambda name, **settings: EVALUATORS.get(name)(**{"judge": "j", "context": context, **settings})


@pytest.mark.parametrize("name", NAMES)
async def test_every_judged_evaluator_grades_what_fits_above_what_does_not(
    make: Make, endpoint: ChatEndpoint, name: str
) -> None:
    evaluator = make(name)
    same = dict.fromkeys(
        evaluator.kind.inputs, "재택근무는 팀장의 승인을 받아 주 2회까지 할 수 있으며 목요일까지 신청한다"
    )
    judged_text = "context" if name == "retrieval" else "response"
    good, bad = await evaluator(**same), await evaluator(**{**same, judged_text: "qq qq qq"})
    assert set(good) == {name, "passed", "reason", "judge", "input_tokens", "output_tokens", "read", "reasked"}
    assert 1.0 <= bad[name] < good[name] <= 5.0
    assert good["passed"] == float(good[name] >= 3) and good["reason"].startswith("Let's think")
    assert (good["judge"], good["input_tokens"], good["output_tokens"]) == ("judge-1", 900.0, 30.0)
    assert all(request.body["response_format"] == {"type": "json_object"} for request in endpoint.requests)
    assert all(request.body["temperature"] == 0.0 for request in endpoint.requests)


@pytest.mark.parametrize("name", ["relevance", "intent_resolution", "coherence", "fluency", "groundedness"])
async def test_a_conversation_is_given_as_turns_and_not_as_python_writes_it(
    make: Make, endpoint: ChatEndpoint, name: str
) -> None:
    said = ["연차가 며칠이에요?", "15일입니다.", "이월도 되나요?", "네, 3월까지 됩니다."]
    turns = [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(said)]
    evaluator = make(name)
    inputs: dict[str, Any] = dict.fromkeys(evaluator.kind.inputs, "연차는 15일이고 3월까지 이월된다.")
    long = "query" if "query" in inputs else "response"
    await evaluator(**{**inputs, long: turns[:3] if long == "query" else turns})
    prompt = "\n".join(str(message["content"]) for message in endpoint.requests[-1].body["messages"])
    assert all(text in prompt for text in (said if long == "response" else said[:3]))
    ours = [line for line in prompt.splitlines() if any(text in line for text in said)]
    assert ours and not any(word in line for line in ours for word in ("role", "content", "{'", "[{"))


async def test_a_grade_costs_what_the_judge_s_prices_say(make: Make, endpoint: ChatEndpoint) -> None:
    config = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"}
    prices = {"prices": {"input": 2.0, "output": 10.0}}
    priced = make("fluency", context=EvaluatorContext({"j": parse_config({**config, **prices})}))
    assert (await priced(response="서울입니다."))["cost"] == pytest.approx((900 * 2.0 + 30 * 10.0) / 1e6)


async def test_a_judge_that_is_down_costs_no_more_than_the_deadline(make: Make, endpoint: ChatEndpoint) -> None:
    endpoint.default = Status(500, {"error": {"message": "boom"}})
    with pytest.raises(NoGrade, match=r"the judge 'j' gave no grade within 0\.5 s"):
        await make("fluency", deadline=0.5)(response="서울입니다.")
    endpoint.default = Hang()
    with pytest.raises(NoGrade, match=r"within 0\.3 s"):
        await make("fluency", deadline=0.3)(response="서울입니다.")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Answer('{"reason": "r", "score": 9, "status": "completed"}'), "gave 9, expected 1 to 5"),
        (Answer('{"reason": "no text", "score": null, "status": "skipped"}'), "no grade: Not applicable: no text"),
        (
            Answer("good enough"),
            'the judge wrote no grade, expected one from 1 to 5, asked twice; it said: "good enough"',
        ),
        (Status(401, {"error": {"message": "bad key"}}), "refused the key of model 'j'.*bad key"),
    ],
)
async def test_no_grade_is_said_in_a_sentence(make: Make, endpoint: ChatEndpoint, step: Any, said: str) -> None:
    endpoint.default = step
    with pytest.raises(NoGrade, match=said):
        await make("fluency")(response="서울입니다.")


async def test_no_more_grades_are_asked_for_at_once_than_allowed(make: Make, endpoint: ChatEndpoint) -> None:
    evaluator = make("fluency", in_flight=2)
    await asyncio.gather(*(evaluator(response=f"서울입니다 {n}.") for n in range(8)))
    assert endpoint.most_in_flight <= 2
    with pytest.raises(ValueError, match="expected both to be positive"):
        make("fluency", in_flight=0)


def test_a_pin_names_the_judge_and_no_secret(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    first, again = make("fluency"), make("fluency", threshold=4, deadline=5)
    assert first.pin_id == again.pin_id  # neither changes a grade
    assert first.pin["judge"]["model"] == "judge-1" and first.pin["evaluator"] == "FluencyEvaluator"
    assert len({first.pin_id, make("coherence").pin_id, make("fluency", version="2026-11").pin_id}) == 3
    monkeypatch.setenv("JUDGE_KEY", "s3cret")
    azure = {
        "provider": "azure_openai",
        "endpoint": "https://x.openai.azure.com",
        "deployment": "gpt-5-mini",
        "api_key": "${env:JUDGE_KEY}",
    }
    judged = make("fluency", context=EvaluatorContext({"j": parse_config(azure)}))
    judged.open()
    assert "s3cret" not in str(judged.pin) and "JUDGE_KEY" not in str(judged.pin) and "s3cret" not in repr(judged)
    assert judged.judge.model_config()["azure_deployment"] == "gpt-5-mini"


async def test_an_azure_openai_deployment_can_be_the_judge(
    make: Make, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "k-1")
    endpoint.key = "k-1"
    config = {
        "provider": "azure_openai",
        "endpoint": endpoint.url,
        "deployment": "d",
        "api_key": "${env:JUDGE_KEY}",
    }
    evaluator = make("fluency", context=EvaluatorContext({"j": parse_config(config)}))
    assert (await evaluator(response="서울입니다."))["judge"] == "deployed"
    assert "/openai/deployments/d/" in endpoint.requests[-1].path


@pytest.mark.parametrize(
    ("refuses", "refused", "cap"), [(reasoning, 2, "max_completion_tokens"), (responses_only, 2, "max_output_tokens")]
)
async def test_a_judge_that_reasons_grades_without_being_told_that_it_does(
    make: Make, endpoint: ChatEndpoint, refuses: Any, refused: int, cap: str
) -> None:
    endpoint.refuses = refuses
    evaluator = make("fluency")
    first = await evaluator(response="서울입니다.")
    second = await evaluator(response="서울입니다.")
    assert first["fluency"] == second["fluency"] and first["input_tokens"] == 900.0
    assert len(endpoint.requests) == 2 + refused
    last = endpoint.requests[-1].body
    assert last[cap] == 60_000 and "temperature" not in last and "max_tokens" not in last


async def test_a_judge_begins_with_what_is_known_of_its_deployment(endpoint: ChatEndpoint) -> None:
    endpoint.default, endpoint.refuses = careful, reasoning
    config = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"}
    known = Capabilities(refused={"temperature": "once", "max_tokens": "once"})
    context = EvaluatorContext({"j": parse_config(config)}, known=lambda name: known if name == "j" else None)
    evaluator: JudgedEvaluator = EVALUATORS.get("fluency")(judge="j", context=context)
    await evaluator(response="서울입니다.")
    assert len(endpoint.requests) == 1


async def test_grades_of_a_judge_without_a_key_share_one_token(
    endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.setenv("PATH", "")  # no az, azd or pwsh is asked
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "app-service")
    endpoint.default = careful
    config = {"provider": "azure_openai", "endpoint": endpoint.url, "deployment": "d", "api_version": "v1"}
    evaluator: JudgedEvaluator = EVALUATORS.get("fluency")(
        judge="j", context=EvaluatorContext({"j": parse_config(config)})
    )
    for n in range(3):
        await evaluator(response=f"서울입니다 {n}.")
    await asyncio.gather(*(evaluator(response=f"부산입니다 {n}.") for n in range(4)))
    assert endpoint.tokens_given == 1 and endpoint.scopes == ["https://ai.azure.com"]
    assert len(endpoint.requests) == 7


async def test_the_effort_of_a_judge_is_sent_and_pinned(endpoint: ChatEndpoint) -> None:
    endpoint.default = careful
    config = {"provider": "openai", "endpoint": f"{endpoint.url}/v1", "model": "judge-1"}
    low = {**config, "parameters": {"reasoning_effort": "low", "top_p": 0.3}}
    plain, thrifty = (
        EVALUATORS.get("fluency")(judge="j", context=EvaluatorContext({"j": parse_config(one)}))
        for one in (config, low)
    )
    await thrifty(response="서울입니다.")
    assert endpoint.requests[-1].body["reasoning_effort"] == "low" and endpoint.requests[-1].body["top_p"] != 0.3
    assert plain.pin_id != thrifty.pin_id


def test_a_judge_that_cannot_be_is_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(DriftgateError, match="an AI-judged evaluator needs a judge; write settings"):
        make("fluency", judge=None)
    with pytest.raises(DriftgateError, match="no model 'jj' to be the judge; did you mean 'j'"):
        make("fluency", judge="jj")
    local = EvaluatorContext({"j": parse_config({"provider": "local"})})
    with pytest.raises(DriftgateError, match="provider 'local', which azure-ai-evaluation cannot reach"):
        make("fluency", context=local)
    keyed = {"provider": "openai", "endpoint": "http://127.0.0.1:9/v1", "model": "m", "api_key": "${env:NOT_SET_X}"}
    with pytest.raises(DriftgateError, match="NOT_SET_X, which is not set"):
        make("fluency", context=EvaluatorContext({"j": parse_config(keyed)})).open()


def test_the_shipped_anchors_are_in_both_languages_and_use_the_whole_scale() -> None:
    anchors = load_anchors(SHIPPED)
    assert {a.language for a in anchors} == {"ko", "en"} and len(anchors) == 24
    for name in NAMES:
        assert {1, 5} <= {a.grades[name] for a in anchors}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no anchor"),
        ("{}", "line 1: id: Field required"),
        ("not json", "line 1"),
        (SHIPPED.read_text(encoding="utf-8").splitlines()[0] + "\n", "line 2: the id 'ko-leave-full' comes twice"),
    ],
)
def test_anchors_that_cannot_work_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "anchors.jsonl"
    file.write_text(text * 2 if "ko-leave" in text else text, encoding="utf-8")
    with pytest.raises(DriftgateError, match=said):
        load_anchors(file)


PROJECT = "https://x.services.ai.azure.com/api/projects/p"


@pytest.mark.parametrize("name", ["violence", "indirect_attack", "protected_material", "hate_unfairness"])
def test_safety_needs_a_project_and_a_credential(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DriftgateError, match="needs a Foundry project, and azure_ai_project is not set"):
        EVALUATORS.get(name)()
    with pytest.raises(DriftgateError, match="give its endpoint, or subscription_id"):
        EVALUATORS.get(name)(azure_ai_project={"project": "p"})
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    for variable in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(DriftgateError, match="has a Foundry project and no credential for it"):
        EVALUATORS.get(name)(azure_ai_project=PROJECT).open()


@pytest.mark.parametrize("name", ["violence", "indirect_attack"])
def test_safety_is_made_of_the_real_class_where_there_is_a_credential(
    name: str, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    monkeypatch.setenv("PROJECT_X", PROJECT)
    made = EVALUATORS.get(name)(azure_ai_project="${env:PROJECT_X}")
    made.open()
    assert type(made._azure).__module__.startswith("azure.ai.evaluation")
