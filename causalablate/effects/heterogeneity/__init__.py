"""Where does the lesioned model fail? Effects that differ between groups of examples, and the largest single ones."""

from causalablate.effects.heterogeneity.covariates import with_covariates
from causalablate.effects.heterogeneity.factors import factor_tests
from causalablate.effects.heterogeneity.failures import failure_modes
from causalablate.effects.heterogeneity.largest import gini, largest_effects

__all__ = ["factor_tests", "failure_modes", "gini", "largest_effects", "with_covariates"]
