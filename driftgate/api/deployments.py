"""What is known of the deployments behind a workspace's models: kept where it is learnt, used where one is asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
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


def known_as(ledger: Ledger | None, name: str) -> Capabilities | None:
    """What was learnt of a model's deployment, by the model's name; None where that is nothing, or too long ago."""
    row = deployments_by_model(ledger).get(name) if ledger is not None else None
    if row is None or row.capabilities is None or datetime.now(UTC) - row.at >= KNOWN_FOR:
        return None
    return Capabilities.from_json(row.capabilities)


def keep(ledger: Ledger, model: Model, *, served: str = "", ends: date | None = None, anew: bool = False) -> None:
    """Keep what is known of a model's deployment by now, where that is anything new.

    Parameters
    ----------
    served : str
        The model that the service says it serves; empty leaves what was known.
    ends : datetime.date, optional
        The day on which it ends; by default what was known.
    anew : bool
        It was learnt from nothing, so that it is kept, with its date, also where it is what it was; a day that is not
        said any more is not known any more.
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
        ends or (before.ends if before and not anew else None),
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
    rows, now = deployments_by_model(ledger), datetime.now(UTC)
    stale: dict[str, ChatModel] = {}
    for name, config in configs.items():
        provider = PROVIDERS.get(config.provider)
        if provider.ends is None:
            continue
        with suppress(DriftgateError):  # an unset variable is said elsewhere
            model = provider.open(name, config, workspace.folder)
            if isinstance(model, ChatModel) and (_is_other(rows.get(name), model) or now - rows[name].at > _FRESH):
                stale[name] = model
    served = {name: "" if _is_other(rows.get(name), model) else rows[name].served for name, model in stale.items()}
    for name, day in wait_for(_ends_of(configs, served)).items():
        if day is not None or _is_other(rows.get(name), stale[name]):
            remember(ledger, stale[name])
            keep(ledger, stale[name], ends=day)
    return ending(workspace, ledger, configs)


def _is_other(row: DeploymentRow | None, model: ChatModel) -> bool:
    """Whether nothing was kept under the name of a model, or something of another deployment."""
    return row is None or row.target != target_of(model)


async def _ends_of(configs: Mapping[str, ModelConfig], served: Mapping[str, str]) -> dict[str, date | None]:
    days = await asyncio.gather(*(end_of(name, configs[name], of) for name, of in served.items()))
    return dict(zip(served, days, strict=True))


async def end_of(name: str, config: ModelConfig, served: str) -> date | None:
    """The day on which a model ends, where its service says it; None also where nobody can be asked."""
    ask = PROVIDERS.get(config.provider).ends
    try:
        return None if ask is None else await ask(name, config, served)
    except DriftgateError:  # an unset variable, or azure-identity is not installed: said elsewhere
        return None


def ending(workspace: OpenWorkspace, ledger: Ledger, names: Iterable[str]) -> dict[str, date]:
    """The days on which models end, as far as the ledger or the workspace file knows them; the earlier of the two."""
    rows, configs = deployments_by_model(ledger), workspace.config.models
    found = {}
    for name in names:
        told = rows[name].ends if name in rows else None
        stated = configs[name].retires if name in configs else None
        if days := [day for day in (told, stated) if day is not None]:
            found[name] = min(days)
    return found
