"""Statistics for scores of models: intervals, comparisons, limits, power. Pure functions of arrays and counts.

Conventions
-----------
Proportions and differences are fractions (two points are 0.02); a difference is the candidate's less the reference's.
Malformed input (NaN, an outcome other than 0 and 1, impossible counts, unequal lengths) raises ValueError. Too little
data (no samples, one cluster, nothing that varies) gives a result whose limits and p-value are None and whose `reason`
says why. What is random takes a `seed` and gives the same numbers again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from ._betting import Bets, bets, betting_interval
    from ._bounded import BoundedMean, bounded_mean, p_difference_above
    from ._cluster import ClusterMean, cluster_mean, design_effect
    from ._comparison import (
        Comparison,
        compare_macro,
        compare_means,
        compare_paired,
        compare_table,
        mcnemar_exact,
        tango_interval,
    )
    from ._corrected import CorrectedRate, Labelled, corrected_rate
    from ._interval import Bounds, Interval
    from ._intervals import clustered_interval, macro_interval, mean_interval, quantile_interval, wilson_interval
    from ._margin import OneSidedTest, one_sided_mean
    from ._multiplicity import benjamini_hochberg, holm
    from ._power import (
        minimum_detectable_effect_paired,
        minimum_detectable_effect_unpaired,
        power_paired,
        sample_size_paired,
        sample_size_unpaired,
    )
    from ._resample import (
        Bootstrapped,
        PairedBootstrap,
        bootstrap_mean,
        bootstrap_paired,
        resample_mean,
        resample_tables,
    )
    from ._table import PairedTable, paired_table, paired_tables
    from ._threshold import (
        above_threshold,
        below_threshold,
        minimum_detectable_effect_threshold,
        sample_size_threshold,
    )
    from ._unpaired import compare_unpaired, compare_unpaired_means
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Bets",
    "Bootstrapped",
    "BoundedMean",
    "Bounds",
    "ClusterMean",
    "Comparison",
    "CorrectedRate",
    "Interval",
    "Labelled",
    "OneSidedTest",
    "PairedBootstrap",
    "PairedTable",
    "above_threshold",
    "below_threshold",
    "benjamini_hochberg",
    "bets",
    "betting_interval",
    "bootstrap_mean",
    "bootstrap_paired",
    "bounded_mean",
    "cluster_mean",
    "clustered_interval",
    "compare_macro",
    "compare_means",
    "compare_paired",
    "compare_table",
    "compare_unpaired",
    "compare_unpaired_means",
    "corrected_rate",
    "design_effect",
    "holm",
    "macro_interval",
    "mcnemar_exact",
    "mean_interval",
    "minimum_detectable_effect_paired",
    "minimum_detectable_effect_threshold",
    "minimum_detectable_effect_unpaired",
    "one_sided_mean",
    "p_difference_above",
    "paired_table",
    "paired_tables",
    "power_paired",
    "quantile_interval",
    "resample_mean",
    "resample_tables",
    "sample_size_paired",
    "sample_size_threshold",
    "sample_size_unpaired",
    "tango_interval",
    "wilson_interval",
]
