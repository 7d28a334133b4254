"""Bring a candidate into production step by step, and back at the first sign of harm.

The order is the one Microsoft describes for managed online endpoints ("Perform safe rollout of new deployments for
real-time inference", learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints): create the
new deployment without traffic, call it by name, mirror some of the traffic, then move the traffic in steps.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from finetune.deploy._endpoint import Deployment, OnlineEndpoint
from flows.errors import DriftgateError

Verdict = Literal["pass", "fail", "wait"]
"""``wait`` means that there is too little data yet: the rollout stays where it is until it is advanced again."""
Gate = Callable[[Callable[[Any], Awaitable[Any]]], Awaitable[Verdict]]
"""Judges the candidate before it sees a user; gets a function that sends it one JSON request."""
Check = Callable[[Literal["mirrored", "live"], int], Awaitable[Verdict]]
"""Judges the candidate at its present share (per cent) of mirrored or live requests."""
MOST_MIRRORED = 50
"""Per cent of the live requests that the service mirrors at most."""


@dataclass(frozen=True)
class RolloutState:
    """How far a rollout is."""

    phase: Literal["creating", "gate", "mirrored", "live", "promoted", "rolled_back"]
    """The first four wait for something and want to be advanced again; the last two are final."""
    share: int = 0
    """Per cent of the live requests that the candidate answers; of the mirrored ones while ``mirrored``."""
    reason: str = ""
    """Why it was rolled back."""

    @property
    def final(self) -> bool:
        """Nothing is left to do."""
        return self.phase in ("promoted", "rolled_back")


@dataclass(frozen=True)
class Rollout:
    """One candidate's way into production.

    Where it stands is read from the service at every :meth:`advance`; only what the service cannot know is noted:
    the traffic before the rollout, that the gate and the mirrored look were passed, and that it was rolled back. So it
    can be cut off anywhere and advanced again by another process with the same notes.
    """

    endpoint: OnlineEndpoint
    candidate: Deployment
    gate: Gate
    check: Check
    shares: tuple[int, ...] = (10, 50, 100)
    """Per cent of the live requests, rising to 100."""
    mirror: int = 0
    """Per cent of the live requests to mirror before the first live one; 0 leaves this step out."""

    def __post_init__(self) -> None:
        if not self.shares or list(self.shares) != sorted({*self.shares}) or self.shares[0] < 1:
            raise DriftgateError(f"the shares of a rollout are {self.shares}", "let them rise, for example 10, 50, 100")
        if self.shares[-1] != 100:
            raise DriftgateError(f"a rollout ends at {self.shares[-1]} % of the traffic", "end its shares with 100")
        if not 0 <= self.mirror <= MOST_MIRRORED:
            raise DriftgateError(f"{self.mirror} % of the traffic is to be mirrored", f"mirror 0 to {MOST_MIRRORED} %")

    async def advance(self, notes: Mapping[str, Any], note: Callable[[Mapping[str, Any]], None]) -> RolloutState:
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
        seen = await self.endpoint.state()
        if "rolled_back" in notes:  # a kill may have come between the note and the traffic
            return await self.roll_back(notes, note, str(notes["rolled_back"]))
        if "before" not in notes:
            if self.candidate.name in (*seen.traffic, *seen.mirror):
                raise DriftgateError(
                    f"deployment '{self.candidate.name}' already gets traffic of endpoint '{self.endpoint.name}'",
                    "a rollout begins with a deployment that gets none: give the candidate's a new name",
                )
            notes = {**notes, "before": dict(seen.traffic)}
            note({"before": dict(seen.traffic)})
        self._refuse_foreign_change(seen.traffic, notes["before"])
        if not seen.settled:
            return RolloutState("creating" if self._share(seen.traffic) == 0 else "live", self._share(seen.traffic))
        ready = await self.endpoint.ready(self.candidate)
        if ready is None:
            await self.endpoint.create(self.candidate)
        if not ready:
            return RolloutState("creating")
        if notes.get("gate") != "pass" and self._share(seen.traffic) == 0:
            verdict = await self.gate(lambda body: self.endpoint.invoke(self.candidate.name, body))
            if verdict == "wait":
                return RolloutState("gate")
            if verdict == "fail":
                return await self.roll_back(notes, note, "the candidate did not pass the gate")
            note({"gate": "pass"})
        if self.mirror and not notes.get("mirrored") and self._share(seen.traffic) == 0:
            if self._share(seen.mirror) != self.mirror:
                await self.endpoint.set_traffic(notes["before"], {self.candidate.name: self.mirror})
            verdict = await self.check("mirrored", self.mirror)
            if verdict == "wait":
                return RolloutState("mirrored", self.mirror)
            if verdict == "fail":
                return await self.roll_back(notes, note, f"the check failed at {self.mirror} % of mirrored requests")
            note({"mirrored": True})
        return await self._shift(self._share(seen.traffic), notes, note)

    async def _shift(
        self, share: int, notes: Mapping[str, Any], note: Callable[[Mapping[str, Any]], None]
    ) -> RolloutState:
        before: Mapping[str, int] = notes["before"]
        while True:
            if share:
                verdict = await self.check("live", share)
                if verdict == "wait":
                    return RolloutState("live", share)
                if verdict == "fail":
                    return await self.roll_back(notes, note, f"the check failed at {share} % of live requests")
                if share == 100:
                    return RolloutState("promoted", 100)
            # with nobody in front of it there is no one to share the traffic with
            share = next(step for step in self.shares if step > share) if before else 100
            await self.endpoint.set_traffic(shares_with(before, self.candidate.name, share), {})

    async def roll_back(
        self, notes: Mapping[str, Any], note: Callable[[Mapping[str, Any]], None], reason: str
    ) -> RolloutState:
        """Restore the traffic as it was before the rollout; also after a promotion.

        Raises
        ------
        DriftgateError
            The notes do not say what the traffic was, or the service refused.
        """
        if "before" not in notes:
            raise DriftgateError(
                f"the rollout of '{self.candidate.name}' has not begun, so there is no traffic to restore",
                "advance it first, or leave the endpoint as it is",
            )
        if "rolled_back" not in notes:
            note({"rolled_back": reason})
        seen = await self.endpoint.state()
        if dict(seen.traffic) != dict(notes["before"]) or seen.mirror:
            await self.endpoint.set_traffic(notes["before"], {})
        return RolloutState("rolled_back", 0, reason)

    async def retire(self, notes: Mapping[str, Any]) -> list[str]:
        """Delete the deployments that served before the promotion and serve nothing now; returns their names."""
        seen = await self.endpoint.state()
        idle = [name for name in notes["before"] if name not in (*seen.traffic, *seen.mirror)]
        for name in idle:
            await self.endpoint.delete(name)
        return idle

    def _refuse_foreign_change(self, traffic: Mapping[str, int], before: Mapping[str, int]) -> None:
        share = self._share(traffic)
        expected = shares_with(before, self.candidate.name, share) if share else dict(before)
        if dict(traffic) != expected:
            raise DriftgateError(
                f"endpoint '{self.endpoint.name}' sends its traffic to {dict(traffic)}, the rollout left {expected}",
                "someone else moved it: let them finish, then restore that map, or roll this rollout back",
            )

    def _share(self, shares: Mapping[str, int]) -> int:
        return shares.get(self.candidate.name, 0)


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
