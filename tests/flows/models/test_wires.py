"""The two wire forms: one workspace speaks both, and a model is asked in the one that its service wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status, Step, responses_only, unsupported

from driftgate.flows.models import (
    Capabilities,
    ChatModel,
    ContentFiltered,
    Message,
    Model,
    ModelMisconfigured,
    NoLogprobs,
    RateLimited,
    RequestRejected,
    Unavailable,
    Usage,
)

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
ASKED = [Message("system", "짧게."), Message("user", "수도는?")]


@pytest.fixture
def opened(model_config: Build, open_model: Open) -> Callable[..., ChatModel]:
    def build(provider: str = "openai", **settings: Any) -> ChatModel:
        model = open_model(model_config(provider, **settings))
        assert isinstance(model, ChatModel)
        return model

    return build


def sent(endpoint: ChatEndpoint) -> list[Mapping[str, Any]]:
    return [{k: v for k, v in r.body.items() if k not in ("messages", "input", "model")} for r in endpoint.requests]


def response(*output: Any, status: str = "completed", **more: Any) -> Status:
    usage = {"input_tokens": 20, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 8}}
    return Status(200, {"object": "response", "model": "m", "status": status, "output": output, "usage": usage} | more)


def spoken(text: str, kind: str = "output_text") -> dict[str, Any]:
    key = "refusal" if kind == "refusal" else "text"
    return {"type": "message", "role": "assistant", "content": [{"type": kind, key: text}]}


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "B?"}]}


@pytest.mark.parametrize("provider", ["openai", "azure_openai"])
async def test_a_model_of_the_responses_api_is_asked_there_once_its_service_says_so(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, provider: str
) -> None:
    endpoint.refuses = responses_only
    model = opened(provider, parameters={"max_tokens": 50, "reasoning_effort": "low"})
    first, second = await model.complete(ASKED), await model.complete(ASKED)
    assert first.text == second.text == "A" and list(first.without) == ["chat"]
    assert model.refusals == 1 and model.identity["wire"] == "responses"
    assert [request.path.rpartition("/")[2] for request in endpoint.requests] == ["completions", *["responses"] * 2]
    assert endpoint.requests[1].path in ("/v1/responses", "/openai/v1/responses")
    assert sent(endpoint)[1] == {"max_output_tokens": 50, "reasoning": {"effort": "low"}, "store": False}
    assert endpoint.requests[1].body["input"][0] == {"role": "system", "content": "짧게."}
    assert endpoint.requests[1].body["model"]
    await model.aclose()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
        (400, "This model is only supported in the Responses API."),
        (400, "The chatCompletion operation does not work with the specified model, gpt-5-codex."),
        (422, "Use the /v1/responses endpoint for this model."),
    ],
)
async def test_however_a_service_says_that_it_wants_the_responses_api(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, status: int, words: str
) -> None:
    refusal = Status(status, {"error": {"message": words, "code": "OperationNotSupported"}})
    endpoint.refuses = lambda body: refusal if "messages" in body else None
    model = opened()
    assert (await model.complete(ASKED)).text == "A"
    assert model.capabilities.wire == "responses"
    await model.aclose()


async def test_a_wire_form_that_the_user_states_is_not_changed(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = responses_only
    model = opened(wire="chat")
    with pytest.raises(ModelMisconfigured, match="only supported in v1/responses") as refused:
        await model.complete(ASKED)
    assert "models.tested.wire: responses, or leave wire out" in refused.value.remedy
    assert len(endpoint.requests) == 1
    stated = opened(wire="responses", parameters={})
    assert (await stated.complete(ASKED)).without == {}
    assert len(endpoint.requests) == 2
    for one in (model, stated):
        await one.aclose()


async def test_a_service_without_the_responses_api_is_said_to_have_none(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.default = Status(404, {"detail": "Not Found"})
    model = opened(wire="responses")
    with pytest.raises(ModelMisconfigured, match=r"does not answer at .*/v1/responses") as refused:
        await model.complete(ASKED)
    assert "wire: chat" in refused.value.remedy
    await model.aclose()


async def test_a_deployment_that_is_not_there_is_not_asked_in_another_form(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.default = Status(404, {"error": {"code": "DeploymentNotFound", "message": "no such deployment"}})
    model = opened(wire="responses")
    with pytest.raises(ModelMisconfigured, match="is not served at"):
        await model.complete(ASKED)
    await model.aclose()


@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (response(THOUGHT, spoken("정답: B")), "정답: B", "stop"),
        (response(spoken("정"), spoken("답")), "정답", "stop"),
        (response(THOUGHT), "", "stop"),
        (response(THOUGHT, status="incomplete", incomplete_details={"reason": "max_output_tokens"}), "", "length"),
        (response(spoken("정"), status="incomplete", incomplete_details=None), "정", "length"),
        (response({"role": "assistant", "content": "B"}), "B", "stop"),
    ],
)
async def test_a_response_is_read_whole(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, reply: Status, text: str, finish: str
) -> None:
    endpoint.default = reply
    model = opened(wire="responses")
    found = await model.complete(ASKED)
    assert (found.text, found.finish_reason, found.model) == (text, finish, "m")
    assert found.usage == Usage(20, 9, 8)
    await model.aclose()


FAILED = {"code": "server_error", "message": "boom"}


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (response(status="failed", error=FAILED), Unavailable, "boom"),
        (response(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}), RateLimited, "slow"),
        (response(status="failed", error={"code": "invalid_prompt", "message": "no"}), ContentFiltered, "no"),
        (response(status="failed", error=None), Unavailable, "failed"),
        (response(status="cancelled"), Unavailable, "cancelled"),
        (response(status="in_progress"), Unavailable, "in_progress"),
        (response(THOUGHT, spoken("말할 수 없다", "refusal")), ContentFiltered, "the model refused: 말할 수 없다"),
        (response(status="incomplete", incomplete_details={"reason": "content_filter"}), ContentFiltered, "filtered"),
        (Status(200, {"error": {"message": "upstream", "code": 503}}), Unavailable, "upstream"),
        (Status(200, {"object": "response", "status": "completed"}), Unavailable, "no response of the Responses API"),
        (Status(200, b"<html>"), Unavailable, "no response of the Responses API"),
    ],
)
async def test_what_a_response_says_went_wrong(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, reply: Status, error: type[Exception], words: str
) -> None:
    endpoint.default = reply
    model = opened(wire="responses")
    with pytest.raises(error, match=words):
        await model.complete(ASKED)
    await model.aclose()


async def test_log_probabilities_are_asked_of_the_responses_api_in_its_own_way(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.default = Answer("B", top_logprobs={"B": -0.25, "A": -1.5})
    model = opened(wire="responses", scoring="logprobs", parameters={})
    assert (await model.complete(ASKED)).first_token == {"B": -0.25, "A": -1.5}
    assert sent(endpoint) == [{"include": ["message.output_text.logprobs"], "top_logprobs": 20, "store": False}]
    endpoint.default = Answer("B")
    with pytest.raises(NoLogprobs):
        await model.complete(ASKED)
    said = "Unsupported parameter: 'include' is not supported with this model."
    endpoint.default = unsupported(said, "include[0]", "unsupported_parameter")
    with pytest.raises(ModelMisconfigured, match="which scoring: logprobs needs"):
        await model.complete(ASKED)
    await model.aclose()


async def test_a_schema_is_asked_of_the_responses_api_in_its_own_way(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    schema = {"name": "item", "schema": {"type": "object"}, "strict": True}
    model = opened(wire="responses", parameters={"response_format": {"type": "json_schema", "json_schema": schema}})
    await model.complete(ASKED)
    assert sent(endpoint)[0]["text"] == {"format": {"type": "json_schema", **schema}}
    assert model.capabilities.takes("response_format")
    await model.aclose()


async def test_a_service_that_keeps_nothing_is_not_told_not_to(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    said = "Unknown parameter: 'store'."
    endpoint.refuses = lambda body: unsupported(said, None, "unknown_parameter") if "store" in body else None
    model = opened(wire="responses", parameters={})
    assert (await model.complete(ASKED)).without == {}
    assert sent(endpoint) == [{"store": False}, {}]
    await model.aclose()


NAMES = ("max_tokens", "max_completion_tokens", "max_output_tokens")


@pytest.mark.parametrize("written", NAMES)
@pytest.mark.parametrize(("taken", "wire"), zip(NAMES, ("auto", "auto", "responses"), strict=True))
async def test_the_limit_on_tokens_is_one_thing_whatever_it_is_called(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, written: str, taken: str, wire: str
) -> None:
    def only(body: Mapping[str, Any]) -> Step | None:
        other = next((name for name in NAMES if name in body and name != taken), None)
        said = f"Unsupported parameter: '{other}' is not supported with this model."
        return unsupported(said, other, "unsupported_parameter") if other else None

    endpoint.refuses = only
    model = opened(wire=wire, parameters={written: 50})
    reply = await model.complete(ASKED)
    assert sent(endpoint)[-1][taken] == 50 and reply.without == {}
    assert model.capabilities.cap == taken and len(endpoint.requests) <= 2
    await model.aclose()


def test_two_names_of_one_thing_are_refused(model_config: Build, open_model: Open) -> None:
    with pytest.raises(ValueError, match="one limit on tokens under 2 names: max_tokens, max_completion_tokens"):
        open_model(model_config("openai", parameters={"max_tokens": 5, "max_completion_tokens": 6}))
    with pytest.raises(ValueError, match="the reasoning effort twice"):
        open_model(model_config("openai", parameters={"reasoning_effort": "low", "reasoning": {"effort": "high"}}))


@pytest.mark.parametrize("wire", ["chat", "responses"])
async def test_an_effort_that_the_model_does_not_have_is_refused_with_those_it_has(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint, wire: str
) -> None:
    name = "reasoning_effort" if wire == "chat" else "reasoning.effort"
    said = f"Unsupported value: '{name}' does not support 'none' with this model. Supported values are: 'low', 'high'."
    endpoint.default = unsupported(said, name, "unsupported_value")
    model = opened(wire=wire, parameters={"reasoning_effort": "none"})
    with pytest.raises(ModelMisconfigured, match="does not take the parameter 'reasoning_effort'") as refused:
        await model.complete(ASKED)
    assert refused.value.remedy.endswith("give it a value that the model takes: low, high")
    assert model.capabilities.efforts == ("low", "high")
    await model.aclose()


async def test_two_defaults_that_are_refused_one_after_the_other(
    model_config: Build, endpoint: ChatEndpoint, open_model: Open
) -> None:
    def one_by_one(body: Mapping[str, Any]) -> Step | None:
        for name in ("temperature", "top_p"):
            if name in body:
                return unsupported(f"Unsupported value: '{name}' is fixed.", None, None)
        return None

    endpoint.refuses = one_by_one
    from driftgate.flows.models import PROVIDERS, parse_config

    config = parse_config(model_config("openai")).with_ours(top_p=1)
    model = PROVIDERS.get("openai").open("tested", config, None)  # type: ignore[arg-type]
    assert set((await model.complete(ASKED)).without) == {"temperature", "top_p"}
    assert len(endpoint.requests) == 3
    await model.aclose()


STALE = Capabilities(wire="responses", refused={"chat": "once", "temperature": "once"})


async def test_what_was_learnt_another_day_saves_the_refused_requests(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.refuses = responses_only
    model = opened()
    model.remember(STALE)
    assert set((await model.complete(ASKED)).without) == {"chat", "temperature"}
    assert len(endpoint.requests) == 1 and model.refusals == 0
    await model.aclose()


async def test_what_was_learnt_of_another_deployment_is_learnt_anew(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    gone = Status(404, {"error": {"message": "no such path", "code": None}})
    endpoint.refuses = lambda body: gone if "input" in body else None
    model = opened()
    model.remember(STALE)
    assert (await model.complete(ASKED)).without == {}
    assert sent(endpoint)[-1] == {"temperature": 0} and model.capabilities.wire == "chat"
    await model.aclose()


async def test_a_limit_that_was_refused_by_all_its_names_another_day_is_sent_and_never_dropped(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    model = opened(parameters={"max_tokens": 5})
    model.remember(Capabilities(refused={"max_tokens": "once", "max_completion_tokens": "once"}))
    assert (await model.complete(ASKED)).without == {}
    assert 5 in sent(endpoint)[-1].values()
    await model.aclose()


async def test_a_question_that_is_refused_teaches_nothing(
    opened: Callable[..., ChatModel], endpoint: ChatEndpoint
) -> None:
    endpoint.default = Status(400, {"error": {"message": "Invalid value: 'input[0].content'", "param": "input"}})
    model = opened(wire="responses")
    before = model.capabilities
    with pytest.raises(RequestRejected):
        await model.complete(ASKED)
    assert model.capabilities == before
    await model.aclose()
