"""An approximate index: sort the vectors into cells, and search only the cells near the query (an inverted file).

The cells come from k-means on the sphere. A query compares itself with the `n_cells` centers, then with the vectors of the
nearest `n_probe` cells only. What lies in another cell is missed: recall is traded for speed. Source: Jégou et al. 2011.
"""

from __future__ import annotations

import numpy as np

from helpers.features.clustering import spherical_k_means
from helpers.retrieval.bm25 import Hit, top_hits

__all__ = ["IVF"]


class IVF:
    """An inverted file over unit vectors (n, C).

    n_cells: about the square root of n balances the two steps. `n_probe` may be changed at any time: with all cells probed the
    result is that of exact search.

    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]])
    >>> index = IVF(vectors, n_cells=2, n_probe=2)
    >>> [hit.index for hit in index.search([0.0, 1.0], k=2)], index.compared([0.0, 1.0])
    ([2, 3], 6)
    """

    def __init__(self, vectors: np.ndarray, n_cells: int = 100, n_probe: int = 5, steps: int = 10, seed: int = 0):
        vectors = np.asarray(vectors, dtype=np.float32)
        self.centers, cell = spherical_k_means(vectors, n_cells, steps, seed)
        self.order = np.argsort(cell, kind="stable")  # document numbers, cell by cell
        self.starts = np.searchsorted(cell[self.order], np.arange(n_cells + 1))
        self.vectors = vectors[self.order]  # so that a cell is one block of memory
        self.n_probe = n_probe

    def __len__(self) -> int:
        return len(self.order)

    def search(self, query: np.ndarray, k: int = 10, n_probe: int | None = None) -> list[Hit]:
        """The k nearest among the probed cells, nearest first; fewer when these hold fewer. Raises ValueError for n_probe < 1."""
        n_probe = self.n_probe if n_probe is None else n_probe
        if n_probe < 1:
            raise ValueError(f"expected n_probe of at least 1, got {n_probe}")
        query = np.asarray(query, dtype=np.float32)
        cells = [hit.index for hit in top_hits(self.centers @ query, n_probe)]
        blocks = [slice(self.starts[c], self.starts[c + 1]) for c in cells]
        numbers = np.concatenate([self.order[b] for b in blocks])
        scores = np.concatenate([self.vectors[b] @ query for b in blocks])
        by_number = np.argsort(numbers)  # so that ties go by number
        return [Hit(int(numbers[by_number[h.index]]), h.score) for h in top_hits(scores[by_number], k)]

    def compared(self, query: np.ndarray, n_probe: int | None = None) -> int:
        """How many dot products a search costs: all centers, and the vectors of the probed cells."""
        n_probe = self.n_probe if n_probe is None else n_probe
        cells = [h.index for h in top_hits(self.centers @ np.asarray(query, dtype=np.float32), n_probe)]
        return len(self.centers) + int(sum(self.starts[c + 1] - self.starts[c] for c in cells))
