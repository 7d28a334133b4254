"""Machines elsewhere that ask a share of a benchmark each: jobs of Azure Machine Learning, and what is kept of them."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.finetune.compute._azure_ml import RESULT, AzureMLJobs, JobRefused, JobState, ShardJob
    from driftgate.finetune.compute._config import AzureMLBench
    from driftgate.finetune.compute._packages import packages
    from driftgate.finetune.compute._store import KeptJob, jobs_of, keep_job, plan_jobs
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "RESULT",
    "AzureMLBench",
    "AzureMLJobs",
    "JobRefused",
    "JobState",
    "KeptJob",
    "ShardJob",
    "jobs_of",
    "keep_job",
    "packages",
    "plan_jobs",
]
