"""What says that a deployment does well at its share of the traffic: its answers, its calls, and the monitors' alerts.

Each part is a verdict of its own, and only a part that looked at the deployment and found it well is a ``pass``. Worse
evidence never helps: a wrong answer, a failed call or an alert more, or a look less, brings none of them nearer to a
pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from driftgate.finetune.deploy import Judged, gravest
from driftgate.ledger import Ledger
from driftgate.monitor.watch import alerts_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

RISK = 0.05
"""Of a whole rollout: how often, at most, a deployment that is no worse is taken back; and how often one passes a share
although calls are worse by the whole margin at it."""
_MOST = 0.5
"""Of a deployment's own calls: a rise by as much is to be excluded at any share."""
ROUNDS = 12
"""How often questions are asked at most at one share."""
_AT_ONCE = 2
"""Rounds more than there were, in one look."""
_COLUMNS = ["key", "outcome", "answer"]
_STEADY = 0.5
"""The share of its answers that a deployment repeats at least, for anything to be told by them."""
_UNASKED = ("failed", "missing")
"""Outcomes that say nothing of what the model would have answered."""
_OTHERS_DOING = ("input", "prompt")
"""Causes of an alert that no deployment can be blamed for."""
_EVERY_ALERT = 10_000
_BEFORE = timedelta(days=1)


def same_answers(
    rounds: Sequence[pd.DataFrame],
    before: pd.DataFrame,
    unchanged: Sequence[pd.DataFrame],
    needed: float,
    what: str,
    risk: float,
) -> Judged:
    """Whether questions are answered as they were before.

    A model that samples does not answer everything alike even where nothing changed. So it must answer alike the share
    that is needed of what it does answer alike when it is asked several times; where that is less than half, answers
    say nothing. An answer that differs, or is not there by the model's own doing, counts against it. A question that
    could not be asked, then or now, is taken at its worst for a ``pass`` and at its best for a ``fail``; where it could
    turn the verdict, that is ``unmeasurable``. Too few are a ``fail`` once it is shown that something changed, question
    by question, by an exact test [1]_ whose level is spent over the rounds (a half, a sixth, a twelfth ...); until then
    they are ``inconclusive``, and asked again.

    Parameters
    ----------
    rounds : sequence of pandas.DataFrame
        Outcomes by ``key`` of each time that the questions were asked, in this order; see
        :func:`driftgate.ledger.outcome_frame`.
    before : pandas.DataFrame
        Outcomes by ``key`` of what they are compared with. What is only here is left out.
    unchanged : sequence of pandas.DataFrame
        Outcomes of other times that the same was asked as ``before``.
    needed : float
        Share of the questions asked that must be answered as before, where all are when nothing changed.
    what : str
        What the questions are, in the plural.
    risk : float
        How often, at most, a deployment in which nothing changed is ever a ``fail``.

    References
    ----------
    .. [1] Gart (1970). Point and interval estimation of the common odds ratio in the combination of 2 x 2 tables with
       fixed marginals. Biometrika 57(3), 471-475: the exact test of several tables, here one for each question.

    Examples
    --------
    >>> import pandas as pd
    >>> def asked(*answers):
    ...     outcome = ["answered" if answer else "failed" for answer in answers]
    ...     return pd.DataFrame({"key": range(len(answers)), "outcome": outcome, "answer": answers})
    >>> before, steady = asked(*"ABCA"), [asked(*"ABCA")] * 2
    >>> same_answers([asked(*"ABCD")], before, steady, 0.75, "canaries", 0.05)
    Judged(verdict='pass', reason='3 of 4 canaries are answered as before')
    >>> same_answers([asked("A", "B", None, "D")], before, steady, 0.75, "canaries", 0.05).verdict
    'unmeasurable'
    >>> same_answers([asked(*"ABBD")], before, steady, 0.75, "canaries", 0.05).reason
    '2 of 4 canaries are answered as before; 75% are needed, and chance may have done it'
    >>> same_answers([asked(*"DDDD")], before, steady, 0.75, "canaries", 0.05).reason
    '0 of 4 canaries are answered as before; 75% are needed'
    >>> same_answers([asked(*"ABBD")], before, [asked(*"ABCD")], 0.75, "canaries", 0.05).reason.partition("; ")[2]
    '56% are needed, 75% of the 75% alike when nothing changed, and chance may have done it'
    """
    import pandas as pd

    if not rounds or rounds[0].empty:
        return Judged("unmeasurable", f"there are no {what} to ask")
    both = _beside(rounds, before)
    unknown, same = ~_asked(both), _same(both)
    usual, known = 1.0, pd.DataFrame({"key": [], "same": []})
    if unchanged:
        then = _beside(unchanged, before)
        twice = then["answer"].notna() & then["answer_before"].notna()
        usual = float(_same(then)[twice].mean()) if twice.any() else 1.0
        known = then.assign(
            same=_same(then) | (_asked(then) & ~twice)
        )  # silence is no unsteadiness, and excuses none now
    within = f" (in {len(rounds)} rounds)" if len(rounds) > 1 else ""
    told = f"{same.sum()} of {len(both)} {what}{within} are answered as before"
    told += f", {unknown.sum()} could not be asked" if unknown.any() else ""
    if usual < _STEADY:
        return Judged("unmeasurable", f"{told}, {usual:.0%} when nothing changed: too few to tell anything by answers")
    if same.sum() / len(both) >= needed * usual:
        return Judged("pass", told)
    told += f"; {needed * usual:.0%} are needed"
    told += f", {needed:.0%} of the {usual:.0%} alike when nothing changed" if usual < 1 else ""
    if _p_fewer(both.assign(same=same | unknown), known) <= risk / (len(rounds) * (len(rounds) + 1)):
        return Judged("fail", told)
    if unknown.any():
        return Judged("unmeasurable", told)
    return Judged("inconclusive", f"{told}, and chance may have done it")


def _beside(rounds: Sequence[pd.DataFrame], before: pd.DataFrame) -> pd.DataFrame:
    """Every answer beside the one before to the same question."""
    import pandas as pd

    now = pd.concat([one[_COLUMNS] for one in rounds])
    return now.merge(before[_COLUMNS], on="key", how="left", suffixes=("", "_before"))


def _asked(both: pd.DataFrame) -> pd.Series[bool]:
    return ~both["outcome"].isin(_UNASKED) & ~both["outcome_before"].fillna("missing").isin(_UNASKED)


def _same(both: pd.DataFrame) -> pd.Series[bool]:
    return both["answer"].notna() & (both["answer"] == both["answer_before"]) & _asked(both)


def _p_fewer(now: pd.DataFrame, unchanged: pd.DataFrame) -> float:
    """The chance that no more answers are the ``same`` now, had each question's been drawn from all of its answers."""
    both = (one.groupby("key")["same"].agg(["sum", "size"]) for one in (now, unchanged))
    counts = next(both).join(next(both), how="inner", rsuffix="_then").astype(int)
    chances = np.ones(1)
    for alike, size, alike_then, size_then in counts.itertuples(index=False):
        chances = np.convolve(chances, _drawn(size + size_then, alike + alike_then, size))
    return min(1.0, float(chances[: counts["sum"].sum() + 1].sum()))


@cache
def _drawn(of: int, alike: int, size: int) -> NDArray[np.float64]:
    """The chances of 0, 1, ... answers alike among so many drawn, shape (size + 1,)."""
    from scipy.stats import hypergeom

    found: NDArray[np.float64] = hypergeom(of, alike, size).pmf(np.arange(size + 1))
    return found


async def ask_until_shown(
    ask: Callable[[int], Awaitable[pd.DataFrame]], judge: Callable[[Sequence[pd.DataFrame]], Judged], known: int
) -> Judged:
    """Ask in rounds until they are no longer ``inconclusive``, but only a few rounds more than there were before.

    Parameters
    ----------
    ask : callable
        Asks the n-th round, the first being 0, or gives what was answered then.
    judge : callable
        Of all rounds so far.
    known : int
        Rounds that were asked before.
    """
    rounds = [await ask(0)]
    while (judged := judge(rounds)).verdict == "inconclusive" and len(rounds) < min(max(known, 1) + _AT_ONCE, ROUNDS):
        rounds.append(await ask(len(rounds)))
    return judged


def risk_of_each(shares: int, mirrored: bool, canaries: int, telemetry: int) -> float:
    """The level of one comparison, where all of a rollout are to take one that is no worse back at most at `RISK`.

    Parameters
    ----------
    shares : int
        Steps of the live traffic.
    mirrored : bool
        Whether a step of mirrored traffic comes before.
    canaries, telemetry : int
        Monitors that ask canaries, and those that read telemetry: of each all calls and the deployment's own are
        compared.

    Examples
    --------
    >>> round(risk_of_each(3, False, 1, 1), 5)  # 1 proof, canaries before and at 3 shares, calls at 3 shares twice
    0.00455
    """
    return RISK / (1 + canaries * (1 + shares + mirrored) + 2 * telemetry * shares)


def calls_no_worse(
    calls: pd.DataFrame,
    before: pd.DataFrame,
    names: Collection[str],
    margin: float,
    *,
    share: int = 100,
    risk: float = RISK,
) -> Judged:
    """Whether production fares no worse, by telemetry, since a deployment has its share of it.

    A call that failed does not say which deployment failed it, so all calls are compared with those from before the
    rollout: the share of those that failed, were refused or could not be made sense of. Where the deployment answers
    under a name that those before it did not have, its own calls that were refused or not made sense of are compared
    too: a rise by more than the margin is harm, and to be excluded is one that a rise of all calls by the margin would
    be, 20 points of a tenth of the calls for 2 of all.

    Both may be asked as often as one likes: the share from before is taken at the end of its interval (Wilson) that is
    the worse for the verdict, and the calls since are tested by betting (`driftgate.benchmarks.stats.bets`), each at
    half the level. Whatever was shown once stays shown.

    Parameters
    ----------
    calls, before : pandas.DataFrame
        Telemetry since the deployment has its share, and from before any request could reach it, in order of time; the
        columns ``response_model``, ``error``, ``refused`` and ``unparsed`` of
        :func:`driftgate.monitor.telemetry.frame`.
    names : collection of str
        What the deployment calls itself in its replies. Where it does not, or as those before it did, its calls cannot
        be told from theirs, and the service's word that it has its share of them must do.
    margin : float
        By how much the share of all calls may rise.
    share : int
        Per cent of the calls that the deployment answers.
    risk : float
        How often, at most, calls are ever a ``fail`` that are worse by just the margin.

    Examples
    --------
    >>> import pandas as pd
    >>> def called(fine, failed):
    ...     error = [""] * fine + ["500"] * failed
    ...     return pd.DataFrame({"response_model": "phi-2", "error": error, "refused": 0.0, "unparsed": 0.0})
    >>> calls_no_worse(called(990, 10), called(1980, 20), {"phi-2"}, 0.02).verdict
    'pass'
    >>> calls_no_worse(called(20, 0), called(1980, 20), {"phi-2"}, 0.02).reason
    '0 of 20 calls failed, were refused or not understood, 1.0% of 2,000 before: too few to exclude a rise by 2 points'
    >>> calls_no_worse(called(450, 50), called(1980, 20), {"phi-2"}, 0.02).verdict
    'fail'
    """
    if calls.empty:
        return Judged("unmeasurable", "telemetry holds no call since then; see that the application still sends it")
    if before.empty:
        return Judged("unmeasurable", "telemetry holds no call from before the rollout to compare with")
    for frame, when in ((calls, "since then"), (before, "before the rollout")):
        if untold := int(frame["error"].isna().sum()):
            found = f"{untold:,} of {len(frame):,} calls {when} do not tell whether they failed"
            return Judged("unmeasurable", f"{found}; have the application write it down")
    every = _no_worse(calls, before, "calls failed, were refused or not understood", margin, margin, risk)
    if every.verdict == "fail":
        return every
    own = calls[calls["response_model"].isin(names)]
    if names and own.empty:
        found = f"none of {len(calls):,} calls in telemetry was answered by {', '.join(sorted(names))}"
        return Judged("unmeasurable", found)
    if not names or before["response_model"].isin(names).any():
        return every
    answered = before[before["error"] == ""]
    if answered.empty:
        return every
    words = f"calls answered by {', '.join(sorted(names))} were refused or not understood"
    theirs = _no_worse(own, answered, words, margin, min(margin * 100 / share, _MOST), risk)
    return gravest([every, theirs])


def _no_worse(
    calls: pd.DataFrame, before: pd.DataFrame, words: str, harm: float, excluded: float, risk: float
) -> Judged:
    """Whether the share of bad calls is shown to have risen by more than ``harm``, or by less than ``excluded``."""
    from driftgate.benchmarks.stats import bets, wilson_interval

    bad, bad_before = _bad(calls), int(_bad(before).sum())
    told = f"{int(bad.sum()):,} of {len(calls):,} {words}, {bad_before / len(before):.1%} of {len(before):,} before"
    good = bets(1.0 - bad, 0, 1)

    least = wilson_interval(len(before) - bad_before, len(before), level=1 - risk).low
    most = wilson_interval(len(before) - bad_before, len(before), level=1 - RISK).high
    if least is not None and good.p_below(least - harm)[-1] <= risk / 2:
        return Judged("fail", told)
    if most is not None and good.p_above(most - excluded)[-1] <= RISK / 2:
        return Judged("pass", told)
    return Judged("inconclusive", f"{told}: too few to exclude a rise by {100 * excluded:g} points")


def news(ledger: Ledger, monitors: Iterable[str], *, opened: datetime, exposed: datetime) -> list[Judged]:
    """Alerts of monitors since the deployment could be reached, of signals that were quiet before.

    What a monitor said already when the remediation was opened is what the deployment is to mend: it is said of the
    champion for as long as that is asked. No alert is no evidence for the deployment, and gives nothing.

    Parameters
    ----------
    opened, exposed : datetime
        When the remediation was opened, and when the first request could reach the deployment.
    """
    found = []
    for monitor in monitors:
        rows = alerts_of(ledger, monitor, limit=_EVERY_ALERT)
        known = {row.alert.signal for row in rows if opened - _BEFORE <= row.at < exposed}
        found += [
            Judged("fail", f"monitor {monitor}: {row.alert.summary}")
            for row in rows
            if row.at >= exposed and row.alert.cause not in _OTHERS_DOING and row.alert.signal not in known
        ]
    return found


def _bad(calls: pd.DataFrame) -> NDArray[np.float64]:
    """1 for each call that failed, was refused or could not be made sense of, 0 for the others; shape (n,)."""
    found = (calls["error"] != "") | (calls["refused"] == 1) | (calls["unparsed"] == 1)
    return found.to_numpy().astype(np.float64)
