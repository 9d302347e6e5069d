"""Drawings of chapter 02: how good a classifier is. Numbers in, (Figure, alt text) out."""

import numpy as np

from helpers.evaluation import classification, intervals
from helpers.lab import figures

C = figures.COLORS


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
