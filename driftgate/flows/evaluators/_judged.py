"""Evaluators of azure-ai-evaluation that ask a judge: pinned, with a deadline and bounded in number."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import distribution
from types import MappingProxyType
from typing import Any

from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._azure import PACKAGE, asked_by, azure_class, call, package_version, require
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.evaluators._judge import Judge, find_judge, pin_id
from driftgate.flows.evaluators._turns import as_messages, as_script, is_conversation
from driftgate.flows.line import Call, tokens
from driftgate.flows.models import (
    AdaptiveLimit,
    ChatModel,
    ContentFiltered,
    Message,
    ModelError,
    Redirected,
    Reply,
    RetryPolicy,
    resilient,
)

COST = "cost"
"""The metric that says what a grade cost."""


class NoGrade(Exception):
    """The judge gave no grade; it costs the sample this evaluation.

    Parameters
    ----------
    message : str
        Why.
    spent : Mapping
        Tokens and cost of a reply that held none; empty where there was no reply.
    refused : bool
        The judge's service refuses what it was asked, and would again.
    """

    def __init__(
        self, message: str, spent: Mapping[str, float | None] = MappingProxyType({}), *, refused: bool = False
    ) -> None:
        super().__init__(message)
        self.spent = spent
        self.refused = refused


@dataclass(frozen=True)
class JudgedKind:
    """What there is to know of one judged evaluator of azure-ai-evaluation."""

    key: str
    """The metric, as azure-ai-evaluation calls it."""
    class_name: str
    inputs: tuple[str, ...]
    """What it has to be given."""
    optional: tuple[str, ...] = ()
    turns: bool = False
    """It reads a query and a response as turns of a conversation, and warns where they are plain text."""
    lowest: float = 1.0
    highest: float = 5.0

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


@dataclass
class _Live:
    """A judge that is asked, with its token and what is known of it by now."""

    model: ChatModel
    asking: int = 0
    """Grades under way."""


@dataclass(frozen=True)
class JudgedEvaluator:
    """One evaluator with its judge; see :func:`judged`."""

    kind: JudgedKind
    judge: Judge
    threshold: float
    deadline: float
    reasoning: bool
    version: str
    slots: asyncio.Semaphore = field(repr=False)
    _judges: dict[str, _Live] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The live judge, by the parameters of each prompt that it is asked with."""

    @cached_property
    def pin(self) -> Mapping[str, Any]:
        """Everything that decides a grade beside the text: evaluator, its version and prompts, and the judge."""
        return {
            "evaluator": self.kind.class_name,
            "version": package_version(),
            "prompt": self.kind.prompt_hash(),
            "reasoning": self.reasoning,
            "judge": {**self.judge.identity(), "version": self.version},
        }

    @cached_property
    def pin_id(self) -> str:
        """Hash of the pin."""
        return pin_id(self.pin)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The numbers that a grade comes with."""
        prices = self.judge.config.prices
        return (
            self.kind.key,
            "passed",
            "input_tokens",
            "output_tokens",
            *((COST,) if prices.input or prices.output else ()),
        )

    @cached_property
    def _azure(self) -> Any:
        return azure_class(self.kind.class_name)(
            self.judge.model_config(), threshold=self.threshold, is_reasoning_model=self.reasoning
        )

    def open(self) -> None:
        """Construct the evaluator, which imports azure-ai-evaluation and reads the judge's key.

        Raises
        ------
        DriftgateError
            A variable of the environment is not set.
        """
        assert self._azure is not None

    async def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Grade one text.

        Returns
        -------
        dict
            The grade under the evaluator's own name, ``passed`` (it reaches the threshold), ``reason``, ``judge`` (the
            model that the service says it served), ``input_tokens``, ``output_tokens`` and, where the judge has
            prices, ``cost``; None where the service did not say how many tokens it took.

        Raises
        ------
        NoGrade
            The judge failed, gave no number in range, or did not answer by the deadline.
        ModelMisconfigured
            Its service redirects to another address.
        """
        calls: list[Call] = []

        async def ask(messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
            return await self._ask(messages, parameters, calls)

        async with self.slots:
            try:
                async with asyncio.timeout(self.deadline):
                    with asked_by(ask):
                        result = await call(self._azure, **_as_turns(inputs, self.kind.turns))
            except TimeoutError:
                raise NoGrade(f"the judge '{self.judge.name}' gave no grade within {self.deadline:g} s") from None
            except Exception as problem:  # azure-ai-evaluation raises its own classes, and what its parser raises
                if calls and isinstance(error := calls[-1].error, ModelError):
                    if isinstance(error, Redirected):
                        raise error from problem
                    refused = isinstance(error, ContentFiltered)
                    raise NoGrade(error.message, self._spent(calls), refused=refused) from problem
                raise NoGrade(_words(problem), self._spent(calls)) from problem
        return self._read(result, self._spent(calls))

    async def _ask(self, messages: Sequence[Message], parameters: Mapping[str, Any], calls: list[Call]) -> Reply:
        """Ask the judge once more, by what is known of it, and keep the call."""
        key = json.dumps(parameters, sort_keys=True, default=str)
        if key not in self._judges:
            learnt = next((live.model.capabilities for live in self._judges.values()), None)
            model = self.judge.open(parameters, learnt or self.judge.known(self.judge.name))
            self._judges[key] = _Live(model)
        live, config = self._judges[key], self.judge.config
        policy = RetryPolicy(timeout=config.timeout, attempts=config.attempts)
        live.asking += 1
        try:
            reply = await resilient(live.model, policy, AdaptiveLimit(1)).complete(messages)
        except ModelError as error:
            calls.append(Call(self.judge.name, None, error))
            raise
        finally:
            live.asking -= 1
            if not live.asking:
                await live.model.aclose()  # it opens its connections again when it is asked next
        calls.append(Call(self.judge.name, reply, None))
        return reply

    def _read(self, result: Mapping[str, Any], spent: Mapping[str, float | None]) -> dict[str, Any]:
        key = self.kind.key
        grade, reason = result.get(key), str(result.get(f"{key}_reason") or "")
        told = result.get(f"{key}_properties") or {}
        if not isinstance(grade, (int, float)) or math.isnan(grade):
            raise NoGrade(f"the judge gave no grade{': ' + reason if reason else ''}", spent)
        if not self.kind.lowest <= grade <= self.kind.highest:
            low, high = f"{self.kind.lowest:g}", f"{self.kind.highest:g}"
            raise NoGrade(f"the judge gave {grade:g}, expected {low} to {high}", spent)
        return {
            key: float(grade),
            "passed": float(grade >= self.threshold),
            "reason": reason,
            "judge": str(told.get("model") or ""),
            **spent,
        }

    def _spent(self, calls: Sequence[Call]) -> dict[str, float | None]:
        """Tokens and, where the judge has prices that are not 0, cost; nothing where nothing came."""
        if not any(call.usage is not None for call in calls):
            return {}
        usage, prices = tokens(calls), self.judge.config.prices
        counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
        spent = {name: None if tokens is None else float(tokens) for name, tokens in counts.items()}
        return spent | ({COST: prices.cost(usage)} if prices.input or prices.output else {})


def judged(kind: JudgedKind) -> Callable[..., JudgedEvaluator]:
    """Make the factory of a judged evaluator."""

    def make(
        judge: str | None = None,
        threshold: float = 3.0,
        deadline: float = 60.0,
        in_flight: int = 4,
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
            Seconds one grade may take with all that azure-ai-evaluation tries again; alone it goes on for minutes.
        in_flight : int
            Grades under way at once, at most.
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
        if in_flight < 1 or deadline <= 0:
            raise ValueError(f"in_flight is {in_flight} and deadline {deadline}, expected both to be positive")
        found = find_judge(judge, context or EvaluatorContext())
        return JudgedEvaluator(kind, found, threshold, deadline, reasoning, version, asyncio.Semaphore(in_flight))

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


def _words(problem: BaseException) -> str:
    inner = problem
    while inner.__cause__ is not None:
        inner = inner.__cause__
    return f"{type(inner).__name__}: {' '.join(str(inner).split())}"[:300]
