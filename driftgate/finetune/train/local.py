"""LoRA on this machine's processor, in a process of its own that outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from driftgate.finetune.train._architectures import check_base
from driftgate.finetune.train._files import write_atomically
from driftgate.finetune.train._job import FAILURE, PROGRESS, RESULT, LoraJob, hashes
from driftgate.finetune.train._lora import PROGRAM
from driftgate.finetune.train._trainer import (
    Handle,
    JobGone,
    Status,
    TrainedModel,
    TrainerConfig,
    TrainerKind,
    TrainingCheckpoint,
    TrainingEvent,
    TrainingJob,
)
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import EXTRAS, MissingExtra, installed
from driftgate.flows.models import ModelConfig
from driftgate.flows.models.local import LocalConfig, adapter_path, model_path, prompt_format_of
from driftgate.flows.private_files import opened

_JOB, _LOCK, _STARTS, _LOG = "job.json", "lock", "starts.json", "log.txt"
_FRUITLESS_STARTS = 3
"""A job that is killed this often without reaching another checkpoint is given up."""


class LocalTrainerConfig(TrainerConfig):
    """Training on this machine."""


@dataclass(frozen=True)
class LocalTrainer:
    """Trains an adapter for a model of the provider ``local``; one process a job, found again by its folder."""

    def submit(self, job: TrainingJob) -> Handle:
        """Write the job's file and start its process; see :class:`driftgate.finetune.train.Trainer`."""
        _check_installed()
        folder = job.folder.resolve()
        wanted = _lora_job(job)
        check_base(wanted.base, f"job '{job.name}': its base model")
        wanted = wanted.model_copy(update={"sha256": hashes(wanted)})
        file = folder / _JOB
        if file.exists():
            if LoraJob.model_validate_json(file.read_bytes()) != wanted:
                raise DriftgateError(
                    f"{folder} holds a job '{job.name}' with other items, another base or another recipe",
                    "give the new job a name and a folder of its own",
                )
        else:
            write_atomically(file, wanted.model_dump_json(indent=1).encode())
        # Everything result() needs is in the handle, so that it does not depend on what becomes of the workspace file.
        adapter = os.path.relpath(folder / wanted.result_name, job.workspace.resolve())
        served = {**job.base_model, "adapter": adapter, "prompt_format": wanted.prompt_format}
        handle = {"trainer": "local", "name": job.name, "folder": str(folder), "model": served}
        self.poll(handle)
        return handle

    def poll(self, handle: Handle) -> Status:
        """Read what the process reports, and start it again where it was killed."""
        folder = _folder(handle)
        if (folder / RESULT).exists():
            return Status("succeeded", progress=1.0)
        if (folder / FAILURE).exists():
            return Status("failed", str(_read(folder / FAILURE)["problem"]))
        reported = _read(folder / PROGRESS) if (folder / PROGRESS).exists() else {}
        with _locked(folder) as lock:
            if lock is None:
                return _running(reported)
            if (folder / RESULT).exists() or (folder / FAILURE).exists():  # it ended while the lock was looked at
                return self.poll(handle)
            starts = _read(folder / _STARTS) if (folder / _STARTS).exists() else []
            reached = reported.get("step", 0)
            fruitless = [step for step in starts if step == reached]
            if len(fruitless) >= _FRUITLESS_STARTS:
                return Status(
                    "failed", f"its process ended {len(fruitless)} times at step {reached}; see {folder / _LOG}"
                )
            write_atomically(folder / _STARTS, json.dumps([*starts, reached]).encode())
            _start(folder, lock)
        return _running(reported)

    def result(self, handle: Handle) -> TrainedModel:
        """Read the result; see :class:`driftgate.finetune.train.Trainer`."""
        folder = _folder(handle)
        if not (folder / RESULT).exists():
            raise DriftgateError(f"job '{handle['name']}' has no result yet", "poll it until it has succeeded")
        found = _read(folder / RESULT)
        return TrainedModel(
            kind="local",
            model=handle["model"],
            artefact=str(folder / found["adapter"]),
            metrics=found["metrics"],
            lineage=found["lineage"],
        )

    def events(self, handle: Handle) -> list[TrainingEvent]:
        """How often its process was started, and where it stands; see :class:`driftgate.finetune.train.Controlled`."""
        folder = _folder(handle)
        starts = _read(folder / _STARTS) if (folder / _STARTS).exists() else []
        status = self.poll(handle)
        at = datetime.fromtimestamp((folder / _JOB).stat().st_mtime, UTC)
        told = [TrainingEvent(at, "info", f"its process was started at step {step}") for step in starts]
        level = "error" if status.state == "failed" else "info"
        return [*told, TrainingEvent(datetime.now(UTC), level, status.detail or status.state)]

    def checkpoints(self, handle: Handle) -> list[TrainingCheckpoint]:
        """None that could be served: the one that is kept is for going on."""
        return []

    def cancel(self, handle: Handle) -> None:
        """End its process, and see to it that none is started again."""
        folder = _folder(handle)
        if (folder / RESULT).exists() or (folder / FAILURE).exists():
            return
        write_atomically(folder / FAILURE, json.dumps({"problem": "cancelled"}).encode())
        with _locked(folder) as lock:
            if lock is None:  # it is alive, so the number is its own
                os.killpg(int((folder / "pid").read_bytes()), signal.SIGKILL)

    def pause(self, handle: Handle) -> None:
        """Refused: a process here can be killed and goes on from its checkpoint when it is looked at again."""
        raise DriftgateError("training on this machine cannot be paused", "cancel it, or let it end")

    def go_on(self, handle: Handle) -> None:
        """Nothing is ever paused; whoever polls sets a killed process going again."""


def _check_installed() -> None:
    if not all(map(installed, EXTRAS["train"])):
        raise MissingExtra("train", "training on this machine")


def check(config: LocalTrainerConfig, name: str, base: ModelConfig, workspace: Path) -> None:
    """Refuse a base model that cannot be trained here.

    Raises
    ------
    DriftgateError
        It is served by somebody else, a file of it is missing, or the extra ``train`` is.
    """
    if not isinstance(base, LocalConfig):
        raise _not_local(f"base model '{name}'", base.provider)
    _check_installed()
    check_base(model_path(name, base, workspace), f"base model '{name}'")
    adapter_path(name, base, workspace)


def _not_local(who: str, provider: object) -> DriftgateError:
    return DriftgateError(
        f"{who}: a model of the provider '{provider}' cannot be fine-tuned here",
        "only models of the provider 'local' can be; choose another trainer",
    )


def _lora_job(job: TrainingJob) -> LoraJob:
    if (provider := job.base_model.get("provider")) != "local":
        raise _not_local(f"job '{job.name}'", provider)
    config = LocalConfig.model_validate(dict(job.base_model))
    workspace = job.workspace.resolve()
    return LoraJob(
        name=job.name,
        base=model_path(job.name, config, workspace),
        adapter=workspace / config.adapter if config.adapter else None,
        prompt_format=prompt_format_of(config),
        items=job.items.resolve(),
        validation=job.validation.resolve() if job.validation else None,
        recipe=job.recipe,
        seed=job.seed,
    )


@contextmanager
def _locked(folder: Path) -> Iterator[IO[bytes] | None]:
    """The job's lock, or None while its process is alive.

    The process inherits the open lock and holds it until it ends, however it ends: unlike a process id, a lock is
    never another's.

    Raises
    ------
    DriftgateError
        The system has no such locks.
    """
    try:
        import fcntl
    except ModuleNotFoundError as problem:
        raise DriftgateError(
            "the trainer 'local' needs the file locks of Linux or macOS", "train there, or with another trainer"
        ) from problem
    with opened(folder / _LOCK) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


def _start(folder: Path, lock: IO[bytes]) -> None:
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    threads = str(LoraJob.model_validate_json((folder / _JOB).read_bytes()).recipe.threads)
    with opened(folder / _LOG, "ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this very interpreter, with a path this trainer made
            [sys.executable, "-P", "-m", PROGRAM, str(folder / _JOB)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                **quiet,
                "OMP_NUM_THREADS": threads,
                "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait for one another sleep: others compute here too
                "TOKENIZERS_PARALLELISM": "false",
            },
            pass_fds=[lock.fileno()],
            start_new_session=True,  # an interrupted command line does not take the training with it
        )
    write_atomically(folder / "pid", str(process.pid).encode())


def _running(reported: dict[str, Any]) -> Status:
    if not reported:
        return Status("running", "starting", 0.0)
    step, steps = reported["step"], reported["steps"]
    loss = f", loss {reported['loss']:.3f}" if "loss" in reported else ""
    return Status("running", f"{reported['state']}: step {step} of {steps}{loss}", step / steps)


def _folder(handle: Handle) -> Path:
    folder = Path(str(handle.get("folder", "")))
    if not (folder / _JOB).is_file():
        raise JobGone(f"there is no training job in '{folder}'", "submit it again")
    return folder


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def open_trainer(config: LocalTrainerConfig, workspace: Path) -> LocalTrainer:
    """Make the trainer; it keeps everything in the folders of its jobs."""
    return LocalTrainer()


KIND = TrainerKind(config=LocalTrainerConfig, open=open_trainer, check=check)
