"""What a text says in words and quantities, its form aside: the one way in of the evaluators that compare texts."""

from driftgate.flows.wording._clauses import clauses
from driftgate.flows.wording._denials import Denials, denials, denies
from driftgate.flows.wording._endings import stem
from driftgate.flows.wording._negation import agree_in_negation
from driftgate.flows.wording._plain import plain, prose
from driftgate.flows.wording._same import holds, same, stands_in
from driftgate.flows.wording._spaces import alike
from driftgate.flows.wording._tokens import Token, rules_id, tokens

__all__ = [
    "Denials",
    "Token",
    "agree_in_negation",
    "alike",
    "clauses",
    "denials",
    "denies",
    "holds",
    "plain",
    "prose",
    "rules_id",
    "same",
    "stands_in",
    "stem",
    "tokens",
]
