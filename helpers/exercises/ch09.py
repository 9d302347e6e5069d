"""Exercises of chapter 09, finetuning: 9.1 to 9.5 here, 9.6 to 9.9 (embeddings, preferences) in ch09_preferences."""

import torch

from helpers.exercises import ch09_preferences
from helpers.lab.checks import Exercise, Trial, Wrong


def _random(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# ------------------------------------------------------------------------------------------------- 9.1


def reply_labels(prompt_ids, reply_ids, end_id):
    """Labels for prompt + reply + end mark: -100 where nothing is to be learned. A list of len(prompt) + len(reply) + 1."""
    return [-100] * len(prompt_ids) + list(reply_ids) + [end_id]


def labels_without_end(prompt_ids, reply_ids, end_id):
    return [-100] * len(prompt_ids) + list(reply_ids) + [-100]


def labels_everything(prompt_ids, reply_ids, end_id):
    return list(prompt_ids) + list(reply_ids) + [end_id]


def labels_prompt_only(prompt_ids, reply_ids, end_id):
    return list(prompt_ids) + [-100] * (len(reply_ids) + 1)


def labels_shifted(prompt_ids, reply_ids, end_id):
    return [-100] * (len(prompt_ids) - 1) + list(reply_ids) + [end_id, -100]


def labels_end_forgotten(prompt_ids, reply_ids, end_id):
    return [-100] * len(prompt_ids) + list(reply_ids)


def labels_zero(prompt_ids, reply_ids, end_id):
    return [0] * len(prompt_ids) + list(reply_ids) + [end_id]


def check_reply_labels(t: Trial) -> None:
    for prompt, reply, end in (([1, 2, 3, 4, 5, 6, 7], [11], 0), ([1, 9, 4, 2], [8, 9, 4], 2), ([5, 6], [], 2)):
        t.equal(t.call(prompt, reply, end), reply_labels(prompt, reply, end), what="the labels")


# ------------------------------------------------------------------------------------------------- 9.2


def pad_batch(rows, prompt_lengths, pad_id):
    """Rows of ids filled up on the right with pad_id, and labels: -100 on prompts and on padding. Returns two lists of lists."""
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n_prompt in zip(rows, prompt_lengths):
        gap = longest - len(row)
        ids.append(list(row) + [pad_id] * gap)
        labels.append([-100] * n_prompt + list(row[n_prompt:]) + [-100] * gap)
    return ids, labels


def pad_batch_by_value(rows, prompt_lengths, pad_id):
    """Rows of ids filled up on the right with pad_id, and labels: -100 on prompts and on padding. Returns two lists of lists."""
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n_prompt in zip(rows, prompt_lengths):
        padded = list(row) + [pad_id] * (longest - len(row))
        ids.append(padded)
        labels.append([-100 if i < n_prompt or id == pad_id else id for i, id in enumerate(padded)])
    return ids, labels


def _padded(rows, prompt_lengths, pad_id, label, left=False):
    longest = max(len(row) for row in rows)
    ids, labels = [], []
    for row, n in zip(rows, prompt_lengths):
        gap = [pad_id] * (longest - len(row))
        ids.append(gap + list(row) if left else list(row) + gap)
        labels.append(label(list(row), n, gap))
    return ids, labels


def pad_batch_learns_padding(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:] + gap)


def pad_batch_learns_prompts(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: row + [-100] * len(gap))


def pad_batch_keeps_first_padding(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:] + gap[:1] + [-100] * len(gap[1:]))


def pad_batch_drops_last(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * n + row[n:-1] + [-100] * (len(gap) + 1))


def pad_batch_on_the_left(rows, prompt_lengths, pad_id):
    return _padded(rows, prompt_lengths, pad_id, lambda row, n, gap: [-100] * (len(gap) + n) + row[n:], left=True)


def check_pad_batch(t: Trial) -> None:
    cases = [
        ([[1, 3, 2], [1, 4, 4, 9, 2]], [2, 2], 5),
        ([[1, 2, 8, 9, 10, 7, 12, 2], [1, 5, 11, 2]], [6, 2], 2),
        ([[1, 4, 6, 0], [1, 5, 6, 7, 0, 8, 0]], [2, 3], 0),
    ]
    for rows, lengths, pad in cases:
        ids, labels = t.call(rows, lengths, pad)
        wanted = pad_batch(rows, lengths, pad)
        t.equal([list(r) for r in ids], wanted[0], what="the ids")
        t.equal([list(r) for r in labels], wanted[1], what="the labels")


# ------------------------------------------------------------------------------------------------- 9.3


def lora_linear(x, W, A, B, alpha):
    """x through a frozen matrix and its update. x: (N, in), W: (out, in), A: (r, in), B: (out, r). Returns (N, out)."""
    r = A.shape[0]
    return x @ W.T + alpha / r * (x @ A.T) @ B.T


def lora_no_scale(x, W, A, B, alpha):
    return x @ W.T + (x @ A.T) @ B.T


def lora_alpha_only(x, W, A, B, alpha):
    return x @ W.T + alpha * (x @ A.T) @ B.T


def lora_scaled_all(x, W, A, B, alpha):
    return alpha / A.shape[0] * (x @ W.T + (x @ A.T) @ B.T)


def lora_by_width(x, W, A, B, alpha):
    return x @ W.T + alpha / A.shape[1] * (x @ A.T) @ B.T


def lora_update_only(x, W, A, B, alpha):
    return alpha / A.shape[0] * (x @ A.T) @ B.T


def lora_root_scale(x, W, A, B, alpha):
    return x @ W.T + alpha / A.shape[0] ** 0.5 * (x @ A.T) @ B.T


def check_lora(t: Trial) -> None:
    W, A, B = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    cases = [(torch.tensor([[1.0, 1.0]]), W, A, B, 3.0)]
    cases += [
        (_random(s, 4, 5), _random(s + 10, 6, 5), _random(s + 20, r, 5), _random(s + 30, 6, r), a)
        for s, r, a in ((0, 3, 12.0), (1, 2, 16.0), (2, 4, 1.0))
    ]
    for case in cases:
        t.close(t.call(*case), lora_linear(*case), rtol=1e-5, atol=1e-5, what="the output")


# ------------------------------------------------------------------------------------------------- 9.4


def factor_update(D, r, alpha):
    """A (r, in) and B (out, r) with (alpha / r) * B @ A as close to the update D (out, in) as rank r allows."""
    U, s, Vt = torch.linalg.svd(D, full_matrices=False)
    A = Vt[:r]
    B = U[:, :r] * s[:r] * (r / alpha)
    return A, B


def _factored(D, r, weigh, first=True):
    U, s, Vt = torch.linalg.svd(D, full_matrices=False)
    part = slice(0, r) if first else slice(len(s) - r, len(s))
    return Vt[part], U[:, part] * weigh(s[part])


def factor_no_scale(D, r, alpha):
    return _factored(D, r, lambda s: s)


def factor_scale_twice(D, r, alpha):
    return _factored(D, r, lambda s: s * alpha / r)


def factor_no_singular(D, r, alpha):
    return _factored(D, r, lambda s: torch.ones_like(s) * r / alpha)


def factor_smallest(D, r, alpha):
    return _factored(D, r, lambda s: s * r / alpha, first=False)


def factor_root_once(D, r, alpha):
    return _factored(D, r, lambda s: s.sqrt() * r / alpha)


def factor_swapped(D, r, alpha):
    A, B = factor_update(D, r, alpha)
    return B, A


def factor_rows(D, r, alpha):
    A = D[:r]
    return A, torch.eye(len(D))[:, :r] * (r / alpha)


def check_factor(t: Trial) -> None:
    cases = [
        (_random(1, 5, 1) @ _random(2, 1, 4), 1, 2.0),
        (_random(3, 6, 2) @ _random(4, 2, 7), 2, 16.0),
        (_random(5, 6, 5), 3, 8.0),
    ]
    for D, r, alpha in cases:
        found = t.call(D, r, alpha)
        t.true(isinstance(found, tuple | list) and len(found) == 2, "must return two matrices, A and B", "(A, B)", found)
        A, B = found
        t.equal([tuple(A.shape), tuple(B.shape)], [(r, D.shape[1]), (D.shape[0], r)], what="the shapes of A and B")
        best = factor_update(D, r, alpha)
        t.close(alpha / r * B @ A, alpha / r * best[1] @ best[0], rtol=1e-3, atol=1e-4, what="(alpha / r) * B @ A")


# ------------------------------------------------------------------------------------------------- 9.5


def round_blocks(w, block):
    """4 bits with one scale a block: whole numbers from -7 to 7 times (largest absolute value / 7). w: (n,), n a multiple of
    block. Returns the rounded weights (n,)."""
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(dim=1, keepdim=True) / 7  # (n / block, 1)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    return (torch.round(rows / scale) * scale).reshape(-1)


def _rounded(w, block, scale_of, levels=7, action=torch.round):
    rows = w.reshape(-1, block)
    scale = scale_of(rows)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    return (action(rows / scale).clamp(-levels, levels) * scale).reshape(-1)


def round_globally(w, block):
    return _rounded(w, block, lambda rows: rows.abs().max() / 7)


def round_largest_not_absolute(w, block):
    return _rounded(w, block, lambda rows: rows.amax(1, keepdim=True).abs() / 7)


def round_toward_zero(w, block):
    return _rounded(w, block, lambda rows: rows.abs().amax(1, keepdim=True) / 7, action=torch.trunc)


def round_to_fifteen(w, block):
    return _rounded(w, block, lambda rows: rows.abs().amax(1, keepdim=True) / 15, levels=15)


def round_codes(w, block):
    rows = w.reshape(-1, block)
    return torch.round(rows / (rows.abs().amax(1, keepdim=True) / 7)).reshape(-1)


def round_mean_scale(w, block):
    return _rounded(w, block, lambda rows: rows.abs().mean(1, keepdim=True) / 7)


def round_columns(w, block):
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(0, keepdim=True) / 7
    return (torch.round(rows / torch.where(scale == 0, torch.ones_like(scale), scale)) * scale).reshape(-1)


def round_no_zero_block(w, block):
    rows = w.reshape(-1, block)
    scale = rows.abs().amax(1, keepdim=True) / 7
    return (torch.round(rows / scale) * scale).reshape(-1)


def check_round(t: Trial) -> None:
    w = torch.tensor([0.7, -0.32, 0.04, 0.1, -1.4, 2.8, 0.39, 0.81, -14.0, 1.0, 3.0, -5.2])
    t.close(t.call(w, 4), round_blocks(w, 4), rtol=1e-5, atol=1e-6, what="the rounded weights")
    w = _random(3, 64) * torch.linspace(0.1, 3, 64)
    t.close(t.call(w, 16), round_blocks(w, 16), rtol=1e-5, atol=1e-6, what="the rounded weights")
    w = torch.cat([torch.zeros(4), torch.tensor([1.0, -0.4, 0.2, 0.0])])
    t.close(t.call(w, 4), round_blocks(w, 4), rtol=1e-5, atol=1e-6, what="the rounded weights")


EXERCISES = [
    Exercise(
        id="9.1",
        title="What is to be learned",
        kind="warm-up",
        solution=reply_labels,
        check=check_reply_labels,
        hints=(
            "The labels are as long as the ids: one for each token of prompt, reply and end mark.",
            "-100 for each token of the prompt, then the ids of the reply, then the end mark: stopping must be learned too.",
        ),
        wrong=(
            Wrong(labels_without_end, "hides the end mark: the model would never learn to stop"),
            Wrong(labels_everything, "learns the prompt as well: mark it with -100"),
            Wrong(labels_prompt_only, "has it the wrong way round: the reply is learned, the prompt is not"),
            Wrong(
                labels_shifted,
                "moves the labels to the left; labels stand where their ids stand, and the shift by one comes "
                "when a batch is made",
            ),
            Wrong(labels_end_forgotten, "leaves the end mark out, so labels and ids have different lengths"),
            Wrong(labels_zero, "marks the prompt with 0, which is a token like any other; -100 is the mark"),
        ),
    ),
    Exercise(
        id="9.2",
        title="It never stops",
        kind="find the bug",
        points=2,
        solution=pad_batch,
        check=check_pad_batch,
        start=pad_batch_by_value,
        hints=(
            "In SmolLM2 the padding and the end mark have the same id, 2. Read the line that makes the labels with pad_id = 2.",
            "A position is padding because of where it stands, len(row) or later, not because of the id that stands there.",
        ),
        wrong=(
            Wrong(
                pad_batch_by_value,
                "marks every token that has the padding's id, so also the end mark of a reply: the model never learns to stop",
            ),
            Wrong(pad_batch_learns_padding, "lets the padding count: the model learns to write padding after padding"),
            Wrong(pad_batch_learns_prompts, "lets the prompts count"),
            Wrong(pad_batch_keeps_first_padding, "lets the first padding count; the end mark of the reply is in the row already"),
            Wrong(pad_batch_drops_last, "marks the last token of each row: that is the end mark"),
            Wrong(pad_batch_on_the_left, "fills up on the left; on the right is asked"),
        ),
    ),
    Exercise(
        id="9.3",
        title="A matrix and its update",
        kind="core",
        solution=lora_linear,
        check=check_lora,
        hints=(
            "Two ways, added: x @ W.T, and x through A and then through B. r is the number of rows of A.",
            "Only the second way is multiplied by alpha / r. Compute (x @ A.T) @ B.T: the whole update is never needed.",
        ),
        wrong=(
            Wrong(lora_no_scale, "leaves out alpha / r: the most copied mistake of LoRA"),
            Wrong(lora_alpha_only, "multiplies by alpha alone; divide by the rank r"),
            Wrong(lora_scaled_all, "scales the frozen matrix as well: only the update is scaled"),
            Wrong(lora_by_width, "divides by the number of inputs; r is the number of rows of A"),
            Wrong(lora_update_only, "forgets the frozen matrix W"),
            Wrong(lora_root_scale, "divides by the root of r; here it is r itself"),
        ),
    ),
    Exercise(
        id="9.4",
        title="The best update of rank r",
        kind="stretch",
        points=3,
        solution=factor_update,
        check=check_factor,
        hints=(
            "torch.linalg.svd(D, full_matrices=False) gives U, s, Vt with D = U * s @ Vt, the largest singular value first.",
            "The first r columns of U, values of s and rows of Vt are the best approximation of rank r.",
            "A = Vt[:r]. B takes the rest: U[:, :r] * s[:r], and then times r / alpha, so that the factor alpha / r cancels.",
        ),
        wrong=(
            Wrong(factor_no_scale, "forgets that (alpha / r) will be multiplied on: divide B by it"),
            Wrong(factor_scale_twice, "multiplies B by alpha / r; it must be divided by it, since the layer multiplies again"),
            Wrong(factor_no_singular, "leaves out the singular values"),
            Wrong(factor_smallest, "keeps the smallest singular values in place of the largest"),
            Wrong(factor_root_once, "takes roots of the singular values for one factor, but not for the other"),
            Wrong(factor_swapped, "gives A and B in the wrong order: A is (r, in), B is (out, r)"),
            Wrong(factor_rows, "keeps the first r rows of the update; the best rank r comes from the singular values"),
        ),
    ),
    Exercise(
        id="9.5",
        title="Four bits, block by block",
        kind="core",
        points=2,
        solution=round_blocks,
        check=check_round,
        hints=(
            "w.reshape(-1, block) puts one block in each row. The scale of a row: its largest absolute value / 7.",
            "Divide by the scale, torch.round, multiply by the scale again. A block of zeros has scale 0: avoid 0 / 0.",
        ),
        wrong=(
            Wrong(round_globally, "uses one scale for all: a single large weight then spoils every block"),
            Wrong(
                round_largest_not_absolute,
                "takes the largest value, not the largest absolute value: a large negative weight is cut off",
            ),
            Wrong(round_toward_zero, "cuts decimals off in place of rounding to the nearest"),
            Wrong(round_to_fifteen, "uses 31 levels, from -15 to 15; four bits with a sign give -7 to 7"),
            Wrong(round_codes, "returns the codes; multiply by the scale to get weights again"),
            Wrong(round_mean_scale, "takes the mean absolute value of a block as its range: larger weights are cut off"),
            Wrong(round_columns, "gives a scale to each place in a block, over all blocks; each block needs its own"),
            Wrong(round_no_zero_block, "divides 0 by 0 in a block of zeros"),
        ),
    ),
    *ch09_preferences.EXERCISES,
]
