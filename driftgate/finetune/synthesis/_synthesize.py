"""From raw material to a coverage dataset."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from driftgate.finetune.firewall import Firewall
from driftgate.finetune.privacy import RULES, Rule
from driftgate.finetune.synthesis._config import Persona, Source, SynthesisConfig
from driftgate.finetune.synthesis._coverage import CoverageDataset, Dropped, choose, count_cells
from driftgate.finetune.synthesis._materials import read_materials
from driftgate.finetune.synthesis._values import FILTERS, GENERATORS, Candidate, Generated, Material, Request, Setting
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model
from driftgate.flows.yaml_text import parse
from driftgate.shipped import shipped

ASKS = "model"
"""The generator that asks a model."""
_SEALED = frozenset({"privacy", "firewall"})  # their examples would show personal data or a hold-out


async def synthesize(
    config: SynthesisConfig,
    folder: Path,
    firewall: Firewall,
    *,
    writer: Model | None = None,
    judge: Model | None = None,
) -> CoverageDataset:
    """Generate training items, filter them and choose an even coverage.

    Parameters
    ----------
    config : SynthesisConfig
        What to make.
    folder : Path
        The workspace; paths of sources are relative to it.
    firewall : Firewall
        Around every benchmark item, canary and hold-out.
    writer, judge : Model, optional
        The models that ``config`` names, open: its ``model``, opened with :func:`with_schema`, and its ``judge``.

    Returns
    -------
    CoverageDataset
        The same for the same material, configuration and firewall, unless a model's replies differ.

    Raises
    ------
    DriftgateError
        Material is absent or malformed, none is of the wanted slices, a model is not open, or a generator or filter is
        unknown.
    """
    for name, model in ((config.model, writer), (config.judge, judge)):
        if name and model is None:
            raise DriftgateError(f"the synthesis names the model '{name}', which is not open", "open it first")
    personas = config.personas or built_in_personas()
    total = sum(source.share for source in config.sources)
    materials: dict[str, Material] = {}
    offered: list[Candidate] = []
    quotas: list[tuple[set[str], int]] = []
    malformed: list[str] = []
    for number, source in enumerate(config.sources):
        own = _of_source(number, source, folder, config)
        quota = math.ceil(config.count * source.share / total)
        seed = config.seed + number * 1_000_003  # two sources with the same material do not draw alike
        request = Request(source, own, personas, math.ceil(quota * config.surplus), seed, writer)
        found = await _generate(request)
        materials |= {material.id: material for material in own}
        offered += found.candidates
        malformed += found.malformed
        quotas.append(({material.id for material in own}, quota))
    kept, dropped = await _filter(offered, malformed, Setting(config, materials, firewall, judge))
    chosen = [item for ids, quota in quotas for item in choose([c for c in kept if c.source in ids], quota)]
    items = tuple(chosen[: config.count])
    return CoverageDataset(
        items,
        count_cells(offered, items),
        len(offered) + len(malformed),
        dropped,
        len(kept) - len(items),
        sum(material.redactions for material in materials.values()),
        hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:12],
        config.seed,
    )


async def try_source(config: SynthesisConfig, number: int, folder: Path, count: int) -> list[Candidate]:
    """A few unfiltered candidates of one source, to see that it gives any; none where they would be asked of a model.

    They are to be looked at and thrown away: nothing was redacted.

    Parameters
    ----------
    number : int
        Place of the source in the configuration, from 0.
    count : int
        Candidates wanted.

    Raises
    ------
    DriftgateError
        Its material is absent or malformed, none is of the wanted slices, or its generator is unknown or cannot use it.
    """
    source = config.sources[number]
    own = _of_source(number, source, folder, config, rules=())
    generator = GENERATORS.get(source.generator)
    if source.generator == ASKS:
        return []
    found = generator.generate(Request(source, own, config.personas or built_in_personas(), count, config.seed))
    made = await found if inspect.isawaitable(found) else found
    return list(made.candidates)


def built_in_personas() -> list[Persona]:
    """The ways of writing that are shipped."""
    text = (shipped("finetune") / "personas.yaml").read_text(encoding="utf-8")
    return [Persona.model_validate(value) for value in parse(text, "personas.yaml")[1]]


def _of_source(
    number: int, source: Source, folder: Path, config: SynthesisConfig, rules: tuple[Rule, ...] = RULES
) -> list[Material]:
    """The source's material of the wanted slices, its ids told apart from other sources'."""
    found = read_materials(source, folder, rules)
    wanted = [m for m in found if not config.slices or m.slice in config.slices]
    if not wanted:
        known = sorted({material.slice for material in found})
        raise DriftgateError(
            f"source {number + 1} of the synthesis has no material of the slices {', '.join(config.slices)}",
            f"it has {', '.join(known)}",
        )
    return [replace(material, id=f"{number + 1}/{material.id}") for material in wanted]


async def _generate(request: Request) -> Generated:
    found = GENERATORS.get(request.source.generator).generate(request)
    return await found if inspect.isawaitable(found) else found


async def _filter(
    candidates: Sequence[Candidate], malformed: Sequence[str], setting: Setting
) -> tuple[list[Candidate], tuple[Dropped, ...]]:
    """Apply one filter after the other, counting what each drops; a model's malformed replies fail the schema."""
    kept = list(candidates)
    dropped = []
    for name in setting.config.filters:
        member = FILTERS.get(name)
        answer = member.check(kept, setting)
        reasons = list(await answer if inspect.isawaitable(answer) else answer)
        if len(reasons) != len(kept):
            raise DriftgateError(f"the filter '{name}' judged {len(reasons)} of {len(kept)} candidates", "mend it")
        out = [(reason, candidate.text) for reason, candidate in zip(reasons, kept, strict=True) if reason]
        if name == "schema":
            out += [(reason, "") for reason in malformed]
        reason, example = out[0] if out else ("", "")
        shown = "" if name in _SEALED else example[:200]
        dropped.append(Dropped(name, member.version, len(out), reason, shown))
        kept = [candidate for reason, candidate in zip(reasons, kept, strict=True) if not reason]
    return kept, tuple(dropped)
