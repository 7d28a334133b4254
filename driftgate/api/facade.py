"""The one door: a workspace and everything a person does with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from driftgate.api.access import Access
from driftgate.api.handling import Handling
from driftgate.api.judging import Judging
from driftgate.api.listing import newest_runs
from driftgate.api.on_call import OnCall
from driftgate.api.repairing import Repairing
from driftgate.api.run import Run, Runs, Verdicts, name_of
from driftgate.api.synthesising import Synthesising
from driftgate.api.upkeep import Upkeep
from driftgate.api.working import Working
from driftgate.api.workspace import open_workspace
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.scrubbed_output import guard_logs
from driftgate.ledger import (
    RunRow,
    find_run,
    open_ledger,
)

if TYPE_CHECKING:
    from driftgate.api import bench
    from driftgate.api.attribution import Attributed
    from driftgate.api.baseline import Exported, Imported
    from driftgate.api.deployments import Deployment
    from driftgate.api.dividing import Division
    from driftgate.api.exporting import ExportedModel
    from driftgate.api.parity import ParityRun, Request
    from driftgate.api.plan import Assumed
    from driftgate.api.preflight import Finding
    from driftgate.api.recorded import Import, ImportDisplay, ImportedFiles
    from driftgate.api.subset import Chosen
    from driftgate.benchmarks.compare import Comparisons, Design
    from driftgate.benchmarks.conventions import ConventionScores, Difference
    from driftgate.benchmarks.progress import Display
    from driftgate.finetune.train._export import Quantised
    from driftgate.flows.documents import Ingest


def open(folder: Path | str = ".") -> Workspace:
    """Open the workspace in a folder: read ``driftgate.yaml`` and open its ledger.

    Raises
    ------
    DriftgateError
        The file is missing or wrong, or the ledger cannot be opened.
    """
    guard_logs()
    files = open_workspace(Path(folder))
    return Workspace(files, open_ledger(files.ledger, files.folder, files.archive))


@dataclass(frozen=True)
class Workspace(OnCall, Handling, Judging, Upkeep, Access, Working, Repairing, Synthesising):
    """An open workspace. Use it in a ``with``, or close it.

    Methods wait until their work is done, also in a notebook, where an event loop is running.
    """

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the ledger's connections back."""
        self.ledger.close()

    @property
    def name(self) -> str:
        """Its name."""
        return self.files.config.name

    def run(self, name: str = "latest") -> Run:
        """A run by its id or a part of it; ``latest`` is the newest complete benchmark, ``latest:SUITE`` of a suite.

        Raises
        ------
        DriftgateError
            No run, or more than one, fits.
        """
        return self._run(find_run(self.ledger, name))

    def runs(self, limit: int = 20, *, suite: str = "", kind: str | Collection[str] = ()) -> Runs:
        """The newest runs first; see :func:`driftgate.api.listing.newest_runs`.

        Raises
        ------
        DriftgateError
            There is no such kind.
        """
        return Runs(
            self._run(row)
            for row in newest_runs(self.ledger, limit, suite=suite, kind=kind, suites=self.files.config.suites)
        )

    def begin(
        self,
        suite: str = "",
        *,
        resume: bool = False,
        run: str = "",
        retry_failed: bool = False,
        cache: bool | None = None,
        trial: bool = False,
        stopping_gate: str = "",
        seed: int | None = None,
    ) -> bench.Begun:
        """Plan a suite and begin a run of it, or prepare to go on with one; see :meth:`bench`."""
        from driftgate.api import bench, session

        going_on = resume or bool(run) or retry_failed
        if going_on and stopping_gate:
            raise DriftgateError(
                "a run goes on as it began, also in what may stop it", "leave out --gate, --sequential and --seed"
            )
        row = session.unfinished(self.ledger, run, suite, retry_failed=retry_failed) if going_on else None
        if row is not None and retry_failed and (looks := session.looks_of(row)) is not None:
            raise DriftgateError(f"gate '{looks.gate}' has judged what failed in run {row.id}", "begin a new run")
        name = row.suite if row is not None else suite or bench.only(self.files.config.suites, "suite")
        stopping = bench.looks_by(stopping_gate, seed) if stopping_gate else None
        return bench.begin(self.files, self.ledger, name, run=row, cache=cache, trial=trial, looks=stopping)

    def finish(
        self,
        begun: bench.Begun,
        display: Display,
        *,
        gates: Sequence[str] = (),
        retry_failed: bool = False,
        divided: Division | None = None,
        cache: bool | None = None,
    ) -> bench.Done:
        """Work on what :meth:`begin` began, until it ends: here, in processes, or on jobs (see ``driftgate bench``)."""
        from driftgate.api import bench
        from driftgate.api.dividing import Division, ask_divided

        how = divided or Division()
        begun, asked = ask_divided(self.files, self.ledger, begun, how, retry_failed=retry_failed, cache=cache)
        return bench.finish(self.files, self.ledger, begun, gates, display, retry_failed=retry_failed and not asked)

    def ask_share(self, begun: bench.Begun, share: str, *, retry_failed: bool = False) -> int:
        """Ask one share of a run that :meth:`finish` divides, in a process of its own; the exit code."""
        from driftgate.api.shards import ask_share

        return ask_share(self.ledger, begun, share, retry_failed=retry_failed)

    def bench(
        self,
        suite: str = "",
        *,
        resume: bool = False,
        run: str = "",
        retry_failed: bool = False,
        cache: bool | None = None,
        trial: bool = False,
        stopping_gate: str = "",
        seed: int | None = None,
        display: Display | None = None,
    ) -> Run:
        """Run a suite, or go on with a run that was stopped; asks nothing twice.

        Parameters
        ----------
        suite : str
            A suite of the workspace; may be left out where there is only one.
        resume : bool
            Go on with the newest benchmark that is not complete.
        run : str
            Go on with this run.
        retry_failed : bool
            Ask failed samples once more.
        cache : bool, optional
            Reuse replies of earlier runs; by default as the suite says.
        trial : bool
            The run is for a change that is only proposed: no later run is compared with it.
        stopping_gate : str
            A gate that ends the run as soon as it has decided; samples are asked in a random order.
        seed : int, optional
            Of that order; by default another one for each run.
        display : Display, optional
            Shows how far it is; by default a progress bar.

        Raises
        ------
        DriftgateError
            Something that it needs is missing or cannot be done; the ledger is intact.
        """
        begun = self.begin(
            suite,
            resume=resume,
            run=run,
            retry_failed=retry_failed,
            cache=cache,
            trial=trial,
            stopping_gate=stopping_gate,
            seed=seed,
        )
        return self._run(self.finish(begun, display or _progress(), retry_failed=retry_failed).run)

    def gate(self, run: Run | str = "latest", gate: str = "") -> Verdicts:
        """Judge a run by one gate, or by every gate of its suite; the verdicts are kept.

        Raises
        ------
        DriftgateError
            The run is not complete, or no gate judges its suite; or ``run`` is ``latest`` and a newer benchmark is not
            complete.
        """
        from driftgate.api import bench

        return Verdicts(bench.judge_stored(self.files, self.ledger, name_of(run), gate)[1])

    def compare(
        self,
        runs: Sequence[str | Run] = (),
        *,
        models: Sequence[str] = (),
        datasets: Sequence[str] = (),
        where: Sequence[str] = (),
        pairs: Sequence[tuple[str, str]] = (),
        resamples: int = 0,
        seed: int = 0,
    ) -> Comparisons:
        """Compare runs, or cells of models that were asked the same way; see :func:`driftgate.api.compare.compare`."""
        from driftgate.api.compare import compare

        named = [name_of(run) for run in runs]
        return compare(self.ledger, named, models, datasets, where=where, pairs=pairs, resamples=resamples, seed=seed)

    def plan(
        self, dataset: str = "", models: Sequence[str] = (), *, runs: Sequence[str] = (), assumed: Assumed | None = None
    ) -> list[Design]:
        """Say which difference a comparison can find; see :func:`driftgate.api.plan.plan`."""
        from driftgate.api.plan import plan

        return plan(self.ledger, dataset, models, runs=runs, assumed=assumed)

    def rescore(self, run: Run | str, convention: str) -> list[ConventionScores]:
        """Score a stored run by another convention; no model is asked."""
        from driftgate.api.rescore import rescore_run

        return rescore_run(self.ledger, name_of(run), convention)

    def score_difference(self, run: Run | str, before: str, after: str) -> list[Difference]:
        """Which samples of a stored run two conventions score differently."""
        from driftgate.api.rescore import differences

        return differences(self.ledger, name_of(run), before, after)

    def import_files(self, files: Sequence[Path], how: Import, display: ImportDisplay) -> ImportedFiles:
        """Read recorded answers into the ledger as runs; no model is asked."""
        from driftgate.api.recorded import import_files

        return import_files(self.files, self.ledger, files, how, display)

    def export_baseline(self, run: Run | str, path: Path, *, with_text: bool = False) -> Exported:
        """Write what a comparison needs of a run to a file, for another ledger."""
        from driftgate.api.baseline import export_baseline

        return export_baseline(self.ledger, name_of(run), path, with_text=with_text)

    def import_baseline(self, path: Path, name: str = "") -> Imported:
        """Read such a file; gates then call it ``baseline:NAME``."""
        from driftgate.api.baseline import import_baseline

        return import_baseline(self.ledger, path, name)

    def parity(
        self,
        request: Request,
        *,
        display: Display | None = None,
        begun: Callable[[RunRow, int], None] = lambda run, samples: None,
    ) -> ParityRun:
        """Show whether a port does what a flow does; see :func:`driftgate.api.parity.run_parity`."""
        from driftgate.api.parity import run_parity

        return run_parity(self.files, self.ledger, request, display or _progress(), begun)

    def attribute(
        self,
        first: str,
        second: str,
        *,
        metric: str = "",
        limit: int | None = None,
        seed: int = 0,
        advance: Callable[[int, int], None] = lambda done, asked: None,
    ) -> Attributed:
        """Split the difference of two cells over nodes; see :func:`driftgate.api.attribution.attribute_cells`."""
        from driftgate.api.attribution import attribute_cells

        return attribute_cells(
            self.files, self.ledger, first, second, metric=metric, limit=limit, seed=seed, advance=advance
        )

    def subset(
        self,
        dataset: str,
        *,
        runs: Sequence[str] = (),
        models: Sequence[str] = (),
        size: int = 300,
        name: str = "small",
        seed: int = 0,
        draws: int = 200,
        advance: Callable[[int], None] = lambda models: None,
    ) -> Chosen:
        """Choose samples whose score predicts the whole's; see :func:`driftgate.api.subset.choose_subset`."""
        from driftgate.api.subset import choose_subset

        return choose_subset(
            self.files,
            self.ledger,
            dataset,
            runs=runs,
            models=models,
            size=size,
            name=name,
            seed=seed,
            draws=draws,
            advance=advance,
        )

    def preflight(self) -> list[Finding]:
        """Look at the whole workspace, as ``driftgate doctor`` does; every model is asked one question."""
        from driftgate.api.preflight import look_at_all

        return list(look_at_all(self.files, self.ledger))

    def documents(self, retriever: str = "") -> Ingest:
        """What became of the files that a retriever searches: read, skipped and why, the same twice.

        Parameters
        ----------
        retriever : str
            Its name; may be left out where the workspace has one.

        Raises
        ------
        DriftgateError
            There is none of that name, it searches no folder, or nothing in it can be read.
        """
        from driftgate.api import bench
        from driftgate.flows.retrieval import read_ingest

        known = self.files.config.retrievers
        name = retriever or bench.only(known, "retriever")
        if name not in known:
            raise DriftgateError(f"there is no retriever '{name}'", nearest(name, known))
        self.files.hold()
        return read_ingest(name, known[name], self.files.folder)

    def deployments(self) -> list[Deployment]:
        """What is known of the deployments behind the models: what they take, whom they serve, when they end."""
        from driftgate.api.deployments import deployments

        return deployments(self.files, self.ledger)

    def export_model(self, name: str, quantised: Quantised = "q8", path: Path | None = None) -> ExportedModel:
        """Write a tuned model as one quantised GGUF and register it; see :func:`driftgate.api.exporting.export_model`.

        Raises
        ------
        DriftgateError
            The model is not one of provider ``local`` on a GGUF, or the file cannot be written.
        """
        from driftgate.api.exporting import export_model

        return export_model(self.files, self.ledger, name, quantised, path)

    def _run(self, row: RunRow) -> Run:
        return Run(self.files, self.ledger, row)


def _progress() -> Display:
    from driftgate.api.display import ProgressDisplay
    from driftgate.api.terminal import PlainConsole

    return ProgressDisplay(PlainConsole())
