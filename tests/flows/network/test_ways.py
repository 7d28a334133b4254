"""Whom a workspace may ask, through which proxy, and whose certificates are trusted: for each kind of client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure_services import Cloud
from hostile_endpoint import completion
from loopback_net import LoopbackNet, Received
from pydantic import ValidationError

from driftgate.finetune.deploy import OpenAIAccount, deployed
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Message, ModelMisconfigured, Reply, Unavailable, parse_config
from driftgate.flows.models.openai import PROVIDER
from driftgate.flows.network import Connections, Network, NetworkConfig, NotReached, enter, rule_azure, rule_openai

HOST, OTHER = "models.bank.test", "other.bank.test"
URL = f"https://{HOST}/v1/chat/completions"


async def _answer(request: Received) -> web.Response:
    return web.json_response(completion())


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackNet]:
    """Two hosts of a bank, behind its proxy and with certificates of its own authority; nothing is told of them."""
    made = LoopbackNet(tmp_path, {HOST: _answer, OTHER: _answer})
    made.start()
    for name in made.environment:
        monkeypatch.delenv(name, raising=False)
    yield made
    made.stop()


@pytest.fixture
def proxy(net: LoopbackNet) -> str:
    return net.environment["HTTPS_PROXY"]


async def ask(host: str = HOST) -> Reply:
    model = PROVIDER.open(
        "m", parse_config({"provider": "openai", "endpoint": f"https://{host}/v1", "model": "m"}), None
    )
    try:
        return await model.complete([Message("user", "?")])
    finally:
        await model.aclose()


def by_openai() -> Any:
    """The client that trainers, and packages of others, make."""
    from openai import OpenAI

    rule_openai()
    with OpenAI(base_url=f"https://{HOST}/v1", api_key="k", max_retries=0) as client:
        return client.chat.completions.create(model="m", messages=[]).choices[0].message.content


def by_azure() -> Any:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest

    rule_azure()
    with PipelineClient(f"https://{HOST}", policies=[]) as client:
        response = client.send_request(HttpRequest("POST", URL, json={}))
        return json.loads(response.text())["choices"][0]["message"]["content"]


CLIENTS = pytest.mark.parametrize("client", [by_openai, by_azure])


async def test_a_proxy_and_an_authority_of_one_s_own(net: LoopbackNet, proxy: str) -> None:
    enter(Network(NetworkConfig(proxy=proxy, ca_file="loopback.pem"), net.certificate.parent))
    assert (await ask()).text == "A" and net.requests[0].host == HOST


async def test_proxy_and_authority_may_come_from_the_environment(
    net: LoopbackNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in net.environment.items():
        monkeypatch.setenv(name, value)
    assert (await ask()).text == "A"
    monkeypatch.setenv("no_proxy", HOST)
    with pytest.raises(Unavailable, match="ClientConnectorDNSError"):
        await ask()
    assert (await ask(OTHER)).text == "A"


async def test_a_certificate_that_nobody_vouches_for_ends_the_cell(net: LoopbackNet, proxy: str) -> None:
    enter(Network(NetworkConfig(proxy=proxy)))
    with pytest.raises(ModelMisconfigured, match=rf"m: the certificate of {HOST} is not trusted \(self") as refused:
        await ask()
    assert "network.ca_file" in refused.value.remedy and not net.requests


async def test_a_proxy_that_gives_no_way_ends_the_cell(net: LoopbackNet, proxy: str) -> None:
    enter(Network(NetworkConfig(proxy=proxy.replace("//", "//user:${env:WORD}@"))))
    with pytest.raises(DriftgateError, match=r"network\.proxy needs the environment variable WORD, which is not set"):
        await ask("nowhere.test")
    enter(Network(NetworkConfig(proxy=proxy)))
    with pytest.raises(
        ModelMisconfigured, match=r"the proxy 127\.0\.0\.1:\d+ gives no way to nowhere.test \(HTTP 403\)"
    ):
        await ask("nowhere.test")


async def test_a_proxy_s_password_is_in_no_message(
    net: LoopbackNet, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "pa55w0rd")
    enter(Network(NetworkConfig(proxy=proxy.replace("//", "//user:${env:WORD}@"))))
    with pytest.raises(ModelMisconfigured) as refused:
        await ask("nowhere.test")
    assert "pa55w0rd" not in f"{refused.value} {refused.value.__cause__}"


async def test_loopback_is_asked_directly(net: LoopbackNet, endpoint: Any) -> None:
    enter(Network(NetworkConfig(proxy="http://127.0.0.1:1")))
    assert (await Connections().ask("GET", f"{endpoint.url}/v1/models")).status == 404
    with pytest.raises(NotReached, match=r"127\.0\.0\.1:1"):
        await Connections().ask("GET", "http://models.bank.test/")


async def test_only_named_hosts_are_asked(net: LoopbackNet, proxy: str) -> None:
    allow = NetworkConfig(proxy=proxy, ca_file="loopback.pem", allow=["MODELS.bank.test"])
    enter(Network(allow, net.certificate.parent))
    assert (await ask()).text == "A"
    with pytest.raises(ModelMisconfigured, match=f"m: the host {OTHER} may not be asked") as refused:
        await ask(OTHER)
    assert "network.allow" in refused.value.remedy and [one.host for one in net.requests] == [HOST]


@CLIENTS
def test_packages_clients_go_the_same_way(net: LoopbackNet, proxy: str, client: Callable[[], Any]) -> None:
    enter(Network(NetworkConfig(proxy=proxy, ca_file="loopback.pem", allow=["*.bank.test"]), net.certificate.parent))
    assert client() == "A" and net.requests[0].host == HOST


@CLIENTS
def test_packages_clients_take_the_environment_s_authority(
    net: LoopbackNet, client: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, net.environment[name])
    assert client() == "A"


@CLIENTS
def test_packages_clients_ask_no_other_host(net: LoopbackNet, proxy: str, client: Callable[[], Any]) -> None:
    enter(Network(NetworkConfig(proxy=proxy, ca_file="loopback.pem", allow=[OTHER]), net.certificate.parent))
    with pytest.raises(Exception) as failed:
        client()
    assert f"the host {HOST} may not be asked" in f"{failed.value} {failed.value.__cause__}"
    assert not net.requests and not net.refused


def test_the_control_plane_is_asked_only_where_it_is_named(cloud: Cloud) -> None:
    enter(Network(NetworkConfig(allow=["driftgate.openai.azure.com", "*.loopback.test"])))
    account = OpenAIAccount(subscription="s", resource_group="g", account="a")
    with pytest.raises(DriftgateError, match=r"reading deployment 'd' .* failed: the host .* may not be asked"):
        deployed(account, "d", "m")
    assert [one.host for one in cloud.net.requests] == ["identity.loopback.test"]


async def test_asynchronous_clients_of_azure_ask_no_other_host(endpoint: Any) -> None:
    from azure.core import AsyncPipelineClient
    from azure.core.rest import HttpRequest

    rule_azure()
    enter(Network(NetworkConfig(allow=["elsewhere.test"])))
    async with AsyncPipelineClient(endpoint.url, policies=[]) as client:
        with pytest.raises(DriftgateError, match=r"the host 127\.0\.0\.1 may not be asked"):
            await client.send_request(HttpRequest("POST", f"{endpoint.url}/v1/chat/completions", json={}))
    assert not endpoint.requests


@pytest.mark.parametrize(
    "given",
    [
        {"allow": ["https://a.test"]},
        {"allow": ["a.test:443"]},
        {"allow": ["*"]},
        {"allow": ["a.*"]},
        {"proxy": "proxy.test:3128"},
        {"proxy": "socks5://proxy.test"},
        {"proxy": "http://user:password@proxy.test"},
        {"most_reply_mb": 0},
    ],
)
def test_settings_that_mean_nothing_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetworkConfig(**given)
