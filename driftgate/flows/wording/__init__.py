"""What a text says in words and quantities, its form aside: the one way in of the evaluators that compare texts."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.flows.wording._clauses import clauses
    from driftgate.flows.wording._denials import Denials, denials, denies
    from driftgate.flows.wording._endings import is_ending, stem
    from driftgate.flows.wording._negation import agree_in_negation
    from driftgate.flows.wording._plain import plain, prose
    from driftgate.flows.wording._rules import rules_id
    from driftgate.flows.wording._same import holds, same, stands_in
    from driftgate.flows.wording._spaces import alike
    from driftgate.flows.wording._tokens import Token, tokens
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Denials",
    "Token",
    "agree_in_negation",
    "alike",
    "clauses",
    "denials",
    "denies",
    "holds",
    "is_ending",
    "plain",
    "prose",
    "rules_id",
    "same",
    "stands_in",
    "stem",
    "tokens",
]
