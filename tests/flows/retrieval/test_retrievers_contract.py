"""What holds for every kind of retriever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftgate.flows.retrieval import RETRIEVERS, open_retriever, parse_config

KINDS = RETRIEVERS.names()
Configs = dict[str, dict[str, Any]]


def test_every_kind_is_held_to_the_contract(configs: Configs) -> None:
    assert set(configs) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_passages_come_best_first_and_as_many_as_wanted(kind: str, configs: Configs, documents: Path) -> None:
    retriever = open_retriever("tested", parse_config(configs[kind]), documents)
    found = await retriever.search("병가는 해마다 며칠인가")
    assert found[0].document == "leave" and "병가" in found[0].text
    assert len(found) == 2 and len(await retriever.search("해마다", 1)) == 1
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert len({p.id for p in found}) == 2
    await retriever.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_search_can_be_repeated_and_after_closing_too(kind: str, configs: Configs, documents: Path) -> None:
    retriever = open_retriever("tested", parse_config(configs[kind]), documents)
    first = await retriever.search("주차비는 얼마인가")
    await retriever.aclose()
    assert await retriever.search("주차비는 얼마인가") == first
    await retriever.aclose()


@pytest.mark.parametrize("kind", KINDS)
def test_identity_is_json_names_the_kind_and_holds_no_secret(kind: str, configs: Configs, documents: Path) -> None:
    identity = open_retriever("tested", parse_config(configs[kind]), documents).identity
    assert identity["kind"] == kind
    assert "s3cret" not in json.dumps(dict(identity)) and "TEST_SEARCH_KEY" not in json.dumps(dict(identity))


@pytest.mark.parametrize("kind", KINDS)
def test_the_check_says_what_was_found(kind: str, configs: Configs, documents: Path) -> None:
    assert RETRIEVERS.get(kind).check("tested", parse_config(configs[kind]), documents)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_key_is_refused_and_every_setting_is_documented(kind: str, configs: Configs) -> None:
    with pytest.raises(ValidationError, match="colour"):
        parse_config({**configs[kind], "colour": "blue"})
    assert all(setting.description for setting in RETRIEVERS.get(kind).config.model_fields.values())
