"""Many texts at once: a network reads its weights once per step, whether it writes one text or sixty-four.

Rows share one prompt (read once, its cache copied), or have prompts of their own. Nothing is padded: while a longer prompt is
still being read, the rows with shorter ones already write, so that all rows have equally many tokens at any time. Each row
draws from a generator of its own, so row 3 of seed 0 uses the same random numbers in a batch of 4 and of 64. (Its logits may
still differ in the last bits.)

    texts = generate_batch(model, prompt, Sampler(temperature=0.8), n=32, max_tokens=20, stop_ids=[end], seed=0)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.generation.sampling import Generated, Sampler
from helpers.models.kv_cache import KVCache
from helpers.models.language_model import check_ids
from helpers.models.neural import NeuralLM, evaluating, pad

__all__ = ["generate_batch", "next_scores", "repeat_rows"]


def repeat_rows(state, n: int):
    """What a model remembers of a text, n times side by side: a cache, a tensor (the batch is its last axis but one), a tuple."""
    if isinstance(state, KVCache):
        if any(k is None for k in state.keys):
            raise ValueError("expected a cache that holds a text, got an empty one; read the prompt first")
        other = KVCache(len(state.keys), state.limit)
        other.length = state.length
        for mine, theirs in ((other.keys, state.keys), (other.values, state.values)):
            mine[:] = [t[:, :, : state.length].repeat_interleave(n, dim=0) for t in theirs]  # (B * n, K, T, D)
        return other
    if isinstance(state, Tensor):
        return state.repeat_interleave(n, dim=-2)
    if isinstance(state, tuple | list):
        return type(state)(repeat_rows(part, n) for part in state)
    raise TypeError(f"expected a cache or tensors, got {type(state).__name__}")


def keep_rows(state, rows: list[int]):
    """Only these rows of what is remembered: texts that have ended cost nothing more."""
    if isinstance(state, KVCache):
        other = KVCache(len(state.keys), state.limit)
        other.length = state.length
        for mine, theirs in ((other.keys, state.keys), (other.values, state.values)):
            mine[:] = [t[rows] for t in theirs]
        return other
    if isinstance(state, Tensor):
        return state.index_select(-2, torch.tensor(rows, device=state.device))
    return type(state)(keep_rows(part, rows) for part in state)


@torch.inference_mode()
def generate_batch(
    model: NeuralLM,
    prompts: Sequence,
    sampler: Sampler | None = None,
    *,
    n: int = 1,
    max_tokens: int = 50,
    stop_ids: Collection[int] = (),
    stop: Callable[[list[int]], bool] | None = None,
    allowed: Sequence[Any] | None = None,
    start: bool = True,
    seed: int = 0,
) -> list[Generated]:
    """n texts for the prompt, or for each of several prompts: prompt 0's first, then prompt 1's, ...

    prompts: ids of one prompt, or a list of them; each token by which their lengths differ costs a step. allowed: a constraint
    for each text. The rest as in `sampling.generate`. Raises ValueError for n < 1, and for a text that does not fit into the
    model's context.
    """
    sampler = sampler or Sampler()
    rows = [prompts] if not len(prompts) or not isinstance(prompts[0], (list, tuple, np.ndarray)) else list(prompts)
    rows = [check_ids(r, model.vocab_size, "prompt").tolist() for r in rows]
    if n < 1 or max_tokens < 0:
        raise ValueError(f"expected n >= 1 and max_tokens >= 0, got {n} and {max_tokens}")
    check_ids(sorted(stop_ids), model.vocab_size, "stop_ids")
    if allowed is not None and len(allowed) != n * len(rows):
        raise ValueError(f"expected a constraint for each of {n * len(rows)} texts, got {len(allowed)}")
    begin = [[model.start_id, *r] if start else r for r in rows]
    shortest, longest = min(map(len, begin)), max(map(len, begin))
    if not shortest:
        raise ValueError("expected at least one token, got none; without a start symbol an empty text has no next token")
    limit = model.context_length
    if limit is not None and longest + max_tokens - 1 > limit:
        raise ValueError(f"expected at most {limit} tokens with the prompt, got {longest + max_tokens - 1}")
    out = [Generated() for _ in range(len(rows) * n)]
    if not max_tokens:
        return out
    with evaluating(model):
        first = torch.tensor([r[:shortest] for r in begin], device=model.device)  # (B, shortest)
        features, state = model.features(first, model.begin_state(len(rows)))
        last = features[:, -1].repeat_interleave(n, dim=0)  # (B * n, C)
        if n > 1:
            state = repeat_rows(state, n)
        rngs = [np.random.default_rng([seed, i]) for i in range(len(out))]
        alive, read, stop_ids = list(range(len(out))), shortest, set(stop_ids)
        while True:
            writing = [at for at, row in enumerate(alive) if read >= len(begin[row // n])]  # the others still read
            logits = model.logits(last[writing]).double()
            log_z, scores = torch.logsumexp(logits, dim=-1).cpu().numpy(), logits.cpu().numpy()  # (writing,), (writing, V)
            new = {at: begin[row // n][read] for at, row in enumerate(alive) if read < len(begin[row // n])}
            for i, at in enumerate(writing):
                row = alive[at]
                wanted = scores[i] if allowed is None else np.where(allowed[row].mask(), scores[i], -np.inf)
                id = sampler.choose(wanted, [*rows[row // n], *out[row].ids], rngs[row])
                if id in stop_ids:
                    out[row].reason = "stop id"
                    continue
                out[row].ids.append(id)
                out[row].log_probs.append(float(scores[i, id] - log_z[i]))
                if allowed is not None:
                    allowed[row].advance(id)
                if stop is not None and stop(out[row].ids):
                    out[row].reason = "stop"
                elif len(out[row].ids) < max_tokens:
                    new[at] = id
            stay = sorted(new)
            if not stay:
                return out
            if len(stay) < len(alive):
                state, alive = keep_rows(state, stay), [alive[at] for at in stay]
            features, state = model.features(torch.tensor([new[at] for at in stay], device=model.device)[:, None], state)
            last, read = features[:, -1], read + 1


@torch.inference_mode()
def next_scores(
    model: NeuralLM, prefix: Sequence[int], endings: Sequence[Sequence[int]], *, start: bool = True, batch_size: int = 32
) -> np.ndarray:
    """Logits (n, V) of the token after prefix + ending, for each ending; the prefix is read once only.

    Raises ValueError for no endings or an empty one, or for no prefix without a start symbol.
    """
    prefix = check_ids(prefix, model.vocab_size, "prefix").tolist()
    before = [model.start_id, *prefix] if start else prefix
    if not before or not len(endings) or not all(len(e) for e in endings):
        raise ValueError("expected a prefix (or start=True) and endings that are not empty")
    with evaluating(model):
        _, state = model.features(torch.tensor([before], device=model.device), model.begin_state(1))
        results = []
        for at in range(0, len(endings), batch_size):
            part = [check_ids(e, model.vocab_size, "ending").tolist() for e in endings[at : at + batch_size]]
            rows = pad(part, 0).to(model.device)  # on the right: a causal model does not see it
            features, _ = model.features(rows, repeat_rows(state, len(part)))
            last = features[torch.arange(len(part)), torch.tensor([len(e) - 1 for e in part])]  # not the last column
            results.append(model.logits(last).double().cpu().numpy())
        return np.concatenate(results)
