"""What the night is told to do will be done: each gate has its suite, each recipe has somebody who begins it."""

from __future__ import annotations

from collections.abc import Iterator

from driftgate.api.champions import unmeasured
from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding
from driftgate.api.preflight._inspection import Inspection


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look for names that are known and would still do nothing."""
    if inspection.scope.nightly:
        yield from _night(inspection)
        yield from _champions(inspection)
    if inspection.scope.whole:
        yield from _recipes(inspection)


def _night(inspection: Inspection) -> Iterator[Finding]:
    config = inspection.workspace.config
    night = config.nightly
    for index, name in enumerate(night.gates):
        suite = config.gates[name].suite
        if suite in night.suites:
            continue
        judges = f"judges the suite '{suite}', which the night does not run" if suite else "judges no suite"
        yield Finding(
            "error",
            "nightly",
            f"the gate '{name}' {judges}: it would never be applied",
            f"add '{suite}' to nightly.suites, or take the gate out" if suite else "give the gate a suite",
            inspection.where("nightly", "gates", index),
        )
    for part in ("suites", "gates", "monitors"):
        names: list[str] = getattr(night, part)
        for index, name in enumerate(names):
            if name in names[:index]:
                where = inspection.where("nightly", part, index)
                yield Finding("warning", "nightly", f"'{name}' stands twice under {part}", "keep one", where)


def _champions(inspection: Inspection) -> Iterator[Finding]:
    """Who is live is measured by somebody: after a promotion, a suite that names its models asks the one before."""
    for slot, model in unmeasured(inspection.workspace, inspection.ledger).items():
        found = (
            f"{model} is live, no suite of the night asks it and no monitor watches it: nobody would see it get worse"
        )
        remedy = f"add champion:{slot} to the models of a suite under nightly.suites, or a monitor of '{slot}'"
        yield Finding("warning", f"champion {slot}", found, remedy, inspection.where("champions", slot))


def _recipes(inspection: Inspection) -> Iterator[Finding]:
    config = inspection.workspace.config
    begun = {monitor.recipe for monitor in config.monitors.values()} | {gate.recipe for gate in config.gates.values()}
    for name, recipe in config.recipes.items():
        if name not in begun:
            found = "no monitor and no gate names it: nothing ever begins it"
            remedy = f"set recipe: {name} in a monitor of '{recipe.champion}'"
            yield Finding("warning", f"recipe {name}", found, remedy, inspection.where("recipes", name))
    for name, gate in config.gates.items():
        if gate.recipe is None:
            continue
        slot, where = config.recipes[gate.recipe].champion, inspection.where("gates", name, "recipe")
        if gate.slot not in (None, slot):
            found = f"it judges for the champion '{gate.slot}', and its recipe '{gate.recipe}' repairs '{slot}'"
            yield Finding("error", f"gate {name}", found, f"set slot: {slot}, or name another recipe", where)
        elif gate.suite is None or inspection.live(slot) not in inspection.suite(gate.suite).models:
            found = f"its recipe '{gate.recipe}' is begun where the champion {inspection.live(slot)} fails, which "
            found += "no suite of it asks" if gate.suite is None else f"the suite '{gate.suite}' does not ask"
            yield Finding("warning", f"gate {name}", found, f"add champion:{slot} to the suite's models", where)


CHECK = Check(look)
