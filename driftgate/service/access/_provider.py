"""An identity provider: where its doors are, its keys, and what its tokens say.

References
----------
.. [1] OpenID Connect Discovery 1.0 and Core 1.0, https://openid.net/specs/
.. [2] RFC 8725, JSON Web Token Best Current Practices: the algorithm is the key's, never the token's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import jwt

from driftgate.flows.errors import DriftgateError
from driftgate.flows.network import Connections, read_json
from driftgate.ledger import Scope

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of keys that are public; with one that is shared, whoever checks a token could make one."""
_LONGEST = 16_384
_LEEWAY = 60
_FRESH_SECONDS = 3600.0
_AGAIN_SECONDS = 30.0
_TIMEOUT_SECONDS = 10.0


class NotBelieved(Exception):
    """A token that proves nothing; what it is said with names what is wrong, and nothing of the token."""


@dataclass
class Provider:
    """What is known of an issuer, fetched when it is needed and again after an hour.

    An unknown key is asked for at most every thirty seconds, so that made-up tokens make no requests. Where the issuer
    cannot be reached, the keys that are known go on to be believed.
    """

    issuer: str
    clock: Callable[[], float] = monotonic
    _document: Mapping[str, Any] = field(default_factory=dict)
    _keys: Mapping[str, jwt.PyJWK] = field(default_factory=dict)
    _fetched: float | None = None
    _tried: float | None = None
    _problem: str = ""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def door(self, name: str) -> str:
        """The address of one of its endpoints, such as ``token_endpoint``.

        Raises
        ------
        DriftgateError
            It cannot be reached, or says none.
        """
        await self._refresh(lambda: not self._document)
        if not isinstance(address := self._document.get(name), str):
            why = self._problem or f"its configuration names no {name}"
            raise DriftgateError(f"the issuer {self.issuer} cannot be asked: {why}", "correct service's issuer")
        return address

    async def claims(self, token: str, audience: str) -> Mapping[str, Any]:
        """What a token says, once it is believed.

        Raises
        ------
        NotBelieved
            Its issuer, audience, time, key or signature is not right, or it is no token.
        """
        if len(token) > _LONGEST:
            raise NotBelieved("it is too long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise NotBelieved("it is no token") from None
        kid = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not isinstance(kid, str):
            raise NotBelieved("it names no key, or an algorithm that proves nothing")
        await self._refresh(lambda: kid not in self._keys)
        if (key := self._keys.get(kid)) is None:
            raise NotBelieved("its key is none of the issuer's" if self._keys else "the issuer's keys are not known")
        try:
            found: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_of_key(key),
                audience=audience,
                issuer=self.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as problem:
            raise NotBelieved(_words(problem)) from None
        return found

    async def _refresh(self, lacking: Callable[[], bool]) -> None:
        async with self._lock:
            now = self.clock()
            stale = self._fetched is None or now - self._fetched >= _FRESH_SECONDS
            recent = self._tried is not None and now - self._tried < _AGAIN_SECONDS
            if recent or not (stale or lacking()):
                return
            self._tried = now
            try:
                self._document, self._keys = await _fetch(self.issuer)
                self._fetched, self._problem = now, ""
            except (DriftgateError, ValueError, TimeoutError) as problem:
                self._problem = str(problem) or type(problem).__name__
                log.error("the issuer %s could not be asked for its keys: %s", self.issuer, self._problem)


async def ask(method: str, url: str, **sent: Any) -> tuple[int, Any]:
    """Ask an identity provider; returns the status and the JSON that it says, None where it says none.

    Raises
    ------
    DriftgateError
        It cannot be reached, or may not be.
    """
    import aiohttp

    connections = Connections()
    try:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        reply = await connections.ask(method, url, timeout=timeout, **sent)
    except TimeoutError:
        raise DriftgateError(f"no answer in {_TIMEOUT_SECONDS:g} s", "see whether the issuer can be reached") from None
    finally:
        await connections.aclose()
    try:
        return reply.status, read_json(reply.body)
    except ValueError:
        return reply.status, None


async def _fetch(issuer: str) -> tuple[Mapping[str, Any], dict[str, jwt.PyJWK]]:
    status, document = await ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if status != 200 or not isinstance(document, dict):
        raise ValueError(f"its configuration answers HTTP {status}")
    if document.get("issuer") != issuer:
        raise ValueError("its configuration is of another issuer")
    secure = not issuer.startswith("http://")
    for name, address in document.items():
        if secure and name.endswith(("_endpoint", "_uri")) and not str(address).startswith("https://"):
            raise ValueError(f"its {name} does not begin with https://")
    status, found = await ask("GET", str(document.get("jwks_uri")))
    if status != 200 or not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError(f"its keys answer HTTP {status}")
    keys = {}
    for one in found["keys"]:
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict({name: value for name, value in one.items() if name != "x5c"})
        except jwt.PyJWTError:
            continue  # of a kind that is not known here
        if key.algorithm_name in ALGORITHMS:
            keys[one["kid"]] = key
    return document, keys


def _of_key(key: jwt.PyJWK) -> list[str]:
    return [key.algorithm_name]


def _words(problem: jwt.PyJWTError) -> str:
    words = {
        jwt.ExpiredSignatureError: "it has expired",
        jwt.InvalidIssuerError: "another issuer made it",
        jwt.InvalidAudienceError: "it is meant for another audience",
        jwt.ImmatureSignatureError: "it is not valid yet",
        jwt.MissingRequiredClaimError: "it lacks a claim that it needs",
        jwt.InvalidSignatureError: "its signature is wrong",
    }
    return next((said for kind, said in words.items() if isinstance(problem, kind)), "it cannot be checked")


def scopes_of(claims: Mapping[str, Any], claim: str, roles: Mapping[str, Collection[Scope]]) -> frozenset[Scope]:
    """What the roles of a token open; those that nobody named open nothing.

    Examples
    --------
    >>> sorted(scopes_of({"roles": ["A", "C"]}, "roles", {"A": ["read"], "B": ["operate"]}))
    ['read']
    >>> sorted(scopes_of({"scp": "A B"}, "scp", {"A": ["read"], "B": ["operate"]}))
    ['operate', 'read']
    """
    stated = claims.get(claim, [])
    names = stated.split() if isinstance(stated, str) else stated if isinstance(stated, list) else []
    return frozenset(scope for name in names if isinstance(name, str) for scope in roles.get(name, ()))


def name_of(claims: Mapping[str, Any]) -> str:
    """What the audit log calls whoever a token is of: a name and the id that never changes, and no e-mail address.

    Examples
    --------
    >>> name_of({"sub": "s1", "oid": "6f1c", "name": "김민지", "email": "kim@example.com"})
    '김민지 [6f1c]'
    >>> name_of({"sub": "s1", "azp": "8d2e"})
    '8d2e [s1]'
    """
    who = str(claims.get("oid") or claims["sub"])
    label = next((str(claims[name]) for name in ("name", "azp", "appid", "client_id") if claims.get(name)), "")
    return f"{label[:100]} [{who[:80]}]" if label and label != who else f"[{who[:80]}]"
