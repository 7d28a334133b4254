"""Prices that the workspace does not state: where they stand, from when they are, and whose are not known."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection
from driftgate.api.preflight.environment import unset
from driftgate.api.prices import priced
from driftgate.flows.models import Prices


def look(inspection: Inspection) -> Iterator[Finding]:
    """Say it of each model that is used and whose prices are from a list; nobody is asked.

    It comes after the models were asked, when it is known which model a deployment serves.
    """
    if not inspection.scope.whole:
        return
    for name, config in inspection.models.items():
        if unset(inspection, "models", name):
            continue
        found = priced(inspection.workspace, inspection.ledger, name, config)
        if found.listed is not None:
            said = f"{_amounts(found.prices)}: {found.listed.words}"
            yield Finding("good", f"model {name}", said, "", inspection.where("models", name))


def _amounts(prices: Prices) -> str:
    cached = "" if prices.cached_input is None else f", {prices.cached_input:g} cached"
    told = [f"{prices.currency} {prices.input:g} a million input tokens{cached}, {prices.output:g} output"]
    told += [f"{tier.input:g} and {tier.output:g} above {tier.above:,} input tokens" for tier in prices.tiers]
    return "; ".join(told)


CHECK = Check(look)
