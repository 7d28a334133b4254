"""What Azure's own hosts want to be shown: which token for which path, and a key in which header."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from driftgate.flows.models._entra import Headers, can_sign_in, token_headers

FOUNDRY_SCOPE = "https://ai.azure.com/.default"
"""Of the v1 API and of Foundry's projects."""
COGNITIVE_SCOPE = "https://cognitiveservices.azure.com/.default"
"""Of the older paths, which have an ``api-version``."""
_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")


def is_azure(endpoint: str) -> bool:
    """Whether an address is one of Azure OpenAI or Foundry.

    Examples
    --------
    >>> is_azure("https://RES.openai.azure.com/openai/v1"), is_azure("https://openai.azure.com.evil.example/v1")
    (True, False)
    """
    return (urlsplit(endpoint).hostname or "").endswith(_HOSTS)


def scope_of(endpoint: str) -> str:
    """What an Entra ID token has to be good for at an address.

    Source: Microsoft, "Azure OpenAI in Microsoft Foundry Models v1 API", learn.microsoft.com, read 2026-11-26.

    Examples
    --------
    >>> scope_of("https://RES.openai.azure.com/openai/v1")
    'https://ai.azure.com/.default'
    >>> scope_of("https://RES.services.ai.azure.com/api/projects/P/openai/v1")
    'https://ai.azure.com/.default'
    >>> scope_of("https://RES.openai.azure.com/openai/deployments/D")
    'https://cognitiveservices.azure.com/.default'
    """
    path = urlsplit(endpoint).path.rstrip("/") + "/"
    return FOUNDRY_SCOPE if "/openai/v1/" in path or path.startswith("/api/projects/") else COGNITIVE_SCOPE


def authentication(owner: str, endpoint: str, key: str | None, *, azure: bool) -> Headers:
    """The headers that authenticate a request to an address.

    Parameters
    ----------
    owner : str
        Whose request it is, for the error message: ``model 'phi'``.
    key : str or None
        Without one an Entra ID token is asked for, where ``azure``, and else nothing is sent.
    azure : bool
        The address takes a key as ``api-key``, as all of Azure's do, and tokens.

    Raises
    ------
    MissingExtra
        A token is to be asked for, and azure-identity is not installed.
    """
    if key is None and azure:
        return token_headers(owner, scope_of(endpoint))
    given = {} if key is None else {"api-key": key} if azure else {"Authorization": f"Bearer {key}"}

    async def headers() -> Mapping[str, str]:
        return given

    return headers


def check_sign_in(owner: str, *, azure: bool, keyed: bool) -> None:
    """See to it that a token can be asked for where it has to be.

    Raises
    ------
    MissingExtra
        azure-identity is not installed.
    """
    if azure and not keyed:
        can_sign_in(owner)
