"""``macro``: as ``asked``, with every category weighing the same."""

from benchmarks.conventions._convention import Convention

CONVENTION = Convention("macro", "as asked, averaged over categories instead of samples", averaging="macro")
