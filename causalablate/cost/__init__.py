"""What components cost: parameters, floating-point operations, time."""

from causalablate.cost.components import COLUMNS, component_costs

__all__ = ["COLUMNS", "component_costs"]
