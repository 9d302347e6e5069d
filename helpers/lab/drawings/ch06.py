"""Drawings of chapter 06. Every function is pure: models and numbers in, (Figure, alt text) or HTML out."""

from __future__ import annotations

import html

import numpy as np

from helpers.evaluation.generated_text import lcs_length
from helpers.generation import generate
from helpers.lab import figures

C = figures.COLORS
LEVELS = ["#bdbdbd", C["sky"], C["blue"], C["green"], C["orange"], C["red"], C["purple"]]  # 1/V, then length 1, 2, ...


def shown(tokenizer, id: int) -> str:
    """A token as a reader can see it: a dot for a leading space, start and end of text in words."""
    if id >= tokenizer.vocab_size:
        return "(start)"
    if id == tokenizer.end_id:
        return "(end)"
    text = tokenizer.token_bytes(id).decode("utf-8", errors="replace")
    text = "·(blank)" if text == " " else "·" + text[1:] if text.startswith(" ") else text
    return text.replace("\n", "(new line)") if len(text) <= 18 else text[:17] + "…"


def _readable(text: str) -> str:
    """Text for a figure: what cannot be seen becomes a question mark."""
    return "".join(c if c.isprintable() else "?" for c in text)


# ----------------------------------------------------------------------------------------- the next word, level by level


def backoff_path(model, tokenizer, text: str, top: int = 10):
    """The likeliest next tokens after `text`, each bar split by the length of context that gave the probability."""
    context = model.begin(tokenizer.encode(text)).context
    steps = model.path(context)
    parts, p = [np.full(model.vocab_size, model.base)], np.full(model.vocab_size, model.base)
    for _k, gamma, _mass, p_k in steps:
        parts = [part * gamma for part in parts] + [p_k - gamma * p]
        p = p_k
    best = np.argsort(-p, kind="stable")[:top]
    fig, (left, right) = figures.new(1, 2, size=(8.4, 0.9 + 0.32 * top), width_ratios=[1.15, 1])
    labels = ["uniform"] + [f"{k - 1} token{'' if k == 2 else 's'} of context" for k, *_ in steps]
    start = np.zeros(len(best))
    for part, label, color in zip(parts, labels, LEVELS):
        right.barh(range(len(best)), part[best], left=start, color=color, label=label, edgecolor="white", linewidth=0.4)
        start += part[best]
    for row, id in enumerate(best):
        figures.label(right, p[id], row, f"{p[id]:.3f}", fontsize=9)
    right.set_yticks(range(len(best)), [_readable(shown(tokenizer, id)) for id in best])
    right.invert_yaxis()
    right.margins(x=0.2)
    right.grid(False, axis="y")
    right.set(xlabel="probability of the next token")
    left.axis("off")
    left.set_xlim(0, 1)
    left.set_ylim(model.order + 0.7, -0.5)
    left.text(0, -0.2, "context", fontweight="bold", fontsize=9.5)
    left.text(0.62, -0.2, "seen", fontweight="bold", fontsize=9.5, ha="right")
    left.text(1.0, -0.2, "handed down", fontweight="bold", fontsize=9.5, ha="right")
    nodes, told = model.counts.nodes(context), []
    for k in range(model.order, 0, -1):
        row = model.order - k + 0.75
        tail = context[len(context) - (k - 1) :]
        words = _readable(" ".join(shown(tokenizer, i) for i in tail)) or "(none)"
        words = words if len(words) <= 27 else "…" + words[-26:]
        left.plot(0.008, row - 0.08, "s", color=LEVELS[k], markersize=7)
        left.text(0.035, row, words, fontsize=9.5)
        total = 0
        if k <= len(nodes):
            _, where = model.counts.following(k, nodes[k - 1])
            total = int(model.counts.levels[k - 1].counts[where].sum())
        gamma = next((g for length, g, *_ in steps if length == k), None) if total else None
        left.text(0.62, row, f"{total:,}" if total else "never", fontsize=9.5, ha="right")
        left.text(1.0, row, "all" if gamma is None else f"{gamma:.0%}", fontsize=9.5, ha="right")
        told.append(f"'{words}' seen {total} times, hands down {'all' if gamma is None else f'{gamma:.0%}'}")
    listed = ", ".join(f"{shown(tokenizer, i)} {p[i]:.3f}" for i in best[:5])
    return fig, f"Contexts from long to short: {'; '.join(told)}. Likeliest next tokens: {listed}."


# --------------------------------------------------------------------------------------------------- curves of scores


def lines(
    series: dict, xlabel: str, ylabel: str, told: str, *, size=(7.0, 3.5), shift: dict | None = None, top: float | None = None
):
    """Several labeled lines. series: name -> (x, y) or (x, y, low, high).

    shift: name -> by how many points its label moves up. top: end of the y axis.
    """
    fig, ax = figures.new(size=size)
    for number, (name, values) in enumerate(series.items()):
        color, style = figures.CYCLE[number % 7], ["-", "--", "-.", ":"][number % 4]
        x, y = (np.asarray(v, dtype=float) for v in values[:2])
        ax.plot(x, y, marker="osD^v"[number % 5], color=color, linestyle=style)
        if len(values) == 4:
            ax.fill_between(x, values[2], values[3], color=color, alpha=0.18, linewidth=0)
        figures.label(ax, x[-1], y[-1], name, color=color, dx=7, dy=(shift or {}).get(name, 0))
    ax.margins(x=0.06)
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.3 * (right - left))
    ends = [x for values in series.values() for x in values[0]]
    ax.set_xticks(range(int(min(ends)), int(max(ends)) + 1))
    if top is not None:
        ax.set_ylim(top=top)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    listed = "; ".join(f"{name}: " + ", ".join(f"{a:g} -> {b:.3g}" for a, b in zip(*v[:2])) for name, v in series.items())
    return fig, f"{told} {listed}."


def discount_panel(grid: dict, order: int, discount: float, score: float, method: str):
    """Held-out bits per byte over the discount, one curve for each order. grid: (order, discount) -> bits per byte."""
    orders, discounts = sorted({o for o, _ in grid}), sorted({d for _, d in grid})
    fig, ax = figures.new(size=(7.0, 3.6))
    lowest = -1e9
    for o in sorted(orders, key=lambda o: grid[o, discounts[-1]]):
        on = o == order
        y = [grid[o, d] for d in discounts]
        color = C["blue"] if on else figures.GREY
        ax.plot(discounts, y, color=color, linewidth=2.6 if on else 1.1, linestyle="-" if on else "--")
        lowest = max(y[-1], lowest + 0.045)  # keeps the labels apart
        figures.label(ax, discounts[-1], lowest, f"order {o}", color=color, dx=6, fontsize=9.5)
    ax.plot(discount, score, "o", color=C["red"], markersize=9, markeredgecolor="white")
    figures.label(ax, discount, score, f"{score:.3f}", color="red", dx=0, dy=13, ha="center")
    ax.set(
        xlabel="discount D",
        ylabel="bits per byte, validation leads",
        xlim=(discounts[0] - 0.02, discounts[-1] + 0.15),
        ylim=(min(grid.values()) - 0.03, min(grid.values()) + 0.9),
    )
    ax.set_title(f"{method}, order {order}, D = {discount:.2f}: {score:.3f} bits per byte")
    now = f"order {order} at D = {discount:.2f} costs {score:.3f}"
    return fig, f"{method}: bits per byte against the discount for orders {orders[0]} to {orders[-1]}; {now}."


def gave_and_got(counts: np.ndarray, held_out: np.ndarray):
    """How often bigrams seen c times in one half occur in the other half, on average."""
    fig, ax = figures.new(size=(6.4, 3.4))
    ax.plot([0, counts[-1]], [0, counts[-1]], color=figures.GREY, linestyle="--", linewidth=1.4)
    figures.label(ax, counts[-1], counts[-1], "no discount", color=figures.GREY, dx=-6, dy=10, ha="right")
    ax.plot(counts, held_out, "o-", color=C["blue"])
    for c, h in zip(counts, held_out):
        figures.label(ax, c, h, f"-{c - h:.2f}", color="blue", dx=7, dy=-9, fontsize=9)
    ax.set(xlabel="count c in the first half", ylabel="mean count in the second half", xlim=(0, counts[-1] + 1))
    told = ", ".join(f"{c}: {h:.2f}" for c, h in zip(counts, held_out))
    return fig, (
        f"Count of a bigram in one half of the leads against its mean count in the other half: {told}. The gap is about one."
    )


# ------------------------------------------------------------------------------------------------- other judges' figures


def lcs_grid(candidate: list[str], reference: list[str]):
    """The table of longest common subsequences with the path of shared words marked."""
    table = lcs_length(candidate, reference)
    fig, ax = figures.new(size=(0.75 * len(reference) + 1.9, 0.36 * len(candidate) + 0.9))
    ax.imshow(table[1:, 1:], cmap="cividis_r", alpha=0.55, aspect="auto")
    i, j, path = len(candidate), len(reference), set()
    while i and j:
        if candidate[i - 1] == reference[j - 1]:
            path.add((i, j))
            i, j = i - 1, j - 1
        elif table[i - 1, j] >= table[i, j - 1]:
            i -= 1
        else:
            j -= 1
    for i in range(1, len(candidate) + 1):
        for j in range(1, len(reference) + 1):
            on = (i, j) in path
            ax.text(
                j - 1,
                i - 1,
                str(table[i, j]),
                ha="center",
                va="center",
                fontsize=10,
                fontweight="bold" if on else "normal",
                bbox={"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": C["red"]} if on else None,
            )
    ax.set_xticks(range(len(reference)), reference)
    ax.set_yticks(range(len(candidate)), candidate)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    common = [candidate[i - 1] for i, _ in sorted(path)]
    told = " ".join(common)
    return fig, f"Grid of candidate words (rows) and reference words (columns); the longest common subsequence is: {told}."


def ratings(history: dict, games: int):
    """Elo ratings as games are played; history: player -> list of ratings after each block of games."""
    fig, ax = figures.new(size=(7.4, 3.8))
    ends = sorted(history, key=lambda name: history[name][-1])
    places, lowest = {}, -1e9
    for name in ends:  # keep the labels apart
        lowest = places[name] = max(history[name][-1], lowest + 85)
    for number, name in enumerate(history):
        values = history[name]
        x = np.linspace(0, games, len(values))
        color = figures.CYCLE[number % 7]
        ax.plot(x, values, color=color, linewidth=1.5, linestyle=["-", "--", "-."][number % 3])
        ax.text(games * 1.015, places[name], f"{name} {values[-1]:.0f}", color=color, va="center", fontsize=9.5)
    ax.set(xlabel="games played", ylabel="rating", xlim=(0, games * 1.5))
    ax.set_xticks(np.linspace(0, games, 5))
    listed = ", ".join(f"{name} {history[name][-1]:.0f}" for name in reversed(ends))
    return fig, f"Elo ratings over {games} games, all from 1500. At the end: {listed}."


# -------------------------------------------------------------------------------------------------------- autocomplete


def completions(model, tokenizer, text: str, n: int = 5) -> list[tuple[str, float]]:
    """The n likeliest ways to go on with `text`: the rest of a word that has been begun, or the next; with probabilities."""
    known = tokenizer.encode(text)
    begun = ""
    if text and not text[-1].isspace():  # the last word may not be finished: take it off and ask what begins like it
        from helpers.tokenizers.plain import pieces

        cut = pieces(text)
        if cut[-1].strip().isalnum():
            begun, known = cut[-1], tokenizer.encode("".join(cut[:-1]))
    elif text.endswith(" "):
        begun, known = " ", tokenizer.encode(text[:-1])
    p = np.exp(model.begin(known).log_probs)
    ids = np.array([i for i in range(257, tokenizer.vocab_size) if tokenizer.words[i - 257].startswith(begun)], dtype=int)
    if len(ids) == 0:
        return []
    share = p[ids] / p[ids].sum()
    best = np.argsort(-share, kind="stable")[:n]
    return [(tokenizer.words[ids[i] - 257][len(begun) :], float(share[i])) for i in best]


def autocomplete(model, tokenizer, text: str, seed: int = 0) -> str:
    """HTML: the likeliest completions of `text` as bars, and three sampled continuations."""
    rows, found = [], completions(model, tokenizer, text)
    for rest, share in found:
        bar = f"<span style='display:inline-block;height:0.8em;width:{1 + 160 * share:.0f}px;background:{C['blue']}'></span>"
        rows.append(
            f"<tr><td style='text-align:left;font-family:monospace;white-space:pre'>{html.escape(text[-30:])}"
            f"<b>{html.escape(rest)}</b></td><td style='text-align:left'>{bar} {share:.2f}</td></tr>"
        )
    if not rows:
        rows = ["<tr><td>no word of the vocabulary begins like this</td></tr>"]
    begun = found and text and not text[-1].isspace()
    known = text + found[0][0] if begun else text.rstrip(" ")  # a begun word is finished first
    written = []
    for k in range(3):
        ids = generate(model, tokenizer.encode(known), max_tokens=16, stop_ids=[tokenizer.end_id], rng=seed * 10 + k).ids
        written.append(f"<li>{html.escape(known)}<i>{html.escape(tokenizer.decode(ids))}</i></li>")
    head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("likeliest completion", "probability"))
    return (
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table><p>Three samples of up to 16 more tokens:</p><ul>{''.join(written)}</ul>"
    )
