"""Which node moved: the difference between two configurations of one flow, split over the nodes that differ."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.benchmarks.attribution._attribute import Attribution, attribute
    from driftgate.benchmarks.attribution._coalitions import Coalition, Together, coalition_table, found_together
    from driftgate.benchmarks.attribution._configuration import (
        NodeConfiguration,
        Player,
        common_order,
        node_configurations,
        players,
    )
    from driftgate.benchmarks.attribution._contributions import REPEAT, Contribution, SampleShare, mean_within
    from driftgate.benchmarks.attribution._replay import Counts, Side
    from driftgate.benchmarks.attribution._shapley import (
        EXACT_AT_MOST,
        Design,
        exact_design,
        plan_design,
        sampled_design,
    )
    from driftgate.benchmarks.attribution._sides import check_unchanged, open_side
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "EXACT_AT_MOST",
    "REPEAT",
    "Attribution",
    "Coalition",
    "Contribution",
    "Counts",
    "Design",
    "NodeConfiguration",
    "Player",
    "SampleShare",
    "Side",
    "Together",
    "attribute",
    "check_unchanged",
    "coalition_table",
    "common_order",
    "exact_design",
    "found_together",
    "mean_within",
    "node_configurations",
    "open_side",
    "plan_design",
    "players",
    "sampled_design",
]
