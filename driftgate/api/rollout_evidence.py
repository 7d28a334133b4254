"""What says that a deployment does well at its share of the traffic: its answers, its calls, and the monitors' alerts.

Each part is a verdict of its own, and only a part that looked at the deployment and found it well is a ``pass``. Worse
evidence never helps: a wrong answer, a failed call or an alert more, or a look less, brings none of them nearer to a
pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from driftgate.benchmarks.stats import inferiority_unpaired, noninferiority_unpaired
from driftgate.finetune.deploy import Judged
from driftgate.ledger import Ledger
from driftgate.monitor.watch import alerts_of

if TYPE_CHECKING:
    import pandas as pd

_UNASKED = ("failed", "missing")
"""Outcomes that say nothing of what the model would have answered."""
_OTHERS_DOING = ("input", "prompt")
"""Causes of an alert that no deployment can be blamed for."""
_EVERY_ALERT = 10_000
_BEFORE = timedelta(days=1)


def same_answers(now: pd.DataFrame, before: pd.DataFrame, needed: float, what: str) -> Judged:
    """Whether questions are answered as they were before.

    An answer that differs, or is not there by the model's own doing, counts against it. A question that could not be
    asked, then or now, is taken at its worst for a ``pass`` and at its best for a ``fail``; where it alone could turn
    the verdict, that is ``unmeasurable``.

    Parameters
    ----------
    now, before : pandas.DataFrame
        Outcomes by ``key``; see :func:`driftgate.ledger.outcome_frame`. What ``now`` was not asked is left out.
    needed : float
        Share of the questions asked now that must be answered as before.
    what : str
        What the questions are, in the plural.

    Examples
    --------
    >>> import pandas as pd
    >>> def asked(*answers):
    ...     outcome = ["answered" if answer else "failed" for answer in answers]
    ...     return pd.DataFrame({"key": range(len(answers)), "outcome": outcome, "answer": answers})
    >>> same_answers(asked("A", "B", "C", "D"), asked("A", "B", "C", "A"), 0.75, "canaries")
    Judged(verdict='pass', reason='3 of 4 canaries are answered as before')
    >>> same_answers(asked("A", "B", None, "D"), asked("A", "B", "C", "A"), 0.75, "canaries").verdict
    'unmeasurable'
    >>> same_answers(asked("A", "B", None, "D"), asked("A", "C", "C", "A"), 0.75, "canaries").reason
    '1 of 4 canaries are answered as before, 1 could not be asked; at least 75% are needed'
    """
    if now.empty:
        return Judged("unmeasurable", f"there are no {what} to ask")
    columns = ["key", "outcome", "answer"]
    both = now[columns].merge(before[columns], on="key", how="left", suffixes=("", "_before"))
    unknown = both["outcome"].isin(_UNASKED) | both["outcome_before"].fillna("missing").isin(_UNASKED)
    same = both["answer"].notna() & (both["answer"] == both["answer_before"]) & ~unknown
    told = f"{same.sum()} of {len(now)} {what} are answered as before"
    told += f", {unknown.sum()} could not be asked" if unknown.any() else ""
    if same.sum() / len(now) >= needed:
        return Judged("pass", told)
    possible = (same.sum() + unknown.sum()) / len(now)
    return Judged("fail" if possible < needed else "unmeasurable", f"{told}; at least {needed:.0%} are needed")


def calls_no_worse(calls: pd.DataFrame, before: pd.DataFrame, names: Collection[str], margin: float) -> Judged:
    """Whether production fares no worse, by telemetry, since a deployment has its share of it.

    A call that failed does not say which deployment failed it, so all calls are compared with those from before the
    rollout: the share of those that failed, were refused or could not be made sense of, by Farrington and Manning's
    tests against the margin. That the deployment is among them is seen by the name it answers under.

    Parameters
    ----------
    calls, before : pandas.DataFrame
        Telemetry since the deployment has its share, and from before any request could reach it; the columns
        ``response_model``, ``error``, ``refused`` and ``unparsed`` of :func:`driftgate.monitor.telemetry.frame`.
    names : collection of str
        What the deployment calls itself in its replies. Where it does not, or as those before it did, its calls cannot
        be told from theirs, and the service's word that it has its share of them must do.
    margin : float
        By how much the share may rise.

    Examples
    --------
    >>> import pandas as pd
    >>> def called(fine, failed):
    ...     error = [""] * fine + ["500"] * failed
    ...     return pd.DataFrame({"response_model": "phi-2", "error": error, "refused": 0.0, "unparsed": 0.0})
    >>> calls_no_worse(called(495, 5), called(1980, 20), {"phi-2"}, 0.02).verdict
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
    n, bad, n_before, bad_before = len(calls), _bad(calls), len(before), _bad(before)
    told = (
        f"{bad:,} of {n:,} calls failed, were refused or not understood, {bad_before / n_before:.1%} of {n_before:,} "
        "before"
    )
    if inferiority_unpaired(n - bad, n, n_before - bad_before, n_before, margin).shown:
        return Judged("fail", told)
    if names and not calls["response_model"].isin(names).any():
        return Judged("unmeasurable", f"none of {n:,} calls in telemetry was answered by {', '.join(sorted(names))}")
    if noninferiority_unpaired(n - bad, n, n_before - bad_before, n_before, margin).shown:
        return Judged("pass", told)
    return Judged("inconclusive", f"{told}: too few to exclude a rise by {100 * margin:g} points")


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


def _bad(calls: pd.DataFrame) -> int:
    return int(((calls["error"] != "") | (calls["refused"] == 1) | (calls["unparsed"] == 1)).sum())
