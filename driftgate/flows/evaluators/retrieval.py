"""Is what was retrieved relevant and in good order? Graded 1 to 5 by a judge.

``ranking`` measures it where ids are known.
"""

from __future__ import annotations

from driftgate.flows.evaluators._azure_judged import JudgedKind, judged

KIND = JudgedKind("retrieval", class_name="RetrievalEvaluator", inputs=("query", "context"))
make = judged(KIND)
