"""Which node moved: the difference between two configurations of one flow, split over the nodes that differ."""

from benchmarks.attribution._shapley import EXACT_AT_MOST, Design, exact_design, plan_design, sampled_design

__all__ = ["EXACT_AT_MOST", "Design", "exact_design", "plan_design", "sampled_design"]
