"""Bearer tokens of an identity provider: only what it signed, for us, now, opens anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient
from identity_provider import CLIENT, IdentityProvider

from driftgate.ledger import Ledger, audit_of

from .conftest import TOKEN, Serve, bearer, tokens_of


@pytest.fixture
def client(serve: Serve, provider: IdentityProvider) -> TestClient:
    return serve(tokens=tokens_of(provider), limits={"refusals": 1000})


def status(client: TestClient, token: str, path: str = "/health") -> int:
    return client.get(path, headers=bearer(token)).status_code


def test_a_token_opens_what_its_roles_say(client: TestClient, provider: IdentityProvider) -> None:
    assert status(client, provider.token()) == 200
    assert status(client, provider.token(roles=["Sender"])) == 403
    assert status(client, provider.token(roles=["Sender", "Reader"])) == 200
    assert status(client, provider.token(roles=["reader", "Anything"])) == 403
    assert status(client, provider.token(roles=None)) == 403
    assert status(client, provider.token(roles={"Reader": True})) == 403
    sent = client.post(
        "/v1/traces",
        content=b"{}",
        headers=bearer(provider.token(roles="Sender")) | {"content-type": "application/json"},
    )
    assert sent.status_code == 200


def test_what_is_wrong_with_a_token_is_refused(client: TestClient, provider: IdentityProvider, kept: Ledger) -> None:
    now = int(time.time())
    assert status(client, provider.token()) == 200
    wrong = {
        "issuer": {"iss": provider.issuer + "/"},
        "issuer of another tenant": {"iss": provider.issuer.replace("tenant", "other")},
        "audience": {"aud": "api://other"},
        "audience of the console": {"aud": CLIENT},
        "no audience": {"aud": None},
        "expired": {"exp": now - 61},
        "no end": {"exp": None},
        "not yet": {"nbf": now + 120},
        "no subject": {"sub": None},
        "no issuer": {"iss": None},
        "unknown key": {"kid": "third"},
        "a key that is shared": {"kid": "shared"},
        "no key": {"headers": {"kid": ""}},
    }
    for what, changes in wrong.items():
        assert status(client, provider.token(**changes)) == 401, what
    assert status(client, provider.token(exp=now - 30)) == 200  # clocks differ by a little
    assert status(client, provider.token() + "a") == 401
    assert status(client, "a" * 20_000 + ".b.c") == 401
    assert "bearer token" in audit_of(kept, action="sign_in.refuse")[-1].detail


def _unsigned(claims: dict[str, object], header: dict[str, str], key: bytes | None) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (header, claims)]
    text = ".".join(parts)
    seal = b"" if key is None else hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def test_the_algorithm_is_the_key_s_and_never_the_token_s(client: TestClient, provider: IdentityProvider) -> None:
    claims = jwt.decode(provider.token(roles=["Operator"]), options={"verify_signature": False})
    for name in ("none", "None", "NONE", "nOnE", ""):
        assert status(client, _unsigned(claims, {"alg": name, "kid": "first"}, None)) == 401, name
    # The public key, which everybody knows, taken for the secret of an HMAC.
    for key in (provider.public_pem(), provider.public_pem().strip(), b"secret-secret-secret"):
        for kid in ("first", "shared"):
            assert status(client, _unsigned(claims, {"alg": "HS256", "kid": kid}, key)) == 401
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert status(client, jwt.encode(claims, stranger, "RS256", {"kid": "first"})) == 401
    own = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    for header in ({"jwk": own}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/c"}):
        assert status(client, jwt.encode(claims, stranger, "RS256", {"kid": "first", **header})) == 401


def test_keys_change_and_unknown_ones_are_not_asked_for_again_and_again(
    client: TestClient, provider: IdentityProvider
) -> None:
    assert status(client, provider.token()) == 200
    old = provider.token()
    for _ in range(20):
        assert status(client, provider.token(kid="made-up")) == 401
    assert provider.asked.count("keys") == 1  # half a minute has not passed
    guarded = client.app.state.guard.provider  # type: ignore[attr-defined]
    later = guarded.clock() + 31
    guarded.clock = lambda: later
    provider.rotate()
    assert status(client, provider.token()) == 200
    assert provider.asked.count("keys") == 2
    assert status(client, old) == 401  # its key is withdrawn


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9/tenant", "{}/other", "{}/"])
def test_an_issuer_that_is_away_or_another_one_opens_nothing(
    serve: Serve, provider: IdentityProvider, issuer: str
) -> None:
    client = serve(tokens=tokens_of(provider) | {"issuer": issuer.format(provider.issuer)})
    assert status(client, provider.token(iss=issuer.format(provider.issuer))) == 401
    assert client.get("/health", headers=bearer(TOKEN)).status_code == 200
