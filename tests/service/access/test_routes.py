"""Every route asks for a scope, and gives nothing to who has another one, none any more, or none at all."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from identity_provider import IdentityProvider
from sqlalchemy import text

from driftgate.ledger import SCOPES, Ledger, audit_of, create_key, revoke_key
from driftgate.service._csrf import SAFE
from driftgate.service.access._guard import Asks
from driftgate.service.access._sessions import begin_session
from driftgate.service.console._actions import ACTIONS

from .conftest import TOKEN, Serve, bearer, sign_in_of

JSON = {"content-type": "application/json"}
OPEN = {"/livez", "/readyz", "/signin", "/signin/style.css", "/signout", "/signin/begin", "/signin/callback"}
"""What anybody may ask; none of it says anything of the workspace."""

CHANGE = {"content-length", "set-cookie", "location"}
"""Headers that tell of what changes from request to request."""


def routes(app: object) -> Iterator[tuple[str, str, set[str]]]:
    """Method, path and scopes of every route."""
    assert isinstance(app, FastAPI)
    for route in iter_route_contexts(app.routes):
        asked = {one.call.scope for one in route.dependant.dependencies if isinstance(one.call, Asks)}
        for method in route.methods or ():
            yield method, str(route.path), asked


def asks(client: TestClient, method: str, path: str, headers: dict[str, str]) -> int:
    sent = {"headers": headers} if method == "GET" else {"headers": JSON | headers, "content": b"{}"}
    return client.request(method, re.sub(r"\{.*?\}", "x", path), **sent).status_code  # type: ignore[arg-type]


def test_every_route_asks_for_one_scope(serve: Serve) -> None:
    found = list(routes(serve().app))
    assert {path for _, path, asked in found if not asked} == OPEN - {"/signin/begin", "/signin/callback"}
    assert all(len(asked) == 1 for _, path, asked in found if path not in OPEN)
    assert {"ingest", "read"} <= {scope for _, _, asked in found for scope in asked}


@pytest.mark.core
def test_who_has_another_scope_or_none_any_more_gets_nothing(serve: Serve, kept: Ledger) -> None:
    client = serve(limits={"refusals": 10_000})
    keys = {scope: create_key(kept, scope, [scope], by="me").secret for scope in SCOPES}
    revoked = create_key(kept, "gone", SCOPES, by="me")
    revoke_key(kept, revoked.row.id, by="me")
    expired = create_key(kept, "old", SCOPES, by="me", expires_at=datetime.now(UTC) + timedelta(hours=1))
    with kept.write() as connection:
        connection.execute(text("UPDATE api_keys SET expires_at = created_at WHERE name = 'old'"))
    for method, path, asked in routes(client.app):
        if path in OPEN:
            continue
        assert asks(client, method, path, {}) == 401, path
        for secret in (revoked.secret, expired.secret, f"dgk_00000000_{'a' * 43}"):
            assert asks(client, method, path, bearer(secret)) == 401, (path, secret)
        for scope in SCOPES:
            if scope not in asked:
                assert asks(client, method, path, bearer(keys[scope])) == 403, (path, scope)
    for secret in ("", "dgk_", keys["read"][:-1], keys["read"].upper(), "a.b.c", "\x7f"):
        assert asks(client, "GET", "/health", bearer(secret)) == 401, secret
    for scheme in ("Basic", "Basic eA==", "Basic !", "Negotiate", "Digest x", "Bearer"):
        assert asks(client, "GET", "/health", {"Authorization": scheme}) == 401, scheme
    assert asks(client, "GET", "/health", bearer(keys["read"])) == 200


def test_head_is_answered_wherever_get_is(serve: Serve, kept: Ledger, provider: IdentityProvider) -> None:
    url = "http://127.0.0.1:8321"
    client = serve(public_url=url, sign_in=sign_in_of(provider), limits={"refusals": 10_000})
    key = bearer(create_key(kept, "reader", ["read"], by="me").secret)
    other = bearer(create_key(kept, "sender", ["ingest"], by="me").secret)
    found = [path for method, path, _ in routes(client.app) if method == "GET"]
    assert {"/metrics", "/signin", "/signin/callback", "/livez", "/", "/runs/{run}/live", "/openapi.json"} <= {*found}
    for path in found:
        for headers in (key, other, {"accept": "text/html"}):
            address = path.replace("{name}", "console.css") if "static" in path else re.sub(r"\{.*?\}", "x", path)
            whole, head = (client.request(method, address, headers=headers) for method in ("GET", "HEAD"))
            assert (head.status_code, head.content) == (whole.status_code, b""), (path, headers)
            assert head.headers.keys() == whole.headers.keys(), path
            for name in head.headers.keys() - (CHANGE if path in ("/metrics", "/health", "/signin/begin") else set()):
                assert head.headers[name] == whole.headers[name], (path, name)
            client.cookies.clear()
    assert client.head("/v1/traces", headers=other).status_code == 405
    lines = client.get("/metrics", headers=key).text
    assert 'driftgate_http_requests_total{method="HEAD",route="/signin",status="200"}' in lines


def test_every_route_that_changes_something_refuses_what_another_site_makes_a_browser_send(
    serve: Serve, kept: Ledger
) -> None:
    client = serve(limits={"refusals": 10_000, "requests_per_second": 1e6, "burst": 10**6})
    here = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    sessions = [begin_session(kept, name, SCOPES, 1) for name in ("kim", "lee")]
    ours, others = ({"Cookie": f"driftgate_session={secret}"} for secret in sessions)
    basic = {"Authorization": "Basic " + base64.b64encode(f"x:{TOKEN}".encode()).decode()}

    def token(who: dict[str, str]) -> str:
        (found,) = {*re.findall(r'name="csrf" value="([^"]+)"', client.get("/remediations", headers=who).text)}
        return str(found)

    wrong = token(others)
    found = [(method, path, asked) for method, path, asked in routes(client.app) if method not in SAFE]
    assert len(found) > 20 and len(ACTIONS) < len(found)
    for method, path, asked in found:
        if path == "/signin":
            assert asks(client, method, path, {"Origin": "https://evil.example"}) == 403
            assert asks(client, method, path, {}) == 403
            continue
        if path == "/signout":
            basic_or_not: list[dict[str, str]] = [ours]  # nobody is signed out of a password that a browser keeps
        else:
            basic_or_not = [ours, basic, bearer(TOKEN)]
        for who in basic_or_not:
            right = {"X-CSRF-Token": token(who)}
            form = {"content-type": "application/x-www-form-urlencoded"}
            refused = [
                who | form,
                who | form | here,
                who | form | here | {"X-CSRF-Token": wrong},
                who | form | right | {"Origin": "https://evil.example"},
                who | form | right | here | {"Sec-Fetch-Site": "cross-site"},
            ]
            if "Bearer" not in str(who):  # no other site can have a browser send JSON without asking us first
                refused += [who, who | here, who | right, who | here | {"X-CSRF-Token": wrong}]
            else:
                refused += [who | here | {"content-type": media} for media in ("", "text/plain", "multipart/form-data")]
            for headers in refused:
                assert asks(client, method, path, headers) in (403, 415), (method, path, headers)
            if "ingest" not in asked:
                assert asks(client, method, path, who | here | form | right) not in (401, 403), (path, who)


def test_two_keys_are_valid_at_once_and_one_ends_at_once(serve: Serve, kept: Ledger) -> None:
    client = serve()
    old, new = (create_key(kept, "ci", ["read"], by="me") for _ in range(2))
    assert [client.get("/health", headers=bearer(one.secret)).status_code for one in (old, new)] == [200, 200]
    revoke_key(kept, old.row.id, by="me")
    assert [client.get("/health", headers=bearer(one.secret)).status_code for one in (old, new)] == [401, 200]


def test_telemetry_is_sent_by_bearer_with_a_content_type(serve: Serve, kept: Ledger) -> None:
    client = serve()
    key = create_key(kept, "app", ["ingest"], by="me").secret
    for path in ("/v1/traces", "/v1/logs"):
        assert client.post(path, content=b"{}", headers=bearer(key) | JSON).status_code == 200
        # What a page of another site can make a browser send, whose user once gave the key as a password.
        for media in ({}, {"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}):
            assert client.post(path, content=b"{}", headers=bearer(key) | media).status_code == 415
            assert client.post(path, content=b"{}", auth=("x", key), headers=media).status_code == 403
        assert client.post(path, content=b"{}", auth=("x", key), headers=JSON).status_code == 403


def test_openapi_is_there_for_who_may_read_and_says_how_to_ask(serve: Serve) -> None:
    client = serve()
    assert client.get("/openapi.json").status_code == 401
    document = client.get("/openapi.json", headers=bearer(TOKEN)).json()
    assert {"/health", "/api/runs", "/api/runs/{run_id}", "/metrics", "/livez", "/v1/traces"} <= document[
        "paths"
    ].keys()
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert path in OPEN or {"HTTPBearer": []} in route["security"], (method, path)
    for path in ("/api/runs", "/api/looks", "/health"):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "$ref" in str(schema), path


@pytest.mark.parametrize("path", ["/", "/health", "/signin", "/nowhere", "/livez"])
def test_every_reply_says_what_a_browser_may_do_with_it(serve: Serve, path: str) -> None:
    reply = serve().get(path, headers=bearer(TOKEN))
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert reply.headers["cache-control"] == "no-store"
    assert "<style" not in reply.text and "<script>" not in reply.text and " style=" not in reply.text


def test_the_audit_log_says_who_made_and_ended_keys(serve: Serve, kept: Ledger) -> None:
    serve()
    made = create_key(kept, "ci", ["read", "operate"], by="me")
    revoke_key(kept, "ci", by="you")
    assert [(row.who, row.action, row.detail) for row in audit_of(kept, action="key")] == [
        ("you", "key.revoke", made.row.id),
        ("me", "key.create", f"{made.row.id}: read operate"),
    ]
