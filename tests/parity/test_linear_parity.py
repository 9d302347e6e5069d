"""helpers.models.linear and helpers.models.autodiff against scikit-learn and torch."""

import numpy as np
import pytest

from helpers.features.tables import Standardizer, polynomial_features
from helpers.models.autodiff import Value
from helpers.models.linear import least_squares, mse, mse_gradient, r2, ridge


@pytest.fixture(params=[(60, 4, None), (60, 4, 3), (8, 20, None), (300, 40, 11)], ids=str)
def data(request):
    n, d, k = request.param
    rng = np.random.default_rng(n + d)
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 10, size=d) + rng.normal(size=d) * 5
    return X, rng.normal(size=(n,) if k is None else (n, k)) + 3


def test_least_squares_is_sklearns(data):
    lm = pytest.importorskip("sklearn.linear_model")
    X, y = data
    theirs, ours = lm.LinearRegression().fit(X, y), least_squares(X, y)
    assert ours.w.T == pytest.approx(theirs.coef_, rel=1e-8, abs=1e-9)
    assert ours.b == pytest.approx(theirs.intercept_, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("lam", [1e-3, 1.0, 250.0])
def test_ridge_is_sklearns(data, lam):
    lm = pytest.importorskip("sklearn.linear_model")
    X, y = data
    theirs, ours = lm.Ridge(alpha=lam).fit(X, y), ridge(X, y, lam)
    assert ours.w.T == pytest.approx(theirs.coef_, rel=1e-7, abs=1e-9)
    assert ours.b == pytest.approx(theirs.intercept_, rel=1e-7, abs=1e-7)


def test_scores_scaler_and_polynomials_are_sklearns(data):
    metrics = pytest.importorskip("sklearn.metrics")
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    X, y = data
    y = y.reshape(len(y), -1)[:, 0]
    y_hat = ridge(X, y, 5.0).predict(X)
    assert mse(y, y_hat) == pytest.approx(metrics.mean_squared_error(y, y_hat))
    assert r2(y, y_hat) == pytest.approx(metrics.r2_score(y, y_hat))
    assert Standardizer().fit_transform(X) == pytest.approx(StandardScaler().fit_transform(X))
    theirs = PolynomialFeatures(5, include_bias=False).fit_transform(X[:, :1])
    assert polynomial_features(X[:, 0], 5) == pytest.approx(theirs)


def test_gradients_are_torchs(data):
    torch = pytest.importorskip("torch")
    X, y = data
    y = y.reshape(len(y), -1)[:, 0]
    rng = np.random.default_rng(1)
    w0, b0 = rng.normal(size=X.shape[1]), 0.5
    w, b = torch.tensor(w0, requires_grad=True), torch.tensor(b0, dtype=torch.float64, requires_grad=True)
    ((torch.tensor(X) @ w + b - torch.tensor(y)) ** 2).mean().backward()
    dw, db = mse_gradient(X, y, w0, b0)
    assert dw == pytest.approx(w.grad.numpy(), rel=1e-10) and db == pytest.approx(b.grad.item(), rel=1e-10)


def test_value_is_torch_on_the_three_posts():
    torch = pytest.importorskip("torch")
    posts = [(150, 200), (200, 600), (260, 500)]
    w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2 / 3, 1.0))
    J = sum((w * x + b - y) ** 2 for x, y in posts) / 3
    J.backward()
    v, c = Value(2 / 3), Value(1.0)
    K = sum((v * x + c - y) ** 2 for x, y in posts) / 3
    K.backward()
    assert (K.data, v.grad, c.grad) == pytest.approx((J.item(), w.grad.item(), b.grad.item()), rel=1e-14)


def test_value_is_torch_on_every_operation():
    torch = pytest.importorskip("torch")

    def f(a, b):
        c = (a * b + a**3).tanh() / (b**2 + 1.5)
        d = (c * 2 - a / b).exp() + (b**2).log()
        return (d - 0.5).relu() * c + (1 - a) / (2 + c) - d * d

    for a0, b0 in [(0.3, 1.2), (-0.8, 0.5), (1.1, -0.7)]:
        a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (a0, b0))
        y = f(a, b)
        y.backward()
        u, v = Value(a0), Value(b0)
        z = f(u, v)
        z.backward()
        assert (z.data, u.grad, v.grad) == pytest.approx((y.item(), a.grad.item(), b.grad.item()), rel=1e-11)
