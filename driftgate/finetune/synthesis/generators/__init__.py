"""Generators: modules that expose ``GENERATOR``; see :class:`driftgate.finetune.synthesis.Generator`."""
