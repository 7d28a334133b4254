"""Training data as a product: what it is to be about, making it, looking at it, judging it, handing it over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driftgate.api import session
from driftgate.api._waiting import wait_for
from driftgate.api.workspace import OpenWorkspace
from driftgate.flows.errors import DriftgateError, nearest
from driftgate.flows.models import ModelConfig
from driftgate.flows.private_files import make_folder, replace_file
from driftgate.ledger import Ledger

if TYPE_CHECKING:
    from driftgate.api.set_making import Advance, Tell
    from driftgate.finetune.synthesis import (
        CoverageDataset,
        Evolved,
        Gathered,
        Judgement,
        Persona,
        PersonaFigures,
        Reject,
        Rule,
        SynthesisConfig,
    )


@dataclass(frozen=True)
class Synthesising:
    """The part of :class:`driftgate.api.facade.Workspace` that concerns synthetic training data."""

    files: OpenWorkspace
    ledger: Ledger

    def synthesis_named(self, synthesis: str = "") -> tuple[str, SynthesisConfig]:
        """A synthesis with its name.

        Parameters
        ----------
        synthesis : str
            A name under ``synthesis`` or ``recipes``; may be left out where there is only one.

        Raises
        ------
        DriftgateError
            There is none of that name; or no name is given and there is not just one.
        """
        from driftgate.api.set_making import find

        return find(self.files, synthesis)

    def material(self, synthesis: str = "") -> Gathered:
        """The material of a synthesis, clustered; no model is asked.

        Parameters
        ----------
        synthesis : str
            A name under ``synthesis`` or ``recipes``; may be left out where there is only one.

        Raises
        ------
        DriftgateError
            There is none of that name, or its material is absent or malformed.
        """
        from driftgate.api.set_making import failing_texts, find
        from driftgate.finetune.synthesis import gather

        config = self._clustering(find(self.files, synthesis)[1])
        return gather(config, self.files.folder, failing_texts(self.files, self.ledger, config))

    def personas(self, synthesis: str = "", *, write: bool = False, tell: Tell = lambda words: None) -> MadePersonas:
        """The ways of writing of a synthesis; with ``write`` its model writes them out.

        Raises
        ------
        DriftgateError
            There is no such synthesis, or its model is to write and there is none, or it does not answer.
        """
        from driftgate.api.set_making import Opened, find
        from driftgate.finetune.synthesis import persona_figures, personas_for, written_out

        name, config = find(self.files, synthesis)
        made = personas_for(config)
        rejects: list[Reject] = []
        if write:
            if not config.model:
                raise DriftgateError(f"synthesis '{name}' names no model that could write", "name one in 'model'")

            async def ask() -> tuple[list[Persona], list[Reject]]:
                async with Opened(self.files, self.ledger, name, config, whole=False, tell=tell) as models:
                    assert models.teacher is not None
                    return await written_out(made, models.teacher, models.asker)

            made, rejects = wait_for(ask())
        return MadePersonas(tuple(made), tuple(rejects), persona_figures(made, config.persona_schema, len(rejects)))

    def synthesise(
        self,
        synthesis: str = "",
        *,
        advance: Advance = lambda done, total: None,
        tell: Tell = lambda words: None,
    ) -> MadeSet:
        """Make a set, or go on making it: requests that were answered are not made again.

        Parameters
        ----------
        advance : callable
            Told how many requests are done with, and of about how many.
        tell : callable
            Told in words what is waited for.

        Raises
        ------
        Busy
            Another process makes it.
        DriftgateError
            There is no such synthesis, its material is absent or malformed, or a model does not answer.
        """
        from driftgate.api.privacy import unmeasurable_before
        from driftgate.api.set_making import find, make_set, set_folder
        from driftgate.finetune.synthesis import record_dataset, write_dataset

        name, config = find(self.files, synthesis)
        if name in self.files.config.recipes and name not in self.files.config.synthesis:
            # What its privacy is measured against is missed before a model is paid.
            unmeasurable_before(self.files.folder, self.files.config.recipes[name])
        dataset = wait_for(make_set(self.files, self.ledger, name, config, advance, tell))
        folder = set_folder(self.files, name)
        write_dataset(dataset, folder, name)
        record_dataset(self.ledger, dataset)
        return MadeSet(name, folder, dataset, self._judged(config, dataset, ()))

    def synthetic_set(self, synthesis: str = "") -> MadeSet:
        """A set that was made, with what is said of it by its figures.

        Raises
        ------
        DriftgateError
            There is none, or it was changed since.
        """
        from driftgate.api.set_making import find, set_folder
        from driftgate.finetune.synthesis import read_dataset

        name, config = find(self.files, synthesis)
        folder = set_folder(self.files, name)
        dataset = read_dataset(folder)
        return MadeSet(name, folder, dataset, self._judged(config, dataset, ()))

    def check_synthesis(self, synthesis: str = "") -> MadeSet:
        """A set with what is said of it, each item held against what is measured with and searched for personal data.

        Raises
        ------
        DriftgateError
            There is none, or it was changed since.
        """
        from driftgate.api.set_making import find, looked_at

        made = self.synthetic_set(synthesis)
        config = find(self.files, synthesis)[1]
        more = tuple(looked_at(self.files, self.ledger, made.name, made.dataset, config))
        return MadeSet(made.name, made.folder, made.dataset, self._judged(config, made.dataset, more))

    def evolve(
        self, seeds: Path, to: Path, synthesis: str = "", *, rounds: int = 1, tell: Tell = lambda words: None
    ) -> EvolvedPrompts:
        """Have the model of a synthesis evolve prompts, and write them as a source of the kind ``prompts``.

        Parameters
        ----------
        seeds, to : Path
            JSON Lines with ``prompt``; what is written names the seed each one descends from.

        Raises
        ------
        DriftgateError
            There is no such synthesis or file, the synthesis names no model, it does not answer, or nothing that it
            wrote can be used: the file is then left as it is.
        """
        from driftgate.api.privacy import measured
        from driftgate.api.set_making import Opened, find
        from driftgate.finetune.firewall import Firewall
        from driftgate.finetune.synthesis import evolve, read_prompts

        name, config = find(self.files, synthesis)
        if not config.model:
            raise DriftgateError(f"synthesis '{name}' names no model that could write", "name one in 'model'")
        material = read_prompts(seeds)

        async def ask() -> tuple[list[Evolved], list[Reject]]:
            async with Opened(self.files, self.ledger, name, config, whole=False, tell=tell) as models:
                assert models.teacher is not None
                firewall = Firewall(measured(self.files, self.ledger))
                return await evolve(material, models.teacher, models.asker, firewall, rounds=rounds, seed=config.seed)

        made, rejects = wait_for(ask())
        if not made:
            why = ", ".join(f"{kind} {count:,}" for kind, count in Counter(one.kind for one in rejects).most_common(3))
            raise DriftgateError(
                f"model '{config.model}' made no prompt of {len(material):,} seeds that can be used ({why}); "
                f"{to.name} is not written",
                "name another model in the synthesis's 'model', or other seeds",
            )
        names = ("prompt", "slice", "parent", "operator", "round")
        lines = ({name: getattr(one, name) for name in names} for one in made)
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        replace_file(to, text.encode("utf-8", "replace"))
        return EvolvedPrompts(len(material), tuple(made), tuple(rejects))

    def export_synthesis(
        self,
        to: Path,
        synthesis: str = "",
        *,
        form: str = "openai",
        flow: str = "",
        variant: str = "",
        model: str = "",
        validation: float = 0.1,
    ) -> Handed:
        """Render a set through a flow and write it for a trainer: ``train.jsonl``, ``validation.jsonl``, ``card.md``.

        Parameters
        ----------
        to : Path
            A folder.
        form : str
            ``openai``, ``azure_ml``, ``preference`` or ``pairs``.
        flow, variant : str
            By default those of the recipe, else ``multiple_choice`` or, for answers in words, ``chat``.
        model : str
            The workspace model that is to be trained, for whose kind of scoring the flow renders.
        validation : float
            Part of the items that is held out, whole sources at a time.

        Raises
        ------
        DriftgateError
            There is no such set, it failed its check, or the flow cannot be asked about its items.
        """
        from driftgate.api.rendering import render_items
        from driftgate.api.set_making import find
        from driftgate.benchmarks.suite import SuiteConfig
        from driftgate.finetune.synthesis import CARD, FORMATS, as_samples, lineage_of, lines_of, split

        if form not in FORMATS:
            raise DriftgateError(f"there is no form '{form}'", nearest(form, FORMATS))
        made = self.check_synthesis(synthesis)
        if made.judgement.verdict != "pass":
            raise DriftgateError(
                f"the set '{made.name}' is not handed over: its check says {made.judgement.verdict}",
                f"see driftgate synth check {made.name}",
            )
        name, config = find(self.files, synthesis)
        recipe = self.files.config.recipes.get(name)
        own = recipe.flow if recipe is not None else "multiple_choice" if config.form == "choices" else "chat"
        chosen = variant or (recipe.variant if recipe is not None and not flow else "")
        base = model or (recipe.base_model if recipe is not None else config.model)
        settings = session.model_config(self.files, self.ledger, base) if base else ModelConfig(provider="recorded")
        suite = SuiteConfig(
            models=["base"],
            datasets=["material"],
            flow=flow or own,
            retriever=recipe.retriever if recipe is not None else None,
            variants=[chosen] if chosen else [],
            few_shot=0,
        )
        lineage = {item.content_hash: lineage_of(item, made.dataset) for item in made.dataset.items}
        samples = as_samples(made.dataset, "synthesis")
        items = wait_for(render_items(self.files, suite, settings, samples, lineage))
        parts = split(list(zip(made.dataset.items, items, strict=True)), validation, config.seed)
        contents = {
            file: lines_of(part, form) for file, part in zip(("train.jsonl", "validation.jsonl"), parts, strict=True)
        }
        make_folder(to)
        for file, content in contents.items():
            replace_file(to / file, content)
        replace_file(to / CARD, (made.folder / CARD).read_bytes())
        return Handed(to, form, len(parts[0]), len(parts[1]))

    def _clustering(self, config: SynthesisConfig) -> SynthesisConfig:
        from driftgate.finetune.synthesis import CoverageConfig

        return config if config.coverage else config.model_copy(update={"coverage": CoverageConfig()})

    def _judged(self, config: SynthesisConfig, dataset: CoverageDataset, more: Sequence[Rule]) -> Judgement:
        from driftgate.finetune.synthesis import judge_set

        return judge_set(dataset, config.accept, more)


@dataclass(frozen=True)
class MadeSet:
    """A set, where it lies, and what is said of it."""

    name: str
    folder: Path
    dataset: CoverageDataset
    judgement: Judgement


@dataclass(frozen=True)
class MadePersonas:
    """Ways of writing, and how different they are."""

    personas: tuple[Persona, ...]
    rejects: tuple[Reject, ...]
    figures: PersonaFigures


@dataclass(frozen=True)
class EvolvedPrompts:
    """What became of seeds."""

    seeds: int
    made: tuple[Evolved, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True)
class Handed:
    """What was written for a trainer."""

    folder: Path
    form: str
    train: int
    validation: int
