"""``asked-ko-v2``: as ``asked``, with replies read as runs before the rule set ``ko-v3`` were read."""

from driftgate.benchmarks.conventions._convention import Convention

CONVENTION = Convention("asked-ko-v2", "as asked, replies read by the rule set ko-v2", rule_set="ko-v2")
