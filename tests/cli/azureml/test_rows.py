"""Runs that jobs of Azure Machine Learning work on, through its own client: the ledger is that of one process."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure_cluster import Cluster
from azure_services import Cloud
from chat_endpoint import Answer, ChatEndpoint, Step
from chat_endpoint import Status as Refusal
from command_line import Cli
from ledger_rows import rows_of
from on_azureml import KEY, QUESTIONS, carried, forget_ledger, on_azureml
from rollouts import edit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and a shell")


def test_jobs_leave_the_ledger_of_one_process_row_for_row(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    _row_for_row(cloud, cluster, folder, endpoint, cli)


def test_so_they_do_where_each_runs_what_went_along_by_its_command(
    cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    """In processes that have nothing of this checkout, and of the environment what the compute has."""
    cluster.apart = True
    _row_for_row(cloud, cluster, folder, endpoint, cli)


def _row_for_row(cloud: Cloud, cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli) -> None:
    assert cli("bench", "-w", folder).code == 0
    whole = rows_of(folder)
    assert len(endpoint.requests) == QUESTIONS
    endpoint.forget()
    forget_ledger(folder)

    done = on_azureml(cli, folder)
    assert done.code == 0, done.err + str(cluster.logs)
    assert len(cluster.starts) == 2 and "shard 2 of 2: done" in done.out and "TESTED_KEY" in done.out
    assert (set(cluster.logs) == set(cluster.starts)) == cluster.apart
    divided = rows_of(folder)
    assert divided.keys() == whole.keys()
    for table, rows in whole.items():
        assert divided[table] == rows, table
    assert len(endpoint.requests) == QUESTIONS

    files = carried(cloud)
    assert sorted(files) == ["job.json", "tree/workspace/data/own.csv", "tree/workspace/driftgate.yaml"]
    assert set(yaml.safe_load(files["tree/workspace/driftgate.yaml"])) == {"version", "models", "datasets", "suites"}
    assert not any(KEY.encode() in content for content in files.values())
    for put in cloud.net.requests:
        assert KEY.encode() not in put.body


def test_failed_samples_are_asked_once_more_and_nothing_else(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    """Each sample is asked twice, and where one of the two failed that one is asked again, in a round of its own."""
    edit(folder, lambda config: config["suites"]["small"].update(repeats=2))
    counts: Counter[str] = Counter()

    def sometimes(prompt: str) -> Step:
        counts[prompt] += 1
        return Refusal(500, {}) if counts[prompt] == 1 and len(counts) % 4 == 0 else Answer("A")

    endpoint.default = sometimes
    assert on_azureml(cli, folder).code in (0, 4)
    failed = [row for row in rows_of(folder)["outcomes"] if "'failed'" in row]
    assert 0 < len(failed) < QUESTIONS and len(endpoint.requests) == 2 * QUESTIONS
    done = on_azureml(cli, folder, "--resume", "--retry-failed")
    assert done.code == 0, done.err
    assert len(endpoint.requests) == 2 * QUESTIONS + len(failed)
    assert len(rows_of(folder)["outcomes"]) == 2 * QUESTIONS + len(failed)
    assert sum("-a2-" in name for name in cluster.starts) in (1, 2)


def test_the_limit_on_cost_and_the_requests_at_once_are_divided(
    cluster: Cluster, folder: Path, endpoint: ChatEndpoint, cli: Cli
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["models"]["tested"] |= {"prices": {"input": 1e6, "output": 0}, "in_flight": 2}
        config["suites"]["small"]["max_cost"] = 100.0

    edit(folder, change)
    endpoint.default = Answer("A")
    done = on_azureml(cli, folder)
    assert done.code == 2 and "limit of 50" in done.err and "have no outcome" in done.err, done.err
    asked = len(endpoint.requests)
    assert 0 < asked < QUESTIONS and len(rows_of(folder)["outcomes"]) == asked
    edit(folder, lambda config: config["suites"]["small"].update(max_cost=1e9))
    assert on_azureml(cli, folder, "--resume").code == 0
    assert len(endpoint.requests) == QUESTIONS
