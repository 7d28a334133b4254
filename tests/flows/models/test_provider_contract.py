"""What every registered provider must do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from driftgate.flows.errors import DriftgateError
from driftgate.flows.line import Line, enter_line
from driftgate.flows.models import PROVIDERS, Message, Model, Reply, cache_key, parse_config

Build = Callable[..., dict[str, Any]]
Open = Callable[[Mapping[str, Any]], Model]
ASKED = [Message("user", "대한민국의 수도는?\nA. 부산\nB. 서울\n정답:")]


@pytest.fixture(params=PROVIDERS.names())
def provider(request: pytest.FixtureRequest) -> str:
    if request.param == "local":
        request.getfixturevalue("gemma")
    return str(request.param)


async def test_completes_and_closes(provider: str, model_config: Build, open_model: Open) -> None:
    model = open_model(model_config(provider))
    enter_line(Line({"": model}, "q1"))
    reply = await model.complete(ASKED)
    await model.aclose()
    assert reply.text
    assert reply.finish_reason in ("stop", "length")
    assert reply.latency >= 0
    assert Reply.from_json(json.loads(json.dumps(reply.as_json()))) == reply
    assert model.name == "tested"


async def test_closing_a_model_that_was_never_asked_is_fine(
    provider: str, model_config: Build, open_model: Open
) -> None:
    await open_model(model_config(provider)).aclose()


def test_identity_is_json_without_a_secret(provider: str, model_config: Build, open_model: Open) -> None:
    model = open_model(model_config(provider))
    text = json.dumps(dict(model.identity))
    assert model.identity["provider"] == provider
    assert "s3cret" not in text and "TEST_MODEL_KEY" not in text
    assert len(cache_key(model, ASKED)) == 64


def test_identity_is_the_same_for_the_same_configuration(provider: str, model_config: Build, open_model: Open) -> None:
    one, other = open_model(model_config(provider)), open_model(model_config(provider))
    assert one.identity == other.identity


def test_limits_and_prices_do_not_change_the_identity(provider: str, model_config: Build, open_model: Open) -> None:
    plain = open_model(model_config(provider))
    changes = {"in_flight": 3, "timeout": 1.5, "attempts": 2, "prices": {"input": 1.0}}
    assert open_model(model_config(provider, **changes)).identity == plain.identity


def test_an_unknown_key_is_refused(provider: str, model_config: Build) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_config(model_config(provider, temprature=0.5))
    assert refused.value.errors()[0]["loc"] == ("temprature",)


def test_a_literal_secret_is_refused(provider: str, model_config: Build) -> None:
    config = model_config(provider)
    if "api_key" not in config:
        pytest.skip(f"{provider} has no secret")
    with pytest.raises(ValidationError, match=r"write \$\{env:NAME\}"):
        parse_config(config | {"api_key": "s3cret-key-value"})


def test_check_says_what_it_found(provider: str, model_config: Build, tmp_path: Path) -> None:
    assert PROVIDERS.get(provider).check("tested", parse_config(model_config(provider)), tmp_path)


def test_check_of_what_is_not_there_has_a_remedy(provider: str, model_config: Build, tmp_path: Path) -> None:
    broken: dict[str, dict[str, Any]] = {
        "openai": {"endpoint": "http://127.0.0.1:1/v1"},
        "azure_openai": {"endpoint": "http://127.0.0.1:1"},
        "local": {"model": "no-such.gguf"},
        "recorded": {"path": "no-such.csv"},
    }
    config = parse_config(model_config(provider, **broken[provider]))
    with pytest.raises(DriftgateError) as refused:
        PROVIDERS.get(provider).check("tested", config, tmp_path)
    assert "tested" in refused.value.message
    assert refused.value.remedy


@pytest.mark.parametrize("provider", ["openai", "azure_openai"])
def test_check_of_an_endpoint_that_is_no_address_has_a_remedy(
    provider: str, model_config: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValidationError, match="99999"):
        parse_config(model_config(provider, endpoint="http://127.0.0.1:99999"))
    monkeypatch.setenv("WHERE", "http://127.0.0.1:99999")
    config = parse_config(model_config(provider, endpoint="${env:WHERE}"))
    with pytest.raises(DriftgateError, match="99999") as refused:
        PROVIDERS.get(provider).check("tested", config, tmp_path)
    assert refused.value.remedy


@pytest.mark.parametrize("provider", ["openai", "azure_openai"])
def test_a_variable_that_is_not_set_is_named(
    provider: str, model_config: Build, open_model: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = model_config(provider)
    monkeypatch.delenv("TEST_MODEL_KEY")
    with pytest.raises(DriftgateError, match=r"models\.tested\.api_key needs .* TEST_MODEL_KEY"):
        PROVIDERS.get(provider).check("tested", parse_config(config), tmp_path)
    with pytest.raises(DriftgateError, match="TEST_MODEL_KEY"):
        open_model(config)


def test_an_unknown_provider_gets_the_nearest_name() -> None:
    with pytest.raises(DriftgateError, match="did you mean 'azure_openai'"):
        parse_config({"provider": "azureopenai"})


def test_naming_the_providers_imports_none_of_them() -> None:
    script = (
        "import sys; from driftgate.flows.models import PROVIDERS; print(PROVIDERS.names());"
        "assert not {f'driftgate.flows.models.{n}' for n in PROVIDERS.names()} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "azure_openai" in done.stdout
