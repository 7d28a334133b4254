"""The model of an Azure OpenAI deployment is exchanged with the champion, forth and back, through the control plane."""

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
from repairs import ledger_of
from rollouts import ROLLOUT, edit, prove, standing
from swaps import BEFORE, SERVES, TUNED, add_deployment, make_swapping, puts, served

from driftgate.ledger import champion_of


@pytest.fixture
def folder(tmp_path: Path, endpoint: ChatEndpoint, cloud: Cloud, cli) -> Path:
    """A workspace whose candidate is proved, and a deployment that serves another model."""
    add_deployment(cloud)
    make_swapping(tmp_path, endpoint)
    prove(cli, tmp_path)
    return tmp_path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let hours pass for the exchange."""

    def wait(hours: float) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[override]
                return datetime.now(UTC) + timedelta(hours=hours)

        monkeypatch.setattr("driftgate.finetune.deploy._swap.datetime", Later)

    return wait


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftgate.finetune.deploy._swap._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("driftgate.finetune.deploy._swap._LOOKS", 3)


def run(cli, folder: Path):
    return cli("remediation", "run", "-w", folder)


def back(cli, folder: Path):
    return cli("champion", "rollback", "assistant", "--reason", "complaints", "-w", folder)


def champion(folder: Path) -> str | None:
    with ledger_of(folder) as ledger:
        return champion_of(ledger, "assistant")


def test_model_and_champion_move_together_forth_and_back(cli, folder, cloud) -> None:
    done = run(cli, folder)
    assert done.code == 0, done.err
    assert standing(folder)[::2] == ("promoted", "candidate")
    assert served(cloud) == TUNED
    (put,) = puts(cloud)
    assert put == {
        "sku": {"name": "GlobalStandard", "capacity": 20},
        "properties": {"raiPolicyName": "own", "model": {"format": "OpenAI", "name": TUNED, "version": "1"}},
    }, "what the deployment is beside its model stays, and nothing is sent that only the service says"
    gone_back = back(cli, folder)
    assert gone_back.code == 0, gone_back.err
    assert f"deployment assistant of account openai serves {BEFORE['name']} again" in " ".join(gone_back.out.split())
    assert (served(cloud), champion(folder)) == (BEFORE["name"], "live")
    assert puts(cloud)[-1]["properties"]["model"] == BEFORE


def test_a_deployment_that_is_under_change_is_not_begun_with(cli, folder, cloud) -> None:
    cloud.azure.set_status(SERVES, "Updating")
    done = run(cli, folder)
    assert done.code == 2 and "is changing, and nothing was asked of it" in done.err
    assert puts(cloud) == []


def test_an_exchange_that_never_ends_is_taken_back(cli, folder, cloud, later) -> None:
    cloud.net.fail("PUT", "/deployments/assistant", Stall())
    killed(folder, cloud)
    cloud.azure.set_status(SERVES, "Updating")
    assert wait_for_lease(cli, folder).code == 3
    assert standing(folder)[::2] == ("open", "live") and "its model is being exchanged" in standing(folder)[1]
    later(7)
    assert run(cli, folder).code == 2
    assert standing(folder)[0] == "open" and "is being put back and is not seen to serve yet" in standing(folder)[1]
    assert served(cloud) == BEFORE["name"]
    cloud.azure.set_status(SERVES, "Succeeded")
    assert run(cli, folder).code == 4
    assert standing(folder)[::2] == ("abandoned", "live")
    assert "has taken more than 6 hours" in standing(folder)[1]
    assert [put["properties"]["model"]["name"] for put in puts(cloud)] == [TUNED, BEFORE["name"]]


def killed(folder: Path, cloud: Cloud) -> None:
    """The process is killed once the service has taken the exchange."""
    command = [sys.executable, "-m", "driftgate", "remediation", "run", "-w", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        cloud.net.wait_for("PUT", "/deployments/assistant", 60)
        os.kill(process.pid, signal.SIGKILL)


def wait_for_lease(cli, folder: Path):
    """What a killed process held is free after some seconds."""
    for _ in range(40):
        done = run(cli, folder)
        if "another process" not in done.out:
            return done
    return done


def test_killed_once_the_service_took_it_it_is_asked_for_once(cli, folder, cloud) -> None:
    cloud.net.fail("PUT", "/deployments/assistant", Stall())
    killed(folder, cloud)
    assert (served(cloud), champion(folder)) == (TUNED, "live")
    done = wait_for_lease(cli, folder)
    assert done.code == 0, done.err
    assert standing(folder)[::2] == ("promoted", "candidate")
    assert len(puts(cloud)) == 1


def test_a_model_that_someone_else_put_there_is_not_touched(cli, folder, cloud) -> None:
    assert run(cli, folder).code == 0
    cloud.azure.resources[SERVES.lower()]["properties"]["model"] = {"format": "OpenAI", "name": "gpt-5", "version": "1"}
    refused = back(cli, folder)
    assert refused.code == 2
    assert "serves gpt-5, which is neither candidate:1 nor gpt-oss-20b.ft-old" in " ".join(refused.err.split())
    assert (served(cloud), champion(folder)) == ("gpt-5", "candidate")
    assert len(puts(cloud)) == 1


def test_a_service_that_refuses_moves_nothing(cli, folder, cloud) -> None:
    quota = Status(400, {"error": {"code": "InsufficientQuota", "message": "no capacity of that model is left"}})
    cloud.net.fail("PUT", "/deployments/assistant", quota)
    done = run(cli, folder)
    assert done.code == 2 and "InsufficientQuota" in done.err
    assert (served(cloud), standing(folder)[0], champion(folder)) == (BEFORE["name"], "open", "live")
    assert cli("remediation", "abandon", "20", "--reason", "no", "-w", folder).code == 0
    assert served(cloud) == BEFORE["name"] and len(puts(cloud)) == 1


def test_shares_are_refused_where_there_are_none(cli, folder, cloud) -> None:
    edit(folder, lambda c: c["recipes"]["mend"].update(rollout=ROLLOUT))
    done = run(cli, folder)
    assert done.code == 2
    assert "a deployment of Azure OpenAI or Foundry has none; expected swap:" in " ".join(done.err.split())


def test_a_swap_is_of_what_azure_openai_trained(cli, folder, cloud) -> None:
    edit(folder, lambda c: c["recipes"]["mend"].update(trainer={"trainer": "local"}))
    done = run(cli, folder)
    assert done.code == 2 and "expected the trainer azure_openai" in " ".join(done.err.split())
