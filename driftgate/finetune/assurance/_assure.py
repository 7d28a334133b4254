"""Measure a training set against its sources and against held-out records, and judge it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftgate.finetune._markup import without_markup
from driftgate.finetune.assurance._canaries import canaries_in
from driftgate.finetune.assurance._distances import Nearness, closer_share, membership_advantage, nearness
from driftgate.finetune.assurance._figure import LEAST, Figure, Verdict, counted, gravest, judged, unmeasurable
from driftgate.finetune.assurance._limits import PrivacyLimits
from driftgate.finetune.assurance._overlap import longest_runs
from driftgate.finetune.assurance._reading import has_text, keys_in
from driftgate.finetune.assurance._records import compared_of, learnt_of, whole_text
from driftgate.finetune.firewall import Item
from driftgate.finetune.privacy import StandIns, redact

_NO_SOURCES = "no sources were given; name what the items were made from"
_NO_HELD_OUT = f"it takes {LEAST} held-out records and {LEAST} sources; name real records that nothing was made from"


@dataclass(frozen=True)
class Assurance:
    """What the privacy figures of a training set come to."""

    items_hash: str
    """Of the items that were measured; see :func:`hash_items`."""
    figures: tuple[Figure, ...]
    limits: PrivacyLimits

    @property
    def verdict(self) -> Verdict:
        """The gravest of the figures'; unmeasurable where no figure was asked for."""
        return gravest([figure.verdict for figure in self.figures])


def assure(
    items: Sequence[Item],
    sources: Sequence[str],
    held_out: Sequence[str],
    limits: PrivacyLimits,
    *,
    canaries: Sequence[str] = (),
    stand_ins: StandIns | None = None,
    trained: Sequence[Item] | None = None,
    seed: int = 0,
) -> Assurance:
    """Measure the privacy of a training set.

    Parameters
    ----------
    items : sequence
        The items as they will be trained on.
    sources : sequence of str
        What they were made from, as it was before personal data was taken out, one record each.
    held_out : sequence of str
        Real records of the same kind that nothing was made from.
    limits : PrivacyLimits
        What is allowed, and which figures are wanted.
    canaries : sequence of str
        Strings that were planted in the sources.
    stand_ins : StandIns, optional
        Whose values are no personal data.
    trained : sequence, optional
        What will be trained on, where the items are yet to be rendered for it: the assurance is bound to these. Answers
        that they are preferred to are trained on too, and read with the items.
    seed : int
        Decides which records are drawn where there are more of one side.

    Examples
    --------
    >>> assurance = assure(["주문자는 김민수 씨입니다"], [], [], PrivacyLimits(canaries=None))
    >>> assurance.verdict, [(figure.name, figure.verdict) for figure in assurance.figures][:2]
    ('fail', [('personal_data', 'fail'), ('longest_run', 'unmeasurable')])
    """
    worse = [str(row["rejected"]) for row in trained or () if not isinstance(row, str) and row.get("rejected")]
    found = _figures(list(items), worse, sources, held_out, limits, canaries, stand_ins, seed)
    mute = [place for place, item in enumerate(items, start=1) if not has_text(item)]
    figures = tuple(_unread(figure, mute, len(items)) for figure in found)
    return Assurance(hash_items(items if trained is None else trained), figures, limits)


def foreseen(
    sources: Sequence[str], held_out: Sequence[str], limits: PrivacyLimits, canaries: Sequence[str]
) -> list[Figure]:
    """The figures that are unmeasurable whatever the items are: known before any is made.

    Examples
    --------
    >>> found = foreseen(["글"], [], PrivacyLimits(), [])
    >>> [figure.name for figure in found]
    ['canaries', 'closer_share', 'membership_advantage']
    """
    found = []
    if limits.longest_run is not None and not sources:
        found.append(unmeasurable("longest_run", limits.longest_run, _NO_SOURCES))
    if limits.canaries is not None:
        found.append(_canaries((), sources, canaries, limits.canaries))
    if min(len(sources), len(held_out)) < LEAST:
        near = ("closer_share", limits.closer_share), ("membership_advantage", limits.membership_advantage)
        found += [unmeasurable(name, limit, _NO_HELD_OUT) for name, limit in near if limit is not None]
    return [figure for figure in found if figure.verdict == "unmeasurable"]


def hash_items(items: Sequence[Item]) -> str:
    """Hash of the items in any order, 64 hexadecimal digits: what is trained on must be what was measured."""
    rows = sorted(
        hashlib.sha256(
            json.dumps(item, ensure_ascii=False, sort_keys=True, default=str).encode("utf-8", "replace")
        ).hexdigest()
        for item in items
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _unread(figure: Figure, mute: Sequence[int], count: int) -> Figure:
    """The figure, where every item could be read: of items without text nothing good is known."""
    if not mute or figure.verdict == "fail":
        return figure
    places = ", ".join(map(str, mute[:5])) + (", ..." if len(mute) > 5 else "")
    told = f"{len(mute)} of {count} items hold no text: {places}; write them out, or leave them out"
    return unmeasurable(figure.name, figure.limit, told)


def _figures(
    items: Sequence[Item],
    worse: Sequence[str],
    sources: Sequence[str],
    held_out: Sequence[str],
    limits: PrivacyLimits,
    canaries: Sequence[str],
    stand_ins: StandIns | None,
    seed: int,
) -> Iterator[Figure]:
    if limits.personal_data is not None:
        yield _personal(items, worse, limits.personal_data, stand_ins)
    if limits.longest_run is not None:
        yield _run(items, worse, sources, limits.longest_run)
    if limits.canaries is not None:
        yield _canaries([*items, *worse], sources, canaries, limits.canaries)
    near = _near(items, sources, held_out, seed)
    for name, limit in (("closer_share", limits.closer_share), ("membership_advantage", limits.membership_advantage)):
        if limit is None:
            continue
        if near is None:
            yield unmeasurable(name, limit, _NO_HELD_OUT)
        elif name == "closer_share":
            value, bounds = closer_share(near)
            yield judged(name, value, limit, len(items), bounds)
        else:
            value, bounds = membership_advantage(near, seed)
            yield judged(name, value, limit, len(near.of_source), bounds)


def _personal(items: Sequence[Item], worse: Sequence[str], limit: float, stand_ins: StandIns | None) -> Figure:
    """Items in which personal data is found, or in what they are preferred to: at most one for one item."""
    if not items:
        return unmeasurable("personal_data", limit, "there are no items")
    kinds: Counter[str] = Counter()
    hit = 0
    find = stand_ins.foreign if stand_ins is not None else lambda text: redact(text).findings
    for text in (*map(whole_text, items), *worse):
        read = without_markup(text)  # tags may stand inside of a number
        found = find(text) or (find(read) if read != text else ())
        kinds.update(finding.kind for finding in found)
        hit += bool(found)
    hit = min(hit, len(items))
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return counted("personal_data", hit / len(items), limit, len(items), told)


def _run(items: Sequence[Item], worse: Sequence[str], sources: Sequence[str], limit: int) -> Figure:
    if not sources or not items:
        return unmeasurable("longest_run", limit, _NO_SOURCES if items else "there are no items")
    texts = [*map(learnt_of, items), *worse]
    runs = longest_runs(texts, sources)
    read, clean = list(map(without_markup, texts)), list(map(without_markup, sources))
    if read != texts or clean != list(sources):
        runs = list(map(max, runs, longest_runs(read, clean)))
    over = [place for place, run in enumerate(runs) if run > limit]
    places = ", ".join(str(place + 1) for place in over[:5])
    told = f"{len(over)} of {len(items)} items are over the limit: {places}{', ...' if len(over) > 5 else ''}"
    return counted("longest_run", max(runs), limit, len(items), told if over else "")


def _canaries(items: Sequence[Item], sources: Sequence[str], canaries: Sequence[str], limit: int) -> Figure:
    """Canaries found in the items; those that are in no source prove nothing by their absence."""
    if not canaries:
        return unmeasurable("canaries", limit, "no canaries were planted; plant some, or set canaries: null")
    found = canaries_in([text for item in items for text in (whole_text(item), *keys_in(item))], canaries)
    planted = len(canaries_in(sources, canaries))
    lines = ", ".join(str(place + 1) for place in found)
    if len(found) > limit:
        return counted("canaries", len(found), limit, len(canaries), f"canaries {lines}")
    if planted < len(canaries):
        told = f"{len(canaries) - planted} of {len(canaries)} canaries stand in no source; plant them before generating"
        return unmeasurable("canaries", limit, told)
    return counted("canaries", len(found), limit, len(canaries), f"canaries {lines}" if found else "")


def _near(items: Sequence[Item], sources: Sequence[str], held_out: Sequence[str], seed: int) -> Nearness | None:
    if not items or min(len(sources), len(held_out)) < LEAST:
        return None
    return nearness([compared_of(item) for item in items], sources, held_out, seed)


def as_data(assurance: Assurance) -> Mapping[str, object]:
    """An assurance as JSON values."""
    return {
        "verdict": assurance.verdict,
        "items_hash": assurance.items_hash,
        "figures": [{name: getattr(figure, name) for name in Figure.__slots__} for figure in assurance.figures],
    }
