"""What every step of a repair works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driftgate.api.attempts import attempt_of
from driftgate.api.privacy import assure_made, require_training
from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.progress import Display
from driftgate.finetune.assurance import is_outdated, read_records
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import Material, Remediation
from driftgate.finetune.synthesis import as_row, read_dataset, recorded_lineage
from driftgate.finetune.train import read_items, sha256_of
from driftgate.flows.errors import DriftgateError
from driftgate.flows.private_files import make_folder
from driftgate.ledger import Ledger


@dataclass(frozen=True)
class Context:
    """A workspace and the recipe of the repair at hand."""

    workspace: OpenWorkspace
    ledger: Ledger
    recipe: RecipeConfig
    display: Display

    def folder(self, remediation: Remediation) -> Path:
        """The remediation's own folder."""
        return make_folder(self.workspace.folder / ".driftgate" / "remediations" / remediation.id)

    def candidate(self, remediation: Remediation) -> str:
        """Name of the model that is being made."""
        return f"{self.recipe.champion}-{remediation.id}"


def recipe_of(workspace: OpenWorkspace, remediation: Remediation) -> RecipeConfig:
    """The recipe that a remediation follows, as its attempt has it.

    Raises
    ------
    DriftgateError
        Its evidence names none, or the workspace has none of that name any more.
    """
    if remediation.recipe not in workspace.config.recipes:
        raise DriftgateError(
            f"remediation {remediation.id} follows the recipe '{remediation.recipe}', which is not in the file",
            f"put it back, or end it: driftgate remediation abandon {remediation.id} --reason WHY",
        )
    recipe = workspace.config.recipes[remediation.recipe].attempt(attempt_of(remediation))
    return recipe.replacing() if REPLACES in remediation.evidence else recipe


REPLACES = "replaces"
"""Of the evidence of a remediation that replaces a champion whose deployment ends: which one, and on which day."""
_SIEVES = ("privacy", "firewall")
"""Filters that every item is to have passed."""


def clean_items(workspace: OpenWorkspace, ledger: Ledger, remediation: Remediation, material: Material) -> Path:
    """The file of the training items, seen to be the one that was made, and of clean lineage throughout.

    Raises
    ------
    DriftgateError
        It is gone or holds something else, or the ledger does not say of an item what it was made from and that it
        passed the filters for personal data and measured items; or their privacy was never measured by the recipe's
        limits, or did not pass.
    """
    file = workspace.folder / material.items
    items = f"the training items of remediation {remediation.id}"
    if not file.is_file():
        raise _unclean(remediation, f"{items} are not there any more: {material.items}")
    if sha256_of(file) != material.sha256:
        raise _unclean(remediation, f"{items} have changed since they were made: {material.items}")
    known = {str(row.get("content_hash")): row for row in recorded_lineage(ledger, material.lineage)}
    for item in read_items(file):
        row = known.get(item.id)
        if row is None:
            raise _unclean(remediation, f"it is not known what item '{item.id}' of {items} was made from")
        if lacking := [name for name in _SIEVES if name not in (row.get("filters") or {})]:
            raise _unclean(remediation, f"item '{item.id}' of {items} did not pass the filter {' and '.join(lacking)}")
    recipe = recipe_of(workspace, remediation)
    _measure_anew(workspace, ledger, recipe, remediation, file)
    require_training(ledger, recipe, file)
    return file


def _measure_anew(
    workspace: OpenWorkspace, ledger: Ledger, recipe: RecipeConfig, remediation: Remediation, file: Path
) -> None:
    """Measure the privacy of items again that another version of the check judged when they were made."""
    if recipe.privacy is None or not is_outdated(ledger, read_records(file), recipe.privacy):
        return
    made = read_dataset(workspace.folder / ".driftgate" / "remediations" / remediation.id / "synthesis").items
    if {one.content_hash for one in made} != {item.id for item in read_items(file)}:
        told = f"the training items of remediation {remediation.id} are not those of the set that was made for it"
        raise _unclean(remediation, told)
    assure_made(workspace.folder, ledger, recipe, list(map(as_row, made)), file)


def _unclean(remediation: Remediation, found: str) -> DriftgateError:
    return DriftgateError(
        found, f"driftgate remediation abandon {remediation.id} --reason WHY, and let another be made"
    )
