"""The gate: rules over scores, four verdicts, each with its reason.

Which errors are controlled
---------------------------
A gate passes only if every check (rule and cell) passes. To pass a bad model, each check that it truly breaks must be
passed wrongly, so testing each at its own ``alpha`` keeps the chance of a wrong pass at ``alpha`` for the whole gate:
an intersection-union test [1]_, which needs no correction. A gate fails if any check fails; a good model meets many
chances to fail by accident, so the p-values against the rules are corrected by Holm [2]_ over all checks of the gate,
which keeps the chance of even one wrong failure at ``alpha``. What neither shows is ``inconclusive``. Where a rule is
about every slice the same holds within it: all must be shown for a pass, and against them the p-values are corrected
by Benjamini and Hochberg [3]_ (or Holm) before any is named; the least of them, Simes' p-value, joins the gate's.

Missing values never help: a rule passes with all of them at their worst, and fails only with all of them at their
best. Where they alone could turn the verdict it is ``unmeasurable``.

References
----------
.. [1] Berger (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
.. [2] Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
   65-70.
.. [3] Benjamini, Hochberg (1995). Controlling the false discovery rate. Journal of the Royal Statistical Society B 57,
   289-300.
"""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.benchmarks.gate._columns import Column
    from driftgate.benchmarks.gate._config import (
        ANCHOR,
        BASELINE,
        CHAMPION,
        COUNTED,
        LATENCIES,
        PREVIOUS,
        GateConfig,
        RuleConfig,
    )
    from driftgate.benchmarks.gate._corrected import LABELS_WANTED
    from driftgate.benchmarks.gate._evidence import Evidence, over_slices, weigh
    from driftgate.benchmarks.gate._judge import judge
    from driftgate.benchmarks.gate._path import Path
    from driftgate.benchmarks.gate._reasons import decide
    from driftgate.benchmarks.gate._sequential import AT_LOOKS, Asked, weigh_at_looks
    from driftgate.benchmarks.gate._stops import GateStops, check_stops
    from driftgate.benchmarks.gate._verdict import EXIT_CODES, GRAVITY, Drift, GateVerdict, RuleVerdict, Verdict
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ANCHOR",
    "AT_LOOKS",
    "BASELINE",
    "CHAMPION",
    "COUNTED",
    "EXIT_CODES",
    "GRAVITY",
    "LABELS_WANTED",
    "LATENCIES",
    "PREVIOUS",
    "Asked",
    "Column",
    "Drift",
    "Evidence",
    "GateConfig",
    "GateStops",
    "GateVerdict",
    "Path",
    "RuleConfig",
    "RuleVerdict",
    "Verdict",
    "check_stops",
    "decide",
    "judge",
    "over_slices",
    "weigh",
    "weigh_at_looks",
]
