"""Filters: modules that expose ``FILTER``; see :class:`driftgate.finetune.synthesis.Filter`."""
