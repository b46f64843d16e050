"""Generation under a lesion: text, sampled or not, and multiple choice, in both worlds under the same noise."""

from causalablate.generation.choices import Choices, choose
from causalablate.generation.generations import Generations, generate
from causalablate.generation.matching import MATCHES, Numeric
from causalablate.generation.sampling import Sampling
from causalablate.generation.vqa import normalised

__all__ = ["MATCHES", "Choices", "Generations", "Numeric", "Sampling", "choose", "generate", "normalised"]
