"""Who asks a run's samples beside this process: processes of this machine, or jobs of Azure Machine Learning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from driftgate.api.bench import Begun
from driftgate.api.workspace import OpenWorkspace
from driftgate.ledger import Ledger

Place = Literal["here", "azureml"]


@dataclass(frozen=True)
class Division:
    """How a run is divided."""

    shards: int | None = None
    """Processes or jobs; None: this process alone, or as many jobs as the workspace says."""
    on: Place = "here"
    cancel: bool = False
    """An interrupt cancels jobs that are under way."""
    tell: Callable[[str], None] = lambda words: None
    """Told in words how jobs stand."""


def ask_divided(
    workspace: OpenWorkspace,
    ledger: Ledger,
    begun: Begun,
    how: Division,
    *,
    retry_failed: bool,
    cache: bool | None,
) -> tuple[Begun, bool]:
    """Have others ask the run's samples, if any are to.

    Returns
    -------
    tuple of Begun and bool
        The run with what is left of its limits, and whether everything is asked.

    Raises
    ------
    DriftgateError
        Something was not done; the ledger is intact and the run can be resumed.
    """
    if how.on == "azureml":
        from driftgate.api.cluster import ask_on_azureml

        asked = ask_on_azureml(
            workspace, ledger, begun, how.shards, retry_failed=retry_failed, cancel=how.cancel, tell=how.tell
        )
        return asked, True
    if begun.goes_on:
        from driftgate.api.cluster import check_not_asked_elsewhere

        check_not_asked_elsewhere(ledger, begun)
    if (how.shards or 1) > 1:
        from driftgate.api.shards import ask_in_shards

        asked = ask_in_shards(workspace.folder, ledger, begun, how.shards or 1, retry_failed=retry_failed, cache=cache)
        return asked, True
    return begun, False
