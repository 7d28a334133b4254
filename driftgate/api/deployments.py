"""What is known of the deployments behind a workspace's models: kept where it is learnt, used where one is asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from driftgate.api._waiting import wait_for
from driftgate.api.workspace import OpenWorkspace, open_workspace
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import PROVIDERS, Capabilities, ChatModel, Model, ModelConfig
from driftgate.ledger import DeploymentRow, Ledger, add_deployment, deployment_of, deployments_by_model, open_ledger

KNOWN_FOR = timedelta(days=30)
"""How long what was learnt is used without being learnt anew; a deployment changes behind its name."""
_FRESH = timedelta(hours=20)
"""How long nobody asks again on which day a deployment ends."""


@dataclass(frozen=True)
class Deployment:
    """A model of the workspace and what is known of its deployment."""

    model: str
    config: ModelConfig
    known: Capabilities | None
    """None where nobody asked it."""
    served: str
    """The model that the service says it serves; empty where that is not known."""
    ends: date | None
    """The day on which it ends; None where that is not known."""
    at: datetime | None
    """When it was learnt."""


def deployments(workspace: OpenWorkspace, ledger: Ledger) -> list[Deployment]:
    """Every model of the workspace that is asked over HTTP, with what is known of its deployment."""
    rows = deployments_by_model(ledger)
    found = []
    for name, config in workspace.config.models.items():
        if PROVIDERS.get(config.provider).ends is None:
            continue
        row = rows.get(name)
        known = None if row is None or row.capabilities is None else Capabilities.from_json(row.capabilities)
        found.append(
            Deployment(
                name,
                config,
                known,
                row.served if row else "",
                row.ends if row else None,
                row.at if row else None,
            )
        )
    return found


def known_in(folder: Path) -> list[Deployment]:
    """As :func:`deployments`, of the workspace in a folder; none where its file or its ledger cannot be read."""
    try:
        workspace = open_workspace(folder)
        ledger = open_ledger(workspace.ledger, workspace.folder, workspace.archive)
    except DriftgateError:
        return []
    try:
        return deployments(workspace, ledger)
    finally:
        ledger.close()


def target_of(model: ChatModel) -> str:
    """Hash of who is asked, by which what is known of it is found again."""
    return hashlib.sha256(json.dumps(dict(model.target), sort_keys=True).encode()).hexdigest()


def remember(ledger: Ledger, model: Model) -> None:
    """Let a model begin with what was learnt of its deployment, unless that is too long ago."""
    if isinstance(model, ChatModel):
        row = deployment_of(ledger, target_of(model))
        if row is not None and row.capabilities is not None and datetime.now(UTC) - row.at < KNOWN_FOR:
            model.remember(Capabilities.from_json(row.capabilities))


def keep(ledger: Ledger, model: Model, *, served: str = "", ends: date | None = None, anew: bool = False) -> None:
    """Keep what is known of a model's deployment by now, where that is anything new.

    Parameters
    ----------
    served : str
        The model that the service says it serves; empty leaves what was known.
    ends : datetime.date, optional
        The day on which it ends; by default what was known.
    anew : bool
        It was learnt from nothing, so that it is kept, with its date, also where it is what it was.
    """
    if not isinstance(model, ChatModel):
        return
    target, known, now = target_of(model), model.capabilities, datetime.now(UTC)
    before, mine = deployment_of(ledger, target), deployment_of(ledger, target, model.name)
    asked = anew or bool(known.taken or known.refused)
    row = DeploymentRow(
        target,
        model.name,
        known.as_json() if asked else (before.capabilities if before else None),
        served or (before.served if before else ""),
        ends or (before.ends if before else None),
        now,
    )
    old = mine is None or now - mine.at >= KNOWN_FOR
    if anew or (mine is None or _said(mine) != _said(row)) or (old and asked):
        add_deployment(ledger, row)


def _said(row: DeploymentRow) -> tuple[object, ...]:
    return row.capabilities and dict(row.capabilities), row.served, row.ends


def ask_for_ends(workspace: OpenWorkspace, ledger: Ledger, configs: Mapping[str, ModelConfig]) -> dict[str, date]:
    """The days on which models end, as far as they are known; services are asked for their lists where it is time.

    No model is asked anything, and whatever goes wrong only leaves a day unknown.
    """
    rows = deployments_by_model(ledger)
    stale = {
        name: config
        for name, config in configs.items()
        if PROVIDERS.get(config.provider).ends is not None
        and (name not in rows or datetime.now(UTC) - rows[name].at > _FRESH)
    }
    for name, day in wait_for(_ends_of(stale, {name: row.served for name, row in rows.items()})):
        try:
            model = PROVIDERS.get(stale[name].provider).open(name, stale[name], workspace.folder)
        except DriftgateError:
            continue
        remember(ledger, model)
        keep(ledger, model, ends=day)
    known = deployments_by_model(ledger)
    return {name: end for name in configs if name in known and (end := known[name].ends) is not None}


async def _ends_of(configs: Mapping[str, ModelConfig], served: Mapping[str, str]) -> list[tuple[str, date]]:
    days = await asyncio.gather(*(end_of(name, config, served.get(name, "")) for name, config in configs.items()))
    return [(name, day) for name, day in zip(configs, days, strict=True) if day is not None]


async def end_of(name: str, config: ModelConfig, served: str) -> date | None:
    """The day on which a model ends, where its service says it; None also where nobody can be asked."""
    ask = PROVIDERS.get(config.provider).ends
    try:
        return None if ask is None else await ask(name, config, served)
    except DriftgateError:  # an unset variable, or azure-identity is not installed: said elsewhere
        return None


def ending(ledger: Ledger, names: Iterable[str]) -> dict[str, date]:
    """The days on which models end, as far as the ledger knows them."""
    rows = deployments_by_model(ledger)
    return {name: day for name in names if name in rows and (day := rows[name].ends) is not None}
