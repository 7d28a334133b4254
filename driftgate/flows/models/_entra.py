"""Entra ID tokens for Azure's data planes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models._errors import ModelMisconfigured
from driftgate.flows.scrubbing import keep_secret

Headers = Callable[[], Awaitable[Mapping[str, str]]]
_SIGN_IN = (
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "IDENTITY_HEADER",
    "MSI_SECRET",
)
"""Variables of the environment by which azure-identity signs in."""


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


def signed_in() -> Any:
    """The ``DefaultAzureCredential`` for clients of Azure's that ask for tokens themselves.

    Each token that it gives is registered as a secret, and so is what the environment signs in with.
    """
    from azure.identity import DefaultAzureCredential

    from driftgate.flows.network import rule_azure

    class Remembering(DefaultAzureCredential):
        def get_token(self, *scopes: str, **options: Any) -> Any:
            found = super().get_token(*scopes, **options)
            keep_secret(found.token, passing=True)
            return found

        def get_token_info(self, *scopes: str, **options: Any) -> Any:
            found = super().get_token_info(*scopes, **options)
            keep_secret(found.token, passing=True)
            return found

    rule_azure()
    _keep_what_signs_in()
    return Remembering()


def _keep_what_signs_in() -> None:
    for name in _SIGN_IN:
        keep_secret(os.environ.get(name, ""))


async def _fresh_token(owner: str, scope: str) -> tuple[str, float]:
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity.aio import DefaultAzureCredential

    from driftgate.flows.network import in_force, rule_azure

    rule_azure()
    _keep_what_signs_in()
    try:
        async with DefaultAzureCredential() as credential:
            fresh = await credential.get_token(scope)
    except ClientAuthenticationError as problem:
        sign_in = "set api_key to ${env:NAME}, or sign in (az login, a managed identity, AZURE_CLIENT_ID …)"
        named = "; network.allow must name who gives tokens, such as login.microsoftonline.com"
        raise ModelMisconfigured(
            f"{owner} has no api_key and no Entra ID token could be had",
            sign_in if in_force().config.allow is None else sign_in + named,
            fault="credentials_refused",
        ) from problem
    return keep_secret(fresh.token, passing=True), float(fresh.expires_on)
