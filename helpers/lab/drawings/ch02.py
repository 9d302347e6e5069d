"""Figures and widget views of chapter 02. Pure functions: each returns (Figure, alt text)."""

import numpy as np

from helpers.evaluation import classification, intervals
from helpers.lab import figures
from helpers.models.logistic import LogisticRegression
from helpers.models.losses import binary_cross_entropy, sigmoid
from helpers.models.mlp import ACTIVATIONS, TwoLayerNetwork

C = figures.COLORS
TWO = (C["blue"], C["red"])  # class 0, class 1
MARKS = ("o", "^")


def shade(ax, probability, low, high, n=60):
    """Shade the square from ``low`` to ``high`` by probability (points (m, 2) -> (m,)), with the line p = 1/2."""
    a, b = np.linspace(low[0], high[0], n), np.linspace(low[1], high[1], n)
    A, B = np.meshgrid(a, b)
    P = probability(np.column_stack([A.ravel(), B.ravel()])).reshape(A.shape)
    mesh = ax.imshow(
        P,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        aspect="auto",
        cmap=figures.SIGNED,
        vmin=-0.45,
        vmax=1.45,
        interpolation="nearest",
    )
    if P.min() < 0.5 < P.max():
        ax.contour(A, B, P, levels=[0.5], colors="black", linewidths=1.6)
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    ax.grid(False)
    return mesh


def scatter(ax, X, y, size=40):
    """Points of class 0 as circles, of class 1 as triangles."""
    for k in (0, 1):
        ax.scatter(*X[y == k].T, s=size, marker=MARKS[k], color=TWO[k], edgecolor="white", linewidth=0.9, zorder=3)


# ----------------------------------------------------------------------------------------------------- figures of the text


def line_against_curve(x, y, a, b, model):
    """A least-squares line a x + b and a fitted probability curve through the same 0/1 labels of one feature."""
    fig, ax = figures.new(size=(7, 3.3))
    grid = np.linspace(x.min() - 15, x.max() + 15, 200)
    ax.axhline(0, color="#999999", linewidth=0.8)
    ax.axhline(1, color="#999999", linewidth=0.8)
    ax.plot(grid, a * grid + b, "--", color=C["orange"])
    ax.plot(grid, model(grid), color=C["black"])
    for k in (0, 1):
        ax.scatter(x[y == k], y[y == k], marker=MARKS[k], s=55, color=TWO[k], edgecolor="white", zorder=3)
    figures.label(ax, grid[-1], a * grid[-1] + b, "line", color="#8a6100", dx=-34, dy=4)
    figures.label(ax, 57, float(model(np.array([57.0]))[0]), "sigmoid curve", dx=-88, dy=6)
    figures.label(ax, x[y == 0].min(), 0, "ham", color="blue", dx=-34, dy=9)
    figures.label(ax, x[y == 1].min(), 1, "spam", color="red", dx=-40, dy=9)
    ax.set_xlabel("capital letters in the mail")
    ax.set_ylabel("label, or its prediction")
    return fig, (
        "Twelve labels, 0 or 1, against the count of capital letters. A straight line leaves the range from 0 "
        "to 1 at both "
        "ends; the S-shaped sigmoid curve stays inside it."
    )


def losses_and_slopes(loss_sq, loss_ce, slope_sq, slope_ce):
    """Squared error and cross-entropy of one positive example against its score z, and their slopes in z."""
    fig, axes = figures.new(1, 2, size=(7.4, 3.2))
    z = np.linspace(-8, 4, 200)
    for ax, (sq, ce), title in zip(axes, ((loss_sq, loss_ce), (slope_sq, slope_ce)), ("loss", "slope of the loss")):
        ax.plot(z, sq(z), "--", color=C["orange"])
        ax.plot(z, ce(z), color=C["blue"])
        ax.set_title(title)
        ax.set_xlabel("score z (label y = 1)")
    figures.label(axes[0], -5.4, ce_at := float(loss_ce(np.array([-5.4]))[0]), "cross-entropy", color="blue", dx=8, dy=6)
    figures.label(axes[0], -7.8, 1.0, "squared error", color="#8a6100", dx=0, dy=10)
    figures.label(axes[1], -7.8, -1.0, "cross-entropy", color="blue", dx=0, dy=10)
    figures.label(axes[1], -7.8, 0.0, "squared error", color="#8a6100", dx=0, dy=-13)
    axes[0].set_ylim(-0.3, 8.3)
    axes[1].set_ylim(-1.08, 0.08)
    return fig, (
        "Two panels against the score of a positive example. Left: the cross-entropy grows along a straight "
        "line as the "
        f"score becomes wrong (about {ce_at:.1f} at -5.4), the squared error levels off at 1. Right: the slope "
        "of the "
        "cross-entropy goes to -1, the slope of the squared error to 0."
    )


def along_a_line(X, y, start, way):
    """Squared error and cross-entropy of (b, w1, w2) = start + t * way for t from -1 to 1."""
    steps = np.linspace(-1, 1, 301)
    scores = np.column_stack([np.ones(len(X)), X]) @ (np.array(start)[:, None] + np.array(way)[:, None] * steps)
    squared = np.mean((sigmoid(scores) - y[:, None]) ** 2, axis=0)
    entropy = np.mean(np.logaddexp(0, scores) - y[:, None] * scores, axis=0)
    fig, axes = figures.new(1, 2, size=(7.4, 2.9))
    names = ("mean squared error", "mean cross-entropy")
    for ax, values, color, name in zip(axes, (squared, entropy), ("#8a6100", C["blue"]), names):
        ax.plot(steps, values, color=color)
        ax.set_title(name)
        ax.set_xlabel("position t on the path of weights")
    return fig, (
        "The two losses along one straight path through weight space. The squared error has two flat "
        "stretches, a small valley and a hump; the cross-entropy is a single bowl."
    )


def fitted_map(X, y, model, names, standardizer):
    """Points in raw units over the shaded probability of a model on standardized features."""
    fig, ax = figures.new(size=(6.4, 4.0))
    low, high = X.min(axis=0) - 8, X.max(axis=0) + 8
    mesh = shade(ax, lambda P: model.probabilities(standardizer.transform(P)), low, high)
    scatter(ax, X, y, size=70)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    bar = fig.colorbar(mesh, ax=ax, boundaries=np.linspace(0, 1, 101), ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of spam")
    return fig, (
        f"Twelve mails by {names[0]} and {names[1]}: circles (ham) at the lower left, triangles (spam) at the "
        "upper right. "
        "The shading is the probability of spam; a straight black line marks one half."
    )


def confusion(counts, names, size=(5.2, 4.4), title=""):
    """A confusion matrix (K, K), rows = true class, shaded by the share of the row, with its counts."""
    fig, ax = figures.new(size=size)
    _confusion(ax, counts, names, fontsize=13 if len(names) < 4 else 8)
    ax.set_title(title)
    right = np.trace(counts) / counts.sum()
    worst = [(int(counts[i, j]), names[i], names[j]) for i in range(len(names)) for j in range(len(names)) if i != j]
    n, true, given = max(worst)
    return fig, (
        f"Confusion matrix of {len(names)} classes, rows true, columns predicted; {right:.0%} lie on the "
        "diagonal. The most "
        f"frequent mistake: {n} times {true} was called {given}."
    )


def _confusion(ax, counts, names, fontsize=12):
    counts = np.asarray(counts)
    share = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for i in range(len(names)):
        for j in range(len(names)):
            if counts[i, j] or len(names) < 4:
                ax.text(
                    j,
                    i,
                    str(counts[i, j]),
                    ha="center",
                    va="center",
                    fontsize=fontsize,
                    color="white" if share[i, j] > 0.6 else "black",
                )
    turn = dict(rotation=40, ha="right", rotation_mode="anchor") if len(names) > 3 else {}
    ax.set_xticks(range(len(names)), names, **turn)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    ax.grid(False)


def reliability(curves, n_bins=5):
    """Reliability diagrams of several (name, y, p), side by side, with the Wilson interval of each bin."""
    fig, axes = figures.new(1, len(curves), size=(7.6, 3.5), sharey=True)
    told = []
    for ax, (name, y, p) in zip(axes, curves):
        ax.plot([0, 1], [0, 1], "--", color="#888888", linewidth=1.2)
        bins = classification.calibration_bins(y, p, n_bins)
        hits = np.round(bins.frequency * bins.count).astype(int)
        for x, f, k, n in zip(bins.confidence, bins.frequency, hits, bins.count):
            ax.plot([x, x], intervals.wilson_interval(int(k), int(n)), color=C["sky"], linewidth=4, solid_capstyle="butt")
            figures.label(ax, x, f, str(n), dx=8, dy=-8 if f > 0.5 else 9, fontsize=8.5)
        ax.plot(bins.confidence, bins.frequency, "o", color=C["blue"], markersize=7)
        ax.set_title(name)
        ax.set_xlim(-0.05, 1.1)
        ax.set_ylim(-0.05, 1.08)
        pairs = ", ".join(f"{x:.2f} became {f:.2f}" for x, f in zip(bins.confidence, bins.frequency))
        told.append(f"{name}: {pairs}")
    fig.supxlabel("promised: mean probability in the bin", fontsize=10.5)
    axes[0].set_ylabel("came: share of spam")
    return fig, "Reliability diagrams, promised probability against share of spam per bin. " + "; ".join(told) + "."


def activations():
    """ReLU, GELU, tanh and identity with their slopes."""
    fig, axes = figures.new(1, 2, size=(7.4, 3.1))
    a = np.linspace(-3.5, 3.5, 281)
    styles = {"relu": (C["blue"], "-"), "gelu": (C["red"], "--"), "tanh": (C["green"], "-."), "identity": ("#777777", ":")}
    for name, (color, style) in styles.items():
        axes[0].plot(a, ACTIVATIONS[name].f(a), style, color=color, label=name)
        axes[1].plot(a, ACTIVATIONS[name].derivative(a), style, color=color, label=name)
    axes[0].set_ylim(-2, 3.2)
    axes[0].legend(loc="upper left")
    for ax, title in zip(axes, ("the function f(a)", "its slope f'(a)")):
        ax.set_title(title)
        ax.set_xlabel("a")
    return fig, (
        "Left: identity is a straight line; ReLU is 0 for negative a and a line above; GELU is a smooth ReLU "
        "with a small dip; "
        "tanh flattens at -1 and 1. Right: the slopes: 1 for identity, a step for ReLU, a smooth step for GELU, "
        "a bump for tanh."
    )


def seed_spread(groups, chance):
    """Final losses per group (name -> array over seeds), one dot a seed; ``chance`` is the loss of a constant 1/2."""
    fig, ax = figures.new(size=(7, 0.9 + 0.45 * len(groups)))
    rng = np.random.default_rng(0)
    told = []
    for row, (name, losses) in enumerate(groups.items()):
        ax.scatter(losses, row + rng.uniform(-0.14, 0.14, len(losses)), s=42, color=C["blue"], alpha=0.75, edgecolor="white")
        told.append(f"{name}: {np.min(losses):.2f} to {np.max(losses):.2f}")
    ax.axvline(chance, color=C["red"], linestyle="--", linewidth=1.3)
    figures.label(ax, chance, len(groups) - 0.45, "a constant 1/2", color="red", dx=-84)
    ax.set_yticks(range(len(groups)), groups)
    ax.set_ylim(-0.5, len(groups) - 0.3)
    ax.set_xlabel("loss after training (nats), one dot a seed")
    return fig, "Final loss per seed. " + "; ".join(told) + f". A constant one half costs {chance:.2f}."


def newton_against_descent(runs):
    """Loss above the optimum against steps, for several (name, losses)."""
    fig, ax = figures.new(size=(7, 3.3))
    best = min(losses[-1] for _, losses in runs)
    told = []
    for (name, losses), style, color in zip(runs, ("-", "--", "-.", ":"), (C["red"], C["orange"], C["blue"], C["green"])):
        gap = np.maximum(np.array(losses) - best, 1e-13)
        steps = np.arange(1, len(gap) + 1)
        ax.loglog(steps, gap, style, color=color, label=name)
        reached = np.flatnonzero(gap < 1e-6)
        arrives = f"is within 1e-6 after {reached[0]} steps" if len(reached) else f"is not there in {len(gap) - 1} steps"
        told.append(f"{name} {arrives}")
    ax.set_ylim(1e-12, 3)
    ax.legend(loc="upper right")
    ax.set_xlabel("step (logarithmic)")
    ax.set_ylabel("loss above the minimum (nats)")
    return fig, "Loss above its minimum against steps, both logarithmic: " + "; ".join(told) + "."


# ------------------------------------------------------------------------------------------------------------------ widgets


_NUMBER_AT = {0: (-12, -8), 2: (7, -8), 3: (-13, 5), 4: (-12, 4), 9: (-12, -6), 8: (6, 6), 10: (2, 10)}  # so that none overlap


def move_points(X, y, point, x1, x2, w1, w2, b, fit, names=("digits", "capital letters")):
    """Widget 1: twelve standardized points, one of them moved to (x1, x2), and a boundary set by hand or fitted."""
    X = X.copy()
    X[point] = x1, x2
    if fit:
        model = LogisticRegression(l2=0.01, solver="newton").fit(X, y)
        w1, w2, b = *model.weights, model.bias
    w = np.array([w1, w2])
    z = X @ w + b
    each = np.logaddexp(0, z) - y * z
    loss, wrong = binary_cross_entropy(y, z), int(np.sum((z >= 0) != y))
    fig, axes = figures.new(1, 2, size=(7.6, 3.7), width_ratios=[1.5, 1])
    ax = axes[0]
    shade(ax, lambda P: sigmoid(P @ w + b), (-2.6, -2.6), (2.6, 2.6))
    scatter(ax, X, y, size=62)
    ax.scatter(*X[point], s=210, facecolor="none", edgecolor="black", linewidth=1.6, zorder=4)
    for i, (u, v) in enumerate(X):
        dx, dy = _NUMBER_AT.get(i, (6, 6))
        figures.label(ax, u, v, str(i), dx=dx, dy=dy, fontsize=8.5)
    ax.set_xlabel(f"{names[0]} (standardized)")
    ax.set_ylabel(f"{names[1]} (standardized)")
    ax.set_title(f"z = {w1:.2f} x1 {w2:+.2f} x2 {b:+.2f}")
    bars = axes[1]
    bars.barh(range(len(y)), each, color=[TWO[int(k)] for k in y])
    bars.axvline(np.log(2), color="black", linestyle="--", linewidth=1)
    bars.set_yticks(range(len(y)), [f"{i} {'spam' if k else 'ham'}" for i, k in enumerate(y)], fontsize=8.5)
    bars.invert_yaxis()
    bars.set_xlim(0, max(2.0, min(6.0, float(each.max()) * 1.1)))
    bars.set_title(f"loss: mean {loss:.3f}, {wrong} wrong")
    bars.set_xlabel("loss of each mail; dashed: ln 2")
    bars.grid(False, axis="y")
    return fig, (
        f"Map of twelve mails with the boundary {w1:.2f} x1 {w2:+.2f} x2 {b:+.2f} = 0, point {point} at "
        f"({x1:.2f}, {x2:.2f}). "
        f"Mean loss {loss:.3f}, {wrong} of {len(y)} on the wrong side. Bars: the loss of each mail."
    )


def threshold_view(y, p, threshold, log_ratio, curve="ROC"):
    """Widget 2: confusion matrix, four metrics, ROC or PR curve and the cost of a threshold.

    log_ratio: base-10 logarithm of cost of a false alarm / cost of a miss.
    """
    ratio = 10.0**log_ratio
    y_hat = (p >= threshold).astype(int)
    n = classification.binary_counts(y, y_hat)
    precision = n.tp / max(1, n.tp + n.fp)
    recall = n.tp / max(1, n.tp + n.fn)
    values = {
        "accuracy": (n.tp + n.tn) / len(y),
        "precision": precision,
        "recall": recall,
        "F1": 2 * n.tp / max(1, 2 * n.tp + n.fp + n.fn),
    }
    fig, axes = figures.new(2, 2, size=(7.6, 5.6))
    _confusion(axes[0, 0], [[n.tn, n.fp], [n.fn, n.tp]], ["ham", "spam"])
    axes[0, 0].set_title(f"threshold {threshold:.3f}")
    ax = axes[0, 1]
    ax.barh(range(4), list(values.values()), color=C["sky"])
    for row, value in enumerate(values.values()):
        ax.text(min(value + 0.02, 1.02), row, f"{value:.3f}", va="center")
    ax.set_yticks(range(4), list(values))
    ax.set_xlim(0, 1.22)
    ax.set_xticks([0, 0.5, 1])
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax = axes[1, 0]
    if curve == "ROC":
        c, here, area = classification.roc_curve(y, p), (n.fp / max(1, n.fp + n.tn), recall), classification.roc_auc(y, p)
        ax.set_xlabel("false positive rate")
        ax.set_ylabel("recall")
    else:
        c, here, area = classification.pr_curve(y, p), (recall, precision), classification.pr_auc(y, p)
        ax.set_xlabel("recall")
        ax.set_ylabel("precision")
    ax.plot(c.x, c.y, color=C["blue"])
    ax.plot(*here, "D", color=C["red"], markersize=9)
    ax.set_title(f"{curve} curve, area {area:.3f}")
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.06)
    ax = axes[1, 1]
    roc = classification.roc_curve(y, p)
    costs = (ratio * roc.x * (n.fp + n.tn) + (1 - roc.y) * (n.tp + n.fn))[1:]
    t = roc.thresholds[1:]
    best = int(np.argmin(costs))
    now = ratio * n.fp + n.fn
    ax.plot(t, costs, color=C["blue"])
    ax.plot(threshold, now, "D", color=C["red"], markersize=9)
    ax.plot(t[best], costs[best], "*", color=C["green"], markersize=14)
    ax.set_title(f"cost now {now:.0f}, least {costs[best]:.0f} (star)")
    ax.set_yscale("log")
    ax.set_xlabel("threshold")
    ax.set_ylabel("cost in misses")
    told = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
    return fig, (
        f"At threshold {threshold:.3f}: {n.tp} spam caught, {n.fn} missed, {n.fp} false alarms, {n.tn} ham let "
        f"through; {told}. "
        f"A false alarm costs {ratio:.2g} misses: total {now:.0f}, least possible {costs[best]:.0f} at "
        f"{t[best]:.3f}."
    )


def make_points(name, n=160, seed=0):
    """A toy set in the plane: "xor", "circle", "moons" or "spiral". Returns X (n, 2) and y (n,)."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    if name == "xor":
        X = rng.uniform(-1, 1, (n, 2))
        X += 0.12 * np.sign(X)
        y = (X[:, 0] * X[:, 1] < 0).astype(int)
    elif name == "circle":
        r, angle = np.where(y == 1, rng.uniform(0, 0.55, n), rng.uniform(0.75, 1.15, n)), rng.uniform(0, 2 * np.pi, n)
        X = np.column_stack([r * np.cos(angle), r * np.sin(angle)])
    elif name == "moons":
        angle = rng.uniform(0, np.pi, n)
        X = np.column_stack([np.cos(angle), np.sin(angle)])
        X[y == 1] = np.column_stack([1 - np.cos(angle), 0.45 - np.sin(angle)])[y == 1]
        X = (X - [0.5, 0.22]) * 0.7 + rng.normal(0, 0.07, (n, 2))
    elif name == "spiral":
        turn = np.sqrt(rng.uniform(0.03, 1, n)) * 3 * np.pi
        X = np.column_stack([np.cos(turn + np.pi * y), np.sin(turn + np.pi * y)]) * (turn / (3 * np.pi))[:, None]
        X = X * 1.1 + rng.normal(0, 0.02, (n, 2))
    else:
        raise ValueError(f"expected a set out of xor, circle, moons, spiral, got {name!r}")
    return X, y


def playground(data, hidden, activation, rate, steps, seed):
    """Widget 3: train a two-layer network on a toy set and draw its map and its loss curve."""
    X, y = make_points(data)
    net = TwoLayerNetwork(2, hidden, 1, activation, seed=seed)
    note = ""
    try:
        with np.errstate(all="ignore"):
            net.fit(3 * X, y, rate=rate, steps=steps, momentum=0.9)
    except ValueError:  # the loss became infinite
        note = " (diverged)"
    fig, axes = figures.new(1, 2, size=(7.6, 3.6), width_ratios=[1.25, 1])
    with np.errstate(all="ignore"):
        right = float(np.mean(net.predict(3 * X) == y))
    if not note:
        with np.errstate(all="ignore"):  # large weights may overflow inside GELU on the way to a plain 0 or 1
            shade(axes[0], lambda P: net.probabilities(3 * P), (-1.35, -1.35), (1.35, 1.35), n=70)
    scatter(axes[0], X, y, size=26)
    axes[0].set_title(f"{right:.0%} right{note}, {net.n_parameters} parameters")
    axes[0].set_xlabel("x1")
    axes[0].set_ylabel("x2")
    axes[1].plot(net.losses, color=C["blue"])
    axes[1].axhline(np.log(2), color="black", linestyle="--", linewidth=1)
    axes[1].set_ylim(0, max(0.8, min(2.0, max(net.losses))))
    axes[1].set_title(f"loss, at the end {net.losses[-1]:.3f}")
    axes[1].set_xlabel("step (dashed: ln 2)")
    return fig, (
        f"Network with {hidden} hidden {activation} units on the set '{data}', seed {seed}, after "
        f"{len(net.losses)} steps: "
        f"{right:.0%} of the points on the right side, loss {net.losses[-1]:.3f}."
    )
