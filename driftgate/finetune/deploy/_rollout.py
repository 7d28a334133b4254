"""Bring a candidate into production step by step, and back at the first sign of harm.

The order is the one Microsoft describes for managed online endpoints ("Perform safe rollout of new deployments for
real-time inference", learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints): create the
new deployment without traffic, call it by name, mirror some of the traffic, then move the traffic in steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from driftgate.finetune.deploy._endpoint import Condition, Deployment, OnlineEndpoint
from driftgate.finetune.deploy._judged import Judged
from driftgate.flows.errors import DriftgateError

Ask = Callable[[Any], Awaitable[Any]]
"""Sends the candidate one JSON request by its name, whatever its share of the traffic, and returns its reply."""
Gate = Callable[[Ask], Awaitable[Judged]]
"""Judges the candidate before it sees a user."""
Check = Callable[[Literal["mirrored", "live"], int, Ask], Awaitable[Judged]]
"""Judges the candidate at its present share (per cent) of mirrored or live requests."""
MOST_MIRRORED = 50
"""Per cent of the live requests that the service mirrors at most."""
_CREATIONS = 3
"""How often a deployment that fails before it could be called is created."""
_LOOKS = 3
"""Looks in a row that meet a change until it counts as one that does not end."""
Note = Callable[[Mapping[str, Any]], None]
"""Keeps a small JSON object durably before it returns."""


@dataclass(frozen=True)
class RolloutState:
    """How far a rollout is."""

    phase: Literal["creating", "gate", "mirrored", "live", "promoted", "rolled_back", "given_up"]
    """The first four wait for something and want to be advanced again; the last three are final. Given up is what the
    service did not bring about, which says nothing of the candidate."""
    share: int = 0
    """Per cent of the live requests that the candidate answers; of the mirrored ones while ``mirrored``."""
    reason: str = ""
    """Why it waits, or why it was rolled back."""

    @property
    def final(self) -> bool:
        """Nothing is left to do."""
        return self.phase in ("promoted", "rolled_back", "given_up")


@dataclass(frozen=True)
class Rollout:
    """One candidate's way into production.

    Where it stands is read from the service at every :meth:`advance`; only what the service cannot know is noted:
    the traffic before the rollout, that the deployment was asked for and could be called, since when it is waited for,
    that the gate and the mirrored look were passed, the share that was reached, and that it was rolled back. So it can
    be cut off anywhere and advanced again by another process with the same notes.

    Whoever takes the candidate's share away by hand, or its deployment, ends the rollout: it is not given back unseen.
    A deployment that fails before it could be called is deleted and created anew, two more times. What was called once
    is never created anew: another one under the same name would not have been measured.
    """

    endpoint: OnlineEndpoint
    candidate: Deployment
    gate: Gate
    check: Check
    shares: tuple[int, ...] = (10, 50, 100)
    """Per cent of the live requests, rising to 100."""
    mirror: int = 0
    """Per cent of the live requests to mirror before the first live one; 0 leaves this step out."""
    settle_hours: float = 6.0
    """How long a change of the endpoint or of the deployment may take until the rollout is given up."""

    def __post_init__(self) -> None:
        if not self.shares or list(self.shares) != sorted({*self.shares}) or self.shares[0] < 1:
            raise DriftgateError(f"the shares of a rollout are {self.shares}", "let them rise, for example 10, 50, 100")
        if self.shares[-1] != 100:
            raise DriftgateError(f"a rollout ends at {self.shares[-1]} % of the traffic", "end its shares with 100")
        if not 0 <= self.mirror <= MOST_MIRRORED:
            raise DriftgateError(f"{self.mirror} % of the traffic is to be mirrored", f"mirror 0 to {MOST_MIRRORED} %")

    async def advance(self, notes: Mapping[str, Any], note: Note) -> RolloutState:
        """Go as far as the service, the gate and the checks let it.

        Parameters
        ----------
        notes : Mapping
            Everything noted so far, merged; JSON values.
        note : callable
            Keeps a small JSON object durably before it returns.

        Raises
        ------
        DriftgateError
            The service refused something, the deployment could not be created, or traffic was moved by someone else.
        """
        if "rolled_back" in notes:  # a kill may have come between the note and the traffic
            given_up = bool(notes.get("given_up"))
            return await self.roll_back(notes, note, str(notes["rolled_back"]), given_up=given_up)
        seen = await self.endpoint.state()
        if "before" not in notes:
            if self.candidate.name in (*seen.traffic, *seen.mirror):
                raise DriftgateError(
                    f"deployment '{self.candidate.name}' already gets traffic of endpoint '{self.endpoint.name}'",
                    "a rollout begins with a deployment that gets none: give the candidate's a new name",
                )
            notes = {**notes, "before": dict(seen.traffic)}
            note({"before": dict(seen.traffic)})
        refuse_foreign_change(self.endpoint.name, self.candidate.name, seen.traffic, notes["before"])
        share, mirrored = seen.traffic.get(self.candidate.name, 0), seen.mirror.get(self.candidate.name, 0)
        reached = notes.get("reached", ["live", 0])
        if _taken_back(reached, share, mirrored):
            why = f"someone took back its share of the traffic, which was {reached[1]} % of {reached[0]} requests"
            return await self.roll_back(notes, note, why)
        if not seen.settled:
            return await self._wait(share, notes, note, "a change of the endpoint is under way")
        condition = await self.endpoint.condition(self.candidate)
        if condition is None or condition.state == "failed":
            return await self._not_there(condition, bool(share or mirrored), notes, note)
        if condition.state == "changing":
            what = "changed" if _was_ready(notes) else "created"
            return await self._wait(share, notes, note, f"the deployment is being {what}")
        if notes.get("waits") or "ready" not in notes:
            note({"ready": True, "waits": "", "looks": 0})
        if notes.get("gate") != "pass":  # also where someone gave it traffic by hand: nothing was measured by that
            judged = await self.gate(self._ask)
            if judged.verdict == "fail":
                return await self.roll_back(notes, note, f"the candidate did not pass the gate: {judged.reason}")
            if judged.verdict != "pass":
                return RolloutState("gate", share, f"{judged.verdict}: {judged.reason}")
            note({"gate": "pass"})
        if self.mirror and not notes.get("mirrored") and not share:
            if mirrored != self.mirror and not await self.endpoint.set_traffic(
                notes["before"], {self.candidate.name: self.mirror}
            ):
                return RolloutState("mirrored", mirrored, "the mirroring of requests is being changed")
            if reached != ["mirrored", self.mirror]:
                note({"reached": ["mirrored", self.mirror]})
            judged = await self.check("mirrored", self.mirror, self._ask)
            if judged.verdict == "fail":
                why = f"the check failed at {self.mirror} % of mirrored requests: {judged.reason}"
                return await self.roll_back(notes, note, why)
            if judged.verdict != "pass":
                return RolloutState("mirrored", self.mirror, f"{judged.verdict}: {judged.reason}")
            note({"mirrored": True})
        return await self._shift(share, notes, note)

    async def _wait(self, share: int, notes: Mapping[str, Any], note: Note, what: str) -> RolloutState:
        """Wait for the service, until the time that it is given is over.

        Two looks in two nights may have met two changes: what was there once has to be met by three in a row.
        """
        now, looks = datetime.now(UTC), int(notes.get("looks", 0)) + 1
        since = str(notes.get("waits") or now.isoformat())
        note({"waits": since, "looks": looks})
        long = now - datetime.fromisoformat(since) >= timedelta(hours=self.settle_hours)
        if long and (looks >= _LOOKS or ("created" in notes and not _was_ready(notes))):
            why = f"{what} for more than {self.settle_hours:g} hours"
            return await self.roll_back(notes, note, why, given_up=True)
        return RolloutState("live" if share else "creating", share, what)

    async def _not_there(
        self, condition: Condition | None, exposed: bool, notes: Mapping[str, Any], note: Note
    ) -> RolloutState:
        """Create the deployment, or end the rollout of one that was there."""
        name = self.candidate.name
        if exposed or _was_ready(notes):
            why = "someone deleted it" if condition is None else condition.log
            return await self.roll_back(notes, note, f"deployment '{name}' is not there any more: {why}")
        made = int(notes.get("creations", 0))
        if condition is None and made >= _CREATIONS:
            return await self.roll_back(notes, note, f"deployment '{name}' was created {made} times", given_up=True)
        if condition is None:
            now = datetime.now(UTC).isoformat()
            note({"created": now, "waits": now, "looks": 0})  # first: what may have been asked for is to be deleted
            await self.endpoint.create(self.candidate)
            note({"creations": made + 1})
            return RolloutState("creating", reason="the deployment is being created")
        found = f"deployment '{name}' of endpoint '{self.endpoint.name}' is {condition.log}"
        if "created" not in notes:
            raise DriftgateError(found, "mend what its log says, delete the deployment and advance again")
        if made >= _CREATIONS:
            return await self.roll_back(notes, note, f"{found} (created {made} times)", given_up=True)
        await self.endpoint.delete(name)
        raise DriftgateError(
            found, f"mend what its log says: it was deleted and is created anew ({made} of {_CREATIONS} failed)"
        )

    async def _shift(self, share: int, notes: Mapping[str, Any], note: Note) -> RolloutState:
        before: Mapping[str, int] = notes["before"]
        reached = notes.get("reached")
        while True:
            if share:
                if reached != ["live", share]:
                    reached = ["live", share]
                    note({"reached": reached})
                judged = await self.check("live", share, self._ask)
                if judged.verdict == "fail":
                    why = f"the check failed at {share} % of live requests: {judged.reason}"
                    return await self.roll_back(notes, note, why)
                if judged.verdict != "pass":
                    return RolloutState("live", share, f"{judged.verdict}: {judged.reason}")
                if share == 100:
                    return RolloutState("promoted", 100)
            # with nobody in front of it there is no one to share the traffic with
            reaches = next(step for step in self.shares if step > share) if before else 100
            if not await self.endpoint.set_traffic(shares_with(before, self.candidate.name, reaches), {}):
                return RolloutState("live", share, f"its share of the traffic is being raised to {reaches} %")
            share = reaches

    async def roll_back(
        self, notes: Mapping[str, Any], note: Note, reason: str, *, given_up: bool = False
    ) -> RolloutState:
        """Restore the traffic as it was before the rollout; also after a promotion.

        Parameters
        ----------
        given_up : bool
            Whether it ends without anything having been found of the candidate.

        Raises
        ------
        DriftgateError
            The notes do not say what the traffic was; or see :func:`take_back`.
        """
        if "before" not in notes:
            raise DriftgateError(
                f"the rollout of '{self.candidate.name}' has not begun, so there is no traffic to restore",
                "advance it first, or leave the endpoint as it is",
            )
        if "rolled_back" not in notes:
            note({"rolled_back": reason, "given_up": given_up})
        await take_back(self.endpoint, self.candidate.name, notes["before"])
        return RolloutState("given_up" if given_up else "rolled_back", 0, reason)

    async def _ask(self, body: Any) -> Any:
        return await self.endpoint.invoke(self.candidate.name, body)

    async def retire(self, notes: Mapping[str, Any]) -> Retired:
        """Delete the deployments that served before the promotion and serve nothing now."""
        return await retire(self.endpoint, self.candidate.name, notes["before"])


def _was_ready(notes: Mapping[str, Any]) -> bool:
    """Whether the deployment could be called once; one that an older driftgate began has passed the gate then."""
    return bool(notes.get("ready")) or notes.get("gate") == "pass"


def _taken_back(reached: Sequence[Any], share: int, mirrored: int) -> bool:
    """Whether the candidate has less of the traffic than it had; the step from mirrored to live requests aside."""
    kind, least = reached
    return bool(share < least if kind == "live" else not share and mirrored < least)


@dataclass(frozen=True)
class Retired:
    """What became of the deployments that served before a promotion."""

    deleted: tuple[str, ...]
    """Deleted now."""
    gone: tuple[str, ...]
    """Deleted already."""
    serving: tuple[str, ...]
    """Left as they are: they have traffic."""

    @property
    def told(self) -> str:
        """In words.

        Examples
        --------
        >>> Retired(("blue",), (), ()).told, Retired((), ("blue",), ("red",)).told
        ('deleted: blue', 'nothing is to be deleted: blue deleted already, red serving still')
        """
        left = [f"{', '.join(names)} {what}" for names, what in self._left if names]
        told = f"deleted: {', '.join(self.deleted)}" if self.deleted else "nothing is to be deleted"
        return told + (f"{'; ' if self.deleted else ': '}{', '.join(left)}" if left else "")

    @property
    def _left(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        return (self.gone, "deleted already"), (self.serving, "serving still")


async def retire(endpoint: OnlineEndpoint, deployment: str, before: Mapping[str, int]) -> Retired:
    """Delete those of some deployments that get no traffic, live or mirrored.

    That they get none is no reason by itself: it is one while the deployment that took it from them serves.

    Raises
    ------
    DriftgateError
        The deployment that took the traffic does not have it, or a change of the endpoint is under way, or the service
        refused; repeating it does no more than is left to do.
    """
    seen = await endpoint.state()
    if not seen.settled:
        raise DriftgateError(
            f"a change of endpoint '{endpoint.name}' is under way, and nothing was deleted", "try again once it is done"
        )
    if deployment not in seen.traffic:
        goes = f"sends its traffic to {dict(seen.traffic)}" if seen.traffic else "sends its traffic to nobody"
        raise DriftgateError(
            f"endpoint '{endpoint.name}' {goes}, and none to '{deployment}', which took it from {', '.join(before)}: "
            "nothing was deleted, as it may be needed again",
            f"give '{deployment}' its traffic back, or its place to who served before: driftgate champion rollback",
        )
    serving = tuple(name for name in before if name in (*seen.traffic, *seen.mirror))
    there = {name: await endpoint.has(name) for name in before if name not in serving}
    deleted = tuple(name for name, has in there.items() if has)
    for name in deleted:
        await endpoint.delete(name)
    return Retired(deleted, tuple(name for name in there if name not in deleted), serving)


async def take_back(endpoint: OnlineEndpoint, deployment: str, before: Mapping[str, int]) -> Mapping[str, int]:
    """Take a deployment's share of the traffic away, live and mirrored, and give it to those who had it before.

    What a deployment without any share leaves behind is not touched: it may be another rollout's by now.

    Returns
    -------
    Mapping
        The traffic as it is then.

    Raises
    ------
    DriftgateError
        The traffic was moved by someone else meanwhile, a deployment that had it is not there to take it, or the
        service refused.
    """
    seen = await endpoint.state()
    if deployment not in (*seen.traffic, *seen.mirror):
        return seen.traffic
    refuse_foreign_change(endpoint.name, deployment, seen.traffic, before)
    for name in before:
        if not await endpoint.has(name):
            raise DriftgateError(
                f"deployment '{name}' of endpoint '{endpoint.name}', which had the traffic before, is deleted",
                "create it again under that name, or move the traffic yourself",
            )
    if not await endpoint.set_traffic(before, {}):
        raise DriftgateError(
            f"the traffic of endpoint '{endpoint.name}' is being restored and is not seen to be back yet",
            "it is looked at again later",
        )
    return before


def refuse_foreign_change(
    endpoint: str, deployment: str, traffic: Mapping[str, int], before: Mapping[str, int]
) -> None:
    """Refuse to go on where the traffic is not what a rollout of the deployment can have left.

    Raises
    ------
    DriftgateError
        Someone else moved it.
    """
    share = traffic.get(deployment, 0)
    expected = shares_with(before, deployment, share) if share else dict(before)
    if dict(traffic) != expected:
        raise DriftgateError(
            f"endpoint '{endpoint}' sends its traffic to {dict(traffic)}, the rollout left {expected}",
            "someone else moved it: let them finish, then restore that map, or roll this rollout back",
        )


def shares_with(before: Mapping[str, int], name: str, share: int) -> dict[str, int]:
    """Give ``name`` its share of the traffic and the others the rest, in their old proportions.

    Whole per cents that add up to 100, by largest remainders; deployments left without any are not named.

    Examples
    --------
    >>> shares_with({"blue": 100}, "green", 10)
    {'blue': 90, 'green': 10}
    >>> shares_with({"a": 34, "b": 33, "c": 33}, "green", 50)
    {'a': 17, 'b': 17, 'c': 16, 'green': 50}
    >>> shares_with({"blue": 100}, "green", 100)
    {'green': 100}
    """
    total = sum(before.values())
    exact = {other: part * (100 - share) / total for other, part in before.items()}
    whole = {other: int(part) for other, part in exact.items()}
    by_remainder = sorted(exact, key=lambda other: whole[other] - exact[other])
    for other in by_remainder[: 100 - share - sum(whole.values()) if before else 0]:
        whole[other] += 1
    return {other: part for other, part in {**whole, name: share}.items() if part}
