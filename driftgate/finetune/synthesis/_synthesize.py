"""From raw material to a coverage dataset."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from driftgate.finetune.firewall import Firewall
from driftgate.finetune.privacy import StandIns, redact
from driftgate.finetune.synthesis._asking import Asker, Reject
from driftgate.finetune.synthesis._clusters import Coverage, cover
from driftgate.finetune.synthesis._config import Form, Persona, Source, SynthesisConfig
from driftgate.finetune.synthesis._coverage import CoverageDataset, Dropped, choose, count_cells
from driftgate.finetune.synthesis._labels import plain_labels, plain_personas, plain_skipped
from driftgate.finetune.synthesis._materials import TakeOut, as_it_is, read_materials
from driftgate.finetune.synthesis._personas import personas_of
from driftgate.finetune.synthesis._values import FILTERS, GENERATORS, Candidate, Generated, Material, Request, Setting
from driftgate.flows.documents import Skipped
from driftgate.flows.errors import DriftgateError
from driftgate.flows.models import Model
from driftgate.flows.yaml_text import parse
from driftgate.shipped import shipped

ASKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"model": ("documents", "examples", "templates"), "distil": ("prompts",)}
)
"""The generators that ask a model, and the kinds of sources that they take."""
_SEALED = frozenset({"privacy", "firewall"})  # their examples would show personal data or a hold-out


async def synthesize(
    config: SynthesisConfig,
    folder: Path,
    firewall: Firewall,
    *,
    writer: Model | None = None,
    teacher: Model | None = None,
    judge: Model | None = None,
    asker: Asker | None = None,
    failing: Sequence[str] = (),
    stand_ins: StandIns | None = None,
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
    writer, teacher, judge : Model, optional
        The models that ``config`` names, open: its ``model``, opened with :func:`with_schema` for the generator
        ``model`` and as it is for others, and its ``judge``.
    asker : Asker, optional
        Asks them: with one that keeps replies, what was killed goes on without asking again.
    failing : sequence of str
        What fails now, by which a coverage draws.
    stand_ins : StandIns, optional
        Gives the made-up values that stand for personal data where ``config`` wants them; else placeholders do.

    Returns
    -------
    CoverageDataset
        The same for the same material, configuration and firewall, unless a model's replies differ.

    Raises
    ------
    DriftgateError
        Material is absent or malformed, none is of the wanted slices, a model is not open or unavailable, or a
        generator or filter is unknown.
    """
    for name, model in ((config.model, writer or teacher), (config.judge, judge)):
        if name and model is None:
            raise DriftgateError(f"the synthesis names the model '{name}', which is not open", "open it first")
    asker = asker or Asker(config.limits)
    made_as = config_hash(config)
    config = plain_labels(config)
    personas = plain_personas(personas_for(config))
    total = sum(source.share for source in config.sources)
    gathered = gather(config, folder, failing, redact if stand_ins is None else stand_ins.replace)
    shares = gathered.coverage.shares if gathered.coverage else {}
    offered: list[Candidate] = []
    quotas_: list[tuple[set[str], int]] = []
    rejects: list[Reject] = []
    for number, (source, own) in enumerate(zip(config.sources, gathered.by_source, strict=True)):
        quota = math.ceil(config.count * source.share / total)
        seed = config.seed + number * 1_000_003  # two sources with the same material do not draw alike
        count = math.ceil(quota * config.surplus)
        model = writer if source.generator == "model" else teacher
        found = await _generate(Request(source, own, personas, count, seed, model, config.form, shares, asker))
        offered += found.candidates
        rejects += found.rejects
        quotas_.append(({material.id for material in own}, quota))
    materials = {material.id: material for own in gathered.by_source for material in own}
    offered = [
        replace(item, cluster=materials[item.source].cluster) if item.source in materials else item for item in offered
    ]
    asked = len(offered) + len(rejects)
    kept, dropped, filtered = await _filter(
        offered, rejects, Setting(config, materials, firewall, judge, asker, stand_ins)
    )
    chosen = [
        item for ids, quota in quotas_ for item in choose([item for item in kept if item.source in ids], quota, shares)
    ]
    items = tuple(chosen[: config.count])
    return CoverageDataset(
        items,
        count_cells(offered, items),
        asked,
        dropped,
        len(kept) - len(items),
        sum(material.redactions for material in materials.values()),
        made_as,
        config.seed,
        rejects=filtered,
        coverage=gathered.coverage,
        unread=gathered.unread,
        spent=asker.spent,
        materials={material.id: material.content_hash for material in materials.values()},
    )


def config_hash(config: SynthesisConfig) -> str:
    """12 hexadecimal digits of what decides a set; what it may take, and must reach, does not."""
    told = config.model_dump_json(exclude={"limits", "accept"})
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True)
class Gathered:
    """The material of a synthesis."""

    by_source: tuple[tuple[Material, ...], ...]
    coverage: Coverage | None
    """Its clusters, where the configuration asks for them."""
    unread: tuple[Skipped, ...]
    """Files of its folders that are not read."""


def gather(config: SynthesisConfig, folder: Path, failing: Sequence[str] = (), take_out: TakeOut = redact) -> Gathered:
    """Read the material of every source and cluster it, where the configuration says so.

    Raises
    ------
    DriftgateError
        Material is absent or malformed, or none is of the wanted slices.
    """
    unread: list[Skipped] = []
    config = plain_labels(config)
    by_source = [
        _of_source(number, source, folder, config, take_out, unread) for number, source in enumerate(config.sources)
    ]
    coverage = None
    if config.coverage is not None:
        coverage = cover([one for own in by_source for one in own], config.coverage, config.seed, failing)
        by_source = [[replace(one, cluster=coverage.of[one.id]) for one in own] for own in by_source]
    return Gathered(tuple(map(tuple, by_source)), coverage, plain_skipped(unread))


def personas_for(config: SynthesisConfig) -> list[Persona]:
    """The ways of writing of a synthesis: its own, those of its schema, or the built-in ones."""
    if config.persona_schema is not None:
        return personas_of(config.persona_schema, config.seed)
    return config.personas or built_in_personas()


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
    own = _of_source(number, source, folder, config, as_it_is)
    generator = GENERATORS.get(source.generator)
    if source.generator in ASKS:
        if source.kind not in ASKS[source.generator]:
            expected = " or ".join(ASKS[source.generator])
            raise DriftgateError(f"the generator '{source.generator}' cannot use {source.kind}", f"give it {expected}")
        return []
    found = generator.generate(Request(source, own, personas_for(config), count, config.seed, form=config.form))
    made = await found if inspect.isawaitable(found) else found
    return list(made.candidates)


def built_in_personas() -> list[Persona]:
    """The ways of writing that are shipped."""
    text = (shipped("finetune") / "personas.yaml").read_text(encoding="utf-8")
    return [Persona.model_validate(value) for value in parse(text, "personas.yaml")[1]]


def _of_source(
    number: int,
    source: Source,
    folder: Path,
    config: SynthesisConfig,
    take_out: TakeOut,
    unread: list[Skipped] | None = None,
) -> list[Material]:
    """The source's material of the wanted slices, its ids told apart from other sources'."""
    found = read_materials(source, folder, take_out, unread)
    wanted = [m for m in found if not config.slices or m.slice in config.slices]
    if not wanted:
        known = sorted({redact(material.slice).text for material in found})
        raise DriftgateError(
            f"source {number + 1} of the synthesis has no material of the slices {', '.join(config.slices)}",
            f"it has {', '.join(known)}",
        )
    return [replace(material, id=f"{number + 1}/{material.id}") for material in wanted]


def stand_in(form: Form) -> Candidate:
    """An item such as a model may write, to see that a flow can be asked about it."""
    choices = ("2", "3") if form == "choices" else ()
    answer = "A" if choices else "2"
    return Candidate("1 + 1?", choices, answer, "", "written", "plain", "1 + 1?", "", "", "model", "", 0, "1 + 1 = 2")


async def _generate(request: Request) -> Generated:
    found = GENERATORS.get(request.source.generator).generate(request)
    return await found if inspect.isawaitable(found) else found


async def _filter(
    candidates: Sequence[Candidate], rejects: Sequence[Reject], setting: Setting
) -> tuple[list[Candidate], tuple[Dropped, ...], tuple[Reject, ...]]:
    """Apply one filter after the other and keep what each drops; replies that were no candidate fail the schema."""
    kept = list(candidates)
    dropped: list[Dropped] = []
    out = list(rejects)
    for name in setting.config.filters:
        member = FILTERS.get(name)
        answer = member.check(kept, setting)
        reasons = list(await answer if inspect.isawaitable(answer) else answer)
        if len(reasons) != len(kept):
            raise DriftgateError(f"the filter '{name}' judged {len(reasons)} of {len(kept)} candidates", "mend it")
        now = [
            Reject(name, name, reason, "" if name in _SEALED else candidate.text, candidate.source, candidate.cluster)
            for reason, candidate in zip(reasons, kept, strict=True)
            if reason
        ]
        told = [*now, *rejects] if name == "schema" else now
        first = told[0] if told else Reject(name, name, "")
        dropped.append(Dropped(name, member.version, len(told), first.reason, first.text[:200] if first in now else ""))
        out += now
        kept = [candidate for reason, candidate in zip(reasons, kept, strict=True) if not reason]
    return kept, tuple(dropped), tuple(out)
