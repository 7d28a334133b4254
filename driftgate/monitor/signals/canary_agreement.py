"""Do the fixed prompts still get the answers they used to get?

Models repeat themselves imperfectly, so agreement falls short of one when nothing has changed. The look therefore
takes each canary's first reference answer as its ``anchor`` and compares how often current answers equal it with how
often the other reference answers do; a reference that asked every canary once cannot tell.
"""

from __future__ import annotations

from driftgate.monitor.signals._signal import Signal

SIGNAL = Signal(
    name="canary_agreement",
    title="agreement of canary answers with the reference period",
    unit="share",
    bad="lower",
    kind="paired_binary",
    floor=0.1,
    columns=("answer", "anchor"),
    values=lambda frame: (
        (frame["answer"] == frame["anchor"]).astype(float).where(frame["answer"].notna() & frame["anchor"].notna())
    ),
)
