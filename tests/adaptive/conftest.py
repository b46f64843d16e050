from dataclasses import dataclass

import numpy as np
import pytest

from causalablate.examples import Example, ExampleSet
from causalablate.intervention import do

IMAGE = np.zeros((1, 1, 3), np.uint8)


@dataclass
class World:
    values: dict
    fired: np.ndarray
    change_norm: np.ndarray


class FakeReplay:
    """A table stands for the model: `effects` of shape (lesions, examples) on `outcome`."""

    def __init__(self, effects, *, factual=None, outcome="answer_logprob", batch_size=8, clusters=None, shuffle=0):
        n = effects.shape[1]
        own = tuple(
            Example(str(i), (IMAGE,), "?", "!", cluster="" if clusters is None else str(clusters[i])) for i in range(n)
        )
        examples = ExampleSet("fake", own)
        self.examples = examples if shuffle is None else examples.shuffled(shuffle)
        self.outcomes, self.identity = ("correct", outcome), {"batch_size": batch_size}
        self.lesions = [do(f"part.{i}", off="zero") for i in range(len(effects))]
        self.prepared, self.asked, self.interrupt_after = [], [], None
        self._outcome = outcome
        self._factual = np.full(n, -5.0) if factual is None else factual
        self._effects = effects
        self._columns = np.array([int(e.id) for e in self.examples])

    def prepare(self, lesions):
        self.prepared.extend(lesions)

    def factual(self, rows):
        return {self._outcome: self._factual[self._columns[rows]].astype(np.float32)}

    def sweep(self, lesions, rows):
        if self.interrupt_after is not None and len(self.asked) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.asked.append((tuple(lesions), rows))
        columns = self._columns[rows]
        factual = self._factual[columns]
        return {
            lesion: World(
                {self._outcome: (factual + self._effects[self.lesions.index(lesion), columns]).astype(np.float32)},
                np.arange(len(columns)) % 2 == 0,
                np.full(len(columns), 3.0),
            )
            for lesion in lesions
        }


@pytest.fixture
def fake():
    """The class of fake replays."""
    return FakeReplay


@pytest.fixture
def effects():
    """Effects of six lesions on 240 examples: -3, -1.3, -1, -0.3, 0, 0 on average."""
    means = np.array([-3.0, -1.3, -1.0, -0.3, 0.0, 0.0])[:, None]
    return means + 0.5 * np.random.default_rng(0).normal(size=(6, 240))
