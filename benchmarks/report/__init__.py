"""The report of a run: one self-contained HTML page and a Markdown summary."""

from benchmarks.report._write import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
