"""Exercises of chapter 01, Linear regression: checks, hints, reference solutions, wrong answers with their diagnoses."""

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong
from helpers.models.autodiff import Value, ordered

# ------------------------------------------------------------------------------------------------- 1.1


def mse(y, y_hat):
    """Mean squared error of the predictions y_hat against the targets y, both arrays of shape (n,)."""
    return float(np.mean((y - y_hat) ** 2))


def mse_sum(y, y_hat):
    return float(np.sum((y - y_hat) ** 2))


def mse_root(y, y_hat):
    return float(np.sqrt(np.mean((y - y_hat) ** 2)))


def mse_absolute(y, y_hat):
    return float(np.mean(np.abs(y - y_hat)))


def mse_of_mean(y, y_hat):
    return float(np.mean(y - y_hat) ** 2)


def mse_half(y, y_hat):
    return float(np.mean((y - y_hat) ** 2) / 2)


def mse_n_minus_one(y, y_hat):
    return float(np.sum((y - y_hat) ** 2) / max(len(y) - 1, 1))


def check_mse(t: Trial) -> None:
    cases = [([1, 4, 2], [0, 2, 3]), ([3, 3], [3, 3]), ([1, 5, 2], [2, 1, 2]), ([200, 600, 500], [101, 134.333, 174.333])]
    for y, y_hat in cases:
        y, y_hat = np.array(y, dtype=float), np.array(y_hat, dtype=float)
        t.close(t.call(y, y_hat), mse(y, y_hat), rtol=1e-9, what="the loss")


# ------------------------------------------------------------------------------------------------- 1.2


def gradient(X, y, w, b):
    """Slopes (dw, db) of J = mean((X w + b - y)^2). X is (n, d); y is (n,); w and dw are (d,)."""
    e = X @ w + b - y
    return 2 * X.T @ e / len(y), float(2 * np.mean(e))


def gradient_without_two(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw / 2, db / 2


def gradient_of_sum(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw * len(y), db * len(y)


def gradient_swapped(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return np.full(len(w), db), float(dw[0])


def gradient_sign(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return -dw, -db


def gradient_without_x(X, y, w, b):
    db = gradient(X, y, w, b)[1]
    return np.full(len(w), db), db


def gradient_product_of_means(X, y, w, b):
    e = X @ w + b - y
    return 2 * np.mean(e) * X.mean(axis=0), float(2 * np.mean(e))


def gradient_without_b(X, y, w, b):
    e = X @ w - y
    return 2 * X.T @ e / len(y), float(2 * np.mean(e))


def gradient_over_features(X, y, w, b):
    dw, db = gradient(X, y, w, b)
    return dw * len(y) / X.shape[1], db


def check_gradient(t: Trial) -> None:
    cases = [
        ([[1], [3], [2]], [2, 1, 2], [1], 0.5),
        ([[1, 0], [2, -1], [4, 3]], [0, 1, 5], [0.5, 2], -1),
        ([[150], [200], [260]], [200, 600, 500], [2 / 3], 1),
        ([[1, 0, 2, 1], [2, -1, 0, 3]], [4, 1], [0.5, 2, -1, 0], 3),
    ]
    for X, y, w, b in cases:
        X, y, w = np.array(X, dtype=float), np.array(y, dtype=float), np.array(w, dtype=float)
        got, (dw, db) = t.call(X, y, w, b), gradient(X, y, w, b)
        t.several(got, 2, "must return the pair (dw, db)", (dw, db))
        t.close(got[0], dw, rtol=1e-9, what="dw")
        t.close(got[1], db, rtol=1e-9, what="db")


# ------------------------------------------------------------------------------------------------- 1.3


def backward(root):
    """Set grad of root and of every Value it came from to d(root)/d(that Value)."""
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_overwrites(root):
    """Set grad of root and of every Value it came from to d(root)/d(that Value)."""
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad = slope * value.grad


def backward_in_forward_order(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in order:
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_adds_local_slopes(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = 1.0
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope


def backward_by_recursion(root):
    for value in ordered(root):
        value.grad = 0.0
    root.grad = 1.0

    def visit(value):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad
            visit(parent)

    visit(root)


def backward_without_reset(root):
    root.grad = 1.0
    for value in reversed(ordered(root)):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def backward_without_seed(root):
    order = ordered(root)
    for value in order:
        value.grad = 0.0
    root.grad = root.data
    for value in reversed(order):
        for parent, slope in zip(value.parents, value.slopes):
            parent.grad += slope * value.grad


def check_backward(t: Trial) -> None:
    def slope_of(build, at=3.0, times=1):
        def steps(f):
            x = Value(at)
            root = build(x)
            for _ in range(times):
                f(root)
            return x.grad

        return steps

    graphs = [
        (lambda x: x * 2, "backward(x * 2) at x = 3", 2.0, 1),
        (lambda x: x * 2 * 5, "backward(x * 2 * 5) at x = 3", 10.0, 1),
        (lambda x: x * x, "backward(x * x) at x = 3", 6.0, 1),
        (lambda x: x * x, "backward(x * x) twice in a row at x = 3", 6.0, 2),
    ]
    for build, shown, expected, times in graphs:
        t.close(t.run(slope_of(build, times=times), shown), expected, what="x.grad")

    def shared(f):
        x = Value(2.0)
        s = x * 3
        root = s * s + s
        f(root)
        return x.grad

    t.close(t.run(shared, "s = x * 3; backward(s * s + s) at x = 2"), 39.0, what="x.grad")


# ------------------------------------------------------------------------------------------------- 1.4


def sigmoid(v):
    """The S-shaped curve 1 / (1 + e^-v) of a Value, as a Value whose slope is s (1 - s)."""
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 - s),), "sigmoid")


def sigmoid_slope_of_input(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (v.data * (1 - v.data),), "sigmoid")


def sigmoid_slope_plus(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 + s),), "sigmoid")


def sigmoid_cut_off(v):
    return Value(1 / (1 + np.exp(-v.data)))


def sigmoid_of_a_copy(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (Value(v.data),), (s * (1 - s),), "sigmoid")


def sigmoid_chained_too_early(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s * (1 - s) * v.grad,), "sigmoid")


def sigmoid_falling(v):
    s = 1 / (1 + np.exp(v.data))
    return Value(s, (v,), (-s * (1 - s),), "sigmoid")


def sigmoid_slope_is_value(v):
    s = 1 / (1 + np.exp(-v.data))
    return Value(s, (v,), (s,), "sigmoid")


def check_sigmoid(t: Trial) -> None:
    def at(z):
        def steps(f):
            v = Value(z)
            out = f(v)
            if not hasattr(out, "backward"):
                return out
            out.backward()
            parents = "v" if any(p is v for p in out.parents) else "another Value" if out.parents else "none"
            return float(out.data), float(v.grad), parents  # the parents tell apart why no gradient came back

        return steps

    for z in (2.0, 0.0, -1.0):
        got, expected = t.run(at(z), f"v = Value({z:g}); s = sigmoid(v); s.backward(); (s.data, v.grad)"), at(z)(sigmoid)
        t.true(isinstance(got, tuple), "must return a Value, with v as its parent", expected, got)
        t.close(got[:2], expected[:2], rtol=1e-6, what="(s.data, v.grad)")

    def in_a_loss(f):
        w, b = Value(0.5), Value(-1.0)
        loss = (f(w * 3 + b) - 1) ** 2
        loss.backward()
        return w.grad, b.grad

    t.close(
        t.run(in_a_loss, "loss = (sigmoid(w * 3 + b) - 1) ** 2 at w = 0.5, b = -1; (w.grad, b.grad)"),
        in_a_loss(sigmoid),
        rtol=1e-6,
        what="(w.grad, b.grad)",
    )


# ------------------------------------------------------------------------------------------------- 1.5


def largest_rate(X):
    """The learning rate from which on batch gradient descent diverges; X is (n, d)."""
    A = np.column_stack([X, np.ones(len(X))])
    H = 2 / len(X) * A.T @ A
    return float(2 / np.linalg.eigvalsh(H)[-1])


def rate_without_ones(X):
    return float(2 / np.linalg.eigvalsh(2 / len(X) * X.T @ X)[-1])


def rate_half(X):
    return largest_rate(X) / 2


def rate_smallest_curvature(X):
    A = np.column_stack([X, np.ones(len(X))])
    return float(2 / np.linalg.eigvalsh(2 / len(X) * A.T @ A)[0])


def rate_largest_entry(X):
    A = np.column_stack([X, np.ones(len(X))])
    return float(2 / (2 / len(X) * A.T @ A).max())


def rate_of_sum(X):
    return largest_rate(X) / len(X)


def rate_without_two(X):
    return largest_rate(X) * 2


def check_largest_rate(t: Trial) -> None:
    for X in ([[1, 0.5], [-1, 2], [0, 1], [3, -2], [1, 1]], [[0.0], [2.0], [3.0]], [[150.0], [200.0], [260.0]]):
        X = np.array(X)
        t.close(t.call(X), largest_rate(X), rtol=1e-6, what="the rate")


# ------------------------------------------------------------------------------------------------- 1.6


def sgd_pass(x, y, w, b, lr, batch_size, order):
    """One pass over all rows, in the given order, batch_size rows per update; returns the new (w, b)."""
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w * x[rows] + b - y[rows]
        w, b = w - lr * 2 * np.mean(e * x[rows]), b - lr * 2 * np.mean(e)
    return float(w), float(b)


def sgd_without_two(x, y, w, b, lr, batch_size, order):
    return sgd_pass(x, y, w, b, lr / 2, batch_size, order)


def sgd_divides_by_n(x, y, w, b, lr, batch_size, order):
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w * x[rows] + b - y[rows]
        w, b = w - lr * 2 * np.sum(e * x[rows]) / len(x), b - lr * 2 * np.sum(e) / len(x)
    return float(w), float(b)


def sgd_drops_the_rest(x, y, w, b, lr, batch_size, order):
    whole = len(x) // batch_size * batch_size
    return sgd_pass(x[order[:whole]], y[order[:whole]], w, b, lr, batch_size, np.arange(whole))


def sgd_stale(x, y, w, b, lr, batch_size, order):
    w0, b0 = w, b
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        e = w0 * x[rows] + b0 - y[rows]
        w, b = w - lr * 2 * np.mean(e * x[rows]), b - lr * 2 * np.mean(e)
    return float(w), float(b)


def sgd_ignores_order(x, y, w, b, lr, batch_size, order):
    return sgd_pass(x, y, w, b, lr, batch_size, np.arange(len(x)))


def sgd_one_after_the_other(x, y, w, b, lr, batch_size, order):
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        w = w - lr * 2 * np.mean((w * x[rows] + b - y[rows]) * x[rows])
        b = b - lr * 2 * np.mean(w * x[rows] + b - y[rows])
    return float(w), float(b)


def sgd_first_batch_only(x, y, w, b, lr, batch_size, order):
    rows = order[:batch_size]
    return sgd_pass(x[rows], y[rows], w, b, lr, batch_size, np.arange(len(rows)))


def check_sgd_pass(t: Trial) -> None:
    cases = [
        ([1, 2, -1], [2, 2, 0], 0.5, 0.0, 0.1, 1, [1, 0, 2]),
        ([1, -1, 2, 0, 1.5], [2, 0, 1, 1, 3], 0.0, 1.0, 0.05, 2, [4, 2, 0, 1, 3]),
        ([1, -1, 2, 0, 1.5], [2, 0, 1, 1, 3], 0.0, 1.0, 0.05, 5, [0, 1, 2, 3, 4]),
    ]
    for x, y, w, b, lr, batch_size, order in cases:
        args = (np.array(x, dtype=float), np.array(y, dtype=float), w, b, lr, batch_size, np.array(order))
        got, expected = t.call(*args), sgd_pass(*args)
        t.several(got, 2, "must return the two numbers (w, b)", expected)
        t.close(got, expected, rtol=1e-9, what="the pair (w, b)")


# ------------------------------------------------------------------------------------------------- 1.7


def ridge(X, y, lam):
    """Minimize sum((X w + b - y)^2) + lam * sum(w^2); X is (n, d), y is (n,); returns (w, b)."""
    x_mean, y_mean = X.mean(axis=0), y.mean()
    Xc, yc = X - x_mean, y - y_mean
    w = np.linalg.solve(Xc.T @ Xc + lam * np.eye(X.shape[1]), Xc.T @ yc)
    return w, float(y_mean - x_mean @ w)


def ridge_on_intercept(X, y, lam):
    A = np.column_stack([X, np.ones(len(X))])
    theta = np.linalg.solve(A.T @ A + lam * np.eye(A.shape[1]), A.T @ y)
    return theta[:-1], float(theta[-1])


def ridge_times_n(X, y, lam):
    return ridge(X, y, lam * len(X))


def ridge_ignores_lam(X, y, lam):
    return ridge(X, y, 0.0)


def ridge_everywhere(X, y, lam):
    x_mean, y_mean = X.mean(axis=0), y.mean()
    Xc, yc = X - x_mean, y - y_mean
    w = np.linalg.solve(Xc.T @ Xc + lam, Xc.T @ yc)
    return w, float(y_mean - x_mean @ w)


def ridge_bias_is_mean(X, y, lam):
    return ridge(X, y, lam)[0], float(y.mean())


def ridge_without_intercept(X, y, lam):
    return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y), 0.0


def check_ridge(t: Trial) -> None:
    rng = np.random.default_rng(5)
    tall = rng.normal(size=(6, 3)).round(1)
    cases = [
        (np.array([[1.0], [2.0], [4.0]]), np.array([3.0, 5.0, 4.0]), 0.0),
        (np.array([[1.0, 0.0], [2.0, 1.0], [4.0, 1.0], [3.0, 3.0]]), np.array([3.0, 5.0, 4.0, 9.0]), 2.0),
        (tall, (tall.sum(axis=1) + 100).round(1), 0.5),
    ]
    for X, y, lam in cases:
        got, (w, b) = t.call(X, y, lam), ridge(X, y, lam)
        t.several(got, 2, "must return the pair (w, b)", (w, b))
        t.close(got[0], w, rtol=1e-6, what="the weights w")
        t.close(got[1], b, rtol=1e-6, what="the intercept b")


# ------------------------------------------------------------------------------------------------- 1.8


def standardize(X, n_train):
    """Scale the columns of X (n, d) to mean 0, deviation 1; return the first n_train rows, and the rest."""
    train = X[:n_train]
    mean, std = train.mean(axis=0), train.std(axis=0)
    Z = (X - mean) / std
    return Z[:n_train], Z[n_train:]


def standardize_on_all(X, n_train):
    """Scale the columns of X (n, d) to mean 0, deviation 1; return the first n_train rows, and the rest."""
    mean, std = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / std
    return Z[:n_train], Z[n_train:]


def standardize_each(X, n_train):
    train, test = X[:n_train], X[n_train:]
    return (train - train.mean(axis=0)) / train.std(axis=0), (test - test.mean(axis=0)) / test.std(axis=0)


def standardize_by_variance(X, n_train):
    train = X[:n_train]
    Z = (X - train.mean(axis=0)) / train.var(axis=0)
    return Z[:n_train], Z[n_train:]


def standardize_one_mean(X, n_train):
    train = X[:n_train]
    Z = (X - train.mean()) / train.std()
    return Z[:n_train], Z[n_train:]


def standardize_train_only(X, n_train):
    train = X[:n_train]
    return (train - train.mean(axis=0)) / train.std(axis=0), X[n_train:]


def standardize_on_test(X, n_train):
    test = X[n_train:]
    Z = (X - test.mean(axis=0)) / test.std(axis=0)
    return Z[:n_train], Z[n_train:]


def check_standardize(t: Trial) -> None:
    cases = [
        ([[0.0, 1.0], [4.0, 2.0], [6.0, 7.0], [8.0, 7.5]], 2),
        ([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0], [3.0, 15.0], [100.0, 0.0]], 3),
    ]
    for X, n_train in cases:
        X = np.array(X)
        got, expected = t.call(X, n_train), standardize(X, n_train)
        t.several(got, 2, "must return two arrays: (train, test)", expected)
        t.close(got[0], expected[0], what="the scaled training part")
        t.close(got[1], expected[1], what="the scaled test part")


EXERCISES = [
    Exercise(
        id="1.1",
        title="Mean squared error",
        kind="warm-up",
        points=1,
        solution=mse,
        check=check_mse,
        hints=(
            "Three steps, from the inside out: the errors y - y_hat, their squares, the mean of the squares.",
            "NumPy works on whole arrays: (y - y_hat) ** 2 squares every entry, np.mean averages.",
        ),
        wrong=(
            Wrong(mse_sum, "adds the squared errors up but never divides by their number: a mean does not grow with n"),
            Wrong(mse_root, "takes the square root at the end: that is the RMSE, in units of y. J itself has no root"),
            Wrong(mse_absolute, "averages the absolute errors: square each error before taking the mean"),
            Wrong(mse_of_mean, "squares the mean of the errors: errors of +5 and -5 then cancel. Square first, then average"),
            Wrong(mse_n_minus_one, "divides by n - 1: that belongs to the variance of a sample; this mean divides by n"),
            Wrong(mse_half, "divides by 2n: some books do, to lose the 2 in the slope, but this chapter's J divides by n"),
        ),
    ),
    Exercise(
        id="1.2",
        title="The gradient of the loss",
        kind="core",
        points=2,
        solution=gradient,
        check=check_gradient,
        hints=(
            "Start with the errors of all rows: e = X @ w + b - y, shape (n,).",
            "The slope of weight j is 2/n times the sum over rows of e[i] * X[i, j]. For all j at once: X.T @ e.",
            "db is the mean of 2 e. Return the pair (dw, db).",
        ),
        wrong=(
            Wrong(gradient_without_two, "loses the factor 2: the slope of e ** 2 is 2 e, not e"),
            Wrong(gradient_of_sum, "adds over the rows where the loss averages: divide by n"),
            Wrong(
                gradient_swapped,
                "puts the slope of the intercept in dw and the slope of the weight in db: the one with X in it is dw",
            ),
            Wrong(gradient_sign, "has the sign turned round: with e = prediction - target the slopes are +2 e x and +2 e"),
            Wrong(
                gradient_without_x,
                "leaves X out of dw: a change of a weight moves the prediction by x, so each error counts x times",
            ),
            Wrong(
                gradient_product_of_means,
                "multiplies the mean error by the mean of the column: multiply row by row first, then average",
            ),
            Wrong(gradient_without_b, "forgets the intercept b in the prediction: the errors are X @ w + b - y"),
            Wrong(gradient_over_features, "divides by the number of features: the mean runs over the n rows"),
        ),
    ),
    Exercise(
        id="1.3",
        title="The gradient that forgets",
        kind="find the bug",
        points=2,
        solution=backward,
        check=check_backward,
        start=backward_overwrites,
        hints=(
            "Try it on x * x at x = 3 with pencil and paper. x is the parent of the product twice. What should happen to the "
            "two contributions?",
            "Look at what the innermost line does when a parent already has a gradient.",
        ),
        wrong=(
            Wrong(
                backward_overwrites,
                "overwrites a gradient that is already there: when a value is used twice, both uses "
                "count, so the contributions must be added up (+=)",
            ),
            Wrong(
                backward_in_forward_order,
                "walks from the inputs to the result: a value then passes its gradient on before "
                "it has received it. Walk from the result back",
            ),
            Wrong(
                backward_adds_local_slopes,
                "adds the local slope alone: the chain rule multiplies it by the gradient of the value that comes after",
            ),
            Wrong(
                backward_by_recursion,
                "passes a gradient on before all of it has arrived: a shared value is visited once per "
                "use and counts too much. Go through the ordered list once",
            ),
            Wrong(backward_without_reset, "keeps the gradients of an earlier call: set them to 0 before you add"),
            Wrong(backward_without_seed, "starts from the number in root: d(root)/d(root) is 1"),
        ),
    ),
    Exercise(
        id="1.4",
        title="Teach Value a new curve",
        kind="core",
        points=2,
        solution=sigmoid,
        check=check_sigmoid,
        hints=(
            "A new Value needs three things: its number, its parents (here only v), and one local slope per parent.",
            "Compute s = 1 / (1 + np.exp(-v.data)) once. The slope s * (1 - s) uses this s, not v.data.",
            "The form is Value(s, (v,), (slope,)). The commas in (v,) and (slope,) make them tuples.",
        ),
        wrong=(
            Wrong(sigmoid_slope_of_input, "computes the slope from the input: in s (1 - s), s is the output of the curve"),
            Wrong(sigmoid_slope_plus, "uses s (1 + s) as slope: the curve flattens out as s comes near 1, so it is s (1 - s)"),
            Wrong(sigmoid_cut_off, "returns a Value without parents: no gradient can flow back to v. Pass (v,) and its slope"),
            Wrong(
                sigmoid_of_a_copy,
                "has a new Value as its parent: the gradient ends there and does not reach v. Pass v itself, as (v,)",
            ),
            Wrong(
                sigmoid_chained_too_early,
                "puts v.grad into the local slope: on the way forward it is still 0. backward does "
                "the chain rule; the local slope is s (1 - s) alone",
            ),
            Wrong(sigmoid_falling, "falls where it should rise: the exponent is minus v"),
            Wrong(sigmoid_slope_is_value, "takes the value itself as slope: that is right for e^v only. Here it is s (1 - s)"),
        ),
    ),
    Exercise(
        id="1.5",
        title="The speed limit",
        kind="stretch",
        points=3,
        solution=largest_rate,
        check=check_largest_rate,
        hints=(
            "Build A: the columns of X and a column of ones, for instance with np.column_stack([X, np.ones(len(X))]).",
            "The matrix of curvatures is H = 2/n * A.T @ A. np.linalg.eigvalsh(H) gives its eigenvalues, smallest first.",
        ),
        wrong=(
            Wrong(rate_without_ones, "forgets the intercept: b is a parameter too, its column in A is all ones"),
            Wrong(
                rate_half,
                "gives half the limit: at 1 / (largest curvature) one step lands on the floor of the steepest "
                "valley; divergence begins at 2 / (largest curvature)",
            ),
            Wrong(
                rate_smallest_curvature,
                "uses the smallest curvature: the steepest direction overshoots first, so the "
                "largest eigenvalue decides. eigvalsh sorts upwards, it is the last",
            ),
            Wrong(
                rate_largest_entry,
                "takes the largest entry of H: the curvature in the steepest direction is the largest "
                "eigenvalue, np.linalg.eigvalsh(H)[-1]",
            ),
            Wrong(rate_of_sum, "leaves out the 1/n: the loss is a mean, so its curvature is 2/n A^T A"),
            Wrong(rate_without_two, "leaves out the 2 of the curvature: the second derivative of e ** 2 is 2, so H = 2/n A^T A"),
        ),
    ),
    Exercise(
        id="1.6",
        title="One pass of mini-batches",
        kind="stretch",
        points=3,
        solution=sgd_pass,
        check=check_sgd_pass,
        hints=(
            "range(0, len(x), batch_size) gives the start of each batch; order[start : start + batch_size] its row numbers. "
            "A slice that goes past the end is simply shorter.",
            "Inside the loop: the errors of these rows with the present w and b, both slopes as means over these rows, then "
            "one update.",
            "Compute both slopes before you change w: w, b = w - lr * dw, b - lr * db does both at once.",
        ),
        wrong=(
            Wrong(
                sgd_without_two,
                "loses the factor 2: the slope of e ** 2 is 2 e, so each step is only half as long as it should be",
            ),
            Wrong(
                sgd_divides_by_n,
                "divides the sum over a batch by the number of all rows: each step is too short. Average "
                "over the rows of the batch",
            ),
            Wrong(sgd_drops_the_rest, "leaves out the last, shorter batch: those rows never teach anything"),
            Wrong(sgd_stale, "computes every gradient at the first w and b: use the values that the batch before has left"),
            Wrong(sgd_ignores_order, "takes the rows as they lie: use the row numbers in order"),
            Wrong(
                sgd_one_after_the_other, "changes w first and uses the new w for the slope of b: compute both slopes, then move"
            ),
            Wrong(sgd_first_batch_only, "stops after the first batch: is the return inside the loop?"),
        ),
    ),
    Exercise(
        id="1.7",
        title="Ridge in closed form",
        kind="core",
        points=3,
        solution=ridge,
        check=check_ridge,
        hints=(
            "Take the mean off every column of X and off y. Then the best intercept of the centered data is 0.",
            "For the centered data solve (Xc.T @ Xc + lam * identity) w = Xc.T @ yc; np.eye(d) is the identity matrix.",
            "Go back to the original data at the end: b = mean of y - (means of the columns) @ w.",
        ),
        wrong=(
            Wrong(
                ridge_on_intercept,
                "penalizes the intercept as well: a shift of all targets would then change the slopes. "
                "Center X and y first, or put 0 at the intercept's place in the penalty",
            ),
            Wrong(ridge_times_n, "multiplies lam by n: that is right for a mean of squares, here the squares are summed"),
            Wrong(ridge_ignores_lam, "gives plain least squares: lam has no effect"),
            Wrong(ridge_everywhere, "adds lam to every entry of the matrix: only the diagonal gets it, lam * np.eye(d)"),
            Wrong(
                ridge_bias_is_mean,
                "returns the mean of y as b: that is the intercept for centered columns. Subtract (column means) @ w",
            ),
            Wrong(ridge_without_intercept, "fits through the origin: the model has an intercept b"),
        ),
    ),
    Exercise(
        id="1.8",
        title="The scaler that peeks",
        kind="find the bug",
        points=2,
        solution=standardize,
        check=check_standardize,
        start=standardize_on_all,
        hints=(
            "Which rows may the mean and the standard deviation know about on the day the model is trained?",
            "Compute both numbers from X[:n_train] alone. Then use the same two numbers for all rows.",
        ),
        wrong=(
            Wrong(
                standardize_on_all,
                "computes mean and standard deviation over all rows, the test rows among them: they "
                "leak into training. Use the first n_train rows alone",
            ),
            Wrong(
                standardize_each,
                "scales the test part by its own mean and standard deviation: the same input would then mean "
                "different things in training and in use. Apply the numbers of the training rows",
            ),
            Wrong(standardize_by_variance, "divides by the variance: the standard deviation is its square root (.std)"),
            Wrong(standardize_one_mean, "uses one mean for the whole table: each column has its own (axis=0)"),
            Wrong(standardize_train_only, "returns the test part unscaled: the weights were fitted to scaled columns"),
            Wrong(standardize_on_test, "takes mean and standard deviation from the test rows: it should be the other part"),
        ),
    ),
]
