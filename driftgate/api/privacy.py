"""The privacy of training items: measured, kept in the ledger, and asked for before a training; sealed hold-outs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from driftgate.api.workspace import OpenWorkspace
from driftgate.benchmarks.datasets import Sample, load_dataset
from driftgate.finetune.assurance import (
    Assurance,
    Figure,
    PrivacyLimits,
    assure,
    foreseen,
    read_records,
    read_texts,
    record_assurance,
    require_assured,
)
from driftgate.finetune.config import RecipeConfig
from driftgate.finetune.firewall import Item
from driftgate.finetune.holdouts import Seal, seal, sealed_samples
from driftgate.finetune.privacy import StandIns
from driftgate.finetune.synthesis import SynthesisConfig, as_it_is, read_materials
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.flows.text import on_disk
from driftgate.ledger import Ledger

_KEY = "stand_ins.key"


def limits_of(workspace: OpenWorkspace, recipe: str) -> PrivacyLimits:
    """The privacy limits of a recipe; the defaults without a name.

    Raises
    ------
    DriftgateError
        There is no such recipe, or it has no limits.
    """
    if not recipe:
        return PrivacyLimits()
    recipes = workspace.config.recipes
    if recipe not in recipes:
        raise DriftgateError(f"the workspace has no recipe '{recipe}'", nearest(recipe, recipes))
    limits = recipes[recipe].privacy
    if limits is None:
        raise DriftgateError(f"the recipe '{recipe}' has no privacy limits", "add a section privacy to it")
    return limits


def check_items(
    ledger: Ledger,
    items: Path,
    limits: PrivacyLimits,
    *,
    sources: Path | None,
    held_out: Path | None,
    canaries: Path | None,
    seed: int = 0,
) -> Assurance:
    """Measure a file of training items, and keep what came of it.

    Raises
    ------
    DriftgateError
        A file is absent or malformed.
    """
    found = assure(
        read_records(items),
        read_texts(sources) if sources else [],
        read_texts(held_out) if held_out else [],
        limits,
        canaries=_lines(canaries),
        seed=seed,
    )
    record_assurance(ledger, found)
    return found


def assure_made(
    folder: Path, ledger: Ledger, recipe: RecipeConfig, items: Sequence[Item], trained: Path
) -> Assurance | None:
    """Measure what a recipe's synthesis made, for :func:`require_training`; None where the recipe has no limits.

    Parameters
    ----------
    items : sequence
        What was made, a passage that is shown with an item apart.
    trained : Path
        The file that will be trained on, to which the items were rendered.

    Raises
    ------
    DriftgateError
        A source or the held-out records cannot be read.
    """
    limits = recipe.privacy
    if limits is None:
        return None
    held_out, canaries = held_out_of(folder, limits), canaries_of(folder, limits)
    found = assure(
        items,
        sources_of(folder, recipe),
        held_out,
        limits,
        canaries=canaries,
        stand_ins=stand_ins_of(folder, recipe.synthesis),
        trained=read_records(trained),
        seed=recipe.seed,
    )
    record_assurance(ledger, found)
    return found


def stand_ins_of(folder: Path, config: SynthesisConfig) -> StandIns | None:
    """The made-up values that a synthesis wants in the place of personal data, those of its material made already.

    They come from a key of the workspace, private to its owner, which is made when it is first wanted.
    """
    if config.personal_data != "stand_ins":
        return None
    path = make_folder(folder / ".driftgate") / _KEY
    if not path.exists():
        replace_file(path, secrets.token_bytes(32))
    found = StandIns(path.read_bytes())
    for source in config.sources:
        read_materials(source, folder, found.replace)
    return found


def require_training(ledger: Ledger, recipe: RecipeConfig, trained: Path) -> None:
    """See that a file may be trained on.

    Raises
    ------
    DriftgateError
        The recipe has limits, and these items were never measured by them or did not pass.
    """
    if recipe.privacy is not None:
        require_assured(ledger, read_records(trained), recipe.privacy)


def sources_of(folder: Path, recipe: RecipeConfig) -> list[str]:
    """What a recipe's items are made from as it is on the disk: nothing is taken out, and nothing of it is kept."""
    return [
        "\n".join((material.text, *material.choices, *(part for turn in material.turns for part in turn)))
        for source in recipe.synthesis.sources
        for material in read_materials(source, folder, as_it_is)
    ]


def held_out_of(folder: Path, limits: PrivacyLimits) -> list[str]:
    """The held-out records that limits name; none where they name none.

    Raises
    ------
    DriftgateError
        They cannot be read, or hold nothing.
    """
    return read_texts(on_disk(folder / limits.held_out)) if limits.held_out else []


def canaries_of(folder: Path, limits: PrivacyLimits) -> Sequence[str]:
    """The planted strings that limits name; none where they name none.

    Raises
    ------
    DriftgateError
        The file cannot be read, or holds nothing.
    """
    return _lines(on_disk(folder / limits.canary_file) if limits.canary_file else None)


def unmeasurable_before(folder: Path, recipe: RecipeConfig) -> list[Figure]:
    """The figures of a recipe's limits that no item could make measurable, so that nothing made could be trained on.

    Raises
    ------
    DriftgateError
        A source, the held-out records or the planted strings cannot be read.
    """
    limits = recipe.privacy
    if limits is None:
        return []
    held_out, canaries = held_out_of(folder, limits), canaries_of(folder, limits)
    return foreseen(sources_of(folder, recipe), held_out, limits, canaries)


def seal_dataset(workspace: OpenWorkspace, ledger: Ledger, name: str) -> Seal:
    """Seal a dataset of the workspace as a hold-out.

    Raises
    ------
    DriftgateError
        There is no such dataset, or it cannot be read.
    """
    datasets = workspace.config.datasets
    if name not in datasets:
        raise DriftgateError(f"the workspace has no dataset '{name}'", nearest(name, datasets))
    return seal(ledger, name, datasets[name], load_dataset(name, datasets[name], workspace.folder))


def measured(workspace: OpenWorkspace, ledger: Ledger) -> list[Sample]:
    """Everything that is or may be measured with: the datasets of the workspace, and every hold-out that was sealed.

    Raises
    ------
    DriftgateError
        One of them cannot be read, or a hold-out is not what was sealed.
    """
    folder, datasets = workspace.folder, workspace.config.datasets
    own = [sample for name, config in datasets.items() for sample in load_dataset(name, config, folder).samples]
    return [*own, *sealed_samples(ledger, folder)]


def _lines(path: Path | None) -> Sequence[str]:
    return [line.strip() for text in read_texts(path) for line in text.splitlines() if line.strip()] if path else []
