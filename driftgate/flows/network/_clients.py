"""The clients of packages held to the same rules: openai's, azure-core's, and what these ask through.

They follow redirects with key and body, and libraries that make them for us (azure-ai-evaluation, azure-ai-ml, prompt
flow's tools) have no setting for it, nor for hosts, proxies and authorities. The rules are those in force when a
request is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from importlib import import_module
from typing import Any

from driftgate.flows.network._errors import NetworkRefused
from driftgate.flows.network._network import in_force


@cache
def rule_openai() -> None:
    """Hold the clients of the package openai to the rules, unless one was given an HTTP client of its own."""
    from openai import _base_client

    wrappers = (_base_client.SyncHttpxClientWrapper, _base_client.AsyncHttpxClientWrapper)
    for client in wrappers:
        _preset(client, _for_httpx)
    base = next(one for one in wrappers[0].__mro__ if one.__name__ == "Client")
    _guard_httpx(import_module(base.__module__.partition(".")[0]))  # httpx, or the one that came after it


def _for_httpx(given: Mapping[str, Any]) -> dict[str, Any]:
    network = in_force()
    proxy = network.proxy_for(str(given.get("base_url") or "")) if network.config.proxy else None
    return {"follow_redirects": False, "verify": network.tls, **({"proxy": proxy} if proxy else {})}


def _guard_httpx(httpx: Any) -> None:
    plain: Callable[..., Any] = httpx.HTTPTransport.handle_request
    plain_async: Callable[..., Any] = httpx.AsyncHTTPTransport.handle_async_request

    @wraps(plain)
    def handle(self: Any, request: Any) -> Any:
        in_force().check(str(request.url))
        return plain(self, request)

    @wraps(plain_async)
    async def handle_async(self: Any, request: Any) -> Any:
        in_force().check(str(request.url))
        return await plain_async(self, request)

    httpx.HTTPTransport.handle_request = handle
    httpx.AsyncHTTPTransport.handle_async_request = handle_async


@cache
def rule_azure() -> None:
    """Hold the clients that are built on azure-core to the rules; most send their key and body with a redirect."""
    from azure.core.pipeline.policies import AsyncRedirectPolicy, RedirectPolicy
    from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport

    for policy in (RedirectPolicy, AsyncRedirectPolicy):
        _preset(policy, lambda given: {"permit_redirects": False})
    plain: Callable[..., Any] = RequestsTransport.send
    plain_async: Callable[..., Any] = AioHttpTransport.send

    @wraps(plain)
    def send(self: Any, request: Any, **settings: Any) -> Any:
        return plain(self, request, **{**_for_azure(self, request), **settings})

    @wraps(plain_async)
    async def send_async(self: Any, request: Any, **settings: Any) -> Any:
        return await plain_async(self, request, **{**_for_azure(self, request), **settings})

    RequestsTransport.send, AioHttpTransport.send = send, send_async
    _guard_requests()


def _for_azure(transport: Any, request: Any) -> dict[str, Any]:
    """Settings of one request: proxy and authorities, where the client states none of its own."""
    network, url = in_force(), str(request.url)
    network.check(url)
    found: dict[str, Any] = {}
    if network.config.proxy and (proxy := network.proxy_for(url)):
        found["proxies"] = {"http": proxy, "https": proxy}
    if transport.connection_config.verify is True and (bundle := network.bundle):
        found["connection_verify"] = bundle
    return found


def _guard_requests() -> None:
    """What asks through the package requests without azure-core, as azure-ai-ml does in places."""
    from requests.adapters import HTTPAdapter

    plain: Callable[..., Any] = HTTPAdapter.send

    @wraps(plain)
    def send(self: Any, request: Any, *args: Any, **settings: Any) -> Any:
        in_force().check(str(request.url))
        return plain(self, request, *args, **settings)

    HTTPAdapter.send = send  # type: ignore[method-assign]


def found_refusal(problem: BaseException) -> NetworkRefused | None:
    """The refusal of ours that a package's error came from; None where it was none.

    Examples
    --------
    >>> problem = ValueError("Connection error.")
    >>> problem.__cause__ = NetworkRefused("the host evil.example may not be asked")
    >>> print(found_refusal(problem))
    the host evil.example may not be asked
    """
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, NetworkRefused):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _preset(made: Any, settings: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Let a class be made with these settings where its caller gives none."""
    plain: Callable[..., None] = made.__init__

    @wraps(plain)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        plain(self, *args, **{**settings(kwargs), **kwargs})

    made.__init__ = init
