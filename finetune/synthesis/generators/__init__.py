"""Generators: modules that expose ``GENERATOR``; see :class:`finetune.synthesis.Generator`."""
