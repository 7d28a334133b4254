"""Which model answers the calls that answered none of the reference: the provider may have put another in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MANY = 0.1
"""The share of the calls that tell who answered from which one that is new is named."""


def newly_answering(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Which model answers many calls and answered none of the reference, in words; empty where none does.

    Examples
    --------
    >>> import pandas as pd
    >>> was = pd.DataFrame({"response_model": ["m-2026-01"] * 30})
    >>> newly_answering(was, pd.DataFrame({"response_model": ["m-2026-01"] * 10 + ["m-2026-05"] * 20}))
    '67% of the calls are answered by m-2026-05, which answered none of the reference'
    >>> newly_answering(was, was)
    ''
    """
    column = "response_model"
    if column not in before.columns or column not in now.columns:
        return ""
    known, told = ({str(one) for one in before[column].dropna()} - {""}), now[column].dropna()
    told = told[told != ""]
    if not known or told.empty:
        return ""
    shares = told[~told.isin(known)].value_counts() / len(told)
    new = [f"{share:.0%} of the calls are answered by {name}" for name, share in shares.items() if share >= _MANY]
    return f"{' and '.join(new)}, which answered none of the reference" if new else ""
