"""Prices of models for which the workspace states none: taken from a list when a plan is made, and kept by its run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from driftgate.api.deployments import KNOWN_FOR, target_of
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.suite import LISTED
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS, ChatModel, ModelConfig, PriceList, Prices, listed_prices
from driftgate.ledger import Ledger, RunRow, deployments_by_model

Pricing = Callable[[str, ModelConfig], ModelConfig]
"""Gives a model of that name its prices."""


@dataclass(frozen=True)
class PricedModels(Mapping[str, ModelConfig]):
    """Models that get their prices when they are first looked at."""

    plain: Mapping[str, ModelConfig]
    pricing: Pricing

    def __getitem__(self, name: str) -> ModelConfig:
        return self.pricing(name, self.plain[name])

    def __contains__(self, name: object) -> bool:
        return name in self.plain  # nobody looks at a price for it

    def __iter__(self) -> Iterator[str]:
        return iter(self.plain)

    def __len__(self) -> int:
        return len(self.plain)


def pricing_of(workspace: OpenWorkspace, ledger: Ledger | None, delivery: str = "direct") -> Pricing:
    """Prices by the list as it is now; each model is looked up once."""
    found: dict[str, ModelConfig] = {}

    def pricing(name: str, config: ModelConfig) -> ModelConfig:
        if name not in found:
            found[name] = priced(workspace, ledger, name, config, delivery)
        return found[name]

    return pricing


def priced(
    workspace: OpenWorkspace, ledger: Ledger | None, name: str, config: ModelConfig, delivery: str = "direct"
) -> ModelConfig:
    """A model with the prices of the list, where the workspace states none and the list knows whom it asks."""
    provider = PROVIDERS.get(config.provider)
    if config.states_prices or config.listed is not None or provider.priced_as is None:
        return config
    try:
        address, model = provider.priced_as(config, _served(workspace, ledger, name, config))
    except DriftgateError:  # an unset variable or an address that is none, which is said elsewhere
        return config
    found = listed_prices(address, model, config.parameters, delivery=delivery)
    return config if found is None else config.with_listed(*found)


def _served(workspace: OpenWorkspace, ledger: Ledger | None, name: str, config: ModelConfig) -> str:
    """The model that a deployment was found to serve, of this deployment and not too long ago; else empty."""
    row = deployments_by_model(ledger).get(name) if ledger is not None else None
    if row is None or not row.served or datetime.now(UTC) - row.at >= KNOWN_FOR:
        return ""
    model = PROVIDERS.get(config.provider).open(name, config, workspace.folder)
    return row.served if isinstance(model, ChatModel) and target_of(model) == row.target else ""


def kept_prices(run: RunRow, role: str) -> Pricing:
    """The prices with which a run began, of those it asks or of its judges; what the workspace states goes before."""
    kept = (run.plan.get(LISTED) or {}).get(role) or {}

    def pricing(name: str, config: ModelConfig) -> ModelConfig:
        if config.states_prices or (name not in kept and config.listed is None):
            return config
        if name not in kept:
            return config.with_listed(Prices(), None)
        return config.with_listed(
            Prices.model_validate(kept[name]["prices"]), PriceList.model_validate(kept[name]["from"])
        )

    return pricing


def with_prices(cells: Sequence[Cell], asked: Pricing, judging: Pricing) -> list[Cell]:
    """Cells whose models and judges have other prices; a cell in which none has is left as it is."""
    found = []
    for cell in cells:
        config = asked(cell.model, cell.model_config)
        judges = [judged.judge for judged in cell.evaluators.judged.values()]
        same = config == cell.model_config and all(judging(one.name, one.config) == one.config for one in judges)
        context = replace(cell.context, models=PricedModels(cell.context.models, judging))
        found.append(cell if same else replace(cell, model_config=config, context=context))
    return found
