"""A deployment that is half there: every state ends, and no traffic goes to what was not found well."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure_services import Cloud
from loopback_net import LostReply, Status, throttled

from driftgate.finetune.deploy import (
    Ask,
    AzureMLWorkspace,
    Deployment,
    EndpointGone,
    Judged,
    OnlineEndpoint,
    Rollout,
    RolloutState,
)
from driftgate.flows.errors import DriftgateError

GREEN = "onlineEndpoints/support/deployments/green"
QUOTA = Status(400, {"error": {"code": "OutOfQuota", "message": "Not enough quota for Standard_DS3_v2 (0 of 4 left)"}})


class Night:
    """A rollout as the remediation advances it: with what it noted, by a new client every time."""

    def __init__(self, cloud: Cloud, address: AzureMLWorkspace) -> None:
        self.cloud, self.address = cloud, address
        self.notes: dict[str, Any] = {}
        self.live = "inconclusive"

    async def __call__(self) -> RolloutState:
        async def gate(ask: Ask) -> Judged:
            await ask({"messages": []})
            return Judged("pass", "told so")

        async def check(kind: object, share: int, ask: Ask) -> Judged:
            return Judged(self.live, "told so")  # type: ignore[arg-type]

        self.cloud.forget_clients()
        green = Deployment(name="green", model="support:3", environment="serve:1", instance_type="Standard_DS3_v2")
        rollout = Rollout(OnlineEndpoint(self.address, "support"), green, gate, check)
        return await rollout.advance(self.notes, self.notes.update)

    async def begun(self, state: str = "Succeeded") -> None:
        """The deployment was asked for, and is in a state."""
        assert (await self()).phase == "creating"
        self.cloud.azure.set_status(GREEN, state)


@pytest.fixture
def night(cloud: Cloud, address: AzureMLWorkspace) -> Night:
    """A rollout to an endpoint whose whole traffic goes to blue."""
    cloud.azure.add_endpoint({"blue": 100})
    return Night(cloud, address)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let hours pass for the rollout."""

    def wait(hours: float) -> None:
        class Later(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[override]
                return datetime.now(UTC) + timedelta(hours=hours)

        monkeypatch.setattr("driftgate.finetune.deploy._rollout.datetime", Later)

    return wait


def traffic(cloud: Cloud) -> dict[str, int]:
    return dict(cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"])


def traffic_puts(cloud: Cloud) -> list[dict[str, int]]:
    puts = cloud.net.sent("PUT", "onlineEndpoints/support")
    return [put.json["properties"]["traffic"] for put in puts if "/deployments/" not in put.path]


@pytest.mark.parametrize("state", ["Creating", "Updating", "Scaling"])
async def test_a_creation_that_never_ends_is_given_up(cloud: Cloud, night: Night, later, state: str) -> None:
    await night.begun(state)
    later(5.9)
    assert await night() == RolloutState("creating", 0, "the deployment is being created")
    later(6.1)
    given_up = RolloutState("given_up", 0, "the deployment is being created for more than 6 hours")
    assert await night() == given_up
    cloud.azure.set_status(GREEN, "Succeeded")
    assert await night() == given_up, "for good: what comes too late is not used any more"
    assert len(cloud.net.sent("PUT", GREEN)) == 1
    assert traffic_puts(cloud) == []


async def test_one_that_fails_is_created_anew_twice_and_then_given_up(cloud: Cloud, night: Night) -> None:
    for failed in (1, 2):
        await night.begun("Failed")
        with pytest.raises(DriftgateError, match=rf"is failed: .*No module named 'peft'.*\({failed} of 3 failed\)"):
            await night()
        assert len(cloud.net.sent("DELETE", GREEN)) == failed, "what failed is not paid any longer"
    await night.begun("Canceled")
    state = await night()
    assert state.phase == "given_up" and "is canceled" in state.reason and "created 3 times" in state.reason
    assert len(cloud.net.sent("PUT", GREEN)) == 3
    assert traffic_puts(cloud) == []


async def test_another_attempt_may_succeed(cloud: Cloud, night: Night) -> None:
    await night.begun("Failed")
    with pytest.raises(DriftgateError):
        await night()
    await night.begun("Succeeded")
    night.live = "pass"
    assert await night() == RolloutState("promoted", 100)


async def test_what_exists_without_traffic_is_taken_for_what_was_asked_for(cloud: Cloud, night: Night) -> None:
    cloud.net.fail("PUT", GREEN, Status(403, {"error": {"code": "no", "message": "no role"}}))
    with pytest.raises(DriftgateError, match="no role"):
        await night()
    cloud.net.fail("PUT", GREEN, LostReply())
    await night()  # accepted, and the reply was lost on the way
    cloud.azure.set_status(GREEN, "Succeeded")
    puts = len(cloud.net.sent("PUT", GREEN))
    assert await night() == RolloutState("live", 10, "inconclusive: told so")
    assert len(cloud.net.sent("PUT", GREEN)) == puts


@pytest.mark.parametrize("state", ["Failed", "Canceled"])
async def test_failing_under_traffic_takes_it_back_at_once(cloud: Cloud, night: Night, state: str) -> None:
    await night.begun()
    assert await night() == RolloutState("live", 10, "inconclusive: told so")
    cloud.azure.set_status(GREEN, state)
    ended = await night()
    assert ended.phase == "rolled_back" and f"{state.lower()}: ModuleNotFoundError" in ended.reason
    assert traffic(cloud) == {"blue": 100}
    assert not cloud.net.sent("DELETE", GREEN)


async def test_one_deleted_after_it_was_called_is_not_created_anew(cloud: Cloud, night: Night) -> None:
    await night.begun()
    await night()
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = {"blue": 90, "green": 10}
    path = next(path for path in cloud.azure.resources if path.endswith("/deployments/green"))
    del cloud.azure.resources[path]
    ended = await night()
    assert ended.phase == "rolled_back" and "someone deleted it" in ended.reason
    assert len(cloud.net.sent("PUT", GREEN)) == 1
    assert traffic(cloud) == {"blue": 100}


async def test_a_change_under_traffic_is_waited_for_and_not_for_ever(cloud: Cloud, night: Night, later) -> None:
    await night.begun()
    await night()
    cloud.azure.set_status(GREEN, "Updating")
    waits = RolloutState("live", 10, "the deployment is being changed")
    assert await night() == waits
    later(5)
    assert await night() == waits
    cloud.azure.set_status(GREEN, "Succeeded")
    assert await night() == RolloutState("live", 10, "inconclusive: told so")
    cloud.azure.set_status(GREEN, "Updating")
    later(8)
    assert await night() == waits, "a new change has its own time"
    later(15)
    assert await night() == waits, "two looks may have met two changes"
    assert (await night()).phase == "given_up"
    assert traffic(cloud) == {"blue": 100}


async def test_an_endpoint_under_change_for_ever_ends_it(cloud: Cloud, night: Night, later) -> None:
    cloud.azure.set_status("onlineEndpoints/support", "Updating")
    assert (await night()).reason == "a change of the endpoint is under way"
    later(7)
    assert (await night()).phase == "creating"
    assert (await night()).phase == "given_up"
    assert cloud.net.sent("PUT", "onlineEndpoints/support") == [], "nothing was created, nothing moved"


async def test_traffic_that_is_taken_and_not_moved_is_looked_at_again(cloud: Cloud, night: Night, monkeypatch) -> None:
    await night.begun()
    monkeypatch.setattr("driftgate.finetune.deploy._endpoint._CHANGE_SECONDS", 0.05)
    cloud.azure.settles = False
    assert await night() == RolloutState("live", 0, "its share of the traffic is being raised to 10 %")
    assert (await night()).reason == "a change of the endpoint is under way"
    cloud.azure.settles = True
    cloud.azure.set_status("onlineEndpoints/support", "Succeeded")
    assert await night() == RolloutState("live", 10, "inconclusive: told so")
    assert traffic_puts(cloud) == [{"blue": 90, "green": 10}]


async def test_a_spent_quota_is_told_and_tried_again(cloud: Cloud, night: Night) -> None:
    cloud.net.fail("PUT", GREEN, QUOTA, QUOTA)
    for _ in range(2):
        with pytest.raises(DriftgateError, match="OutOfQuota: Not enough quota for Standard_DS3_v2"):
            await night()
    await night.begun()
    assert (await night()).share == 10


async def test_a_pause_that_no_step_can_spend_is_no_pause(cloud: Cloud, night: Night) -> None:
    cloud.net.fail("PUT", GREEN, throttled(3_600))
    with pytest.raises(DriftgateError, match=r"creating deployment 'green'.* the service asks to wait 3600 s"):
        await night()
    cloud.net.fail("PUT", GREEN, throttled(1))
    await night.begun()
    assert len(cloud.net.sent("PUT", GREEN)) == 3, "refused, throttled for a second, and asked for once"
    cloud.net.fail("POST", "listKeys", throttled(3_600))
    with pytest.raises(DriftgateError, match="asks to wait 3600 s"):
        await night()
    assert (await night()).share == 10


async def test_an_expired_token_moves_nothing(cloud: Cloud, night: Night) -> None:
    await night.begun()
    await night()
    cloud.azure.jwt = "another"
    expired = Status(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "the token has expired"}})
    cloud.net.fail("GET", "onlineEndpoints/support", *[expired] * 4)
    with pytest.raises(DriftgateError, match="ExpiredAuthenticationToken") as refused:
        await night()
    assert "sign in" in refused.value.remedy
    assert traffic(cloud) == {"blue": 90, "green": 10}
    cloud.forget_clients()  # as the next process does, which has a token of its own
    night.live = "pass"
    cloud.net._faults.clear()
    assert await night() == RolloutState("promoted", 100)


async def test_an_endpoint_that_is_gone_is_told_as_such(cloud: Cloud, night: Night, address: AzureMLWorkspace) -> None:
    with pytest.raises(EndpointGone, match="endpoint 'other' was not found in workspace 'ws'"):
        await OnlineEndpoint(address, "other").state()
