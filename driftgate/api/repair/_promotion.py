"""The steps that bring a proved candidate into its place: approval, rollout, promotion."""

from __future__ import annotations

from dataclasses import dataclass

from driftgate.api.champions import champion, promote_model
from driftgate.api.repair._context import Context
from driftgate.api.repair._proof import judge_proof
from driftgate.api.repair._proposal import basis_of
from driftgate.api.repair._swapping import swap_model
from driftgate.api.rollout import roll_out
from driftgate.finetune.remediation import (
    Agreement,
    Approval,
    Held,
    Progress,
    Promoted,
    Rejected,
    RolledOut,
    approval_of,
    events_of,
)
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import PromotionRefused, VerdictRow, verdicts_of


def agreed(context: Context, progress: Progress) -> Approval | None:
    """The approval of what the promotion rests on now, where the recipe asks for one; None where it asks for none.

    What was agreed to before it changed is no approval of it.

    Raises
    ------
    Held
        Nobody agreed to just this.
    PromotionRefused
        Nothing allows the promotion now.
    """
    remediation = progress.remediation
    basis = basis_of(context.workspace, context.ledger, context.recipe, remediation, progress.found)
    if not context.recipe.approval:
        return None
    given = approval_of(context.ledger, remediation, basis.what)
    if given is None:
        earlier = [e.detail for e in events_of(context.ledger, remediation.id) if e.status == "approved"]
        changed = ""
        if earlier:
            parts = basis.changed_since(str(earlier[-1]["what"]))
            has = "have" if "," in parts else "has"
            changed = f"{parts} {has} changed since {earlier[-1]['who']} approved; "
        raise Held(f"{changed}waits for: driftgate remediation approve {remediation.id}", awaits=basis.what)
    return given


@dataclass(frozen=True)
class ApproveStep:
    """Waits for a person, where the recipe asks for one."""

    context: Context

    async def __call__(self, progress: Progress) -> Agreement:
        """See whether somebody agreed to just this.

        Raises
        ------
        Held
            Nobody did.
        Rejected
            The gate judged anew, and otherwise.
        """
        if not self.context.recipe.approval:
            return Agreement(who="not asked for")
        run, gate = progress.found.proof, self.context.recipe.gate
        newest = self._newest(run, gate)
        rules = self.context.workspace.config.gates[gate].content_hash()
        if progress.found.chosen and newest is not None and (newest.verdict, _rules_of(newest)) != ("pass", rules):
            judge_proof(self.context, progress)  # who judged the run by hand judged all of its options
            newest = self._newest(run, gate)
        if newest is not None and newest.verdict != "pass":
            raise Rejected(f"the gate '{newest.gate}' judged run {run} anew and says {newest.verdict}")
        try:
            given = agreed(self.context, progress)
        except PromotionRefused as problem:  # what is stale may be judged again; until then nobody can agree to it
            raise Held(f"there is nothing to approve now: {problem}") from problem
        assert given is not None
        return Agreement(who=given.who, what=given.what)

    def _newest(self, run: str, gate: str) -> VerdictRow | None:
        return next((row for row in verdicts_of(self.context.ledger, run) if row.gate == gate), None)


def _rules_of(row: VerdictRow) -> str:
    return str(row.details.get("rules_hash", ""))


@dataclass(frozen=True)
class RollOutStep:
    """Brings the candidate to its endpoint or deployment, where the recipe names one."""

    context: Context

    async def __call__(self, progress: Progress) -> RolledOut:
        """Go as far as the service and what is known of the candidate there allow.

        Raises
        ------
        Held
            It waits; the message says for what.
        Rejected
            It was rolled back, or may not become champion any more.
        """
        context = self.context
        config, swap = context.recipe.rollout, context.recipe.swap
        if config is None and swap is None:
            if progress.notes:
                raise DriftgateError(
                    f"remediation {progress.remediation.id} has begun a rollout and its recipe names none any more",
                    "put it back into the recipe, so that it can go on or be rolled back",
                )
            return RolledOut(phase="no rollout asked for")
        if "rolled_back" not in progress.notes:
            try:  # no traffic moves for a candidate that could not become champion afterwards
                agreed(context, progress)
            except PromotionRefused as problem:
                raise Rejected(problem.message) from problem
        if config is None:
            assert swap is not None
            return await swap_model(swap, progress)
        return await roll_out(context.workspace, context.ledger, context.recipe, config, progress, context.display)


@dataclass(frozen=True)
class PromoteStep:
    """Moves the champion pointer."""

    context: Context

    async def __call__(self, progress: Progress) -> Promoted:
        """Move it, unless a kill came after it had moved.

        Raises
        ------
        Rejected
            Nothing allows the promotion any more.
        """
        context, slot = self.context, self.context.recipe.champion
        model, run = progress.found.candidate, progress.found.proof
        move = progress.found.get(RolledOut).traffic
        try:
            if champion(context.workspace, context.ledger, slot) != model:
                given = agreed(context, progress)
                by = f", {given.who} approved" if given is not None else ""
                reason = f"remediation {progress.remediation.id}: the gate passed{by}"
                gates = [context.recipe.gate]
                promote_model(context.workspace, context.ledger, slot, model, run, gates, reason, move)
        except PromotionRefused as problem:
            raise Rejected(problem.message) from problem
        return Promoted(model=model, run=run)
