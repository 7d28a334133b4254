"""Filters: modules that expose ``FILTER``; see :class:`finetune.synthesis.Filter`."""
