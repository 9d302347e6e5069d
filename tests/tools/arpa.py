"""Write an n-gram model in the ARPA format, so that KenLM can be asked for the same probabilities.

N-grams with start symbols are left out (KenLM knows one start symbol, our models n - 1): compare without begin of sentence.
"""

from pathlib import Path

import numpy as np

from helpers.models.ngram_model import NgramModel


def write(model: NgramModel, path: Path) -> None:
    """Token i is written as the word "wi". Needs a model that uses all lengths from 1 to its order."""
    counts, start, base = model.counts, model.vocab_size, model.vocab_size + 1
    words, p, listed = np.zeros((1, 0), dtype=np.int64), np.array([model.base]), []
    for k in range(1, model.order + 1):
        level = counts.levels[k - 1]
        context = level.keys // base if k > 1 else np.zeros(len(level.keys), dtype=np.int64)
        words = np.column_stack([words[context], level.keys % base])  # (G, k)
        shorter = np.zeros(len(words), dtype=np.int64)  # the node of each k-gram without its first word
        for j in range(k - 1):
            shorter = counts._find(counts.levels[j], shorter, words[:, j + 1])
        p = model.gammas[k - 1][context] * p[shorter] + model.alphas[k - 1]
        real = (words != start).all(axis=1) & ((level.counts > 0) | (k == 1))
        weights = np.ones(len(words))
        if k < model.order:
            upper = counts.levels[k]
            weights[: len(upper.first) - 1] = np.where(np.diff(upper.first) > 0, model.gammas[k], 1.0)
        with np.errstate(divide="ignore"):
            rows = zip(np.log10(p[real]).tolist(), words[real].tolist(), np.log10(weights[real]).tolist())
        listed.append(
            [
                f"{max(a, -99):.9f}\t{' '.join(f'w{i}' for i in w)}" + (f"\t{max(b, -99):.9f}" if k < model.order else "")
                for a, w, b in rows
            ]
        )
    listed[0] = ["-99\t<unk>\t0", "-99\t<s>\t0", "-99\t</s>\t0", *listed[0]]
    head = "\n".join(["\\data\\", *(f"ngram {k}={len(rows)}" for k, rows in enumerate(listed, start=1))])
    body = "".join(f"\n\\{k}-grams:\n" + "\n".join(rows) + "\n" for k, rows in enumerate(listed, start=1))
    path.write_text(f"{head}\n{body}\n\\end\\\n", encoding="utf-8")


def text(ids) -> str:
    """The words of some ids, for KenLM."""
    return " ".join(f"w{i}" for i in ids)
