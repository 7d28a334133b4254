"""Evaluators of azure-ai-evaluation that ask a judge."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import distribution
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._asking import Grading
from driftgate.flows.evaluators._azure import PACKAGE, asked_by, azure_class, call, package_version, require
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.evaluators._judge import Judge, find_judge
from driftgate.flows.evaluators._judged import JudgedEvaluator, Kind
from driftgate.flows.evaluators._turns import as_messages, as_script, is_conversation


@dataclass(frozen=True)
class JudgedKind(Kind):
    """What there is to know of one judged evaluator of azure-ai-evaluation."""

    class_name: str = ""
    turns: bool = False
    """It reads a query and a response as turns of a conversation, and warns where they are plain text."""

    def prompt_hash(self) -> str:
        """Hash of the prompts that come with the package, read without importing it: 12 hexadecimal digits."""
        package = distribution(PACKAGE)
        folder = f"azure/ai/evaluation/_evaluators/_{self.key}/"
        files = sorted(
            (f for f in package.files or [] if str(f).startswith(folder) and f.suffix == ".prompty"), key=str
        )
        if not files:
            raise DriftgateError(f"{PACKAGE} {package.version} has no prompt for {self.key}", "install 1.18")
        digest = hashlib.sha256(b"".join(file.locate().read_bytes() for file in files))  # type: ignore[attr-defined]
        return digest.hexdigest()[:12]


@dataclass(frozen=True)
class AzureGrader:
    """Asks with the package's class and prompt."""

    kind: JudgedKind
    judge: Judge
    threshold: float
    reasoning: bool
    reads: bool = True
    language: str = "en"

    def identity(self) -> Mapping[str, Any]:
        return {
            "evaluator": self.kind.class_name,
            "version": package_version(),
            "prompt": self.kind.prompt_hash(),
            "reasoning": self.reasoning,
        }

    @cached_property
    def _azure(self) -> Any:
        return azure_class(self.kind.class_name)(
            self.judge.model_config(), threshold=self.threshold, is_reasoning_model=self.reasoning
        )

    def open(self) -> None:
        assert self._azure is not None

    async def grade(self, grading: Grading, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        key = self.kind.key
        with asked_by(grading.ask):
            result = await call(self._azure, **_as_turns(inputs, self.kind.turns))
        return {key: result.get(key), "reason": str(result.get(f"{key}_reason") or "")}


def judged(kind: JudgedKind) -> Callable[..., JudgedEvaluator]:
    """Make the factory of a judged evaluator."""

    def make(
        judge: str | None = None,
        threshold: float = 3.0,
        deadline: float = 60.0,
        in_flight: int | None = None,
        reasoning: bool = False,
        version: str = "",
        context: EvaluatorContext | None = None,
    ) -> JudgedEvaluator:
        """Make the evaluator.

        Parameters
        ----------
        judge : str
            The model of the workspace that grades, of provider ``openai`` or ``azure_openai``.
        threshold : float
            The grade from which a text passes.
        deadline : float
            Seconds one grade may take with all its attempts, once it is its turn.
        in_flight : int
            Grades under way at once at the judge, at most; by default the judge's own ``in_flight``. All evaluators
            that ask the same deployment share one limit: the smallest that any of them sets.
        reasoning : bool
            Ask as azure-ai-evaluation asks a reasoning model. What a judge's service refuses is found out without it.
        version : str
            The judge's version as you know it. Change it when you accept a judge that moved: the anchors then get a new
            reference.
        context : EvaluatorContext
            The workspace; not a setting.

        Raises
        ------
        MissingExtra
            azure-ai-evaluation is not installed.
        DriftgateError
            The workspace has no such judge.
        """
        require(kind.key)
        found = find_judge(judge, context or EvaluatorContext())
        grader = AzureGrader(kind, found, threshold, reasoning)
        most = found.config.in_flight if in_flight is None else in_flight
        return JudgedEvaluator(kind, found, grader, threshold, deadline, most, version)

    return make


def _as_turns(inputs: Mapping[str, Any], turns: bool) -> dict[str, Any]:
    """Inputs as the prompt takes them: a conversation as turns where it reads turns, else written as a text of them."""
    roles = {"query": "user", "response": "assistant"}

    def given(name: str, value: Any) -> Any:
        if is_conversation(value):
            return as_messages(value) if turns and name in roles else as_script(value)
        if turns and name in roles and isinstance(value, str):
            return as_messages([{"role": roles[name], "content": value}])
        return value

    return {name: given(name, value) for name, value in inputs.items()}
