"""Calls that were made, held against those that were wanted and against the tools."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftgate.flows.tool_calls._expected import Expectation, ExpectedCall
from driftgate.flows.tool_calls._findings import Finding
from driftgate.flows.tool_calls._items import MadeCall
from driftgate.flows.tool_calls._matchers import alike, fits, matcher_of
from driftgate.flows.tool_calls._schemas import Tools

_ATTEMPTS = 3
"""How often the same call may be made while it fails."""


@dataclass(frozen=True)
class Judgement:
    """What is to be said of the calls of one sample."""

    findings: Sequence[Finding]
    calls: int
    name: float | None
    """Wanted calls that were made, of those, the ones that were not made and the ones that nobody wanted; None where
    nothing says what was wanted."""
    arguments: float | None
    """Arguments with the wanted value, of those of all wanted calls and the ones that nobody wanted."""
    order: float | None
    """Wanted calls in the wanted order, of all; None where any will do."""
    adherence: float | None
    """Calls that keep to their tools, of all; None without tools or calls."""

    @property
    def correct(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def judge_calls(
    made: Sequence[MadeCall],
    wanted: Expectation | None = None,
    tools: Tools | None = None,
    repeatable: Collection[str] = (),
) -> Judgement:
    """Hold calls against what was wanted and against the tools.

    Each wanted call is paired with the call of its name that fits it best. A call that failed and was made again alike
    is one call; of one that failed and was then made otherwise nobody says that it was not wanted.

    Parameters
    ----------
    wanted
        None where nothing says what was wanted; the tools, forbidden and repeated calls are then looked at alone.
    repeatable
        Names of tools that may be called again and again alike, as one that asks whether something is ready.

    Examples
    --------
    >>> wanted = Expectation((ExpectedCall("pay", {"amount": "2만 5천 원"}),))
    >>> [str(one) for one in judge_calls([MadeCall("pay", {"amount": "5,000원"})], wanted).findings]
    ["call 1: pay: amount is '5,000원', expected '2만 5천 원'"]
    """
    findings: list[Finding] = []
    broken: dict[int, list[Finding]] = {}
    if tools is not None:
        broken = {place: tools.check(call, place + 1) for place, call in enumerate(made)}
        findings += [one for some in broken.values() for one in some]
    forbidden = {place: reason for place, call in enumerate(made) if (reason := _forbidden(call, wanted))}
    findings += [Finding("forbidden_call", said, place + 1) for place, said in forbidden.items()]
    retried, repeated = _attempts(made)
    live = [place for place in range(len(made)) if place not in retried]
    keeps = sum(not some for some in broken.values())
    adherence = keeps / len(made) if tools is not None and made else None
    if wanted is None:
        again = [*_again(made, live, repeatable), *sorted(repeated)]
        findings += [_said_again(made, place) for place in again if place not in forbidden]
        return Judgement(_sorted(findings), len(made), None, None, None, adherence)

    pairs = _pairs(made, live, wanted.calls)
    compared = {place: _arguments(made[place], wanted.calls[own], tools) for place, own in pairs.items()}
    for place, (_, _, differing) in compared.items():
        told = {one.argument.split(".")[0] for one in broken.get(place, ())}
        findings += [Finding("wrong_argument", said, place + 1, name) for name, said in differing if name not in told]
    missing = [one for own, one in enumerate(wanted.calls) if own not in pairs.values() and not one.optional]
    findings += [Finding("missing_call", f"{_wanted(one)} was not called") for one in missing]
    unwanted = [place for place in live if place not in pairs and place not in forbidden]
    again = [p for p in unwanted if _is_again(made, p, live) and made[p].name not in repeatable]
    other = [p for p in unwanted if not made[p].failed and p not in again and not _is_again(made, p, live)]
    findings += [_said_again(made, place) for place in [*again, *sorted(repeated)]]
    extra = [] if wanted.extra else [p for p in other if not any(f.kind == "unknown_tool" for f in broken.get(p, ()))]
    findings += [Finding("extra_call", f"nobody wanted {made[p].told}", p + 1) for p in extra]
    kept, asked = _in_order(pairs, wanted.calls), len(pairs) + len(missing)
    if wanted.order == "exact" and len(kept) < len(pairs):
        late = [place for place in sorted(pairs) if place not in kept]
        said = f"stands at another place than wanted ({', '.join(one.name for one in wanted.calls)})"
        findings += [Finding("wrong_order", f"{made[p].name} {said}", p + 1) for p in late]
    right = sum(right for right, _, _ in compared.values())
    looked_at = sum(count for _, count, _ in compared.values()) + sum(len(one.arguments or {}) for one in missing)
    whole = asked + (0 if wanted.extra else len(other)) + len(again) + len(forbidden)
    return Judgement(
        findings=_sorted(findings),
        calls=len(made),
        name=len(pairs) / whole if whole else 1.0,
        arguments=right / looked_at if looked_at else None,
        order=None if wanted.order == "any" else len(kept) / asked if asked else 1.0,
        adherence=adherence,
    )


def _sorted(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.call is None, one.call or 0))


def _wanted(one: ExpectedCall) -> str:
    return one.name if one.arguments is None else MadeCall(one.name, dict(one.arguments)).told


def _forbidden(call: MadeCall, wanted: Expectation | None) -> str:
    """Why a call is forbidden; empty where it is not."""
    for one in wanted.forbidden if wanted is not None else ():
        given = call.arguments if isinstance(call.arguments, Mapping) else {}
        named = one.arguments or {}
        if one.name == call.name and all(name in given and fits(given[name], value) for name, value in named.items()):
            return f"{call.told} is forbidden"
    return ""


def _attempts(made: Sequence[MadeCall]) -> tuple[set[int], set[int]]:
    """Calls that failed and were made again alike, and of those the ones that were one attempt too many."""
    retried: set[int] = set()
    repeated: set[int] = set()
    for place, call in enumerate(made):
        if not call.failed:
            continue
        later = [p for p in range(place + 1, len(made)) if _same_call(made[p], call)]
        if later:
            retried.add(place)
            before = sum(p in retried and _same_call(made[p], call) for p in range(place))
            if before >= _ATTEMPTS - 1:
                repeated.add(place)
    return retried, repeated


def _same_call(one: MadeCall, other: MadeCall) -> bool:
    return one.name == other.name and alike(one.arguments, other.arguments)


def _is_again(made: Sequence[MadeCall], place: int, live: Sequence[int]) -> bool:
    """Whether a call was made alike elsewhere."""
    return any(other != place and _same_call(made[other], made[place]) for other in live)


def _again(made: Sequence[MadeCall], live: Sequence[int], repeatable: Collection[str]) -> Iterator[int]:
    for number, place in enumerate(live):
        if made[place].name not in repeatable and any(_same_call(made[p], made[place]) for p in live[:number]):
            yield place


def _said_again(made: Sequence[MadeCall], place: int) -> Finding:
    return Finding("repeated_call", f"{made[place].told} was made more than once", place + 1)


def _pairs(made: Sequence[MadeCall], live: Sequence[int], wanted: Sequence[ExpectedCall]) -> dict[int, int]:
    """Which call stands for which wanted one: of one name, and such that as many arguments as possible fit."""
    if not live or not wanted:
        return {}
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    worth = np.zeros((len(live), len(wanted)))
    span = 1.0 / (10.0 * (len(live) + len(wanted)))
    for row, place in enumerate(live):
        for own, one in enumerate(wanted):
            if made[place].name == one.name:
                right, looked_at, _ = _arguments(made[place], one, None)
                share = right / looked_at if looked_at else 1.0
                near = span * (1.0 - abs(row / len(live) - own / len(wanted)))
                worth[row, own] = 2.0 - one.optional - 0.5 * made[place].failed + share + near
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {live[row]: int(own) for row, own in zip(rows, columns, strict=True) if worth[row, own] > 0}


def _arguments(call: MadeCall, wanted: ExpectedCall, tools: Tools | None) -> tuple[int, int, list[tuple[str, str]]]:
    """How many arguments fit, of how many, and what those that do not are."""
    if wanted.arguments is None:
        return 0, 0, []
    if not isinstance(call.arguments, Mapping):
        said = f"{call.name}: arguments are {str(call.arguments)[:80]!r}, expected {dict(wanted.arguments)}"
        return 0, max(1, len(wanted.arguments)), [("", said)]
    given, right, looked_at, differing = call.arguments, 0, 0, []
    for name, value in wanted.arguments.items():
        matcher = matcher_of(value)
        if name not in given and (matcher in ("$optional", "$ignored") or _is_default(tools, call.name, name, value)):
            continue
        looked_at += 1
        if name not in given:
            differing.append((name, f"{call.name}: {name} is not given, expected {_shown(value)}"))
        elif fits(given[name], value):
            right += 1
        else:
            differing.append((name, f"{call.name}: {name} is {_shown(given[name])}, expected {_shown(value)}"))
    for name in given:
        if name not in wanted.arguments and not _is_default(tools, call.name, name, given[name]):
            looked_at += 1
            differing.append((name, f"{call.name}: {name} is {_shown(given[name])}, and nobody wanted it"))
    return right, looked_at, differing


def _is_default(tools: Tools | None, tool: str, argument: str, value: Any) -> bool:
    default = tools.default(tool, argument) if tools is not None else ...
    return default is not ... and fits(default, value)


def _shown(value: Any) -> str:
    told = repr(value)
    return told if len(told) <= 80 else f"{told[:80]}…"


def _in_order(pairs: Mapping[int, int], wanted: Sequence[ExpectedCall]) -> set[int]:
    """The most calls that stand in the wanted order: a longest sequence of places that never falls."""
    ends: list[int] = []
    holders: list[int] = []
    before: dict[int, int | None] = {}
    for place in sorted(pairs):
        value = wanted[pairs[place]].place
        at = bisect_right(ends, value)
        before[place] = holders[at - 1] if at else None
        ends[at : at + 1], holders[at : at + 1] = [value], [place]
    found: set[int] = set()
    last = holders[-1] if holders else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
