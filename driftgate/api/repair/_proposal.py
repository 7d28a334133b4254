"""What a person is asked to agree to: the verdict, the data, the candidate and the rollout, each by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from driftgate.api.champions import promotion_basis
from driftgate.api.repair._context import clean_items, recipe_of
from driftgate.api.repair._proof_data import require_same_proof
from driftgate.api.workspace import OpenWorkspace
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import (
    Found,
    Material,
    Remediation,
    Spent,
    Trained,
    events_of,
    spent,
)
from driftgate.finetune.train import TrainingItem, read_items, sha256_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.scrubbing import told
from driftgate.ledger import Ledger, PromotionRefused, trained_model, verdicts_of

_SHOWN, _LONGEST = 5, 400
"""Training items that are shown, and the characters of each."""


@dataclass(frozen=True)
class Basis:
    """What a promotion rests on, as hashes: it changes when anything of it does."""

    verdict: str
    """Of the proof, the gate's rules and what it said."""
    data: str
    """Of the file of training items."""
    candidate: str
    """Of the candidate's settings, its lineage and its file."""
    rollout: str
    """Of the plan by which it is given traffic."""

    @property
    def what(self) -> str:
        """All of it, as an approval is bound to it."""
        return ".".join(asdict(self).values())

    def changed_since(self, what: str) -> str:
        """What is not as it was agreed to, in words.

        Examples
        --------
        >>> Basis("v", "d2", "c", "r2").changed_since("v.d1.c.r1")
        'the data, the rollout'
        """
        before = dict(zip(asdict(self), what.split("."), strict=False))
        return ", ".join(f"the {name}" for name, value in asdict(self).items() if before.get(name) != value)


@dataclass(frozen=True)
class Score:
    """What a rule of the gate found."""

    rule: str
    verdict: str
    told: str
    """The figures, with their interval."""


@dataclass(frozen=True)
class Proposal:
    """A candidate that is proved, and what its promotion would do."""

    remediation: str
    slot: str
    champion: str
    candidate: str
    artefact: str
    run: str
    report: str
    """The page of the proof, relative to the workspace."""
    gate: str
    scores: Sequence[Score]
    items: int
    """Training items in all; 0 where a model was chosen that nobody had to train."""
    sample: Sequence[str]
    """The first of them, with secrets and personal data blanked."""
    dropped: Mapping[str, int]
    """Candidates for training items that each filter dropped."""
    spent: Spent
    rollout: str
    """What is done to traffic, in words."""
    what: str
    """Hash of all that; an approval is bound to it."""


def basis_of(
    workspace: OpenWorkspace, ledger: Ledger, recipe: RecipeConfig, remediation: Remediation, found: Found
) -> Basis:
    """What allows the candidate's promotion now.

    Raises
    ------
    PromotionRefused
        Nothing does: see :func:`driftgate.api.champions.promotion_basis`; or the datasets and the flow of the proof are
        not what they were when it was made; or the training items are not those that were made, or of no clean lineage.
    """
    require_same_proof(workspace, ledger, recipe, remediation, found)
    verdict = promotion_basis(workspace, ledger, recipe.champion, found.candidate, found.proof, [recipe.gate])
    plan = recipe.rollout or recipe.swap
    rollout = _hash(plan.model_dump(mode="json") if plan is not None else None)
    if found.chosen:  # nothing was trained: there is no data, and what is promoted is a model as the file has it
        config = workspace.config.models.get(found.chosen)
        settings = config.model_dump(mode="json") if config is not None else None
        return Basis(verdict, _hash(None), _hash([found.chosen, settings]), rollout)
    trained, material = found.get(Trained), found.get(Material)
    try:
        clean_items(workspace, ledger, remediation, material)
    except DriftgateError as problem:
        raise PromotionRefused(problem.message, problem.remedy) from problem
    return Basis(
        verdict,
        material.sha256,
        _hash([trained.model, trained.artefact, trained_model(ledger, trained.model), _file_hash(workspace, trained)]),
        rollout,
    )


def proposal_of(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation) -> Proposal:
    """What a remediation would have a person agree to now, with all that is to be looked at before.

    Raises
    ------
    PromotionRefused
        Nothing allows the promotion now.
    DriftgateError
        It has not come so far.
    """
    recipe = recipe_of(workspace, remediation)
    found = Found.of(remediation.id, events_of(ledger, remediation.id))
    basis = basis_of(workspace, ledger, recipe, remediation, found)
    run = found.proof
    material = None if found.chosen else found.get(Material)
    newest = next(row for row in verdicts_of(ledger, run) if row.gate == recipe.gate)
    return Proposal(
        remediation.id,
        remediation.slot,
        remediation.champion,
        found.candidate,
        "" if found.chosen else found.get(Trained).artefact,
        run,
        _report(workspace, run),
        recipe.gate,
        [_score(rule) for rule in newest.details.get("rules", ())],
        material.count if material else 0,
        _sample(workspace, ledger, remediation, material) if material else [],
        material.dropped if material else {},
        spent(ledger, remediation.id),
        _in_words(recipe),
        basis.what,
    )


def _sample(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, material: Material) -> Sequence[str]:
    items = read_items(clean_items(workspace, ledger, remediation, material))
    return [_shown(item) for item in islice(items, _SHOWN)]


def _score(rule: Mapping[str, Any]) -> Score:
    figures = "; ".join(filter(None, (str(rule.get("says") or ""), str(rule.get("reason") or ""))))
    return Score(f"{rule.get('cell', '')}: {rule.get('rule', '')}", str(rule.get("verdict", "")), figures)


def _report(workspace: OpenWorkspace, run: str) -> str:
    """The page of a run, relative to the workspace where it is inside; empty where there is none."""
    page = next(iter(sorted((workspace.reports / run).glob("*.html"))), None)
    if page is None:
        return ""
    return page.relative_to(workspace.folder).as_posix() if page.is_relative_to(workspace.folder) else str(page)


def _shown(item: TrainingItem) -> str:
    prompt = item.prompt if len(item.prompt) <= _LONGEST else f"{item.prompt[:_LONGEST]}…"
    return told(f"{prompt} → {item.target[:_LONGEST]}")


def _in_words(recipe: RecipeConfig) -> str:
    if recipe.swap is not None:
        where = f"deployment '{recipe.swap.deployment}' of account '{recipe.swap.account.account}'"
        return f"the model of {where} is exchanged for it, for all requests at once: such a deployment has no shares"
    if recipe.rollout is None:
        return "the champion moves at once; no traffic of an endpoint is moved"
    shares = ", ".join(f"{share} %" for share in recipe.rollout.shares)
    machines = f"{recipe.rollout.instance_count} × {recipe.rollout.instance_type}"
    return f"endpoint '{recipe.rollout.endpoint}' on {machines}, then {shares} of its traffic"


def _file_hash(workspace: OpenWorkspace, trained: Trained) -> str:
    """Of what was trained, where it is a file of the workspace; else its name stands for it."""
    file = workspace.folder / trained.artefact
    return sha256_of(file) if trained.artefact and file.is_file() else ""


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict).encode()).hexdigest()
