"""Who is live in each slot, and the one door through which a candidate takes its place."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.gate import GateConfig
from driftgate.benchmarks.suite import SuiteConfig, followed
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.ledger import (
    Ledger,
    VerdictRow,
    champion_of,
    evidence_for,
    find_run,
    install_champion,
    promote,
    verdicts_of,
)


def champion(workspace: OpenWorkspace, ledger: Ledger, slot: str) -> str:
    """The model that is live in a slot; the workspace's own at first.

    Raises
    ------
    DriftgateError
        The workspace names no such slot.
    """
    if slot not in workspace.config.champions:
        raise DriftgateError(f"the workspace has no champion '{slot}'", nearest(slot, workspace.config.champions))
    install_champion(ledger, slot, workspace.config.champions[slot], getpass.getuser())
    found = champion_of(ledger, slot)
    assert found is not None
    return found


def live(workspace: OpenWorkspace, ledger: Ledger | None, slot: str) -> str:
    """The model that is live in a slot of the workspace, or would be; the ledger is only read."""
    return (champion_of(ledger, slot) if ledger is not None else None) or workspace.config.champions[slot]


def with_live(workspace: OpenWorkspace, ledger: Ledger | None, suite: SuiteConfig) -> SuiteConfig:
    """A suite with the live model's name in the place of each ``champion:SLOT``; each model is asked once."""
    names = (live(workspace, ledger, slot) if (slot := followed(name)) else name for name in suite.models)
    return suite.model_copy(update={"models": list(dict.fromkeys(names))})


def unmeasured(workspace: OpenWorkspace, ledger: Ledger | None) -> dict[str, str]:
    """Who is live, by slot, and is asked by no suite of the night and watched by no monitor."""
    config = workspace.config
    watched = {monitor.champion for monitor in config.monitors.values()}
    asked = {
        model
        for name in config.nightly.suites
        if name in config.suites
        for model in with_live(workspace, ledger, config.suites[name]).models
    }
    lives = {slot: live(workspace, ledger, slot) for slot in config.champions if slot not in watched}
    return {slot: model for slot, model in lives.items() if model not in asked}


def champion_meant(workspace: OpenWorkspace, ledger: Ledger, gate: GateConfig) -> str | None:
    """The model that a gate's rules mean by champion: of its slot, or of the workspace's only one."""
    slots = [gate.slot] if gate.slot is not None else list(workspace.config.champions)
    return champion(workspace, ledger, slots[0]) if len(slots) == 1 else None


def promotion_basis(workspace: OpenWorkspace, ledger: Ledger, slot: str, model: str, run: str, gates: list[str]) -> str:
    """Hash of all that allows a model to take a slot: runs, rules and the verdicts themselves.

    Whoever agrees to a promotion agrees to this; it changes when the run goes on, or is judged anew and otherwise.

    Raises
    ------
    PromotionRefused
        Nothing allows it: see :func:`promote_model`.
    """
    champion(workspace, ledger, slot)
    evidence = evidence_for(ledger, slot, model, run_id=run, gates=_rules(workspace, gates))
    judged: dict[str, VerdictRow] = {}
    for row in verdicts_of(ledger, run):
        judged.setdefault(row.gate, row)
    verdicts = {gate: [judged[gate].verdict, dict(judged[gate].details)] for gate in gates}
    content = json.dumps([slot, model, evidence, verdicts], sort_keys=True, ensure_ascii=False, default=dict)
    return hashlib.sha256(content.encode()).hexdigest()


def _rules(workspace: OpenWorkspace, gates: list[str]) -> dict[str, str]:
    return {name: workspace.config.gates[name].content_hash() for name in gates}


def promote_model(
    workspace: OpenWorkspace,
    ledger: Ledger,
    slot: str,
    model: str,
    run: str,
    gates: list[str],
    reason: str,
    traffic: Mapping[str, Any] | None = None,
) -> bool:
    """Make a model the champion of a slot, on the strength of the gates' verdicts on a run.

    Parameters
    ----------
    gates : list of str
        Every one of them must have passed the run as it is now, by its rules as they are now.
    traffic : mapping, optional
        What a rollout did for it, as :func:`driftgate.finetune.deploy.read_move` reads it.

    Returns
    -------
    bool
        Whether the pointer moved; False where the model is champion already.

    Raises
    ------
    PromotionRefused
        A verdict is missing, is not ``pass``, or does not rest on these runs and rules.
    """
    champion(workspace, ledger, slot)
    rules, who = _rules(workspace, gates), getpass.getuser()
    return promote(ledger, slot, model, run_id=run, gates=rules, reason=reason, who=who, traffic=traffic)


def gates_for(workspace: OpenWorkspace, ledger: Ledger, slot: str, run_id: str) -> list[str]:
    """The gates that must pass a run before a model of it may take a slot.

    Those that judge the run's suite; for a run of no suite of the workspace, such as a remediation's proof, those
    that judged it. A gate of another slot has no say.
    """
    run = find_run(ledger, run_id)
    gates = workspace.config.gates
    names = [name for name, gate in gates.items() if gate.suite == run.suite]
    if not names:
        names = sorted({row.gate for row in verdicts_of(ledger, run.id)} & gates.keys())
    return [name for name in names if gates[name].slot in (None, slot)]
