"""Drawings of chapter 08 that show who looks at whom, and where. Pure: numbers in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html
import math
import textwrap

import numpy as np

from helpers.lab import figures

C = figures.COLORS
MASKS = ("causal", "both ways", "window of 3", "prefix, then causal", "two documents", "upside down")


def shown(text: str) -> str:
    """A token for a figure: a dot for a leading space, what cannot be seen as a question mark."""
    text = "·" + text[1:] if text.startswith(" ") else text
    text = text.replace("\n", "↵")
    return "".join(c if c.isprintable() else "?" for c in text) or "(empty)"


def weights(matrix, tokens: list[str], told: str, *, titles: list[str] | None = None, digits: int = 2):
    """One or several small attention maps with their numbers: rows look, columns are looked at. matrix: (T, T) or (n, T, T)."""
    maps = np.atleast_3d(np.asarray(matrix, dtype=float)) if np.ndim(matrix) == 3 else np.asarray(matrix, dtype=float)[None]
    fig, axes = figures.new(1, len(maps), size=(0.9 + 3.0 * len(maps), 3.0), squeeze=False)
    names = [shown(t) for t in tokens]
    for number, (ax, a) in enumerate(zip(axes.flat, maps)):
        ax.imshow(a, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(a.shape):
            color = "white" if a[i, j] > 0.6 else "black"
            ax.text(j, i, f"{a[i, j]:.{digits}f}", ha="center", va="center", fontsize=9, color=color)
        ax.set_xticks(range(len(names)), names, rotation=35, ha="right")
        ax.set_yticks(range(len(names)), names if number == 0 else [])
        ax.grid(False)
        ax.set_title(titles[number] if titles else "")
    strongest = []
    for n, a in enumerate(maps):
        most = ", ".join(f"{names[i]} looks most at {names[int(row.argmax())]} ({row.max():.2f})" for i, row in enumerate(a))
        strongest.append(f"{titles[n]}: {most}" if titles else most)
    return fig, f"{told} {'; '.join(strongest)}."


def mask_of(kind: str, T: int) -> np.ndarray:
    """(T, T) True where the token of the row may look at the token of the column, for one of MASKS."""
    i, j = np.indices((T, T))
    half = T // 2
    masks = {
        "causal": j <= i,
        "both ways": i >= 0,
        "window of 3": (j <= i) & (j > i - 3),
        "upside down": j >= i,
        "prefix, then causal": (j <= i) | (j < half),
        "two documents": (j <= i) & ((i < half) == (j < half)),
    }
    if kind not in masks:
        raise ValueError(f"expected one of {', '.join(MASKS)}, got {kind!r}")
    return masks[kind]


VERDICT = {
    "causal": "decoder-only (GPT, Llama, SmolLM2): every position can be asked for the next token at once.",
    "both ways": "encoder-only (BERT): good for reading a whole text; it cannot be asked for the next token, since it sees it.",
    "window of 3": "local attention: causal, and only the last three; the cost no longer grows with the square of the length.",
    "prefix, then causal": "as in an encoder-decoder (T5): the prompt is read both ways, the answer written left to right.",
    "two documents": "packed documents with a border: causal, and nobody looks into the document before.",
    "upside down": "the famous mistake: each token sees itself and what FOLLOWS. Training looks splendid, writing fails.",
}


def mask_editor(kind: str, row: int, tokens: list[str]):
    """A mask as a grid, one token's view marked, and in words which kind of model it makes."""
    mask, T = mask_of(kind, len(tokens)), len(tokens)
    row = min(row, T - 1)
    fig, (ax, side) = figures.new(1, 2, size=(8.6, 3.9), width_ratios=[1.2, 1])
    names = [shown(t) for t in tokens]
    for i, j in np.ndindex(mask.shape):
        color = (C["red"] if i == row else C["blue"]) if mask[i, j] else "#eeeeee"
        ax.add_patch(_square(j, i, color))
        ink = "white" if mask[i, j] else "#777777"
        ax.text(j, i, "1" if mask[i, j] else "0", ha="center", va="center", fontsize=9, color=ink)
    ax.set_xlim(-0.5, T - 0.5)
    ax.set_ylim(T - 0.5, -0.5)
    ax.set_aspect("equal")
    ax.set_xticks(range(T), names, rotation=40, ha="right")
    ax.set_yticks(range(T), names)
    ax.set(xlabel="looked at", ylabel="looks")
    ax.grid(False)
    side.axis("off")
    seen = [names[j] for j in range(T) if mask[row, j]]
    ahead = bool(np.triu(mask, 1).any())
    lines = [
        f"'{names[row]}' may look at:",
        *textwrap.wrap(" ".join(seen), 34),
        "",
        f"{int(mask.sum())} of {T * T} pairs allowed",
        "a token can see a later one: " + ("YES" if ahead else "no"),
        "",
        *textwrap.wrap(VERDICT[kind], 38),
    ]
    side.text(0, 0.95, "\n".join(lines), va="top", fontsize=10.5, linespacing=1.4)
    return fig, (
        f"Mask '{kind}': {names[row]} may look at {', '.join(seen)}. {int(mask.sum())} of {T * T} pairs are allowed. "
        f"{VERDICT[kind]}"
    )


def _square(x, y, color):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, color=color, linewidth=0)


def rope_dial(query_at: int, key_at: int, dim: int = 8, base: float = 10_000.0):
    """Each pair of channels as a dial with the query's and the key's hand, and the score over the distance."""
    pairs = dim // 2
    frequencies = base ** (-2 * np.arange(pairs) / dim)
    fig, axes = figures.new(1, pairs + 1, size=(9.0, 2.5), width_ratios=[1] * pairs + [2.1])
    for i, ax in enumerate(axes[:-1]):
        turn = np.linspace(0, 2 * math.pi, 80)
        ax.plot(np.cos(turn), np.sin(turn), color="#bbbbbb", linewidth=1)
        for position, color, name, out in ((query_at, C["red"], "q", 1.75), (key_at, C["blue"], "k", 1.3)):
            a = position * frequencies[i]
            ax.annotate("", (math.cos(a), math.sin(a)), (0, 0), arrowprops=dict(arrowstyle="->", color=color, linewidth=2))
            ax.text(out * math.cos(a), out * math.sin(a), name, color=color, ha="center", va="center")
        ax.set_xlim(-2.0, 2.0)
        ax.set_ylim(-2.0, 2.0)
        ax.set_aspect("equal")
        ax.axis("off")
        ax.set_title(f"pair {i}", loc="center")
    score = lambda distance: np.cos(np.multiply.outer(distance, frequencies)).sum(-1)  # noqa: E731
    distances, right = np.arange(0, 65), axes[-1]
    right.plot(distances, score(distances), color=C["green"])
    apart = abs(query_at - key_at)
    right.plot(apart, score(apart), "o", color=C["red"], markersize=9)
    figures.label(right, apart, float(score(apart)), f"{score(apart):.2f}", dx=8, dy=8)
    right.set(xlabel="distance of the two positions", ylabel="score")
    return fig, (
        f"Query at position {query_at}, key at {key_at}: the hands of pair 0 turn by 1 radian a position, later pairs "
        f"more slowly. Their score is {score(apart):.2f}, and depends on the distance {apart} only."
    )


def attention_view(maps: np.ndarray, tokens: list[str], layer: int, head: int, token: int):
    """One head of one layer as a map, and what one token looks at as bars. maps: (layers, heads, T, T)."""
    token = min(token, len(tokens) - 1)
    a, names = maps[layer, head], [shown(t) for t in tokens]
    fig, (left, right) = figures.new(1, 2, size=(9.0, 0.9 + 0.27 * len(tokens)), width_ratios=[1.1, 1])
    left.imshow(a, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    left.axhline(token - 0.5, color=C["red"], linewidth=1)
    left.axhline(token + 0.5, color=C["red"], linewidth=1)
    left.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8.5)
    left.set_yticks(range(len(names)), names, fontsize=8.5)
    left.grid(False)
    left.set_title(f"layer {layer}, head {head}: rows look at columns")
    right.barh(range(len(names)), a[token], color=[C["red"] if j == token else C["blue"] for j in range(len(names))])
    right.set_yticks(range(len(names)), names, fontsize=8.5)
    right.invert_yaxis()
    right.set_xlim(0, 1)
    right.grid(False, axis="y")
    right.set_title(f"what '{names[token]}' takes")
    best = np.argsort(-a[token])[:3]
    return fig, (
        f"Layer {layer}, head {head}. The token '{names[token]}' looks most at "
        + ", ".join(f"'{names[j]}' ({a[token, j]:.2f})" for j in best)
        + "."
    )


def logit_lens(words: list[list[str]], probabilities: np.ndarray, rows: list[str], columns: list[str]):
    """What would be predicted after each layer: words (rows x columns) and how probable they are."""
    R, K = probabilities.shape
    fig, ax = figures.new(size=(1.6 + 1.0 * K, 0.9 + 0.3 * R))
    ax.imshow(probabilities, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(R, K):
        text = shown(words[i][j])
        ax.text(
            j,
            i,
            text if len(text) < 12 else text[:10] + "…",
            ha="center",
            va="center",
            fontsize=8.5,
            color="white" if probabilities[i, j] > 0.6 else "black",
        )
    ax.set_yticks(range(R), rows)
    ax.set_xticks(range(K), [shown(c) for c in columns])
    ax.xaxis.tick_top()
    ax.grid(False)
    listed = "; ".join(f"{rows[i]} '{shown(words[i][-1])}' ({probabilities[i, -1]:.2f})" for i in range(R))
    return fig, f"The likeliest next token after each layer. At the last position: {listed}."


def next_tokens(tokens: list[str], probabilities, pieces: list[str]) -> str:
    """The likeliest next tokens as an HTML table with bars, under the text cut into its tokens."""
    cells = "".join(
        f"<span style='border:1px solid #999; padding:1px 3px; margin:1px; white-space:pre'>{html.escape(p)}</span>"
        for p in pieces
    )
    left = "style='text-align:left; white-space:pre'"
    rows = "".join(
        f"<tr><td {left}><code>{html.escape(repr(t)[1:-1])}</code></td><td style='text-align:right'>{p:.3f}</td>"
        f"<td style='text-align:left; min-width:210px'><div style='background:{C['blue']}; height:11px; width:"
        f"{max(1, round(200 * float(p)))}px'></div></td></tr>"
        for t, p in zip(tokens, probabilities)
    )
    head = f"<tr><th {left}>next token</th><th>probability</th><th></th></tr>"
    return f"<p>{cells}</p><table><thead>{head}</thead><tbody>{rows}</tbody></table>"
