"""Statistics for scores of models: intervals, comparisons, margins, power. Pure functions of arrays and counts.

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
    from ._bounded import BoundedMean, bounded_mean, p_difference_above
    from ._bounds import Bounds, bound_difference, bound_proportion
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
    from ._equivalence import EquivalenceTest, equivalence_means, equivalence_paired
    from ._interval import Interval
    from ._intervals import clustered_interval, macro_interval, mean_interval, quantile_interval, wilson_interval
    from ._margin import (
        OneSidedTest,
        inferiority_means,
        inferiority_paired,
        inferiority_unpaired,
        noninferiority_means,
        noninferiority_paired,
        noninferiority_unpaired,
        one_sided_mean,
    )
    from ._margin_power import (
        minimum_detectable_effect_threshold,
        power_above_paired,
        sample_size_noninferiority_paired,
        sample_size_noninferiority_unpaired,
        sample_size_threshold,
        smallest_margin_paired,
    )
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
        above_threshold_clustered,
        below_threshold,
        below_threshold_clustered,
        mean_above_threshold,
        mean_below_threshold,
    )
    from ._unpaired import compare_unpaired, compare_unpaired_means
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Bootstrapped",
    "BoundedMean",
    "Bounds",
    "ClusterMean",
    "Comparison",
    "EquivalenceTest",
    "Interval",
    "OneSidedTest",
    "PairedBootstrap",
    "PairedTable",
    "above_threshold",
    "above_threshold_clustered",
    "below_threshold",
    "below_threshold_clustered",
    "benjamini_hochberg",
    "bootstrap_mean",
    "bootstrap_paired",
    "bound_difference",
    "bound_proportion",
    "bounded_mean",
    "cluster_mean",
    "clustered_interval",
    "compare_macro",
    "compare_means",
    "compare_paired",
    "compare_table",
    "compare_unpaired",
    "compare_unpaired_means",
    "design_effect",
    "equivalence_means",
    "equivalence_paired",
    "holm",
    "inferiority_means",
    "inferiority_paired",
    "inferiority_unpaired",
    "macro_interval",
    "mcnemar_exact",
    "mean_above_threshold",
    "mean_below_threshold",
    "mean_interval",
    "minimum_detectable_effect_paired",
    "minimum_detectable_effect_threshold",
    "minimum_detectable_effect_unpaired",
    "noninferiority_means",
    "noninferiority_paired",
    "noninferiority_unpaired",
    "one_sided_mean",
    "p_difference_above",
    "paired_table",
    "paired_tables",
    "power_above_paired",
    "power_paired",
    "quantile_interval",
    "resample_mean",
    "resample_tables",
    "sample_size_noninferiority_paired",
    "sample_size_noninferiority_unpaired",
    "sample_size_paired",
    "sample_size_threshold",
    "sample_size_unpaired",
    "smallest_margin_paired",
    "tango_interval",
    "wilson_interval",
]
