"""A sweep of training runs as people read it: tables, figures, and one page."""

from causalablate.report.sweep.cost import cost_frame
from causalablate.report.sweep.effects import arm_effects
from causalablate.report.sweep.figures import default_figures
from causalablate.report.sweep.findings import sweep_findings
from causalablate.report.sweep.write import write_sweep_report

__all__ = ["arm_effects", "cost_frame", "default_figures", "sweep_findings", "write_sweep_report"]
