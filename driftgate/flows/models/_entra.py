"""Entra ID tokens for Azure's data planes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models._errors import ModelMisconfigured

Headers = Callable[[], Awaitable[Mapping[str, str]]]


def token_headers(owner: str, scope: str) -> Headers:
    """Headers with a token of ``DefaultAzureCredential``, renewed five minutes before it expires.

    Parameters
    ----------
    owner : str
        Whose token it is, for the error message: ``model 'phi'``.
    scope : str
        What it is good for, such as ``https://cognitiveservices.azure.com/.default``.

    Raises
    ------
    MissingExtra
        azure-identity is not installed.
    """
    can_sign_in(owner)
    token, expires = "", 0.0
    renewing = asyncio.Lock()  # requests that begin together wait for one token instead of asking for one each

    async def headers() -> Mapping[str, str]:
        nonlocal token, expires
        async with renewing:
            if time.time() > expires - 300:
                token, expires = await _fresh_token(owner, scope)
        return {"Authorization": f"Bearer {token}"}

    return headers


def can_sign_in(owner: str) -> None:
    """See to it that azure-identity is installed.

    Raises
    ------
    MissingExtra
        It is not.
    """
    if not installed("azure.identity"):
        raise MissingExtra("azure", f"{owner} has no api_key, and signing in", "set its api_key")


async def _fresh_token(owner: str, scope: str) -> tuple[str, float]:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity.aio import DefaultAzureCredential

    from driftgate.flows.network import in_force, rule_azure

    rule_azure()
    try:
        async with DefaultAzureCredential() as credential:
            fresh = await credential.get_token(scope)
    except ClientAuthenticationError as problem:
        sign_in = "set api_key to ${env:NAME}, or sign in (az login, a managed identity, AZURE_CLIENT_ID …)"
        named = "; network.allow must name who gives tokens, such as login.microsoftonline.com"
        raise ModelMisconfigured(
            f"{owner} has no api_key and no Entra ID token could be had",
            sign_in if in_force().config.allow is None else sign_in + named,
        ) from problem
    return fresh.token, float(fresh.expires_on)
