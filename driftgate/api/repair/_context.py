"""What every step of a repair works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.progress import Display
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.remediation import Material, Remediation
from driftgate.finetune.train import sha256_of
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
    """The recipe that a remediation follows.

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
    return workspace.config.recipes[remediation.recipe]


def items_file(workspace: OpenWorkspace, remediation: Remediation, material: Material) -> Path:
    """The file of the training items, seen to be the one that was made.

    Raises
    ------
    DriftgateError
        It is gone, or holds something else: what it was made from, and whether anybody is in it, is not known.
    """
    file = workspace.folder / material.items
    why = "is not there any more" if not file.is_file() else ""
    if not why and sha256_of(file) != material.sha256:
        why = "has changed since they were made"
    if why:
        raise DriftgateError(
            f"the file of the training items of remediation {remediation.id}, {material.items}, {why}",
            f"put it back as it was, or: driftgate remediation abandon {remediation.id} --reason WHY",
        )
    return file
