"""Exercises of chapter 07, recurrent networks: checks, hints, reference solutions, wrong answers with their diagnoses."""

import numpy as np
import torch

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------------- 7.1


def next_token_losses(P, ids):
    """The losses in nats of a text, shape (T - 1,). ids (T,); P (T, V): row t is the prediction made after reading ids[t]."""
    return np.array([-np.log(P[t, ids[t + 1]]) for t in range(len(ids) - 1)])


def losses_no_shift(P, ids):
    return np.array([-np.log(P[t, ids[t]]) for t in range(len(ids) - 1)])


def losses_no_shift_all(P, ids):
    return np.array([-np.log(P[t, ids[t]]) for t in range(len(ids))])


def losses_wrong_way(P, ids):
    return np.array([-np.log(P[t, ids[t - 1]]) for t in range(1, len(ids))])


def losses_wrap_around(P, ids):
    return np.array([-np.log(P[t, ids[(t + 1) % len(ids)]]) for t in range(len(ids))])


def losses_bits(P, ids):
    return next_token_losses(P, ids) / np.log(2)


def losses_mean(P, ids):
    return float(next_token_losses(P, ids).mean())


def losses_sign(P, ids):
    return -next_token_losses(P, ids)


def _table(T, V, seed):
    P = np.random.default_rng(seed).random((T, V)) + 0.05
    return P / P.sum(axis=1, keepdims=True)


def check_next_token_losses(t: Trial) -> None:
    for ids, V in (([0, 1], 3), ([2, 0, 1, 1], 4), ([4, 2, 2, 0, 3, 1, 0, 4, 1, 3, 2, 0], 5)):
        P = _table(len(ids), V, V)
        got, expected = t.call(P, ids), next_token_losses(P, ids)
        t.close(got, expected, rtol=1e-6, what=f"the losses of {len(ids)} tokens")


# ------------------------------------------------------------------------------------------------- 7.2


def elman_states(x, W, U, b):
    """All states (T + 1, H) of h_t = tanh(x_t W + h_{t-1} U + b), the first of them zeros. x: (T, C), W: (C, H), U: (H, H)."""
    states = [torch.zeros(U.shape[0], dtype=x.dtype)]
    for t in range(len(x)):
        states.append(torch.tanh(x[t] @ W + states[t] @ U + b))
    return torch.stack(states)


def states_in_place(x, W, U, b):
    """All states (T + 1, H) of h_t = tanh(x_t W + h_{t-1} U + b), the first of them zeros. x: (T, C), W: (C, H), U: (H, H)."""
    states = torch.zeros(len(x) + 1, U.shape[0], dtype=x.dtype)
    for t in range(len(x)):
        states[t + 1] = torch.tanh(x[t] @ W + states[t] @ U + b)
    return states


def states_detached(x, W, U, b):
    states = torch.zeros(len(x) + 1, U.shape[0], dtype=x.dtype)
    for t in range(len(x)):
        states[t + 1] = torch.tanh(x[t] @ W + states[t].clone().detach() @ U + b)
    return states


def states_no_gradient(x, W, U, b):
    with torch.no_grad():
        return elman_states(x, W, U, b)


def states_without_first(x, W, U, b):
    return elman_states(x, W, U, b)[1:]


def states_no_memory(x, W, U, b):
    return torch.cat([torch.zeros(1, U.shape[0], dtype=x.dtype), torch.tanh(x @ W + b)])


def states_transposed(x, W, U, b):
    return elman_states(x, W, U.T, b)


def states_as_list(x, W, U, b):
    return list(elman_states(x, W, U, b))


def _normal(seed, *shapes):
    """Random tensors in 64 bits, one for each shape."""
    g = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=g, dtype=torch.float64) for shape in shapes]


def _elman_case(T, C, H, seed):
    return [0.7 * part for part in _normal(seed, (T, C), (C, H), (H, H), (H,))]


def _elman_gradient(x, W, U, b):
    """What a learner's function must give: the gradient of U, for a loss on all states."""

    def steps(f):
        weights = U.clone().requires_grad_()
        states = f(x, W, weights, b)
        loss = (states * torch.arange(1.0, states.numel() + 1, dtype=x.dtype).reshape(states.shape)).sum()
        return torch.autograd.grad(loss, weights)[0]

    return steps


IN_PLACE = (
    "writes the states into one tensor, so that autograd finds it changed on the way back (modified by an inplace "
    "operation). Keep a list and stack it at the end"
)
NO_GRADIENT = "computes without a gradient, so nothing can be learned: remove the no_grad (or the detach)"


def _modified_in_place(x, W, U, b):
    def steps(f):
        try:
            return _elman_gradient(x, W, U, b)(f)
        except RuntimeError as error:  # the gradient cannot be had: say why
            if "inplace" in str(error):
                return "in place"
            if "does not require grad" in str(error):
                return "no gradient"
            raise

    return steps


def check_elman_states(t: Trial) -> None:
    for case in (_elman_case(3, 2, 2, 0), _elman_case(4, 3, 2, 1), _elman_case(6, 2, 3, 2)):
        got = t.call(*case)
        t.true(not isinstance(got, (list, tuple)), "returns a list; torch.stack makes one tensor (T + 1, H) of it")
        t.close(got, elman_states(*case), rtol=1e-6, what="the states")
        x, W, U, b = case
        got = t.run(_modified_in_place(*case), f"the gradient of U through elman_states, {len(x)} steps")
        t.true(not (isinstance(got, str) and got == "in place"), IN_PLACE)
        t.true(not (isinstance(got, str) and got == "no gradient"), NO_GRADIENT)
        t.close(got, _elman_gradient(*case)(elman_states), rtol=1e-6, what="the gradient of U")


# ------------------------------------------------------------------------------------------------- 7.3


def clip_gradients(gradients, limit):
    """The same gradients, all scaled down by one factor so that their common norm is at most `limit`. A list of arrays."""
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    factor = min(1.0, limit / max(norm, 1e-12))
    return [g * factor for g in gradients]


def clip_each_value(gradients, limit):
    return [np.clip(g, -limit, limit) for g in gradients]


def clip_each_array(gradients, limit):
    return [g * min(1.0, limit / max(float(np.sqrt((g**2).sum())), 1e-12)) for g in gradients]


def clip_always(gradients, limit):
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    return [g * (limit / max(norm, 1e-12)) for g in gradients]


def clip_by_squared(gradients, limit):
    norm = sum(float((g**2).sum()) for g in gradients)
    return [g * min(1.0, limit / max(norm, 1e-12)) for g in gradients]


def clip_by_sum_of_norms(gradients, limit):
    norm = sum(float(np.sqrt((g**2).sum())) for g in gradients)
    return [g * min(1.0, limit / max(norm, 1e-12)) for g in gradients]


def clip_to_unit(gradients, limit):
    norm = np.sqrt(sum(float((g**2).sum()) for g in gradients))
    return [g / norm if norm > limit else g for g in gradients]


def check_clip_gradients(t: Trial) -> None:
    rng = np.random.default_rng(0)
    cases = [
        ([np.array([3.0, 4.0]), np.array([12.0])], 2.0),
        ([np.array([0.3, 0.4])], 1.0),
        ([np.zeros(3), np.zeros((2, 2))], 1.0),
        ([rng.normal(size=(3, 2)), 5 * rng.normal(size=4)], 2.0),
        ([np.array([0.1, 0.2]), np.array([0.2])], 0.5),
    ]
    for gradients, limit in cases:
        got, expected = t.call(gradients, limit), clip_gradients(gradients, limit)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == len(expected)),
            "must return a list with one array for each gradient",
            expected,
            got,
        )
        for number, e in enumerate(expected):
            t.close(None if got is None else got[number], e, rtol=1e-6, what=f"gradient number {number + 1}")


# ------------------------------------------------------------------------------------------------- 7.4


def gru_step(x, h, W, U, b_x, b_h):
    """One step of a GRU: the new state (B, H). x: (B, C), h: (B, H); W: (C, 3H), U: (H, 3H), b_x, b_h: (3H,); order r, z, n."""
    x_r, x_z, x_n = (x @ W + b_x).chunk(3, dim=-1)
    h_r, h_z, h_n = (h @ U + b_h).chunk(3, dim=-1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def _gru(x, h, W, U, b_x, b_h, mix, order=(0, 1, 2), inside=None):
    xs, hs = (x @ W + b_x).chunk(3, dim=-1), (h @ U + b_h).chunk(3, dim=-1)
    r, z = (torch.sigmoid(xs[k] + hs[k]) for k in order[:2])
    H = h.shape[-1]
    inner = r * hs[order[2]] if inside is None else inside(r, h, U[:, 2 * H :], b_h[2 * H :], hs[order[2]])
    return mix(z, torch.tanh(xs[order[2]] + inner), h)


def _keep(z, n, h):
    return (1 - z) * n + z * h


def gru_swapped(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: z * n + (1 - z) * h)


def gru_order_z_r(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, order=(1, 0, 2))


def gru_reset_first(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: (r * h) @ U_n + b_n)


def gru_bias_outside(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: r * (h @ U_n) + b_n)


def gru_no_reset(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, _keep, inside=lambda r, h, U_n, b_n, h_n: h_n)


def gru_adds(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: n + z * h)


def gru_n_sigmoid(x, h, W, U, b_x, b_h):
    return _gru(x, h, W, U, b_x, b_h, lambda z, n, h: (1 - z) * torch.sigmoid(torch.atanh(n)) + z * h)


def check_gru_step(t: Trial) -> None:
    for B, C, H, seed in ((1, 1, 2, 0), (2, 3, 2, 1), (3, 2, 4, 2)):
        case = _normal(seed, (B, C), (B, H), (C, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))
        t.close(t.call(*case), gru_step(*case), rtol=1e-6, what="the new state")


# ------------------------------------------------------------------------------------------------- 7.5


def lstm_step_backward(i, f, g, o, c_before, c, d_h, d_c):
    """Back through one step: d_a (B, 4H), of the sums before the four non-linearities (order i, f, g, o), and d_c_before (B, H).

    i, f, g, o, c_before, c: (B, H) what the step computed. d_h, d_c: (B, H) what later steps want of h and c.
    """
    d_c = d_c + d_h * o * (1 - torch.tanh(c) ** 2)
    d_i, d_f, d_g, d_o = d_c * g, d_c * c_before, d_c * i, d_h * torch.tanh(c)
    d_a = torch.cat([d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)], dim=-1)
    return d_a, d_c * f


def _lstm_back(
    i, f, g, o, c_before, c, d_h, d_c, *, through=True, slopes=True, g_slope=True, previous=True, tanh_o=True, last=True
):
    total = d_c + d_h * o * (1 - torch.tanh(c) ** 2) if through else d_c + d_h * o
    d_o = d_h * torch.tanh(c) if tanh_o else d_h * c
    parts = [total * g, total * (c_before if previous else c), total * i, d_o]
    if slopes:
        g_part = 1 - g**2 if g_slope else g * (1 - g)
        parts = [p * s for p, s in zip(parts, [i * (1 - i), f * (1 - f), g_part, o * (1 - o)])]
    return torch.cat(parts, dim=-1), (total if last else d_c) * f


def back_no_tanh(*a):
    return _lstm_back(*a, through=False)


def back_no_slopes(*a):
    return _lstm_back(*a, slopes=False)


def back_g_sigmoid(*a):
    return _lstm_back(*a, g_slope=False)


def back_c_not_before(*a):
    return _lstm_back(*a, previous=False)


def back_o_without_tanh(*a):
    return _lstm_back(*a, tanh_o=False)


def back_only_d_c(*a):
    return _lstm_back(*a, last=False)


def back_not_through_f(i, f, g, o, c_before, c, d_h, d_c):
    d_a, d_before = lstm_step_backward(i, f, g, o, c_before, c, d_h, d_c)
    return d_a, d_before / f


def check_lstm_step_backward(t: Trial) -> None:
    for B, H, seed in ((1, 1, 0), (2, 3, 1)):
        a, c_before, d_h, d_c = _normal(seed, (B, 4 * H), (B, H), (B, H), (B, H))
        i, f, g, o = a.chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        case = (i, f, g, o, c_before, f * c_before + i * g, d_h, d_c)
        got, expected = t.call(*case), lstm_step_backward(*case)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == 2),
            "must return two tensors, d_a and d_c_before",
            expected,
            got,
        )
        for number, what in enumerate(("d_a", "d_c_before")):
            t.close(None if got is None else got[number], expected[number], rtol=1e-6, what=what)


# ------------------------------------------------------------------------------------------------- 7.6


def mean_loss(log_probs, targets, lengths):
    """Mean loss in nats per real token. log_probs: (B, T, V); targets: (B, T) ids, padded on the right; lengths: (B,)."""
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    real = np.arange(T)[None, :] < np.asarray(lengths)[:, None]
    return float((losses * real).sum() / real.sum())


def mean_loss_padded(log_probs, targets, lengths):
    """Mean loss in nats per real token. log_probs: (B, T, V); targets: (B, T) ids, padded on the right; lengths: (B,)."""
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    return float(losses.mean())


def _loss_table(log_probs, targets, lengths):
    B, T = targets.shape
    losses = -log_probs[np.arange(B)[:, None], np.arange(T)[None, :], targets]
    return losses, np.arange(T)[None, :] < np.asarray(lengths)[:, None]


def mean_loss_divided_by_all(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float((losses * real).mean())


def mean_loss_of_means(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float(((losses * real).sum(axis=1) / real.sum(axis=1)).mean())


def mean_loss_by_id(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.asarray(targets) != 0
    return float((losses * real).sum() / real.sum())


def mean_loss_one_more(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.arange(losses.shape[1])[None, :] <= np.asarray(lengths)[:, None]
    return float((losses * real).sum() / real.sum())


def mean_loss_one_less(log_probs, targets, lengths):
    losses, _ = _loss_table(log_probs, targets, lengths)
    real = np.arange(losses.shape[1])[None, :] < np.asarray(lengths)[:, None] - 1
    return float((losses * real).sum() / real.sum())


def mean_loss_sum(log_probs, targets, lengths):
    losses, real = _loss_table(log_probs, targets, lengths)
    return float((losses * real).sum())


def check_mean_loss(t: Trial) -> None:
    cases = [
        ([[1, 0, 3, 0, 0, 0], [2, 1, 3, 2, 1, 0]], [4, 6]),
        ([[1, 0, 0, 0, 0], [3, 1, 2, 2, 0]], [2, 5]),
        ([[2, 3, 1, 0], [1, 0, 0, 0]], [4, 2]),
    ]
    for number, (targets, lengths) in enumerate(cases):
        targets = np.array(targets)
        P = np.stack([_table(targets.shape[1], 4, 7 * number + row) for row in range(len(targets))])
        args = (np.log(P), targets, np.array(lengths))
        t.close(t.call(*args), mean_loss(*args), rtol=1e-6, what="the mean loss")


# ------------------------------------------------------------------------------------------------- 7.7


def truncated_gradients(x, W, U, length):
    """The gradient of U for each piece of `length` steps, as a list: the state is carried on, its gradient is not.

    x: (T, C). Each piece starts from the state in which the piece before ended; its loss is the sum of its states.
    """
    gradients, weights = [], U.clone().requires_grad_()
    h = torch.zeros(U.shape[0], dtype=x.dtype)
    for start in range(0, len(x), length):
        h, loss = h.detach(), 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_from_zero(x, W, U, length):
    """The gradient of U for each piece of `length` steps, as a list: the state is carried on, its gradient is not.

    x: (T, C). Each piece starts from the state in which the piece before ended; its loss is the sum of its states.
    """
    gradients, weights = [], U.clone().requires_grad_()
    for start in range(0, len(x), length):
        h = torch.zeros(U.shape[0], dtype=x.dtype)
        loss = 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_not(x, W, U, length):
    h, gradients, weights = torch.zeros(U.shape[0], dtype=x.dtype), [], U.clone().requires_grad_()
    for start in range(0, len(x), length):
        loss = 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights, retain_graph=True)[0])
    return gradients


def truncated_each_step(x, W, U, length):
    h, gradients = torch.zeros(U.shape[0], dtype=x.dtype), []
    for start in range(0, len(x), length):
        weights, loss = U.clone().requires_grad_(), 0
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h.detach() @ weights)
            loss = loss + h.sum()
        gradients.append(torch.autograd.grad(loss, weights)[0])
    return gradients


def truncated_last_state(x, W, U, length):
    h, gradients = torch.zeros(U.shape[0], dtype=x.dtype), []
    for start in range(0, len(x), length):
        h, weights = h.detach(), U.clone().requires_grad_()
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
        gradients.append(torch.autograd.grad(h.sum(), weights)[0])
    return gradients


def truncated_first_state_again(x, W, U, length):
    first, gradients = None, []
    for start in range(0, len(x), length):
        weights, loss = U.clone().requires_grad_(), 0
        h = torch.zeros(U.shape[0], dtype=x.dtype) if first is None else first
        for x_t in x[start : start + length]:
            h = torch.tanh(x_t @ W + h @ weights)
            loss = loss + h.sum()
        first = h.detach() if first is None else first
        gradients.append(torch.autograd.grad(loss, weights)[0])
    return gradients


def truncated_added_up(x, W, U, length):
    pieces = truncated_gradients(x, W, U, length)
    return [sum(pieces[: k + 1]) for k in range(len(pieces))]


def check_truncated_gradients(t: Trial) -> None:
    for T, C, H, length, seed in ((4, 2, 2, 2, 0), (9, 2, 3, 3, 1), (7, 1, 2, 3, 2)):
        x, W, U, _ = _elman_case(T, C, H, seed)
        got, expected = t.call(x, W, U, length), truncated_gradients(x, W, U, length)
        t.true(
            got is None or (isinstance(got, list | tuple) and len(got) == len(expected)),
            f"must return a list with one gradient for each of the {len(expected)} pieces",
            expected,
            got,
        )
        for number, e in enumerate(expected):
            t.close(None if got is None else got[number], e, rtol=1e-6, what=f"the gradient of piece {number + 1}")


# ------------------------------------------------------------------------------------------------- 7.8


def vocabulary_size(n_parameters, d, n_layers):
    """The V of an Elman language model: embedding (V, d), n_layers layers of width d, one bias each, output (d, V) with bias.

    A whole number where the numbers fit; a fraction where they do not.
    """
    return (n_parameters - n_layers * (2 * d * d + d)) / (2 * d + 1)


def vocabulary_two_biases(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + 2 * d)) / (2 * d + 1)


def vocabulary_no_output_bias(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + d)) / (2 * d)


def vocabulary_tied(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (2 * d * d + d)) / (d + 1)


def vocabulary_one_matrix(n_parameters, d, n_layers):
    return (n_parameters - n_layers * (d * d + d)) / (2 * d + 1)


def vocabulary_no_layers(n_parameters, d, n_layers):
    return n_parameters / (2 * d + 1)


def vocabulary_one_layer(n_parameters, d, n_layers):
    return (n_parameters - (2 * d * d + d)) / (2 * d + 1)


def vocabulary_rounded(n_parameters, d, n_layers):
    return int((n_parameters - n_layers * (2 * d * d + d)) // (2 * d + 1))


def check_vocabulary_size(t: Trial) -> None:
    for V, d, n_layers in ((5, 2, 1), (1000, 16, 2), (32_011, 128, 2), (4096, 64, 3)):
        n = V * d + n_layers * (2 * d * d + d) + (d + 1) * V
        t.close(t.call(n, d, n_layers), float(V), rtol=1e-9, what="V")
    t.close(t.call(8_300_000, 128, 2), vocabulary_size(8_300_000, 128, 2), rtol=1e-9, what="V (here no whole number)")


EXERCISES = [
    Exercise(
        id="7.1",
        title="Shift by one",
        kind="warm-up",
        points=1,
        solution=next_token_losses,
        check=check_next_token_losses,
        hints=(
            "After reading ids[t] the model predicts ids[t + 1]. So row t of P belongs to the target ids[t + 1].",
            "The last row has no target. A text of T tokens has T - 1 losses: for t in range(T - 1), -ln of P[t, ids[t + 1]].",
        ),
        wrong=(
            Wrong(
                losses_no_shift,
                "asks each row for the token that was just read: a model that repeats its input would "
                "look perfect. "
                "The target of row t is ids[t + 1]",
            ),
            Wrong(
                losses_no_shift_all,
                "pairs every row with the token that it has just read, and so finds a loss for "
                "each of the T tokens; "
                "shift by one",
            ),
            Wrong(losses_wrong_way, "shifts the wrong way: row t is asked for the token before it, which it has already read"),
            Wrong(losses_wrap_around, "gives the last row a target, the first token of the text: nothing follows the last token"),
            Wrong(losses_bits, "gives bits: use the natural logarithm for nats"),
            Wrong(losses_mean, "returns the mean: here every single loss is wanted"),
            Wrong(losses_sign, "has the sign turned: a loss is -ln p, and it is never below 0"),
        ),
    ),
    Exercise(
        id="7.2",
        title="States written in place",
        kind="find the bug",
        points=2,
        solution=elman_states,
        check=check_elman_states,
        start=states_in_place,
        hints=(
            "The values are right. Call .sum().backward() on the result, with U.requires_grad_(), and read the error.",
            "Each step keeps states[t] for the way back, but the next step writes into the same tensor. Keep a list of states "
            "and append to it.",
            "torch.stack(list_of_states) makes one tensor (T + 1, H) of them at the end.",
        ),
        wrong=(
            Wrong(states_in_place, IN_PLACE),
            Wrong(
                states_detached,
                "cuts the gradient between the steps: it runs, but each step only learns from its own output. "
                "Do not detach; keep the states in a list",
            ),
            Wrong(states_no_gradient, NO_GRADIENT),
            Wrong(states_without_first, "leaves out the first state: T + 1 states are wanted, the zeros among them"),
            Wrong(states_no_memory, "never uses the state of the step before: h_{t-1} U is missing"),
            Wrong(states_transposed, "multiplies with the transpose of U"),
            Wrong(states_as_list, "returns a list; torch.stack makes one tensor (T + 1, H) of it"),
        ),
    ),
    Exercise(
        id="7.3",
        title="Clip the gradient",
        kind="core",
        points=2,
        solution=clip_gradients,
        check=check_clip_gradients,
        hints=(
            "One norm for all arrays together: the square root of the sum of all squares of all entries.",
            "If the norm is above the limit, multiply every array by limit / norm; else change nothing: factor = min(1, "
            "limit / norm).",
            "All zeros? Then the norm is 0: divide by max(norm, 1e-12).",
        ),
        wrong=(
            Wrong(
                clip_each_value, "cuts each number off: that changes the direction of the step. Scale all numbers by one factor"
            ),
            Wrong(
                clip_each_array,
                "clips each array by its own norm: the arrays then change relative to each other. Take one norm over all",
            ),
            Wrong(clip_always, "scales small gradients up: below the limit nothing should change, factor = min(1, limit / norm)"),
            Wrong(clip_by_squared, "forgets the square root of the norm"),
            Wrong(
                clip_by_sum_of_norms,
                "adds up the norms of the arrays: the common norm is the square root of the sum of all squares",
            ),
            Wrong(clip_to_unit, "scales to length 1 in place of the limit"),
        ),
    ),
    Exercise(
        id="7.4",
        title="A GRU step",
        kind="core",
        points=3,
        solution=gru_step,
        check=check_gru_step,
        hints=(
            "Compute x @ W + b_x and h @ U + b_h, both (B, 3H), and cut each into three with .chunk(3, dim=-1): r, z, n "
            "in this order.",
            "r and z are sigmoids of the sums of their two parts. The third parts stay apart: n = tanh(x_n + r * h_n).",
            "The new state is (1 - z) * n + z * h: z = 1 keeps the old one.",
        ),
        wrong=(
            Wrong(gru_swapped, "swaps the roles of z: here z = 1 keeps the old state, (1 - z) * n + z * h"),
            Wrong(gru_order_z_r, "takes the parts in the order z, r, n: here they stand as r, z, n"),
            Wrong(
                gru_reset_first,
                "applies r to the state before the matrix product. That is the paper's form; torch "
                "multiplies after the "
                "product, r * (h U + b), and weights fit only one of the two",
            ),
            Wrong(gru_bias_outside, "leaves the bias outside of the reset gate: r * (h @ U_n + b_n)"),
            Wrong(gru_no_reset, "does not use r: n = tanh(x_n + r * h_n)"),
            Wrong(gru_adds, "adds n in full: the new state is a mixture, (1 - z) * n + z * h"),
            Wrong(gru_n_sigmoid, "uses a sigmoid for n: the candidate goes through tanh, so that it can be negative"),
        ),
    ),
    Exercise(
        id="7.5",
        title="Back through one LSTM step",
        kind="stretch",
        points=4,
        solution=lstm_step_backward,
        check=check_lstm_step_backward,
        hints=(
            "Two ways lead to c: from the next step (d_c), and through h = o * tanh(c). Add them first: d_c + d_h * o * "
            "(1 - tanh(c)^2).",
            "From c = f * c_before + i * g: d_i = d_c * g, d_g = d_c * i, d_f = d_c * c_before, d_c_before = d_c * f. And "
            "d_o = d_h * tanh(c).",
            "Then through the non-linearities: a sigmoid s has the slope s (1 - s), a tanh g has 1 - g^2. "
            "torch.cat([...], dim=-1).",
        ),
        wrong=(
            Wrong(back_no_tanh, "passes d_h to the cell without the slope of tanh: d_h * o * (1 - tanh(c)^2)"),
            Wrong(
                back_no_slopes,
                "stops at the gates: d_a belongs to the sums before the sigmoid and tanh, so multiply by their slopes",
            ),
            Wrong(back_g_sigmoid, "uses the slope of a sigmoid for g, which is a tanh: 1 - g^2"),
            Wrong(back_c_not_before, "multiplies by the new cell for the forget gate: f multiplies the cell before, c_before"),
            Wrong(back_o_without_tanh, "forgets tanh in d_o: h = o * tanh(c)"),
            Wrong(
                back_only_d_c,
                "sends back only what came from the next step's cell: what came through h belongs to the cell as well",
            ),
            Wrong(back_not_through_f, "sends the gradient of the cell back without the forget gate: times f"),
        ),
    ),
    Exercise(
        id="7.6",
        title="Padding counted in the loss",
        kind="find the bug",
        points=2,
        solution=mean_loss,
        check=check_mean_loss,
        start=mean_loss_padded,
        hints=(
            "Add a column of padding to both texts. Their real tokens have not changed; should the loss change?",
            "np.arange(T)[None, :] < lengths[:, None] is True at the real tokens. Sum only there, and divide by their number.",
            "Do not look for the padding id: id 0 is also a real token here, the end of a text.",
        ),
        wrong=(
            Wrong(mean_loss_padded, "counts the padding: its losses are in the mean. Use the lengths to leave it out"),
            Wrong(
                mean_loss_divided_by_all,
                "leaves padding out of the sum, but divides by all positions: divide by the number of real tokens",
            ),
            Wrong(
                mean_loss_of_means,
                "averages the means of the texts: a token of a short text would weigh more. Add up all losses, divide once",
            ),
            Wrong(
                mean_loss_by_id,
                "leaves out every token whose id is 0: the real end-of-text tokens have this id too, "
                "and the model "
                "would never learn to stop. Go by the lengths",
            ),
            Wrong(mean_loss_one_more, "counts one padding token for each text: position t is real when t < length"),
            Wrong(mean_loss_one_less, "leaves out the last real token of each text: the end must be learned, too"),
            Wrong(mean_loss_sum, "returns the sum: a batch with more text would always look worse"),
        ),
    ),
    Exercise(
        id="7.7",
        title="The state that was thrown away",
        kind="find the bug",
        points=3,
        solution=truncated_gradients,
        check=check_truncated_gradients,
        start=truncated_from_zero,
        hints=(
            "With pieces of one step each, what does the network know of the step before?",
            "Set h to zeros once, before the loop over the pieces. Then a piece starts where the last one ended.",
            "Now the gradient would run back through all earlier pieces. h = h.detach() at the start of a piece keeps the "
            "value and "
            "cuts the gradient.",
        ),
        wrong=(
            Wrong(
                truncated_from_zero,
                "starts each piece from zeros: the network forgets everything at each border. Carry the state",
            ),
            Wrong(
                truncated_not,
                "carries the state with its gradient: the way back runs through all earlier pieces, and "
                "grows without end. "
                "h = h.detach() at the start of a piece",
            ),
            Wrong(truncated_each_step, "detaches at every step: nothing is learned through time at all. Cut only between pieces"),
            Wrong(truncated_last_state, "uses only the last state of a piece: the loss is the sum of all its states"),
            Wrong(
                truncated_first_state_again,
                "starts all later pieces from the end of the first piece: carry the state of the piece before",
            ),
            Wrong(
                truncated_added_up, "adds the gradients up over the pieces: each piece has a gradient (and an update) of its own"
            ),
        ),
    ),
    Exercise(
        id="7.8",
        title="Which vocabulary was it?",
        kind="core",
        points=2,
        solution=vocabulary_size,
        check=check_vocabulary_size,
        hints=(
            "Write the sum first: V d for the embedding, n_layers (d d + d d + d) for the layers, d V + V for the output.",
            "Everything with V: V (2 d + 1). So V = (n_parameters - n_layers (2 d^2 + d)) / (2 d + 1).",
        ),
        wrong=(
            Wrong(vocabulary_two_biases, "counts two biases for each layer, as torch has them; this model has one"),
            Wrong(vocabulary_no_output_bias, "forgets the bias of the output: one number for each entry of the vocabulary"),
            Wrong(vocabulary_tied, "counts one V x d matrix: here the embedding and the output are two"),
            Wrong(vocabulary_one_matrix, "counts one matrix for each layer: W for the input and U for the state are two"),
            Wrong(vocabulary_no_layers, "forgets the recurrent layers"),
            Wrong(vocabulary_one_layer, "counts one layer, whatever n_layers says"),
            Wrong(vocabulary_rounded, "rounds down: a fraction is the sign that the numbers do not fit, so do not hide it"),
        ),
    ),
]
