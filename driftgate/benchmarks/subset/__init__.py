"""A small suite that predicts the big one: choose a few hundred samples whose score predicts the whole dataset's.

Samples are spread over the difficulty of a two-parameter item-response model that was fitted to recorded answers.
With a handful of models the gain over a random subset is modest, and which method is taken is decided by leaving
every model out once; the error that is stated is the one measured there.
"""

from driftgate.benchmarks.subset._choose import DRAWS, METHODS, Measured, Method, best, choose, measure_methods
from driftgate.benchmarks.subset._irt import ItemResponse, estimate_ability, fit_item_response
from driftgate.benchmarks.subset._predict import predict, predict_full
from driftgate.benchmarks.subset._responses import Responses, read_responses

__all__ = [
    "DRAWS",
    "METHODS",
    "ItemResponse",
    "Measured",
    "Method",
    "Responses",
    "best",
    "choose",
    "estimate_ability",
    "fit_item_response",
    "measure_methods",
    "predict",
    "predict_full",
    "read_responses",
]
