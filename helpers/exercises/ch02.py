"""Exercises of chapter 02: logistic regression, its judges, softmax and the first network."""

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------- 2.1 a sigmoid that never overflows


def stable_sigmoid(z):
    """Sigmoid of every entry of the array z, without taking exp of a large positive number."""
    e = np.exp(-np.abs(z))  # between 0 and 1, whatever z is
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_textbook(z):
    with np.errstate(over=np.geterr()["over"] if np.geterr()["over"] == "raise" else "ignore"):
        return 1 / (1 + np.exp(-z))


def sigmoid_exp_over_exp(z):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(z) / (1 + np.exp(z))


def sigmoid_both_sides(z):
    with np.errstate(over=np.geterr()["over"] if np.geterr()["over"] == "raise" else "ignore", invalid="ignore"):
        return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(z) / (1 + np.exp(z)))


def sigmoid_clipped(z):
    return 1 / (1 + np.exp(-np.clip(z, -30, 30)))


def sigmoid_flipped(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, e / (1 + e), 1 / (1 + e))


def sigmoid_one_branch(z):
    return 1 / (1 + np.exp(-np.abs(z)))


def sigmoid_tanh_unscaled(z):
    return (1 + np.tanh(z)) / 2


OVERFLOW = (
    "takes exp of a large positive number: exp(-z) overflows for z = -1000. Let exp see only -|z|, and write the "
    "sigmoid "
    "as e / (1 + e) with e = exp(z) where z is negative"
)

BOTH_SIDES = (
    "takes exp of a large positive number when one array holds large scores of both signs. np.where works out both of its "
    "sides for every entry before it picks, so exp(1000) overflows all the same: let exp see only -|z|, on both sides"
)


def check_sigmoid(t: Trial) -> None:
    def strict(f, z):
        with np.errstate(over="raise"):
            try:
                return f(z.copy())
            except FloatingPointError:
                return "overflow"

    for z in ([0.0], [1.0], [-2.0, 0.5, 3.0], [[-1.0, 1.0], [4.0, -4.0]]):
        got = t.call(np.array(z))
        t.close(got, stable_sigmoid(np.array(z)), what="the probabilities")
    with np.errstate(over="ignore", invalid="ignore"):
        got = t.call(np.array([1000.0, 30.0]))
        t.close(got, stable_sigmoid(np.array([1000.0, 30.0])), what="the probabilities of large scores")
    z = np.array([-1000.0, -30.0])
    got = t.run(lambda f: strict(f, z), shown="stable_sigmoid([-1000., -30.])")
    if isinstance(got, str) and got == "overflow":
        t.fail(OVERFLOW)
    t.close(got, stable_sigmoid(z), what="the probabilities of very negative scores")
    mixed = np.array([1000.0, -1000.0, 0.5])
    got = t.run(lambda f: strict(f, mixed), shown="stable_sigmoid([1000., -1000., 0.5])")
    if isinstance(got, str) and got == "overflow":
        t.fail(BOTH_SIDES)
    t.close(got, stable_sigmoid(mixed), what="the probabilities of large scores of both signs")
    got = t.call(np.array([-60.0]))
    t.close(got, stable_sigmoid(np.array([-60.0])), atol=1e-17, what="the probability of a score of -60")


# -------------------------------------------------------------------------------------------------- 2.2 the loss from the logits


def bce_from_logits(y, z):
    """Mean binary cross-entropy in nats: labels y (n,) in {0, 1}, logits z (n,). No clipping anywhere."""
    return float(np.mean(np.logaddexp(0, z) - y * z))


def bce_clipped(y, z):
    p = np.clip(1 / (1 + np.exp(-np.clip(z, -700, 700))), 1e-7, 1 - 1e-7)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def bce_summed(y, z):
    return float(np.sum(np.logaddexp(0, z) - y * z))


def bce_positives_only(y, z):
    return float(np.mean(y * np.logaddexp(0, -z)))


def bce_labels_swapped(y, z):
    return float(np.mean(np.logaddexp(0, z) - (1 - y) * z))


def bce_bits(y, z):
    return float(np.mean(np.logaddexp(0, z) - y * z) / np.log(2))


def bce_naive(y, z):
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        p = 1 / (1 + np.exp(-z))
        return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))


def bce_logits_as_probabilities(y, z):
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.mean(np.where(y == 1, np.log(z), np.log(1 - z))))


def check_bce(t: Trial) -> None:
    for y, z in [([1], [0.0]), ([1], [2.0]), ([0], [2.0]), ([1, 0, 0], [0.5, -1.0, 2.0])]:
        y, z = np.array(y), np.array(z)
        t.close(t.call(y, z), bce_from_logits(y, z), what="the loss")
    for y, z in [([1, 0], [-100.0, -1.0]), ([0, 1, 1], [800.0, -800.0, 3.0])]:
        y, z = np.array(y), np.array(z)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            t.close(t.call(y, z), bce_from_logits(y, z), what="the loss of a model that is sure and wrong")


# --------------------------------------------------------------------------------------------------------------- 2.3 the gradient


def logistic_gradient(w, b, X, y):
    """Gradient of the mean cross-entropy: (dw of shape (d,), db a number), for X (n, d) and y (n,) in {0, 1}."""
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = p - y
    return X.T @ error / len(y), float(np.mean(error))


def gradient_sign(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return -dw, -db


def gradient_summed(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return dw * len(y), db * len(y)


def gradient_bias_summed(w, b, X, y):
    dw, db = logistic_gradient(w, b, X, y)
    return dw, db * len(y)


def gradient_squared_error(w, b, X, y):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    error = 2 * (p - y) * p * (1 - p)
    return X.T @ error / len(y), float(np.mean(error))


def gradient_no_sigmoid(w, b, X, y):
    error = X @ w + b - y
    return X.T @ error / len(y), float(np.mean(error))


def gradient_thresholded(w, b, X, y):
    error = (X @ w + b >= 0).astype(float) - y
    return X.T @ error / len(y), float(np.mean(error))


def check_gradient(t: Trial) -> None:
    rng = np.random.default_rng(2)
    cases = [
        (np.array([0.4]), 0.2, np.array([[1.5]]), np.array([1])),
        (np.array([0.5, -0.3]), 0.1, np.array([[1.0, 2.0], [0.5, -1.0], [-2.0, 0.3]]), np.array([1, 0, 0])),
        (rng.normal(size=3), -0.4, rng.normal(size=(7, 3)), np.array([1, 0, 1, 1, 0, 0, 1])),
    ]
    for w, b, X, y in cases:
        got = t.call(w, b, X, y)
        dw, db = logistic_gradient(w, b, X, y)
        t.several(
            got, 2, "must give two things back, in this order: the gradient of w and the gradient of b (return dw, db)", (dw, db)
        )
        t.close(got[0], dw, what="the gradient of w")
        t.close(got[1], db, what="the gradient of b")


# ------------------------------------------------------------------------------------------ 2.4 the threshold that costs least


def best_threshold(y, p, candidates, cost_fp, cost_fn):
    """The candidate t for which "spam if p >= t" costs least on the rows y (0/1), p; of equals, the smallest."""
    costs = []
    for t in candidates:
        spam = p >= t
        false_alarms = np.sum(spam & (y == 0))
        misses = np.sum(~spam & (y == 1))
        costs.append(cost_fp * false_alarms + cost_fn * misses)
    best = min(costs)
    return min(t for t, cost in zip(candidates, costs) if cost == best)


def _threshold(y, p, candidates, cost_fp, cost_fn, above=np.greater_equal, pick=min, worst=False):
    costs = [cost_fp * np.sum(above(p, t) & (y == 0)) + cost_fn * np.sum(~above(p, t) & (y == 1)) for t in candidates]
    best = max(costs) if worst else min(costs)
    return pick(t for t, cost in zip(candidates, costs) if cost == best)


def threshold_costs_swapped(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fn, cost_fp)


def threshold_by_errors(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, 1, 1)


def threshold_by_rates(y, p, candidates, cost_fp, cost_fn):
    costs = [cost_fp * np.mean(p[y == 0] >= t) + cost_fn * np.mean(p[y == 1] < t) for t in candidates]
    return min(t for t, cost in zip(candidates, costs) if cost == min(costs))


def threshold_strict(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, above=np.greater)


def threshold_largest(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, pick=max)


def threshold_dearest(y, p, candidates, cost_fp, cost_fn):
    return _threshold(y, p, candidates, cost_fp, cost_fn, worst=True)


def threshold_formula(y, p, candidates, cost_fp, cost_fn):
    wanted = cost_fp / (cost_fp + cost_fn)
    return min(candidates, key=lambda t: abs(t - wanted))


def threshold_first(y, p, candidates, cost_fp, cost_fn):
    costs = [cost_fp * np.sum((p >= t) & (y == 0)) + cost_fn * np.sum((p < t) & (y == 1)) for t in candidates]
    return candidates[int(np.argmin(costs))]


def check_threshold(t: Trial) -> None:
    cases = [  # first without ties, then unequal costs both ways, then ties, then few positives
        ([1, 0, 0, 0, 0, 1], [0.8, 0.3, 0.5, 0.6, 0.9, 0.2], [0.3, 0.4, 0.8, 0.9], 1.0, 1.0),
        ([1, 1, 0, 0, 1, 0], [0.1, 0.5, 0.4, 0.5, 0.5, 0.1], [0.1, 0.4, 0.5, 0.7], 5.0, 1.0),
        ([0, 1, 0, 0, 1], [0.4, 0.6, 0.6, 0.4, 0.3], [0.1, 0.5, 0.6, 0.8], 1.0, 5.0),
        ([1, 0, 1, 0, 0], [0.5, 0.2, 0.4, 0.4, 0.4], [0.6, 0.1, 0.4, 0.9], 1.0, 1.0),
        ([1, 0, 0, 0, 0, 0], [0.3, 0.4, 0.4, 0.4, 0.1, 0.1], [0.2, 0.5], 1.0, 1.0),
    ]
    cases = [(np.array(y), np.array(p), *rest) for y, p, *rest in cases]
    for case in cases:
        t.close(t.call(*case), best_threshold(*case), what="the threshold")


# --------------------------------------------------------------------------------------- 2.5 find the bug: a score that flatters


def score_answers(answers, labels):
    """(accuracy, unread) of text answers, "spam" or "ham", against labels 1 or 0.

    Case, blanks and full stops around the word do not count. Any other answer is unread, and an unread answer is wrong.
    """
    if len(answers) != len(labels):
        raise ValueError(f"expected one label per answer, got {len(answers)} answers and {len(labels)} labels")
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = {"ham": 0, "spam": 1}.get(answer.lower().strip(" ."))
        if guess is None:
            unread += 1
        else:
            right += guess == label
    return right / len(answers), unread


def score_answers_start(answers, labels):
    """(accuracy, unread) of text answers, "spam" or "ham", against labels 1 or 0.

    Case, blanks and full stops around the word do not count. Any other answer is unread, and an unread answer is wrong.
    """
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = 0 if "ham" in answer.lower() else 1
        right += guess == label
    return right / len(answers), unread


def _score(answers, labels, lengths=True, drop=False, lenient=False, clean=lambda answer: answer.lower().strip(" .")):
    if lengths and len(answers) != len(labels):
        raise ValueError("lengths")
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = {"ham": 0, "spam": 1}.get(clean(answer))
        if lenient:
            guess = 0 if "ham" in answer.lower() else 1 if "spam" in answer.lower() else None
        if guess is None:
            unread += 1
        else:
            right += guess == label
    return right / max(1, len(answers) - (unread if drop else 0)), unread


def score_zip(answers, labels):
    return _score(answers, labels, lengths=False)


def score_dropping(answers, labels):
    return _score(answers, labels, drop=True)


def score_substring(answers, labels):
    return _score(answers, labels, lenient=True)


def score_exact(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer)


def score_one_after_the_other(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer.lower().strip().rstrip("."))


def score_inside_too(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer.lower().replace(".", "").replace(" ", ""))


def score_one_way(answers, labels):
    if len(labels) > len(answers):
        raise ValueError(f"got {len(answers)} answers and {len(labels)} labels")
    return _score(answers, labels, lengths=False)


ZIP = (
    "accepts two answers and three labels: zip() stops at the shorter list and hides the lost row, so from there "
    "on nothing "
    "tells whether answers and labels still belong together. Compare the lengths first and raise a ValueError"
)

ONE_WAY = (
    "accepts three answers and two labels: the lengths are compared one way only, and zip() hides the lost answer. "
    "Raise the ValueError whenever len(answers) != len(labels)"
)


def check_score(t: Trial) -> None:
    def refuses(answers, labels):
        def steps(f):
            try:
                f(answers, labels)
            except ValueError:
                return True
            return False

        return steps

    for answers, labels in [
        (["spam", "ham"], [1, 0]),
        (["Spam.", " HAM "], [1, 1]),
        (["spam", "I cannot tell."], [1, 1]),
        (["ham", "maybe", "spam", "no idea"], [0, 0, 0, 1]),
        (["hamburger", "not spam", "SPAM"], [0, 1, 1]),
        ([" Spam . ", "ham"], [1, 0]),
        (["s p a m", "ham"], [1, 0]),
    ]:
        got = t.call(answers, labels)
        expected = score_answers(answers, labels)
        t.several(
            got,
            2,
            "must give two numbers back: the accuracy and how many answers were unread (return accuracy, unread)",
            expected,
        )
        t.close(got, expected, what="(accuracy, unread)")
    if not t.run(refuses(["spam", "ham"], [1, 0, 1]), shown='score_answers(["spam", "ham"], [1, 0, 1])'):
        t.fail(ZIP, expected="ValueError")
    if not t.run(refuses(["spam", "ham", "ham"], [1, 0]), shown='score_answers(["spam", "ham", "ham"], [1, 0])'):
        t.fail(ONE_WAY, expected="ValueError")


# ------------------------------------------------------------------------------------------------------ 2.6 temperature scaling


def best_temperature(y, z):
    """The T > 0 for which sigmoid(z / T) has the least mean cross-entropy on labels y (n,), logits z (n,)."""
    low, high = 1e-3, 1e3  # s = 1 / T lies between them; the slope of the loss in s rises from below 0 to above 0
    for _ in range(100):
        s = np.sqrt(low * high)
        p = 1 / (1 + np.exp(-np.clip(s * z, -500, 500)))
        slope = np.mean((p - y) * z)
        if slope > 0:
            high = s
        else:
            low = s
    return float(1 / s)


def _best_of(y, z, loss):
    grid = np.exp(np.linspace(np.log(1e-3), np.log(1e3), 60_001))[::20]
    for _ in range(3):
        values = [loss(y, z / T) for T in grid]
        i = int(np.argmin(values))
        grid = np.exp(np.linspace(np.log(grid[max(0, i - 1)]), np.log(grid[min(len(grid) - 1, i + 1)]), 200))
    return float(grid[int(np.argmin([loss(y, z / T) for T in grid]))])


def temperature_inverse(y, z):
    return 1 / best_temperature(y, z)


def temperature_other_half(y, z):
    low, high = 1e-3, 1e3
    for _ in range(100):
        s = np.sqrt(low * high)
        if np.mean((1 / (1 + np.exp(-np.clip(s * z, -500, 500))) - y) * z) > 0:
            low = s
        else:
            high = s
    return float(1 / s)


def temperature_brier(y, z):
    return _best_of(y, z, lambda y, u: np.mean((1 / (1 + np.exp(-np.clip(u, -500, 500))) - y) ** 2))


def temperature_accuracy(y, z):
    return 1.0


def temperature_mean_matching(y, z):
    return _best_of(y, z, lambda y, u: abs(np.mean(1 / (1 + np.exp(-np.clip(u, -500, 500)))) - np.mean(y)))


def temperature_coarse(y, z):
    grid = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
    return float(grid[int(np.argmin([np.mean(np.logaddexp(0, z / T) - y * z / T) for T in grid]))])


def check_temperature(t: Trial) -> None:
    rng = np.random.default_rng(6)
    z = rng.normal(size=300) * 3 - 1
    y = (rng.random(300) < 1 / (1 + np.exp(-z))).astype(int)
    for labels, logits in [
        (np.array([1, 0, 1]), np.array([3.0, 1.0, 2.0])),
        (np.array([1, 0, 1, 0]), np.array([4.0, -4.0, -2.0, 2.5])),
        (y, 3 * z),
        (y, 0.3 * z),
    ]:
        t.close(t.call(labels, logits), best_temperature(labels, logits), rtol=2e-3, atol=0, what="the temperature")


# ------------------------------------------------------------------------------------------------------- 2.7 softmax over rows


def stable_softmax(Z):
    """Softmax of each row of Z (n, K), without overflow: shape (n, K), each row sums to 1."""
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def softmax_naive(Z):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def softmax_columns(Z):
    E = np.exp(Z - Z.max(axis=0, keepdims=True))
    return E / E.sum(axis=0, keepdims=True)


def softmax_all(Z):
    E = np.exp(Z - Z.max())
    return E / E.sum()


def softmax_global_max(Z):
    with np.errstate(invalid="ignore"):
        E = np.exp(Z - Z.max())
        return E / E.sum(axis=1, keepdims=True)


def softmax_not_exp(Z):
    return Z / Z.sum(axis=1, keepdims=True)


def softmax_mean(Z):
    with np.errstate(over="ignore", invalid="ignore"):
        E = np.exp(Z - Z.mean(axis=1, keepdims=True))
        return E / E.sum(axis=1, keepdims=True)


def check_softmax(t: Trial) -> None:
    small = [[[2.0, 1.0, 0.5]], [[1.0, 2.0], [0.5, -1.0], [3.0, 3.0]]]
    for Z in (*small, [[1000.0, 1001.0], [0.0, 2.0]], [[2000.0, 0.0], [0.0, 1.0]]):
        Z = np.array(Z)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            t.close(t.call(Z), stable_softmax(Z), what="the probabilities")


# ------------------------------------------------------------------------------------------------------- 2.8 backpropagation


def backward(X, y, W1, b1, W2, b2):
    """Gradients (dW1, db1, dW2, db2) of the mean cross-entropy of a network with one ReLU layer and one output.

    X (n, d), y (n,) in {0, 1}, W1 (d, m), b1 (m,), W2 (m, 1), b2 (1,). Each gradient has the shape of its parameter.
    """
    A = X @ W1 + b1  # (n, m)
    H = np.maximum(0, A)  # (n, m)
    p = 1 / (1 + np.exp(-(H @ W2 + b2)))  # (n, 1)
    dZ = (p - y[:, None]) / len(y)  # (n, 1)
    dW2, db2 = H.T @ dZ, dZ.sum(axis=0)
    dA = (dZ @ W2.T) * (A > 0)  # (n, m)
    dW1, db1 = X.T @ dA, dA.sum(axis=0)
    return dW1, db1, dW2, db2


def _backward(X, y, W1, b1, W2, b2, gate=lambda A: A > 0, mean=True, through=True, raw=False):
    A = X @ W1 + b1
    H = np.maximum(0, A)
    dZ = (1 / (1 + np.exp(-(H @ W2 + b2))) - y[:, None]) / (len(y) if mean else 1)
    dA = dZ @ W2.T if through else np.repeat(dZ, W1.shape[1], axis=1)
    dA = dA * gate(A)
    inner = A if raw else H
    return X.T @ dA, dA.sum(axis=0), inner.T @ dZ, dZ.sum(axis=0)


def backward_no_gate(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=np.ones_like)


def backward_sum(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, mean=False)


def backward_not_through(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, through=False)


def backward_flipped_gate(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: A <= 0)


def backward_open_at_zero(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: A >= 0)


def backward_times_values(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, gate=lambda A: np.maximum(0, A))


def backward_raw(X, y, W1, b1, W2, b2):
    return _backward(X, y, W1, b1, W2, b2, raw=True)


def backward_sign(X, y, W1, b1, W2, b2):
    return tuple(-g for g in backward(X, y, W1, b1, W2, b2))


def check_backward(t: Trial) -> None:
    rng = np.random.default_rng(8)
    for n, d, H, bias in [(1, 2, 2, 1.0), (4, 2, 3, None), (6, 3, 5, None), (1, 2, 2, 2.0)]:
        X, y = np.round(rng.normal(size=(n, d)), 2), rng.integers(0, 2, n)
        W1, b1, W2, b2 = (np.round(rng.normal(size=s), 2) for s in ((d, H), (H,), (H, 1), (1,)))
        if n == 1:  # one unit on, one off (at the end exactly 0): small enough to do by hand
            X, W1 = np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [0.5, -0.5]])
            b1, W2 = np.array([0.0, bias]), np.array([[0.7], [2.0]])
        got, expected = t.call(X, y, W1, b1, W2, b2), backward(X, y, W1, b1, W2, b2)
        t.several(got, 4, "must give four gradients back, in this order: return dW1, db1, dW2, db2", expected)
        for i, name in ((2, "dW2"), (3, "db2"), (0, "dW1"), (1, "db1")):  # in the order in which they are computed
            t.close(got[i], expected[i], what=name)


EXERCISES = [
    Exercise(
        id="2.1",
        title="A sigmoid that never overflows",
        kind="warm-up",
        solution=stable_sigmoid,
        check=check_sigmoid,
        hints=(
            "Let e = np.exp(-np.abs(z)). It lies between 0 and 1 for every z, so it cannot overflow.",
            "Where z >= 0, exp(-z) is e, and the sigmoid is 1 / (1 + e). Where z < 0, exp(z) is e: multiply numerator and "
            "denominator of 1 / (1 + exp(-z)) by it.",
            "np.where(condition, a, b) takes entries of a where the condition holds, else of b.",
        ),
        wrong=(
            Wrong(sigmoid_textbook, OVERFLOW),
            Wrong(
                sigmoid_exp_over_exp,
                "computes exp(z) / (1 + exp(z)), which is infinity divided by infinity (NaN) for z "
                "= 1000; use this form only where z is negative",
            ),
            Wrong(sigmoid_both_sides, BOTH_SIDES),
            Wrong(
                sigmoid_clipped,
                "clips the scores, so all scores below -30 get the same probability; nothing has to be cut "
                "off when exp sees only -|z|",
            ),
            Wrong(
                sigmoid_flipped,
                "has its two branches swapped: it falls where the sigmoid rises, so sigmoid(1) comes out as 0.27 and not as 0.73",
            ),
            Wrong(
                sigmoid_one_branch,
                "uses |z| in both branches, so a score of -2 gets the probability of +2; negative scores must come out below 1/2",
            ),
            Wrong(
                sigmoid_tanh_unscaled,
                "uses tanh(z) where tanh(z / 2) belongs: (1 + tanh(z / 2)) / 2 is the sigmoid, yours is twice as steep",
            ),
        ),
    ),
    Exercise(
        id="2.2",
        title="Cross-entropy straight from the logits",
        kind="core",
        points=2,
        solution=bce_from_logits,
        check=check_bce,
        hints=(
            "For y = 1 the loss is -ln sigmoid(z) = ln(1 + exp(-z)); for y = 0 it is ln(1 + exp(z)).",
            "Check on paper that ln(1 + exp(-z)) = ln(1 + exp(z)) - z. So one formula serves both labels: ln(1 + exp(z)) - y z.",
            "np.logaddexp(0, z) is ln(exp(0) + exp(z)) = ln(1 + exp(z)), without overflow.",
        ),
        wrong=(
            Wrong(
                bce_clipped,
                "clips the probability, so the loss can never exceed about 16 and a model that is sure and "
                "wrong is let off; work on the logits and nothing has to be clipped",
            ),
            Wrong(
                bce_naive,
                "takes the logarithm of a probability that was rounded to 0, which is infinite; "
                "np.logaddexp(0, z) gives ln(1 + exp(z)) for every z",
            ),
            Wrong(bce_summed, "adds the losses up but does not divide by their number n; the mean is wanted"),
            Wrong(bce_positives_only, "counts the rows with y = 1 only; a row with y = 0 costs -ln(1 - p)"),
            Wrong(
                bce_labels_swapped,
                "has the labels swapped: a confident right answer costs much and a confident wrong one nothing",
            ),
            Wrong(bce_bits, "measures in bits (logarithm to base 2); this chapter measures in nats (natural logarithm)"),
            Wrong(
                bce_logits_as_probabilities,
                "treats the logit z as if it were the probability; the sigmoid has to stand between them",
            ),
        ),
    ),
    Exercise(
        id="2.3",
        title="The gradient",
        kind="core",
        points=2,
        solution=logistic_gradient,
        check=check_gradient,
        hints=(
            "Three lines: the probabilities p (n,), the errors p - y (n,), then the two averages.",
            "The gradient of w averages error times features: X.T @ error / n has shape (d,). The gradient of b averages "
            "the errors.",
        ),
        wrong=(
            Wrong(gradient_sign, "has the sign turned round (y - p in place of p - y): gradient descent with it climbs"),
            Wrong(
                gradient_summed,
                "sums over the rows but does not divide by n; then the right learning rate would change "
                "with the size of the data",
            ),
            Wrong(
                gradient_bias_summed, "divides the gradient of w by n but forgets to do so for b: its step is n times too long"
            ),
            Wrong(
                gradient_squared_error,
                "carries a factor 2 p (1 - p): that is the gradient of the squared error, flat "
                "where the model is sure; with cross-entropy the factor cancels",
            ),
            Wrong(gradient_no_sigmoid, "compares y with the score z; the error is p - y, so the sigmoid is missing"),
            Wrong(
                gradient_thresholded,
                "rounds the probability to 0 or 1 before it takes the error: that is the "
                "perceptron rule, and rows that are right but unsure teach it nothing",
            ),
        ),
    ),
    Exercise(
        id="2.4",
        title="The threshold that costs least",
        kind="core",
        points=2,
        solution=best_threshold,
        check=check_threshold,
        hints=(
            "For one candidate t: spam = p >= t. Count the false alarms (spam, but y is 0) and the misses (not spam, but y "
            "is 1).",
            "The cost of t is cost_fp * false alarms + cost_fn * misses. Collect the costs of all candidates, then take "
            "the minimum.",
            "Ties: among the candidates whose cost equals the minimum return the smallest. The candidates need not be sorted.",
        ),
        wrong=(
            Wrong(threshold_costs_swapped, "charges the cost of a miss for each false alarm and the other way round"),
            Wrong(threshold_by_errors, "counts errors and ignores what they cost: with unequal costs that is the wrong goal"),
            Wrong(
                threshold_by_rates,
                "multiplies the costs by error rates; each single error costs, so count the errors: the classes differ in size",
            ),
            Wrong(
                threshold_strict, "says spam only if p > t; the rule here is p >= t, and a row exactly at the threshold shows it"
            ),
            Wrong(
                threshold_first,
                "returns the first of several equally cheap candidates in the order of the list; the smallest was asked for",
            ),
            Wrong(threshold_largest, "returns the largest of several equally cheap candidates; the smallest was asked for"),
            Wrong(threshold_dearest, "returns the candidate with the highest cost; look for the minimum"),
            Wrong(
                threshold_formula,
                "uses the formula cost_fp / (cost_fp + cost_fn), which is right for calibrated "
                "probabilities only; count what each candidate costs on these rows",
            ),
        ),
    ),
    Exercise(
        id="2.5",
        title="A score that flatters",
        kind="find the bug",
        points=2,
        solution=score_answers,
        check=check_score,
        start=score_answers_start,
        hints=(
            'Try it: score_answers(["I cannot tell."], [1]). What should it be, and what is it?',
            'The word "ham" is also in "hamburger" and in "shame". Compare the whole answer: answer.lower().strip(" .") == '
            '"ham".',
            'Now try score_answers(["spam", "ham"], [1, 0, 1]). What does zip() do with the third label?',
        ),
        wrong=(
            Wrong(
                score_answers_start,
                'reads every answer without "ham" as spam: "I cannot tell." then counts as right '
                "for a spam message, and nothing is ever unread",
            ),
            Wrong(score_zip, ZIP),
            Wrong(
                score_dropping,
                "leaves the unread answers out of the count: a model that answers one question in ten "
                "would look perfect; divide by the number of all answers",
            ),
            Wrong(
                score_substring,
                'still searches for "ham" or "spam" inside the answer, so "hamburger" is read as ham '
                'and "not spam" as spam; compare the whole answer',
            ),
            Wrong(score_one_way, ONE_WAY),
            Wrong(
                score_one_after_the_other,
                'takes blanks and full stops away one after the other; in " Spam . " they take '
                'turns, so strip both at once: strip(" .")',
            ),
            Wrong(
                score_inside_too,
                'takes blanks and full stops out of the middle of the answer too, so "s p a m" is read as '
                "spam; only those around the word do not count",
            ),
            Wrong(
                score_exact, 'is too strict: "Spam." and " HAM " are readable; ignore case, blanks and full stops around the word'
            ),
        ),
    ),
    Exercise(
        id="2.6",
        title="Temperature scaling",
        kind="stretch",
        points=3,
        solution=best_temperature,
        check=check_temperature,
        hints=(
            "Put s = 1 / T. The loss as a function of s is convex, and its slope is the mean of (sigmoid(s z) - y) z.",
            "A slope that rises from negative to positive has one zero: halve the interval around it (bisection).",
            "Start with low = 1e-3, high = 1e3 and s = sqrt(low * high). Slope above 0: the zero lies below s. Sixty "
            "halvings are plenty.",
        ),
        wrong=(
            Wrong(temperature_inverse, "returns 1 / T: it finds the factor that multiplies the logits, while T divides them"),
            Wrong(
                temperature_other_half,
                "keeps the wrong half of the interval and runs to its end: where the slope is above "
                "0 the minimum lies below s, so high = s",
            ),
            Wrong(
                temperature_brier,
                "minimizes the squared error of the probabilities; the cross-entropy was asked for, "
                "and the two have different minima",
            ),
            Wrong(
                temperature_accuracy,
                "returns 1 whatever the data are; accuracy cannot guide you, as dividing by T never changes the sign of a logit",
            ),
            Wrong(
                temperature_mean_matching,
                "only makes the mean probability equal the share of positives; rows that are "
                "too sure on both sides cancel in that mean",
            ),
            Wrong(
                temperature_coarse,
                "picks from a short list of temperatures; the exact minimum lies between them, so search on (bisection)",
            ),
        ),
    ),
    Exercise(
        id="2.7",
        title="Softmax over rows",
        kind="core",
        points=2,
        solution=stable_softmax,
        check=check_softmax,
        hints=(
            "Subtract from each row its own largest entry, then take exp: no exponent is above 0.",
            "Z.max(axis=1, keepdims=True) has shape (n, 1), so it can be subtracted from Z (n, K) row by row.",
        ),
        wrong=(
            Wrong(
                softmax_naive,
                "takes exp of the raw scores: exp(1000) is infinite, and infinity over infinity is NaN; "
                "subtract the largest score of the row first",
            ),
            Wrong(softmax_columns, "works down the columns (axis=0): each row is one example, so each row must sum to 1"),
            Wrong(softmax_all, "divides by the sum over the whole matrix, so all rows together sum to 1, not each of them"),
            Wrong(
                softmax_global_max,
                "subtracts the largest entry of the whole matrix: a row far below it underflows to 0 "
                "/ 0; take the maximum of each row",
            ),
            Wrong(
                softmax_not_exp,
                "divides the scores by their sum without exp; negative scores would become negative probabilities",
            ),
            Wrong(
                softmax_mean, "subtracts the mean of the row: a score far above the mean still overflows; subtract the maximum"
            ),
        ),
    ),
    Exercise(
        id="2.8",
        title="Backpropagation through the hidden layer",
        kind="core",
        points=3,
        solution=backward,
        check=check_backward,
        hints=(
            "Do the forward pass first and keep A (n, m), H (n, m) and p (n, 1). Then dZ = (p - y) / n as a column (n, 1).",
            "The output layer is logistic regression with H in place of X: dW2 = H.T @ dZ, db2 = dZ.sum(axis=0).",
            "Back through W2: dH = dZ @ W2.T (n, m). Back through the ReLU: keep dH where A > 0, else 0. Then as before with X.",
        ),
        wrong=(
            Wrong(
                backward_no_gate,
                "sends the error through units that were switched off: multiply by the slope of the "
                "ReLU, 1 where A > 0 and 0 elsewhere",
            ),
            Wrong(backward_sum, "sums over the rows where the mean is wanted: divide p - y by n once, at the start"),
            Wrong(
                backward_not_through,
                "gives each hidden unit the full error of the output; its share is the error times its weight in W2",
            ),
            Wrong(
                backward_flipped_gate,
                "has the gate of the ReLU upside down: it passes the error where A <= 0 and blocks it where A > 0",
            ),
            Wrong(
                backward_open_at_zero,
                "lets the error through where A is exactly 0; this exercise takes the slope 0 there: A > 0, not A >= 0",
            ),
            Wrong(
                backward_times_values,
                "multiplies the error by H; the chain rule asks for the slope of the ReLU, which is 1 where A > 0",
            ),
            Wrong(backward_raw, "uses the values before the ReLU (A) for dW2; the output layer saw H"),
            Wrong(backward_sign, "has every sign turned round: the error at the output is p - y, not y - p"),
        ),
    ),
]
