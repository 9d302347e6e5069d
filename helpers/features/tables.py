"""Features made from other numbers: powers, and columns on one scale (chapter 01)."""

from __future__ import annotations

import numpy as np

from helpers.features.checks import finite_array, two_dimensional

__all__ = ["Standardizer", "polynomial_features"]


def polynomial_features(x: np.ndarray, degree: int) -> np.ndarray:
    """Columns x, x^2, ..., x^degree of one feature x (n,): shape (n, degree). No column of ones: the intercept b plays that part.

    Raises ValueError when x is not one-dimensional, empty or not finite, or for a degree below 1.

    >>> polynomial_features([2.0, 3.0], 3).tolist()
    [[2.0, 4.0, 8.0], [3.0, 9.0, 27.0]]
    """
    x = finite_array(x, "x")
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"expected x as a non-empty 1-D array, got shape {x.shape}; pass one feature, say X[:, 0]")
    if degree != int(degree) or degree < 1:
        raise ValueError(f"expected degree as a whole number of at least 1, got {degree!r}; degree 1 is a line")
    return x[:, None] ** np.arange(1, int(degree) + 1)


class Standardizer:
    """Subtract the mean and divide by the standard deviation of the data seen by `fit` (and of no other).

    Fit it on the training rows only, then transform training, validation and test rows with it. A column that
    never changes has standard deviation 0; it is only centered, so that nothing is divided by zero.

    >>> scaler = Standardizer().fit([[1.0, 5.0], [3.0, 5.0]])
    >>> scaler.transform([[1.0, 5.0], [4.0, 6.0]]).tolist()
    [[-1.0, 0.0], [2.0, 1.0]]
    """

    mean: np.ndarray | None = None  # (d,)
    scale: np.ndarray | None = None  # (d,)

    def fit(self, X: np.ndarray) -> Standardizer:
        """Learn mean and standard deviation of each column of X (n, d); returns self. ValueError on bad X."""
        X = two_dimensional(X)
        self.mean = X.mean(axis=0)
        std = X.std(axis=0)
        self.scale = np.where(std <= 1e-12 * np.abs(self.mean), 1.0, std)  # constant up to rounding
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return (X - mean) / scale, shape (n, d). ValueError before `fit` or when d differs."""
        if self.mean is None:
            raise ValueError("expected a Standardizer that has seen data, got a new one; call fit(X_train) first")
        X = two_dimensional(X)
        if X.shape[1] != self.mean.size:
            raise ValueError(f"expected X with {self.mean.size} columns, as in fit, got {X.shape[1]}; build it alike")
        return (X - self.mean) / self.scale

    def fit_transform(self, X: np.ndarray) -> np.ndarray:
        """fit(X), then transform(X): for the training rows."""
        return self.fit(X).transform(X)
