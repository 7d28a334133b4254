"""An OpenID provider on the loopback interface: real RSA keys, codes that are good once, PKCE that is checked."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

CLIENT, SECRET = "driftgate-console", "a-client-secret-of-the-tests"


class IdentityProvider:
    """Issues what it is told to: ``person`` is who signs in, ``change`` edits the claims of the ID token."""

    def __init__(self) -> None:
        self.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.published = ["first"]
        self.person: dict[str, Any] = {"sub": "s-1", "oid": "6f1c", "name": "김민지", "roles": ["Reader"]}
        self.change: dict[str, Any] = {}
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, list[str]]] = {}
        self._server = uvicorn.Server(uvicorn.Config(self._app(), port=0, log_level="error", ws="none"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started and time.monotonic() < until:
            time.sleep(0.02)
        self.issuer = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}/tenant"

    def stop(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        self._thread.join(10)

    def rotate(self) -> None:
        """Sign with another key from now on, and publish that one only."""
        self.keys = {"second": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.published = ["second"]

    def token(self, *, kid: str = "", headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token for programs; ``changes`` are other claims, None leaves one out."""
        name = next(iter(self.keys))
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "api://driftgate", "sub": "app-1", "azp": "nightly-ci"}
        claims |= {"iat": now, "nbf": now, "exp": now + 600, "roles": ["Reader"], **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.keys[name], "RS256", {"kid": kid or name, **(headers or {})})

    def public_pem(self) -> bytes:
        """The public key of today, as a text."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = next(iter(self.keys.values())).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign_in(self, address: str) -> str:
        """What a browser is sent back to by the provider's own page, where the person agrees."""
        query = parse_qs(urlsplit(address).query)
        code = secrets.token_urlsafe(12)
        self._codes[code] = query
        sent = {"code": code, "state": query["state"][0], "iss": self.issuer}
        return f"{query['redirect_uri'][0]}?{urlencode(sent)}"

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/tenant/.well-known/openid-configuration")
        async def configuration() -> dict[str, str]:
            self.asked.append("configuration")
            places = {"jwks_uri": "keys", "authorization_endpoint": "authorize", "token_endpoint": "token"}
            return {"issuer": self.issuer, **{name: f"{self.issuer}/{place}" for name, place in places.items()}}

        @app.get("/tenant/keys")
        async def keys() -> dict[str, Any]:
            self.asked.append("keys")
            public = [
                jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[name].public_key(), as_dict=True)
                | {"kid": name, "use": "sig"}
                for name in self.published
            ]
            return {"keys": [*public, {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}

        @app.get("/tenant/authorize")
        async def authorize(request: Request) -> RedirectResponse:
            return RedirectResponse(self.sign_in(str(request.url)), 303)

        @app.post("/tenant/token")
        async def token(request: Request) -> JSONResponse:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            begun = self._codes.pop(form.get("code", ""), None)
            verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
            if (
                begun is None
                or begun["code_challenge"] != [challenge]
                or begun["redirect_uri"] != [form["redirect_uri"]]
                or (form["client_id"], form.get("client_secret")) != (CLIENT, SECRET)
            ):
                return JSONResponse({"error": "invalid_grant"}, 400)
            claims = {"aud": CLIENT, "nonce": begun["nonce"][0], "azp": None, **self.person, **self.change}
            return JSONResponse({"id_token": self.token(**claims), "token_type": "Bearer"})

        return app
