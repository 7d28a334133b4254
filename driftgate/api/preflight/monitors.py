"""What a monitor names is there: signals, floors on their scale, a recipe of the same place, what reads telemetry."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from driftgate.api.preflight._check import Check
from driftgate.api.preflight._finding import Finding, of_problem
from driftgate.api.preflight._inspection import Inspection
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.extras import MissingExtra, installed
from driftgate.monitor.config import MonitorConfig, PromptDriftConfig, TrafficConfig
from driftgate.monitor.signals import SIGNALS

_READS = ("duckdb", "pyarrow")
"""What a look at telemetry imports, of the extra ``monitor``."""
_RELATIVE = ("continuous", "histogram")
"""Kinds of signals whose floors may be above 1."""


def look(inspection: Inspection) -> Iterator[Finding]:
    """Look at each monitor; its canaries are looked at as any suite is."""
    for name in inspection.scope.monitors:
        monitor = inspection.workspace.config.monitors[name]
        yield from _floors(inspection, name, monitor)
        yield from _recipe(inspection, name, monitor)
        if monitor.prompt_drift is not None:
            yield from _prompts(inspection, name, monitor.prompt_drift)
        if monitor.traffic is not None:
            yield from _traffic(inspection, name, monitor.traffic)
        if monitor.evaluate is not None and inspection.scope.whole:
            yield from _evaluate(inspection, name)


def _evaluate(inspection: Inspection, name: str) -> Iterator[Finding]:
    """What grades production's calls; looks at canaries do not wait for it."""
    subject, where = f"monitor {name}", inspection.where("monitors", name, "evaluate")
    made = inspection.graders[name]
    if isinstance(made, DriftgateError):
        yield of_problem(subject, made, where)
    if not all(map(installed, _READS)):
        problem = MissingExtra("monitor", "a look at telemetry")
        yield Finding("error", subject, problem.message, problem.remedy, where)


def _floors(inspection: Inspection, name: str, monitor: MonitorConfig) -> Iterator[Finding]:
    for signal, floor in monitor.floors.items():
        where, subject = inspection.where("monitors", name, "floors", signal), f"monitor {name}"
        if signal not in SIGNALS.names():
            yield Finding(
                "error",
                subject,
                f"it has a floor for '{signal}', which is no signal",
                nearest(signal, SIGNALS.names()),
                where,
            )
            continue
        one = SIGNALS.get(signal)
        if floor < 0 or (one.kind not in _RELATIVE and floor >= 1):
            meant = f"did you mean {floor / 100:g}?" if 1 <= floor <= 100 else "give a share between 0 and 1"
            found = f"the floor of {signal} is {floor:g}, and the signal is a share: no change is ever that large"
            if floor < 0:
                found, meant = f"the floor of {signal} is {floor:g}, below 0", "give the smallest effect worth a look"
            yield Finding("error", subject, found, meant, where)
        elif one.kind == "continuous" and floor > 10:
            found = f"the floor of {signal} is {floor:g}: a rise of {floor:.0%}"
            yield Finding("warning", subject, found, f"a share is meant; did you mean {floor / 100:g}?", where)
        if not _read(monitor, signal):
            found = f"it has a floor for {signal}, which it does not read"
            yield Finding("warning", subject, found, "add traffic, or take the floor out", where)


def _read(monitor: MonitorConfig, signal: str) -> bool:
    if SIGNALS.get(signal).of_canaries:
        return True
    traffic = monitor.traffic
    return traffic is not None and (traffic.signals is None or signal in traffic.signals)


def _recipe(inspection: Inspection, name: str, monitor: MonitorConfig) -> Iterator[Finding]:
    if monitor.recipe is None:
        return
    repaired = inspection.workspace.config.recipes[monitor.recipe].champion
    if repaired != monitor.champion:
        found = f"it watches the champion '{monitor.champion}', and its recipe '{monitor.recipe}' repairs '{repaired}'"
        where = inspection.where("monitors", name, "recipe")
        yield Finding("error", f"monitor {name}", found, "name a recipe of the place that it watches", where)


def _prompts(inspection: Inspection, name: str, prompts: PromptDriftConfig) -> Iterator[Finding]:
    from driftgate.monitor.perturbations import PERTURBATIONS
    from driftgate.monitor.prompt_signals import prompt_signals

    subject, place = f"monitor {name}", ("monitors", name, "prompt_drift")
    for index, form in enumerate(prompts.perturbations or ()):
        if form not in PERTURBATIONS.names():
            where = inspection.where(*place, "perturbations", index)
            found = f"its prompts are to be asked with '{form}', which is no perturbation"
            yield Finding("error", subject, found, nearest(form, PERTURBATIONS.names()), where)
    known = prompt_signals()
    for signal, floor in prompts.floors.items():
        where = inspection.where(*place, "floors", signal)
        if signal not in known:
            found = f"it has a floor for '{signal}', which is no signal of prompts"
            yield Finding("error", subject, found, nearest(signal, list(known)), where)
        elif not 0 <= floor < 1:
            found = f"the floor of {signal} is {floor:g}, and the signal is a share"
            yield Finding("error", subject, found, "give a share between 0 and 1", where)


def _traffic(inspection: Inspection, name: str, traffic: TrafficConfig) -> Iterator[Finding]:
    subject, place = f"monitor {name}", ("monitors", name, "traffic")
    for index, signal in enumerate(traffic.signals or ()):
        where = inspection.where(*place, "signals", index)
        known = [one for one in SIGNALS.names() if not SIGNALS.get(one).of_canaries]
        if signal not in SIGNALS.names():
            found = f"its traffic is to be read for '{signal}', which is no signal"
            yield Finding("error", subject, found, nearest(signal, known), where)
        elif signal not in known:
            found = f"its traffic is to be read for {signal}, which is read from canaries"
            yield Finding("error", subject, found, f"known: {', '.join(known)}", where)
    if traffic.signals == []:
        found = "its traffic is to be read for no signal"
        yield Finding("error", subject, found, "name some, or leave signals out for all", inspection.where(*place))
    if not all(map(installed, _READS)):
        problem = MissingExtra("monitor", "a look at telemetry")
        yield Finding("error", subject, problem.message, problem.remedy, inspection.where(*place))
    try:
        folder = inspection.workspace.telemetry
    except DriftgateError as problem:
        yield Finding("error", subject, problem.message, problem.remedy, inspection.where("service", "telemetry"))
    else:
        if not folder.exists():
            found = "its traffic has not been taken in yet, so what telemetry holds is not known"
            remedy = "driftgate serve takes it in; until then a look at traffic is unmeasurable"
            yield Finding("unchecked", subject, found, remedy, inspection.where(*place))
    yield from _request_model(inspection, name, traffic.request_model)


def _request_model(inspection: Inspection, name: str, wanted: str) -> Iterator[Finding]:
    """Calls are told apart by the name that production asks by, which is often the champion's at its service."""
    if not wanted:
        return
    configs = inspection.workspace.config.models
    known = {
        str(getattr(config, key))
        for config in configs.values()
        for key in ("model", "deployment")
        if hasattr(config, key)
    }
    if wanted in known:
        return
    where = inspection.where("monitors", name, "traffic", "request_model")
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.8)
    found = f"its traffic is of calls for '{wanted}', by which no model of the workspace goes at its service"
    if close:
        yield Finding("warning", f"monitor {name}", found, f"did you mean '{close[0]}'?", where)
    else:
        yield Finding("unchecked", f"monitor {name}", found, "see that production asks by this name", where)


CHECK = Check(look)
