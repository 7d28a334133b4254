"""``macro``: as ``asked``, with every category weighing the same."""

from driftgate.benchmarks.conventions._convention import Convention

CONVENTION = Convention("macro", "as asked, averaged over categories instead of samples", averaging="macro")
