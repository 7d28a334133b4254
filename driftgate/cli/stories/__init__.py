"""Demonstrations of the whole loop: a champion is watched, is noticed to be too bad, and a better one takes its place.

Nothing in them is made up but the texts: the model is real, it is trained on this machine, and every figure on the page
that a story leaves was measured in the run.
"""
