"""Privacy: personal data is taken out before anything is stored, generated from or trained on."""

from driftgate.finetune.privacy._redact import RULES, Finding, Redacted, redact
from driftgate.finetune.privacy._rule import Rule
from driftgate.finetune.privacy._stand_ins import StandIns

__all__ = ["RULES", "Finding", "Redacted", "Rule", "StandIns", "redact"]
