"""People sign in by OpenID Connect or by a key, and no page of another site acts in their name."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi import Depends, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from identity_provider import IdentityProvider

from driftgate.ledger import Ledger, audit_of, create_key, revoke_key
from driftgate.service._csrf import csrf_token, posted
from driftgate.service.access._signin import _own

from .conftest import TOKEN, Serve, bearer, sign_in_of

HERE = "http://127.0.0.1:8321"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": HERE}


@pytest.fixture
def client(serve: Serve, provider: IdentityProvider) -> TestClient:
    """A browser at a service whose people sign in, with a page that has a form and does something."""
    found = serve(public_url=HERE, sign_in=sign_in_of(provider), limits={"refusals": 1000})
    access = found.app.state.guard.access  # type: ignore[attr-defined]

    @found.app.get("/form", dependencies=[Depends(access("read"))])  # type: ignore[attr-defined]
    def form(request: Request) -> dict[str, str]:
        return {"token": csrf_token(request), "who": request.state.identity.name}

    @found.app.post("/deed", dependencies=[Depends(access("operate"))])  # type: ignore[attr-defined]
    async def deed(request: Request) -> dict[str, Any]:
        media = request.headers.get("content-type", "")
        return {"who": request.state.identity.name, "fields": await posted(request) if "form" in media else {}}

    return found


def signed_in(client: TestClient, provider: IdentityProvider, role: str = "Operator") -> httpx.Response:
    provider.person["roles"] = [role]
    begun = client.get("/signin/begin", params={"next": "/form?a=1"})
    assert begun.status_code == 303
    return client.get(provider.sign_in(begun.headers["location"]))


def test_a_person_signs_in_and_out(client: TestClient, provider: IdentityProvider, kept: Ledger) -> None:
    shown = client.get("/form", headers={"accept": "text/html"})
    assert (shown.status_code, shown.headers["location"]) == (303, "/signin?next=%2Fform")
    assert 'href="/signin/begin?next=/form"' in client.get("/signin?next=/form").text
    done = signed_in(client, provider)
    assert (done.status_code, done.headers["location"]) == (303, "/form?a=1")
    cookie = next(one for one in done.headers.get_list("set-cookie") if one.startswith("driftgate_session"))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=28800" in cookie
    page = client.get("/form").json()
    assert page["who"] == "김민지 [6f1c]"
    assert client.post("/deed", data={"csrf": page["token"], "x": "1"}, headers=OWN).json()["fields"]["x"] == "1"
    session = client.cookies["driftgate_session"]
    assert client.post("/signout", headers=OWN).status_code == 403  # without the form's token
    assert client.post("/signout", data={"csrf": page["token"]}, headers=OWN).status_code == 303
    assert client.get("/form", headers={"Cookie": f"driftgate_session={session}"}).status_code == 401
    told = [(row.who, row.action) for row in audit_of(kept, action="sign_in")]
    assert told == [("김민지 [6f1c]", "sign_in.end"), ("김민지 [6f1c]", "sign_in.accept")]


def test_every_page_says_who_has_signed_in_and_lets_them_out(client: TestClient, provider: IdentityProvider) -> None:
    assert "/signout" not in client.get("/runs", headers=bearer(TOKEN)).text  # a program has no session to end
    provider.person["name"] = "김민지 <b>"
    signed_in(client, provider, "Reader")
    for _ in range(2):  # the second is kept from the first, and is of whoever asks
        page = client.get("/runs").text
        assert "김민지 &lt;b&gt;" in page
    (form,) = re.findall(r'<form class="out".*?</form>', page)
    (token,) = re.findall(r'name="csrf" value="([^"]+)"', form)
    assert client.post("/signout", data={"csrf": token}, headers=OWN).status_code == 303
    assert client.get("/runs").status_code == 401


def test_over_tls_the_cookie_is_sent_by_nothing_else(serve: Serve, provider: IdentityProvider) -> None:
    client = serve(public_url="https://driftgate.example.com", sign_in=sign_in_of(provider))
    done = signed_in(client, provider)
    cookies = done.headers.get_list("set-cookie")
    session = next(one for one in cookies if one.startswith("__Host-driftgate="))
    assert "Secure" in session and "Path=/;" in session and "Domain" not in session
    assert "max-age" in client.get("/signin").headers["strict-transport-security"]


def test_a_role_opens_what_it_says_and_none_opens_nothing(client: TestClient, provider: IdentityProvider) -> None:
    assert signed_in(client, provider, "Reader").status_code == 303
    token = client.get("/form").json()["token"]
    assert client.post("/deed", data={"csrf": token}, headers=OWN).status_code == 403
    client.cookies.clear()
    assert signed_in(client, provider, "Stranger").status_code == 403
    assert client.get("/form").status_code == 401


def test_what_is_wrong_with_the_answer_signs_nobody_in(
    client: TestClient, provider: IdentityProvider, kept: Ledger
) -> None:
    now = int(time.time())
    wrong = {
        "another issuer": {"iss": "https://evil.example"},
        "another audience": {"aud": "another"},
        "expired": {"exp": now - 61},
        "another nonce": {"nonce": "another"},
        "no nonce": {"nonce": None},
        "another application": {"azp": "another"},
        "unknown key": {"kid": "third"},
    }
    for what, change in wrong.items():
        provider.change = change
        assert signed_in(client, provider).status_code == 403, what
        assert client.get("/form").status_code == 401, what
    client.app.state.guard.refusals.tell(everything=True)  # type: ignore[attr-defined]
    told = [row.detail for row in audit_of(kept, action="sign_in.refuse")]
    assert f"refused {len(wrong) - 1} requests" in told[0] and told[1] == "refused a sign-in: another issuer made it"


def test_an_answer_counts_once_and_in_its_own_browser(client: TestClient, provider: IdentityProvider) -> None:
    begun = client.get("/signin/begin").headers["location"]
    kept = client.cookies["driftgate_signin"]
    answer = provider.sign_in(begun)
    assert client.get(answer, headers={"Cookie": "driftgate_signin="}).status_code == 403  # of another browser
    sealed = {"Cookie": f"driftgate_signin={kept[:-1]}{'0' if kept[-1] != '0' else '1'}"}
    assert client.get(answer, headers=sealed).status_code == 403
    other = parse_qs(urlsplit(answer).query)
    assert client.get(f"/signin/callback?{urlencode({'code': other['code'][0], 'state': 'x'})}").status_code == 403
    client.cookies.set("driftgate_signin", kept)
    assert client.get(answer).status_code == 303
    # The same again, with a code that is new: the state is used up.
    client.cookies.clear()
    client.cookies.set("driftgate_signin", kept)
    again = client.get(provider.sign_in(begun))
    assert again.status_code == 403 and "driftgate_session" not in client.cookies


def test_a_code_is_good_only_for_who_began(client: TestClient, provider: IdentityProvider) -> None:
    stolen = parse_qs(urlsplit(provider.sign_in(client.get("/signin/begin").headers["location"])).query)["code"][0]
    client.cookies.clear()
    state = parse_qs(urlsplit(client.get("/signin/begin").headers["location"]).query)["state"][0]
    # PKCE: the provider gives nothing for a code without the verifier of the browser it was made for.
    assert client.get(f"/signin/callback?{urlencode({'code': stolen, 'state': state})}").status_code == 403


def test_an_issuer_that_is_away_is_said(serve: Serve, provider: IdentityProvider) -> None:
    client = serve(public_url=HERE, sign_in=sign_in_of(provider) | {"issuer": "http://127.0.0.1:9/x"})
    assert client.get("/signin/begin").status_code == 503


def test_a_session_ends_by_itself(serve: Serve, provider: IdentityProvider) -> None:
    client = serve(public_url=HERE, sign_in=sign_in_of(provider), session_hours=1e-4)  # 0.36 s
    signed_in(client, provider)
    session = {"Cookie": f"driftgate_session={client.cookies.get('driftgate_session', 'over')}"}
    time.sleep(0.4)
    assert client.get("/health", headers=session).status_code == 401


def test_a_key_signs_in_and_its_session_ends_with_it(client: TestClient, kept: Ledger) -> None:
    made = create_key(kept, "lead", ["read", "operate"], by="me")
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/signin", data={"key": made.secret}, headers=headers).status_code == 403
    assert client.post("/signin", data={"key": "dgk_wrong"}, headers=OWN).status_code == 403
    done = client.post("/signin", data={"key": made.secret, "next": "//evil.example"}, headers=OWN)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.get("/form").json()["who"] == f"key lead [{made.row.id}]"
    revoke_key(kept, "lead", by="me")
    assert client.get("/form").status_code == 401


FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "null"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://127.0.0.1:8322"},
    {"Origin": "https://127.0.0.1:8321"},
    {"Origin": "http://127.0.0.1:8321.evil.example"},
    {"Origin": "http://127.0.0.1:x"},
    {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
    {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
    {"Origin": HERE, "Sec-Fetch-Site": "none"},
)


@pytest.mark.parametrize("by", ["session", "basic"])
def test_no_page_of_another_site_acts_in_a_person_s_name(
    client: TestClient, provider: IdentityProvider, by: str
) -> None:
    if by == "session":
        signed_in(client, provider)
    auth = ("x", TOKEN) if by == "basic" else None
    token = client.get("/form", auth=auth).json()["token"]
    assert re.fullmatch("[0-9a-f]{64}", token)

    def send(headers: dict[str, str], **more: Any) -> int:
        return client.post("/deed", auth=auth, headers=headers, **more).status_code

    for headers in FOREIGN:
        assert send(headers, data={"csrf": token}) == 403, headers
    for wrong in ({}, {"csrf": ""}, {"csrf": token[:-1]}, {"csrf": token.upper()}, {"csrf": "가"}):
        assert send(OWN, data=wrong) == 403, wrong
    assert (
        send(
            OWN,
            content=f"csrf={token}",
        )
        == 403
    )  # no form
    assert send(OWN | {"content-type": "text/plain"}, content=f"csrf={token}") == 403
    assert send(OWN, data={"csrf": token}) == 200
    assert send({"Origin": HERE}, data={"csrf": token}) == 200  # browsers of before Sec-Fetch-Site
    assert send(OWN | {"X-CSRF-Token": token}, json={}) == 200


def test_a_form_of_one_session_is_none_of_another(client: TestClient, provider: IdentityProvider) -> None:
    signed_in(client, provider)
    first = client.get("/form").json()["token"]
    client.cookies.clear()
    signed_in(client, provider)
    assert client.get("/form").json()["token"] != first
    assert client.post("/deed", data={"csrf": first}, headers=OWN).status_code == 403


def test_programs_need_no_token_of_a_form(client: TestClient) -> None:
    assert client.post("/deed", headers=bearer(TOKEN), json={}).status_code == 200
    # But what a page elsewhere may have a browser send without asking, to which a proxy adds the key.
    token = client.get("/form", headers=bearer(TOKEN)).json()["token"]
    for headers in FOREIGN:
        refused = client.post("/deed", headers=bearer(TOKEN) | headers, data={"csrf": token})
        assert refused.status_code == (403 if headers else 415), headers
    for media in ("text/plain", "multipart/form-data; boundary=x", ""):
        headers = bearer(TOKEN) | OWN | {"content-type": media}
        assert client.post("/deed", headers=headers, content=f"csrf={token}").status_code == 415, media
    assert client.post("/deed", headers=bearer(TOKEN) | OWN, data={"x": "1"}).status_code == 403
    assert client.post("/deed", headers=bearer(TOKEN) | OWN, data={"csrf": token}).status_code == 200


@given(st.text("/\\.:@?#\t\r\n evil가\u2028", max_size=12).map("/".__add__) | st.text("/\\:eh", max_size=9))
def test_one_is_led_on_within_the_service_only(place: str) -> None:
    found = _own(place)
    assert found.startswith("/") and not found.startswith(("//", "/\\")) and "\\" not in found
    assert not urlsplit(found).netloc and found.isprintable()
