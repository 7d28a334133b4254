"""``lm-eval``: the letter with the highest log-probability after ``정답：``.

EleutherAI's lm-evaluation-harness scores KMMLU, HAE-RAE Bench and KorMedMCQA so (``lm_eval/tasks/kmmlu``): each letter
is a continuation of the prompt, which ends in ``정답：``, and the likeliest is the answer. The flow variant ``lm_eval``
of ``multiple_choice`` asks with that prompt. A run holds the log-probabilities if its model was asked with
``scoring: logprobs``; what a service does not list among its most likely tokens cannot be the answer.
"""

from driftgate.benchmarks.conventions._convention import Convention

CONVENTION = Convention("lm-eval", "the likeliest letter of the first token", reading="logprobs", prompt_end="정답：")
