"""What canaries are compared with: the first looks at a champion, or those since a person began a reference anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from driftgate.ledger import Ledger, find_run
from driftgate.monitor._answers import by_themselves, canary_frame, in_order, period_of
from driftgate.monitor._conclude import Compared, compare_canaries, fit_for_reference, nothing_to_lose
from driftgate.monitor.drift import Look, Windows, look
from driftgate.monitor.looks import Conclusion, first_compared, pin_reference, pinned_reference, reference_candidates
from driftgate.monitor.pooling import CHOOSING, WINDOWS, grown, windows_of
from driftgate.monitor.rereference import how_to_begin_anew

if TYPE_CHECKING:
    import pandas as pd

_OF_PROBE = {"canary_agreement": "few_changed"}


def reference_runs(ledger: Ledger, monitor: str, name: str, looks: int, smallest: float) -> tuple[str, ...]:
    """The runs of a reference; they are pinned as soon as there are enough that measured the canaries."""
    if pinned := pinned_reference(ledger, monitor, name):
        return pinned
    fit = _fit(ledger, monitor, name, smallest)[:looks]
    return pin_reference(ledger, monitor, name, fit) if len(fit) == looks else ()


def grown_reference(
    ledger: Ledger, monitor: str, name: str, pinned: Sequence[str], most: int, *, before: int | None = None
) -> tuple[str, ...]:
    """The runs of a reference with those of the looks that it has taken in since, in their order.

    What it takes in is decided by how many looks there were before the first alert, and by nothing that they found.
    Each time that it has grown, its runs are pinned beside those of before.

    Parameters
    ----------
    most
        How many looks it has at most.
    before
        The id of a look; only those that came before it.
    """
    looks = first_compared(ledger, monitor, name, most + WINDOWS[-1], before=before)
    moved = next((place for place, (_, result) in enumerate(looks) if result == "moved"), len(looks))
    further = grown(len(pinned), moved, most)
    if not further:
        return tuple(pinned)
    runs = (*pinned, *(run for run, _ in looks[:further]))
    return pin_reference(ledger, monitor, f"{name}+{further}", runs)


def _fit(ledger: Ledger, monitor: str, name: str, smallest: float) -> list[str]:
    fit: list[str] = []
    for row in reference_candidates(ledger, monitor, name):
        # A look that was made before results were kept is judged now.
        if row.conclusion is None:
            answers = canary_frame(ledger, find_run(ledger, row.run_id))
            if fit_for_reference(answers, smallest).result != "reference":
                continue
        fit.append(row.run_id)
    return fit


def take_for_reference(
    ledger: Ledger,
    monitor: str,
    name: str,
    answers: pd.DataFrame,
    *,
    looks: int,
    smallest: float,
    floors: Mapping[str, float] | None,
    level: float,
) -> Compared:
    """What a look comes to while its reference is made: another look of it, or a loss that shows already.

    The newest look, and the last four where there are as many before, are compared with those before them: a loss that
    is large enough is found however early it comes. Looks that are better than those before are no reference with them
    either: which of the two is right is for a person to say.

    Parameters
    ----------
    level
        Of the comparison in each of the two directions.
    """
    earlier = [canary_frame(ledger, find_run(ledger, run)) for run in _fit(ledger, monitor, name, smallest)]
    fit = fit_for_reference(answers, smallest)
    told = f"look {len(earlier) + 1} of the {looks} that are the reference"
    if not earlier:
        return Compared(Conclusion("reference", told) if fit.result == "reference" else fit)

    def worse(current: Sequence[pd.DataFrame]) -> Look:
        return _compare([*earlier, *current], floors, level, forwards=True)

    import pandas as pd

    before = pd.concat(earlier, ignore_index=True)
    number, anew = len(earlier) + 1, how_to_begin_anew(monitor)
    found = compare_canaries(before, answers, worse, smallest=smallest, number=number, anew=anew)
    if found.conclusion.result == "moved":
        return found
    if fit.result != "reference" or found.conclusion.result == "unmeasurable":
        return Compared(fit if fit.result != "reference" else found.conclusion, found.look)
    if _compare([*earlier, answers], floors, level, forwards=False).alerts:
        was, is_ = (float(frame["correct"].mean()) for frame in (before, answers))
        shares = f"this look has {is_:.0%} of its canaries right and the reference before it {was:.0%}"
        remedy = f"look again; where it stays so, {anew} begins a reference anew"
        told = f"{shares}: they are no reference together"
        return Compared(Conclusion("unmeasurable", told, remedy, "reference_unclear"), found.look)
    many = f"the {len(earlier)} before it" if len(earlier) > 1 else "the one before it"
    seen = "canaries are too few to tell yet" if found.conclusion.result == "inconclusive" else f"no worse than {many}"
    seen = nothing_to_lose(before, smallest) or seen
    return replace(found, conclusion=Conclusion("reference", f"{told}: {seen}"))


def pooled_look(
    reference: Sequence[pd.DataFrame],
    current: Sequence[pd.DataFrame],
    floors: Mapping[str, float] | None,
    level: float,
    pinned: int | None = None,
    *,
    probe: bool = False,
) -> Look:
    """Compare the newest look, and as many as the windows pool, with the reference.

    Parameters
    ----------
    current
        The answers of looks, the newest last.
    pinned
        How many looks of the reference were pinned as such: where it has grown, these are compared with as well.
    probe
        Whether few canaries are asked several times: then it is also tested whether a few of them answer otherwise.
    """
    import pandas as pd

    ordered = in_order(by_themselves([*reference, *current], len(reference)))
    references = sorted({len(reference), pinned or len(reference)}, reverse=True)
    windows = [
        Windows(
            "canaries",
            period_of(ordered[:looks]),
            period_of(ordered[-pooled:]),
            pooled,
            choosing=period_of(ordered[:CHOOSING]) if looks >= 2 * CHOOSING else None,
        )
        for looks in references
        for pooled in windows_of(len(current))
    ]
    detectors = _OF_PROBE if probe else None
    answers = pd.concat(ordered, ignore_index=True)
    return look(windows, canaries=answers, detectors=detectors, floors=floors, alpha=level)


def _compare(
    frames: Sequence[pd.DataFrame], floors: Mapping[str, float] | None, level: float, *, forwards: bool
) -> Look:
    """Compare the last looks with those before, or the other way round."""
    import pandas as pd

    ordered = in_order(by_themselves(frames, len(frames)))
    windows = []
    for pooled in windows_of(len(ordered) // 2):
        before, now = period_of(ordered[:-pooled]), period_of(ordered[-pooled:])
        windows.append(Windows("canaries", before, now, pooled) if forwards else Windows("canaries", now, before))
    return look(windows, canaries=pd.concat(ordered, ignore_index=True), floors=floors, alpha=level)
