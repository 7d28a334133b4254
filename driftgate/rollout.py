"""A proven candidate on its way into production: asked by name first, then given the traffic share by share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from benchmarks.ledger import Ledger, cells_of, find_run, outcome_frame
from benchmarks.runner import Display
from benchmarks.suite import SuiteConfig
from driftgate import session
from driftgate.workspace import OpenWorkspace
from finetune.config import RecipeConfig
from finetune.deploy import DeployedModel, OnlineEndpoint, Rollout, RolloutConfig, Verdict
from finetune.remediation import Held, Progress, Rejected
from monitor.watch import alerts_of


async def roll_out(
    workspace: OpenWorkspace,
    ledger: Ledger,
    recipe: RecipeConfig,
    config: RolloutConfig,
    progress: Progress,
    display: Display,
) -> Mapping[str, Any]:
    """Advance the rollout as far as it goes now.

    Raises
    ------
    Held
        The deployment is being created, or a share of the traffic is still being watched.
    Rejected
        The rollout was rolled back; the traffic is as it was before.
    """
    watch = _Watch(workspace, ledger, recipe, config, progress, display, dict(progress.notes))
    candidate = config.deployment(
        f"d-{progress.remediation.id[-13:]}", str(progress.found["train"]["artefact"])
    )  # time and hash: new for every remediation, and within the service's 32 characters
    endpoint = OnlineEndpoint(config.workspace, config.endpoint)
    rollout = Rollout(endpoint, candidate, watch.gate, watch.check, shares=config.shares, mirror=config.mirror)
    state = await rollout.advance(progress.notes, watch.note)
    if state.phase == "rolled_back":
        raise Rejected(f"the rollout to endpoint '{config.endpoint}' was rolled back: {state.reason}")
    if not state.final:
        at = f" at {state.share} %" if state.share else ""
        raise Held(f"the rollout to endpoint '{config.endpoint}' is {state.phase}{at}; the next nightly run goes on")
    return {"phase": state.phase, "endpoint": config.endpoint, "deployment": candidate.name}


@dataclass(frozen=True)
class _Watch:
    """Judges a candidate on its endpoint by its answers, then by what the monitors say."""

    workspace: OpenWorkspace
    ledger: Ledger
    recipe: RecipeConfig
    config: RolloutConfig
    progress: Progress
    display: Display
    notes: dict[str, Any] = field(default_factory=dict)

    def note(self, detail: Mapping[str, Any]) -> None:
        """Keep something durably, and know it at once."""
        self.progress.note(detail)
        self.notes.update(detail)

    async def gate(self, ask: Callable[[Any], Awaitable[Any]]) -> Verdict:
        """Whether the deployment answers as the candidate did in its proof; its answers are a run in the ledger."""
        name = str(self.progress.found["train"]["model"])
        config = session.model_config(self.workspace, self.ledger, name)
        parameters = dict(config.parameters)
        if config.scoring == "logprobs":
            parameters |= {"logprobs": True, "top_logprobs": 20}
        deployed = DeployedModel(name, {"endpoint": self.config.endpoint}, parameters, ask)
        suite = SuiteConfig(
            models=[name],
            datasets=self.recipe.proof[:1],
            flow=self.recipe.flow,
            retriever=self.recipe.retriever,
            variants=[self.recipe.variant] if self.recipe.variant else [],
            few_shot=0,
            limit=self.config.samples,
            seed=self.recipe.seed,
        )
        planned = session.plan_suite(self.workspace, self.ledger, f"deployed-{self.recipe.champion}", suite)
        if "asked" in self.notes:
            run = find_run(self.ledger, str(self.notes["asked"]))
        else:
            run = session.begin(self.ledger, planned)
            self.note({"asked": run.id})
        await session.work(self.ledger, run, planned, {name: deployed}, self.display)
        agreement = self._agreement(run.id, name)
        self.note({"agreement": agreement})
        return "pass" if agreement >= self.config.agreement else "fail"

    def _agreement(self, run: str, name: str) -> float:
        """Share of the questions asked of the deployment that it answered as the candidate did in its proof."""
        proof = next(
            cell
            for cell in cells_of(self.ledger, str(self.progress.found["evaluate"]["run"]))
            if (cell.model, cell.dataset) == (name, self.recipe.proof[0])
        )
        now = outcome_frame(self.ledger, cells_of(self.ledger, run)[0].id)
        both = now.merge(outcome_frame(self.ledger, proof.id), on="key", suffixes=("", "_proof"))
        same = (both["answer"] == both["answer_proof"]) & both["answer"].notna()
        return float(same.sum()) / len(now)

    async def check(self, kind: Literal["mirrored", "live"], share: int) -> Verdict:
        """Whether this share was watched for long enough without an alert about the model."""
        now = datetime.now(UTC)
        since = f"{kind}_{share}_since"
        if since not in self.notes:
            self.note({since: now.isoformat()})
        began = datetime.fromisoformat(str(self.notes[since]))
        watching = {name for name, m in self.workspace.config.monitors.items() if m.champion == self.recipe.champion}
        raised = [
            row
            for row in alerts_of(self.ledger)
            if row.monitor in watching and row.at >= began and row.alert.cause == "model"
        ]
        if raised:
            return "fail"
        return "pass" if now - began >= timedelta(minutes=self.config.soak_minutes) else "wait"
