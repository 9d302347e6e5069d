"""helpers.models.linear: the worked numbers of chapter 01 in closed form, properties, and refusal of bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.features.letters import letter_frequencies
from helpers.features.tables import Standardizer, polynomial_features
from helpers.models.descent import condition_number, gradient_descent, largest_learning_rate, numeric_gradient
from helpers.models.linear import LinearModel, least_squares, mse, mse_gradient, normal_equations, r2, ridge

X = np.array([[150.0], [200.0], [260.0]])
Y = np.array([200.0, 600.0, 500.0])


def problem(seed=0, n=40, d=3, k=None):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * [1, 5, 0.2][:d] + [3, 0, -1][:d]
    W = rng.normal(size=(d,) if k is None else (d, k))
    return X, X @ W + 2 + rng.normal(size=(n,) if k is None else (n, k))


# -- the three posts, exactly


@pytest.mark.parametrize("fit", [normal_equations, least_squares, lambda X, y: ridge(X, y, 0)])
def test_three_points_have_the_exact_line(fit):
    w, b = fit(X, Y)
    assert w == pytest.approx([235 / 91], rel=1e-10)
    assert b == pytest.approx(-8350 / 91, rel=1e-9)


def test_fitted_values_residuals_loss_and_prediction():
    line = LinearModel(np.array([235 / 91]), -8350 / 91)
    assert line.predict(X) == pytest.approx([26900 / 91, 38650 / 91, 52750 / 91], rel=1e-13)
    assert Y - line.predict(X) == pytest.approx([-8700 / 91, 15950 / 91, -7250 / 91], rel=1e-11)
    assert mse(Y, line.predict(X)) == pytest.approx(382655000 / 24843, rel=1e-13)
    assert line.predict([[240.0]])[0] == pytest.approx(48050 / 91, rel=1e-13)


def test_rounded_parameters_are_a_little_worse():
    assert mse(Y, 2.58 * X[:, 0] - 91.76) == pytest.approx(15403.1856, abs=1e-4)
    assert mse(Y, 2.58 * X[:, 0] - 91.76) > 382655000 / 24843
    assert 2.58 * 240 - 91.76 == pytest.approx(527.44)


def test_gradient_at_two_thirds_and_one():
    w, b = np.array([2 / 3]), 1.0
    dw, db = mse_gradient(X, Y, w, b)
    assert dw == pytest.approx([-1155940 / 9], rel=1e-13)
    assert db == pytest.approx(-5342 / 9, rel=1e-13)
    assert mse(Y, X @ w + b) == pytest.approx(2994347 / 27, rel=1e-13)
    numeric = numeric_gradient(lambda p: mse(Y, X @ p[:1] + p[1]), np.array([2 / 3, 1.0]))
    assert numeric == pytest.approx([-1155940 / 9, -5342 / 9], rel=1e-7)


@given(st.floats(-50, 50), st.floats(-500, 500))
def test_gradient_formula_of_the_three_points(w, b):
    dw, db = mse_gradient(X, Y, np.array([w]), b)
    assert dw[0] == pytest.approx((260200 * w + 1220 * b - 560000) / 3, rel=1e-9, abs=1e-6)
    assert db == pytest.approx((1220 * w + 6 * b - 2600) / 3, rel=1e-9, abs=1e-6)


# -- properties

finite = st.floats(-100, 100, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(arrays(float, (12, 2), elements=finite), arrays(float, (12,), elements=finite))
def test_residuals_sum_to_zero_and_are_orthogonal_to_each_feature(X, y):
    residual = y - least_squares(X, y).predict(X)
    assert abs(residual.sum()) <= 1e-8 * (1 + np.abs(y).sum())
    assert np.abs((X - X.mean(axis=0)).T @ residual).max() <= 1e-7 * (1 + np.abs(X).max() * np.abs(y).sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 100))
def test_no_other_line_fits_better(seed, lam):
    X, y = problem(seed)
    rng = np.random.default_rng(seed)
    best = least_squares(X, y)
    other = LinearModel(best.w + rng.normal(size=3) * 0.1, best.b + rng.normal() * 0.1)
    assert mse(y, best.predict(X)) <= mse(y, other.predict(X))
    assert mse(y, best.predict(X)) <= mse(y, ridge(X, y, lam).predict(X)) * (1 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 1e4), st.floats(1.1, 100))
def test_ridge_shrinks_as_lambda_grows_and_keeps_the_mean(seed, lam, factor):
    X, y = problem(seed)
    small, large = ridge(X, y, lam), ridge(X, y, lam * factor)
    assert np.linalg.norm(large.w) < np.linalg.norm(small.w)
    assert large.predict(X).mean() == pytest.approx(y.mean())  # the intercept is not penalized


def test_huge_lambda_predicts_the_mean():
    X, y = problem()
    assert ridge(X, y + 1000, 1e12).predict(X) == pytest.approx(np.full(40, y.mean() + 1000))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 50), st.floats(-100, 100))
def test_order_of_rows_and_a_shift_of_the_targets(seed, lam, shift):
    X, y = problem(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    w, b = ridge(X, y, lam)
    w2, b2 = ridge(X[order], y[order], lam)
    w3, b3 = ridge(X, y + shift, lam)
    assert w2 == pytest.approx(w) and b2 == pytest.approx(b)
    assert w3 == pytest.approx(w, abs=1e-9) and b3 == pytest.approx(b + shift, abs=1e-9)


def test_ridge_primal_and_dual_form_agree_and_many_targets_are_columns():
    X, y = problem(n=5, d=3, k=2)
    w, b = ridge(X, y, 2.0)
    Xw = np.hstack([X, np.zeros((5, 10))])  # 13 features, 5 rows: the dual form
    w2, b2 = ridge(Xw, y, 2.0)
    assert w2[:3] == pytest.approx(w) and w2[3:] == pytest.approx(np.zeros((10, 2))) and b2 == pytest.approx(b)
    assert w[:, 1] == pytest.approx(ridge(X, y[:, 1], 2.0).w)


def test_ridge_gradient_vanishes_at_its_minimum():
    X, y = problem()

    def loss(p):
        return np.sum((X @ p[:3] + p[3] - y) ** 2) + 7.0 * np.sum(p[:3] ** 2)

    model = ridge(X, y, 7.0)
    assert numeric_gradient(loss, np.append(model.w, model.b)) == pytest.approx(np.zeros(4), abs=1e-4)


def test_least_squares_takes_the_smallest_of_many_fits():
    x = np.array([[1.0], [2.0], [3.0]])
    w, b = least_squares(np.hstack([x, x]), np.array([2.0, 4.0, 6.0]))
    assert w == pytest.approx([1, 1]) and b == pytest.approx(0, abs=1e-12)


def test_one_row_predicts_itself():
    w, b = least_squares([[3.0]], [5.0])
    assert w == pytest.approx([0]) and b == pytest.approx(5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_hand_gradient_is_the_finite_difference(seed):
    X, y = problem(seed)
    p = np.random.default_rng(seed + 1).normal(size=4)
    dw, db = mse_gradient(X, y, p[:3], p[3])
    numeric = numeric_gradient(lambda q: mse(y, X @ q[:3] + q[3]), p)
    assert np.append(dw, db) == pytest.approx(numeric, rel=1e-5, abs=1e-5)


def test_numeric_gradient_keeps_the_shape_and_the_point():
    at = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert numeric_gradient(lambda p: float((p**3).sum()), at) == pytest.approx(3 * at**2, rel=1e-8)
    assert at.tolist() == [[1, 2], [3, 4]]


# -- scores


def test_r2_of_mean_perfect_and_worse():
    y = np.array([1.0, 2.0, 6.0])
    assert r2(y, y) == 1
    assert r2(y, np.full(3, 3.0)) == 0
    assert r2(y, -y) == pytest.approx(1 - 4 * 41 / 14)


# -- gradient descent


def test_descent_reaches_the_closed_form():
    X, y = problem()
    Z = Standardizer().fit_transform(X)
    best, got = least_squares(Z, y), gradient_descent(Z, y, 0.2, 2000)
    assert got.w == pytest.approx(best.w, abs=1e-9) and got.b == pytest.approx(best.b, abs=1e-9)
    assert len(got.losses) == len(got.path) == 2001 and got.path.shape[1] == 4
    assert (np.diff(got.losses) <= 1e-12).all() and not got.diverged


def test_one_step_is_the_formula():
    got = gradient_descent(X, Y, 1e-6, 1, start=(np.array([2 / 3]), 1.0))
    assert got.w == pytest.approx([2 / 3 + 1e-6 * 1155940 / 9])
    assert got.b == pytest.approx(1 + 1e-6 * 5342 / 9)
    assert got.losses[0] == pytest.approx(2994347 / 27)


@pytest.mark.parametrize("share, diverges", [(0.99, False), (1.01, True)])
def test_the_largest_rate_separates_converging_from_diverging(share, diverges):
    got = gradient_descent(X, Y, largest_learning_rate(X) * share, 5000)
    assert got.diverged == diverges
    assert (got.losses[-1] > got.losses[0]) == diverges


def test_largest_rate_is_two_over_the_largest_curvature():
    A = np.hstack([X, np.ones((3, 1))])
    assert largest_learning_rate(X) == pytest.approx(2 / np.linalg.eigvalsh(2 / 3 * A.T @ A)[-1])
    assert condition_number(X) == pytest.approx(np.linalg.cond(A.T @ A), rel=1e-6)


def test_scaling_makes_the_bowl_round():
    assert condition_number(X) == pytest.approx(930041.44, rel=1e-6)
    assert condition_number(Standardizer().fit_transform(X)) == pytest.approx(1)


def test_condition_number_is_infinite_for_dependent_columns():
    assert condition_number(np.hstack([X, 2 * X])) == float("inf")
    assert condition_number(np.ones((4, 1))) == float("inf")
    assert condition_number(np.array([[1.0, 2.0]])) == float("inf")


def test_a_pass_of_mini_batches_uses_every_row_once():
    # one-hot rows: row i is the only one that moves weight i, so the path shows which rows were used
    path = gradient_descent(np.eye(10), np.ones(10), 0.001, 8, batch_size=3).path[:, :10]
    used = [np.flatnonzero(step) for step in np.diff(path, axis=0)]
    assert [len(rows) for rows in used] == [3, 3, 3, 1] * 2
    assert sorted(np.concatenate(used[:4])) == sorted(np.concatenate(used[4:])) == list(range(10))


def test_seed_fixes_the_stochastic_path_and_full_batch_ignores_it():
    X, y = problem()
    a, b, c = (gradient_descent(X, y, 0.001, 50, batch_size=1, seed=s) for s in (1, 1, 2))
    assert (a.path == b.path).all() and (a.path != c.path).any()
    assert (gradient_descent(X, y, 0.001, 5, batch_size=40).path == gradient_descent(X, y, 0.001, 5).path).all()


def test_tol_stops_early_and_divergence_is_flagged():
    Z = Standardizer().fit_transform(X)
    got = gradient_descent(Z, Y, 0.1, 10_000, tol=0.01)
    best = 382655000 / 24843
    assert got.losses[-1] <= best * 1.01 < got.losses[-2]
    assert gradient_descent(X, Y, 1.0, 10_000).diverged


# -- features


def test_letter_frequencies():
    got = letter_frequencies(["Abba!", "ÉZ 42", "", "123"])
    assert got.shape == (4, 26)
    assert got[0, :2].tolist() == [0.5, 0.5]
    assert got[1, 25] == 1
    assert got.sum(axis=1).tolist() == [1, 1, 0, 0]


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_letter_frequencies_ignore_case_and_order(texts):
    got = letter_frequencies(texts)
    assert (got == letter_frequencies([t[::-1] for t in texts])).all()
    assert all(row.sum() == pytest.approx(1) or not row.any() for row in got)


def test_polynomial_features():
    assert polynomial_features([2.0, 3.0], 3).tolist() == [[2, 4, 8], [3, 9, 27]]


def test_standardizer_uses_only_what_it_was_fitted_on():
    train, new = np.array([[0.0, 7.0], [2.0, 7.0]]), np.array([[4.0, 8.0]])
    scaler = Standardizer().fit(train)
    assert scaler.transform(train).tolist() == [[-1, 0], [1, 0]]
    assert scaler.transform(new).tolist() == [[3, 1]]  # the constant column is only centered


# -- bad input: the message names what was expected, what came, what to do

NAN = np.array([[1.0], [np.nan]])


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: mse([], []), "at least one value"),
        (lambda: mse([1, 2], [1, 2, 3]), r"\(2,\) and \(3,\)"),
        (lambda: mse([1, 2], [[1], [2]]), "ravel"),
        (lambda: mse([1, np.nan], [1, 2]), "1 of 2 values NaN"),
        (lambda: mse(["a"], [1]), "plain numbers"),
        (lambda: r2([2, 2], [1, 2]), "all values equal"),
        (lambda: least_squares([1, 2, 3], [1, 2, 3]), r"reshape\(-1, 1\)"),
        (lambda: least_squares(np.zeros((0, 2)), []), "at least one row"),
        (lambda: least_squares(np.zeros((2, 0)), [1, 2]), "at least one row and one column"),
        (lambda: least_squares([[1.0], [2.0]], [1.0]), "got 2 and 1"),
        (lambda: least_squares(NAN, [1, 2]), "drop or fix"),
        (lambda: least_squares([[1.0], [2.0]], np.zeros((2, 1, 1))), r"\(n, k\)"),
        (lambda: normal_equations(np.hstack([X, 3 * X]), Y), "rank 2, not 3"),
        (lambda: normal_equations(np.ones((3, 1)), Y), "ridge"),
        (lambda: ridge(X, Y, -1), "at least 0, got -1"),
        (lambda: ridge(X, Y, float("nan")), "finite"),
        (lambda: ridge(X, Y, None), "expected lam"),
        (lambda: gradient_descent(X, Y, 0, 10), "expected lr"),
        (lambda: gradient_descent(X, Y, -0.1, 10), "got -0.1"),
        (lambda: gradient_descent(X, Y, 0.1, -1), "steps"),
        (lambda: gradient_descent(X, Y, 0.1, 1, batch_size=0), "between 1 and the 3 rows"),
        (lambda: gradient_descent(X, Y, 0.1, 1, batch_size=4), "got 4"),
        (lambda: gradient_descent(X, Y, 0.1, 1, start=(np.zeros(2), 0)), r"shape \(1,\)"),
        (lambda: gradient_descent(X, Y[:, None], 0.1, 1), "ravel"),
        (lambda: mse_gradient(X, Y, np.zeros(2), 0), "one weight per column"),
        (lambda: numeric_gradient(np.sum, np.zeros(2), step=0), "above 0"),
        (lambda: polynomial_features([1.0], 0), "at least 1, got 0"),
        (lambda: polynomial_features(X, 2), "1-D"),
        (lambda: Standardizer().transform(X), "call fit"),
        (lambda: Standardizer().fit(X).transform(np.zeros((1, 2))), "X with 1 columns"),
        (lambda: LinearModel(np.zeros(2), 0).predict(X), "X with 2 columns"),
        (lambda: letter_frequencies([]), "empty list"),
        (lambda: condition_number([1.0]), "2-D"),
    ],
)
def test_bad_input_is_refused_with_advice(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("texts", ["one string", [1, 2], [None]])
def test_letter_frequencies_want_a_list_of_strings(texts):
    with pytest.raises(TypeError, match=r"texts"):
        letter_frequencies(texts)


def test_inputs_are_left_alone():
    X, y = problem()
    before = X.copy(), y.copy()
    gradient_descent(X, y, 0.001, 3)
    ridge(X, y, 1.0)
    Standardizer().fit_transform(X)
    assert (X == before[0]).all() and (y == before[1]).all()


@pytest.mark.parametrize("guess", [0.1, 0.2])
def test_equal_targets_have_no_r2_however_their_mean_is_rounded(guess):
    with pytest.raises(ValueError, match="targets that differ"):
        r2([0.1] * 3, [guess] * 3)
