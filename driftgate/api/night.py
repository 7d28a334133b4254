"""The nightly job: suites and gates, looks at champions, remediations where they are called for, and what is sent."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftgate.api import bench, watching
from driftgate.api.bench import Begun, Done, gravest
from driftgate.api.champions import champion, unmeasured
from driftgate.api.deployments import ask_for_ends
from driftgate.api.preflight import prepare_night
from driftgate.api.prompt_drift import is_due, take_prompt_look
from driftgate.api.publishing import publish_incidents, publish_look, publish_night, publish_remediation, publish_run
from driftgate.api.reviewing import review, review_verdicts
from driftgate.api.session import model_config
from driftgate.api.watching import LookResult
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.gate import GateVerdict
from driftgate.benchmarks.progress import Display, Unseen
from driftgate.finetune.remediation import Busy, Remediation, ending, events_of, find_remediation, remediations
from driftgate.flows.environment import resolve_secret
from driftgate.flows.errors import DriftgateError, StoppedByUser
from driftgate.flows.models import ModelConfig
from driftgate.flows.told import in_words
from driftgate.ledger import Ledger, champion_of
from driftgate.monitor.config import MonitorConfig
from driftgate.monitor.incidents import begin_night, end_night, observe
from driftgate.monitor.looks import EXIT_CODES
from driftgate.monitor.looks import gravest as gravest_look
from driftgate.monitor.prompt_look import PromptLook
from driftgate.monitor.watch import Watched

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from driftgate.api.keeping import Kept
    from driftgate.monitor.azure import Drained
    from driftgate.monitor.notifications import Delivered


class NightDisplay:
    """Who is told of the parts of a night as they come; this one shows nothing."""

    @property
    def progress(self) -> Display:
        """Shows what is asked while it goes on."""
        return Unseen()

    def benched(self, begun: Begun, finish: Callable[[Display], Done]) -> Done:
        """A run has begun; ``finish`` takes it to its end."""
        return finish(self.progress)

    def looked(self, monitor: str, what: str, watched: Watched, evidence: Path | None) -> None:
        """A monitor's canaries or its traffic were looked at; ``evidence`` is the page of what moved."""

    def opened(self, remediation: Remediation, new: bool) -> None:
        """A remediation was called for; not ``new``: it was open already."""

    def not_opened(self, recipe: str, reason: DriftgateError) -> None:
        """A remediation was called for, and none is opened now."""

    def halted(self, why: str) -> None:
        """Remediations are open, and none goes on now."""

    def mended(self, remediation: Remediation, why: str) -> None:
        """A remediation went as far as it goes now."""

    def sent(self, drained: Drained) -> None:
        """What waited for Azure Monitor was sent."""

    def told(self, delivered: Delivered) -> None:
        """People were told of incidents, or could not be."""

    def kept(self, kept: Kept) -> None:
        """What is older than the workspace keeps it was moved or removed."""

    def ends(self, slot: str, model: str, day: date) -> None:
        """The champion of a slot is a deployment whose last day is known."""

    def unmeasured(self, slot: str, model: str) -> None:
        """A model is live that no suite of the night asks and no monitor watches."""

    def failed(self, part: str, problem: DriftgateError) -> None:
        """A part could not be done."""


@dataclass(frozen=True)
class Looked:
    """What a monitor's canaries, its traffic, its prompts and production's answers came to."""

    canaries: LookResult
    traffic: Watched | None
    """None where the monitor does not look at traffic."""
    prompts: Watched | None = None
    """None where no look at prompts was due."""
    answers: Watched | None = None
    """None where no answers of production are evaluated."""

    @property
    def exit_code(self) -> int:
        """The graver result's."""
        looks = [one for one in (self.canaries.watched, self.traffic, self.prompts, self.answers) if one is not None]
        return EXIT_CODES[gravest_look([look.conclusion.result for look in looks])]


def run_night(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> int:
    """Do everything the workspace names under ``nightly``; the exit code is the gravest of all its parts.

    A live model that nobody asks is unmeasurable, and has that code. What is to be mended is said of all parts before
    anything is asked. A part that cannot be done does not keep the others from being done. That it began and how it
    ended is kept, for who asks whether there was one.

    Raises
    ------
    DriftgateError
        There is nothing to do, or a part could not be done.
    """
    job = workspace.config.nightly
    if not job.suites and not job.monitors:
        raise DriftgateError("the workspace has nothing to do at night", "name suites or monitors under nightly")
    night = begin_night(ledger, getpass.getuser())
    try:
        code = _run_night(workspace, ledger, display)
    except BaseException as raised:
        problem = str(in_words(raised)) if isinstance(raised, Exception) else "it was stopped"
        end_night(ledger, night, EXIT_CODES["unmeasurable"], problem)
        raise
    else:
        end_night(ledger, night, code)
        return code
    finally:
        tell_of(workspace, ledger, display)


def _run_night(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> int:
    job = workspace.config.nightly
    codes: list[int] = []
    refused = prepare_night(workspace, ledger)
    problems = list(refused.values())
    for part, problem in refused.items():
        display.failed(part, problem)
        if part.startswith("suite "):
            bench.keep_refusal(workspace, ledger, part.removeprefix("suite "), problem)
    with _set_aside("deployments", problems, display):
        _say_ends(workspace, ledger, display)
    for slot, model in unmeasured(workspace, ledger).items():
        display.unmeasured(slot, model)
        codes.append(EXIT_CODES["unmeasurable"])
    for suite in job.suites:
        if f"suite {suite}" not in refused:
            with _set_aside(suite, problems, display):
                codes.append(_measure(workspace, ledger, suite, display))
    for name in job.monitors:
        with _set_aside(name, problems, display):
            codes.append(look(workspace, ledger, name, display).exit_code)
    with _set_aside("replacements", problems, display):
        _replace(workspace, ledger, display)
    with _set_aside("remediations", problems, display):
        _mend(workspace, ledger, problems, display)
    with _set_aside("Azure Monitor", problems, display):
        publish_night(workspace, ledger, 2 if problems else gravest(codes), problems)
        send(workspace, ledger, display)
    with _set_aside("keep", problems, display):
        _keep(workspace, ledger, display)
    if problems:
        raise problems[0]
    return gravest(codes)


def _say_ends(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> None:
    """Ask services on which day the models of the night end, and say it of champions; scores say it of the others."""
    config = workspace.config
    live = {slot: champion_of(ledger, slot) or first for slot, first in config.champions.items()}
    suites = [config.suites[name] for name in config.nightly.suites if name in config.suites]
    configs: dict[str, ModelConfig] = {}
    for name in [*live.values(), *(model for suite in suites for model in suite.models)]:
        with suppress(DriftgateError):  # a model that is not there is said elsewhere
            configs[name] = model_config(workspace, ledger, name)
    days = ask_for_ends(workspace, ledger, configs)
    for slot, model in live.items():
        if model in days:
            display.ends(slot, model, days[model])


@contextmanager
def _set_aside(part: str, problems: list[DriftgateError], display: NightDisplay) -> Iterator[None]:
    try:
        yield
    except StoppedByUser:
        raise
    except Exception as raised:  # a defect in one part is not to cost the night's others
        log.debug("%s could not be done", part, exc_info=True)
        problem = in_words(raised)
        if str(problem) not in map(str, problems):  # it may have been said beforehand
            display.failed(part, problem)
        problems.append(problem)


def _measure(workspace: OpenWorkspace, ledger: Ledger, suite: str, display: NightDisplay) -> int:
    """Run a suite, judge it, and open a repair where a gate fails the champion; the exit code of its verdicts.

    A run of an earlier night whose batches are still under way, or were answered meanwhile, is taken to its end.
    """
    gates = [name for name in workspace.config.nightly.gates if workspace.config.gates[name].suite == suite]
    begun = bench.begin_or_go_on(workspace, ledger, suite)
    done = display.benched(begun, lambda progress: bench.finish(workspace, ledger, begun, gates, progress))
    publish_run(workspace, ledger, done.run, done.scored, done.verdicts)
    review_verdicts(workspace, ledger, done.verdicts)
    for verdict in done.verdicts:
        repair_failure(workspace, ledger, verdict, display)
    return done.exit_code


def look(workspace: OpenWorkspace, ledger: Ledger, name: str, display: NightDisplay) -> Looked:
    """Look at a monitor's canaries, traffic and, if it is due, prompts; open a remediation if the model got worse.

    Canaries alone call for a remediation. Traffic is looked at whatever became of them. What was found is added to
    incidents, also where looks were kept only to say that nobody could look.
    """
    monitor = watching.find_monitor(workspace, name)
    try:
        return _look(workspace, ledger, name, monitor, display)
    finally:
        observe(ledger, workspace.config.incidents)


def _look(workspace: OpenWorkspace, ledger: Ledger, name: str, monitor: MonitorConfig, display: NightDisplay) -> Looked:
    canaries = watching.take_look(workspace, ledger, name, display.progress)
    display.looked(name, canaries.champion, canaries.watched, None)
    publish_look(workspace, ledger, canaries.champion, canaries.watched)
    traffic = None
    if monitor.traffic is not None:
        traffic = watching.watch_traffic(workspace, ledger, name, monitor.traffic)
        page = watching.evidence_folder(workspace) / f"{traffic.row.run_id}.html"
        display.looked(name, "traffic", traffic, page if page.exists() else None)
        publish_look(workspace, ledger, canaries.champion, traffic)
    answers = None
    if monitor.evaluate is not None:
        from driftgate.api.evaluating import evaluate_answers

        answers = evaluate_answers(workspace, ledger, name, monitor.evaluate)
        display.looked(name, "answers", answers, None)
        publish_look(workspace, ledger, canaries.champion, answers)
    prompts = None
    if is_due(ledger, name, monitor):
        prompts = look_at_prompts(workspace, ledger, name, display).watched
    regression = canaries.watched.regression
    if regression is not None and monitor.recipe is not None:
        _begin_repair(workspace, ledger, monitor.recipe, canaries.champion, {"alert": regression.to_json()}, display)
    return Looked(canaries, traffic, prompts, answers)


def look_at_prompts(
    workspace: OpenWorkspace,
    ledger: Ledger,
    name: str,
    display: NightDisplay,
    *,
    repeats: int | None = None,
    limit: int | None = None,
) -> PromptLook:
    """Look at a monitor's prompts, due or not; see :func:`driftgate.api.prompt_drift.take_prompt_look`."""
    found = take_prompt_look(workspace, ledger, name, display.progress, repeats=repeats, limit=limit)
    display.looked(name, "prompts", found.watched, None)
    publish_look(
        workspace, ledger, champion(workspace, ledger, workspace.config.monitors[name].champion), found.watched
    )
    observe(ledger, workspace.config.incidents)
    return found


def repair_failure(workspace: OpenWorkspace, ledger: Ledger, verdict: GateVerdict, display: NightDisplay) -> None:
    """Open a remediation where a gate fails the champion of the recipe it names; a failing candidate needs none."""
    recipe = workspace.config.gates[verdict.gate].recipe
    if recipe is None:
        return
    live = champion(workspace, ledger, workspace.config.recipes[recipe].champion)
    failed = [rule for rule in verdict.rules if rule.verdict == "fail" and rule.model == live]
    if failed:
        why = [f"{rule.cell}: {rule.rule}: {rule.told}" for rule in failed]
        _begin_repair(workspace, ledger, recipe, live, {"gate": verdict.gate, "run": verdict.run, "why": why}, display)


def _replace(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> None:
    """Open the replacement of every champion whose deployment ends soon."""
    from driftgate.api.repair import due_replacements

    for one in due_replacements(workspace, ledger):
        _begin_repair(workspace, ledger, one.recipe, one.model, one.evidence, display, cause=one.cause)


def _begin_repair(
    workspace: OpenWorkspace,
    ledger: Ledger,
    recipe: str,
    live: str,
    evidence: Mapping[str, Any],
    display: NightDisplay,
    *,
    cause: str = "",
) -> None:
    from driftgate.api.repair import NotOpened, begin_repair

    try:
        display.opened(*begin_repair(workspace, ledger, recipe, live, evidence, cause=cause))
    except NotOpened as reason:
        display.not_opened(recipe, reason)


def mend(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> list[Remediation]:
    """Take every open remediation as far as it goes; one that cannot go on does not keep the others from it.

    Where the gate rejects a candidate, the recipe's next attempt is opened and follows.

    Raises
    ------
    DriftgateError
        A step of one failed, or several did: the others went as far as they go.
    """
    problems: list[DriftgateError] = []
    went = _mend(workspace, ledger, problems, display)
    if problems:
        raise problems[0]
    return went


def _mend(
    workspace: OpenWorkspace, ledger: Ledger, problems: list[DriftgateError], display: NightDisplay
) -> list[Remediation]:
    from driftgate.api.attempts import due_attempts, next_attempt
    from driftgate.api.repair import go_on, switched_off

    why = switched_off(workspace, ledger)
    if not why:
        due_attempts(workspace, ledger)
    waiting = remediations(ledger, 1000, state="open")
    if waiting and why:
        display.halted(why)
        return []
    went: list[Remediation] = []
    while waiting:
        one = waiting.pop()  # the oldest first
        with _set_aside(f"remediation {one.id}", problems, display):
            try:
                after = go_on(workspace, ledger, one, display.progress)
            except Busy as reason:
                display.mended(one, str(reason))
                continue
            finally:
                publish_remediation(workspace, ledger, find_remediation(ledger, one.id))
            went.append(after)
            events = events_of(ledger, after.id)
            display.mended(after, (ending(events) or events[-1]).message)
            if (further := next_attempt(workspace, ledger, after)) is not None:
                display.opened(further, True)
                waiting.append(further)
    return went


def send(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> None:
    """Send what waits in the outbox; what the service does not acknowledge waits for the next time."""
    if workspace.config.azure_monitor is not None:
        from driftgate.monitor.azure import drain

        publish_incidents(workspace, ledger)
        connection = resolve_secret(workspace.config.azure_monitor.connection_string, "azure_monitor.connection_string")
        display.sent(drain(ledger, connection, workspace=workspace.config.name))


def tell_of(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> None:
    """Bring incidents up to date and tell people of them; a channel that fails is said, and changes nothing else."""
    review(workspace, ledger)
    if workspace.config.notifications.channels:
        from driftgate.api.telling import tell

        display.told(tell(workspace, ledger))


def _keep(workspace: OpenWorkspace, ledger: Ledger, display: NightDisplay) -> None:
    """Remove texts and move details that are older than the workspace keeps them."""
    from driftgate.api.keeping import keep

    display.kept(keep(workspace, ledger))
