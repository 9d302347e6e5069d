"""Exercises of chapter 08, the Transformer: checks, hints, reference solutions, wrong answers with their diagnoses."""

import math

import torch

from helpers.lab.checks import Exercise, Trial, Wrong


def _random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------------------------------------- 8.1


def look_up(q, K, V):
    """One query's weighted average of the values. q: (D,), K: (S, D), V: (S, E). Returns (E,)."""
    scores = K @ q / math.sqrt(len(q))  # (S,)
    return torch.softmax(scores, dim=0) @ V


def look_up_unscaled(q, K, V):
    return torch.softmax(K @ q, dim=0) @ V


def look_up_divided_by_d(q, K, V):
    return torch.softmax(K @ q / len(q), dim=0) @ V


def look_up_root_of_keys(q, K, V):
    return torch.softmax(K @ q / math.sqrt(len(K)), dim=0) @ V


def look_up_hard(q, K, V):
    return V[(K @ q).argmax()]


def look_up_scores(q, K, V):
    return (K @ q / math.sqrt(len(q))) @ V


def look_up_keys(q, K, V):
    return torch.softmax(K @ q / math.sqrt(len(q)), dim=0) @ K


def check_look_up(t: Trial) -> None:
    q = torch.tensor([1.0, 0.0, 1.0, 0.0])
    K = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 3.0, 1.0]])
    cases = [
        (q, K, torch.tensor([[1.0], [2.0], [4.0]])),
        (_random(0, 6), _random(1, 5, 6), _random(2, 5, 3)),
        (_random(3, 4), _random(4, 4, 4), _random(5, 4, 4)),
    ]
    for case in cases:
        t.close(t.call(*case), look_up(*case), rtol=1e-5, atol=1e-6, what="the result of the look-up")


# ------------------------------------------------------------------------------------------------- 8.2


def causal_attention(q, k, v):
    """Attention in which token t looks at tokens 0 to t. q, k, v: (T, D). Returns (T, D)."""
    T, D = q.shape
    scores = q @ k.T / math.sqrt(D)  # (T, T)
    may_look = torch.ones(T, T).tril().bool()
    scores = scores.masked_fill(~may_look, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def causal_upside_down(q, k, v):
    """Attention in which token t looks at tokens 0 to t. q, k, v: (T, D). Returns (T, D)."""
    T, D = q.shape
    scores = q @ k.T / math.sqrt(D)  # (T, T)
    may_look = torch.ones(T, T).triu().bool()
    scores = scores.masked_fill(~may_look, -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def _causal(q, k, v, allowed, fill=-math.inf, dim=-1):
    T, D = q.shape
    scores = (q @ k.T / math.sqrt(D)).masked_fill(~allowed(torch.ones(T, T)).bool(), fill)
    return torch.softmax(scores, dim=dim) @ v


def causal_not_self(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(-1))


def causal_future_only(q, k, v):
    return _causal(q, k, v, lambda m: m.triu(1))


def causal_one_ahead(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(1))


def causal_zero_fill(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(), fill=0.0)


def causal_wrong_axis(q, k, v):
    return _causal(q, k, v, lambda m: m.tril(), dim=0)


def causal_none(q, k, v):
    return _causal(q, k, v, lambda m: m)


def causal_after_softmax(q, k, v):
    T, D = q.shape
    return (torch.softmax(q @ k.T / math.sqrt(D), dim=-1) * torch.ones(T, T).tril()) @ v


def check_causal(t: Trial) -> None:
    for seed, (T, D) in enumerate([(3, 2), (5, 4), (1, 2)]):
        q, k, v = (_random(10 * seed + i, T, D) for i in range(3))
        t.close(t.call(q, k, v), causal_attention(q, k, v), rtol=1e-5, atol=1e-6, what="causal attention")


# ------------------------------------------------------------------------------------------------- 8.3


def grouped_attention(q, k, v):
    """q: (H, T, D), k, v: (K, T, D); each key-value head serves H / K query heads that stand side by side. Returns (H, T, D)."""
    H, T, D = q.shape
    times = H // k.shape[0]
    k, v = k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0)  # (H, T, D)
    scores = q @ k.transpose(1, 2) / math.sqrt(D)  # (H, T, T)
    scores = scores.masked_fill(~torch.ones(T, T).tril().bool(), -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def _attend(q, k, v, scale=None, causal=True):
    scores = q @ k.transpose(1, 2) / math.sqrt(scale or q.shape[-1])
    if causal:
        scores = scores.masked_fill(~torch.ones(q.shape[1], q.shape[1]).tril().bool(), -math.inf)
    return torch.softmax(scores, dim=-1) @ v


def grouped_tiled(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat(times, 1, 1), v.repeat(times, 1, 1))


def grouped_first_only(q, k, v):
    return _attend(q, k[:1], v[:1])


def grouped_values_tiled(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat(times, 1, 1))


def grouped_model_scale(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0), scale=q.shape[0] * q.shape[2])


def grouped_no_mask(q, k, v):
    times = q.shape[0] // k.shape[0]
    return _attend(q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0), causal=False)


def grouped_mean_query(q, k, v):
    H, T, D = q.shape
    grouped = q.view(k.shape[0], -1, T, D).mean(1)
    return _attend(grouped, k, v).repeat_interleave(H // k.shape[0], dim=0)


def check_grouped(t: Trial) -> None:
    for seed, (H, K, T, D) in enumerate([(4, 2, 3, 2), (6, 2, 4, 4), (3, 3, 2, 2), (4, 1, 3, 2)]):
        q, k, v = _random(seed, H, T, D), _random(seed + 20, K, T, D), _random(seed + 40, K, T, D)
        t.close(t.call(q, k, v), grouped_attention(q, k, v), rtol=1e-5, atol=1e-6, what="grouped attention")


# ------------------------------------------------------------------------------------------------- 8.4


def rotate_vectors(x, angles):
    """Turn the pair (x_i, x_{i + D/2}) of each vector by its angle. x: (T, D), angles: (T, D/2). Returns (T, D)."""
    half = x.shape[1] // 2
    first, second = x[:, :half], x[:, half:]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=1)


def rotate_mixed(x, angles):
    """Turn the pair (x_i, x_{i + D/2}) of each vector by its angle. x: (T, D), angles: (T, D/2). Returns (T, D)."""
    first, second = x[:, 0::2], x[:, 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=1)


def rotate_even_odd(x, angles):
    first, second = x[:, 0::2], x[:, 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([first * cos - second * sin, first * sin + second * cos], dim=2).flatten(1)


def _halves(x, angles, f):
    half = x.shape[1] // 2
    return torch.cat(f(x[:, :half], x[:, half:], angles.cos(), angles.sin()), dim=1)


def rotate_backwards(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * cos + b * sin, b * cos - a * sin])


def rotate_same_sign(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * cos + b * sin, a * sin + b * cos])


def rotate_swapped(x, angles):
    return _halves(x, angles, lambda a, b, cos, sin: [a * sin + b * cos, a * cos - b * sin])


def rotate_overwritten(x, angles):
    def f(a, b, cos, sin):
        a = a * cos - b * sin
        return [a, a * sin + b * cos]

    return _halves(x, angles, f)


def check_rotate(t: Trial) -> None:
    x = torch.tensor([[2.0, 1.0]])
    t.close(t.call(x, torch.tensor([[math.pi / 4]])), [[0.5**0.5, 3 * 0.5**0.5]], rtol=1e-5, what="[2, 1] turned by 45 degrees")
    still = t.call(torch.arange(4.0)[None], torch.zeros(1, 2))
    t.close(still, [[0.0, 1.0, 2.0, 3.0]], what="a vector at position 0, which must stay")
    x, angles = _random(7, 3, 6), torch.arange(3.0)[:, None] * torch.tensor([1.0, 0.1, 0.01])
    t.close(t.call(x, angles), rotate_vectors(x, angles), rtol=1e-5, atol=1e-6, what="the rotated vectors")


# ------------------------------------------------------------------------------------------------- 8.5


def rms_norm(x, weight, eps):
    """x / sqrt(mean of x squared + eps) * weight, for each vector by itself. x: (..., C), weight: (C,)."""
    mean_square = (x**2).mean(dim=-1, keepdim=True)
    return x / torch.sqrt(mean_square + eps) * weight


def rms_layer_norm(x, weight, eps):
    centered = x - x.mean(dim=-1, keepdim=True)
    return rms_norm(centered, weight, eps)


def rms_sum(x, weight, eps):
    return x / torch.sqrt((x**2).sum(dim=-1, keepdim=True) + eps) * weight


def rms_eps_outside(x, weight, eps):
    return x / (torch.sqrt((x**2).mean(dim=-1, keepdim=True)) + eps) * weight


def rms_no_weight(x, weight, eps):
    return rms_norm(x, torch.ones_like(weight), eps)


def rms_no_root(x, weight, eps):
    return x / ((x**2).mean(dim=-1, keepdim=True) + eps) * weight


def rms_all_vectors(x, weight, eps):
    return x / torch.sqrt((x**2).mean() + eps) * weight


def rms_no_eps(x, weight, eps):
    return rms_norm(x, weight, 0.0)


def check_rms_norm(t: Trial) -> None:
    by_hand = [3 / 12.5**0.5, 4 / 12.5**0.5]
    t.close(t.call(torch.tensor([3.0, 4.0]), torch.ones(2), 0.0), by_hand, rtol=1e-5, what="[3, 4] normalized")
    x, weight = _random(3, 2, 3, 4), torch.tensor([1.0, 2.0, 0.5, 3.0])
    t.close(t.call(x, weight, 1e-5), rms_norm(x, weight, 1e-5), rtol=1e-5, what="the normalized vectors")
    t.close(t.call(x * 0.1, weight, 0.04), rms_norm(x * 0.1, weight, 0.04), rtol=1e-5, what="small vectors with eps = 0.04")


# ------------------------------------------------------------------------------------------------- 8.6


def llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied):
    """Parameters of a Llama: RMSNorm twice a block and once at the end, no biases, SwiGLU, grouped heads of width C / heads."""
    D = C // heads
    attention = 2 * C * C + 2 * C * kv_heads * D  # queries and output; keys and values
    block = attention + 3 * C * ffn_dim + 2 * C
    return V * C * (1 if tied else 2) + layers * block + C


def llama_two_matrices(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C * ffn_dim


def llama_full_heads(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, heads, ffn_dim, tied)


def llama_no_output_matrix(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C * C


def llama_always_tied(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, True)


def llama_tied_wrong_way(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, not tied)


def llama_no_last_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - C


def llama_one_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) - layers * C


def llama_layer_norm(V, C, layers, heads, kv_heads, ffn_dim, tied):
    return llama_parameters(V, C, layers, heads, kv_heads, ffn_dim, tied) + (2 * layers + 1) * C


def check_llama(t: Trial) -> None:
    cases = {
        "a toy": (10, 8, 3, 4, 2, 6, True),
        "another toy": (12, 4, 2, 2, 2, 6, False),
        "SmolLM2-135M": (49_152, 576, 30, 9, 3, 1_536, True),
        "Llama-3-8B": (128_256, 4_096, 32, 32, 8, 14_336, False),
    }
    for name, case in cases.items():
        t.equal(t.call(*case), llama_parameters(*case), what=f"the parameters of {name}")


# ------------------------------------------------------------------------------------------------- 8.7


def cached_step(q, k, v, keys, values):
    """Attention of one new token. q, k, v: (1, D) of the new token; keys, values: (S, D) of all tokens before it.

    Returns the output (1, D), and keys and values with the new token's at the end, (S + 1, D) each.
    """
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    scores = q @ keys.T / math.sqrt(q.shape[1])  # (1, S + 1)
    return torch.softmax(scores, dim=-1) @ values, keys, values


def _step(q, keys, values):
    return torch.softmax(q @ keys.T / math.sqrt(q.shape[1]), dim=-1) @ values


def step_without_self(q, k, v, keys, values):
    out = _step(q, keys, values) if len(keys) else torch.zeros_like(v)
    return out, torch.cat([keys, k]), torch.cat([values, v])


def step_only_self(q, k, v, keys, values):
    return v.clone(), torch.cat([keys, k]), torch.cat([values, v])


def step_not_kept(q, k, v, keys, values):
    return _step(q, torch.cat([keys, k]), torch.cat([values, v])), keys, values


def step_caches_query(q, k, v, keys, values):
    keys, values = torch.cat([keys, q]), torch.cat([values, v])
    return _step(q, keys, values), keys, values


def step_in_front(q, k, v, keys, values):
    keys, values = torch.cat([k, keys]), torch.cat([v, values])
    return _step(q, keys, values), keys, values


def step_keys_as_values(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([values, k])
    return _step(q, keys, values), keys, values


def step_unscaled(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    return torch.softmax(q @ keys.T, dim=-1) @ values, keys, values


def check_cached_step(t: Trial) -> None:
    for seed, (S, D) in enumerate([(2, 4), (0, 2), (5, 3)]):
        q, k, v = (_random(seed * 10 + i, 1, D) for i in range(3))
        keys, values = _random(seed + 50, S, D), _random(seed + 60, S, D)
        got, expected = t.call(q, k, v, keys, values), cached_step(q, k, v, keys, values)
        t.true(
            isinstance(got, tuple | list) and len(got) == 3,
            "returns something else than three tensors: output, keys, values",
            "3 tensors",
            got,
        )
        t.close(got[1], expected[1], rtol=1e-5, what="the keys to keep")
        t.close(got[2], expected[2], rtol=1e-5, what="the values to keep")
        t.close(got[0], expected[0], rtol=1e-5, atol=1e-6, what="the output")


# ------------------------------------------------------------------------------------------------- 8.8


def online_attention(blocks):
    """The weighted average of the values, block by block. blocks: an iterable of (scores (n,), values (n, E)), to be read once.

    Equal to softmax(all scores) @ all values, without ever holding more than one block: a block is gone when the next one
    comes. Returns (E,).
    """
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total = total * rescale + e.sum()
        out = out * rescale + e @ values
        largest = new
    return out / total


def online_block_by_block(blocks):
    return torch.stack([torch.softmax(s, 0) @ v for s, v in blocks]).mean(0)


def online_without_rescaling(blocks):
    total, out = 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores - scores.max())
        total, out = total + e.sum(), out + e @ values
    return out / total


def online_no_maximum(blocks):
    total, out = 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores)
        total, out = total + e.sum(), out + e @ values
    return out / total


def online_total_only(blocks):
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        e = torch.exp(scores - new)
        total, out, largest = total * math.exp(largest - new) + e.sum(), out + e @ values, new
    return out / total


def online_last_block(blocks):
    scores, values = blocks[-1]
    return torch.softmax(scores, 0) @ values


def online_not_divided(blocks):
    scores = torch.cat([s for s, _ in blocks])
    e = torch.exp(scores - scores.max())
    return e @ torch.cat([v for _, v in blocks])


def online_from_zero(blocks):
    largest, total, out = 0.0, 0.0, 0.0
    for scores, values in blocks:
        new = max(largest, float(scores.max()))
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total, out, largest = total * rescale + e.sum(), out * rescale + e @ values, new
    return out / total


def online_newest_maximum(blocks):
    largest, total, out = -math.inf, 0.0, 0.0
    for scores, values in blocks:
        new = float(scores.max())
        rescale, e = math.exp(largest - new), torch.exp(scores - new)
        total, out, largest = total * rescale + e.sum(), out * rescale + e @ values, new
    return out / total


def online_keeps_all(blocks):
    blocks = list(blocks)
    return torch.softmax(torch.cat([s for s, _ in blocks]), 0) @ torch.cat([v for _, v in blocks])


def online_reads_twice(blocks):
    largest, total, out = max(float(s.max()) for s, _ in blocks), 0.0, 0.0
    for scores, values in blocks:
        e = torch.exp(scores - largest)
        total, out = total + e.sum(), out + e @ values
    return out / total


class _Once:
    """Blocks that can be read once; each is filled with NaN when the next one is asked for."""

    def __init__(self, blocks):
        self.blocks, self.read = blocks, False

    def __iter__(self):
        if self.read:
            raise ValueError("the blocks can be read only once")
        self.read = True
        return self.walk()

    def walk(self):
        for block in self.blocks:
            block = [part.clone() for part in block]
            yield tuple(block)
            for part in block:
                part.fill_(math.nan)


def check_online(t: Trial) -> None:
    S, V = torch.tensor([2.0, 7.0, 4.0, 5.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [4.0, 0.0]])
    far = torch.tensor([0.0, 100.0, 98.0, 99.5])
    cases = [
        [(S[:2], V[:2]), (S[2:], V[2:])],
        [(S[2:], V[2:]), (S[:2], V[:2])],
        [(S[:1], V[:1]), (S[1:3], V[1:3]), (S[3:], V[3:])],
        [(far[:2], V[:2]), (far[2:], V[2:])],
    ]
    low, falling = torch.tensor([-200.0, -201.0]), torch.tensor([100.0, 99.0, 0.0, 1.0])
    cases += [[(low[:1], V[:1]), (low[1:], V[1:2])], [(falling[:2], V[:2]), (falling[2:], V[2:])]]
    for blocks in cases:
        t.close(t.call(blocks), online_attention(blocks), rtol=1e-5, atol=1e-6, what="the weighted average")

    def once(f):
        return f(_Once(cases[2]))

    got = t.run(once, "online_attention(blocks), where each block is gone when the next one comes")
    t.close(got, online_attention(cases[2]), rtol=1e-5, atol=1e-6, what="the weighted average")


EXERCISES = [
    Exercise(
        id="8.1",
        title="One look-up",
        kind="warm-up",
        solution=look_up,
        check=check_look_up,
        hints=(
            "Three steps: a score for each key (K @ q), weights that sum to 1 (torch.softmax with dim=0), the weighted sum of "
            "the rows of V (weights @ V).",
            "Divide the scores by math.sqrt(len(q)) before the softmax.",
        ),
        wrong=(
            Wrong(look_up_unscaled, "does not divide the scores by the square root of the width of q"),
            Wrong(
                look_up_divided_by_d,
                "divides the scores by D; the standard deviation of a dot product grows with the square root of D",
            ),
            Wrong(look_up_root_of_keys, "divides by the square root of the number of keys: it is the width D of q that counts"),
            Wrong(look_up_hard, "takes the value of the best key only: a soft look-up takes something from all of them"),
            Wrong(
                look_up_scores,
                "uses the scores as weights: they must go through a softmax, so that they are positive and sum to 1",
            ),
            Wrong(look_up_keys, "averages the keys; the keys only decide how much, the values are what is taken"),
        ),
    ),
    Exercise(
        id="8.2",
        title="Good losses, useless text",
        kind="find the bug",
        points=2,
        solution=causal_attention,
        check=check_causal,
        start=causal_upside_down,
        hints=(
            "Print torch.ones(3, 3).triu() and read row 0: at whom may the first token look?",
            "The row is the token that looks. It may look to its left and at itself: the lower triangle, tril.",
        ),
        wrong=(
            Wrong(causal_upside_down, "lets each token see itself and what follows: the mask is upside down (tril, not triu)"),
            Wrong(
                causal_not_self,
                "forbids a token to look at itself, so the first one sees nothing (NaN); the diagonal belongs "
                "to the allowed ones",
            ),
            Wrong(
                causal_future_only,
                "lets each token see only what follows it, and the last one nothing (NaN). masked_fill "
                "fills where its mask is true: give it ~may_look, and let may_look be the lower triangle (tril)",
            ),
            Wrong(causal_one_ahead, "lets each token see one token ahead, which is the very token it must predict"),
            Wrong(
                causal_zero_fill,
                "gives forbidden pairs the score 0: after the softmax that is e^0 = 1, not nothing; fill with -inf",
            ),
            Wrong(causal_wrong_axis, "normalizes the columns: each row, the view of one token, must sum to 1 (dim=-1)"),
            Wrong(causal_none, "uses no mask: every token sees the whole text"),
            Wrong(causal_after_softmax, "masks after the softmax, so the rows no longer sum to 1: mask the scores before it"),
        ),
    ),
    Exercise(
        id="8.3",
        title="Fewer keys than queries",
        kind="core",
        points=2,
        solution=grouped_attention,
        check=check_grouped,
        hints=(
            "First make k and v as long as q: (K, T, D) -> (H, T, D). With H = 4 and K = 2, query heads 0 and 1 use key head 0, "
            "2 and 3 use key head 1.",
            "k.repeat_interleave(H // K, dim=0) repeats each head in place. Then causal attention as before; "
            "k.transpose(1, 2) is the "
            "transpose of each head.",
        ),
        wrong=(
            Wrong(
                grouped_tiled,
                "repeats the heads as a pattern 0 1 0 1; query heads of a group stand side by side: 0 0 1 1 (repeat_interleave)",
            ),
            Wrong(grouped_first_only, "uses the first key-value head for all query heads"),
            Wrong(grouped_values_tiled, "repeats the keys in place, but the values as a pattern: both must go the same way"),
            Wrong(
                grouped_model_scale, "divides by the square root of the model's width H * D: a score is a product over D channels"
            ),
            Wrong(grouped_no_mask, "has no causal mask, so that each token sees the whole text"),
            Wrong(
                grouped_mean_query,
                "averages the queries of a group; every query head keeps its own query, only k and v are shared",
            ),
        ),
    ),
    Exercise(
        id="8.4",
        title="Weights that fit only one pairing",
        kind="find the bug",
        points=2,
        solution=rotate_vectors,
        check=check_rotate,
        start=rotate_mixed,
        hints=(
            "Rotate [0, 1, 2, 3] by angles of 0. Nothing may change. What comes out?",
            "It reads even and odd channels, and glues the result together as two halves. Read halves as well: x[:, "
            ":half], x[:, half:].",
        ),
        wrong=(
            Wrong(rotate_mixed, "reads even and odd channels but writes halves: at angle 0 the channels already change places"),
            Wrong(
                rotate_even_odd,
                "pairs even with odd channels; that is a good rotation as well, but weights in "
                "the order of the library need pairs (i, i + D/2)",
            ),
            Wrong(rotate_backwards, "turns the other way round (by minus the angle)"),
            Wrong(rotate_same_sign, "has no minus sign: that is no rotation, it does not keep lengths"),
            Wrong(rotate_swapped, "gives back the two halves in the wrong order"),
            Wrong(
                rotate_overwritten,
                "uses the already turned first half to compute the second: keep the old one until both are done",
            ),
        ),
    ),
    Exercise(
        id="8.5",
        title="RMSNorm",
        kind="core",
        solution=rms_norm,
        check=check_rms_norm,
        hints=(
            "The mean runs over the last axis only: (x**2).mean(dim=-1, keepdim=True).",
            "eps stands under the root: x / torch.sqrt(mean + eps) * weight.",
        ),
        wrong=(
            Wrong(rms_layer_norm, "subtracts the mean first, as LayerNorm does; RMSNorm only divides"),
            Wrong(rms_sum, "divides by the length of the vector: root MEAN square, not the root of the sum"),
            Wrong(rms_eps_outside, "adds eps outside of the root; it belongs under it, and on small vectors this shows"),
            Wrong(rms_no_weight, "does not multiply by the weight of each channel"),
            Wrong(rms_no_root, "divides by the mean square without taking its root"),
            Wrong(rms_all_vectors, "takes one mean over all vectors: every vector is normalized by itself"),
            Wrong(rms_no_eps, "leaves out eps, which keeps a vector of zeros from being divided by 0"),
        ),
    ),
    Exercise(
        id="8.6",
        title="Count a Llama",
        kind="core",
        points=2,
        solution=llama_parameters,
        check=check_llama,
        hints=(
            "A block has four attention matrices: q and o are C x C, k and v are C x (kv_heads * D) with D = C // "
            "heads. It has three "
            "feed-forward matrices C x ffn_dim, and two norms of C numbers.",
            "Then once: the embedding V * C, the last norm C, and the output V * C unless it is tied.",
        ),
        wrong=(
            Wrong(llama_two_matrices, "counts two feed-forward matrices: SwiGLU has three (gate, up, down)"),
            Wrong(llama_full_heads, "gives k and v the full width: with grouped heads they are kv_heads * D wide"),
            Wrong(llama_no_output_matrix, "forgets the output matrix of the attention (or counts only one C x C matrix)"),
            Wrong(llama_always_tied, "never counts an output matrix of its own: it is there when the model is not tied"),
            Wrong(llama_tied_wrong_way, "has tied the wrong way round: a tied model saves V * C"),
            Wrong(llama_no_last_norm, "forgets the norm after the last block"),
            Wrong(
                llama_one_norm, "counts one norm a block; there is one before the attention and one before the feed-forward layer"
            ),
            Wrong(llama_layer_norm, "counts a shift for each norm as well: RMSNorm has scales only"),
        ),
    ),
    Exercise(
        id="8.7",
        title="One step with a cache",
        kind="core",
        points=2,
        solution=cached_step,
        check=check_cached_step,
        hints=(
            "Append first (torch.cat([keys, k])), then look: the new token may look at itself.",
            "No mask is needed: everything in the cache lies to the left. Return the output, the longer keys, the longer values.",
        ),
        wrong=(
            Wrong(step_without_self, "looks at the old tokens only: a token may look at itself, so append before looking"),
            Wrong(step_only_self, "returns the new token's own value: it must look at all tokens in the cache"),
            Wrong(step_not_kept, "gives back the cache as it was: the next token would not find this one"),
            Wrong(step_caches_query, "keeps the query in place of the key; a query is used once and thrown away"),
            Wrong(step_in_front, "puts the new token in front: the order of the cache is that of the text"),
            Wrong(step_keys_as_values, "keeps the key as the value"),
            Wrong(step_unscaled, "does not divide the scores by the square root of the width"),
        ),
    ),
    Exercise(
        id="8.8",
        title="A softmax that never sees it all",
        kind="stretch",
        points=3,
        solution=online_attention,
        check=check_online,
        hints=(
            "Keep three things: the largest score so far, the sum of exp(score - largest), the sum of exp(score - "
            "largest) * value.",
            "When a larger score turns up, both sums were computed with the old largest one. Multiply both by exp(old - new).",
            "Start with largest = -math.inf and sums of 0; at the end divide the second sum by the first.",
        ),
        wrong=(
            Wrong(online_block_by_block, "makes a softmax of each block and averages: a block with small scores must count less"),
            Wrong(
                online_without_rescaling,
                "subtracts each block's own largest score without rescaling: the blocks are then not on one scale",
            ),
            Wrong(online_no_maximum, "never subtracts the largest score: exp(100) is too large for 32 bits"),
            Wrong(online_total_only, "rescales the sum of exponentials, but not the weighted sum of values"),
            Wrong(online_last_block, "forgets all blocks but the last"),
            Wrong(online_not_divided, "does not divide by the sum of exponentials"),
            Wrong(
                online_from_zero,
                "starts with 0 as the largest score: where all scores lie far below it, each exponential is "
                "0, and 0 / 0 is NaN. Start with -math.inf",
            ),
            Wrong(
                online_newest_maximum,
                "takes the newest block's largest score, even where an older one was larger: exp(old - "
                "new) then grows beyond all bounds. Take the larger of the two",
            ),
            Wrong(online_keeps_all, "keeps blocks that are gone: use each one when it comes, and keep only the three numbers"),
            Wrong(online_reads_twice, "the blocks can be read only once"),
        ),
    ),
]
