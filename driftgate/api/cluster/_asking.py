"""Have jobs of Azure Machine Learning ask a run's samples, bring back what they gave, and add it to the run."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from driftgate.api.bench import Begun
from driftgate.api.cluster._carried import carry
from driftgate.api.cluster._packed import ARCHIVE, TREE, command, pack
from driftgate.api.cluster._parts import Manifest, add_part, parts_in
from driftgate.api.cluster._told import ToldRun
from driftgate.api.shards import check_shards, with_left
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.runner import add_cells
from driftgate.benchmarks.shards import Share, Wanted
from driftgate.finetune._azure import check_address
from driftgate.finetune.compute import (
    RESULT,
    AzureMLBench,
    AzureMLJobs,
    JobRefused,
    JobState,
    KeptJob,
    ShardJob,
    jobs_of,
    keep_job,
    packages,
    plan_jobs,
)
from driftgate.flows.environment import resolve
from driftgate.flows.errors import DriftgateError
from driftgate.flows.foreign import described
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.flows.scrubbing import scrub
from driftgate.ledger import Ledger, cells_of, deployments_by_model, pending_samples, set_status

PAUSE = 15.0
"""Seconds between two looks at the jobs."""
_PATIENCE = 4
"""Looks in a row that may fail before the jobs are left to themselves."""
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError, zlib.error)


@dataclass(frozen=True)
class Asking:
    """A run that jobs are to ask."""

    workspace: OpenWorkspace
    ledger: Ledger
    begun: Begun
    config: AzureMLBench
    shards: int
    tell: Callable[[str], None]

    @property
    def run(self) -> str:
        """The run's id."""
        return self.begun.run.id

    @property
    def resume(self) -> str:
        """The command that goes on with it."""
        return f"{self.begun.resume} --on azureml --shards {self.shards}"

    def folder(self, attempt: int) -> Path:
        """Where what goes up and what comes back lies, below the workspace's own ``.driftgate``."""
        return self.workspace.folder / ".driftgate" / "shards" / self.run / str(attempt)

    def pending(self, *, retry_failed: bool = False) -> dict[int, dict[str, list[int]]]:
        """What is still to be asked, by place of the cell and key of the sample."""
        found = {}
        for cell in cells_of(self.ledger, self.run):
            todo = pending_samples(self.ledger, cell.id, retry_failed=retry_failed)
            if todo:
                found[cell.ordinal] = {key: rounds for key, (_, rounds) in sorted(todo.items())}
        return found


def ask_on_azureml(
    workspace: OpenWorkspace,
    ledger: Ledger,
    begun: Begun,
    shards: int | None,
    *,
    retry_failed: bool = False,
    cancel: bool = False,
    tell: Callable[[str], None] = lambda words: None,
) -> Begun:
    """Put the jobs, or find those that an earlier process put, wait for them, and add to the run what they gave.

    Parameters
    ----------
    shards : int, optional
        Jobs; by default as many as the workspace says. An attempt that is under way keeps its number.
    cancel : bool
        An interrupt cancels the jobs; else they go on, and so may the run, later.
    tell : callable
        Told in words how jobs stand.

    Returns
    -------
    Begun
        The run, everything of which is asked, with what is left of its limits.

    Raises
    ------
    DriftgateError
        The workspace says nothing of Azure Machine Learning, the run cannot be divided, a job is refused or was not
        done, or what it gave is not whole. The run stands as it is and can be gone on with; it is not complete.
    """
    config = workspace.config.azureml
    if config is None:
        set_status(ledger, begun.run.id, "stopped", "the workspace has no azureml")
        raise DriftgateError("driftgate.yaml does not say where jobs run", "add azureml; see docs/throughput.md")
    asking = Asking(workspace, ledger, begun, config, shards or config.shards, tell)
    jobs = AzureMLJobs(config)
    try:
        check_address(config.workspace)
        check_shards(begun, max(asking.shards, 2))
        if begun.planned.suite.cache:
            raise DriftgateError("machines elsewhere do not have the ledger's cache", "add --no-cache")
        set_status(ledger, asking.run, "running")
        add_cells(ledger, begun.run, begun.planned.cells)
        kept, given = _settled(asking, jobs, jobs_of(ledger, asking.run))
        if not any(job.is_open for job in kept):
            wanted = asking.pending(retry_failed=retry_failed)
            if not wanted:
                return begun
            kept = _planned(asking, wanted, kept[0].attempt + 1 if kept else 1)
        kept = _put(asking, jobs, kept, retry_failed=retry_failed)
        kept, came = _awaited(asking, jobs, kept)
        given += came
        shutil.rmtree(asking.folder(kept[0].attempt).parent, ignore_errors=True)
        _check_whole(asking, kept)
    except DriftgateError as problem:
        set_status(ledger, asking.run, "stopped", problem.message)
        go_on = f"go on with: {asking.resume}"
        remedy = f"{problem.remedy}, then {go_on}" if problem.remedy else go_on
        raise DriftgateError(problem.message, remedy) from problem
    except KeyboardInterrupt:
        _interrupted(asking, jobs, cancel=cancel)
        raise
    except Exception as problem:
        set_status(ledger, asking.run, "stopped", described(problem))
        raise
    spent, minutes = sum(one.spent for one in given), max((one.seconds for one in given), default=0.0) / 60
    return with_left(begun, spent, minutes)


def check_not_asked_elsewhere(ledger: Ledger, begun: Begun) -> None:
    """Refuse to ask here what jobs may be asking: it would be paid for twice.

    Raises
    ------
    DriftgateError
        Jobs of the run were put, and what became of them is not known.
    """
    if begun.goes_on and (under_way := [job for job in jobs_of(ledger, begun.run.id) if job.is_open]):
        raise DriftgateError(
            f"run {begun.run.id} is asked by {len(under_way)} jobs of Azure Machine Learning ({under_way[0].name} …)",
            f"go on with: {begun.resume} --on azureml (with --cancel an interrupt cancels them)",
        )


def _planned(asking: Asking, wanted: Wanted, attempt: int) -> list[KeptJob]:
    """Keep a further attempt; a share of which nothing is left to ask needs no job."""
    cells, run, now = asking.begun.planned.cells, asking.run, datetime.now(UTC)
    made = []
    for place in range(1, asking.shards + 1):
        share = Share(place, asking.shards)
        asked = (one for at, cell in enumerate(cells) for one in cell.samples if one.key in wanted.get(at, {}))
        left = any(map(share.has, asked))
        name = re.sub(r"[^A-Za-z0-9_-]", "-", f"{run}-a{attempt}-{place}of{asking.shards}")
        state, detail = ("planned", "") if left else ("done", "nothing to ask")
        made.append(KeptJob(run, attempt, place, asking.shards, name, state, detail, now))  # type: ignore[arg-type]
    plan_jobs(asking.ledger, made)
    return jobs_of(asking.ledger, run)


def _put(asking: Asking, jobs: AzureMLJobs, kept: Sequence[KeptJob], *, retry_failed: bool) -> list[KeptJob]:
    """Put those of an attempt that are not there; a job is kept as ``putting`` before it is put."""
    if all(job.state in ("put", "done", "failed") for job in kept):
        return list(kept)
    code, needs = _code(asking, kept[0].attempt, kept[0].shards, retry_failed=retry_failed)
    config = asking.config
    requirements = asking.workspace.inside(config.requirements, "azureml.requirements") if config.requirements else None
    pinned, variables = packages(config.extras, requirements), _variables(config)
    description = f"driftgate bench, run {asking.run}" + (f"; needs {', '.join(needs)} on the compute" if needs else "")
    if needs:
        asking.tell(f"the compute must have these variables, whose values do not go along: {', '.join(needs)}")
    now = []
    for job in kept:
        if job.state in ("put", "done", "failed"):
            now.append(job)
            continue
        share = f"{job.place}/{job.shards}"
        asked = "|".join([asking.run, asking.begun.run.plan_hash, str(job.attempt), share])
        mark = hashlib.sha256(asked.encode()).hexdigest()[:16]
        run = command(share, f"${{{{outputs.{RESULT}}}}}")
        wanted = ShardJob(job.name, code, run, mark, variables, pinned, description)
        if not jobs.is_there(wanted):
            job = keep_job(asking.ledger, job, "putting")
            try:
                jobs.put(wanted)
            except JobRefused as problem:
                if not jobs.is_there(wanted):  # of two that put it at once, one is told that it exists
                    keep_job(asking.ledger, job, "refused", problem.message)
                    there = sum(one.state == "put" for one in now)
                    others = f"; {there} of {job.shards} jobs are there and go on" if there else ""
                    raise DriftgateError(f"{job.words}: {problem.message}{others}", problem.remedy) from problem
        now.append(keep_job(asking.ledger, job, "put"))
        asking.tell(f"{job.words}: job {job.name} is submitted")
    return now


def _code(asking: Asking, attempt: int, shards: int, *, retry_failed: bool) -> tuple[Path, tuple[str, ...]]:
    """The folder that is uploaded, and the variables that its workspace needs; laid out once for an attempt."""
    folder, begun = asking.folder(attempt), asking.begun
    code, tree = folder / "code", folder / TREE
    told = folder / "told.json"
    if (code / ARCHIVE).is_file() and told.is_file():
        return code, tuple(ToldRun.read(told).needs)
    carried = carry(asking.workspace, asking.ledger, begun.planned, begun.run, asking.config, tree)
    if keys := sorted(carried.secret & set(asking.config.variables)):
        raise DriftgateError(
            f"azureml.variables names {keys[0]}, which is a key", "set it on the compute, or sign in by an identity"
        )
    needs = tuple(name for name in carried.variables if name not in asking.config.variables)
    rows = deployments_by_model(asking.ledger)
    asked = {cell.model for cell in begun.planned.cells}
    asked |= {one.judge.name for cell in begun.planned.cells for one in cell.evaluators.judged.values()}
    run = ToldRun(
        begun.run,
        shards,
        f"{TREE}/{carried.space.relative_to(tree).as_posix()}",
        asking.pending(retry_failed=retry_failed) if begun.goes_on else None,
        [rows[name] for name in sorted(asked & rows.keys())],
        needs,
    )
    make_folder(folder)
    pack(code, tree, run)
    replace_file(told, run.as_json().encode(errors="replace"))
    where = tree.relative_to(asking.workspace.folder).as_posix()
    asking.tell(f"{carried.files} files of the workspace go along, {carried.size / 1024:,.0f} KiB: {where}")
    return code, needs


def _variables(config: AzureMLBench) -> dict[str, str]:
    values = {name: resolve(f"${{env:{name}}}", "azureml.variables") for name in config.variables}
    for name, value in values.items():
        if scrub(value) != value:
            raise DriftgateError(f"azureml.variables names {name}, which holds a secret", "set it on the compute")
    return values


def _settled(asking: Asking, jobs: AzureMLJobs, kept: Sequence[KeptJob]) -> tuple[list[KeptJob], list[Manifest]]:
    """Look once at each job that may be under way, and take what those gave that have ended."""
    now: list[KeptJob] = []
    given: list[Manifest] = []
    for job in kept:
        if job.state == "put" and (state := jobs.state(job.name)).state != "going_on":
            job, manifest = _taken(asking, jobs, job, state)
            given += [manifest] if manifest else []
        elif job.state == "put" and job.detail != state.detail:
            job = keep_job(asking.ledger, job, "put", state.detail)
            asking.tell(f"{job.words}: {state.detail}")
        now.append(job)
    return now, given


def _awaited(asking: Asking, jobs: AzureMLJobs, kept: Sequence[KeptJob]) -> tuple[list[KeptJob], list[Manifest]]:
    given: list[Manifest] = []
    failures = 0
    now = list(kept)
    while True:
        try:
            _, came = _settled(asking, jobs, now)
            given += came
            failures = 0
        except DriftgateError as problem:
            failures += 1
            if failures == _PATIENCE:
                raise
            asking.tell(problem.message)
        now = jobs_of(asking.ledger, asking.run)
        if not any(job.is_open for job in now):
            return now, given
        time.sleep(PAUSE)


def _taken(asking: Asking, jobs: AzureMLJobs, job: KeptJob, state: JobState) -> tuple[KeptJob, Manifest | None]:
    """Bring back what a job gave that has ended, whole parts at least, and keep whether its share was done."""
    folder = asking.folder(job.attempt) / f"shard-{job.place}"
    given = jobs.fetch(job.name, folder) if state.state != "gone" else folder / "nothing"
    parts, manifest = parts_in(given), Manifest.read(given)
    unreadable, lines = "", 0
    for name, content in parts.items():
        try:
            lines += len(add_part(asking.ledger, asking.run, content))
        except _UNREADABLE as problem:
            unreadable = f"{name} cannot be read ({type(problem).__name__})"
    why = unreadable or _why_not_done(asking, job, state, manifest, parts, lines)
    job = keep_job(asking.ledger, job, "failed" if why else "done", why)
    shutil.rmtree(folder, ignore_errors=True)  # the ledger has what it gave, and forgets it where it must
    asking.tell(f"{job.words}: {why or 'done'}, {lines:,} samples came back")
    return job, manifest


def _why_not_done(
    asking: Asking, job: KeptJob, state: JobState, manifest: Manifest | None, parts: dict[str, bytes], lines: int
) -> str:
    """Why a share was not done; empty where everything says that it was."""
    if state.state == "gone" or manifest is None:
        return state.detail if state.state != "done" else "the job ended and gave no result that is whole"
    if (manifest.run, manifest.plan_hash) != (asking.run, asking.begun.run.plan_hash):
        return f"its result is of run {manifest.run}"
    if manifest.share != f"{job.place}/{job.shards}":
        return f"its result is that of shard {manifest.share}"
    if absent := [name for name in manifest.parts if name not in parts]:
        return f"{len(absent)} of the {len(manifest.parts)} parts of its result are missing or damaged"
    if manifest.problem:
        return f"{manifest.problem} ({manifest.remedy})" if manifest.remedy else manifest.problem
    if state.state != "done":
        return state.detail
    return "" if lines == manifest.lines else f"its result has {lines:,} samples and should have {manifest.lines:,}"


def _check_whole(asking: Asking, kept: Sequence[KeptJob]) -> None:
    """Refuse to call a run asked of which anything is missing."""
    undone = [job for job in kept if job.state != "done"]
    left = sum(len(rounds) for todo in asking.pending().values() for rounds in todo.values())
    if undone or left:
        told = [f"{job.words} (job {job.name}): {job.detail or job.state}" for job in undone]
        raise DriftgateError(
            "; ".join([*told, f"{left:,} of {asking.begun.samples:,} samples have no outcome"]),
            "see the jobs in the studio",
        )


def _interrupted(asking: Asking, jobs: AzureMLJobs, *, cancel: bool) -> None:
    under_way = [job for job in jobs_of(asking.ledger, asking.run) if job.is_open]
    what = "go on"
    if cancel:
        for job in under_way:
            jobs.cancel(job.name)
        what = "are cancelled"
    said = f"stopped by the user; {len(under_way)} jobs {what}" if under_way else "stopped by the user"
    set_status(asking.ledger, asking.run, "interrupted", said)
    asking.tell(f"{said}; go on with: {asking.resume}")
