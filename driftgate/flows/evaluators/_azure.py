"""azure-ai-evaluation's evaluators, called one by one inside our event loop."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from driftgate.flows.redirects import refuse_in_azure, refuse_in_openai

PACKAGE = "azure-ai-evaluation"


def package_version() -> str:
    """Version of azure-ai-evaluation, which an evaluator's prompt and rules come with."""
    return version(PACKAGE)


def azure_class(name: str) -> Any:
    """A class of azure-ai-evaluation; the import takes seconds and is put off until an evaluator is made.

    It is kept, as prompt flow is, from sending telemetry, from printing a traceback for every failed request, which
    is an error of its evaluation already, and from following redirects.
    """
    from driftgate.flows.engines._resolve import quiet_promptflow

    quiet_promptflow()
    refuse_in_openai()
    refuse_in_azure()
    logging.getLogger("azure.ai.evaluation").setLevel(logging.ERROR)  # it announces each class that is experimental
    import azure.ai.evaluation

    return getattr(azure.ai.evaluation, name)


async def call(evaluator: Any, **inputs: Any) -> Mapping[str, Any]:
    """Call an evaluator of azure-ai-evaluation on this event loop.

    Its plain call starts a thread with a loop of its own for each sample, which takes ten times as long and cannot be
    ended at a deadline. ``_to_async`` is what its own ``evaluate()`` goes through.
    """
    result: Mapping[str, Any] = await evaluator._to_async()(**inputs)
    return result
