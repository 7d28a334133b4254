"""``published-ko``: what the published tables of evaluate-llm-on-korean-dataset divide by.

Calls that failed are dropped, questions that never reached the file are not counted, filtered and blank answers are
wrong; letters as the run itself read them, judged by the right answers that stood in its file. Verified against every
cell of the published tables of five models on four benchmarks (tests/acceptance/test_published_tables.py).
"""

from driftgate.benchmarks.conventions._convention import Convention

CONVENTION = Convention(
    "published-ko",
    "failed calls and lost rows are not counted, filtered and unread answers are wrong",
    reading="run",
    dropped=("failed", "missing"),
    key="recorded",
)
