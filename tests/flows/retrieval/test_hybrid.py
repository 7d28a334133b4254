"""The hybrid retriever: what it finds beyond words, what is asked of embeddings, and that it needs them."""

from __future__ import annotations

import json
import stat
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from embeddings_endpoint import EmbeddingsEndpoint

from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelError, ModelMisconfigured, Unavailable
from driftgate.flows.retrieval import Paid, Retriever, open_retriever, paid_since, parse_config, unpriced_search

MEANINGS = {"rest": ("연차", "쉬", "day off"), "ill": ("병가", "아프", "qzq"), "car": ("주차", "차를", "car")}
Opened = Callable[..., Retriever]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingsEndpoint]:
    monkeypatch.setenv("TEST_EMBEDDING_KEY", "s3cret-embedding-key")
    served = EmbeddingsEndpoint(MEANINGS)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def opened(documents: Path, service: EmbeddingsEndpoint) -> Opened:
    def build(**changes: Any) -> Retriever:
        by = {
            "endpoint": f"{service.url}/v1",
            "model": "ko",
            "api_key": "${env:TEST_EMBEDDING_KEY}",
            "attempts": 2,
            **changes,
        }
        return open_retriever("docs", parse_config({"folder": "docs", "embeddings": by}), documents)

    return build


def without(documents: Path, **settings: Any) -> Retriever:
    return open_retriever("docs", parse_config({"folder": "docs", **settings}), documents)


async def test_the_title_and_the_files_name_are_searched_as_well(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/vacation.md").write_text(
        "# 연차\n\n남은 날은 이듬해 삼월까지 쓴다.\n\n# 수당\n\n금액은 하루치다.", "utf-8"
    )
    (tmp_path / "docs/parking.md").write_text("# 주차\n\n금액은 한 달에 육만 원이다.", "utf-8")
    assert (await without(tmp_path).search("연차 금액", 1))[0].document == "vacation"
    assert (await without(tmp_path).search("vacation"))[0].document == "vacation"
    bm25 = open_retriever("docs", parse_config({"kind": "bm25", "folder": "docs"}), tmp_path)
    assert await bm25.search("vacation") == []


async def test_spaces_and_a_slip_do_not_hide_a_document(documents: Path) -> None:
    assert (await without(documents).search("출장비정산언제까지"))[0].document == "rules/travel"
    assert (await without(documents).search("출쟝비 정산"))[0].document == "rules/travel"


async def test_what_shares_nothing_with_the_documents_is_not_found(documents: Path) -> None:
    assert await without(documents).search("zzz qqq") == [] and await without(documents).search("") == []


async def test_embeddings_find_what_shares_no_word(
    opened: Opened, documents: Path, service: EmbeddingsEndpoint
) -> None:
    retriever = opened()
    assert (await retriever.search("qzq"))[0].id == "leave#2"
    await retriever.aclose()
    assert await without(documents).search("qzq") == []
    passages, query = (request["body"]["input"] for request in service.requests)
    assert len(passages) == 4 and query == ["qzq"]
    assert service.requests[0]["headers"]["authorization"] == "Bearer s3cret-embedding-key"
    assert service.requests[0]["body"]["model"] == "ko" and set(service.requests[0]["body"]) == {"model", "input"}


async def test_passages_are_asked_for_once_and_kept_privately(
    opened: Opened, documents: Path, service: EmbeddingsEndpoint
) -> None:
    first = opened(batch=3)
    found = await first.search("차를 세우다")
    await first.search("차를 세우다")
    await first.aclose()
    assert sorted(len(r["body"]["input"]) for r in service.requests) == [1, 1, 3]  # two batches, one question
    second = opened(batch=3)
    assert await second.search("차를 세우다") == found
    await second.aclose()
    assert len(service.requests) == 4  # the question alone
    (documents / "docs/parking.md").write_text("주차비는 한 달에 7만 원이다.", "utf-8")
    third = opened(batch=3)
    await third.search("차를 세우다")
    await third.aclose()
    assert [r["body"]["input"] for r in service.requests[4:]] == [["주차비는 한 달에 7만 원이다."], ["차를 세우다"]]
    kept = [path for path in (documents / ".driftgate").rglob("*") if path.is_file()]
    assert len(kept) == 3 and all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)
    assert all("주차".encode() not in path.read_bytes() and b"s3cret" not in path.read_bytes() for path in kept)


async def test_a_broken_file_of_vectors_is_asked_for_anew(
    opened: Opened, documents: Path, service: EmbeddingsEndpoint
) -> None:
    retriever = opened()
    found = await retriever.search("아프다")
    await retriever.aclose()
    (kept,) = (documents / ".driftgate").rglob("*.vectors")
    for content in (b"", kept.read_bytes()[:-5], kept.read_bytes()[:-4] + b"\x00\x00\x80\x7f"):
        kept.write_bytes(content)
        again = opened()
        assert await again.search("아프다") == found
        await again.aclose()
    assert len(service.requests) == 8


async def test_other_models_and_prefixes_share_no_vectors(opened: Opened, service: EmbeddingsEndpoint) -> None:
    identities = []
    for changes in ({}, {"model": "other"}, {"passage_prefix": "passage: ", "query_prefix": "query: "}, {"weight": 1}):
        retriever = opened(**changes)
        await retriever.search("아프다")
        await retriever.aclose()
        identities.append(json.dumps(dict(retriever.identity), sort_keys=True))
    assert len(set(identities)) == 4 and not any("s3cret" in one for one in identities)
    sent = [request["body"]["input"] for request in service.requests]
    assert sent[-3][0].startswith("passage: ") and sent[-2] == ["query: 아프다"] and sent[-1] == ["아프다"]


async def test_an_endpoint_that_is_down_stops_the_run_and_nothing_is_found_by_words_alone(
    opened: Opened, service: EmbeddingsEndpoint
) -> None:
    service.faults = [web.Response(status=503, text="down") for _ in range(2)]
    retriever = opened()
    with pytest.raises(ModelMisconfigured, match="its passages have no embeddings: given up after 2 attempts") as met:
        await retriever.search("주차비는 얼마인가")
    assert "nothing is searched by words alone" in met.value.remedy
    await retriever.search("주차비는 얼마인가")
    service.faults = [web.Response(status=500) for _ in range(2)]
    with pytest.raises(Unavailable, match="given up after 2 attempts"):
        await retriever.search("병가는 며칠인가")
    await retriever.aclose()


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "check the api_key"), (404, "check the endpoint and the model"), (400, "passages have no")],
)
async def test_what_asking_again_would_not_change_stops_at_once(
    opened: Opened, service: EmbeddingsEndpoint, status: int, said: str
) -> None:
    service.faults = [web.Response(status=status, text="no such model")]
    retriever = opened()
    with pytest.raises(ModelMisconfigured, match="no such model") as met:
        await retriever.search("주차")
    await retriever.aclose()
    assert said in str(met.value) and len(service.requests) == 1


async def test_a_refusal_for_the_rate_is_waited_out(opened: Opened, service: EmbeddingsEndpoint) -> None:
    service.faults = [web.Response(status=429, headers={"Retry-After": "0"})]
    retriever = opened()
    assert (await retriever.search("차를"))[0].document == "parking"
    await retriever.aclose()
    assert len(service.requests) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": [1.0]}] * 4},
        {"data": [{"index": n, "embedding": [0.0, 0.0]} for n in range(4)]},
        {"data": [{"index": n, "embedding": ["x"]} for n in range(4)]},
        {"data": [{"index": n, "embedding": [1.0] * (n + 1)} for n in range(4)]},
        {"embeddings": []},
        [],
    ],
)
async def test_a_reply_that_holds_no_embeddings_is_none(opened: Opened, service: EmbeddingsEndpoint, body: Any) -> None:
    service.faults = [web.json_response(body), web.json_response(body)]
    retriever = opened()
    with pytest.raises(ModelMisconfigured, match="the reply holds no embeddings"):
        await retriever.search("주차")
    await retriever.aclose()


async def test_another_model_under_the_same_name_is_noticed(opened: Opened, service: EmbeddingsEndpoint) -> None:
    retriever = opened()
    await retriever.search("주차")
    await retriever.aclose()
    service.meanings = {**MEANINGS, "more": ("x",)}
    again = opened()
    with pytest.raises(ModelError, match="embeddings of 4 and 5 dimensions"):
        await again.search("병가")
    await again.aclose()


async def test_what_embeddings_cost_is_counted(opened: Opened, service: EmbeddingsEndpoint) -> None:
    retriever = opened(price=2.0, currency="KRW")
    await retriever.search("차를 세우다")
    tokens = [len(text.split()) for text in service.requests[0]["body"]["input"]]
    passages, query = paid_since(retriever)
    assert passages == Paid(sum(tokens), pytest.approx(sum(tokens) * 2e-6), "KRW") and query == Paid(2, 4e-6, "KRW")
    assert not paid_since(retriever) and not unpriced_search(retriever)
    service.usage = False
    await retriever.search("아프다")
    assert list(paid_since(retriever)) == [Paid(None, None, "KRW")]
    await retriever.aclose()
    assert "have no price" in unpriced_search(opened())


def test_the_check_connects_and_a_key_in_the_file_is_refused(
    documents: Path, service: EmbeddingsEndpoint, opened: Opened
) -> None:
    from driftgate.flows.retrieval import RETRIEVERS

    by = {"endpoint": "http://127.0.0.1:9/v1", "model": "ko"}
    config = parse_config({"folder": "docs", "embeddings": by})
    with pytest.raises(DriftgateError, match="nothing answers at 127"):
        RETRIEVERS.get("hybrid").check("docs", config, documents)
    with pytest.raises(ValueError, match="secret does not belong"):
        opened(api_key="s3cret-embedding-key")


def test_a_retriever_without_a_kind_is_a_hybrid(documents: Path) -> None:
    assert without(documents).identity["kind"] == "hybrid"


async def test_a_decomposed_question_finds_the_same(documents: Path) -> None:
    question = "주차비는 얼마인가"
    whole = await without(documents).search(question)
    assert await without(documents).search(unicodedata.normalize("NFD", question)) == whole
