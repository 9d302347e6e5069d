"""Drawings of chapter 04. Every function is pure: numbers in, (Figure, alt text) out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import NullLocator

from helpers.evaluation.word_similarity import PairScore
from helpers.lab import figures
from helpers.models.word_vectors import Map, WordVectors

C = figures.COLORS
MARKERS = "os^Dv*PX"


def _cells(ax, words: Sequence[str], table: np.ndarray, title: str, form: str, high: float) -> None:
    ax.imshow(np.ma.masked_equal(table, 0), cmap="cividis_r", vmin=0, vmax=high)
    ax.set_xticks(range(len(words)), words, rotation=90, fontsize=8.5)
    ax.set_yticks(range(len(words)), words, fontsize=8.5)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.set_title(title)
    for i, j in zip(*np.nonzero(table)):
        dark = table[i, j] > 0.6 * high
        ax.text(j, i, format(table[i, j], form), ha="center", va="center", fontsize=7, color="white" if dark else "black")


def counts_and_ppmi(words: Sequence[str], counts: np.ndarray, values: np.ndarray):
    """Two tables side by side: co-occurrence counts and PPMI, both (V, V)."""
    fig, (left, right) = figures.new(1, 2, size=(7.6, 4.4))
    fig.set_layout_engine(None)
    fig.subplots_adjust(left=0.09, right=0.99, bottom=0.16, top=0.92, wspace=0.05)
    _cells(left, words, counts, "how often they meet", ".0f", max(counts.max(), 1))
    _cells(right, words, values, "PPMI (nats)", ".1f", max(values.max(), 1e-9))
    right.set_yticklabels([])
    i, j = np.unravel_index(values.argmax(), values.shape)
    return fig, (
        f"Two tables of {len(words)} by {len(words)} words. Left: how often two words meet, at most {counts.max():.0f}. "
        f"Right: PPMI; the largest value is {values.max():.2f}, for {words[int(i)]} and {words[int(j)]}."
    )


def points(words: Sequence[str], xy: np.ndarray, groups: Sequence[str], title: str = ""):
    """Words as labelled points in the plane; each group has its own color and marker. Words on one spot share a label."""
    fig, ax = figures.new(size=(6.6, 3.9))
    names = list(dict.fromkeys(groups))
    for g, name in enumerate(names):
        rows = [i for i, group in enumerate(groups) if group == name]
        ax.plot(*xy[rows].T, MARKERS[g % 8], color=figures.CYCLE[g % 7], label=figures.named(name))
    near, spots = 0.07 * np.ptp(xy, axis=0).max(), []
    for i in range(len(words)):  # words that lie close together share a label
        close = [spot for spot in spots if any(np.hypot(*(xy[j] - xy[i])) < near for j in spot)]
        spots = [spot for spot in spots if spot not in close] + [sum(close, []) + [i]]
    for turn, spot in enumerate(sorted(spots, key=lambda spot: xy[spot, 0].max())):
        text = "\n".join(", ".join(words[i] for i in spot[k : k + 4]) for k in range(0, len(spot), 4))
        figures.label(ax, xy[spot, 0].max(), xy[spot, 1].mean(), text, dx=5, dy=(10, -11)[turn % 2], fontsize=9)
    ax.axhline(0, color="#bbbbbb", linewidth=1)
    ax.axvline(0, color="#bbbbbb", linewidth=1)
    ax.margins(x=0.28, y=0.16)
    ax.set(xlabel="first number", ylabel="second number", title=title)
    ax.legend(fontsize=9)
    told = "; ".join(f"{w} at ({x:.1f}, {y:.1f})" for w, (x, y) in zip(words, xy))
    return fig, f"Words as points in the plane: {told}."


def cosine_histograms(samples: Mapping[str, np.ndarray], xlabel: str = "cosine"):
    """One histogram of cosines per name, one above the other, with the median marked."""
    fig, axes = figures.new(len(samples), 1, size=(6.8, 1.0 + 1.15 * len(samples)), sharex=True, squeeze=False)
    told = []
    for g, (ax, (name, values)) in enumerate(zip(axes[:, 0], samples.items())):
        ax.hist(values, bins=np.linspace(-1, 1, 81), color=figures.CYCLE[g % 7])
        middle = float(np.median(values))
        ax.axvline(middle, color="black", linestyle=":")
        ax.set_title(f"{name}: median {middle:.2f}")
        ax.yaxis.set_major_locator(NullLocator())
        ax.grid(False)
        told.append(f"{name} has median {middle:.2f} and 99 % quantile {np.quantile(values, 0.99):.2f}")
    axes[-1, 0].set(xlabel=xlabel, xlim=(-1, 1))
    return fig, f"Histograms of cosines: {'; '.join(told)}."


def keep_and_noise(counts: np.ndarray, keep: np.ndarray, noises: Mapping[str, np.ndarray], words: Sequence[str]):
    """Left: share of occurrences kept against frequency. Right: noise probability against frequency, per power."""
    fig, (left, right) = figures.new(1, 2, size=(7.6, 3.4))
    f = counts / counts.sum()
    left.semilogx(f, keep, color=C["blue"])
    for word in ("the", "was", "planet"):
        if word in words:
            i = list(words).index(word)
            left.plot(f[i], keep[i], "o", color=C["red"])
            figures.label(
                left, f[i], keep[i], f"{word} {keep[i]:.2f}", color="red", dx=-8, dy=-2 if keep[i] < 1 else 10, ha="right"
            )
    left.set(xlabel="frequency of the word", ylabel="share kept", ylim=(0, 1.2), title="subsampling")
    for g, (name, p) in enumerate(noises.items()):
        right.loglog(f, p, ("-", "--", ":")[g % 3], color=figures.CYCLE[g], label=figures.named(name))
    right.set(xlabel="frequency of the word", ylabel="probability as a negative", title="noise")
    right.legend(fontsize=9)
    the = keep[0]
    return fig, (
        f"Left: subsampling keeps rare words always and the most frequent word in {the:.0%} of its places. Right: noise "
        "probability against word frequency on log scales, flatter for smaller powers."
    )


def training(curves: Mapping[str, Sequence[tuple[int, float]]], chance: float):
    """Loss per pair against words seen, a running mean over 15 readings; the loss at zero vectors as a dotted line."""
    fig, ax = figures.new(size=(6.8, 3.3))
    told = []
    for g, (name, losses) in enumerate(curves.items()):
        words, values = np.array(losses).T
        smooth = np.convolve(values, np.ones(15) / 15, mode="valid")
        at = words[7 : 7 + len(smooth)] / 1e6
        ax.plot(at, smooth, ("-", "--")[g % 2], color=figures.CYCLE[g])
        figures.label(ax, at[-1], smooth[-1], name, color=figures.CYCLE[g], dx=6)
        told.append(f"{name} falls to {smooth[-1]:.2f}")
    ax.axhline(chance, color="black", linestyle=":")
    figures.label(ax, 0, chance, "all vectors zero: (k + 1) ln 2", dx=4, dy=-9, fontsize=9)
    ax.margins(x=0.12)
    ax.set(xlabel="million words seen", ylabel="loss per prediction (nats)")
    return fig, f"Training loss; all vectors zero would cost {chance:.2f}: {'; '.join(told)}."


def agreement(scores: Mapping[str, Mapping[str, Sequence[PairScore]]]):
    """One panel per test set; one row per method, a dot per seed, the interval of the first seed as a line."""
    height = 1.3 + 0.42 * max(len(methods) for methods in scores.values())
    fig, axes = figures.new(1, len(scores), size=(7.6, height), sharey=True, squeeze=False)
    told = []
    for ax, (test, methods) in zip(axes[0], scores.items()):
        for row, (_, seeds) in enumerate(methods.items()):
            ax.plot([seeds[0].low, seeds[0].high], [row, row], color=C["blue"], linewidth=2)
            ax.plot([s.rho for s in seeds], [row] * len(seeds), "o", color=C["red"], markersize=5)
            figures.label(ax, seeds[0].high, row, f"{np.mean([s.rho for s in seeds]):.2f}", dx=6)
        ax.set_yticks(range(len(methods)), list(methods))
        ax.set_ylim(-0.6, len(methods) - 0.4)
        ax.set_xlim(0, 0.8)
        ax.set(xlabel="Spearman's ρ", title=f"{test} ({next(iter(methods.values()))[0].used} pairs)")
        told.append(f"{test}: " + ", ".join(f"{m} {np.mean([s.rho for s in v]):.2f}" for m, v in methods.items()))
    return fig, f"Rank correlation with human scores, 95 % intervals over the pairs. {'; '.join(told)}."


def embedding_map(vectors: WordVectors, shown: Map, query: str, k: int = 10, background: int = 1500):
    """The first words as grey dots on a plane; the query and its k nearest words (in all dimensions) highlighted.

    An unknown query gives the map alone, with words that are spelled alike in the title.
    """
    fig, ax = figures.new(size=(7.2, 4.6))
    fig.set_layout_engine(None)
    fig.subplots_adjust(left=0.115, right=0.98, bottom=0.12, top=0.91)
    xy = shown.coordinates
    ax.plot(*xy[:background].T, ".", color="#c4c4c4", markersize=3)
    query = query.strip().lower()
    ax.set(
        xlabel=f"first component ({shown.explained[0]:.0%} of the variance)",
        ylabel=f"second component ({shown.explained[1]:.0%})",
    )
    if query not in vectors:
        try:
            vectors.id(query)
        except ValueError as error:
            hint = str(error).split("; ")[-1]
        ax.set_title(f"'{query}' is not among the {len(vectors):,} words; {hint}")
        return fig, f"Map of word vectors. The word {query} is unknown; {hint}."
    near = vectors.neighbors(query, k)
    points = xy[[vectors.ids[word] for word in (query, *(n.word for n in near))]]  # (1 + k, 2)
    ax.plot(*points[1:].T, "o", color=C["blue"], markersize=5)
    ax.plot(*points[0], "*", color=C["red"], markersize=15)
    figures.labels(ax, points, [query, *(n.word for n in near)], ["red"] + ["blue"] * len(near))
    ax.set_title(f"{query}: nearest in all {vectors.table.shape[1]} dimensions, shown in 2")
    told = ", ".join(f"{n.word} {n.cosine:.2f}" for n in near)
    return fig, f"Map of {background} words with {query} and its nearest neighbors by cosine: {told}."


def analogy_box(vectors: WordVectors, a: str, b: str, c: str, k: int = 8):
    """Candidates for "a is to b as c is to ...", best first; the query words are drawn in another color and hatched."""
    a, b, c = (w.strip().lower() for w in (a, b, c))
    found = vectors.analogy(a, b, c, k, exclude_query=False)
    fig, ax = figures.new(size=(6.8, 1.1 + 0.33 * k))
    fig.set_layout_engine(None)
    fig.subplots_adjust(left=0.24, right=0.95, bottom=0.15, top=0.85)
    for row, n in enumerate(found):
        own = n.word in (a, b, c)
        face, edge = ("#dddddd", "#777777") if own else (C["blue"], C["blue"])
        ax.barh(row, n.cosine, color=face, edgecolor=edge, hatch="//" if own else None)
        figures.label(ax, n.cosine, row, f"{n.cosine:.2f}" + (" (a query word)" if own else ""), dx=4, fontsize=9)
    ax.set_yticks(range(len(found)), [n.word for n in found])
    ax.invert_yaxis()
    ax.set(xlabel="cosine with b - a + c", xlim=(0, 1.25))
    ax.grid(False, axis="y")
    first = next((n.word for n in found if n.word not in (a, b, c)), "?")
    more = f"\n(without the query words: {first})" if first != found[0].word else ""
    ax.set_title(f"{a} is to {b} as {c} is to: {found[0].word}{more}")
    told = ", ".join(f"{n.word} {n.cosine:.2f}" for n in found)
    return fig, f"Candidates for {a} is to {b} as {c} is to, best first: {told}. Best without the query words: {first}."


def genres(xy: np.ndarray, genre: np.ndarray, names: Sequence[str]):
    """Songs on a plane, colored and marked by the genre that the training never saw."""
    fig, ax = figures.new(size=(6.6, 3.9))
    for g, name in enumerate(names):
        rows = genre == g
        x, y = xy[rows].mean(axis=0)
        ax.plot(*xy[rows].T, MARKERS[g % 8], color=figures.CYCLE[g % 7], markersize=5, alpha=0.7)
        figures.label(
            ax,
            x,
            y,
            name,
            dx=0,
            dy=(-11, 11)[g % 2],
            ha="center",
            fontsize=10,
            fontweight="bold",
            bbox=dict(facecolor="white", edgecolor="none", alpha=0.75, pad=1),
        )
    ax.set(xlabel="first component", ylabel="second component")
    return fig, f"{len(xy)} songs in the plane. The songs of each of the genres {', '.join(names)} lie together."


def leaning(words: Sequence[str], values: np.ndarray, left: str, right: str):
    """Words along one direction: values (seeds, words); a dot at the mean, a line over the range of the seeds."""
    order = np.argsort(values.mean(axis=0))
    fig, ax = figures.new(size=(6.8, 1.1 + 0.24 * len(words)))
    for row, i in enumerate(order):
        mean = values[:, i].mean()
        color = C["red"] if mean < 0 else C["blue"]
        ax.plot([values[:, i].min(), values[:, i].max()], [row, row], color=color, linewidth=2.5, alpha=0.6)
        ax.plot(mean, row, "o" if mean >= 0 else "s", color=color)
    ax.axvline(0, color="black", linewidth=1)
    ax.set_yticks(range(len(words)), [words[i] for i in order], fontsize=9)
    ax.set(xlabel=f"← {left}          cosine with the direction          {right} →")
    ends = f"{words[order[0]]} {values[:, order[0]].mean():.2f}, {words[order[-1]]} {values[:, order[-1]].mean():.2f}"
    return fig, f"Words along the direction from {left} to {right}, dots with the range over {len(values)} seeds; ends: {ends}."


def similarity_table(labels: Sequence[str], S: np.ndarray, split: int, title: str = ""):
    """Cosines of all pairs (n, n) as colored cells; a line after the first `split` rows separates two groups."""
    fig, ax = figures.new(size=(7.4, 4.6))
    fig.set_layout_engine(None)
    fig.subplots_adjust(left=0.42, right=0.98, bottom=0.09, top=0.92)
    ax.imshow(S, cmap="cividis_r", vmin=0.6, vmax=1)
    ax.set_yticks(range(len(labels)), labels, fontsize=8.5)
    ax.set_xticks(range(len(labels)), range(1, len(labels) + 1), fontsize=8.5)
    ax.tick_params(length=0)
    ax.grid(False)
    for i, j in np.ndindex(S.shape):
        ax.text(j, i, f"{S[i, j]:.2f}", ha="center", va="center", fontsize=7.5, color="white" if S[i, j] > 0.8 else "black")
    for line in (ax.axhline, ax.axvline):
        line(split - 0.5, color=C["red"], linewidth=2)
    ax.set_title(title)
    same = np.zeros(S.shape, dtype=bool)
    same[:split, :split] = same[split:, split:] = True
    inside, across = S[same & ~np.eye(len(S), dtype=bool)].mean(), S[~same].mean()
    return fig, f"Cosines of {len(S)} uses of one word in two senses: mean {inside:.2f} within a sense, {across:.2f} across."


def contrastive(curves: Mapping[str, Sequence[float]], before: float):
    """Recall at 1 on held-out pairs after each pass, one line per batch size; the score before training dotted."""
    fig, ax = figures.new(size=(6.6, 3.2))
    told = []
    for g, (name, values) in enumerate(curves.items()):
        ax.plot(range(1, len(values) + 1), values, MARKERS[g] + "-", color=figures.CYCLE[g], markersize=4)
        figures.label(ax, len(values), values[-1], name, color=figures.CYCLE[g], dx=6, dy=(-5, 0, 5)[g % 3])
        told.append(f"{name} ends at {values[-1]:.2f}")
    ax.axhline(before, color="black", linestyle=":")
    figures.label(ax, 1, before, "before training", dx=0, dy=-9, fontsize=9)
    ax.set(xlabel="passes over the pairs", ylabel="share that finds its partner first")
    ax.margins(x=0.18, y=0.15)
    return fig, f"Share of held-out halves whose partner comes first: {before:.2f} before training; {'; '.join(told)}."
