"""The project's own LoRA training as a command job of Azure Machine Learning, on whatever compute it has.

The script, :mod:`driftgate.finetune.train._lora`, is the one that the trainer ``local`` runs; it is uploaded with the
job and runs in a pinned environment. The result is registered as a model and brought back as the same adapter file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftgate.finetune._azure import azure_errors, check_address, ml_client, state_name
from driftgate.finetune._azure_jobs import ENDED, get_or_none, pinned_lines, why_failed
from driftgate.finetune.train._architectures import check_base
from driftgate.finetune.train._azure_ml_code import command_of, place, stage_code
from driftgate.finetune.train._azure_ml_config import AzureMLTraining, estimate, metered
from driftgate.finetune.train._items import read_items
from driftgate.finetune.train._job import ADAPTER, ADAPTER_FOLDER, RESULT, LoraJob, content_sha256
from driftgate.finetune.train._lineage import fingerprint, lineage_of
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
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import ModelConfig, parse_config
from driftgate.flows.models.local import EMBEDDED, LocalConfig, embedded_model, prompt_format_of
from driftgate.flows.private_files import make_folder, make_private
from driftgate.shipped import shipped

KIND_NAME = "azure_ml"
_PYTHON = "3.11"
_SCRIPT_NEEDS = ("aiohttp", "numpy", "pydantic")
"""What the script imports beside the requirements of training; pinned to what is installed here."""


@dataclass(frozen=True)
class AzureMLTrainer:
    """See :class:`driftgate.finetune.train.Trainer`. Every asset and the job have names of their own, so that all
    can be put twice; and a job that is there already is never put again."""

    config: AzureMLTraining
    folder: Path
    """Workspace folder."""

    def submit(self, job: TrainingJob) -> Handle:
        """Upload script and data and put the job, or find it."""
        items = read_items(job.items)  # refused here and now rather than by a machine that is paid for
        model = _local(job)
        inputs = {"items": job.items, "base": _base_file(model, job.workspace)}
        inputs |= {"validation": job.validation} if job.validation else {}
        inputs |= {"adapter": job.workspace / model.adapter} if model.adapter else {}
        absent = [f"{name} ({path})" for name, path in inputs.items() if not path.exists()]
        if absent:
            raise DriftgateError(f"training job '{job.name}' has no file for its {absent[0]}", "correct its path")
        check_base(inputs["base"], f"training job '{job.name}': its base model")
        contents = {name: content_sha256(path) for name, path in inputs.items()}
        mark = fingerprint(job, contents=contents, image=self.config.image, packages=self.packages())
        with azure_errors(f"submitting training job '{job.name}'", "check workspace, compute and roles"):
            client = ml_client(self.config.workspace)
            found = get_or_none(client.jobs, job.name)
            if found is None:
                self._create(client, job, mark, inputs, model)
            elif found.tags.get("driftgate_fingerprint") != mark:
                raise DriftgateError(
                    f"training job '{job.name}' was already submitted with other items or settings",
                    "give the new job a name of its own",
                )
        return {
            "trainer": KIND_NAME,
            "name": job.name,
            "folder": str(job.folder.resolve()),
            "estimate": estimate(self.config, len(items), None).told,
            "workspace": str(job.workspace.resolve()),
            "base_model": {**job.base_model, "prompt_format": prompt_format_of(model)},
            "lineage": lineage_of(job, base_sha256=contents["base"], fingerprint=mark),
        }

    def poll(self, handle: Handle) -> Status:
        """Look at the job; once it is complete, see to the registration of its model."""
        name = handle["name"]
        with azure_errors(f"looking for training job '{name}'"):
            client = ml_client(self.config.workspace)
            if (job := get_or_none(client.jobs, name)) is None:
                raise JobGone(f"training job '{name}' is not in the workspace any more", "train again")
            state = state_name(job.status)
            if state == "completed":
                _register(client, handle)
                return Status("succeeded", f"registered as {name}:1", 1.0)
            if state in ("failed", "canceled"):
                return Status("failed", f"{state}: {why_failed(client, name)}" if state == "failed" else state)
        return Status("running", state)

    def result(self, handle: Handle) -> TrainedModel:
        """Bring the registered model's adapter back and hand it over as a model of provider ``local``."""
        status = self.poll(handle)
        if status.state != "succeeded":
            raise DriftgateError(f"training job '{handle['name']}' has not succeeded: {status.detail}", "poll it")
        adapter, told = self._brought_back(handle)
        model = {**handle["base_model"], "adapter": os.path.relpath(adapter, handle["workspace"])}
        lineage = {**told["lineage"], **handle["lineage"]}
        metrics = {**told["metrics"], **metered(self.config, told["metrics"])}
        return TrainedModel(KIND_NAME, model, f"{handle['name']}:1", metrics, lineage)

    def _brought_back(self, handle: Handle) -> tuple[Path, dict[str, Any]]:
        folder = Path(handle["folder"]) / "model"
        result = folder / RESULT
        name_of_it = ADAPTER_FOLDER if _has_folder(handle) else ADAPTER
        adapter = folder / name_of_it
        if not result.is_file():
            aside = folder.with_name("download")
            shutil.rmtree(aside, ignore_errors=True)
            with azure_errors(f"bringing back the model of training job '{handle['name']}'"):
                ml_client(self.config.workspace).models.download(handle["name"], "1", download_path=aside)
            for name in (name_of_it, RESULT):
                if not (files := list(aside.rglob(name))):
                    raise DriftgateError(
                        f"the registered model {handle['name']}:1 has no file {name}",
                        "look into the job's log, then train again under another name",
                    )
                make_folder(folder)
                make_private(files[0])
                shutil.rmtree(folder / name, ignore_errors=True)
                files[0].replace(folder / name)  # the result last: it says that the adapter is whole
            shutil.rmtree(aside, ignore_errors=True)
        told: dict[str, Any] = json.loads(result.read_bytes())
        expected = told["lineage"]["sha256"]["result"]
        if content_sha256(adapter) != expected:
            result.unlink()
            raise DriftgateError(f"{adapter} is not what training job '{handle['name']}' wrote", "ask for it again")
        return adapter, told

    def _create(self, client: Any, job: TrainingJob, mark: str, inputs: Mapping[str, Path], model: LocalConfig) -> None:
        from azure.ai.ml import Output, command

        code = job.folder / "code"
        stage_code(code, _job_file(job, inputs, model))
        client.jobs.create_or_update(
            command(
                name=job.name,
                display_name=job.name,
                experiment_name=self.config.experiment,
                code=str(code),
                command=command_of(inputs),
                inputs={name: _data_asset(client, name, path) for name, path in inputs.items()},
                outputs={"model": Output(type="uri_folder")},
                environment=client.environments.create_or_update(self._environment()).id,
                environment_variables={"HF_HUB_OFFLINE": "1"},
                tags={"driftgate_fingerprint": mark},
                instance_count=self.config.instance_count,
                **self._place(),
            )
        )

    def _place(self) -> dict[str, Any]:
        """Where the job runs, and for how long at most."""
        named = {"compute": self.config.compute, "instance_type": self.config.instance_type}
        hours = self.config.max_hours
        limits = {"timeout": math.ceil(hours * 3600)} if hours is not None else {}
        return {name: value for name, value in named.items() if value} | limits

    def events(self, handle: Handle) -> list[TrainingEvent]:
        """When it was put, and where it stands; its log is in the studio."""
        with azure_errors(f"looking for training job '{handle['name']}'"):
            job = ml_client(self.config.workspace).jobs.get(handle["name"])
        began = job.creation_context.created_at if job.creation_context else None
        put = [TrainingEvent(began, "info", "the job was put")] if began is not None else []
        status = self.poll(handle)
        level = "error" if status.state == "failed" else "info"
        return [*put, TrainingEvent(datetime.now(UTC), level, status.detail)]

    def checkpoints(self, handle: Handle) -> list[TrainingCheckpoint]:
        """None that could be served: the one the program keeps is for going on."""
        return []

    def cancel(self, handle: Handle) -> None:
        """Cancel the job where it has not ended, and with it what its machines cost."""
        name = handle["name"]
        with azure_errors(f"cancelling training job '{name}'"):
            client = ml_client(self.config.workspace)
            if state_name(client.jobs.get(name).status) not in (*ENDED, "cancelrequested"):
                client.jobs.begin_cancel(name).result()

    def pause(self, handle: Handle) -> None:
        """Refused: the service has no such thing for a command job."""
        raise DriftgateError("a command job of Azure Machine Learning cannot be paused", "cancel it, or let it end")

    def go_on(self, handle: Handle) -> None:
        """Nothing is ever paused."""

    def _environment(self) -> Any:
        from azure.ai.ml.entities import Environment

        packages = self.packages()
        conda = {
            "name": "driftgate-train",
            "channels": ["conda-forge"],
            "dependencies": [f"python={_PYTHON}", "pip", {"pip": packages}],
        }
        content = hashlib.sha256(json.dumps([self.config.image, conda]).encode()).hexdigest()[:12]
        return Environment(name="driftgate-train", version=content, image=self.config.image, conda_file=conda)

    def packages(self) -> list[str]:
        """The pinned requirements of training.

        Raises
        ------
        DriftgateError
            There is no file of them, or one is not pinned.
        """
        own = shipped("finetune") / self.config.requirements.name
        paths = (self.folder / self.config.requirements, own)
        path = next((path for path in paths if path.is_file()), None)
        if path is None:
            raise DriftgateError(
                f"there is no file of training requirements at {paths[0]}",
                "name it in the trainer's 'requirements'",
            )
        lines = pinned_lines(path)
        named = {re.split(r"[\[=]", line)[0].lower() for line in lines}
        return sorted([*lines, *(f"{name}=={version(name)}" for name in _SCRIPT_NEEDS if name not in named)])


def _local(job: TrainingJob) -> LocalConfig:
    return _as_local(f"training job '{job.name}'", parse_config(job.base_model))


def _as_local(who: str, config: ModelConfig) -> LocalConfig:
    if not isinstance(config, LocalConfig):
        raise DriftgateError(
            f"{who} is to tune a model of provider '{config.provider}', whose weights are not here",
            "tune a model of provider 'local', or let azure_openai train",
        )
    return config


def check(config: AzureMLTraining, name: str, base: ModelConfig, workspace: Path) -> None:
    """Refuse what a job would be refused for; the service is not asked.

    Raises
    ------
    DriftgateError
        The weights of the base model are not here, the requirements of training are not pinned, a variable of the
        environment is not set, or the extra ``azure`` is missing.
    """
    model = _as_local("the trainer azure_ml", base)
    files = [_base_file(model, workspace), *([workspace / model.adapter] if model.adapter else [])]
    if absent := [file for file in files if not file.exists()]:
        raise DriftgateError(f"base model '{name}' has no file {absent[0]}", "correct its path")
    check_base(files[0], f"base model '{name}'")
    AzureMLTrainer(config, workspace).packages()
    check_address(config.workspace)


def _base_file(model: LocalConfig, workspace: Path) -> Path:
    return embedded_model() if model.model == EMBEDDED else (workspace / model.model).resolve()


def _job_file(job: TrainingJob, inputs: Mapping[str, Path], model: LocalConfig) -> LoraJob:
    places = {name: Path(place(name, path)) for name, path in inputs.items()}
    return LoraJob(
        name=job.name,
        prompt_format=prompt_format_of(model),
        sha256={name: content_sha256(path) for name, path in inputs.items()},
        recipe=job.recipe,
        seed=job.seed,
        **places,
    )


def _data_asset(client: Any, name: str, path: Path) -> Any:
    from azure.ai.ml import Input
    from azure.ai.ml.entities import Data

    asset, content = f"driftgate-{name}", content_sha256(path)[:12]
    kind = "uri_folder" if path.is_dir() else "uri_file"
    found = get_or_none(client.data, asset, content)  # a base model is large, and uploaded once
    if found is None:
        found = client.data.create_or_update(Data(name=asset, version=content, type=kind, path=str(path)))
    return Input(type=kind, path=found.id)


def _register(client: Any, handle: Handle) -> None:
    from azure.ai.ml.entities import Model

    name = handle["name"]
    if get_or_none(client.models, name, "1") is None:
        # LoRA adapters of any base: what they belong on is in the tags
        tags = {key: str(handle["lineage"][key]) for key in ("fingerprint", "base_sha256", "items_sha256")}
        path = f"azureml://jobs/{name}/outputs/model"
        client.models.create_or_update(Model(name=name, version="1", type="custom_model", path=path, tags=tags))


def _has_folder(handle: Handle) -> bool:
    """Whether the job's base is a model folder, and its adapter one of peft's."""
    model = LocalConfig.model_validate(dict(handle["base_model"]))
    return _base_file(model, Path(handle["workspace"])).is_dir()


def _open(config: AzureMLTraining, workspace: Path) -> AzureMLTrainer:
    return AzureMLTrainer(config, workspace)


KIND = TrainerKind(config=AzureMLTraining, open=_open, check=check, estimate=estimate)
