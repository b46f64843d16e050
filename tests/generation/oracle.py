"""Generation without a cache, and lesions as plain torch hooks: written without our code."""

from contextlib import ExitStack, contextmanager

import torch


class Unpadded:
    """An adapter without the padding that it puts before a single prompt."""

    def __init__(self, adapter):
        self.adapter = adapter

    def __getattr__(self, name):
        return getattr(self.adapter, name)

    def encode(self, module, examples):
        inputs = self.adapter.encode(module, examples)
        real = inputs["attention_mask"][0].bool()
        cut = ("input_ids", "attention_mask", "position_ids")
        return {name: x[:, real] if name in cut else x for name, x in inputs.items()}


@contextmanager
def hooks(*registered):
    with ExitStack() as stack:
        for handle in registered:
            stack.callback(handle.remove)
        yield


def inputs_of(model, examples):
    encoded = model.adapter.encode(model.module, examples)
    return {name: x for name, x in encoded.items() if name not in ("use_cache", "logits_to_keep")}


@torch.no_grad()
def without_cache(model, examples, n_tokens, forced=None):
    """Tokens (rows, n_tokens) and their log-probabilities: the whole sequence is read anew for every token."""
    inputs = inputs_of(model, examples)
    tokens, logprobs = [], []
    for i in range(n_tokens):
        logits = model.module(**inputs, use_cache=False).logits[:, -1].float()
        chosen = logits.argmax(-1) if forced is None else forced[:, i]
        tokens.append(chosen)
        logprobs.append(logits.log_softmax(-1).gather(1, chosen[:, None])[:, 0])
        inputs["input_ids"] = torch.cat((inputs["input_ids"], chosen[:, None]), 1)
        mask = inputs["attention_mask"]
        inputs["attention_mask"] = torch.cat((mask, torch.ones_like(mask[:, :1])), 1)
        if "position_ids" in inputs:
            places = inputs["position_ids"]
            inputs["position_ids"] = torch.cat((places, places[:, -1:] + 1), 1)
    return torch.stack(tokens, 1), torch.stack(logprobs, 1)


def positions(n_prompt, when, length):
    """Which positions a lesion covers, bool (length,)."""
    at = torch.arange(length)
    return {"prefill": at < n_prompt, "decode": at >= n_prompt, "both": at >= 0}[when]


def zeroed_output(module, n_prompt, when):
    """Zero a module's output at some positions."""

    def hook(_, args, output):
        here = positions(n_prompt, when, output.shape[1])
        return torch.where(here[:, None], torch.zeros_like(output), output)

    return module.register_forward_hook(hook)


def zeroed_head(projection, head, width, n_prompt, when):
    """Zero a head at the input of the output projection, at some positions."""

    def hook(_, args):
        x = args[0].clone()
        x[:, positions(n_prompt, when, x.shape[1]), head * width : (head + 1) * width] = 0
        return (x, *args[1:])

    return projection.register_forward_pre_hook(hook)


def cut(attention, keys, queries, n_prompt, when):
    """Cut the edges from some keys (rows, prompt) to the queries `queries(length)` of an attention module."""

    def hook(_, args, kwargs):
        x = kwargs["hidden_states"] if not args else args[0]
        rows, length = x.shape[:2]
        mask = kwargs["attention_mask"]
        if mask is None:
            mask = torch.ones(length, length, dtype=torch.bool).tril().expand(rows, 1, length, length)
        source = torch.zeros(rows, length, dtype=torch.bool)
        source[:, : keys.shape[1]] = keys
        target = queries(length) & positions(n_prompt, when, length)
        edges = target[None, :, None] & source[:, None, :] & ~torch.eye(length, dtype=torch.bool)
        kwargs["attention_mask"] = mask.expand(rows, 1, length, length) & ~edges[:, None]
        return args, kwargs

    return attention.register_forward_pre_hook(hook, with_kwargs=True)
