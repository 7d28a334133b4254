"""Jobs of Azure Machine Learning can be put: their workspace is named, and what they take along is there and pinned."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.finetune._azure import check_address
from driftgate.finetune.compute import packages
from driftgate.flows.errors import DriftgateError


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look where the whole workspace is looked at; Azure is not asked."""
    workspace = inspection.workspace
    config = workspace.config.azureml
    if config is None or not inspection.scope.whole:
        return
    try:
        check_address(config.workspace)
        named = workspace.inside(config.requirements, "azureml.requirements") if config.requirements else None
        pinned = packages(config.extras, named)
        for number, path in enumerate(config.files):
            if not workspace.inside(path, f"azureml.files.{number}").exists():
                raise DriftgateError(f"azureml.files names {path}, which is not there", "correct the path")
    except DriftgateError as problem:
        yield of_problem("azureml", problem, inspection.where("azureml"))
        return
    yield Finding(
        "good",
        "azureml",
        f"{config.shards} jobs on {config.compute or config.instance_type}, {len(pinned)} packages pinned",
    )


CHECK = Check(look)
