"""Read the choice a model's reply settles on, or say that it settles on none.

The rules are data (:mod:`driftgate.flows.extraction.rules`); ``docs/extractor.md`` has their measured error rate.
"""

from __future__ import annotations

from driftgate.flows.extraction._extract import Extraction, extract_choice, rule_set_id
from driftgate.flows.extraction._nearest import nearest_choice
from driftgate.flows.extraction.rules import DEFAULT

__all__ = ["DEFAULT", "Extraction", "extract_choice", "nearest_choice", "rule_set_id"]
