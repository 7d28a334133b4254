"""Privacy: personal data is taken out before anything is stored, generated from or trained on."""

from driftgate.finetune.privacy._redact import RULES, Finding, Redacted, redact
from driftgate.finetune.privacy._rule import Rule

__all__ = ["RULES", "Finding", "Redacted", "Rule", "redact"]
