"""Figures and widget views of chapter 03. Pure functions: each returns (Figure, alt text)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter
from scipy import sparse

from helpers.evaluation import classification
from helpers.lab import figures
from helpers.models.losses import softmax
from helpers.models.naive_bayes import NaiveBayes

C = figures.COLORS
STYLES = (("o", "-", "blue"), ("s", "--", "red"), ("^", ":", "green"), ("D", "-.", "purple"))
PLAIN = FuncFormatter(lambda v, _: f"{v:,.0f}")


def table(X, words: Sequence[str], rows: Sequence[str]):
    """A small matrix of counts as a colored table: one row per text, one column per word."""
    X = np.asarray(X.toarray() if sparse.issparse(X) else X)
    fig, ax = figures.new(size=(7.6, 0.9 + 0.27 * len(X)))
    ax.imshow(X, cmap="Blues", vmin=0, vmax=max(3, X.max()), aspect="auto")
    for i, j in zip(*np.nonzero(X)):
        ax.text(j, i, f"{X[i, j]:g}", ha="center", va="center", fontsize=8.5, color="black" if X[i, j] < 2 else "white")
    ax.set_xticks(range(len(words)), words, rotation=90, fontsize=9)
    ax.set_yticks(range(len(rows)), rows, fontsize=9)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return fig, (
        f"Table of {X.shape[0]} texts (rows) and {X.shape[1]} words (columns); {int((X > 0).sum())} of "
        f"{X.size} cells hold "
        "a count, all others are empty."
    )


def dots(X, rows: int, columns: int):
    """Where the first rows and columns of a sparse matrix are not zero: one dot per stored number."""
    part = sparse.coo_matrix(X[:rows, :columns])
    fig, ax = figures.new(size=(7.2, 3.0))
    ax.plot(part.col, part.row, ".", markersize=1.6, color=C["blue"])
    ax.set_xlim(-3, columns + 3)
    ax.set_ylim(rows + 1, -2)
    ax.grid(False)
    ax.set_xlabel(f"word, by falling count (the first {columns:,} of {X.shape[1]:,})")
    ax.set_ylabel("lead")
    share = part.nnz / (rows * columns)
    return fig, (
        f"One dot for each word that occurs, for {rows} leads and the {columns:,} most frequent words: a "
        f"dense band at the left, "
        f"thinning out to the right; {share:.1%} of the places hold a dot."
    )


def zipf(counts, slope: float, start: float):
    """Count of each word against its rank, both on log scales, with the line start * rank^slope."""
    counts = np.asarray(counts, dtype=float)
    rank = np.arange(1, len(counts) + 1)
    fig, ax = figures.new(size=(7, 3.4))
    ax.loglog(rank, counts, ".", markersize=4, color=C["blue"])
    ends = np.array([1.0, len(counts)])
    ax.loglog(ends, start * ends**slope, "--", color=C["red"])
    figures.label(ax, 60, start * 60**slope, f"slope {slope:.2f}", color="red", dx=12, dy=10)
    figures.label(ax, 1, counts[0], "most frequent word", color="blue", dx=-4, dy=-54)
    figures.label(ax, len(counts) / 2, 1, "words seen once", color="blue", dx=-110, dy=0)
    ax.set_xlabel("rank of the word")
    ax.set_ylabel("times seen")
    return fig, (
        f"Log-log plot of count against rank for {len(counts):,} words: nearly a straight line of slope "
        f"{slope:.2f}, from "
        f"{counts[0]:,.0f} for the first word to steps at 3, 2 and 1 at the far end."
    )


def _end_labels(ax, x: float, ends: list[tuple[float, str, str]], size: float = 9.5) -> None:
    """Names at the right end of curves, from the top down, pushed apart where the ends are close."""
    low, high = ax.get_ylim()
    last = np.inf
    for y, name, color in sorted(ends, reverse=True):
        last = min(y, last - 0.07 * (high - low))
        ax.annotate(
            name,
            (x, last),
            xytext=(9, 0),
            textcoords="offset points",
            color=C[color],
            va="center",
            fontsize=size,
            annotation_clip=False,
        )


def lines(
    x, series: dict, xlabel: str, ylabel: str, *, intervals: dict | None = None, hline: tuple | None = None, logx: bool = True
):
    """Curves over x (one value per curve and x), labelled at their right end.

    intervals: name -> (low, high) bands. hline: (value, "left" or "right", text) of a dotted line.
    """
    x = np.asarray(x, dtype=float)
    fig, ax = figures.new(size=(7.2, 3.6))
    ends = []  # (height, name, color) of the last point of each curve
    for (name, y), (mark, style, color) in zip(series.items(), STYLES):
        if intervals and name in intervals:
            ax.fill_between(x, *intervals[name], color=C[color], alpha=0.15, linewidth=0)
        ax.plot(x, y, style, marker=mark, color=C[color])
        ends.append((float(y[-1]), name, color))
    _end_labels(ax, x[-1], ends)
    if logx:
        ax.set_xscale("log")
        ax.set_xticks(x, [f"{v:,.0f}" for v in x])
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(axis="x", which="minor", length=0)
    if hline:
        value, side, text = hline
        ax.axhline(value, linestyle=":", color="#555555", linewidth=1.4)
        ax.annotate(
            text,
            (x[0 if side == "left" else -1], value),
            xytext=(0, -11),
            textcoords="offset points",
            color="#444444",
            fontsize=9,
            va="center",
            ha=side,
        )
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    told = "; ".join(f"{name}: from {y[0]:.3f} at {x[0]:,.0f} to {y[-1]:.3f} at {x[-1]:,.0f}" for name, y in series.items())
    return fig, f"{ylabel} against {xlabel}. {told}."


def votes(row, words: Sequence[str], weights, bias, classes: Sequence[str], shown: int = 12):
    """One text through a linear classifier: its words, their votes for the three likeliest classes, and the probabilities.

    A vote is value * weight. row: sparse (1, V); weights (V, K).
    """
    row = sparse.csr_matrix(row)
    P = softmax(np.asarray(row @ weights)[0] + bias)
    best = np.argsort(-P)[:3]
    parts = row.data[:, None] * weights[row.indices][:, best]  # (known words, 3)
    order = np.argsort(-np.abs(parts).max(axis=1))[:shown]
    fig, (left, right) = figures.new(1, 2, size=(7.8, 3.9), width_ratios=(1, 1.15))
    rank = np.argsort(P)
    left.barh(range(len(P)), P[rank], color=[C["blue"] if k in best else "#b9c6d1" for k in rank])
    for place, k in enumerate(rank):
        if P[k] >= 0.005:
            left.text(P[k] + 0.02, place, f"{P[k]:.2f}", va="center", fontsize=9)
    left.set_yticks(range(len(P)), [classes[k] for k in rank], fontsize=9)
    left.set_xlim(0, 1.18)
    left.set_xlabel("probability of the topic")
    left.grid(False, axis="y")
    if len(order):
        shown_parts = parts[order]
        top = max(1.0, float(np.abs(shown_parts).max()))
        right.imshow(shown_parts, cmap=figures.SIGNED, vmin=-top, vmax=top, aspect="auto")
        for i, j in np.ndindex(*shown_parts.shape):
            value = shown_parts[i, j]
            color = "white" if abs(value) > 0.6 * top else "black"
            right.text(j, i, f"{value:+.1f}", ha="center", va="center", fontsize=9, color=color)
        right.set_yticks(range(len(order)), [f"{words[row.indices[i]]} ({row.data[i]:.2f})" for i in order], fontsize=9)
        right.set_xticks(range(3), [classes[k].split(" and ")[0] for k in best], fontsize=8.5)
        right.xaxis.tick_top()
        right.tick_params(length=0)
    else:
        right.text(
            0.5,
            0.5,
            "No known word: the vector is zero.\nOnly the biases vote.",
            ha="center",
            va="center",
            transform=right.transAxes,
        )
        right.set_xticks([])
        right.set_yticks([])
    right.grid(False)
    right.spines[:].set_visible(False)
    right.set_xlabel("vote = value in brackets x weight")
    strongest = f"; the strongest word is {words[row.indices[order[0]]]}" if len(order) else ""
    return fig, (
        f"Left: probabilities of the topics, the highest is {classes[best[0]]} with {P[best[0]]:.2f}. Right: votes of "
        f"{len(order)} known words for the three likeliest topics{strongest}."
    )


class VocabularyStudy:
    """Naive Bayes with the most frequent n-grams only, for a slider: accuracy on validation texts by size of the vocabulary.

    pairs: name -> (X_train (n, V), X_valid (m, V)), columns by falling count; y_train, y_valid: class numbers.
    """

    def __init__(self, pairs: dict, y_train, y_valid, sizes=(30, 100, 300, 1000, 3000, 10000, 30000)):
        self.pairs, self.y_train, self.y_valid, self.sizes = pairs, y_train, y_valid, sizes
        self.curves = {name: [self.score(name, size)[0] for size in sizes] for name in pairs}

    def score(self, name: str, size: int) -> tuple[float, float]:
        """(accuracy on the validation texts, share of their n-grams that are in the vocabulary) with `size` columns."""
        X, V = self.pairs[name]
        size = min(int(size), X.shape[1])
        model = NaiveBayes(0.1).fit(X[:, :size], self.y_train)
        small = V[:, :size]
        return classification.accuracy(self.y_valid, model.predict(small)), float(small.sum() / V.sum())

    def draw(self, name: str, size: float):
        """The curves of all kinds of n-grams, and the point of this setting."""
        size = int(min(size, self.pairs[name][0].shape[1]))
        accuracy, known = self.score(name, size)
        fig, ax = figures.new(size=(7.2, 3.6))
        ends = []
        for (kind, curve), (mark, style, color) in zip(self.curves.items(), STYLES):
            chosen = kind == name
            ax.plot(self.sizes, curve, style, marker=mark, markersize=5, color=C[color], alpha=1.0 if chosen else 0.45)
            ends.append((curve[-1], kind, color))
        _end_labels(ax, self.sizes[-1], ends)
        ax.plot(size, accuracy, "*", markersize=17, color=C["black"], zorder=5)
        figures.label(ax, size, accuracy, f"{accuracy:.3f}", dx=-14, dy=-16, weight="bold")
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(PLAIN)
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("columns: the most frequent n-grams")
        ax.set_ylabel("accuracy, validation leads")
        ax.set_title(f"{name}, {size:,} columns: {known:.0%} of the validation n-grams are known")
        return fig, (
            f"Accuracy of naive Bayes against vocabulary size for {', '.join(self.curves)}. With {size:,} "
            f"columns of {name}: "
            f"accuracy {accuracy:.3f}, {known:.0%} of the n-grams of the validation leads are known."
        )


def contingency(labels, y, classes: Sequence[str], names: Sequence[str]):
    """Clusters (rows) against true classes (columns): the count in each cell, shaded by its share of the row."""
    counts = np.zeros((len(names), len(classes)), dtype=int)
    np.add.at(counts, (labels, y), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    fig, ax = figures.new(size=(7.8, 4.6))
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in zip(*np.nonzero(counts)):
        ax.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=8, color="white" if share[i, j] > 0.55 else "black")
    ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right", fontsize=9)
    ax.set_yticks(range(len(names)), names, fontsize=9)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    purity = counts.max(axis=1).sum() / counts.sum()
    return fig, (
        f"Table of {len(names)} clusters against {len(classes)} true topics. Some rows are nearly pure, "
        f"others mix several topics; "
        f"{purity:.0%} of the leads belong to the largest topic of their cluster."
    )
