"""The rule sets of the choice extractor: data only, read by :mod:`driftgate.flows.extraction._read`.

A reply is read in two steps, and a rule set is a table for each:

* a `Place` says where in a reply an answer may stand (inside ``<answer>``, after ``정답은``, on the first line, ...);
  its pattern's group ``said`` is what stands there. Places are tried in the order of the table.
* a `Form` says how a choice can be spelled there (``B``, ``B: 서울``, ``③``, ``3번``, the choice's text).

The rule an extraction reports is ``place/form``, for example ``declared/circled``. Patterns see the text after NFKC;
circled digits are the private-use characters of :data:`driftgate.flows.extraction._normalise.CIRCLED_FIRST`.
Repetitions are bounded, possessive or unable to match what follows them, so that the time grows linearly with the
reply.

To change how replies are read, add a rule set under a new name; an existing one must keep giving what it gave, because
stored scores carry its name and hash.
"""

from __future__ import annotations

from functools import cache

from driftgate.flows.extraction._rule_set import CompiledRules, Form, Place, RuleSet, fill_in
from driftgate.flows.extraction.ko_v1 import KO_V1
from driftgate.flows.extraction.ko_v2 import KO_V2
from driftgate.flows.extraction.ko_v3 import KO_V3

__all__ = ["DEFAULT", "KO_V1", "KO_V2", "KO_V3", "RULE_SETS", "CompiledRules", "Form", "Place", "RuleSet", "compiled"]

RULE_SETS = {rule_set.name: rule_set for rule_set in (KO_V1, KO_V2, KO_V3)}
DEFAULT = KO_V3.name
"""What replies are read by where no other set is named."""


@cache
def compiled(name: str) -> CompiledRules:
    """Compile the rule set called `name`; once per process."""
    return fill_in(RULE_SETS[name])
