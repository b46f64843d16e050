"""Words to positions in the vocabulary and back."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from causalablate.errors import ExampleError, nearest
from causalablate.foveated.config import SPECIAL, FoveatedConfig


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and without punctuation."""
    return re.findall(r"[^\W_]+", text.lower())


class WordTokenizer:
    """One token per word; punctuation and case are ignored.

    Args:
        vocabulary: Words in order, the special ones first.
        max_question_tokens: Length that questions are left-padded to.
    """

    def __init__(self, vocabulary: Sequence[str], max_question_tokens: int) -> None:
        self.vocabulary = tuple(vocabulary)
        self.length = max_question_tokens
        self._index = {word: i for i, word in enumerate(self.vocabulary) if word not in SPECIAL}

    @classmethod
    def of(cls, config: FoveatedConfig) -> "WordTokenizer":
        """Return the tokenizer that a config implies."""
        return cls(config.vocabulary, config.max_question_tokens)

    def questions(self, questions: Sequence[str], ids: Sequence[str] | None = None) -> tuple[Tensor, Tensor]:
        """Tokenise questions; returns `input_ids` and `attention_mask`, both int64 (n, Q).

        Args:
            questions: Questions in words.
            ids: Names of the examples, for messages.
        Raises:
            ExampleError: A word is unknown, or a question is empty or too long.
        """
        input_ids = torch.zeros(len(questions), self.length, dtype=torch.long)
        for row, question in enumerate(questions):
            where = f'example "{ids[row]}": ' if ids is not None else ""
            words = words_of(question)
            if not 1 <= len(words) <= self.length:
                raise ExampleError(
                    f'{where}the question "{question}" has {len(words)} words; this model reads 1 to {self.length}.'
                )
            input_ids[row, self.length - len(words) :] = torch.tensor([self._word(word, where) for word in words])
        return input_ids, (input_ids != 0).long()

    def answers(self, answers: Sequence[str], ids: Sequence[str] | None = None) -> Tensor:
        """Look up answers, one word each; returns int64 (n,).

        Raises:
            ExampleError: An answer is not in the vocabulary.
        """
        prefixes = [f'example "{i}": answer: ' for i in ids] if ids is not None else ["answer: "] * len(answers)
        return torch.tensor([self._word(a.strip().lower(), p) for a, p in zip(answers, prefixes, strict=True)])

    def _word(self, word: str, where: str) -> int:
        if word not in self._index:
            known = [w for w in self.vocabulary if w not in SPECIAL]
            raise ExampleError(
                f'{where}the word "{word}" is not in the model\'s vocabulary{nearest(word, known)}; '
                f"it knows {len(known)} words, listed under `vocabulary` in the checkpoint's config.json."
            )
        return self._index[word]
