"""A Microsoft Foundry project, opened by Microsoft's own clients; what it refuses is said in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models import signed_in
from driftgate.flows.network import NetworkRefused, found_refusal, rule_azure, rule_openai
from driftgate.flows.scrubbing import told


@contextmanager
def opened(endpoint: str, doing: str) -> Iterator[tuple[Any, Any]]:
    """The project's client and its OpenAI client, signed in by ``DefaultAzureCredential``.

    Parameters
    ----------
    endpoint : str
        Address of the project.
    doing : str
        What is done in the body, for errors: ``publishing run x``.

    Raises
    ------
    DriftgateError
        The extra ``azure`` is missing, or the project cannot be reached or refuses, also within the body.
    """
    if not installed("azure.ai.projects"):
        raise MissingExtra("azure", doing)
    from azure.ai.projects import AIProjectClient

    rule_azure()
    rule_openai()
    with (
        _explained(endpoint, doing),
        AIProjectClient(endpoint=endpoint, credential=signed_in()) as project,
        project.get_openai_client(http_client=None, max_retries=4, timeout=60.0) as client,
    ):
        yield project, client


@contextmanager
def _explained(endpoint: str, doing: str) -> Iterator[None]:
    """What clients say of a refusal may quote a signed address, and is cut; so the cause is dropped."""
    from azure.core.exceptions import AzureError
    from openai import OpenAIError

    try:
        yield
    except NetworkRefused:
        raise
    except (AzureError, OpenAIError) as problem:
        if refused := found_refusal(problem):
            raise DriftgateError(refused.message, refused.remedy) from None
        text = re.sub(r"\?[^\s'\"]*", "?…", told(" ".join(str(problem).split())))[:400]
        raise DriftgateError(
            f"{doing} failed; the Foundry project {endpoint} says: {text}",
            "sign in (az login or a managed identity) with the role Azure AI User on the project, and try again: "
            "what is done already is not done twice",
        ) from None
