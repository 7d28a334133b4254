"""Reports: self-contained HTML pages, Markdown summaries and CSV files."""

from typing import TYPE_CHECKING

from driftgate.lazy import lazily

if TYPE_CHECKING:
    from driftgate.benchmarks.report._attribution import write_attribution
    from driftgate.benchmarks.report._comparison_csv import write_comparison_csv, write_flips
    from driftgate.benchmarks.report._comparison_page import write_comparison
    from driftgate.benchmarks.report._parity import write_parity
    from driftgate.benchmarks.report._text import p_value
    from driftgate.benchmarks.report._views import VerdictView, verdict_views
    from driftgate.benchmarks.report._write import ReportFiles, write_report
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ReportFiles",
    "VerdictView",
    "p_value",
    "verdict_views",
    "write_attribution",
    "write_comparison",
    "write_comparison_csv",
    "write_flips",
    "write_parity",
    "write_report",
]
