"""Exercises of chapter 04, word2vec: checks, hints, reference solutions, wrong answers with their diagnoses."""

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------------- 4.1


def skipgram_pairs(ids, window):
    """All pairs [center, context] of one text in reading order; ids is a list of word numbers. Returns a list of lists."""
    pairs = []
    for i, center in enumerate(ids):
        for j in range(max(0, i - window), min(len(ids), i + window + 1)):
            if j != i:
                pairs.append([center, ids[j]])
    return pairs


def pairs_with_itself(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(max(0, i - window), min(len(ids), i + window + 1))]


def pairs_right_only(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(i + 1, min(len(ids), i + window + 1))]


def pairs_short_on_the_right(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(max(0, i - window), min(len(ids), i + window)) if j != i]


def pairs_around_the_end(ids, window):
    return [[ids[i], ids[j]] for i in range(len(ids)) for j in range(i - window, min(len(ids), i + window + 1)) if j != i]


def pairs_by_word(ids, window):
    return [[a, b] for a, b in pairs_with_itself(ids, window) if a != b]


def pairs_full_windows_only(ids, window):
    return [
        pair
        for i in range(window, len(ids) - window)
        for pair in [[ids[i], ids[j]] for j in range(i - window, i + window + 1) if j != i]
    ]


def check_pairs(t: Trial) -> None:
    for ids, window in (([7, 8], 1), ([1, 2, 3], 1), ([1, 2, 3, 4, 5], 2), ([4, 4, 9], 1), ([6], 2), ([1, 2, 3], 5)):
        got = t.call(ids, window)
        if got is not None:
            t.true(isinstance(got, (list, tuple)), "must return a list of pairs", skipgram_pairs(ids, window), got)
            got = [[int(v) for v in pair] for pair in got]
        t.equal(got, skipgram_pairs(ids, window), what="the list of pairs")


# ------------------------------------------------------------------------------------------------- 4.2


def ppmi(C):
    """Positive pointwise mutual information in nats of a table of co-occurrence counts C (V, V); zero counts give 0."""
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    out = np.zeros(C.shape)
    seen = C > 0
    out[seen] = np.log(joint[seen] / expected[seen])
    return np.maximum(out, 0)


def pmi_not_positive(C):
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(joint[C > 0] / expected[C > 0])
    return out


def ppmi_base_two(C):
    return ppmi(C) / np.log(2)


def ppmi_of_counts(C):
    expected = np.outer(C.sum(axis=1), C.sum(axis=0))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(C[C > 0] / expected[C > 0])
    return np.maximum(out, 0)


def ppmi_conditional(C):
    share = C / C.sum(axis=1, keepdims=True)
    out = np.zeros(C.shape)
    out[C > 0] = np.log(share[C > 0])
    return out


def ppmi_absolute(C):
    return np.abs(pmi_not_positive(C))


def ppmi_upside_down(C):
    return np.maximum(-pmi_not_positive(C), 0)


def ppmi_of_all_cells(C):
    joint = C / C.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(0, np.log(joint / np.outer(joint.sum(axis=1), joint.sum(axis=0))))


def ppmi_rows_twice(C):
    joint = C / C.sum()
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=1))
    out = np.zeros(C.shape)
    out[C > 0] = np.log(joint[C > 0] / expected[C > 0])
    return np.maximum(out, 0)


def check_ppmi(t: Trial) -> None:
    for C in (
        [[8, 2], [2, 4]],
        [[4, 0], [0, 4]],
        [[0, 3, 1], [3, 0, 0], [1, 0, 6]],
        [[2, 1, 0], [1, 3, 0], [0, 0, 0]],
        [[1, 5], [0, 2]],
    ):
        C = np.array(C, dtype=float)
        t.close(t.call(C), ppmi(C), rtol=1e-7, what="the table")


# ------------------------------------------------------------------------------------------------- 4.3


def sampling_gradients(v, u, N):
    """Loss and gradients of one pair: v (d,) the center, u (d,) the true context, N (k, d) the negatives.

    Returns (loss, dv, du, dN) of loss = -ln sigma(u v) - sum over rows n of N of ln sigma(-n v).
    """
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    loss = -np.log(p_true) - np.sum(np.log(1 - p_noise))
    dv = (p_true - 1) * u + p_noise @ N
    return float(loss), dv, (p_true - 1) * v, p_noise[:, None] * v


def sampling_positive_only(v, u, N):
    p_true = 1 / (1 + np.exp(-(u @ v)))
    return float(-np.log(p_true)), (p_true - 1) * u, (p_true - 1) * v, np.zeros_like(N)


def sampling_all_true(v, u, N):
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    loss = -np.log(p_true) - np.sum(np.log(p_noise))
    return float(loss), (p_true - 1) * u + (p_noise - 1) @ N, (p_true - 1) * v, (p_noise - 1)[:, None] * v


def sampling_mean_of_negatives(v, u, N):
    p_true, p_noise = 1 / (1 + np.exp(-(u @ v))), 1 / (1 + np.exp(-(N @ v)))
    k = len(N)
    loss = -np.log(p_true) - np.mean(np.log(1 - p_noise))
    return float(loss), (p_true - 1) * u + p_noise @ N / k, (p_true - 1) * v, p_noise[:, None] * v / k


def sampling_ascent(v, u, N):
    loss, dv, du, dN = sampling_gradients(v, u, N)
    return loss, -dv, -du, -dN


def sampling_context_only(v, u, N):
    loss, _, du, dN = sampling_gradients(v, u, N)
    p_true = 1 / (1 + np.exp(-(u @ v)))
    return loss, (p_true - 1) * u, du, dN


def check_sampling(t: Trial) -> None:
    rng = np.random.default_rng(0)
    cases = [
        (np.array([1.0]), np.array([0.5]), np.array([[2.0]])),
        (np.array([1.0, -1.0]), np.array([0.5, 0.0]), np.array([[1.0, 0.5], [-1.0, 2.0]])),
        (np.zeros(3), np.zeros(3), np.zeros((5, 3))),
        (rng.normal(size=4), rng.normal(size=4), rng.normal(size=(3, 4))),
    ]
    for v, u, N in cases:
        got, expected = t.call(v, u, N), sampling_gradients(v, u, N)
        t.several(got, 4, "must return the four results (loss, dv, du, dN)", expected)
        for ours, right, what in zip(got, expected, ("the loss", "dv", "du", "dN")):
            t.close(ours, right, rtol=1e-7, what=what)


# ------------------------------------------------------------------------------------------------- 4.4


def noise(counts, power):
    """Probability of each word as a negative, from its count (V,): proportional to count ** power."""
    raised = counts**power
    return raised / raised.sum()


def noise_power_of_share_unnormalized(counts, power):
    return (counts / counts.sum()) ** power


def noise_without_power(counts, power):
    return counts / counts.sum()


def noise_by_largest(counts, power):
    raised = counts**power
    return raised / raised.max()


def noise_divides_by_count_sum(counts, power):
    return counts**power / counts.sum()


def noise_times_power(counts, power):
    return counts * power / counts.sum()


def check_noise(t: Trial) -> None:
    for counts, power in (([16, 1], 0.75), ([16, 1], 0.5), ([5, 5, 5], 0.75), ([1000, 100, 10, 1], 0.75), ([9, 3], 0.0)):
        counts = np.array(counts, dtype=float)
        t.close(t.call(counts, power), noise(counts, power), rtol=1e-7, what="the distribution")


# ------------------------------------------------------------------------------------------------- 4.5


def cbow_gradients(C, u, N):
    """Loss and gradient of one CBOW example: C (m, d) the context vectors, u (d,) the true word, N (k, d) the negatives.

    h is the mean of the rows of C; loss = -ln sigma(u h) - sum over rows n of N of ln sigma(-n h). Returns (loss, dC).
    """
    h = C.mean(axis=0)
    p_true, p_noise = 1 / (1 + np.exp(-(u @ h))), 1 / (1 + np.exp(-(N @ h)))
    loss = -np.log(p_true) - np.sum(np.log(1 - p_noise))
    dh = (p_true - 1) * u + p_noise @ N
    return float(loss), np.tile(dh / len(C), (len(C), 1))


def cbow_full_share(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, dC * len(C)


def cbow_sum(C, u, N):
    h = C.sum(axis=0)
    p_true, p_noise = 1 / (1 + np.exp(-(u @ h))), 1 / (1 + np.exp(-(N @ h)))
    dh = (p_true - 1) * u + p_noise @ N
    return float(-np.log(p_true) - np.sum(np.log(1 - p_noise))), np.tile(dh, (len(C), 1))


def cbow_one_row(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, dC[0] * len(C)


def cbow_skipgram(C, u, N):
    loss, dC = 0.0, []
    for c in C:
        p_true, p_noise = 1 / (1 + np.exp(-(u @ c))), 1 / (1 + np.exp(-(N @ c)))
        loss += -np.log(p_true) - np.sum(np.log(1 - p_noise))
        dC.append((p_true - 1) * u + p_noise @ N)
    return float(loss), np.array(dC)


def cbow_uphill(C, u, N):
    loss, dC = cbow_gradients(C, u, N)
    return loss, -dC


def check_cbow(t: Trial) -> None:
    rng = np.random.default_rng(1)
    cases = [
        (np.array([[1.0, 0.0], [3.0, 2.0]]), np.array([0.5, -1.0]), np.array([[1.0, 1.0]])),
        (rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(5, 4))),
        (rng.normal(size=(1, 2)), rng.normal(size=2), rng.normal(size=(2, 2))),
    ]
    for C, u, N in cases:
        got, expected = t.call(C, u, N), cbow_gradients(C, u, N)
        t.several(got, 2, "must return the pair (loss, dC)", expected)
        t.close(got[0], expected[0], rtol=1e-7, what="the loss")
        t.close(got[1], expected[1], rtol=1e-7, what="dC")


# ------------------------------------------------------------------------------------------------- 4.6


def nearest(query, words, table, k):
    """The k words nearest to the word query, best first, without query itself; words is a list, table (V, d) its vectors."""
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    order = np.argsort(-scores)
    return [words[i] for i in order if words[i] != query][:k]


def nearest_by_dot(query, words, table, k):
    """The k words nearest to the word query, best first, without query itself; words is a list, table (V, d) its vectors."""
    scores = table @ table[words.index(query)]
    order = np.argsort(-scores)
    return [words[i] for i in order if words[i] != query][:k]


def nearest_with_itself(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return [words[i] for i in np.argsort(-(unit @ unit[words.index(query)]))[:k]]


def nearest_euclid(query, words, table, k):
    apart = np.linalg.norm(table - table[words.index(query)], axis=1)
    return [words[i] for i in np.argsort(apart) if words[i] != query][:k]


def nearest_by_sums(query, words, table, k):
    unit = table / np.abs(table).sum(axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_by_squares(query, words, table, k):
    unit = table / (table**2).sum(axis=1, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_absolute(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    scores = np.abs(unit @ unit[words.index(query)])
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def nearest_centered(query, words, table, k):
    return nearest(query, words, table - table.mean(axis=0), k)


def nearest_farthest(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return [words[i] for i in np.argsort(unit @ unit[words.index(query)]) if words[i] != query][:k]


def nearest_columns(query, words, table, k):
    unit = table / np.linalg.norm(table, axis=0, keepdims=True)
    scores = unit @ unit[words.index(query)]
    return [words[i] for i in np.argsort(-scores) if words[i] != query][:k]


def check_nearest(t: Trial) -> None:
    words = ["tea", "coffee", "the", "granite", "cup", "desert", "mug", "sugar"]  # desert points away from tea
    table = np.array([[-0.5, 1.0], [0.0, 3.5], [6.0, 7.0], [2.5, 1.0], [0.5, 1.5], [1.5, -3.0], [0.5, 4.0], [-4.0, 2.5]])
    for query, k in (("tea", 3), ("granite", 1), ("cup", 4), ("coffee", 7)):
        got = t.call(query, words, table, k)
        if got is not None:
            t.true(isinstance(got, (list, tuple)), "must return a list of words", nearest(query, words, table, k), got)
            got = [str(word) for word in got]
        t.equal(got, nearest(query, words, table, k), what="the list of words")


# ------------------------------------------------------------------------------------------------- 4.7


def spearman(x, y):
    """Spearman's rank correlation of two arrays (n,); equal values share the mean of their ranks."""

    def ranks(values):
        below = (values[:, None] > values[None, :]).sum(axis=1)
        equal = (values[:, None] == values[None, :]).sum(axis=1)
        return below + (equal + 1) / 2

    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_is_pearson(x, y):
    a, b = x - x.mean(), y - y.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_broken_ties(x, y):
    a, b = np.argsort(np.argsort(x, kind="stable")).astype(float), np.argsort(np.argsort(y, kind="stable")).astype(float)
    return spearman_is_pearson(a, b)


def spearman_of_argsort(x, y):
    return spearman_is_pearson(np.argsort(x, kind="stable").astype(float), np.argsort(y, kind="stable").astype(float))


def spearman_lowest_rank(x, y):
    def low(values):
        return (values[:, None] > values[None, :]).sum(axis=1).astype(float)

    return spearman_is_pearson(low(x), low(y))


def spearman_uncentered(x, y):
    def ranks(values):
        return (values[:, None] > values).sum(axis=1) + ((values[:, None] == values).sum(axis=1) + 1) / 2

    a, b = ranks(x), ranks(y)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman_without_sign(x, y):
    return abs(spearman(x, y))


def check_spearman(t: Trial) -> None:
    cases = [
        ([1, 2, 4], [1, 3, 100]),
        ([3, 1, 2, 9], [5, 1, 7, 6]),
        ([1, 2, 2, 3, 7], [4, 1, 3, 3, 9]),
        ([5, 1, 1, 1], [2, 2, 8, 1]),
        ([1, 2, 4], [9, 5, 1]),
    ]
    for x, y in cases:
        x, y = np.array(x, dtype=float), np.array(y, dtype=float)
        t.close(t.call(x, y), spearman(x, y), rtol=1e-7, what="the correlation")


# ------------------------------------------------------------------------------------------------- 4.8


def info_nce(A, B, temperature):
    """Mean InfoNCE loss of n pairs: row i of A (n, d) belongs to row i of B (n, d); the other rows of B are its negatives."""
    S = A @ B.T / temperature
    S = S - S.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_without_temperature(A, B, temperature):
    return info_nce(A, B, 1.0)


def info_nce_times_temperature(A, B, temperature):
    return info_nce(A, B, 1 / temperature)


def info_nce_without_own_pair(A, B, temperature):
    S = A @ B.T / temperature
    E = np.exp(S)
    return float(-np.mean(np.diag(S) - np.log(E.sum(axis=1) - np.diag(E))))


def info_nce_sum(A, B, temperature):
    return info_nce(A, B, temperature) * len(A)


def info_nce_columns(A, B, temperature):
    return info_nce(B, A, temperature)


def info_nce_positive_only(A, B, temperature):
    return float(-np.mean(np.sum(A * B, axis=1)) / temperature)


def info_nce_overflows(A, B, temperature):
    with np.errstate(over="ignore", invalid="ignore"):
        E = np.exp(A @ B.T / temperature)
        return float(-np.mean(np.log(np.diag(E) / E.sum(axis=1))))


def info_nce_log_of_infinity(A, B, temperature):
    S = A @ B.T / temperature
    with np.errstate(over="ignore"):
        return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_one_maximum(A, B, temperature):
    S = A @ B.T / temperature
    S = S - S.max()
    with np.errstate(divide="ignore"):
        return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def info_nce_clipped(A, B, temperature):
    S = np.clip(A @ B.T / temperature, -700, 700)
    return float(np.mean(np.log(np.exp(S).sum(axis=1)) - np.diag(S)))


def check_info_nce(t: Trial) -> None:
    rng = np.random.default_rng(2)
    cases = [
        (np.array([[1.0, 0.0], [0.5, 1.0]]), np.array([[1.0, 0.5], [0.0, 2.0]]), 0.5),
        (np.ones((3, 2)), np.ones((3, 2)), 1.0),
        (rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 2.0),
        (np.eye(3) * 40, np.eye(3) * 40, 0.05),
        (np.array([[40.0, 0.0], [0.0, 1.0]]), np.array([[40.0, 39.9], [1.0, 1.0]]), 0.05),
    ]
    for A, B, temperature in cases:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            got = t.call(A, B, temperature)
        t.close(got, info_nce(A, B, temperature), rtol=1e-7, atol=1e-9, what="the loss")


EXERCISES = [
    Exercise(
        id="4.1",
        title="The pairs of a text",
        kind="warm-up",
        points=1,
        solution=skipgram_pairs,
        check=check_pairs,
        hints=(
            "Two loops: i over all positions, j over the positions from i - window to i + window, without i itself.",
            "At the ends the window is cut off: j runs over range(max(0, i - window), min(len(ids), i + window + 1)).",
        ),
        wrong=(
            Wrong(pairs_with_itself, "pairs each position with itself; leave out j == i, a word is not its own context"),
            Wrong(pairs_right_only, "looks to the right only; the window reaches to both sides of the center"),
            Wrong(
                pairs_short_on_the_right,
                "stops one word early on the right: the end of range() is not included, so it must be i + window + 1",
            ),
            Wrong(
                pairs_around_the_end,
                "lets j become negative, and ids[-1] is the last word of the text: the window runs "
                "around "
                "the end. Start at max(0, i - window)",
            ),
            Wrong(
                pairs_by_word,
                "leaves out pairs of equal words; two different positions may hold the same word. Compare j "
                "with i, "
                "not the words",
            ),
            Wrong(
                pairs_full_windows_only,
                "takes only centers with a full window on both sides; near the ends the window is cut off, but the center stays",
            ),
        ),
    ),
    Exercise(
        id="4.2",
        title="PPMI",
        kind="core",
        points=2,
        solution=ppmi,
        check=check_ppmi,
        hints=(
            "Turn counts into probabilities first: joint = C / C.sum(). Row sums and column sums of joint are p(a) and p(b).",
            "np.outer(p_a, p_b) is what independence would give. Take the logarithm only where C > 0; the rest stays 0.",
            "At the end: np.maximum(table, 0).",
        ),
        wrong=(
            Wrong(pmi_not_positive, "keeps negative values; PPMI replaces every value below 0 by 0"),
            Wrong(ppmi_base_two, "takes the logarithm to base 2 (bits); this course measures in nats, with np.log"),
            Wrong(
                ppmi_of_counts,
                "divides counts by products of counts; turn them into probabilities first, or a factor C.sum() is missing",
            ),
            Wrong(
                ppmi_conditional,
                "takes the logarithm of the share within the row, which is never above 0; compare it with "
                "the share "
                "of the column word overall",
            ),
            Wrong(
                ppmi_of_all_cells,
                "divides 0 by 0 for a word without any count, which gives NaN, and takes the logarithm of "
                "0 elsewhere; compute only where C > 0",
            ),
            Wrong(
                ppmi_rows_twice,
                "takes the row sums for both margins; p(b) is the sum of a column. With a symmetric table one does not see it",
            ),
            Wrong(
                ppmi_absolute,
                "turns negative values into positive ones; a pair that avoids each other must get 0, not a large value",
            ),
            Wrong(ppmi_upside_down, "divides what independence would give by what was seen; it is the other way round"),
        ),
    ),
    Exercise(
        id="4.3",
        title="Negative sampling: loss and gradients",
        kind="core",
        points=2,
        solution=sampling_gradients,
        check=check_sampling,
        hints=(
            "Every candidate is a row of logistic regression (chapter 02): label 1 for u, label 0 for the rows of N. Error = p "
            "- y.",
            "dv is the sum of error times vector over all candidates: (p_true - 1) * u + p_noise @ N.",
            "du = (p_true - 1) * v and dN = p_noise[:, None] * v.",
        ),
        wrong=(
            Wrong(
                sampling_positive_only,
                "ignores the negatives; then the best answer is to say yes to everything, and all "
                "vectors "
                "collapse into one direction",
            ),
            Wrong(
                sampling_all_true,
                "treats the negatives as true pairs; their label is 0: the term is ln sigma(-n v), and the error is p",
            ),
            Wrong(
                sampling_mean_of_negatives,
                "averages over the negatives; the loss is their sum, so k of them weigh k times as much as the true pair",
            ),
            Wrong(
                sampling_ascent,
                "has the sign of all gradients turned round; the error is p - y, not y - p, when the loss is to fall",
            ),
            Wrong(sampling_context_only, "leaves the negatives out of dv; the center moves away from each of them too"),
        ),
    ),
    Exercise(
        id="4.4",
        title="The noise distribution",
        kind="core",
        points=1,
        solution=noise,
        check=check_noise,
        hints=(
            "First the power, then divide by the sum of the powers.",
            "raised = counts ** power; return raised / raised.sum()",
        ),
        wrong=(
            Wrong(
                noise_power_of_share_unnormalized,
                "raises the shares to the power but does not divide again, so the result does not sum to 1",
            ),
            Wrong(noise_without_power, "ignores the power; frequent words come up as often as in the text"),
            Wrong(noise_by_largest, "divides by the largest value; probabilities must sum to 1, so divide by the sum"),
            Wrong(
                noise_divides_by_count_sum, "divides by the sum of the counts; after the power it must be the sum of the powers"
            ),
            Wrong(noise_times_power, "multiplies by the power where it should raise to it: ** in Python"),
        ),
    ),
    Exercise(
        id="4.5",
        title="The gradient of CBOW",
        kind="core",
        points=2,
        solution=cbow_gradients,
        check=check_cbow,
        hints=(
            "h = C.mean(axis=0). For dh take over dv of exercise 4.3, with h in place of v.",
            "Chain rule: nudging one context vector by 1 moves the mean by 1/m. So every row of dC is dh / m.",
        ),
        wrong=(
            Wrong(
                cbow_full_share,
                "gives every context vector the whole gradient of h; h is a mean, so each gets only 1/m of "
                "it. Several "
                "famous programs made this mistake",
            ),
            Wrong(cbow_sum, "adds the context vectors up; h is their mean"),
            Wrong(cbow_one_row, "returns one row, and not divided by m; dC has one row per context vector, each dh / m"),
            Wrong(
                cbow_skipgram,
                "treats each context vector on its own, which is skip-gram turned round; CBOW averages first "
                "and makes "
                "one prediction",
            ),
            Wrong(cbow_uphill, "has the sign of the gradient turned round; the error is p - y"),
        ),
    ),
    Exercise(
        id="4.6",
        title="Strange neighbors",
        kind="find the bug",
        points=2,
        solution=nearest,
        check=check_nearest,
        start=nearest_by_dot,
        hints=(
            "Print the scores and the lengths of the vectors. Which word wins for nearly every query, and why?",
            "A long vector has a large dot product with everything on its side. Divide every row by its length first.",
        ),
        wrong=(
            Wrong(
                nearest_by_dot,
                "ranks by the dot product; long vectors (frequent words, often) win everywhere. Divide each "
                "row by its "
                "length first: then the dot product is the cosine",
            ),
            Wrong(nearest_with_itself, "returns the query as its own best neighbor; leave it out before you cut the list to k"),
            Wrong(
                nearest_euclid,
                "ranks by straight-line distance, in which the lengths of the vectors count; divide each row by its length first",
            ),
            Wrong(
                nearest_by_sums,
                "divides each row by the sum of its absolute values; the length is the root of the sum of "
                "squares, np.linalg.norm",
            ),
            Wrong(nearest_by_squares, "divides each row by its squared length; the root is missing, so now short vectors win"),
            Wrong(nearest_absolute, "drops the sign of the cosine, so a word that points the other way counts as near"),
            Wrong(nearest_centered, "subtracts the mean of the table first; the cosine is measured from 0"),
            Wrong(nearest_farthest, "sorts the wrong way round: argsort goes from small to large, so sort -scores"),
            Wrong(nearest_columns, "divides each column by its length; the rows are the words, so it must be axis=1"),
        ),
    ),
    Exercise(
        id="4.7",
        title="Rank correlation",
        kind="core",
        points=2,
        solution=spearman,
        check=check_spearman,
        hints=(
            "Spearman is Pearson on ranks. Pearson is the cosine of the centered vectors.",
            "The rank of a value: how many are smaller, plus the mean of 1..e where e values are equal to it, (e + 1) / 2.",
            "values[:, None] > values[None, :] compares all with all; sum over axis 1.",
        ),
        wrong=(
            Wrong(spearman_is_pearson, "correlates the values themselves; replace each value by its rank first"),
            Wrong(
                spearman_broken_ties,
                "gives equal values different ranks, by position; equal values must share the mean of their ranks",
            ),
            Wrong(
                spearman_of_argsort,
                "takes argsort for ranks; argsort says which element comes at each place, not which "
                "place each "
                "element has. Apply it twice, or count",
            ),
            Wrong(spearman_lowest_rank, "gives equal values the lowest of their ranks; they must share the mean"),
            Wrong(spearman_without_sign, "loses the sign; where one goes up as the other goes down, the correlation is negative"),
            Wrong(spearman_uncentered, "does not subtract the mean of the ranks before the cosine"),
        ),
    ),
    Exercise(
        id="4.8",
        title="InfoNCE with in-batch negatives",
        kind="stretch",
        points=3,
        solution=info_nce,
        check=check_info_nce,
        hints=(
            "S = A @ B.T / temperature holds the similarity of every row of A with every row of B. The right answers stand on "
            "the diagonal.",
            "Each row is a softmax over n candidates (chapter 02): -ln of the probability at the diagonal, then the mean.",
            "Subtract the largest entry of each row before exp: with a temperature of 0.05 the similarities become large.",
        ),
        wrong=(
            Wrong(info_nce_without_temperature, "ignores the temperature"),
            Wrong(
                info_nce_times_temperature,
                "multiplies by the temperature; a small temperature must make the differences larger, so divide",
            ),
            Wrong(
                info_nce_without_own_pair,
                "leaves the true pair out of the denominator; the softmax runs over all candidates, the right one included",
            ),
            Wrong(info_nce_sum, "adds the losses up; the result is the mean over the batch"),
            Wrong(info_nce_columns, "runs the softmax over the rows of A; for each row of A the candidates are the rows of B"),
            Wrong(
                info_nce_positive_only, "pulls the pairs together and never compares with the others; the negatives are missing"
            ),
            Wrong(
                info_nce_overflows,
                "computes exp of large numbers: 32,000 after the division by 0.05 is infinite. Subtract "
                "the largest "
                "entry of each row first",
            ),
            Wrong(
                info_nce_log_of_infinity,
                "takes the logarithm of an infinite sum: exp of 32,000 is too large. Subtract the "
                "largest entry of each row before exp",
            ),
            Wrong(
                info_nce_one_maximum,
                "subtracts the largest entry of the whole table: in a row far below it every exp becomes "
                "0, and ln 0 is -inf. Take the largest entry of each row",
            ),
            Wrong(
                info_nce_clipped,
                "clips the similarities: what lies beyond the limits becomes equal. Subtract the largest "
                "entry of each row, then nothing has to be cut off",
            ),
        ),
    ),
]
