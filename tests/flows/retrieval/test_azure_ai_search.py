"""Azure AI Search: what is asked, what is tried again, what stops the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chat_endpoint import ChatEndpoint
from pydantic import ValidationError
from search_endpoint import SearchEndpoint

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelMisconfigured, RequestRejected, Unavailable
from driftgate.flows.retrieval import Retriever, open_retriever, parse_config

Configs = dict[str, dict[str, Any]]


@pytest.fixture
def opened(configs: Configs, tmp_path: Path):
    def build(**changes: Any) -> Retriever:
        return open_retriever("tested", parse_config(configs["azure_ai_search"] | changes), tmp_path)

    return build


async def test_the_request_is_the_documented_one(opened, search: SearchEndpoint) -> None:
    retriever = opened(filter="lang eq 'ko'")
    await retriever.search("주차비", 3)
    await retriever.aclose()
    (request,) = search.requests
    assert request["path"] == "/indexes/handbook/docs/search" and request["query"] == {"api-version": "2024-07-01"}
    assert request["headers"]["api-key"] == "s3cret-query-key" and "authorization" not in request["headers"]
    assert request["body"] == {"search": "주차비", "top": 3, "select": "id,doc,content", "filter": "lang eq 'ko'"}


async def test_semantic_ranking_is_asked_for_and_needs_its_configuration(opened, search: SearchEndpoint) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        opened(query_type="semantic")
    retriever = opened(query_type="semantic", semantic_configuration="ko")
    await retriever.search("주차비")
    await retriever.aclose()
    assert search.requests[0]["body"]["queryType"] == "semantic"
    assert search.requests[0]["body"]["semanticConfiguration"] == "ko"


async def test_without_a_key_an_entra_token_is_sent(
    opened, search: SearchEndpoint, endpoint: ChatEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "app-service")
    retriever = opened(api_key=None)
    await retriever.search("주차비")
    await retriever.aclose()
    assert search.requests[0]["headers"]["authorization"] == "Bearer token-1"
    assert "api-key" not in search.requests[0]["headers"]


async def test_passing_faults_are_tried_again(opened, search: SearchEndpoint) -> None:
    search.faults = [
        web.Response(status=503),
        web.Response(status=429, headers={"Retry-After": "0"}),
        web.Response(body=b"{", content_type="application/json"),
    ]
    retriever = opened()
    assert (await retriever.search("주차비는 얼마"))[0].document == "parking"
    await retriever.aclose()
    assert len(search.requests) == 4


async def test_a_service_that_stays_away_is_given_up(opened, search: SearchEndpoint) -> None:
    search.faults = [web.Response(status=500) for _ in range(2)]
    retriever = opened(attempts=2)
    with pytest.raises(Unavailable, match="given up after 2 attempts"):
        await retriever.search("주차비")
    await retriever.aclose()


async def test_a_service_that_answers_nobody_any_more_stops_the_run(opened, search: SearchEndpoint) -> None:
    retriever = opened(attempts=1)
    fault = web.Response
    search.faults = [fault(status=500) for _ in range(9)]
    for _ in range(9):
        with pytest.raises(Unavailable):
            await retriever.search("주차비")
    assert await retriever.search("주차비")  # one answer between them, and they are passing faults
    search.faults = [fault(status=500) for _ in range(10)]
    for _ in range(9):
        with pytest.raises(Unavailable):
            await retriever.search("주차비")
    with pytest.raises(ModelMisconfigured, match=r"\(127.0.0.1:\d+\) gives nothing any more: 10 questions in a row"):
        await retriever.search("주차비")
    await retriever.aclose()


@pytest.mark.parametrize(
    ("status", "kind"), [(403, ModelMisconfigured), (404, ModelMisconfigured), (400, RequestRejected)]
)
async def test_what_asking_again_would_not_change_is_not_asked_again(
    opened, search: SearchEndpoint, status: int, kind: type[DriftgateError]
) -> None:
    search.faults = [web.Response(status=status, text="no such index")]
    retriever = opened()
    with pytest.raises(kind, match="no such index"):
        await retriever.search("주차비")
    await retriever.aclose()
    assert len(search.requests) == 1


async def test_a_service_that_redirects_is_not_followed(opened, search: SearchEndpoint, endpoint: ChatEndpoint) -> None:
    location = f"http://localhost:{endpoint.port}/v1/chat/completions"
    search.faults = [web.Response(status=307, headers={"Location": location})]
    retriever = opened()
    said = r"retriever 'tested' is redirected from 127\.0\.0\.1 to localhost, where neither its key"
    with pytest.raises(ModelMisconfigured, match=said):
        await retriever.search("주차비")
    await retriever.aclose()
    assert len(search.requests) == 1 and not endpoint.requests


async def test_results_without_the_text_say_so(opened, search: SearchEndpoint) -> None:
    retriever = opened(text_field="body", attempts=1)
    with pytest.raises(Unavailable, match="holds no results"):
        await retriever.search("주차비")
    await retriever.aclose()


def test_a_key_in_the_file_is_refused(opened) -> None:
    with pytest.raises(ValidationError, match="secret does not belong"):
        opened(api_key="s3cret-query-key")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"value": [{"id": "a", "doc": "a", "content": "x", "@search.score": NaN}]}', "a score is nan"),
        ('{"value": [{"id": "a", "doc": "a", "content": "x", "@search.score": 1e400}]}', "a score is inf"),
        ('{"value": [{"id": "a", "doc": "a", "content": "x", "@search.score": "high"}]}', "a score is 'high'"),
        ('{"value": ["a"]}', "no results"),
        ('{"value": ' + "[" * 900 + "]" * 900 + "}", "nested more than 100 deep"),
        ('{"value": ' + "[" * 100_000, "nested more than 100 deep"),
        ('{"value": [], "value": [{}]}', "it says two things under 'value'"),
    ],
)
async def test_a_reply_that_cannot_be_is_no_result_and_no_defect(
    opened, search: SearchEndpoint, body: str, words: str
) -> None:
    search.faults[:] = [web.Response(text=body, content_type="application/json")]
    retriever = opened(attempts=1)
    with pytest.raises(Unavailable, match="the reply holds no results") as failed:
        await retriever.search("주차비")
    await retriever.aclose()
    assert words in failed.value.message and len(failed.value.message) < 300


async def test_half_a_character_in_a_passage_can_be_kept(opened, search: SearchEndpoint) -> None:
    body = '{"value": [{"id": "a", "doc": "a", "content": "x\\ud800", "@search.score": 1}]}'
    search.faults[:] = [web.Response(text=body, content_type="application/json")]
    retriever = opened()
    (passage,) = await retriever.search("주차비")
    await retriever.aclose()
    assert passage.text == "x?"


async def test_a_reply_without_an_end_is_not_read_to_its_end(opened, search: SearchEndpoint) -> None:
    search.faults[:] = [web.Response(body=b" " * 9_000_000, content_type="application/json")]
    retriever = opened()
    with pytest.raises(RequestRejected, match="the reply is longer than 8 MB"):
        await retriever.search("주차비")
    await retriever.aclose()
    assert len(search.requests) == 1


async def test_a_service_that_asks_to_wait_for_years_is_not_waited_for(opened, search: SearchEndpoint) -> None:
    search.faults[:] = [web.Response(status=429, headers={"Retry-After": "100000000"})]
    retriever = opened()
    with pytest.raises(Unavailable, match="it asks to wait 100,000,000 s"):
        await retriever.search("주차비")
    await retriever.aclose()
