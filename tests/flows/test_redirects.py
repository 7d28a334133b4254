"""A redirect is never followed by anything that carries a key or a prompt, and says where it would have gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest
from chat_endpoint import Answer, ChatEndpoint, Status

from driftgate.flows.evaluators import EVALUATORS, EvaluatorContext
from driftgate.flows.models import (
    AdaptiveLimit,
    Message,
    Model,
    ModelMisconfigured,
    RetryPolicy,
    parse_config,
    resilient,
)

ASKED = [Message("user", "수도는?")]


@pytest.fixture
def elsewhere() -> Iterator[ChatEndpoint]:
    """The host that a redirect leads to; it would answer."""
    made = ChatEndpoint()
    made.default = Answer('{"reason": "fine", "score": 5, "status": "completed"}')
    made.start()
    yield made
    made.stop()


def towards(elsewhere: ChatEndpoint, code: int = 307) -> Status:
    location = f"http://localhost:{elsewhere.port}/v1/chat/completions?key=s3cret"
    return Status(code, b"", {"Location": location})


@pytest.fixture(params=["openai", "azure_openai"])
async def model(
    request: pytest.FixtureRequest,
    model_config: Callable[..., dict[str, Any]],
    open_model: Callable[[Mapping[str, Any]], Model],
) -> AsyncIterator[Model]:
    opened = open_model(model_config(request.param))
    yield opened
    await opened.aclose()


@pytest.mark.parametrize("code", [300, 301, 302, 303, 307, 308])
async def test_a_model_s_service_that_redirects_is_not_followed(
    model: Model, endpoint: ChatEndpoint, elsewhere: ChatEndpoint, code: int
) -> None:
    endpoint.default = towards(elsewhere, code)
    patient = resilient(model, RetryPolicy(timeout=5.0, attempts=3, first_pause=0.001), AdaptiveLimit(4))
    with pytest.raises(ModelMisconfigured) as refused:
        await patient.complete(ASKED)
    said = "model 'tested' is redirected from 127.0.0.1 to localhost, where neither its key nor a prompt may go"
    assert refused.value.message == said and "endpoint" in refused.value.remedy
    assert len(endpoint.requests) == 1 and not elsewhere.requests


@pytest.mark.parametrize(
    ("headers", "where"),
    [({"Location": "/elsewhere"}, "127.0.0.1"), ({}, "127.0.0.1"), ({"Location": "http://[broken"}, "none")],
)
async def test_a_redirect_that_names_no_host_is_none_to_follow_either(
    model: Model, endpoint: ChatEndpoint, headers: dict[str, str], where: str
) -> None:
    endpoint.default = Status(307, b"", headers)
    with pytest.raises(ModelMisconfigured, match=rf"redirected from 127\.0\.0\.1 to .*{where}, where"):
        await model.complete(ASKED)


@pytest.mark.parametrize("provider", ["openai", "azure_openai"])
async def test_a_judge_s_service_that_redirects_is_not_followed(
    endpoint: ChatEndpoint,
    elsewhere: ChatEndpoint,
    model_config: Callable[..., dict[str, Any]],
    provider: str,
) -> None:
    endpoint.default = towards(elsewhere)
    context = EvaluatorContext({"j": parse_config(model_config(provider))})
    evaluator = EVALUATORS.get("fluency")(judge="j", context=context)
    with pytest.raises(ModelMisconfigured, match=r"model 'j' is redirected from 127\.0\.0\.1 to localhost, where"):
        await evaluator(response="서울입니다.")
    assert len(endpoint.requests) == 1 and not elsewhere.requests


async def test_azure_s_own_clients_do_not_follow(endpoint: ChatEndpoint, elsewhere: ChatEndpoint) -> None:
    """Those that azure-ai-evaluation's safety evaluators, the trainers and the rollout make."""
    from driftgate.flows.evaluators._azure import azure_class

    azure_class("ViolenceEvaluator")
    from azure.ai.evaluation._http_utils import get_async_http_client, get_http_client

    endpoint.default = towards(elsewhere)
    body = {"messages": [{"role": "user", "content": "개인 정보"}]}
    url = f"{endpoint.url}/v1/chat/completions"
    async with get_async_http_client() as client:
        assert (await client.post(url, json=body, headers={"api-key": "s3cret"})).status_code == 307
    with get_http_client() as plain:
        done = await asyncio.to_thread(plain.post, url, json=body, headers={"api-key": "s3cret"})
        assert done.status_code == 307
    assert len(endpoint.requests) == 2 and not elsewhere.requests
