"""What is wrong with a workspace file, in words: with its line, and the nearest valid name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from driftgate.api import _yaml
from driftgate.benchmarks.datasets import DATASETS
from driftgate.benchmarks.datasets.subset import SubsetConfig
from driftgate.benchmarks.suite import followed
from driftgate.flows.errors import DriftgateError, cut, nearest
from driftgate.flows.models import PROVIDERS
from driftgate.flows.retrieval import RETRIEVERS, USUAL_KIND

if TYPE_CHECKING:
    from driftgate.api.workspace import Workspace


_SIGNS: Mapping[str, str] = {
    r"^[A-Za-z0-9_.-]+$": "letters from a to z, digits, '_', '.' and '-'",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "letters from a to z, digits, '_', '.' and '-', the first a letter or digit",
}
"""What names may have, in words, by the pattern that says so."""


class Faults(DriftgateError):
    """Several things are wrong with a workspace file.

    Parameters
    ----------
    problems : sequence of DriftgateError
        Each of them.
    """

    def __init__(self, problems: Sequence[DriftgateError]) -> None:
        first, *others = problems
        lines = [f"{one.message}; {one.remedy}" if one.remedy else one.message for one in others]
        super().__init__(
            "\n".join([f"{first.message}; {first.remedy}", *(f"  {line}" for line in lines)]), "correct them"
        )
        self.problems = tuple(problems)


def refuse(problems: Sequence[DriftgateError], cause: Exception | None = None) -> None:
    """Raise what is wrong; one thing as it is, several as :class:`Faults`."""
    if problems:
        raise (problems[0] if len(problems) == 1 else Faults(problems)) from cause


def at(document: _yaml.Document, location: _yaml.Location, problem: DriftgateError) -> DriftgateError:
    """A problem with the line that it stands in."""
    return DriftgateError(f"{document.where(location)}: {problem.message}", problem.remedy)


def contradictions(document: _yaml.Document, config: Workspace) -> Iterator[DriftgateError]:
    """Every name that one part uses and no other defines, and what cannot stand together."""
    for location, kind, wanted, known in _names(config):
        if wanted not in known:
            yield DriftgateError(f"{document.where(location)}: there is no {kind} '{wanted}'", nearest(wanted, known))
    for name, suite in config.suites.items():
        if suite.prompt is not None and "flow" in document.value["suites"][name]:
            at = document.where(("suites", name, "flow"))
            yield DriftgateError(f"{at}: suite '{name}' has a prompt and a flow", "keep one of the two")
    watched = {monitor.champion for monitor in config.monitors.values()}
    for name, recipe in config.recipes.items():
        if recipe.rollout is not None and recipe.champion not in watched:
            yield DriftgateError(
                f"{document.where(('recipes', name, 'rollout'))}: no monitor watches the "
                f"champion '{recipe.champion}', so nothing could ever say that recipe '{name}' rolls out well",
                f"add a monitor with 'champion: {recipe.champion}', or leave the rollout out",
            )


def _names(config: Workspace) -> Iterator[tuple[_yaml.Location, str, str, Mapping[str, Any]]]:
    """Every name that one part uses: where it stands, of what kind it is, and where it is to be defined."""
    for name, dataset in config.datasets.items():
        if isinstance(dataset, SubsetConfig) and isinstance(dataset.of, str):
            yield ("datasets", name, "of"), "dataset", dataset.of, config.datasets
    for name, suite in config.suites.items():
        for index, wanted in enumerate(suite.models):
            if (slot := followed(wanted)) is not None:
                yield ("suites", name, "models", index), "champion", slot, config.champions
            else:
                yield ("suites", name, "models", index), "model", wanted, config.models
        for index, wanted in enumerate(suite.datasets):
            yield ("suites", name, "datasets", index), "dataset", wanted, config.datasets
        if suite.retriever is not None:
            yield ("suites", name, "retriever"), "retriever", suite.retriever, config.retrievers
    for name, gate in config.gates.items():
        if gate.suite is not None:
            yield ("gates", name, "suite"), "suite", gate.suite, config.suites
        if gate.recipe is not None:
            yield ("gates", name, "recipe"), "recipe", gate.recipe, config.recipes
        if gate.slot is not None:
            yield ("gates", name, "slot"), "champion", gate.slot, config.champions
    for name, model in config.champions.items():
        yield ("champions", name), "model", model, config.models
    for name, monitor in config.monitors.items():
        yield ("monitors", name, "champion"), "champion", monitor.champion, config.champions
        canaries = ("monitors", name, "canaries")
        if monitor.canaries.retriever is not None:
            yield (*canaries, "retriever"), "retriever", monitor.canaries.retriever, config.retrievers
        yield (*canaries, "dataset"), "dataset", monitor.canaries.dataset, config.datasets
        if monitor.recipe is not None:
            yield ("monitors", name, "recipe"), "recipe", monitor.recipe, config.recipes
        if monitor.prompt_drift is not None and monitor.prompt_drift.paraphraser is not None:
            place = ("monitors", name, "prompt_drift", "paraphraser")
            yield place, "model", monitor.prompt_drift.paraphraser, config.models
    for name, recipe in config.recipes.items():
        if recipe.retriever is not None:
            yield ("recipes", name, "retriever"), "retriever", recipe.retriever, config.retrievers
        yield ("recipes", name, "champion"), "champion", recipe.champion, config.champions
        yield ("recipes", name, "base_model"), "model", recipe.base_model, config.models
        yield ("recipes", name, "gate"), "gate", recipe.gate, config.gates
        for index, wanted in enumerate(recipe.proof):
            yield ("recipes", name, "proof", index), "dataset", wanted, config.datasets
        if recipe.replacement is not None and recipe.replacement.gate is not None:
            yield ("recipes", name, "replacement", "gate"), "gate", recipe.replacement.gate, config.gates
        if (choice := recipe.choice) is not None:
            for index, wanted in enumerate(choice.models):
                yield ("recipes", name, "choice", "models", index), "model", wanted, config.models
            for index, other in enumerate(choice.flows):
                if other.retriever is not None:
                    yield (
                        ("recipes", name, "choice", "flows", index, "retriever"),
                        "retriever",
                        other.retriever,
                        config.retrievers,
                    )
    for index, rule in enumerate(config.notifications.rules):
        for nth, wanted in enumerate(rule.monitors):
            yield ("notifications", "rules", index, "monitors", nth), "monitor", wanted, config.monitors
    night = config.nightly
    for part, kind, used, known in (
        ("suites", "suite", night.suites, config.suites),
        ("gates", "gate", night.gates, config.gates),
        ("monitors", "monitor", night.monitors, config.monitors),
    ):
        for index, wanted in enumerate(used):
            yield ("nightly", part, index), kind, wanted, known


def explained(document: _yaml.Document, problem: ValidationError, model: type[BaseModel]) -> list[DriftgateError]:
    """Pydantic's complaints of a file read as ``model``, in words, each with its line and the nearest valid name."""
    errors = problem.errors(include_url=False)
    # A misspelt key is also a missing one, and its own name says more.
    misspelt = {tuple(error["loc"])[:-1] for error in errors if error["type"] == "extra_forbidden"}
    told = [error for error in errors if error["type"] != "missing" or tuple(error["loc"])[:-1] not in misspelt]
    return [_in_words(document, error["type"], tuple(error["loc"]), _message(error), model) for error in told]


def _message(error: Mapping[str, Any]) -> str:
    pattern = error.get("ctx", {}).get("pattern", "")
    if error["type"] == "string_pattern_mismatch" and pattern in _SIGNS:
        return f"'{cut(str(error['input']))}' has other signs than {_SIGNS[pattern]}"
    return str(error["msg"])


def _in_words(
    document: _yaml.Document, kind: str, location: _yaml.Location, message: str, model: type[BaseModel]
) -> DriftgateError:
    where = document.where(location)
    path = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        close = nearest(str(location[-1]), _fields(location[:-1], document, model))
        return DriftgateError(f"{where}: unknown key '{location[-1]}'", close)
    if kind == "missing":
        return DriftgateError(f"{where}: '{path}' is missing", "add it; driftgate schema describes it")
    message = message.removeprefix("Value error, ")
    return DriftgateError(f"{where}: {path}: {message}", "driftgate schema describes every key")


def _fields(location: _yaml.Location, document: _yaml.Document, whole: type[BaseModel]) -> list[str]:
    """Names of the fields that are valid at a location of the file."""
    model: type[BaseModel] | None = whole
    value: Any = document.value
    for depth, part in enumerate(location):
        value = value[part] if isinstance(value, (dict, list)) else None  # type: ignore[index]
        if depth == 1 and location[0] == "models" and isinstance(value, dict):
            model = PROVIDERS.get(str(value.get("provider"))).config
        elif depth == 1 and location[0] == "datasets" and isinstance(value, dict):
            model = DATASETS.get(str(value.get("kind"))).config
        elif depth == 1 and location[0] == "retrievers" and isinstance(value, dict):
            model = RETRIEVERS.get(str(value.get("kind", USUAL_KIND))).config
        elif model is not None and part in model.model_fields:
            model = _inner_model(model.model_fields[str(part)].annotation)
    return list(model.model_fields) if model else []


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model inside an annotation such as ``dict[str, SuiteConfig]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _inner_model(inner)) is not None:
            return found
    return None
