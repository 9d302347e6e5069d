"""Drawings of chapter 11: rankings, intervals, chunks. Every function is pure: data in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html as _html
from collections.abc import Mapping, Sequence

import numpy as np

from helpers.evaluation.ranking import average_precision, ndcg, precision_at_k, recall_at_k, reciprocal_rank
from helpers.lab import figures
from helpers.lab.drawings.ch08 import curves

C = figures.COLORS


def intervals(
    rows: Mapping[str, Mapping[str, tuple[float, float, float]]],
    xlabel: str,
    told: str,
    *,
    size=(7.4, 3.2),
    percent: bool = False,
):
    """Dots with 95 % intervals. rows: what was measured -> method -> (value, low, high); methods of one kind share a color."""
    methods = list(dict.fromkeys(m for values in rows.values() for m in values))
    lines = [(name, m) for name, values in rows.items() for m in values]
    fig, ax = figures.new(size=size)
    listed, shown = [], (lambda v: f"{v:.0%}") if percent else (lambda v: f"{v:.3f}")
    for y, (name, m) in enumerate(reversed(lines)):
        value, low, high = rows[name][m]
        color = figures.CYCLE[methods.index(m) % 7] if len(rows) > 1 else C["blue"]
        ax.plot([low, high], [y, y], color=color, linewidth=2)
        ax.plot(value, y, "osD^v"[methods.index(m) % 5] if len(rows) > 1 else "o", color=color)
        figures.label(ax, high, y, shown(value), color=color, dx=6)
        listed.append(f"{name} {m} {shown(value)} ({shown(low)} to {shown(high)})".strip())
    ax.set_yticks(range(len(lines)), [f"{n}  {m}".strip() for n, m in reversed(lines)])
    ax.set_ylim(-0.6, len(lines) - 0.4)
    ax.margins(x=0.1)
    if percent:
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    ax.set(xlabel=xlabel)
    ax.grid(False, axis="y")
    return fig, f"{told} {'; '.join(reversed(listed))}."


def heat(table: np.ndarray, rows: Sequence, cols: Sequence, row_name: str, col_name: str, told: str):
    """A table of numbers as colors with the numbers written in; the best one is framed."""
    fig, ax = figures.new(size=(1.9 + 0.95 * len(cols), 1.1 + 0.5 * len(rows)))
    ax.imshow(table, cmap=figures.MAP, aspect="auto")
    best = np.unravel_index(np.argmax(table), table.shape)
    middle = (table.min() + table.max()) / 2
    for (i, j), v in np.ndenumerate(table):
        ax.text(
            j,
            i,
            f"{v:.3f}",
            ha="center",
            va="center",
            color="black" if v > middle else "white",
            fontweight="bold" if (i, j) == best else "normal",
        )
    ax.set_xticks(range(len(cols)), [f"{c:g}" for c in cols])
    ax.set_yticks(range(len(rows)), [f"{r:g}" for r in rows])
    ax.set(xlabel=col_name, ylabel=row_name)
    ax.grid(False)
    return fig, (
        f"{told} From {table.min():.3f} to {table.max():.3f}; the best is {row_name} = {rows[int(best[0])]:g}, "
        f"{col_name} = {cols[int(best[1])]:g}."
    )


def saturation(k1_values: Sequence[float]):
    """What the n-th occurrence of a word is worth, for several k1, in a document of mean length."""
    tf = np.arange(0, 11)
    fig, ax = figures.new(size=(6.2, 3.2))
    for number, k1 in enumerate(k1_values):
        y = tf * (k1 + 1) / (tf + k1) if k1 else (tf > 0).astype(float)
        ax.plot(tf, y, marker="osD^v"[number % 5], color=figures.CYCLE[number], markersize=4)
        figures.label(ax, 10, y[-1], f"k1 = {k1:g}", color=figures.CYCLE[number], dx=7)
    ax.set_xlim(0, 12.4)
    ax.set(xlabel="occurrences of the word in the document", ylabel="weight")
    ends = ", ".join(f"{k1:g}: {10 * (k1 + 1) / (10 + k1):.2f}" for k1 in k1_values)
    return fig, f"The weight of a word rises with its occurrences and flattens. Ten occurrences for k1 = {ends}; one counts 1."


def tradeoff(points: Mapping[int, Sequence[tuple[float, float, int]]], exact: float):
    """Recall of an approximate index against the share of vectors looked at. points: seed -> (share, recall, n_probe)."""
    fig, ax = figures.new(size=(6.6, 3.4))
    for listed in points.values():
        x, y, _ = zip(*listed)
        ax.plot(x, y, "o-", color=C["blue"], alpha=0.45, linewidth=1.2, markersize=4)
    first = next(iter(points.values()))
    for x, y, probe in first:
        figures.label(ax, x, y, f"{probe}", color="blue", dx=4, dy=-9)
    ax.plot(exact, 1.0, "D", color=C["red"])
    figures.label(ax, exact, 1.0, "exact", color="red", dx=-8, dy=-12, ha="right")
    ax.set(xlabel="share of the vectors that a query is compared with", ylabel="recall of the true ten nearest")
    told = "; ".join(f"{p} cells: {y:.2f} of the true ten at {x:.1%} of the work" for x, y, p in first)
    return fig, f"Recall rises quickly with the number of cells probed, {len(points)} seeds nearly alike. {told}."


def scores_by_kind(scores: Sequence[float], answerable: Sequence[bool], threshold: float, xlabel: str):
    """Each question as a dot at its best score: answerable above, unanswerable below, the threshold as a line."""
    s, y = np.asarray(scores), np.asarray(answerable)
    fig, ax = figures.new(size=(7.0, 2.3))
    for kind, row, color, marker in ((True, 1, "blue", "o"), (False, 0, "red", "X")):
        chosen = s[y == kind]
        ax.plot(chosen, row + 0.12 * np.sin(np.arange(len(chosen)) * 2.4), marker, color=C[color], alpha=0.8)
    ax.axvline(threshold, color="black", linewidth=1.2, linestyle="--")
    figures.label(ax, threshold, 1.42, f"threshold {threshold:.2f}", dx=4)
    ax.set_yticks([0, 1], ["no lead answers it", "a lead answers it"])
    ax.set_ylim(-0.5, 1.6)
    ax.set(xlabel=xlabel)
    ax.grid(False, axis="y")
    return fig, (
        f"Best score of each question. {int(y.sum())} answerable ones from {s[y].min():.2f} to {s[y].max():.2f}, "
        f"{int((~y).sum())} unanswerable ones from {s[~y].min():.2f} to {s[~y].max():.2f}; threshold {threshold:.2f}."
    )


def results_table(query: str, columns: Mapping[str, Sequence[tuple[str, float, str]]], right: str | None = None) -> str:
    """Rankings side by side as HTML. columns: retriever -> (title, score, beginning of the text), best first."""
    e = _html.escape
    cells = []
    for name, rows in columns.items():
        found = "".join(
            f"<li style='margin-bottom: 4px'><b>{e(t)}</b>{' &#10003;' if t == right else ''} <span style='opacity: 0.65'>"
            f"{s:.3f}</span><br><span style='font-size: 0.82em; opacity: 0.8'>{e(text[:90])} …</span></li>"
            for t, s, text in rows
        )
        found = f"<ol style='padding-left: 1.4em; margin: 4px 0'>{found}</ol>" if rows else "<p>Nothing found.</p>"
        cells.append(f"<div style='flex: 1 1 220px; min-width: 200px'><b>{e(name)}</b>{found}</div>")
    return f"<p>Query: <b>{e(query)}</b></p><div style='display: flex; gap: 18px; flex-wrap: wrap'>{''.join(cells)}</div>"


def ranking_card(n_shown: int, first: int, second: int) -> str:
    """A ranking with two relevant documents at the chosen ranks (0: never found), and all metrics of it, as HTML."""
    relevant = {100, 101}
    ranking = list(range(n_shown))
    for document, rank in ((100, first), (101, second)):
        if 1 <= rank <= n_shown and ranking[rank - 1] < 100:
            ranking[rank - 1] = document
    boxes = "".join(
        f"<span style='display:inline-block; width:30px; text-align:center; margin:2px; padding:4px 0; border:1px solid #888; "
        f"background:{C['sky'] if d in relevant else 'white'}; color:black'>{'R' if d in relevant else '-'}</span>"
        for d in ranking
    )
    k = min(3, n_shown)
    rows = [
        (f"precision@{k}", precision_at_k(ranking, relevant, k)),
        (f"recall@{k}", recall_at_k(ranking, relevant, k)),
        ("reciprocal rank", reciprocal_rank(ranking, relevant)),
        ("average precision", average_precision(ranking, relevant)),
        (f"nDCG@{n_shown}", ndcg(ranking, {100: 1.0, 101: 1.0}, n_shown)),
    ]
    table = "".join(f"<tr><td style='text-align:left'>{n}</td><td>{v:.4f}</td></tr>" for n, v in rows)
    return f"<div>{boxes}</div><table>{table}</table><p>R: relevant. Two documents are relevant in all.</p>"


def chunk_sizes(series: Mapping[str, tuple[Sequence[int], Sequence[float]]]):
    """Answers found against words in a chunk, with a tick at each size that was tried. series: name -> (sizes, shares)."""
    fig, alt = curves(
        dict(series),
        "words in a chunk",
        "share of answers in 150 words",
        "Chunk size against answers found.",
        logx=True,
        size=(7.2, 3.6),
    )
    sizes = sorted({s for x, _ in series.values() for s in x})
    fig.axes[0].set_xticks(sizes, labels=[str(s) for s in sizes])
    fig.axes[0].set_xticks([], minor=True)  # the powers of ten of a log axis would stand between the sizes
    return fig, alt


def chunk_view(text: str, chunks: Sequence[tuple[int, int]], limit: int = 1400) -> str:
    """The beginning of a text with its chunks in alternating colors; what lies in two chunks is underlined. HTML."""
    limit = min(limit, len(text))
    inside = np.zeros(limit, dtype=int)
    number = np.full(limit, -1)
    for n, (start, end) in enumerate(chunks):
        inside[start : min(end, limit)] += 1
        number[start : min(end, limit)] = n
    out, at = [], 0
    while at < limit:
        stop = at
        while stop < limit and (inside[stop], number[stop]) == (inside[at], number[at]):
            stop += 1
        color = "#dcebf7" if number[at] % 2 == 0 else "#fbe6cf"
        style = f"background:{color if number[at] >= 0 else 'white'}; color:black"
        style += "; text-decoration:underline" if inside[at] > 1 else ""
        out.append(f"<span style='{style}'>{_html.escape(text[at:stop])}</span>")
        at = stop
    words = [len(text[a:b].split()) for a, b in chunks]
    head = f"<p>{len(chunks)} chunks of {min(words)} to {max(words)} words</p>" if chunks else "<p>no chunk</p>"
    return f"{head}<p style='line-height:1.5'>{''.join(out)}{' …' if limit < len(text) else ''}</p>"
