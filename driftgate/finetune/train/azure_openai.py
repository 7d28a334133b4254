"""Fine-tuning on Azure OpenAI and Foundry, and the deployment of its result; takes minutes to hours over there.

API: the v1 data plane (``{endpoint}/openai/v1/files`` and ``/fine_tuning/jobs``) through the openai client, and the
control plane for the deployment. Training files are chat JSON Lines, UTF-8 with a byte-order mark, ten items at least
(learn.microsoft.com/azure/ai-foundry/openai/how-to/fine-tuning).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from driftgate.finetune._azure import credential, reason, without_secrets
from driftgate.finetune.deploy import delete_deployment, deployed, read_deployment
from driftgate.finetune.train._items import read_items
from driftgate.finetune.train._lineage import fingerprint, lineage_of
from driftgate.finetune.train._openai_shapes import (
    DECIDING,
    AzureOpenAIFineTuning,
    characters_of,
    cost,
    estimate,
    method_of,
    number,
    training_lines,
)
from driftgate.finetune.train._trainer import (
    Handle,
    JobGone,
    Status,
    TrainedModel,
    TrainerKind,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingJob,
)
from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import MissingExtra, installed
from driftgate.flows.models import ModelConfig, redirect_of, redirected, resolve
from driftgate.flows.network import NetworkRefused, found_refusal, rule_openai

KIND_NAME = "azure_openai"
_SCOPE = "https://cognitiveservices.azure.com/.default"
_LONGEST_SUFFIX = 40
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before a creation whose fate is unknown is looked for, and asked for, again."""
_PROCESSING_SECONDS = 60.0
"""How long a submission waits for the service to read an uploaded file."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class AzureOpenAITrainer:
    """See :class:`driftgate.finetune.train.Trainer`.

    Files and jobs have no names of the caller's choosing here. A file is found again by its file name, which holds the
    job's name and fingerprint, and a job by its metadata or, where the service drops that, by its training file. A
    creation whose reply was lost is looked for before it is asked for again; nothing is created by blind retries.
    """

    config: AzureOpenAIFineTuning

    def submit(self, job: TrainingJob) -> Handle:
        """Upload the items, create the job, or find what is there of both."""
        mark = fingerprint(job, **self.config.model_dump(include=DECIDING))
        training = training_lines(job.items, self.config.method)
        validation = training_lines(job.validation, self.config.method) if job.validation else None
        if validation is None and self.config.method == "reinforcement":
            raise DriftgateError(
                f"training job '{job.name}' has no validation items, which reinforcement fine-tuning asks for",
                "give the job validation items",
            )
        client = self._client()
        with _openai_errors(f"submitting training job '{job.name}'"):
            _refuse_other(client, job.name, mark)
            training_file = _upload(client, f"{job.name}.{mark}.jsonl", training)
            validation_file = None
            if validation is not None:
                validation_file = _upload(client, f"{job.name}.{mark}.validation.jsonl", validation)
            began = _once(
                lambda: _find_job(client, job.name, mark),
                lambda: self._create_job(client, job, mark, training_file, validation_file),
            )
        return {
            "trainer": KIND_NAME,
            "name": job.name,
            "job": began.id,
            "deployment": job.name,
            "base_model": dict(job.base_model),
            "estimate": estimate(self.config, len(read_items(job.items)), characters_of(job.items)).told,
            "lineage": lineage_of(job, base=self.config.base, fingerprint=mark),
        }

    def poll(self, handle: Handle) -> Status:
        """Look at the job; once it succeeded, see to the deployment of its result."""
        job = self._job(handle)
        if job.status in ("failed", "cancelled"):
            return Status("failed", _why(job))
        if job.status != "succeeded":
            return Status("running", str(job.status).replace("_", " "))
        if not deployed(self.config.account, handle["deployment"], job.fine_tuned_model):
            return Status("running", f"deploying {job.fine_tuned_model}")
        return Status("succeeded", f"{job.fine_tuned_model} is deployed as {handle['deployment']}", 1.0)

    def result(self, handle: Handle) -> TrainedModel:
        """Hand over the deployment as a model of provider ``azure_openai``."""
        job = self._job(handle)
        if job.status != "succeeded":
            raise DriftgateError(f"training job '{handle['name']}' has not succeeded: {_why(job)}", "poll it")
        if not deployed(self.config.account, handle["deployment"], job.fine_tuned_model):
            raise DriftgateError(f"deployment '{handle['deployment']}' is not ready yet", "poll the job until it is")
        kept = ("parameters", "prices", "scoring", "in_flight", "timeout", "attempts")
        model = {key: value for key, value in handle["base_model"].items() if key in kept}
        model |= {
            "provider": "azure_openai",
            "endpoint": self.config.endpoint,
            "deployment": handle["deployment"],
            "api_version": self.config.api_version,
        }
        if self.config.api_key:
            model["api_key"] = self.config.api_key
        began, ended = number(job.created_at), number(job.finished_at)
        seconds = ended - began if began and ended and ended >= began else None
        tokens = number(job.trained_tokens)
        metrics = {"trained_tokens": tokens, "seconds": seconds, "cost": cost(self.config, tokens, seconds)}
        measured = {name: value for name, value in metrics.items() if value is not None}
        return TrainedModel(KIND_NAME, model, str(job.fine_tuned_model), measured, handle["lineage"])

    def discard(self, handle: Handle) -> str:
        """Delete the deployment of the result, which is paid by the hour; the fine-tuned model itself stays.

        Returns
        -------
        str
            What was done, in words; empty where there is nothing to delete.

        Raises
        ------
        DriftgateError
            The service refused.
        """
        name = handle["deployment"]
        found = read_deployment(self.config.account, name)
        if found is None:
            return ""
        if found["properties"]["model"]["name"] != self._job(handle).fine_tuned_model:
            return f"deployment '{name}' serves another model by now and is left as it is"
        delete_deployment(self.config.account, name)
        return f"deployment '{name}' of account '{self.config.account.account}' is deleted"

    def events(self, handle: Handle) -> list[TrainingEvent]:
        """What the service tells of the job; see :class:`driftgate.finetune.train.Controlled`."""
        with _openai_errors(f"reading the events of training job '{handle['name']}'"):
            told = list(self._client().fine_tuning.jobs.list_events(handle["job"]))
        found = [
            TrainingEvent(datetime.fromtimestamp(one.created_at, UTC), one.level, without_secrets(one.message))
            for one in told
        ]
        return sorted(found, key=lambda event: event.at)

    def checkpoints(self, handle: Handle) -> list[TrainingCheckpoint]:
        """The states that the service keeps; each can be deployed like the result."""
        with _openai_errors(f"reading the checkpoints of training job '{handle['name']}'"):
            told = list(self._client().fine_tuning.jobs.checkpoints.list(handle["job"]))
        found = [
            TrainingCheckpoint(
                one.step_number,
                one.fine_tuned_model_checkpoint,
                {name: value for name, value in one.metrics.model_dump().items() if number(value) is not None},
            )
            for one in told
        ]
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def cancel(self, handle: Handle) -> None:
        """Cancel the job where it has not ended."""
        if self._job(handle).status not in ("succeeded", "failed", "cancelled"):
            self._told(handle, "cancelling", lambda jobs: jobs.cancel(handle["job"]))

    def pause(self, handle: Handle) -> None:
        """Pause the job; the service keeps a checkpoint that can be deployed."""
        if self._job(handle).status != "paused":
            self._told(handle, "pausing", lambda jobs: jobs.pause(handle["job"]))

    def go_on(self, handle: Handle) -> None:
        """Let a paused job go on."""
        if self._job(handle).status == "paused":
            self._told(handle, "resuming", lambda jobs: jobs.resume(handle["job"]))

    def _told(self, handle: Handle, doing: str, do: Callable[[Any], Any]) -> None:
        with _openai_errors(f"{doing} training job '{handle['name']}'"):
            do(self._client().fine_tuning.jobs)

    def _job(self, handle: Handle) -> Any:
        from openai import NotFoundError

        with _openai_errors(f"looking for training job '{handle['name']}'"):
            try:
                return self._client().fine_tuning.jobs.retrieve(handle["job"])
            except NotFoundError:
                told = f"training job '{handle['name']}' ({handle['job']}) is not known to the service any more"
                raise JobGone(told, "train again") from None

    def _create_job(
        self, client: Any, job: TrainingJob, mark: str, training_file: str, validation_file: str | None
    ) -> Any:
        optional = {"validation_file": validation_file} if validation_file else {}
        return client.with_options(max_retries=0).fine_tuning.jobs.create(
            model=self.config.base,
            training_file=training_file,
            suffix=job.name[:_LONGEST_SUFFIX],
            seed=job.seed,
            metadata={"driftgate_job": job.name, "driftgate_fingerprint": mark},
            method=method_of(self.config),
            extra_body={"trainingType": self.config.training_type},
            **optional,
        )

    def _client(self) -> Any:
        from azure.identity import get_bearer_token_provider
        from openai import OpenAI

        rule_openai()

        endpoint = resolve(self.config.endpoint, "train.endpoint").rstrip("/")
        if self.config.api_key:
            key: str | Callable[[], str] = resolve_secret(self.config.api_key, "train.api_key")
        else:
            key = get_bearer_token_provider(credential(), _SCOPE)
        return OpenAI(base_url=f"{endpoint}/openai/v1/", api_key=key, max_retries=4, timeout=60.0)


def _upload(client: Any, name: str, content: bytes) -> str:
    def find() -> Any:
        files = client.files.list(purpose="fine-tune")
        usable = (file for file in files if file.filename == name and file.status not in ("error", "deleted"))
        return next(usable, None)

    def create() -> Any:
        return client.with_options(max_retries=0).files.create(file=(name, content), purpose="fine-tune")

    file = _once(find, create)
    try:
        file = client.files.wait_for_processing(file.id, poll_interval=2.0, max_wait_seconds=_PROCESSING_SECONDS)
    except RuntimeError:
        raise DriftgateError(f"Azure OpenAI is still processing {name}", "submit the job again in a minute") from None
    if file.status == "error":
        why = without_secrets(str(getattr(file, "status_details", None) or "no reason given"))
        raise DriftgateError(f"Azure OpenAI refused the training file {name}: {why}", "mend the items it names")
    return str(file.id)


def _refuse_other(client: Any, name: str, mark: str) -> None:
    """Refuse a name under which other items, or the same ones with other settings, were submitted."""
    file_marks = {
        file.filename.split(".")[1]
        for file in client.files.list(purpose="fine-tune")
        if file.filename.startswith(f"{name}.") and file.filename.endswith(".jsonl")
    }
    tags = [job.metadata or {} for job in client.fine_tuning.jobs.list()]
    job_marks = {str(tag.get("driftgate_fingerprint")) for tag in tags if tag.get("driftgate_job") == name}
    if (file_marks | job_marks) - {mark}:
        raise DriftgateError(
            f"training job '{name}' was already submitted with other items or settings",
            "give the new job a name of its own",
        )


def _find_job(client: Any, name: str, mark: str) -> Any:
    files = {file.id for file in client.files.list(purpose="fine-tune") if file.filename == f"{name}.{mark}.jsonl"}
    for job in client.fine_tuning.jobs.list():
        marked = (job.metadata or {}).get("driftgate_fingerprint") == mark
        if job.training_file in files or (marked and (job.metadata or {}).get("driftgate_job") == name):
            return job
    return None


def _once(find: Callable[[], Made | None], create: Callable[[], Made]) -> Made:
    """Create what cannot be found; after a failure of unknown outcome, look again before creating again."""
    from openai import APIConnectionError, InternalServerError, RateLimitError

    for pause in (*_PAUSES, None):
        found = find()
        if found is not None:
            return found
        try:
            return create()
        except (APIConnectionError, InternalServerError, RateLimitError) as problem:
            if pause is None:
                raise
            time.sleep(max(pause, _retry_after(problem)))
    raise AssertionError("the last attempt returns or raises")


def _retry_after(problem: Exception) -> float:
    response = getattr(problem, "response", None)
    try:
        return min(30.0, float(response.headers["retry-after"])) if response is not None else 0.0
    except (KeyError, ValueError):
        return 0.0


def _why(job: Any) -> str:
    error = job.error
    told = f"{error.code}: {error.message}" if error is not None and error.message else "no reason given"
    return without_secrets(f"{job.status} ({told})" if job.status in ("failed", "cancelled") else str(job.status))


@contextmanager
def _openai_errors(doing: str) -> Iterator[None]:
    from azure.core.exceptions import ClientAuthenticationError
    from openai import OpenAIError

    try:
        yield
    except NetworkRefused as problem:
        raise DriftgateError(f"{doing} failed: {problem.message}", problem.remedy) from None
    except ClientAuthenticationError as problem:
        if refusal := found_refusal(problem):
            raise DriftgateError(f"{doing} failed: {refusal.message}", refusal.remedy) from None
        advice = "set api_key to ${env:NAME}, or sign in (az login, a managed identity, AZURE_CLIENT_ID …)"
        raise DriftgateError(f"{doing} failed: {reason(problem)}", advice) from None
    except OpenAIError as problem:
        if refusal := found_refusal(problem):
            raise DriftgateError(f"{doing} failed: {refusal.message}", refusal.remedy) from None
        if found := redirect_of(problem):
            raise redirected(doing, *found) from None
        raise DriftgateError(f"{doing} failed: {reason(problem)}", "check endpoint, key and base model") from None


def check(config: AzureOpenAIFineTuning, name: str, base: ModelConfig, workspace: Path) -> None:
    """Refuse an address that cannot be used; the service is not asked.

    Raises
    ------
    DriftgateError
        A variable of the environment is not set, or the extra ``azure`` is missing.
    """
    if not installed("openai") or not installed("azure.identity"):
        raise MissingExtra("azure", "Azure OpenAI's fine-tuning")
    resolve(config.endpoint, "train.endpoint")
    if config.api_key:
        resolve_secret(config.api_key, "train.api_key")
    config.account.deployment_path(name)


def _open(config: AzureOpenAIFineTuning, workspace: Path) -> AzureOpenAITrainer:
    return AzureOpenAITrainer(config)


KIND = TrainerKind(config=AzureOpenAIFineTuning, open=_open, check=check, estimate=estimate)
