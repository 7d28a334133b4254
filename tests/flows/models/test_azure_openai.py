"""Azure OpenAI: the deployments path, the key's header and Entra ID tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from chat_endpoint import ChatEndpoint, responses_only

from driftgate.flows.models import ChatModel, Message, Model, ModelMisconfigured

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
ASKED = [Message("user", "수도는?")]
_AZURE_VARIABLES = ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "FEDERATED_TOKEN_FILE")


async def test_the_key_goes_into_its_own_header(endpoint: ChatEndpoint, model_config: Build, open_model: Open) -> None:
    model = open_model(model_config("azure_openai", deployment="gpt 4/한", api_version="2024-06-01"))
    await model.complete(ASKED)
    await model.aclose()
    (request,) = endpoint.requests
    assert request.path == "/openai/deployments/gpt 4/한/chat/completions" or "gpt%204%2F" in request.path
    assert request.query == {"api-version": "2024-06-01"}
    assert request.headers["api-key"] == "s3cret-key-value"
    assert "authorization" not in request.headers


@pytest.fixture
def no_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment in which nobody is signed in to Azure."""
    for name in _AZURE_VARIABLES:
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")  # no az, azd or pwsh is asked either


@pytest.fixture
def managed_identity(endpoint: ChatEndpoint, no_sign_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables by which App Service tells a program where to get a token."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "app-service")


async def test_a_managed_identity_gives_the_token(
    endpoint: ChatEndpoint, managed_identity: None, model_config: Build, open_model: Open
) -> None:
    model = open_model(model_config("azure_openai", api_key=None))
    for _ in range(3):
        await model.complete(ASKED)
    await model.aclose()
    assert {request.headers["authorization"] for request in endpoint.requests} == {"Bearer token-1"}
    assert all("api-key" not in request.headers for request in endpoint.requests)
    assert endpoint.tokens_given == 1


@pytest.mark.parametrize(
    ("api_version", "refuses", "path", "scopes"),
    [
        ("2024-10-21", None, "/openai/deployments/", ["https://cognitiveservices.azure.com"]),
        ("v1", None, "/openai/v1/chat/completions", ["https://ai.azure.com"]),
        ("v1", responses_only, "/openai/v1/responses", ["https://ai.azure.com"]),
        (
            "2024-10-21",
            responses_only,
            "/openai/v1/responses",
            ["https://cognitiveservices.azure.com", "https://ai.azure.com"],
        ),
    ],
)
async def test_a_token_is_good_for_the_path_that_is_asked(
    endpoint: ChatEndpoint,
    managed_identity: None,
    model_config: Build,
    open_model: Open,
    api_version: str,
    refuses: Any,
    path: str,
    scopes: list[str],
) -> None:
    if refuses is not None:
        endpoint.refuses = refuses
    model = open_model(model_config("azure_openai", api_key=None, api_version=api_version))
    assert (await model.complete(ASKED)).text == "A"
    await model.aclose()
    last = endpoint.requests[-1]
    assert last.path.startswith(path) and last.headers["authorization"].startswith("Bearer token-")
    assert endpoint.scopes == scopes
    assert bool(last.query) == (path == "/openai/deployments/")


async def test_a_foundry_project_is_asked_at_its_own_endpoint(
    endpoint: ChatEndpoint, model_config: Build, open_model: Open
) -> None:
    base = f"{endpoint.url}/api/projects/p1/openai/v1"
    model = open_model(model_config("openai", endpoint=base, model="gpt-oss-20b"))
    assert (await model.complete(ASKED)).model == "gpt-oss-20b"
    await model.aclose()
    assert endpoint.requests[-1].path == "/api/projects/p1/openai/v1/chat/completions"


@pytest.mark.parametrize(
    ("endpoint_of", "header"),
    [
        ("https://res.openai.azure.com/openai/v1", "api-key"),
        ("https://res.services.ai.azure.com/api/projects/p/openai/v1", "api-key"),
        ("https://api.openai.com/v1", "Authorization"),
        ("http://127.0.0.1:8000/v1", "Authorization"),
    ],
)
async def test_a_key_goes_into_the_header_that_the_host_takes(
    model_config: Build, open_model: Open, endpoint_of: str, header: str
) -> None:
    model = open_model(model_config("openai", endpoint=endpoint_of, api_key="${env:TEST_MODEL_KEY}"))
    assert isinstance(model, ChatModel)
    headers = await model.doors["chat"].headers()
    assert list(headers) == [header] and headers[header].endswith("s3cret-key-value")
    await model.aclose()


async def test_a_service_elsewhere_without_a_key_is_sent_none(
    endpoint: ChatEndpoint, managed_identity: None, model_config: Build, open_model: Open
) -> None:
    model = open_model(model_config("openai", api_key=None))
    await model.complete(ASKED)
    await model.aclose()
    assert "authorization" not in endpoint.requests[-1].headers and endpoint.tokens_given == 0


async def test_azure_s_own_host_without_a_key_is_shown_a_token(
    endpoint: ChatEndpoint, managed_identity: None, model_config: Build, open_model: Open
) -> None:
    model = open_model(model_config("openai", api_key=None, endpoint="https://res.services.ai.azure.com/openai/v1"))
    assert isinstance(model, ChatModel)
    assert await model.doors["responses"].headers() == {"Authorization": "Bearer token-1"}
    assert endpoint.scopes == ["https://ai.azure.com"]
    await model.aclose()


async def test_requests_that_begin_together_share_one_token(
    endpoint: ChatEndpoint, managed_identity: None, model_config: Build, open_model: Open
) -> None:
    model = open_model(model_config("azure_openai", api_key=None))
    await asyncio.gather(*(model.complete(ASKED) for _ in range(16)))
    await model.aclose()
    assert endpoint.tokens_given == 1
    assert len(endpoint.requests) == 16


async def test_without_key_and_sign_in_the_remedy_names_both(
    no_sign_in: None, monkeypatch: pytest.MonkeyPatch, model_config: Build, open_model: Open
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # nothing else is tried, and none is set
    model = open_model(model_config("azure_openai", api_key=None))
    with pytest.raises(ModelMisconfigured, match="no api_key and no Entra ID token") as refused:
        await model.complete(ASKED)
    await model.aclose()
    assert "${env:NAME}" in refused.value.remedy and "az login" in refused.value.remedy
