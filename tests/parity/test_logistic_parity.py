"""helpers.models.logistic, helpers.models.mlp and helpers.evaluation.classification against scikit-learn, scipy and torch."""

import numpy as np
import pytest

from helpers.evaluation import classification as m
from helpers.evaluation import intervals
from helpers.models import logistic as lg
from helpers.models import losses
from helpers.models.mlp import ACTIVATIONS, TwoLayerNetwork

linear_model = pytest.importorskip("sklearn.linear_model")
skm = pytest.importorskip("sklearn.metrics")
special = pytest.importorskip("scipy.special")


def rows(n=300, D=5, K=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, D)) * np.array([1, 2, 0.5, 1, 3])[:D]
    return X, (X @ rng.normal(size=(D, K)) + 2 * rng.gumbel(size=(n, K))).argmax(axis=1)


def test_special_functions():
    z = np.concatenate([np.linspace(-800, 800, 1001), np.random.default_rng(0).normal(size=1000)])
    assert losses.sigmoid(z) == pytest.approx(special.expit(z), rel=1e-12, abs=1e-300)
    assert losses.log_sigmoid(z) == pytest.approx(special.log_expit(z), rel=1e-12)
    Z = np.random.default_rng(1).normal(size=(20, 30)) * 200
    assert losses.log_sum_exp(Z) == pytest.approx(special.logsumexp(Z, axis=1), rel=1e-13)
    assert losses.softmax(Z) == pytest.approx(special.softmax(Z, axis=1), rel=1e-10, abs=1e-300)
    assert losses.log_softmax(Z, axis=0) == pytest.approx(special.log_softmax(Z, axis=0), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("l2", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_logistic_regression_with_l2(l2, solver):
    X, y = rows(K=2)
    ours = lg.LogisticRegression(l2=l2, solver=solver).fit(X, y)
    # scikit-learn minimizes C * sum of losses + ||w||^2 / 2: the mean loss with l2 has C = 1 / (n l2)
    theirs = linear_model.LogisticRegression(C=1 / (len(y) * l2), tol=1e-10, max_iter=10_000).fit(X, y)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert ours.bias == pytest.approx(theirs.intercept_[0], abs=1e-6)
    loss = skm.log_loss(y, theirs.predict_proba(X)) + l2 / 2 * np.sum(theirs.coef_**2)
    assert ours.losses[-1] == pytest.approx(loss, abs=1e-6)


def test_logistic_regression_without_l2():
    X, y = rows(K=2)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, y)
    for solver in ("newton", "lbfgs"):
        ours = lg.LogisticRegression(solver=solver).fit(X, y)
        assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-6)
        assert ours.losses[-1] == pytest.approx(skm.log_loss(y, theirs.predict_proba(X)), abs=1e-6)


@pytest.mark.parametrize("l2", [1e-3, 0.1])
def test_softmax_regression(l2):
    X, y = rows(K=4)
    ours = lg.SoftmaxRegression(l2=l2).fit(X, y)
    theirs = linear_model.LogisticRegression(C=1 / (len(y) * l2), tol=1e-10, max_iter=10_000).fit(X, y)
    assert ours.weights == pytest.approx(theirs.coef_.T, abs=1e-6)
    assert ours.probabilities(X) == pytest.approx(theirs.predict_proba(X), abs=1e-6)
    loss = skm.log_loss(y, theirs.predict_proba(X)) + l2 / 2 * np.sum(theirs.coef_**2)
    assert ours.losses[-1] == pytest.approx(loss, abs=1e-6)


def test_losses():
    X, y = rows(K=3)
    Z = X @ np.random.default_rng(2).normal(size=(5, 3))
    assert losses.cross_entropy(y, Z) == pytest.approx(skm.log_loss(y, losses.softmax(Z)), rel=1e-10)
    b = np.minimum(y, 1)
    assert losses.binary_cross_entropy(b, Z[:, 0]) == pytest.approx(skm.log_loss(b, losses.sigmoid(Z[:, 0])), rel=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_rates_and_curves(seed):
    rng = np.random.default_rng(seed)
    y, y_hat = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    assert (m.confusion_matrix(y, y_hat, 5) == skm.confusion_matrix(y, y_hat, labels=range(5))).all()
    ours = m.precision_recall_f1(y, y_hat, 5)
    theirs = skm.precision_recall_fscore_support(y, y_hat, labels=range(5), zero_division=0)
    for a, b in zip(ours, theirs):
        assert a == pytest.approx(b, rel=1e-14)
    for how in ("macro", "weighted"):
        expected = skm.precision_recall_fscore_support(y, y_hat, labels=range(5), average=how, zero_division=0)[:3]
        assert ours.average(how) == pytest.approx(expected, rel=1e-13)
    b, s = rng.integers(0, 2, 200), rng.integers(0, 30, 200) / 30
    assert m.roc_auc(b, s) == pytest.approx(skm.roc_auc_score(b, s), rel=1e-13)
    assert m.pr_auc(b, s) == pytest.approx(skm.average_precision_score(b, s), rel=1e-13)
    fpr, tpr, thresholds = skm.roc_curve(b, s, drop_intermediate=False)
    curve = m.roc_curve(b, s)
    assert curve.x == pytest.approx(fpr) and curve.y == pytest.approx(tpr)
    assert curve.thresholds[1:] == pytest.approx(thresholds[1:])
    precision, recall, thresholds = skm.precision_recall_curve(b, s)
    curve = m.pr_curve(b, s)
    assert curve.y[::-1] == pytest.approx(precision[:-1]) and curve.x[::-1] == pytest.approx(recall[:-1])
    assert curve.thresholds[::-1] == pytest.approx(thresholds)


def test_calibration_and_intervals():
    from scipy.stats import binomtest
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(0)
    p = rng.random(500)
    y = (rng.random(500) < p).astype(int)
    frequency, confidence = calibration_curve(y, p, n_bins=10)
    bins = m.calibration_bins(y, p, 10)
    assert bins.frequency == pytest.approx(frequency) and bins.confidence == pytest.approx(confidence)
    for k, n in [(0, 7), (3, 7), (7, 7), (431, 452)]:
        theirs = binomtest(k, n).proportion_ci(0.95, method="wilson")
        assert intervals.wilson_interval(k, n, z=1.959963984540054) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    y, a, b = rng.integers(0, 2, (3, 80))
    result = intervals.mcnemar(y, a, b)
    assert result.p_value == pytest.approx(binomtest(result.only_a, result.only_a + result.only_b, 0.5).pvalue, rel=1e-10)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_network_gradients(activation, outputs):
    torch = pytest.importorskip("torch")
    X, y = rows(n=40, K=max(2, outputs))
    net = TwoLayerNetwork(5, 6, outputs, activation, seed=1)
    W1, b1, W2, b2 = (torch.tensor(p, requires_grad=True) for p in (net.W1, net.b1, net.W2, net.b2))
    F = torch.nn.functional
    f = {"relu": F.relu, "gelu": lambda a: F.gelu(a, approximate="tanh"), "tanh": torch.tanh, "identity": lambda a: a}
    Z = f[activation](torch.tensor(X) @ W1 + b1) @ W2 + b2
    if outputs == 1:
        loss = F.binary_cross_entropy_with_logits(Z[:, 0], torch.tensor(y, dtype=torch.float64))
    else:
        loss = F.cross_entropy(Z, torch.tensor(y))
    loss.backward()
    assert net.loss(X, y) == pytest.approx(loss.item(), rel=1e-12)
    for ours, theirs in zip(net.gradients(X, y), (W1, b1, W2, b2)):
        assert ours == pytest.approx(theirs.grad.numpy(), abs=1e-12)
