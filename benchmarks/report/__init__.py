"""Reports of a run, of a comparison and of a port: self-contained HTML pages, a Markdown summary, CSV files."""

from benchmarks.report._comparison_csv import write_comparison_csv
from benchmarks.report._comparison_page import write_comparison
from benchmarks.report._parity import write_parity
from benchmarks.report._text import p_value
from benchmarks.report._write import ReportFiles, write_report

__all__ = ["ReportFiles", "p_value", "write_comparison", "write_comparison_csv", "write_parity", "write_report"]
