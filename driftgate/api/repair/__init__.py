"""A repair as a workspace does it: when one is opened, what its steps do, what a person agrees to, how it ends."""

from driftgate.api.repair._agreeing import abandon_repair, approve_repair, reject_repair
from driftgate.api.repair._context import recipe_of
from driftgate.api.repair._going import go_on
from driftgate.api.repair._looking import RemediationView, look_at, training_items
from driftgate.api.repair._opening import (
    NotOpened,
    StandingProposal,
    begin_repair,
    standing_proposal,
    switched_off,
)
from driftgate.api.repair._proposal import Proposal, proposal_of
from driftgate.api.repair._replacing import Replacement, due_replacements

__all__ = [
    "NotOpened",
    "Proposal",
    "RemediationView",
    "Replacement",
    "StandingProposal",
    "abandon_repair",
    "approve_repair",
    "begin_repair",
    "due_replacements",
    "go_on",
    "look_at",
    "proposal_of",
    "recipe_of",
    "reject_repair",
    "standing_proposal",
    "switched_off",
    "training_items",
]
