"""References to the environment, ``${env:NAME}``, in what a person writes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import keep_secret, keep_secrets_in, secrets_in

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_ANY = re.compile(r"\$\{env:([^}\n]*)\}")
ALLOWED = "DRIFTGATE_ALLOWED_ENV"
"""Names and patterns, parted by commas or spaces, of the variables that a workspace may read. It is set outside of the
workspace, so that who may only propose a change of the workspace's files cannot have other variables sent away."""
LITERAL = "a secret does not belong into this file: write ${env:NAME} and set NAME in the environment"
SECRET_KEYS = frozenset({"api_key", "client_secret", "connection_string", "secret", "secrets", "service_url", "token"})
"""Keys of the workspace file under which there are secrets only."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
_ALLOWED_AT_START = os.environ.get(ALLOWED)


def resolve(value: str, where: str) -> str:
    """Replace every ``${env:NAME}`` in ``value`` by the environment's value.

    A password or a token that is part of what comes out is registered as a secret; what is one as a whole is read with
    :func:`resolve_secret`.

    Raises
    ------
    DriftgateError
        A variable is not set, or may not be read; ``where`` says which setting needs it.

    Examples
    --------
    >>> os.environ["DOC_HOST"] = "127.0.0.1"
    >>> resolve("http://${env:DOC_HOST}:8123/v1", "models.demo.endpoint")
    'http://127.0.0.1:8123/v1'
    """
    return keep_secrets_in(REFERENCE.sub(lambda match: _value(match[1], where), value))


def resolve_secret(value: str, where: str) -> str:
    """As :func:`resolve`, of a value that is a secret: nothing that driftgate writes shows it from then on.

    Raises
    ------
    DriftgateError
        A variable is not set, or may not be read.
    """
    return keep_secret(resolve(value, where))


def keep_secrets_of(document: Any) -> None:
    """Register what the references within a workspace file hold, whether their part is used or not.

    A secret that one command never needs may stand in what another one kept. So may that of a proxy.
    """
    for name in _PROXIES:
        keep_secrets_in(os.environ.get(name, ""))
    _keep(document, secret=False)


def _keep(value: Any, *, secret: bool) -> None:
    if isinstance(value, str) and REFERENCE.search(value):
        held = REFERENCE.sub(lambda match: os.environ.get(match[1], "") if may_read(match[1]) else "", value)
        keep_secrets_in(held)
        if secret:
            keep_secret(held)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _keep(inner, secret=secret or key in SECRET_KEYS)
    elif isinstance(value, list):
        for inner in value:
            _keep(inner, secret=secret)


def without_literal(value: str) -> str:
    """The value, if no password and no token stands in it; a reference may.

    Raises
    ------
    ValueError
        One does: an address with a password, or a connection string with a key.

    Examples
    --------
    >>> without_literal("postgresql://${env:PGUSER}:${env:PGPASSWORD}@db/x?sslmode=require")
    'postgresql://${env:PGUSER}:${env:PGPASSWORD}@db/x?sslmode=require'
    >>> without_literal("postgresql://me:hunter2@db/x")
    Traceback (most recent call last):
    ValueError: a secret does not belong into this file: write ${env:NAME} and set NAME in the environment
    """
    if any(found.replace("\0", "") for found in secrets_in(REFERENCE.sub("\0", value))):
        raise ValueError(LITERAL)
    return value


def may_read(name: str) -> bool:
    """Whether a workspace may read a variable of the environment; without :data:`ALLOWED` it may read each.

    The narrower of what held when the process began and what holds now counts: a flow can set variables.
    """
    return all(
        allowed is None or any(fnmatchcase(name, pattern) for pattern in re.split(r"[,\s]+", allowed) if pattern)
        for allowed in (_ALLOWED_AT_START, os.environ.get(ALLOWED))
    )


def check_readable(text: str, where: str) -> None:
    """Refuse a flow's file that refers to a variable which may not be read: prompt flow resolves references too.

    Raises
    ------
    DriftgateError
        It does.
    """
    for name in _ANY.findall(text):
        _check(name, where)


def _value(name: str, where: str) -> str:
    _check(name, where)
    if name not in os.environ:
        raise DriftgateError(f"{where} needs the environment variable {name}, which is not set", f"export {name}=…")
    return os.environ[name]


def _check(name: str, where: str) -> None:
    if not may_read(name):
        raise DriftgateError(
            f"{where} reads the environment variable {name}, which {ALLOWED} does not allow this workspace",
            f"add {name} to {ALLOWED} where that is set, outside of the workspace, if the workspace is to have it",
        )
