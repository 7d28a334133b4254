"""A proven candidate on its way into production: asked by name first, then given the traffic share by share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from driftgate.api import session
from driftgate.api.made_suites import canary_suite, proof_suite
from driftgate.api.rollout_evidence import ROUNDS, ask_until_shown, calls_no_worse, news, risk_of_each, same_answers
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.progress import Display
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.deploy import (
    Ask,
    DeployedModel,
    EndpointGone,
    Judged,
    OnlineEndpoint,
    Rollout,
    RolloutConfig,
    TrafficMove,
    gravest,
)
from driftgate.finetune.remediation import Abandoned, Held, Progress, Proved, Rejected, RolledOut, Trained
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, cells_of, find_run, outcome_frame
from driftgate.monitor.config import MonitorConfig, TrafficConfig

if TYPE_CHECKING:
    import pandas as pd


async def roll_out(
    workspace: OpenWorkspace,
    ledger: Ledger,
    recipe: RecipeConfig,
    config: RolloutConfig,
    progress: Progress,
    display: Display,
) -> RolledOut:
    """Advance the rollout as far as it goes now.

    Raises
    ------
    Held
        The deployment is being created, or a share of the traffic is not decided on yet; the message says why.
    Rejected
        The rollout was rolled back; the traffic is as it was before.
    Abandoned
        The service did not bring it about; the traffic is as it was before.
    DriftgateError
        The recipe names another endpoint than the one the rollout began on.
    """
    trained = progress.found.get(Trained)
    watch = _Watch(workspace, ledger, recipe, config, progress, display, dict(progress.notes))
    endpoint = OnlineEndpoint(config.workspace, config.endpoint)
    candidate = config.deployment(_deployment(progress), trained.artefact, workspace.folder)
    where = _where(config)
    if (began := progress.notes.get("where", where)) != where:
        raise DriftgateError(
            f"the rollout of remediation {progress.remediation.id} began on {began}, and the recipe names {where} now",
            "put the endpoint and its workspace back into the recipe",
        )
    if "where" not in progress.notes:
        watch.note({"where": where})
    rollout = Rollout(
        endpoint, candidate, watch.gate, watch.check, config.shares, config.mirror, settle_hours=config.settle_hours
    )
    state = await rollout.advance(progress.notes, watch.note)
    if state.phase == "given_up":
        raise Abandoned(f"the rollout to endpoint '{config.endpoint}' was given up: {state.reason}")
    if state.phase == "rolled_back":
        raise Rejected(f"the rollout to endpoint '{config.endpoint}' was rolled back: {state.reason}")
    if not state.final:
        at = f" at {state.share} %" if state.share else ""
        told = f"the rollout to endpoint '{config.endpoint}' is {state.phase}{at}: {state.reason}"
        raise Held(f"{told}; the next nightly run goes on")
    move = TrafficMove(**where, deployment=candidate.name, before=watch.notes["before"])
    return RolledOut(phase=state.phase, traffic=move.model_dump(mode="json"))


async def withdraw(workspace: OpenWorkspace, progress: Progress) -> None:
    """Give the traffic back for a candidate that does not become champion, wherever its rollout began.

    Its deployment is deleted, where this rollout created it and the recipe does not keep it.

    Parameters
    ----------
    progress : Progress
        Of the step that rolls out.

    Raises
    ------
    DriftgateError
        The service refused, or someone else moved the traffic; it can be tried again.
    """
    notes = progress.notes
    if "before" not in notes:
        return
    recipe = workspace.config.recipes.get(progress.remediation.recipe)
    config = recipe.rollout if recipe is not None else None
    where = notes.get("where")
    if where is None:  # of a rollout that an older driftgate began
        if config is None:
            raise DriftgateError("where the rollout began is not known", "put its recipe back into the file")
        where = _where(config)
    move = TrafficMove(**where, deployment=_deployment(progress), before=notes["before"])
    try:
        await move.undo()
        if "created" in notes and not (config is not None and config.keep_refused):
            await OnlineEndpoint(move.workspace, move.endpoint).delete(move.deployment)
            progress.note({}, f"deployment '{move.deployment}' of endpoint '{move.endpoint}' is deleted")
    except EndpointGone as problem:  # and its deployments and its traffic with it
        progress.note({}, problem.message)


def _where(config: RolloutConfig) -> dict[str, Any]:
    return config.model_dump(mode="json", include={"workspace", "endpoint"})


def _deployment(progress: Progress) -> str:
    return f"d-{progress.remediation.id[-13:]}"  # time and hash: new for every remediation, and within 32 characters


_UNCHANGED = 3
"""How often canaries are asked before the deployment has any traffic: what differs by itself is no harm later."""


@dataclass(frozen=True)
class _Watch:
    """Judges a candidate on its endpoint by its answers, its calls and what the monitors say."""

    workspace: OpenWorkspace
    ledger: Ledger
    recipe: RecipeConfig
    config: RolloutConfig
    progress: Progress
    display: Display
    notes: dict[str, Any] = field(default_factory=dict)

    def note(self, detail: Mapping[str, Any], message: str = "") -> None:
        """Keep something durably, and know it at once."""
        self.progress.note(detail, message)
        self.notes.update(detail)

    @property
    def monitors(self) -> Mapping[str, MonitorConfig]:
        """Those that watch the place the candidate is to take."""
        return {n: m for n, m in self.workspace.config.monitors.items() if m.champion == self.recipe.champion}

    async def gate(self, ask: Ask) -> Judged:
        """Whether the deployment answers as the candidate did in its proof; what it answers to the monitors' canaries
        now is what its later answers are compared with."""
        since = self._since("gate")
        found = [await self._as_proved(ask)]
        for name, monitor in self.monitors.items():
            found.append(await self._repeats(name, canary_suite(monitor.canaries, self._model), ask))
        judged = self._patient(gravest(found), since)
        if judged.verdict == "pass":  # the time is kept before any traffic moves
            self.note({"exposed": datetime.now(UTC).isoformat()}, f"asked by name: {judged.reason}")
        return judged

    async def check(self, kind: Literal["mirrored", "live"], share: int, ask: Ask) -> Judged:
        """Whether every monitor that watches the place looked at the deployment at this share and found it well."""
        since, now = self._since(f"{kind}_{share}"), datetime.now(UTC)
        exposed = datetime.fromisoformat(str(self.notes.get("exposed", since.isoformat())))
        opened = self.progress.remediation.opened_at
        found = news(self.ledger, self._watching(), opened=opened, exposed=exposed)
        if kind == "live":  # the reply to a mirrored request goes nowhere that telemetry could come from
            for monitor in self.monitors.values():
                if monitor.traffic is not None:
                    found.append(self._calls(monitor.traffic, share, exposed, since, now))
        watched = (now - since) / timedelta(minutes=1)
        if watched < self.config.soak_minutes:
            found.append(Judged("inconclusive", f"watched for {watched:.0f} of {self.config.soak_minutes:g} minutes"))
        elif gravest(found).verdict != "fail":
            found += [
                await self._still_answers(name, f"canaries_{kind}_{share}_{name}", ask) for name in self._watching()
            ]
        judged = self._patient(gravest(found), since)
        if judged.verdict == "pass":
            self.note({}, f"{kind} at {share} %: {judged.reason}")
        return judged

    def _calls(self, traffic: TrafficConfig, share: int, exposed: datetime, since: datetime, now: datetime) -> Judged:
        from driftgate.monitor.telemetry import frame

        def calls(start: datetime, end: datetime) -> pd.DataFrame:
            only = {"request_model": traffic.request_model} if traffic.request_model else {}
            columns = ("response_model", "error", "refused", "unparsed")
            return frame(self.workspace.telemetry, start, end, only=only, columns=columns)

        before = calls(exposed - timedelta(days=traffic.reference_days), exposed)
        judged = calls_no_worse(
            calls(since, now), before, self._names(), self.config.margin, share=share, risk=self._risk
        )
        return Judged(judged.verdict, f"since {since:%Y-%m-%d %H:%M} UTC {judged.reason}")

    def _watching(self) -> list[str]:
        """Monitors that watch the place now, or did when the rollout began: leaving one out does not help."""
        began = [key.removeprefix(_before("")) for key in self.notes if key.startswith(_before(""))]
        return list(dict.fromkeys([*began, *self.monitors]))

    async def _still_answers(self, name: str, key: str, ask: Ask) -> Judged:
        if name not in self.monitors:
            return Judged("unmeasurable", f"monitor {name} watched when the rollout began and is gone: put it back")
        if _before(name) not in self.notes:
            return Judged(
                "unmeasurable", f"monitor {name} is newer than the rollout: its canaries were not asked before"
            )
        suite = canary_suite(self.monitors[name].canaries, self._model)
        unchanged = [self._answers(_round(_before(name), number)) for number in range(_UNCHANGED)]
        judge = partial(self._alike, unchanged[0], unchanged[1:], f"canaries of {name}")
        judged = await self._shown(key, suite, ask, judge, f"canaries of {name}")
        return self._not_mute(judged, f"mute_since_{name}") if key.startswith("canaries_live") else judged

    def _not_mute(self, judged: Judged, key: str) -> Judged:
        """Of a deployment that users are led to and that cannot be asked nothing good is known, and not for long."""
        since, now = self.notes.get(key), datetime.now(UTC)
        if judged.verdict != "unmeasurable":
            if since:
                self.note({key: ""})
            return judged
        if not since:
            self.note({key: now.isoformat()})
        elif now - datetime.fromisoformat(str(since)) >= timedelta(hours=self.config.settle_hours):
            hours = self.config.settle_hours
            return Judged("fail", f"under traffic it could not be asked for more than {hours:g} hours: {judged.reason}")
        return judged

    async def _as_proved(self, ask: Ask) -> Judged:
        """Whether the deployment answers as the candidate did in its proof."""
        what = "questions of the proof"

        def judge(rounds: Sequence[pd.DataFrame]) -> Judged:
            """The proof is one time more that the same was asked, if the deployment is the candidate."""
            proof = rounds[0][["key"]].merge(self._proof(), on="key", how="left")
            spent = 2 / (len(rounds) * (len(rounds) + 1))
            return self._alike(rounds[0], rounds[1:], what, [proof.fillna({"outcome": "missing"})], spent)

        return await self._shown("asked", self._questions(), ask, judge, what)

    async def _repeats(self, monitor: str, suite: SuiteConfig, ask: Ask) -> Judged:
        """Whether it repeats its own answers to canaries: what it leaves unanswered now it could not repeat later."""
        key, what = _before(monitor), f"canaries of {monitor}"
        try:
            asked = [await self._asked(_round(key, number), suite, ask) for number in range(_UNCHANGED)]
        except DriftgateError as problem:
            return Judged("unmeasurable", f"{what} could not be asked: {problem}")
        return self._alike(asked[0], asked[1:], what, asked)

    def _alike(
        self,
        before: pd.DataFrame,
        unchanged: Sequence[pd.DataFrame],
        what: str,
        rounds: Sequence[pd.DataFrame],
        spent: float = 1.0,
    ) -> Judged:
        return same_answers(rounds, before, unchanged, self.config.agreement, what, self._risk * spent)

    async def _shown(
        self, key: str, suite: SuiteConfig, ask: Ask, judge: Callable[[Sequence[pd.DataFrame]], Judged], what: str
    ) -> Judged:
        """Ask the deployment by name until its answers are judged; that it cannot be asked is a finding as well."""
        known = sum(_round(key, number) in self.notes for number in range(ROUNDS))
        try:
            return await ask_until_shown(lambda n: self._asked(_round(key, n), suite, ask), judge, known)
        except DriftgateError as problem:
            return Judged("unmeasurable", f"{what} could not be asked: {problem}")

    @property
    def _risk(self) -> float:
        telemetry = sum(one.traffic is not None for one in self.monitors.values())
        return risk_of_each(len(self.config.shares), bool(self.config.mirror), len(self._watching()), telemetry)

    def _since(self, step: str) -> datetime:
        """When a step began; its first look says so."""
        key = f"{step}_since"
        if key not in self.notes:
            self.note({key: datetime.now(UTC).isoformat()})
        return datetime.fromisoformat(str(self.notes[key]))

    def _patient(self, judged: Judged, since: datetime) -> Judged:
        hours = self.config.patience_hours
        if judged.verdict in ("pass", "fail") or datetime.now(UTC) - since < timedelta(hours=hours):
            return judged
        return Judged("fail", f"still {judged.verdict} after {hours:g} hours: {judged.reason}")

    def _questions(self) -> SuiteConfig:
        suite = proof_suite(self.recipe, [self._model])
        own = {"datasets": suite.datasets[:1], "limit": self.config.samples, "seed": self.recipe.seed}
        return suite.model_copy(update=own)

    @property
    def _model(self) -> str:
        return self.progress.found.get(Trained).model

    async def _asked(self, key: str, suite: SuiteConfig, ask: Ask) -> pd.DataFrame:
        """Ask the deployment by name, as a run in the ledger that is noted under a key; what failed is asked again."""
        config = session.model_config(self.workspace, self.ledger, self._model)
        parameters = dict(config.parameters)
        if config.scoring == "logprobs":
            parameters |= {"logprobs": True, "top_logprobs": 20}
        identity = {"endpoint": self.config.endpoint, "deployment": _deployment(self.progress)}
        deployed = DeployedModel(self._model, identity, parameters, ask)
        planned = session.plan_suite(self.workspace, self.ledger, f"deployed-{self.recipe.champion}", suite)
        if key in self.notes:
            run = find_run(self.ledger, str(self.notes[key]))
            session.check_same_plan(run, planned)
        else:
            run = session.begin(self.ledger, planned, "canary")
            self.note({key: run.id})
        await session.work(self.ledger, run, planned, {self._model: deployed}, self.display, retry_failed=True)
        return self._answers(key)

    def _answers(self, key: str) -> pd.DataFrame:
        return outcome_frame(self.ledger, cells_of(self.ledger, str(self.notes[key]))[0].id)

    def _proof(self) -> pd.DataFrame:
        run, dataset = self.progress.found.get(Proved).run, self.recipe.proof[0]
        for cell in cells_of(self.ledger, run):
            if (cell.model, cell.dataset) == (self._model, dataset):
                return outcome_frame(self.ledger, cell.id)
        raise DriftgateError(
            f"the proof {run} did not ask {self._model} the dataset '{dataset}'",
            "put the dataset that was proved on first into the recipe's proof",
        )

    def _names(self) -> set[str]:
        """What the deployment calls itself in its replies."""
        runs = [key for key in self.notes if key == "asked" or key.startswith(_before(""))]
        return {str(name) for key in runs for name in self._answers(key)["served_model"].dropna() if name}


def _round(key: str, number: int) -> str:
    """The key of the n-th time that questions are asked, the first being 0."""
    return f"round_{number + 1}_{key}" if number else key


def _before(monitor: str) -> str:
    return f"canaries_before_{monitor}"
