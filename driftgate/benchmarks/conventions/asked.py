"""``asked``, the default: every sample asked for counts, answered or not."""

from driftgate.benchmarks.conventions._convention import Convention

CONVENTION = Convention("asked", "everything asked for counts; what was not answered is wrong")
