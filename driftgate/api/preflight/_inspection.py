"""What the checks of one preflight share: the parts that are used, each loaded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.champions import live, with_live
from driftgate.api.made_suites import canary_suite, choice_ways, proof_suite, tuned_ways
from driftgate.api.preflight._scope import Scope
from driftgate.api.preflight._trial import Trial, try_cell
from driftgate.api.session import Planned
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.datasets import Dataset, load_dataset
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.finetune.config import RecipeConfig
from driftgate.flows.errors import DriftgateError
from driftgate.flows.extras import naming_extras
from driftgate.flows.models import ModelConfig
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.api._yaml import Location
    from driftgate.flows.evaluators import Evaluators

Made = TypeVar("Made")


@dataclass(frozen=True)
class Asking:
    """Samples that are going to be asked: a suite's, a monitor's canaries, the proof of a recipe."""

    subject: str
    """As findings call it: ``suite nightly``."""
    location: Location
    """Where it stands in the workspace file."""
    name: str
    suite: SuiteConfig
    gates: tuple[str, ...] = ()
    """The gates that judge it."""
    champion: str | None = None
    """Of a proof: whom the rules of its gate mean by champion. Its other model stands for a candidate whose name nobody
    knows yet."""

    @property
    def named(self) -> Sequence[str]:
        """The models by whose names a rule may speak of them."""
        return self.suite.models if self.champion is None else [self.champion]


class _Once(Generic[Made]):
    """Makes things once each; what could not be made is not tried again."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}
        self._problems: dict[str, DriftgateError] = {}

    def get(self, key: str, make: Callable[[], Made]) -> Made:
        if key in self._problems:
            raise self._problems[key]
        if key not in self._made:
            try:
                self._made[key] = make()
            except DriftgateError as problem:
                self._problems[key] = problem
                raise
        return self._made[key]


@dataclass
class Inspection:
    """A workspace under examination."""

    workspace: OpenWorkspace
    ledger: Ledger | None
    """None where it cannot be opened."""
    scope: Scope
    given: tuple[Asking, ...] = ()
    """What is asked beside the parts that the scope names."""
    cache: bool | None = None
    """As ``bench --cache`` has it."""
    _datasets: _Once[Dataset] = field(default_factory=_Once, init=False)
    _plans: _Once[Planned] = field(default_factory=_Once, init=False)
    _trials: dict[str, list[Trial]] = field(default_factory=dict, init=False)

    def where(self, *location: str | int) -> str:
        """File and line of a part of the workspace file; empty where it stands in none."""
        if not location:
            return ""
        return self.workspace.document.where(location)

    def live(self, slot: str) -> str:
        """The model that is live in a slot, or would be; the ledger is only read."""
        return live(self.workspace, self.ledger, slot)

    def gates_of(self, suite: str) -> tuple[str, ...]:
        """The gates within the scope that judge a suite."""
        judging = session.gates_of(self.workspace, suite)
        return tuple(name for name in judging if self.scope.gates is None or name in self.scope.gates)

    @cached_property
    def askings(self) -> list[Asking]:
        """Everything within the scope that is going to be asked."""
        config, scope = self.workspace.config, self.scope
        found = [
            Asking(f"suite {name}", ("suites", name), name, self.suite(name), self.gates_of(name))
            for name in scope.suites
        ]
        for name in scope.monitors:
            suite = canary_suite(config.monitors[name].canaries, self.live(config.monitors[name].champion))
            found.append(Asking(f"monitor {name}", ("monitors", name, "canaries"), f"canary-{name}", suite))
        for name in scope.recipes:
            recipe = config.recipes[name]
            live = self.live(recipe.champion)
            # The candidate does not exist yet; the model that it is made from stands for it.
            suite = proof_suite(recipe, list(dict.fromkeys([live, recipe.base_model])))
            found.append(Asking(f"recipe {name}", ("recipes", name), f"proof-{name}", suite, _gates(recipe), live))
            for way in [*choice_ways(recipe, live)[1:], *tuned_ways(recipe, recipe.base_model)]:
                subject = f"recipe {name}, choice '{way.name}'"
                found.append(Asking(subject, ("recipes", name, "choice"), f"choice-{name}", way.suite))
        return [*found, *self.given]

    def suite(self, name: str) -> SuiteConfig:
        """A suite of the workspace, as it is going to be asked."""
        suite = with_live(self.workspace, self.ledger, self.workspace.suite(name))
        return suite if self.cache is None else suite.model_copy(update={"cache": self.cache})

    def dataset(self, name: str) -> Dataset:
        """A dataset of the workspace.

        Raises
        ------
        DriftgateError
            It cannot be read.
        """
        config = self.workspace.config.datasets[name]
        return self._datasets.get(name, lambda: load_dataset(name, config, self.workspace.folder))

    def planned(self, asking: Asking) -> Planned:
        """What is going to be asked, ready to run.

        Raises
        ------
        DriftgateError
            A part is missing or malformed.
        """

        def plan() -> Planned:
            planned = session.plan_suite(self.workspace, self.ledger, asking.name, asking.suite, load=self.dataset)
            for cell in planned.cells:
                assert cell.evaluators  # made here, so that a problem of theirs is the plan's
            return planned

        return self._plans.get(asking.subject, plan)

    def take(self, asking: Asking, planned: Planned) -> None:
        """Take what was planned already."""
        self._plans.get(asking.subject, lambda: planned)

    def cells(self, asking: Asking) -> list[Cell]:
        """The cells of what is going to be asked; none where it cannot be planned."""
        try:
            return list(self.planned(asking).cells)
        except DriftgateError:
            return []

    def trials(self, asking: Asking) -> list[Trial]:
        """One sample taken through each flow that is asked, without asking anybody; see :func:`try_cell`."""
        if asking.subject not in self._trials:
            cells = {(c.dataset.name, c.variant, c.model_config.scoring): c for c in reversed(self.cells(asking))}
            names = asking.suite.models
            self._trials[asking.subject] = [
                wait_for(try_cell(cell, asking.suite, names)) for cell in reversed(cells.values())
            ]
        return self._trials[asking.subject]

    @cached_property
    def graders(self) -> Mapping[str, Evaluators | DriftgateError]:
        """What grades the calls of production, by monitor, or why nothing can."""
        found: dict[str, Evaluators | DriftgateError] = {}
        for name in self.scope.monitors if self.scope.whole else ():
            if (evaluate := self.workspace.config.monitors[name].evaluate) is not None:
                try:
                    with naming_extras(f"monitors.{name}.evaluate"):
                        from driftgate.api.evaluating import bound
                    found[name] = bound(self.workspace, self.ledger, name, evaluate)
                except DriftgateError as problem:
                    found[name] = problem
        return found

    @cached_property
    def models(self) -> Mapping[str, ModelConfig]:
        """The models that are used, by name: those that are asked, and judges and writers of training items."""
        config = self.workspace.config
        names = dict.fromkeys(config.models if self.scope.whole else ())
        for asking in self.askings:
            names |= dict.fromkeys(asking.suite.models)
            for cell in self.cells(asking):
                names |= dict.fromkeys(judged.judge.name for judged in cell.evaluators.judged.values())
        for made in self.graders.values():
            if not isinstance(made, DriftgateError):
                names |= dict.fromkeys(judged.judge.name for judged in made.judged.values())
        for name in self.scope.recipes:
            synthesis = config.recipes[name].synthesis
            names |= dict.fromkeys(filter(None, (synthesis.model, synthesis.judge)))
        found: dict[str, ModelConfig] = {}
        for name in names:
            try:
                found[name] = session.model_config(self.workspace, self.ledger, name)
            except DriftgateError:  # whoever names it says so
                continue
        return found

    @cached_property
    def retrievers(self) -> list[str]:
        """Names of the retrievers that are used."""
        config = self.workspace.config
        names = dict.fromkeys(config.retrievers if self.scope.whole else ())
        named = (asking.suite.retriever for asking in self.askings)
        return [*(names | dict.fromkeys(name for name in named if name in config.retrievers))]

    @cached_property
    def datasets(self) -> list[str]:
        """Names of the datasets that are used."""
        names = dict.fromkeys(self.workspace.config.datasets if self.scope.whole else ())
        for asking in self.askings:
            names |= dict.fromkeys(asking.suite.datasets)
        return list(names)

    @cached_property
    def judged(self) -> list[tuple[str, Asking]]:
        """Every gate within the scope with each of the things that it judges."""
        return [(gate, asking) for asking in self.askings for gate in asking.gates]

    def narrowed(self, scope: Scope) -> Inspection:
        """An inspection of another part of the same workspace, which shares what was loaded."""
        other = replace(self, scope=scope, given=())
        other._datasets = self._datasets
        return other


def _gates(recipe: RecipeConfig) -> tuple[str, ...]:
    """The gates that judge a recipe's proof, each once."""
    replacing = [recipe.replacing().gate] if recipe.replacement is not None else []
    return tuple(dict.fromkeys([recipe.gate, *replacing]))


def texts_of(value: Any, location: Location) -> list[tuple[str, Location]]:
    """Every text within a value of the workspace file, and where it stands."""
    if isinstance(value, str):
        return [(value, location)]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in parts for found in texts_of(part, (*location, key))]
