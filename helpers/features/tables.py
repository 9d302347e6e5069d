"""Features: numbers made from texts and from other numbers, and the checks that every table of them must pass (chapter 01)."""

from __future__ import annotations

import numpy as np

__all__ = ["Standardizer", "finite_array", "polynomial_features", "two_dimensional"]


def polynomial_features(x: np.ndarray, degree: int) -> np.ndarray:
    """Columns x, x^2, ..., x^degree of one feature.

    Args:
        x: (n,) values of the feature.
        degree: highest power, at least 1.

    Returns:
        (n, degree) float64. There is no column of ones: the intercept b plays that part.

    Raises:
        ValueError: x is not one-dimensional, empty or not finite; degree below 1.
    """
    x = finite_array(x, "x")
    if x.ndim != 1 or x.size == 0:
        raise ValueError(f"x must be a non-empty 1-D array; got shape {x.shape}. Pass one feature, e.g. X[:, 0].")
    if degree != int(degree) or degree < 1:
        raise ValueError(f"degree must be a whole number of at least 1; got {degree!r}. Degree 1 is a line.")
    return x[:, None] ** np.arange(1, int(degree) + 1)


class Standardizer:
    """Subtract the mean and divide by the standard deviation of the data seen by `fit` (and of no other).

    Fit it on the training rows only, then transform training, validation and test rows with it. A column that
    never changes has standard deviation 0; it is only centered, so that nothing is divided by zero.
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
            raise ValueError("Standardizer has not seen data yet. Call fit(X_train) first.")
        X = two_dimensional(X)
        if X.shape[1] != self.mean.size:
            raise ValueError(f"X must have {self.mean.size} columns, as in fit; got {X.shape[1]}. Build it alike.")
        return (X - self.mean) / self.scale

    def fit_transform(self, X: np.ndarray) -> np.ndarray:
        """fit(X), then transform(X): for the training rows."""
        return self.fit(X).transform(X)


# -------------------------------------------------------------------------------------------- checking


def finite_array(values: object, name: str) -> np.ndarray:
    """values as a float64 array; ValueError that names `name` when they are no numbers, NaN or infinite."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold plain numbers in equal rows; numpy says: {error}.") from error
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ValueError(f"{name} must be finite; {bad} of {array.size} values are NaN or infinite. Drop or fix them.")
    return array


def two_dimensional(X: object) -> np.ndarray:
    """X as a float64 array of shape (n, d) with n, d >= 1; ValueError otherwise."""
    X = finite_array(X, "X")
    if X.ndim != 2:
        raise ValueError(f"X must be 2-D, (rows, features); got shape {X.shape}. For one feature write x.reshape(-1, 1).")
    if 0 in X.shape:
        raise ValueError(f"X must have at least one row and one column; got shape {X.shape}.")
    return X
