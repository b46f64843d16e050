"""The foveated vision-language model: a coarse look asks the question of where to look closely.

Pass 1 sees the frames at the minimum budget. `queries.static` and, for the first frame, `queries.init` each read a
visual token; the language model's hidden state at a frame's visual position becomes `queries.dynamic` for the next.
Pass 2 scores the next frame's patches with that query, spends the token budget on them, re-encodes, and answers from
(init token, fine tokens). A single frame is looked at once, and answered from the init token: there is nothing left to
foveate. Mode multi_token is the baseline without foveation: one pass, every frame at the mean budget everywhere.
Nothing is random and nothing crosses examples.
"""

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import LlamaForCausalLM, PreTrainedModel
from transformers import initialization as init

from causalablate.errors import CheckpointError, ExampleError
from causalablate.foveated.allocator import Allocator, Relevance
from causalablate.foveated.checkpoint import CONFIG, WEIGHTS, check_match, read_config, read_weights
from causalablate.foveated.config import MODES, MULTI_TOKEN, FoveatedConfig, one_of
from causalablate.foveated.layout import TokenLayout
from causalablate.foveated.opponent import Opponent
from causalablate.foveated.output import FoveatedOutput
from causalablate.foveated.passes import Connector, Pass, Passes
from causalablate.foveated.queries import LearnedQuery, Queries
from causalablate.foveated.quiet import quiet_transformers
from causalablate.foveated.reading import Text
from causalablate.foveated.scorers import Scorers
from causalablate.foveated.sequence import CrossAttentionSequence, Sequences
from causalablate.foveated.texture import Texture
from causalablate.foveated.views import Views
from causalablate.foveated.vision import VisionEncoder


class FoveatedVLM(PreTrainedModel):
    """Two-pass foveated vision-language model; every component is a module of its own."""

    config_class = FoveatedConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _supports_sdpa = True
    _no_split_modules = ("Dinov2Layer", "LlamaDecoderLayer")
    _tied_weights_keys = {"lm.lm_head.weight": "lm.model.embed_tokens.weight"}  # noqa: RUF012 (transformers' convention)

    def __init__(self, config: FoveatedConfig) -> None:
        super().__init__(config)
        self.vision = VisionEncoder(config)
        self.queries = Queries(config)
        self.connector = Connector(config)
        self.passes = Passes(config)
        self.texture = Texture()
        self.scorers = Scorers(config)
        self.opponent = Opponent(config)
        self.relevance = Relevance()
        self.allocator = Allocator(config)
        self.views = Views(config)
        self.sequence = Sequences(config)
        self.lm = LlamaForCausalLM(config.text_config)
        self.post_init()
        for name in config.freeze:
            getattr(self, name).requires_grad_(False)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "FoveatedVLM":
        """Load a local checkpoint in evaluation mode; the global random state is left alone.

        Unlike transformers' own loading, nothing is looked up anywhere else, and nothing that is missing is made up.

        Raises:
            CheckpointError: A file is missing, damaged, or does not match; names the file and the field or tensor.
        """
        root = Path(folder)
        if not root.is_dir():
            raise CheckpointError(f'no checkpoint directory "{root}"; it should hold {CONFIG} and {WEIGHTS}.')
        config, tensors = read_config(root / CONFIG), read_weights(root / WEIGHTS)
        with torch.random.fork_rng(devices=[]), quiet_transformers():
            model = cls(config)
        check_match(root / WEIGHTS, model.state_dict(), tensors, model.all_tied_weights_keys)
        model.load_state_dict(tensors, strict=False)
        model.tie_weights()
        return model.eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`.

        Raises:
            CheckpointError: The directory cannot be written.
        """
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            with quiet_transformers():
                # By default transformers writes Dinov2's tensors under the names of its older versions.
                super().save_pretrained(folder, save_original_format=False)
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f'cannot write a checkpoint to "{folder}" ({error}); choose another directory.'
            ) from error

    @property
    def token_groups(self) -> dict[str, slice]:
        """Positions of each token group in the outputs of `sequence.coarse` and `.fine`, for the most frames."""
        return TokenLayout.of(self.config).groups

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        std = self.config.initializer_range
        if isinstance(module, nn.Linear | nn.Conv2d):
            init.trunc_normal_(module.weight, mean=0.0, std=std)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            init.trunc_normal_(module.in_proj_weight, mean=0.0, std=std)
            init.zeros_(module.in_proj_bias)
        elif isinstance(module, LearnedQuery):
            init.normal_(module.weight, mean=0.0, std=1.0)
        elif isinstance(module, Pass):
            init.normal_(module.mark, mean=0.0, std=std)
        elif isinstance(module, CrossAttentionSequence):
            init.normal_(module.placeholder, mean=0.0, std=std)
        elif isinstance(module, Relevance):
            init.zeros_(module.log_gains)
        elif isinstance(module, Allocator):
            init.copy_(module.log_temperature, torch.tensor([-2.5, 0.0]))
            init.constant_(module.distance_bonus, 0.5)
        constants = getattr(module, "constants", None)
        if callable(constants):
            for name, value in constants().items():
                init.copy_(getattr(module, name), value)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        pixel_values: Tensor,
        noise: Tensor,
        labels: Tensor | None = None,
        mode: str | None = None,
        **_: Any,
    ) -> FoveatedOutput:
        """Answer questions about frames.

        Args:
            input_ids: Left-padded words of the question, as positions in the vocabulary, (B, Q).
            attention_mask: 1 at words, 0 at padding, (B, Q).
            pixel_values: Frames in [0, 1], (B, F, 3, H, W), with F from 1 to the config's `n_frames`.
            noise: Standard normal sensor noise of the same shape; the config sets its size.
            labels: Answers, as positions in the vocabulary, (B,).
            mode: Overrides the config's mode.
        Raises:
            CheckpointError: There is no such mode.
            ExampleError: Too many frames, or none.
        """
        mode = mode or self.config.mode
        one_of("mode", mode, MODES)
        n_frames = pixel_values.shape[1]
        if not 1 <= n_frames <= self.config.n_frames:
            raise ExampleError(
                f"pixel_values hold {n_frames} frames per example; this model takes 1 to {self.config.n_frames}."
            )
        text = Text(self.lm, self.config, input_ids, attention_mask, n_frames)
        if mode == MULTI_TOKEN:
            logits = self._even_pass(text, pixel_values, noise)
            output = FoveatedOutput(logits=logits, logits_coarse=logits)
        else:
            coarse = self._coarse_pass(text, pixel_values, noise, autoregressive=mode == "autoregressive")
            output = FoveatedOutput(logits=coarse.logits, logits_coarse=coarse.logits)
            if mode != "coarse_only" and n_frames > 1:
                self._fine_pass(text, pixel_values, noise, coarse, output, autoregressive=mode == "autoregressive")
        if labels is not None:
            self._losses(output, labels)
        return output

    def _even_pass(self, text: Text, frames: Tensor, noise: Tensor) -> Tensor:
        """See all frames at the mean budget everywhere, asked by the static queries; returns the answer's logits."""
        static = self.queries.static(frames)
        budgets = frames.new_full((frames.shape[0], self.config.n_patches), self.config.mean_budget)
        visual = []
        for t in range(frames.shape[1]):
            view = self.views.fovea(self.views.pyramid(frames[:, t]), budgets, noise[:, t])
            reading = self.vision(view, static)[:, -static.shape[1] :]
            visual.append(self.passes.coarse(self.connector(reading)))
        return text.read(self.sequence.coarse, torch.cat(visual, dim=1))[1]

    def _coarse_pass(self, text: Text, frames: Tensor, noise: Tensor, *, autoregressive: bool) -> "_Coarse":
        """See all frames but the last at the minimum budget; in mode autoregressive, only the first and only once.

        A single frame is read by the init query alone: what the static query reads is for frames that follow.
        """
        n_queries, n_frames = self.config.visual_tokens_per_frame, frames.shape[1]
        static = None if autoregressive or n_frames == 1 else self.queries.static(frames)
        first = self.queries.init(frames)
        view = self.views.periphery(frames[:, 0], noise[:, 0])
        queries = first if static is None else torch.cat([static, first], dim=1)
        reading = self.vision(view, queries)[:, -queries.shape[1] :]
        tokens = self.passes.coarse(self.connector(reading))
        init_token = tokens[:, -n_queries:]
        visual = [tokens[:, :n_queries]]
        for t in range(1, n_frames - 1):
            if static is None:
                visual.append(init_token)
                continue
            view = self.views.periphery(frames[:, t], noise[:, t])
            visual.append(self.passes.coarse(self.connector(self.vision(view, static)[:, -n_queries:])))
        visual.append(init_token)
        hidden, logits = text.read(self.sequence.coarse, torch.cat(visual[:n_frames], dim=1))
        return _Coarse(init_token, hidden, logits, reading[:, :n_queries])

    def _fine_pass(
        self,
        text: Text,
        frames: Tensor,
        noise: Tensor,
        coarse: "_Coarse",
        output: FoveatedOutput,
        *,
        autoregressive: bool,
    ) -> None:
        """Foveate every later frame, then answer; fills `output`."""
        n_queries, n_frames = self.config.visual_tokens_per_frame, frames.shape[1]
        hidden = coarse.hidden
        visual = [coarse.init_token]
        logits = coarse.logits
        for t in range(1, n_frames):
            query = self.queries.dynamic(hidden[:, text.layout.frame(t - 1)])
            relevance, gates, budgets = self._allocate(frames[:, t], noise[:, t], query)
            view = self.views.fovea(self.views.pyramid(frames[:, t]), budgets, noise[:, t])
            encoded = self.vision(view, query)
            reading = encoded[:, -n_queries:]
            visual.append(self.passes.fine(self.connector(reading)))
            last = t == n_frames - 1
            if last or autoregressive:
                # Slots of frames not seen yet hold the newest token; the mask is causal, so no read-out sees them.
                filled = visual + [visual[-1]] * (n_frames - len(visual))
                hidden, logits = text.read(self.sequence.fine, torch.cat(filled, dim=1))
            if last:
                output.relevance, output.gates, output.allocation = relevance, gates, budgets
                output.attention_entropy = _entropy(budgets - self.config.min_budget)
                output.feature_similarity = torch.cosine_similarity(coarse.reading.mean(1), reading.mean(1), dim=-1)
                output.patch_features = encoded[:, 1 : 1 + self.config.n_patches]
        output.logits = output.logits_fine = logits

    def _allocate(self, frame: Tensor, noise: Tensor, query: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Score the peripheral view of a frame; returns relevance (B, P), gates (B, 3) and budgets (B, P)."""
        texture = self.texture(self.views.periphery(frame, noise))
        propositional = self.scorers.propositional(texture)
        perspectival = self.scorers.perspectival(texture)
        participatory = self.scorers.participatory(texture, query)
        compress = self.opponent.compress_particularize(query)
        exploit = self.opponent.exploit_explore(query)
        relevance = self.relevance(propositional, perspectival, participatory, compress, exploit)
        focus = self.opponent.focus_diversify(query)
        budgets = self.allocator(relevance, focus)
        return relevance, torch.cat([compress, exploit, focus], dim=1), budgets

    def _losses(self, output: FoveatedOutput, labels: Tensor) -> None:
        if output.logits_coarse is None:
            return
        output.loss_coarse = nn.functional.cross_entropy(output.logits_coarse, labels)
        output.loss = output.loss_coarse
        if output.logits_fine is not None:
            output.loss_fine = nn.functional.cross_entropy(output.logits_fine, labels)
            output.loss = output.loss_fine + self.config.coarse_loss_weight * output.loss_coarse


class _Coarse:
    """What pass 1 leaves behind: init token, hidden states, answer, first reading."""

    def __init__(self, init_token: Tensor, hidden: Tensor, logits: Tensor, reading: Tensor) -> None:
        self.init_token, self.hidden, self.logits, self.reading = init_token, hidden, logits, reading


def _entropy(weights: Tensor) -> Tensor:
    share = weights.clamp(min=0) / weights.clamp(min=0).sum(-1, keepdim=True).clamp(min=1e-12)
    return -(share * share.clamp(min=1e-12).log()).sum(-1)
