"""A run as a person handles it: its scores and samples as tables, its verdicts and its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftgate.api import _html
from driftgate.api._frames import stacked
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import (
    EXPIRED,
    CellRow,
    Ledger,
    RunKind,
    RunRow,
    SampleFilter,
    as_they_stand,
    cells_of,
    expired_at,
    find_samples,
    outcome_frame,
    sample_data,
    samples_frame,
    search_outputs,
)

if TYPE_CHECKING:
    import pandas as pd

    from driftgate.benchmarks.gate import GateVerdict
    from driftgate.benchmarks.report import ReportFiles
    from driftgate.benchmarks.scores import CellScores


@dataclass(frozen=True)
class Run:
    """A run of the ledger.

    Attributes
    ----------
    row : RunRow
        What the ledger says of it.
    """

    workspace: OpenWorkspace
    ledger: Ledger
    row: RunRow

    @property
    def id(self) -> str:
        """Its name; any part of it that no other run has will do in its place."""
        return self.row.id

    @property
    def kind(self) -> RunKind:
        """``benchmark``, ``canary``, ``proof``, ``parity``, ``attribution``, ``import``, ``baseline`` or ``trial``."""
        return self.row.kind

    @property
    def status(self) -> str:
        """``running``, ``stalled``, ``interrupted``, ``stopped``, ``refused`` or ``complete``; see :attr:`standing`."""
        return self.standing.status

    @property
    def standing(self) -> RunRow:
        """What the ledger says of it, and of one that gives nothing any more that it has ``stalled``."""
        return as_they_stand(self.ledger, [self.row])[0]

    @cached_property
    def expired(self) -> datetime | None:
        """When its prompts, replies and node outputs were removed; None where they were not."""
        return expired_at(self.ledger, self.id)

    @cached_property
    def cells(self) -> Sequence[CellRow]:
        """Its cells, in the suite's order."""
        return cells_of(self.ledger, self.id)

    @cached_property
    def scored(self) -> Sequence[CellScores]:
        """Every cell with its outcomes and scores."""
        from driftgate.benchmarks.scores import score_run

        return score_run(self.ledger, self.id, store=False)

    def scores(self, metric: str = "", *, slices: bool = False) -> pd.DataFrame:
        """Every score: ``model, flow, variant, dataset, metric, kind, slice, value, low, high, n, signature, doubt``.

        ``doubt`` is empty, or why the score must decide nothing: its judge moved, is unvalidated or was not measured.

        Parameters
        ----------
        metric : str
            Only this one.
        slices : bool
            Also the scores of categories and super-categories.
        """
        import pandas as pd

        rows = [
            {
                "model": scores.cell.model,
                "flow": scores.cell.flow,
                "variant": scores.cell.variant,
                "dataset": scores.cell.dataset,
                "metric": row.metric,
                "kind": row.slice_kind,
                "slice": row.slice,
                "value": row.value,
                "low": row.low,
                "high": row.high,
                "n": row.n,
                "signature": scores.cell.signature,
                "doubt": scores.doubt(row.metric),
            }
            for scores in self.scored
            for row in scores.rows
            if (not metric or row.metric == metric) and (slices or row.slice_kind == "all")
        ]
        return pd.DataFrame(rows)

    def evaluators(self) -> pd.DataFrame:
        """What became of every node evaluator, the worst of each cell first.

        Returns
        -------
        DataFrame
            A row an evaluator's metric, or an evaluator that gave none: ``model, flow, variant, dataset, node,
            evaluator, metric, value, low, high, n, errors, error, doubt, decides``.
        """
        import pandas as pd

        rows = []
        for scores in self.scored:
            cell = scores.cell
            named = {"model": cell.model, "flow": cell.flow, "variant": cell.variant, "dataset": cell.dataset}
            for one in scores.evaluated:
                nothing: dict[str, Any] = {"metric": "", "value": None, "low": None, "high": None, "n": 0}
                rows += [
                    {
                        **named,
                        "node": one.node,
                        "evaluator": one.evaluator,
                        **measured,
                        "errors": one.errors,
                        "error": one.error,
                        "doubt": one.doubt,
                        "decides": one.decides,
                    }
                    for measured in ([asdict(measured) for measured in one.metrics] or [nothing])
                ]
        return pd.DataFrame(rows)

    def samples(
        self,
        *,
        wrong: bool = False,
        failed: bool = False,
        category: str = "",
        model: str = "",
        text: str = "",
        outputs: bool = False,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """What became of its samples, one row a sample and cell, with what was asked and the key.

        Parameters
        ----------
        wrong : bool
            Only those that were answered, and not rightly.
        failed : bool
            Only those without an answer: failed, filtered, truncated, unparsed, missing.
        category : str
            Only those of this category or super-category.
        model : str
            Only those of this model's cells.
        text : str
            Only those that have it in the question, the key, the answer or the error.
        outputs : bool
            Or in what any node gave: prompts, replies and all between. All of them are looked at, which takes seconds
            where there are many.
        limit : int, optional
            At most so many.

        Raises
        ------
        DriftgateError
            The run has no such category or model, or no outputs that could be searched.
        """
        import pandas as pd

        cells = [cell for cell in self.cells if not model or cell.model == model]
        if not cells:
            raise DriftgateError(
                f"run {self.id} has no model '{model}'", nearest(model, {cell.model for cell in self.cells})
            )
        frames = []
        for cell in cells:
            frame = outcome_frame(self.ledger, cell.id)
            frame.insert(0, "cell", cell.name)
            frame.insert(0, "cell_id", cell.id)
            frames.append(frame)
        found = stacked(frames)
        everything = len(found)
        if category:
            known = set(found["category"]) | set(found["super_category"]) - {""}
            if category not in known:
                raise DriftgateError(f"run {self.id} has no category '{category}'", nearest(category, known))
            found = found[(found["category"] == category) | (found["super_category"] == category)]
        answered = found["outcome"] == "answered"
        if wrong or failed:
            kept = pd.Series(False, index=found.index)
            kept |= answered & ~(found["correct"] >= 1.0) if wrong else False
            kept |= ~answered if failed else False
            found = found[kept]
        if text:
            fitting = self._with_text(cells, text, outputs, everything)
            places = zip(found["cell_id"], found["sample_id"], strict=True)
            found = found[[(int(cell), int(one)) in fitting for cell, one in places]]
        found = found.head(limit) if limit is not None else found
        texts = sample_data(self.ledger, [int(i) for i in found["sample_id"]])
        asked = [texts.get(int(i), {}) for i in found["sample_id"]]
        columns = {
            column: pd.Series([one.get(field) for one in asked], index=found.index, dtype=object)
            for column, field in (("question", "question"), ("gold", "answer"))
        }
        if self.expired is not None:
            gone = (found["outcome"] == "answered") & found["answer"].isna()
            columns["answer"] = found["answer"].astype(object).mask(gone, EXPIRED)
        return found.assign(**columns)

    def _with_text(self, cells: Sequence[CellRow], text: str, outputs: bool, most: int) -> set[tuple[int, int]]:
        """Cell and sample wherever a text stands."""
        said = None
        if outputs:
            *_, last = search_outputs(self.ledger, cells, text)
            if not last.of:
                raise DriftgateError(f"of run {self.id} no output of a node is kept", "search without outputs")
            if not last.complete:
                raise DriftgateError(
                    f"outputs came in while run {self.id} was searched: {last.done:,} of {last.of:,} were looked at",
                    "search when it has ended",
                )
            said = last.found
        _, places = find_samples(self.ledger, cells, SampleFilter(text=text, said=said), limit=most)
        return {(place.cell_id, place.sample_id) for place in places}

    def sample(self, name: str, *, most: int = 5) -> Iterator[tuple[CellRow, dict[str, object]]]:
        """One sample in full, cell by cell: what was asked, and every node's output and evaluations.

        Parameters
        ----------
        name : str
            Its id, or a part of its key.
        """
        for cell in self.cells:
            frame = outcome_frame(self.ledger, cell.id)
            fits = frame[(frame["upstream_id"] == name) | frame["key"].str.contains(name, regex=False)]
            for entry in samples_frame(self.ledger, cell.id, [int(i) for i in fits["sample_id"].head(most)]):
                yield cell, entry

    def as_json(self) -> dict[str, Any]:
        """How it stands, its cells and their scores, as JSON-serialisable values."""
        row = self.row
        return {
            "run": row.id,
            "suite": row.suite,
            "kind": row.kind,
            "status": self.standing.status,
            "reason": self.standing.reason,
            "began": row.created_at.isoformat(),
            "finished": row.finished_at.isoformat() if row.finished_at else None,
            "expired": self.expired.isoformat() if self.expired else None,
            "driftgate": row.version,
            "cells": [
                {
                    "model": scores.cell.model,
                    "flow": scores.cell.flow,
                    "variant": scores.cell.variant,
                    "dataset": scores.cell.dataset,
                    "signature": scores.cell.signature,
                    "outcomes": dict(scores.outcomes),
                    **({"not_needed": scores.cell.not_needed, "stopped": scores.stopped} if scores.stopped else {}),
                    "scores": [asdict(score) for score in scores.rows],
                    "evaluators": [one.as_json() for one in scores.evaluated],
                    **({"judges": [asdict(one) for one in scores.judges.values()]} if scores.judges else {}),
                    "aggregations": [asdict(made) for made in scores.aggregations],
                }
                for scores in self.scored
            ],
        }

    def gate(self, name: str = "") -> Verdicts:
        """Judge it by one gate, or by every gate of its suite; the verdicts are kept.

        Raises
        ------
        DriftgateError
            It is not complete, or no gate judges its suite.
        """
        from driftgate.api import bench

        return Verdicts(bench.judge_stored(self.workspace, self.ledger, self.id, name)[1])

    def report(self) -> ReportFiles:
        """Score it anew and write its page and summary."""
        from driftgate.api import session
        from driftgate.benchmarks.scores import score_run

        return session.report(self.workspace, self.ledger, self.row, score_run(self.ledger, self.id))

    def _repr_html_(self) -> str:
        rows = []
        for scores in self.scored:
            accuracy = scores.get("accuracy")
            limits = (
                ""
                if accuracy is None or accuracy.low is None or accuracy.high is None
                else (f" ({accuracy.low:.3f}–{accuracy.high:.3f})")
            )
            value = "-" if accuracy is None or accuracy.value is None else f"{accuracy.value:.3f}{limits}"
            rows.append([scores.cell.name, value, scores.answered])
        gone = f" · texts expired on {self.expired:%Y-%m-%d}" if self.expired else ""
        title = f"{self.id} · {self.status}" + (f": {self.standing.reason}" if self.standing.reason else "") + gone
        return _html.table(["model · variant · dataset", "accuracy (95%)", "answered"], rows, title)


def name_of(run: Run | str) -> str:
    """What finds a run in the ledger: its id, or the name that somebody gave."""
    return run.id if isinstance(run, Run) else run


class Runs(tuple[Run, ...]):
    """Runs, the newest first."""

    def frame(self) -> pd.DataFrame:
        """``run, suite, kind, status, began, cells, reason``."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "run": run.id,
                    "suite": run.row.suite,
                    "kind": run.kind,
                    "status": run.status,
                    "began": run.row.created_at,
                    "cells": len(run.row.plan.get("cells", [])),
                    "reason": run.standing.reason,
                }
                for run in self
            ]
        )

    def _repr_html_(self) -> str:
        rows = [
            (run.id, run.row.suite, run.kind, run.status, f"{run.row.created_at:%Y-%m-%d %H:%M} UTC") for run in self
        ]
        return _html.table(["run", "suite", "kind", "status", "began"], rows)


class Verdicts(tuple["GateVerdict", ...]):
    """What gates said of a run."""

    @property
    def gravest(self) -> str:
        """The gravest of them: ``pass``, ``inconclusive``, ``unmeasurable`` or ``fail``."""
        return next(verdict.verdict for verdict in self if verdict.exit_code == self.exit_code)

    @property
    def may_be_previous(self) -> bool:
        """Whether later runs may be compared with this one: every check passed, or had nothing to compare with yet.

        A run that failed, or of which too little is known, is nothing to be as good as.
        """
        return all(rule.verdict == "pass" or rule.first_run for verdict in self for rule in verdict.rules)

    @property
    def exit_code(self) -> int:
        """The gravest verdict's: 0 pass, 1 fail, 3 inconclusive, 4 unmeasurable."""
        from driftgate.api import bench

        return bench.gravest([verdict.exit_code for verdict in self])

    def _repr_html_(self) -> str:
        rows = [
            (verdict.gate, rule.verdict, rule.cell, rule.rule, rule.told)
            for verdict in self
            for rule in verdict.worst_first
        ]
        title = ", ".join(f"{verdict.gate}: {verdict.verdict}" for verdict in self)
        return _html.table(["gate", "verdict", "cell", "rule", "why"], rows, title)
