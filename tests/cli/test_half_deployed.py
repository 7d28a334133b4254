"""A rollout whose deployment is half there, from the command line: what it ends with, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure_services import Cloud
from chat_endpoint import ChatEndpoint
from loopback_net import Stall, Status
from repairs import earlier, ledger_of
from rollouts import deployments, edit, letter, make_workspace, messages, prove, standing, traffic, traffic_puts

QUOTA = Status(400, {"error": {"code": "OutOfQuota", "message": "Not enough quota for Standard_DS3_v2"}})
EXPIRED = Status(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "the token has expired"}})


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, cloud: Cloud, cli) -> Path:
    """A workspace whose candidate is proved, before its rollout; blue has all the traffic."""
    cloud.azure.add_endpoint({"blue": 100})
    cloud.azure.answer = letter
    make_workspace(tmp_path, endpoint)
    prove(cli, tmp_path)
    return tmp_path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let hours pass for the rollout."""

    def wait(hours: float) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[override]
                return datetime.now(UTC) + timedelta(hours=hours)

        monkeypatch.setattr("driftgate.finetune.deploy._rollout.datetime", Later)
        monkeypatch.setattr("driftgate.api.rollout.datetime", Later)

    return wait


def created(cloud: Cloud) -> int:
    """How often a candidate's deployment was asked for."""
    return len(cloud.net.sent("PUT", "/deployments/d-"))


def deleted(cloud: Cloud) -> int:
    return len(cloud.net.sent("DELETE", "/deployments/d-"))


def run(cli, folder: Path):
    return cli("remediation", "run", "-w", folder)


def test_what_is_created_for_ever_is_given_up_and_deleted(cli, folder, cloud, later) -> None:
    assert run(cli, folder).code == 3
    later(5)
    assert run(cli, folder).code == 3
    later(7)
    assert run(cli, folder).code == 4
    state, message, champion = standing(folder)
    assert (state, champion) == ("abandoned", "live")
    assert "was given up: the deployment is being created for more than 6 hours" in message
    assert (created(cloud), deleted(cloud), deployments(cloud)) == (1, 1, [])
    assert traffic(cloud) == {"blue": 100} and traffic_puts(cloud) == []
    assert messages(folder)[-1].endswith("is deleted")


def test_a_refused_candidate_is_deleted_unless_it_is_to_be_kept(cli, folder, cloud) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(keep_refused=True))
    run(cli, folder)
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    cloud.azure.answer = lambda prompt: "D"
    assert run(cli, folder).code == 1
    assert standing(folder)[::2] == ("rejected", "live")
    assert (deleted(cloud), len(deployments(cloud))) == (0, 1)


def test_killed_after_the_deployment_was_taken_it_is_asked_for_once(cli, folder, cloud) -> None:
    cloud.net.fail("PUT", "/deployments/d-", Stall())
    command = [sys.executable, "-m", "driftgate", "remediation", "run", "-w", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        cloud.net.wait_for("PUT", "/deployments/d-", 60)
        os.kill(process.pid, signal.SIGKILL)
    with ledger_of(folder) as ledger:
        earlier(ledger, 0.01)
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    done = run(cli, folder)
    for _ in range(20):  # what a killed process held is free after some seconds
        if standing(folder)[0] == "promoted":
            break
        done = run(cli, folder)
    assert done.code == 0, done.err
    assert standing(folder)[::2] == ("promoted", "candidate")
    assert (created(cloud), deleted(cloud)) == (1, 0)


def test_abandoned_while_it_is_created_nothing_is_left_to_pay(cli, folder, cloud) -> None:
    run(cli, folder)
    busy = Status(409, {"error": {"code": "Conflict", "message": "the deployment is being created"}})
    cloud.net.fail("DELETE", "/deployments/d-", busy)
    assert cli("remediation", "abandon", "20", "--reason", "not now", "-w", folder).code == 2
    assert standing(folder)[0] == "open" and "Conflict" in standing(folder)[1]
    listed = cli("incidents", "-w", folder)
    assert "cannot end: it is to end and cannot yet: deleting deployment" in " ".join(listed.out.split())
    assert run(cli, folder).code == 4
    assert standing(folder)[::2] == ("abandoned", "live")
    assert deployments(cloud) == [] and deleted(cloud) == 2
    assert "cannot end" not in cli("incidents", "-w", folder).out


def test_a_quota_that_is_spent_for_three_nights_ends_it(cli, folder, cloud) -> None:
    cloud.net.fail("PUT", "/deployments/d-", *[QUOTA] * 3)
    for night in range(3):
        done = run(cli, folder)
        assert done.code == (2 if night < 2 else 4), done.err
        with ledger_of(folder) as ledger:
            earlier(ledger, 1)
    state, message, champion = standing(folder)
    assert (state, champion) == ("abandoned", "live")
    assert "has failed 3 times" in message and "OutOfQuota" in message
    assert (created(cloud), traffic(cloud), deployments(cloud)) == (3, {"blue": 100}, [])


def test_errors_of_a_deployment_that_is_said_to_be_well_are_no_health(cli, folder, cloud, later) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(patience_hours=24))
    run(cli, folder)
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    cloud.net.fail("POST", "/score", *[Status(501, {})] * 10_000)
    assert run(cli, folder).code == 3
    assert "gate: unmeasurable" in standing(folder)[1]
    later(25)
    assert run(cli, folder).code == 1
    state, message, champion = standing(folder)
    assert (state, champion) == ("rejected", "live")
    assert "still unmeasurable after 24 hours" in message
    assert traffic_puts(cloud) == [] and deployments(cloud) == []


def test_an_expired_token_under_traffic_is_an_incident_until_it_goes_on(cli, folder, cloud) -> None:
    edit(folder, lambda c: c["recipes"]["mend"]["rollout"].update(soak_minutes=60))
    run(cli, folder)
    name = deployments(cloud)[-1].rsplit("/", 1)[1]
    cloud.azure.set_status(deployments(cloud)[-1], "Succeeded")
    assert run(cli, folder).code == 3
    cloud.net.fail("GET", "onlineEndpoints/support", *[EXPIRED] * 100)
    done = run(cli, folder)
    assert done.code == 2 and "ExpiredAuthenticationToken" in done.err
    assert traffic(cloud) == {"blue": 90, name: 10}
    listed = " ".join(cli("incidents", "-w", folder).out.split())
    assert "cannot go on: reading endpoint 'support' failed" in listed
    cloud.net._faults.clear()
    assert run(cli, folder).code == 3
    assert standing(folder)[::2] == ("open", "live")
    assert "cannot go on" not in cli("incidents", "-w", folder).out


def test_an_endpoint_that_is_gone_leaves_nothing_to_take_back(cli, folder, cloud) -> None:
    run(cli, folder)
    for path in [path for path in cloud.azure.resources if "onlineendpoints/support" in path]:
        del cloud.azure.resources[path]
    done = run(cli, folder)
    assert done.code == 2 and "endpoint 'support' was not found in workspace 'ws'" in done.err
    assert cli("remediation", "abandon", "20", "--reason", "it is gone", "-w", folder).code == 0
    assert standing(folder)[::2] == ("abandoned", "live")
