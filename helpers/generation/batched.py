"""Many texts at once: a network reads its weights once per step, whether it writes one text or sixty-four.

Rows share one prompt (read once, its cache copied), or have prompts of their own. Nothing is padded: while a longer prompt is
still being read, the rows with shorter ones already write, so that all rows have equally many tokens at any time. Each row
draws from a generator of its own, so row 3 of seed 0 uses the same random numbers in a batch of 4 and of 64. (Its logits may
still differ in the last bits.)

    texts = generate_batch(model, prompt, Sampler(temperature=0.8), n=32, max_tokens=20, stop_ids=[end], seed=0)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.generation.sampling import Generated, Sampler
from helpers.models.kv_cache import keep_rows, repeat_rows
from helpers.models.language_model import check_ids
from helpers.models.neural import NeuralLM, evaluating, pad

__all__ = ["decode_rows", "generate_batch", "next_scores"]


@torch.inference_mode()
def decode_rows(model: NeuralLM, last: Tensor, memory: Any, choose: Callable[[Tensor], Mapping[int, int]], steps: int) -> None:
    """The loop of a batch: choose an id for each row, read them all in one run; `steps` times, or until no row goes on.

    last: (B, C) features of each row's last token. memory: what the model remembers of the rows. choose: takes `last` and
    returns {row: id} in ascending order: the rows that go on, counted among those there are, and what each reads next. The
    other rows leave.

    >>> from helpers.models.rnn import RecurrentLM
    >>> model = RecurrentLM(4)
    >>> features, memory = model.features(torch.tensor([[0], [1]]))
    >>> rows = []
    >>> decode_rows(model, features[:, -1], memory, lambda last: rows.append(len(last)) or {0: 3}, steps=3)  # row 1 leaves
    >>> rows
    [2, 1, 1]
    """
    with evaluating(model):
        for step in range(steps):
            new = choose(last)
            if not new or step + 1 == steps:
                return
            if len(new) < len(last):
                memory = keep_rows(memory, list(new))
            features, memory = model.features(torch.tensor(list(new.values()), device=model.device)[:, None], memory)
            last = features[:, -1]


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

    >>> from helpers.models.rnn import RecurrentLM
    >>> model = RecurrentLM(4)
    >>> [len(text.ids) for text in generate_batch(model, [[1, 2], [3]], n=2, max_tokens=5)]
    [5, 5, 5, 5]
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
    # 1. Read what all prompts have: as many tokens as the shortest holds. Then n copies of each.
    with evaluating(model):
        first = torch.tensor([r[:shortest] for r in begin], device=model.device)  # (B, shortest)
        features, memory = model.features(first, model.begin_state(len(rows)))
    last = features[:, -1].repeat_interleave(n, dim=0)  # (B * n, C)
    if n > 1:
        memory = repeat_rows(memory, n)
    rngs = [np.random.default_rng([seed, i]) for i in range(len(out))]
    alive, read, stop_ids = list(range(len(out))), shortest, set(stop_ids)

    def choose(last: Tensor) -> dict[int, int]:
        nonlocal alive, read
        # 2. A row whose prompt is longer goes on reading it; the others write.
        new = {at: begin[row // n][read] for at, row in enumerate(alive) if read < len(begin[row // n])}
        writing = [at for at in range(len(alive)) if at not in new]
        logits = model.logits(last[writing]).double()  # (writing, V)
        log_z, scores = torch.logsumexp(logits, dim=-1).cpu().numpy(), logits.cpu().numpy()
        # 3. Each draws from its own random numbers, and ends or goes on.
        for i, at in enumerate(writing):
            row = alive[at]
            text, limits = out[row], None if allowed is None else allowed[row]
            wanted = scores[i] if limits is None else np.where(limits.mask(), scores[i], -np.inf)
            id = sampler.choose(wanted, [*rows[row // n], *text.ids], rngs[row])
            if id in stop_ids:
                text.reason = "stop id"
                continue
            text.ids.append(id)
            text.log_probs.append(float(scores[i, id] - log_z[i]))
            if limits is not None:
                limits.advance(id)
            if stop is not None and stop(text.ids):
                text.reason = "stop"
            elif len(text.ids) < max_tokens:
                new[at] = id
        stay = sorted(new)
        alive, read = [alive[at] for at in stay], read + 1
        return {at: new[at] for at in stay}

    decode_rows(model, last, memory, choose, longest - shortest + max_tokens)
    return out


@torch.inference_mode()
def next_scores(
    model: NeuralLM, prefix: Sequence[int], endings: Sequence[Sequence[int]], *, start: bool = True, batch_size: int = 32
) -> np.ndarray:
    """Logits (n, V) of the token after prefix + ending, for each ending; the prefix is read once only.

    Raises ValueError for no endings or an empty one, or for no prefix without a start symbol.

    >>> from helpers.models.rnn import RecurrentLM
    >>> model = RecurrentLM(4)
    >>> next_scores(model, [1], [[2], [3, 0]]).shape
    (2, 4)
    """
    prefix = check_ids(prefix, model.vocab_size, "prefix").tolist()
    before = [model.start_id, *prefix] if start else prefix
    if not before or not len(endings) or not all(len(e) for e in endings):
        raise ValueError("expected a prefix (or start=True) and endings that are not empty")
    with evaluating(model):
        _, memory = model.features(torch.tensor([before], device=model.device), model.begin_state(1))
        results = []
        for at in range(0, len(endings), batch_size):
            part = [check_ids(e, model.vocab_size, "ending").tolist() for e in endings[at : at + batch_size]]
            rows = pad(part, 0).to(model.device)  # on the right: a causal model does not see it
            features, _ = model.features(rows, repeat_rows(memory, len(part)))
            last = features[torch.arange(len(part)), torch.tensor([len(e) - 1 for e in part])]  # not the last column
            results.append(model.logits(last).double().cpu().numpy())
        return np.concatenate(results)
