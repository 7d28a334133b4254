"""The demonstration's material: a made-up firm routes its support tickets to one of four teams, until a rule changes.

Everything here was written for this project; no customer, firm or product is real.
"""

from driftgate.finetune.demo._tickets import (
    AFTER,
    BEFORE,
    NEW_SLICE,
    PROMPT,
    Policy,
    Pool,
    Ticket,
    rows,
    team_of,
    tickets,
)

__all__ = [
    "AFTER",
    "BEFORE",
    "NEW_SLICE",
    "PROMPT",
    "Policy",
    "Pool",
    "Ticket",
    "rows",
    "team_of",
    "tickets",
]
