"""Command jobs of Azure Machine Learning, one for each share of a run, through its own client.

Each job has a name of its own and is put once: a job that is there is found. A sweep would want a metric to optimise
and keeps what only its best trial gave; a parallel job is a step of a pipeline that hands out files of its input, and
repeats those that failed, which would be paid for again.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from driftgate.finetune._azure import azure_errors, ml_client, state_name
from driftgate.finetune._azure_jobs import ENDED, get_or_none, why_failed
from driftgate.finetune.compute._config import AzureMLBench
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder, make_private

RESULT = "result"
"""Name of a job's output."""
_PYTHON = "3.11"
_MARK = "driftgate_fingerprint"


class JobRefused(DriftgateError):
    """The service does not take a job; it is not there."""


@dataclass(frozen=True)
class ShardJob:
    """A job that is to be there."""

    name: str
    code: Path
    """Folder that is uploaded with it; jobs with the same content share it."""
    command: str
    mark: str
    """Hash of what it asks, by which a job of that name is known again."""
    variables: Mapping[str, str]
    packages: Sequence[str]
    description: str


@dataclass(frozen=True)
class JobState:
    """How a job stands at the service."""

    state: Literal["going_on", "done", "failed", "gone"]
    detail: str


@dataclass(frozen=True)
class AzureMLJobs:
    """The jobs of a workspace's settings."""

    config: AzureMLBench

    def is_there(self, job: ShardJob) -> bool:
        """Whether a job was put already.

        Raises
        ------
        DriftgateError
            Another job has its name, or the service cannot be asked.
        """
        with azure_errors(f"looking for job '{job.name}'", "check the workspace and its roles"):
            found = get_or_none(ml_client(self.config.workspace).jobs, job.name)
        if found is not None and found.tags.get(_MARK) != job.mark:
            raise DriftgateError(f"the workspace has another job '{job.name}'", "begin a new run")
        return found is not None

    def put(self, job: ShardJob) -> None:
        """Put a job that is not there.

        Raises
        ------
        JobRefused
            The service does not take it: quota, rights, an unknown compute.
        DriftgateError
            The service cannot be reached, so that it is not known whether the job is there.
        """
        from azure.core.exceptions import HttpResponseError

        refused = False
        try:
            with azure_errors(f"submitting job '{job.name}'", "check workspace, compute, quota and roles"):
                try:
                    self._create(ml_client(self.config.workspace), job)
                except HttpResponseError as problem:
                    refused = 400 <= (problem.status_code or 0) < 500
                    raise
        except DriftgateError as problem:
            if refused:
                raise JobRefused(problem.message, problem.remedy) from None
            raise

    def state(self, name: str) -> JobState:
        """Look at a job.

        Raises
        ------
        DriftgateError
            The service cannot be asked.
        """
        with azure_errors(f"looking for job '{name}'", "the jobs go on; go on with the run later"):
            client = ml_client(self.config.workspace)
            if (job := get_or_none(client.jobs, name)) is None:
                return JobState("gone", "somebody deleted the job")
            state = state_name(job.status)
            if state == "completed":
                return JobState("done", state)
            if state == "canceled":
                return JobState("failed", "the job was cancelled")
            if state == "failed":
                return JobState("failed", f"the job failed: {why_failed(client, name)}")
        return JobState("going_on", state)

    def fetch(self, name: str, folder: Path) -> Path:
        """Bring what a job that has ended gave into a folder, and return where it lies; it may be nothing."""
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        with azure_errors(f"bringing back what job '{name}' gave", "go on with the run later"):
            ml_client(self.config.workspace).jobs.download(name, download_path=folder, output_name=RESULT)
        make_private(folder)
        return folder / "named-outputs" / RESULT

    def cancel(self, name: str) -> None:
        """Cancel a job unless it has ended, and with it what its machine costs."""
        with azure_errors(f"cancelling job '{name}'", "cancel it in the studio"):
            client = ml_client(self.config.workspace)
            job = get_or_none(client.jobs, name)
            if job is not None and state_name(job.status) not in (*ENDED, "cancelrequested"):
                client.jobs.begin_cancel(name).result()

    def _create(self, client: Any, job: ShardJob) -> None:
        from azure.ai.ml import Output, command

        hours = self.config.max_hours
        named = {"compute": self.config.compute, "instance_type": self.config.instance_type}
        place: dict[str, Any] = {name: value for name, value in named.items() if value}
        place |= {"timeout": math.ceil(hours * 3600)} if hours is not None else {}
        client.jobs.create_or_update(
            command(
                name=job.name,
                display_name=job.name,
                description=job.description,
                experiment_name=self.config.experiment,
                code=str(job.code),
                command=job.command,
                outputs={RESULT: Output(type="uri_folder", mode="rw_mount")},
                environment=client.environments.create_or_update(self._environment(job.packages)).id,
                environment_variables=dict(job.variables),
                tags={_MARK: job.mark},
                instance_count=1,
                **place,
            )
        )

    def _environment(self, packages: Sequence[str]) -> Any:
        from azure.ai.ml.entities import Environment

        conda = {
            "name": "driftgate-bench",
            "channels": ["conda-forge"],
            "dependencies": [f"python={_PYTHON}", "pip", {"pip": list(packages)}],
        }
        content = hashlib.sha256(json.dumps([self.config.image, conda]).encode()).hexdigest()[:12]
        return Environment(name="driftgate-bench", version=content, image=self.config.image, conda_file=conda)
