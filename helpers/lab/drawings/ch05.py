"""Drawings of chapter 05. Every function is pure: numbers and texts in, (Figure, alt text) or an HTML string out."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from helpers.lab import figures
from helpers.tokenizers.bpe import BPE

C = figures.COLORS
# Light backgrounds for black text, so that tokens stay readable on light and dark pages. The gaps carry the borders too.
SHADES = ("#cfe5f5", "#fbe3b3", "#c9ebdd", "#f3d6e6", "#e4e0f3", "#f0efb5")
_TOKEN = (
    "display:inline-block;padding:1px 3px;margin:1px 1px;border:1px solid #8a8a8a;border-radius:3px;color:#000;"
    "background:{shade};font-family:monospace;white-space:pre"
)

Pieces = Sequence[tuple[str, int]]  # a token as it is shown, and its id


# ------------------------------------------------------------------------------------------------ tokens as boxes


def shown(token: bytes) -> str:
    """A token for the eye: · for a space, ⏎ for a new line, hexadecimal bytes where it holds a part of a character."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:
        return "‹" + token.hex(" ").upper() + "›"
    return "".join(
        "·" if c == " " else "⏎" if c == "\n" else "⇥" if c == "\t" else c if c.isprintable() else f"‹{ord(c):02X}›" for c in text
    )


def bpe_pieces(tokenizer: BPE, text: str) -> Pieces:
    """The tokens of a text and their ids, for `boxes` and `side_by_side`."""
    return [(shown(tokenizer.tokens[i]), i) for i in tokenizer.encode(text, errors="ignore")]


def byte_pieces(text: str) -> Pieces:
    """Each byte as a token."""
    return [(shown(bytes([b])), b) for b in text.encode("utf-8")]


def boxes(pieces: Pieces) -> str:
    """Tokens as a row of boxes; neighbors differ in shade, and a pointer over a box shows the id."""
    return "".join(
        f'<span title="id {i}" style="{_TOKEN.format(shade=SHADES[k % len(SHADES)])}">{html.escape(text)}</span>'
        for k, (text, i) in enumerate(pieces)
    )


def side_by_side(text: str, tokenizers: Mapping[str, Callable[[str], Pieces]]) -> str:
    """The same text cut by several tokenizers, with the number of tokens and of bytes a token."""
    size = len(text.encode("utf-8"))
    rows = []
    for name, pieces_of in tokenizers.items():
        pieces = pieces_of(text)
        rate = f"{size / len(pieces):.2f} bytes a token" if pieces else ""
        left = "text-align:left;vertical-align:top"
        rows.append(
            f'<tr><td style="{left};white-space:nowrap"><b>{html.escape(name)}</b><br>{len(pieces)} tokens<br>{rate}</td>'
            f'<td style="{left};line-height:1.9">{boxes(pieces)}</td></tr>'
        )
    head = f"{len(text)} characters, {size} bytes. · is a blank, ⏎ a new line, ‹..› bytes that are only a part of a character."
    table = f'<table style="width:100%;max-width:820px"><tbody>{"".join(rows)}</tbody></table>'
    return f'<p style="font-size:0.9em">{head}</p>{table}'


def merge_steps(words: Mapping[str, int], merges: Sequence[tuple[str, str]], step: int) -> str:
    """Every word after the first ``step`` merges, and the pairs that compete for the next one.

    Args: words word -> count; merges pairs of symbols in the order of learning.
    """
    spelled = {word: list(word) for word in words}
    for pair in merges[:step]:
        for word, symbols in spelled.items():
            spelled[word] = _merged(symbols, pair)
    pairs = Counter()
    for word, symbols in spelled.items():
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += words[word]
    order = {s: i for i, s in enumerate(sorted({s for symbols in spelled.values() for s in symbols}))}
    body = "".join(
        f'<tr><td style="text-align:right">{n} times</td><td style="text-align:left">'
        f"{boxes([(s, order[s]) for s in spelled[word]])}</td></tr>"
        for word, n in words.items()
    )
    done = " ".join(f"{k}. {html.escape(a)}+{html.escape(b)}" for k, (a, b) in enumerate(merges[:step], 1)) or "none yet"
    coming = merges[step] if step < len(merges) else None
    ranked = sorted(pairs.items(), key=lambda item: (item[0] != coming, -item[1]))[:6]
    top = "".join(
        f"<li>{html.escape(a)} + {html.escape(b)}: {n} times{' &larr; next' if (a, b) == coming else ''}</li>"
        for (a, b), n in ranked
    )
    total = sum(words[word] * len(symbols) for word, symbols in spelled.items())
    return (
        f"<p><b>After {step} merges.</b> Merges so far: {done}</p><table><tbody>{body}</tbody></table>"
        f"<p>{total} tokens for {sum(words.values())} words; {len(order)} different tokens in use.</p>"
        f"<p>Pairs of neighbors now:</p><ul>{top or '<li>none: every word is one token</li>'}</ul>"
    )


def _merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    out, i = [], 0
    while i < len(symbols):
        step = 2 if tuple(symbols[i : i + 2]) == pair else 1
        out.append("".join(symbols[i : i + step]))
        i += step
    return out


# ------------------------------------------------------------------------------------------------------- figures


def merge_tree(tokenizer: BPE, word: str):
    """How a word is built from its bytes: each merge as a node, labeled with its rank.

    Raises ValueError for a word of more than one piece or over 40 bytes.
    """
    if len(tokenizer.split(word)) != 1 or len(word.encode("utf-8")) > 40:
        raise ValueError(f"expected one piece of the pre-tokenization with at most 40 bytes, got {word!r}")
    rank = {pair: k for k, pair in reversed(list(enumerate(tokenizer.merges)))}
    nodes = [(bytes([b]), float(x), 0) for x, b in enumerate(word.encode("utf-8"))]  # token, place, height
    fig, ax = figures.new(size=(7.4, 3.8))
    for token, x, y in nodes:
        ax.text(
            x,
            y,
            shown(token),
            ha="center",
            va="center",
            fontsize=12,
            family="DejaVu Sans Mono",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": SHADES[0], "edgecolor": "#666666"},
        )
    told, top = [], 0
    while True:
        known = [(rank[a[0], b[0]], i) for i, (a, b) in enumerate(zip(nodes, nodes[1:])) if (a[0], b[0]) in rank]
        if not known:
            break
        k, i = min(known)
        (left, xl, yl), (right, xr, yr) = nodes[i : i + 2]
        x, y = (xl + xr) / 2, max(yl, yr) + 1
        top = max(top, y)
        for xs, ys in ((xl, yl), (xr, yr)):
            ax.plot([xs, xs, x], [ys, y - 0.4, y], color="#666666", linewidth=1.2, zorder=0)
        nodes[i : i + 2] = [(left + right, x, y)]
        ax.text(
            x,
            y,
            f"{shown(left + right)}\n{k}",
            ha="center",
            va="center",
            fontsize=10,
            family="DejaVu Sans Mono",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": SHADES[1], "edgecolor": "#666666"},
        )
        told.append(f"{shown(left)} + {shown(right)} (rank {k})")
    ax.set(xlim=(-0.8, len(word.encode("utf-8")) - 0.2), ylim=(-0.35, top + 0.4))
    ax.axis("off")
    ends = " ".join(shown(token) for token, _, _ in nodes)
    told = ", ".join(told) or "none"
    return fig, f"Tree of the merges of {word!r}, in the order {told}. It ends as {len(nodes)} tokens: {ends}."


def vocabulary_curve(sizes: Sequence[int], seen: Sequence[float], unseen: Sequence[float]):
    """Tokens a byte against the size of the vocabulary, on training and on held-out text.

    Args: sizes of vocabularies; seen, unseen: tokens a byte on training and on held-out leads.
    """
    fig, ax = figures.new(size=(7.2, 3.6))
    ax.plot(sizes, unseen, "o-", color=C["blue"])
    ax.plot(sizes, seen, "s", color=C["orange"], markersize=12, fillstyle="none", markeredgewidth=1.6)
    figures.label(ax, sizes[1], unseen[1], "dots: held-out leads", color="blue", dx=12, dy=14)
    figures.label(ax, sizes[1], unseen[1], "squares: training leads", color="red", dx=12, dy=28)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [f"{s:,}" for s in sizes])
    ax.set_xlim(sizes[0] * 0.8, sizes[-1] * 1.3)
    ax.set_ylim(0, 1.08)
    ax.set(xlabel="entries in the vocabulary (log scale)", ylabel="tokens per byte")
    told = "; ".join(f"{s:,}: {u:.3f}" for s, u in zip(sizes, unseen))
    return fig, (
        "Tokens per byte against the size of the vocabulary, falling ever more slowly. "
        f"Held-out text, {told}. The values on training text are almost the same, {seen[-1]:.3f} at the end."
    )


def language_price(counts: Mapping[str, Mapping[str, float]]):
    """Tokens a sentence for each language (groups) and tokenizer (bars).

    Args: counts language -> tokenizer -> mean number of tokens a sentence.
    """
    languages = list(counts)
    names = list(next(iter(counts.values())))
    fig, ax = figures.new(size=(7.4, 0.8 + 0.2 * len(languages) * (len(names) + 1)))
    for row, language in enumerate(languages):
        for k, name in enumerate(names):
            x, y = counts[language][name], row * (len(names) + 1) + k
            ax.barh(y, x, height=0.8, color=figures.CYCLE[k % 7])
            ax.annotate(f"{x:.0f}  {name}", (x, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5)
    middle = (len(names) - 1) / 2
    ax.set_yticks([row * (len(names) + 1) + middle for row in range(len(languages))], languages)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.3 * max(max(row.values()) for row in counts.values()))
    ax.set_xlabel("tokens a sentence, or a line of Python (mean of five)")
    ax.grid(False, axis="y")
    told = "; ".join(
        f"{language}: " + ", ".join(f"{name} {x:.1f}" for name, x in row.items()) for language, row in counts.items()
    )
    return fig, f"Mean tokens a sentence by language and tokenizer. {told}."


def token_use(uses: np.ndarray, names: Sequence[str]):
    """How often each id of a vocabulary occurs, from the most to the least used, on logarithmic axes.

    Args: uses (V,) counts of all ids; names (V,) tokens as text.
    """
    order = np.argsort(-uses, kind="stable")
    ranked = uses[order]
    used = ranked[ranked > 0]
    fig, ax = figures.new(size=(7.2, 3.4))
    ax.loglog(np.arange(1, len(used) + 1), used, color=C["blue"])
    for rank in sorted({min(rank, len(used)) for rank in (1, 10, 100, 1000, 3500)}):
        ax.plot(rank, ranked[rank - 1], "o", color=C["red"])
        figures.label(ax, rank, ranked[rank - 1], f"{names[order[rank - 1]]}", dx=5, dy=9, fontsize=9.5)
    ax.set(xlabel="rank of the token (log scale)", ylabel="uses in the training leads", xlim=(0.7, 2.5 * len(uses)))
    ax.set_ylim(0.6, 4 * ranked[0])
    return fig, (
        f"Uses of each token against its rank, on logarithmic axes: {ranked[0]:,} for the first, few at the end; "
        f"{int((uses == 0).sum())} of {len(uses):,} tokens are never used."
    )
