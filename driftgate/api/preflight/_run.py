"""Run the checks: over a whole workspace, or over what a command is about to use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from driftgate.api._faults import Faults
from driftgate.api.preflight._check import checks
from driftgate.api.preflight._finding import Finding, of_problem, refuse
from driftgate.api.preflight._inspection import Asking, Inspection
from driftgate.api.preflight._scope import PROBED_FROM, Scope, recipes_of
from driftgate.api.session import Planned, priced_anew
from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.benchmarks.cell import Cell
from driftgate.benchmarks.suite import SuiteConfig
from driftgate.flows.errors import DriftgateError
from driftgate.ledger import Ledger, open_ledger


def examine(folder: Path) -> Iterator[Finding]:
    """Look at the whole workspace in a folder, each finding as it is made; every model is asked once."""
    try:
        workspace = open_workspace(folder)
    except Faults as faults:
        yield from (of_problem("workspace file", problem) for problem in faults.problems)
        return
    except DriftgateError as problem:
        yield of_problem("workspace file", problem)
        return
    config = workspace.config
    found = f"{len(config.models)} models, {len(config.datasets)} datasets, {len(config.suites)} suites"
    yield Finding("good", "workspace file", found)
    ledger = None
    try:
        ledger = open_ledger(workspace.ledger, workspace.folder)
    except DriftgateError as problem:
        yield of_problem("ledger", problem, workspace.document.where(("ledger",)))
    try:
        yield from look_at_all(workspace, ledger)
    finally:
        if ledger is not None:
            ledger.close()


def look_at_all(workspace: OpenWorkspace, ledger: Ledger | None) -> Iterator[Finding]:
    """Look at everything in an open workspace; see :func:`examine`."""
    yield from _look(Inspection(workspace, ledger, Scope.everything(workspace.config)))


@dataclass(frozen=True)
class Prepared:
    """A suite that may be run."""

    planned: Planned
    doubts: tuple[Finding, ...]
    """Warnings, and what is not to be known beforehand; they keep nobody from running it."""


def prepare(workspace: OpenWorkspace, ledger: Ledger, suite: str, *, cache: bool | None = None) -> Prepared:
    """Plan a suite that is about to be run.

    A run of many samples also asks each of its models once; see :data:`PROBED_FROM`.

    Raises
    ------
    DriftgateError
        Something is to be mended first; no sample was asked then.
    """
    scope = Scope(suites=(suite,), reaches=True)
    workspace.suite(suite)
    inspection = Inspection(workspace, ledger, scope, cache=cache)
    found = list(_look(inspection))
    refuse(found)
    planned = inspection.planned(inspection.askings[0])
    if sum(len(cell.samples) * cell.repeats for cell in planned.cells) >= PROBED_FROM:
        from driftgate.api.preflight.endpoints import CHECK as ENDPOINTS

        inspection.scope = replace(scope, probes=True)
        refuse(asked := list(ENDPOINTS.look(inspection)))
        found += asked
        planned = priced_anew(workspace, ledger, planned)  # whom a deployment serves may be known by now
    return Prepared(planned, tuple(finding for finding in found if finding.severity in ("warning", "unchecked")))


def prepare_look(workspace: OpenWorkspace, ledger: Ledger, monitor: str) -> None:
    """See that a monitor can look. That its model is out of reach is a finding of the look itself, which keeps it.

    Raises
    ------
    DriftgateError
        Something is to be mended first.
    """
    refuse(_errors(Inspection(workspace, ledger, Scope(monitors=(monitor,)))))


def prepare_repair(workspace: OpenWorkspace, ledger: Ledger, recipe: str) -> None:
    """See that a recipe can be followed to its end.

    Raises
    ------
    DriftgateError
        Something is to be mended first.
    """
    refuse(_errors(Inspection(workspace, ledger, Scope(recipes=(recipe,)))))


def prepare_service(workspace: OpenWorkspace, ledger: Ledger) -> None:
    """See that everything the service will do unattended can be done.

    Raises
    ------
    DriftgateError
        Something is to be mended first.
    """
    refuse(_errors(Inspection(workspace, ledger, Scope.of_schedule(workspace.config))))


def prepare_night(workspace: OpenWorkspace, ledger: Ledger) -> dict[str, DriftgateError]:
    """What is to be mended before the parts of a night can be done, by part; the others can.

    Parts are ``nightly`` itself, ``suite NAME``, ``monitor NAME``, ``recipe NAME`` and ``Azure Monitor``.
    """
    config = workspace.config
    night = config.nightly
    gates, monitors = tuple(night.gates), tuple(night.monitors)
    parts = {
        "nightly": Scope(nightly=True),
        **{f"suite {name}": Scope(suites=(name,), gates=gates) for name in night.suites},
        **{f"monitor {name}": Scope(monitors=(name,)) for name in monitors},
        **{f"recipe {name}": Scope(recipes=(name,)) for name in recipes_of(config, monitors, gates)},
        "Azure Monitor": Scope(sends=True),
    }
    whole = Inspection(workspace, ledger, Scope())
    found: dict[str, DriftgateError] = {}
    for part, scope in parts.items():
        try:
            refuse(_errors(whole.narrowed(scope)))
        except DriftgateError as problem:
            found[part] = problem
    return found


def prepare_parity(workspace: OpenWorkspace, ledger: Ledger, suite: SuiteConfig, cells: list[Cell]) -> None:
    """See that a flow and its port can be run: each is taken through on one sample.

    Raises
    ------
    DriftgateError
        Something is to be mended first.
    """
    asking = Asking("parity", (), "parity", suite)
    inspection = Inspection(workspace, ledger, Scope(reaches=True), (asking,))
    inspection.take(asking, Planned("parity", suite, cells))
    refuse(_errors(inspection))


def _look(inspection: Inspection) -> Iterator[Finding]:
    for check in checks():
        yield from check.look(inspection)


def _errors(inspection: Inspection) -> list[Finding]:
    return [finding for finding in _look(inspection) if finding.severity == "error"]
