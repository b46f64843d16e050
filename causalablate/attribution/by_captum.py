"""captum's attribution methods on coalition games: captum says which coalitions, the game says what they are worth.

captum sees a function of binary masks. It draws from nothing but our seeds, and leaves the global random state alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from causalablate.attribution.game import Value
from causalablate.progress import inner_progress_bar

MaskFunction = Callable[[Tensor], Tensor]


def feature_ablation(value: Value, n_players: int) -> np.ndarray:
    """captum's FeatureAblation: v(all) - v(all but one), shape (players, examples)."""
    from captum.attr import FeatureAblation

    present = torch.ones(1, n_players)
    found = FeatureAblation(_of_masks(value)).attribute(present, perturbations_per_eval=n_players)
    return found.reshape(-1, n_players).double().numpy().T


def shapley_sampling(value: Value, n_players: int, permutations: Sequence[Sequence[int]]) -> np.ndarray:
    """captum's ShapleyValueSampling over given permutations, shape (players, examples)."""
    from captum.attr import ShapleyValueSampling

    sampling = ShapleyValueSampling(_of_masks(value))
    sampling.permutation_generator = lambda n_features, n_samples: iter(permutations)
    present = torch.ones(1, n_players)
    found = sampling.attribute(present, n_samples=len(permutations), perturbations_per_eval=n_players)
    return found.reshape(-1, n_players).double().numpy().T


def kernel_shap(value: Value, n_players: int, n_examples: int, samples: int, seed: int) -> np.ndarray:
    """captum's KernelShap, one regression per example over the same coalitions, shape (players, examples)."""
    from captum.attr import KernelShap

    present, found = torch.ones(1, n_players), []
    with inner_progress_bar("KernelSHAP", n_examples) as advance:
        for example in range(n_examples):
            of_example = KernelShap(_of_masks(value, slice(example, example + 1)))
            with _drawing_from(seed):
                found.append(of_example.attribute(present, n_samples=samples, perturbations_per_eval=samples)[0])
            advance(1, "")
    return torch.stack(found, dim=1).double().numpy()


def _of_masks(value: Value, examples: slice = slice(None)) -> MaskFunction:
    return lambda masks: torch.from_numpy(value(masks.numpy() > 0.5)[:, examples])


@contextmanager
def _drawing_from(seed: int) -> Iterator[None]:
    """Seed the generator that captum draws from, the CPU's; its state comes back."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
