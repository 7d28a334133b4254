"""Anyone's evaluator that asks a judge: bound by name, and asked with the same pin, deadline, limit and cost as ours.

Whatever takes ``model_config`` or ``judge`` is told the judge by the name of a model of the workspace, or by a
configuration whose key is a reference to the environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import re
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from pydantic import ValidationError

from driftgate.flows.environment import LITERAL, REFERENCE
from driftgate.flows.errors import DriftgateError
from driftgate.flows.evaluators._asking import COST, Grading
from driftgate.flows.evaluators._azure import Ask, asked_by, azure_class, package_version
from driftgate.flows.evaluators._context import EvaluatorContext
from driftgate.flows.evaluators._criteria import read_scale
from driftgate.flows.evaluators._judge import Judge, find_judge
from driftgate.flows.evaluators._judged import JudgedEvaluator, Kind
from driftgate.flows.models import Message, Reply, parse_config

CONFIG = "model_config"
_JUDGE = "judge"
_KEYS = re.compile(r"(?i)(?:^|_)(?:api_key|apikey|key|secret|token|password|connection_string|credential)$")
_ENDPOINTS = ("azure_endpoint", "base_url", "endpoint")
_REMEDY = "write judge: NAME of a model of the workspace, or model_config with its address and model"
AZURE = "azure.ai.evaluation"
_OURS: Mapping[str, str] = {
    "CoherenceEvaluator": "coherence",
    "FluencyEvaluator": "fluency",
    "GroundednessEvaluator": "groundedness",
    "IntentResolutionEvaluator": "intent_resolution",
    "RelevanceEvaluator": "relevance",
    "ResponseCompletenessEvaluator": "response_completeness",
    "RetrievalEvaluator": "retrieval",
    "SimilarityEvaluator": "similarity",
}
"""The classes that a built-in evaluator asks with."""


def check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse settings in which a key stands itself.

    Raises
    ------
    DriftgateError
        One does; it is not said again.
    """
    inside = settings.get(CONFIG)
    named = [("", name, value) for name, value in settings.items() if name == "api_key"]
    named += [(f"{CONFIG}.", name, value) for name, value in inside.items()] if isinstance(inside, Mapping) else []
    for where, name, value in named:
        if isinstance(value, str) and _KEYS.search(str(name)) and not REFERENCE.fullmatch(value):
            raise DriftgateError(f"{where}{name} is written out in settings", LITERAL)


def built_in(target: str, settings: Mapping[str, Any]) -> str:
    """The built-in evaluator that asks with the class that is named, where its settings name a judge; else empty."""
    module, _, name = target.partition(":")
    return _OURS.get(name, "") if module.startswith(AZURE) and (CONFIG in settings or _JUDGE in settings) else ""


def of_our_own(settings: Mapping[str, Any], context: EvaluatorContext) -> dict[str, Any]:
    """Settings of a class of azure-ai-evaluation as the built-in evaluator has them."""
    name, known = _named(settings, context)
    given = {key: value for key, value in settings.items() if key not in (CONFIG, _JUDGE)}
    if "is_reasoning_model" in given:
        given["reasoning"] = given.pop("is_reasoning_model")
    return {**given, "judge": name, "context": known}


def asks_judge(target: Callable[..., Any], settings: Mapping[str, Any], context: EvaluatorContext) -> bool:
    """Whether something is made with a judge: it takes one, and its settings name one."""
    taken = _taken(target)
    if CONFIG in settings:
        return isinstance(settings[CONFIG], Mapping) or settings[CONFIG] in context.models
    return _JUDGE in settings and (CONFIG in taken or (_JUDGE in taken and settings[_JUDGE] in context.models))


def make_judged(
    name: str, target: Callable[..., Any], settings: Mapping[str, Any], context: EvaluatorContext, own: str
) -> JudgedEvaluator:
    """Someone else's evaluator with its judge.

    Parameters
    ----------
    name : str
        ``module:name``.
    own : str
        Hash of the workspace's own code that it runs; empty where it is installed.

    Raises
    ------
    DriftgateError
        The workspace has no such judge, or its configuration cannot be read.
    """
    who, known = _named(settings, context)
    judge = find_judge(who, known)
    taken = _taken(target)
    ours: dict[str, Any] = {
        "deadline": 60.0,
        "in_flight": judge.config.in_flight,
        "version": "",
        "scale": "1-5",
        "metric": "",
    }
    given = {key: value for key, value in settings.items() if key not in (CONFIG, _JUDGE)}
    for key in [key for key in ours if key in given and key not in taken]:
        ours[key] = given.pop(key)
    scale = read_scale(ours["scale"])
    key = str(ours["metric"]) or _snake(name.partition(":")[2])
    threshold = given.get("threshold")
    passing = float(threshold) if isinstance(threshold, (int, float)) else (scale.lowest + scale.highest) / 2
    parameter = CONFIG if CONFIG in taken else _JUDGE
    grades = _grades_itself(target, {*given, parameter})
    kind = Kind(key, grades or _inputs(target), (), scale.lowest, scale.highest)
    grader = NamedGrader(name, target, given, parameter, judge, key, own, bool(grades))
    deadline, most = float(ours["deadline"]), int(ours["in_flight"])
    return JudgedEvaluator(kind, judge, grader, passing, deadline, most, str(ours["version"]))


@dataclass(frozen=True)
class NamedGrader:
    """Asks with someone else's class or function, whose replies are its own to read."""

    name: str
    target: Callable[..., Any] = field(repr=False)
    settings: Mapping[str, Any]
    parameter: str
    """Under which it takes the judge."""
    judge: Judge
    key: str
    own: str = ""
    itself: bool = False
    """Whether it grades when it is called with its judge, and does not make what grades."""
    reads: bool = False
    language: str = "en"

    def identity(self) -> Mapping[str, Any]:
        version = package_version() if self.name.startswith(AZURE) else self.own
        told = hashlib.sha256(json.dumps(self.settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
        return {"evaluator": self.name, "version": version, "settings": told}

    @cached_property
    def _made(self) -> Callable[..., Any]:
        target = self.target
        if (getattr(target, "__module__", None) or "").startswith(AZURE):
            target = azure_class(target.__name__) or target
        settings = {**self.settings, self.parameter: self.judge.model_config()}
        made: Callable[..., Any] = partial(target, **settings) if self.itself else target(**settings)
        if not callable(made):
            raise DriftgateError(f"'{self.name}' made {type(made).__name__}, which cannot be called", "correct it")
        return made

    def open(self) -> None:
        assert self._made is not None

    async def grade(self, grading: Grading, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        made = self._made
        with asked_by(_on_this_loop(grading.ask)):
            if inspect.iscoroutinefunction(made) or inspect.iscoroutinefunction(getattr(made, "__call__", None)):  # noqa: B004
                result: Any = await made(**inputs)
            else:  # it waits for its judge as it likes, and nobody else is to wait with it
                result = await asyncio.to_thread(made, **inputs)
                result = await result if inspect.isawaitable(result) else result
        if not isinstance(result, Mapping):
            raise TypeError(f"'{self.name}' returned {type(result).__name__}, expected a dict")
        told = {str(name): value for name, value in result.items()}
        if self.key in told and "reason" not in told:
            told["reason"] = str(told.get(f"{self.key}_reason") or "")
        prices = self.judge.config.prices
        if not grading.calls and (prices.input or prices.output):
            told[COST] = None  # it asked by a client of its own, and nobody counted
        return told


def _on_this_loop(ask: Ask) -> Ask:
    """Let a judge be asked from threads with loops of their own, as composite evaluators have them."""
    home = asyncio.get_running_loop()

    async def asked(messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        if asyncio.get_running_loop() is home:
            return await ask(messages, parameters)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ask(messages, parameters), home))  # type: ignore[arg-type]

    return asked


def _named(settings: Mapping[str, Any], context: EvaluatorContext) -> tuple[str, EvaluatorContext]:
    """The name of the judge, in a context that knows it."""
    given = settings.get(CONFIG, settings.get(_JUDGE))
    if isinstance(given, str):
        return given, context
    if not isinstance(given, Mapping):
        raise DriftgateError(f"{CONFIG} is {type(given).__name__}", _REMEDY)
    config = _model(given)
    name = str(config.get("deployment") or config.get("model"))
    try:
        model = parse_config(config)
    except (DriftgateError, ValidationError) as problem:
        said = problem.message if isinstance(problem, DriftgateError) else problem.errors()[0]["msg"]
        raise DriftgateError(f"{CONFIG} is no judge: {said}", _REMEDY) from problem
    return name, replace(context, models=ChainMap({name: model}, context.models))  # type: ignore[arg-type]


def _model(given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration of azure-ai-evaluation as a model of a workspace."""
    endpoint = next((str(given[name]) for name in _ENDPOINTS if given.get(name)), "")
    key = {"api_key": str(given["api_key"])} if given.get("api_key") else {}
    if deployment := given.get("azure_deployment", given.get("deployment")):
        version = {"api_version": str(given["api_version"])} if given.get("api_version") else {}
        return {"provider": "azure_openai", "endpoint": endpoint, "deployment": str(deployment), **version, **key}
    if not endpoint or not given.get("model"):
        raise DriftgateError(f"{CONFIG} names no {'model' if endpoint else 'address'}", _REMEDY)
    return {"provider": "openai", "endpoint": endpoint, "model": str(given["model"]), **key}


def _taken(target: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _inputs(target: Callable[..., Any]) -> tuple[str, ...]:
    """What it has to be given, as far as its class says so."""
    made = getattr(target, "__call__", None) if inspect.isclass(target) else None  # noqa: B004
    try:
        parameters = list(inspect.signature(made).parameters.values())[1:] if made is not None else []
    except (TypeError, ValueError):
        return ()
    plain = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return tuple(p.name for p in plain if p.default is inspect.Parameter.empty)


def _grades_itself(target: Callable[..., Any], given: Collection[str]) -> tuple[str, ...]:
    """What a function that takes its judge beside a text has to be given; empty where it makes what grades."""
    if inspect.isclass(target):
        return ()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [p for p in inspect.signature(target).parameters.values() if p.kind in plain]
    return tuple(p.name for p in parameters if p.default is p.empty and p.name not in given)


def _snake(name: str) -> str:
    """The metric of a class.

    >>> _snake("TaskAdherenceEvaluator"), _snake("QAEvaluator"), _snake("tone")
    ('task_adherence', 'qa', 'tone')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.removesuffix("Evaluator")).lower()
