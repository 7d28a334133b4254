"""Blue/green on a managed online endpoint, through the real azure-ai-ml client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from azure_services import Cloud
from hypothesis import given
from hypothesis import strategies as st
from loopback_net import LostReply, Reset, Status, throttled

from driftgate.benchmarks.gate import Verdict
from driftgate.finetune.deploy import (
    Ask,
    AzureMLWorkspace,
    Deployment,
    Judged,
    OnlineEndpoint,
    Rollout,
    RolloutState,
    shares_with,
    take_back,
)
from driftgate.flows.errors import DriftgateError

GREEN = "onlineEndpoints/support/deployments/green"
WAITS = "inconclusive: told so"


class Judge:
    """A gate and checks that say what the test tells them to, and remember what they were asked."""

    def __init__(self, gate: Verdict = "pass", **verdicts: Verdict) -> None:
        self._gate = gate
        self._verdicts = verdicts
        self.answers: list[Any] = []
        self.asked: list[tuple[str, int]] = []

    async def gate(self, ask: Ask) -> Judged:
        self.answers.append(await ask({"messages": [{"role": "user", "content": "배송이 안 와요"}]}))
        return Judged(self._gate, "told so")

    async def check(self, kind: str, share: int, ask: Ask) -> Judged:
        self.asked.append((kind, share))
        return Judged(self._verdicts.get(f"{kind}_{share}", "pass"), "told so")


class Remediation:
    """Advances a rollout the way the remediation does: with the notes it kept, by a new client every time."""

    def __init__(self, cloud: Cloud, address: AzureMLWorkspace, **settings: Any) -> None:
        self.cloud = cloud
        self.address = address
        self.settings = settings
        self.notes: dict[str, Any] = {}

    def rollout(self, judge: Judge) -> Rollout:
        candidate = Deployment(
            name="green", model="driftgate-support:3", environment="serve:1", instance_type="Standard_DS3_v2"
        )
        endpoint = OnlineEndpoint(self.address, "support")
        return Rollout(endpoint, candidate, judge.gate, judge.check, **self.settings)

    async def advance(self, judge: Judge) -> RolloutState:
        self.cloud.forget_clients()
        return await self.rollout(judge).advance(self.notes, self.notes.update)

    async def create(self) -> None:
        assert (await self.advance(Judge())).phase == "creating"
        self.cloud.azure.set_status(GREEN, "Succeeded")


@pytest.fixture
def remediation(cloud: Cloud, address: AzureMLWorkspace) -> Remediation:
    """A rollout on an endpoint whose whole traffic goes to blue."""
    cloud.azure.add_endpoint({"blue": 100})
    return Remediation(cloud, address)


def live_traffic(cloud: Cloud) -> list[dict[str, int]]:
    """The traffic maps that were put, in order."""
    puts = cloud.net.sent("PUT", "onlineEndpoints/support")
    return [put.json["properties"]["traffic"] for put in puts if "/deployments/" not in put.path]


async def test_the_traffic_moves_in_steps(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    judge = Judge()
    assert await remediation.advance(judge) == RolloutState("promoted", 100)
    assert live_traffic(cloud) == [{"blue": 90, "green": 10}, {"blue": 50, "green": 50}, {"green": 100}]
    assert judge.asked == [("live", 10), ("live", 50), ("live", 100)]
    (created,) = cloud.net.sent("PUT", GREEN)
    properties = created.json["properties"]
    assert properties["model"].endswith("/models/driftgate-support/versions/3")
    assert properties["environmentId"].endswith("/environments/serve/versions/1")
    assert properties["instanceType"] == "Standard_DS3_v2" and created.json["sku"]["capacity"] == 1


async def test_the_gate_calls_the_candidate_by_name_before_it_gets_traffic(
    cloud: Cloud, remediation: Remediation
) -> None:
    await remediation.create()
    judge = Judge(gate="inconclusive")
    assert await remediation.advance(judge) == RolloutState("gate", 0, WAITS)
    assert judge.answers == [{"answered_by": "green"}]
    (call,) = cloud.net.sent("POST", "/score")
    assert call.json == {"messages": [{"role": "user", "content": "배송이 안 와요"}]}
    assert live_traffic(cloud) == []


async def test_a_candidate_that_fails_the_gate_never_gets_traffic(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    state = await remediation.advance(Judge(gate="fail"))
    assert state.phase == "rolled_back" and state.final and "gate" in state.reason
    assert live_traffic(cloud) == []
    assert (await remediation.advance(Judge())).phase == "rolled_back"  # for good, whatever the gate says now


async def test_every_step_can_be_resumed_by_another_process(cloud: Cloud, remediation: Remediation) -> None:
    assert (await remediation.advance(Judge())).phase == "creating"
    assert (await remediation.advance(Judge())).phase == "creating"
    cloud.azure.set_status(GREEN, "Succeeded")
    assert await remediation.advance(Judge(live_10="inconclusive")) == RolloutState("live", 10, WAITS)
    assert await remediation.advance(Judge(live_10="inconclusive")) == RolloutState("live", 10, WAITS)
    assert await remediation.advance(Judge(live_50="inconclusive")) == RolloutState("live", 50, WAITS)
    assert await remediation.advance(Judge(live_100="inconclusive")) == RolloutState("live", 100, WAITS)
    later = Judge()
    assert await remediation.advance(later) == RolloutState("promoted", 100)
    assert later.asked == [("live", 100)] and later.answers == []
    assert len(cloud.net.sent("PUT", GREEN)) == 1
    assert len(live_traffic(cloud)) == 3


async def test_a_failed_check_restores_the_traffic(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    state = await remediation.advance(Judge(live_50="fail"))
    assert state == RolloutState("rolled_back", 0, "the check failed at 50 % of live requests: told so")
    assert live_traffic(cloud)[-1] == {"blue": 100}
    assert cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] == {"blue": 100}


async def test_a_rollback_cut_off_before_the_traffic_is_finished_by_the_next(
    cloud: Cloud, remediation: Remediation
) -> None:
    await remediation.create()
    refusals = [Status(403, {"error": {"code": "AuthorizationFailed", "message": "no role"}})]
    await remediation.advance(Judge(live_10="inconclusive"))
    cloud.net.fail("PUT", "onlineEndpoints/support", *refusals)
    with pytest.raises(DriftgateError, match="AuthorizationFailed: no role"):
        await remediation.advance(Judge(live_10="fail"))
    assert (await remediation.advance(Judge())).phase == "rolled_back"
    assert live_traffic(cloud)[-1] == {"blue": 100}


async def test_mirrored_requests_come_before_live_ones(cloud: Cloud, address: AzureMLWorkspace) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    remediation = Remediation(cloud, address, mirror=30)
    await remediation.create()
    assert await remediation.advance(Judge(mirrored_30="inconclusive")) == RolloutState("mirrored", 30, WAITS)
    assert await remediation.advance(Judge(mirrored_30="inconclusive")) == RolloutState("mirrored", 30, WAITS)
    (put,) = [one for one in cloud.net.sent("PUT", "onlineEndpoints/support") if "/deployments/" not in one.path]
    assert put.json["properties"]["traffic"] == {"blue": 100}
    assert put.json["properties"]["mirrorTraffic"] == {"green": 30}
    assert (await remediation.advance(Judge())).phase == "promoted"
    last = cloud.azure.resource("onlineEndpoints/support")["properties"]
    assert last["traffic"] == {"green": 100} and last["mirrorTraffic"] == {}


async def test_a_failed_mirrored_look_ends_the_mirroring(cloud: Cloud, address: AzureMLWorkspace) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    remediation = Remediation(cloud, address, mirror=50)
    await remediation.create()
    assert (await remediation.advance(Judge(mirrored_50="fail"))).phase == "rolled_back"
    last = cloud.azure.resource("onlineEndpoints/support")["properties"]
    assert last["traffic"] == {"blue": 100} and last["mirrorTraffic"] == {}


async def test_faults_in_between_change_nothing(cloud: Cloud, remediation: Remediation, impatient: None) -> None:
    cloud.net.fail("GET", "onlineEndpoints/support", throttled(), Status(500, {}), Reset())
    cloud.net.fail("PUT", "deployments/green", LostReply())
    await remediation.create()
    cloud.net.fail("PUT", "onlineEndpoints/support", throttled(), Reset(), LostReply())
    assert (await remediation.advance(Judge())).phase == "promoted"
    assert cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] == {"green": 100}


async def test_a_deployment_of_another_model_is_not_taken_for_the_candidate(
    cloud: Cloud, remediation: Remediation
) -> None:
    await remediation.create()
    cloud.azure.resource(GREEN)["properties"]["model"] = "/models/driftgate-support/versions/2"
    with pytest.raises(DriftgateError, match="versions/2, not driftgate-support:3"):
        await remediation.advance(Judge())


async def test_a_deployment_that_already_serves_is_not_begun_with(cloud: Cloud, address: AzureMLWorkspace) -> None:
    cloud.azure.add_endpoint({"blue": 60, "green": 40})
    with pytest.raises(DriftgateError, match="already gets traffic"):
        await Remediation(cloud, address).advance(Judge())


async def test_traffic_moved_by_someone_else_stops_the_rollout(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge(live_10="inconclusive"))
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = {"blue": 20, "green": 80}
    assert await remediation.advance(Judge(live_80="inconclusive")) == RolloutState(
        "live", 80, WAITS
    )  # a person's step, kept
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = {"other": 90, "green": 10}
    with pytest.raises(DriftgateError, match="someone else moved it"):
        await remediation.advance(Judge())


@pytest.mark.parametrize("verdict", ["inconclusive", "unmeasurable"])
async def test_what_is_not_known_moves_nothing(cloud: Cloud, remediation: Remediation, verdict: Verdict) -> None:
    await remediation.create()
    assert await remediation.advance(Judge(gate=verdict)) == RolloutState("gate", 0, f"{verdict}: told so")
    assert await remediation.advance(Judge(live_50=verdict)) == RolloutState("live", 50, f"{verdict}: told so")
    assert live_traffic(cloud) == [{"blue": 90, "green": 10}, {"blue": 50, "green": 50}]


async def test_traffic_given_by_hand_does_not_stand_for_the_gate(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge(gate="inconclusive"))
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = {"green": 100}
    assert (await remediation.advance(Judge(gate="fail"))).phase == "rolled_back"
    assert cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] == {"blue": 100}


async def test_traffic_taken_back_by_hand_is_not_given_again(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge(live_50="inconclusive"))
    cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] = {"blue": 100}
    state = await remediation.advance(Judge())
    assert state.phase == "rolled_back" and "someone took back its share" in state.reason
    assert len(live_traffic(cloud)) == 2


async def test_mirroring_ended_by_hand_is_not_begun_again(cloud: Cloud, address: AzureMLWorkspace) -> None:
    cloud.azure.add_endpoint({"blue": 100})
    remediation = Remediation(cloud, address, mirror=30)
    await remediation.create()
    await remediation.advance(Judge(mirrored_30="inconclusive"))
    cloud.azure.resource("onlineEndpoints/support")["properties"]["mirrorTraffic"] = {}
    assert (await remediation.advance(Judge())).phase == "rolled_back"
    assert len(live_traffic(cloud)) == 1


async def test_a_rollback_leaves_alone_what_is_not_the_candidates(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    cloud.azure.add_endpoint({"other": 100})
    cloud.azure.set_status(GREEN, "Succeeded")
    notes = {"before": {"blue": 100}, "gate": "pass", "rolled_back": "the check failed"}
    assert (await remediation.rollout(Judge()).advance(notes, notes.update)).phase == "rolled_back"
    assert live_traffic(cloud) == []
    assert await take_back(OnlineEndpoint(remediation.address, "support"), "green", {"blue": 100}) == {"other": 100}


async def test_traffic_is_not_given_to_what_is_deleted(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge())
    assert (await remediation.rollout(Judge()).retire(remediation.notes)).deleted == ("blue",)
    with pytest.raises(DriftgateError, match="'blue' of endpoint 'support', which had the traffic before, is deleted"):
        await remediation.rollout(Judge()).roll_back(remediation.notes, remediation.notes.update, "complaints")
    assert cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] == {"green": 100}


async def test_the_first_deployment_of_an_endpoint_gets_everything(cloud: Cloud, address: AzureMLWorkspace) -> None:
    cloud.azure.add_endpoint({})
    remediation = Remediation(cloud, address)
    await remediation.create()
    assert (await remediation.advance(Judge())).phase == "promoted"
    assert live_traffic(cloud) == [{"green": 100}]


async def test_what_served_before_can_come_back_until_it_is_retired(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge())
    rollout = remediation.rollout(Judge())
    assert (await rollout.retire(remediation.notes)).deleted == ("blue",)
    assert cloud.net.sent("DELETE", "deployments/blue")
    again = await rollout.retire(remediation.notes)  # no error where it is gone already
    assert (again.deleted, again.gone) == ((), ("blue",))


async def test_a_promotion_can_be_taken_back(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge())
    rollout = remediation.rollout(Judge())
    await rollout.roll_back(remediation.notes, remediation.notes.update, "complaints")
    assert cloud.azure.resource("onlineEndpoints/support")["properties"]["traffic"] == {"blue": 100}
    with pytest.raises(DriftgateError, match="and none to 'green'"):  # blue serves again
        await rollout.retire({"before": {"blue": 100}})
    assert not cloud.net.sent("DELETE", "deployments/blue")


@pytest.mark.parametrize(("changed", "said"), [({"traffic": {}}, "to nobody"), ({"provisioningState": "Updating"}, "")])
async def test_nothing_is_deleted_while_what_replaced_it_does_not_serve(
    cloud: Cloud, remediation: Remediation, changed: dict[str, Any], said: str
) -> None:
    await remediation.create()
    await remediation.advance(Judge())
    cloud.azure.resource("onlineEndpoints/support")["properties"].update(changed)
    with pytest.raises(DriftgateError, match=f"{said}.*nothing was deleted"):
        await remediation.rollout(Judge()).retire(remediation.notes)
    assert not cloud.net.sent("DELETE", "deployments/blue")


async def test_no_key_or_token_is_noted(cloud: Cloud, remediation: Remediation) -> None:
    await remediation.create()
    await remediation.advance(Judge())
    created = remediation.notes.pop("created")
    assert datetime.fromisoformat(created) < datetime.now(UTC)
    known = {"before": {"blue": 100}, "gate": "pass", "reached": ["live", 100], "ready": True, "waits": ""}
    assert remediation.notes == {**known, "looks": 0, "creations": 1}


@pytest.mark.parametrize("settings", [{"shares": (50, 10, 100)}, {"shares": (10, 50)}, {"shares": ()}, {"mirror": 51}])
def test_impossible_plans_are_refused(address: AzureMLWorkspace, settings: dict[str, Any]) -> None:
    judge = Judge()
    green = Deployment(name="green", model="m:1", environment="e:1", instance_type="Standard_DS3_v2")
    with pytest.raises(DriftgateError):
        Rollout(OnlineEndpoint(address, "support"), green, judge.gate, judge.check, **settings)


@given(
    parts=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    share=st.integers(0, 100),
)
def test_shares_add_up_and_keep_their_order(parts: list[int], share: int) -> None:
    before = {f"d{position}": part for position, part in enumerate(parts)}
    after = shares_with(before, "green", share)
    assert sum(after.values()) == 100 and after.get("green", 0) == share
    total = sum(parts)
    for name, part in before.items():
        assert abs(after.get(name, 0) - part * (100 - share) / total) < 1
