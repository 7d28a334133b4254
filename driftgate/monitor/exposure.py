"""What a workspace says of how its service may be reached: by whom, from where, and how often."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from driftgate.flows.models import Secret
from driftgate.ledger import Scope


def _is_web(value: str) -> str:
    """An address that cannot be read on its way, without anything behind it that would be lost."""
    parts = urlsplit(value)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError(f"'{value}' does not begin with https://, which only an address of this machine need not")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(f"'{value}' is no plain address; expected one such as https://login.example.com/tenant")
    return value


def _is_origin(value: str) -> str:
    if urlsplit(_is_web(value)).path.strip("/"):
        raise ValueError(f"'{value}' has a path; expected one such as https://driftgate.example.com")
    return value.rstrip("/")


def _is_network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(f"'{value}' is neither an address nor a network, such as 10.0.0.7 or 10.0.0.0/24") from None
    return value


def _opens_something(roles: dict[str, tuple[Scope, ...]]) -> dict[str, tuple[Scope, ...]]:
    if not any(roles.values()):
        raise ValueError("no role has a scope, so that nobody could do anything; expected {ROLE: [read]}")
    return roles


Web = Annotated[str, AfterValidator(_is_web)]
Roles = Annotated[dict[str, tuple[Scope, ...]], AfterValidator(_opens_something)]


class Limits(BaseModel):
    """How much of the service anybody may take."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    requests_per_second: float = Field(200.0, gt=0)
    """Requests of one key, session or bearer token, and of all strangers of one address, over time."""
    burst: int = Field(400, ge=1)
    """How many of them may come at once."""
    concurrent: int = Field(500, ge=1)
    """Requests that are answered at once; more get 503."""
    connections: int = Field(1000, ge=8)
    """Connections at once; for another one, the one that is idle longest is closed."""
    body_megabytes: float = Field(1.0, gt=0)
    """The most a request may have; that of telemetry is ``max_megabytes`` of the source ``otlp``."""
    idle_seconds: float = Field(15.0, gt=0, le=300)
    """After which a connection is closed that asks nothing."""
    header_seconds: float = Field(10.0, gt=0, le=300)
    """In which the head of a request has to be there, from its first byte or, of a new connection, from its
    beginning."""
    body_seconds: float = Field(25.0, gt=0, le=3600)
    """In which the next 64 KiB of a request have to be there, or its end, and in which an answer has to be read on."""
    refusals: int = Field(20, ge=1)
    """Wrong keys and tokens of one address at once; with one more it waits, and so it gets one more every
    ``refusal_seconds``."""
    refusal_seconds: float = Field(6.0, gt=0)
    """See ``refusals``."""


class TokensConfig(BaseModel):
    """Bearer tokens of an identity provider, such as Entra ID, for programs."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    issuer: Web
    """Who issues them, as it stands in ``iss``: ``https://login.microsoftonline.com/TENANT/v2.0``. Its keys are found
    by way of ``/.well-known/openid-configuration``."""
    audience: str = Field(min_length=1)
    """For whom they are, as it stands in ``aud``: the application's id or ``api://…``."""
    roles: Roles
    """By role, what who has it may do: ``{Driftgate.Read: [read], Driftgate.Send: [ingest]}``."""
    roles_claim: str = "roles"
    """The claim in which the roles stand, as a list or parted by spaces (``scp``)."""


class SignInConfig(BaseModel):
    """Sign-in of people by OpenID Connect: authorization code with PKCE."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    issuer: Web
    """As for ``tokens``."""
    client_id: str = Field(min_length=1)
    """The application, as the issuer knows it; its redirect URI is ``PUBLIC_URL/signin/callback``."""
    client_secret: Secret | None = None
    """``${env:NAME}`` of its secret; none for an application that has none."""
    scope: str = "openid profile"
    """What is asked for."""
    roles: Roles
    """By role, what who has it may do."""
    roles_claim: str = "roles"
    """The claim of the ID token in which the roles stand; with Entra ID also ``groups``."""


class Exposure(BaseModel):
    """The part of ``service`` that says how it may be reached."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    public_url: Annotated[str, AfterValidator(_is_origin)] | None = None
    """Where browsers find it, ``https://driftgate.example.com``; forms are taken from there alone. Unset: from the
    address at which it was asked."""
    proxies: tuple[Annotated[str, AfterValidator(_is_network)], ...] = ()
    """Addresses or networks of proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""
    tokens: TokensConfig | None = None
    """Bearer tokens of an identity provider that are taken beside keys."""
    sign_in: SignInConfig | None = None
    """How people sign in, beside keys."""
    session_hours: float = Field(8.0, gt=0, le=24 * 30)
    """After which who signed in with a browser has to do so again."""
    limits: Limits = Limits()
    """How much anybody may take."""

    @model_validator(mode="after")
    def _can_come_back(self) -> Self:
        if self.sign_in is not None and self.public_url is None:
            raise ValueError("service.sign_in needs service.public_url, to which the issuer sends people back")
        return self
