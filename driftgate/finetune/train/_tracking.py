"""Metrics of a run to MLflow, where the run is one of MLflow's: on Azure Machine Learning every job is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from driftgate.finetune.train._job import LoraJob
from driftgate.flows.extras import installed

_IMPATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""By default mlflow tries for many minutes, while a card is paid for."""
_SENT = ("loss", "learning_rate", "validation_loss")


class Tracking:
    """Sends what a run measures to the tracking server that the environment names; without one it does nothing.

    A server that does not answer is said once and then left alone: it must not cost a run that is paid for.
    """

    def __init__(self, job: LoraJob) -> None:
        named = os.environ.get("MLFLOW_TRACKING_URI") or os.environ.get("MLFLOW_RUN_ID")
        self._job, self._mlflow = job, None
        if named and installed("mlflow"):
            for name, value in _IMPATIENT.items():
                os.environ.setdefault(name, value)
            import mlflow

            self._mlflow = mlflow

    def __enter__(self) -> Self:
        self._tried(lambda m: m.start_run(run_name=None if "MLFLOW_RUN_ID" in os.environ else self._job.name))
        self._tried(lambda m: m.log_params(self._job.recipe.model_dump()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tried(lambda m: m.end_run("FINISHED" if problem is None else "FAILED"))

    def step(self, progress: Mapping[str, Any]) -> None:
        """Send what a step measured."""
        values = {name: float(progress[name]) for name in _SENT if name in progress}
        if values:
            self._tried(lambda m: m.log_metrics(values, step=progress["step"]))

    def end(self, metrics: Mapping[str, float]) -> None:
        """Send what the whole run came to."""
        self._tried(lambda m: m.log_metrics({name: float(value) for name, value in metrics.items()}))

    def _tried(self, do: Any) -> None:
        if self._mlflow is None:
            return
        try:
            do(self._mlflow)
        except Exception as problem:  # mlflow raises what its transport raises
            print(f"metrics are not sent to MLflow any more: {type(problem).__name__}: {problem}", flush=True)
            self._mlflow = None
