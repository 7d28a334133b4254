"""The HTML report that an alert links to: current against reference window, column by column, drawn by evidently.

evidently draws here and does not decide; what drifted is said by `driftgate.monitor.drift`. By itself its page would
say so too, by tests that raise alarms where nothing changed (its ``chisquare`` takes the reference window for the
truth, its fixed thresholds fit large windows only). So it is given calibrated two-sample tests, and a level shared
over the columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from driftgate.flows.private_text import write_text

NUMERIC = ("latency", "input_tokens", "output_tokens", "output_chars")
CATEGORICAL = (
    "slice",
    "response_model",
    "fingerprint",
    "prompt_hash",
    "finish_reason",
    "error",
    "refused",
    "addressed",
    "unparsed",
    "answer",
    "correct",
)
_MOST_CATEGORIES = 20
_MOST_ROWS = 20_000
_OTHER = "(other)"
_LEVEL = 0.05


def write_evidence(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    path: Path,
    *,
    numeric: Sequence[str] = NUMERIC,
    categorical: Sequence[str] = CATEGORICAL,
    seed: int = 0,
) -> Path:
    """Write the report.

    It takes seconds to import evidently and some more to draw. The page holds all it needs: it opens without a
    network. Texts and their n-grams are not in it.

    Parameters
    ----------
    reference, current
        Rows of the two windows, of telemetry or of canary answers. Of more than 20,000 a side that many are drawn.
    path
        The file to write, whole or not at all.
    numeric, categorical
        Columns to draw; those that a frame lacks, that are empty on a side, or of one category throughout, are left
        out. Categories beyond the
        20 most frequent are drawn as one.
    seed
        Of the rows drawn.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ValueError
        No column has values on both sides.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    reference, current = _drawn(reference, seed), _drawn(current, seed)
    numbers = [c for c in numeric if _known(reference, c) and _known(current, c)]
    # What is the same throughout fills evidently's first ten rows, where it lists what moved last.
    categories = [
        c
        for c in categorical
        if _known(reference, c) and _known(current, c) and pd.concat([reference[c], current[c]]).nunique() > 1
    ]
    if not numbers and not categories:
        raise ValueError(
            f"none of the columns {', '.join((*numeric, *categorical))} has values in both windows: of "
            f"{len(reference)} reference and {len(current)} current rows nothing can be drawn."
        )
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    kept = {column: _frequent(reference[column], current[column]) for column in categories}
    datasets = [
        Dataset.from_pandas(
            pd.DataFrame(
                {column: frame[column].astype(float) for column in numbers}
                | {column: _shown(frame[column], kept[column]) for column in categories}
            ),
            data_definition=definition,
        )
        for frame in (current, reference)
    ]
    columns = [*numbers, *categories]
    preset = DataDriftPreset(
        columns=columns,
        num_method="ks",
        cat_method=_registered(),
        threshold=_LEVEL / len(columns),
        drift_share=math.floor(100 / len(columns)) / 100,
    )
    report = Report([preset], include_tests=False)
    page = report.run(*datasets).get_html_str(as_iframe=False)
    write_text(path, page)
    return path


def chi_square(
    reference: pd.Series[Any], current: pd.Series[Any], feature_type: object, threshold: float
) -> tuple[float, bool]:
    """Pearson's chi-square test of two windows' categories, in the form evidently asks for.

    Examples
    --------
    >>> before, now = pd.Series(["stop"] * 95 + ["length"] * 5), pd.Series(["stop"] * 80 + ["length"] * 20)
    >>> p_value, drifted = chi_square(before, now, None, 0.05)
    >>> round(p_value, 4), drifted
    (0.0013, True)
    """
    from scipy import stats

    table = pd.concat([reference.value_counts(), current.value_counts()], axis=1).fillna(0.0).to_numpy()
    p_value = float(stats.chi2_contingency(table, correction=False).pvalue) if len(table) > 1 else 1.0
    return p_value, p_value < threshold


def _registered() -> str:
    """Make the test known to evidently, once, by a name: a metric's method is one."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    test = StatTest("two_sample_chi_square", "two-sample chi-square p_value", [ColumnType.Categorical])
    register_stattest(test, default_impl=chi_square)
    return str(test.name)


def _known(frame: pd.DataFrame, column: str) -> bool:
    return column in frame.columns and bool(frame[column].notna().any())


def _drawn(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    return frame.sample(_MOST_ROWS, random_state=seed) if len(frame) > _MOST_ROWS else frame


def _frequent(reference: pd.Series[Any], current: pd.Series[Any]) -> set[str]:
    counts = pd.concat([reference, current]).dropna().astype(str).value_counts()
    return set(counts.index[:_MOST_CATEGORIES])


def _shown(values: pd.Series[Any], kept: set[str]) -> pd.Series[Any]:
    known = values.dropna().astype(str)
    frequent = known.where(known.isin(kept), _OTHER).replace("", "(none)")
    # evidently writes values into a script element unescaped, and telemetry's values are anybody's: "</script>" would
    # end it there and then.
    return frequent.str.translate({ord("<"): "‹", ord(">"): "›"}).reindex(values.index)
