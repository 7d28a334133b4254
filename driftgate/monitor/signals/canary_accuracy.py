"""Are the fixed prompts still answered right?"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="canary_accuracy",
    title="canary accuracy",
    unit="share",
    bad="lower",
    kind="paired_binary",
    floor=0.05,
    columns=("correct",),
    values=lambda frame: frame["correct"].astype(float),
)
