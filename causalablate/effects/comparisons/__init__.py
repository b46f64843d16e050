"""Two tables of effects compared, their rankings, and effects against cost."""

from causalablate.effects.comparisons.compare import compare_tables, compensation
from causalablate.effects.comparisons.pareto import pareto
from causalablate.effects.comparisons.rank import compare_rankings
from causalablate.effects.comparisons.ratio import fieller

__all__ = ["compare_rankings", "compare_tables", "compensation", "fieller", "pareto"]
