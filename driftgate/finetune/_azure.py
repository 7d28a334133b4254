"""What the Azure trainers and the rollout share: the workspace's address, signed-in clients and errors in words."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models import redirect_of, redirected, resolve, signed_in
from driftgate.flows.network import NetworkRefused, found_refusal, rule_azure

LONGEST_PAUSE = 120.0
"""Seconds that a service may ask to wait for before its request counts as refused for now."""
_SIGNED = re.compile(r"(?i)\b(sig|code|token|key|secret|password)=[^&\s'\")]+")
"""Query parameters that carry a secret; what a service says of a failure may quote a whole signed address."""


class AzureMLWorkspace(BaseModel):
    """Address of an Azure Machine Learning workspace; every field may hold ``${env:NAME}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    subscription: str
    """Subscription id."""
    resource_group: str
    """Resource group of the workspace."""
    workspace: str
    """Name of the workspace."""


def check_address(address: AzureMLWorkspace) -> None:
    """Refuse an address that cannot be used; the service is not asked.

    Raises
    ------
    DriftgateError
        It names an environment variable that is not set, or the extra ``azure`` is missing.
    """
    if not installed("azure.ai.ml") or not installed("azure.identity"):
        raise MissingExtra("azure", "Azure Machine Learning")
    _resolved(address)


def ml_client(address: AzureMLWorkspace) -> Any:
    """Return the ``azure.ai.ml.MLClient`` of a workspace, signed in by ``DefaultAzureCredential``.

    Raises
    ------
    DriftgateError
        The address names an environment variable that is not set.
    """
    return _ml_client(*_resolved(address))


def _resolved(address: AzureMLWorkspace) -> tuple[str, str, str]:
    return (
        resolve(address.subscription, "azure_ml.subscription"),
        resolve(address.resource_group, "azure_ml.resource_group"),
        resolve(address.workspace, "azure_ml.workspace"),
    )


@lru_cache(maxsize=8)
def _ml_client(subscription: str, resource_group: str, workspace: str) -> Any:
    from azure.ai.ml import MLClient

    rule_azure()
    # The package writes its steps to standard error, and a warning for each preview class among its own schemas.
    logging.getLogger("azure.ai.ml").setLevel(logging.WARNING)
    logging.getLogger("azure.ai.ml._utils._experimental").setLevel(logging.ERROR)
    return MLClient(
        credential(),
        subscription,
        resource_group,
        workspace,
        enable_telemetry=False,
        show_progress=False,
        transport=impatient_transport(),
    )


class _ToldToWait(Exception):
    """A service wants to be asked again much later."""


def impatient_transport() -> Any:
    """A transport that gives up where a service asks for a pause that no step can spend.

    The clients would sleep as long as ``Retry-After`` says, in a thread that nothing can end.
    """
    from azure.core.pipeline.transport import RequestsTransport

    transport: Any = RequestsTransport()
    pause = transport.sleep

    def sleep(seconds: float) -> None:
        if seconds > LONGEST_PAUSE:
            raise _ToldToWait(f"the service asks to wait {seconds:.0f} s")
        pause(seconds)

    transport.sleep = sleep
    return transport


@lru_cache(maxsize=1)
def credential() -> Any:
    """Return the process's ``DefaultAzureCredential``; tokens stay in its memory and are renewed by it."""
    return signed_in()


@contextmanager
def azure_errors(doing: str, remedy: str = "") -> Iterator[None]:
    """Turn the Azure clients' exceptions into a :class:`DriftgateError` that carries the service's reason.

    The cause is dropped on purpose: what a client or a service says may quote a signed address.

    Examples
    --------
    >>> from azure.core.exceptions import ServiceRequestError
    >>> with azure_errors("uploading the items"):
    ...     raise ServiceRequestError("reset: https://a.blob.core.windows.net/x?sv=1&sig=abc%3D")
    Traceback (most recent call last):
    driftgate.flows.errors.DriftgateError: uploading the items failed: reset: https://a.blob.core.windows.net/x?sv=1&sig=***
    """
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    try:
        yield
    except NetworkRefused as problem:
        raise DriftgateError(f"{doing} failed: {problem.message}", problem.remedy) from None
    except _ToldToWait as problem:
        raise DriftgateError(f"{doing} failed: {problem}", "it is tried again at the next turn") from None
    except ClientAuthenticationError as problem:
        if refused := found_refusal(problem):
            raise DriftgateError(f"{doing} failed: {refused.message}", refused.remedy) from None
        advice = "sign in (az login, a managed identity, AZURE_CLIENT_ID …) and check the identity's roles"
        raise DriftgateError(f"{doing} failed: {reason(problem)}", advice) from None
    except AzureError as problem:
        if found := redirect_of(problem):
            raise redirected(doing, *found) from None
        raise DriftgateError(f"{doing} failed: {reason(problem)}", remedy) from None


def reason(problem: Exception) -> str:
    """Say in one line, without secrets, what a service or its client complained of.

    Examples
    --------
    >>> reason(ValueError("Code: x\\n  Message: y?sig=abc&a=1"))
    'Code: x Message: y?sig=***&a=1'
    """
    error = getattr(problem, "error", None)
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    text = f"{code}: {message}" if code and message else str(getattr(problem, "message", None) or problem)
    return without_secrets(" ".join(text.split()))


def state_name(state: object) -> str:
    """Return a status in lower case; the clients give it as an enumeration or as a string.

    Examples
    --------
    >>> state_name("Succeeded")
    'succeeded'
    """
    return str(getattr(state, "value", state)).lower()


def without_secrets(text: str) -> str:
    """Blank out what follows ``sig=``, ``token=`` and their like."""
    return _SIGNED.sub(lambda match: f"{match.group(1)}=***", text)
