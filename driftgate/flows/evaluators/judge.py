"""How well does a text meet criteria in plain words? Graded by a judge, on a scale and in a language of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.evaluators._criteria import CriteriaGrader, language_of, read_examples, read_scale
from driftgate.flows.evaluators._judge import find_judge
from driftgate.flows.evaluators._judged import JudgedEvaluator, Kind

_TAKEN = frozenset({"passed", "reason", "judge", "input_tokens", "output_tokens", "cost", "read", "reasked"})


def make(
    criteria: str = "",
    judge: str | None = None,
    scale: str | Sequence[float] = "1-5",
    examples: str | Sequence[Mapping[str, Any]] = (),
    language: str | None = None,
    threshold: float | None = None,
    metric: str = "grade",
    deadline: float = 60.0,
    in_flight: int | None = None,
    version: str = "",
    context: EvaluatorContext | None = None,
) -> JudgedEvaluator:
    """Make the evaluator, which takes ``response`` and, where the criteria speak of them, ``query``, ``context`` and
    ``ground_truth``.

    Parameters
    ----------
    criteria : str
        What a good text is like, in plain words.
    judge : str
        The model of the workspace that grades, of provider ``openai`` or ``azure_openai``.
    scale : str or pair of numbers
        Lowest and highest grade: ``1-5``, ``0-10``.
    examples : list or str
        Texts that people have graded, shown to the judge: mappings with ``response``, ``grade`` and, where known,
        ``query``, ``context``, ``ground_truth`` and ``reason``; or a JSONL file of the workspace with such lines.
    language : {"ko", "en"}, optional
        That of the prompt and of the reasons; by default that of the criteria.
    threshold : float, optional
        The grade from which a text passes; by default the middle of the scale.
    metric : str
        The name of the grade, under which anchors know it too.
    deadline : float
        Seconds one grade may take with all its attempts, once it is its turn.
    in_flight : int, optional
        Grades under way at once at the judge, at most; see the page on evaluators.
    version : str
        The judge's version as you know it; another one gives the anchors a new reference.
    context : EvaluatorContext
        The workspace; not a setting.

    Raises
    ------
    DriftgateError
        There are no criteria, the workspace has no such judge, or scale or examples cannot be read.
    """
    context = context or EvaluatorContext()
    if not criteria.strip():
        raise DriftgateError("an evaluator that needs a judge needs criteria too", 'write settings: {criteria: "..."}')
    if metric in _TAKEN or not metric or "." in metric:
        raise DriftgateError(f"metric is '{metric}', which names something else", "take a name of your own")
    found = find_judge(judge, context)
    range_ = read_scale(scale)
    spoken = language_of(criteria) if language is None else language
    if spoken not in ("ko", "en"):
        raise DriftgateError(f"language is '{spoken}', expected ko or en", "prompts are written in these two")
    shown = read_examples(examples, range_, metric, context.folder)
    grader = CriteriaGrader(criteria.strip(), range_, spoken, metric, shown)
    optional = ("query", "context", "ground_truth")
    kind = Kind(metric, ("response",), optional, range_.lowest, range_.highest)
    passing = (range_.lowest + range_.highest) / 2 if threshold is None else threshold
    most = found.config.in_flight if in_flight is None else in_flight
    return JudgedEvaluator(kind, found, grader, passing, deadline, most, version)
