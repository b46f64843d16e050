"""Lesion against retraining as a table, a figure, sentences and a page."""

from causalablate.report.retraining.findings import retraining_findings
from causalablate.report.retraining.write import RetrainingReportPaths, write_retraining_report

__all__ = ["RetrainingReportPaths", "retraining_findings", "write_retraining_report"]
