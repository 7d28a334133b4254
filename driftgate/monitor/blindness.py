"""Why a look could not tell: a name for each kind of blindness, which the look itself gives.

What a person reads is the look's sentence; what programs read is this name. Nothing reads the sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from driftgate.flows.errors import DriftgateError, OutsideFault
from driftgate.flows.models import fault_in

if TYPE_CHECKING:
    import pandas as pd

Blindness = Literal[
    OutsideFault,
    "no_answers",
    "canaries_changed",
    "no_traffic",
    "traffic_lost",
    "part_silent",
    "no_content",
    "no_usage",
    "signals_untold",
    "spans_refused",
    "models_unnamed",
    "clock_wrong",
    "sampled_unevenly",
    "reference_unfit",
    "reference_unclear",
    "reference_building",
    "anchor_lost",
    "judge_fails",
    "judge_doubted",
    "grading_stopped",
    "too_few",
    "unmeasurable",
]
"""What a look lacked. ``unmeasurable`` is what has no name of its own: a defect, a workspace that is to be mended."""

_USAGE = frozenset({"input_tokens", "output_tokens"})


def of_error(problem: DriftgateError) -> Blindness:
    """What it is that a look failed with an error, by the error's class.

    Examples
    --------
    >>> from driftgate.flows.models import RateLimited
    >>> of_error(RateLimited("m: HTTP 429")), of_error(DriftgateError("there is no flow 'x'"))
    ('throttled', 'unmeasurable')
    """
    found: BaseException | None = problem
    while found is not None:
        if isinstance(found, DriftgateError) and found.fault:
            return found.fault
        found = found.__cause__
    return "unmeasurable"


def of_answers(answers: pd.DataFrame) -> Blindness:
    """What it is that answers are missing, by what became of most of them and what was said most often.

    Examples
    --------
    >>> import pandas as pd
    >>> of_answers(pd.DataFrame({"outcome": ["failed", "failed", "filtered"], "error": ["m: HTTP 401", "x", ""]}))
    'credentials_refused'
    >>> of_answers(pd.DataFrame({"outcome": ["answered", "unparsed"], "error": ["", ""]}))
    'no_answers'
    """
    gone = answers.loc[answers["outcome"] != "answered"]
    most = gone["outcome"].mode()
    if not len(most):
        return "unmeasurable"
    if most.iloc[0] == "filtered":
        return "filtered"
    if most.iloc[0] not in ("failed", "missing"):
        return "no_answers"
    faults = gone.loc[gone["outcome"] == "failed", "error"].dropna().map(fault_in)
    said = faults[faults != ""].mode()
    return said.iloc[0] if len(said) else "endpoint_down"


def of_untold(columns: set[str], texts: set[str]) -> Blindness:
    """What it is that calls do not tell signals, by the columns that these are read from.

    Parameters
    ----------
    texts : set of str
        The columns that are read from prompts and replies.

    Examples
    --------
    >>> of_untold({"output_tokens"}, {"refused"}), of_untold({"refused"}, {"refused"}), of_untold({"latency"}, set())
    ('no_usage', 'no_content', 'signals_untold')
    """
    if columns and columns <= _USAGE:
        return "no_usage"
    return "no_content" if columns and columns <= texts else "signals_untold"
