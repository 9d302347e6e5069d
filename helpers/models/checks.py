"""What the models of chapters 01 to 04 ask of their features, targets, labels and settings."""

from __future__ import annotations

import numpy as np

from helpers.features.checks import MOST_CLASSES, finite_array, numbers, two_dimensional

__all__ = ["at_least_one", "binary_labels", "class_labels", "finite_features", "features_and_targets", "same_rows", "same_shape"]

_LARGEST = 2**62  # whole numbers beyond fit into no index


def features_and_targets(X: object, y: object, one_target: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d) and y (n,), or (n, k) unless one_target, as finite float64 arrays of equally many rows; ValueError otherwise.

    >>> [values.shape for values in features_and_targets([[1], [2]], [3, 4])]
    [(2, 1), (2,)]
    """
    X, y = two_dimensional(X), finite_array(y, "y")
    if len(y.shape) not in ((1,) if one_target else (1, 2)):
        wanted = "(n,)" if one_target else "(n,) or (n, k)"
        raise ValueError(f"expected y of shape {wanted}, got {y.shape}; for one target write y.ravel()")
    if len(X) != len(y):
        raise ValueError(f"expected equally many rows of X and y, got {len(X)} and {len(y)}; check what was dropped")
    return X, y


def same_shape(y: object, y_hat: object) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions as float64 arrays of one shape with at least one value; ValueError otherwise.

    >>> [values.tolist() for values in same_shape([1, 2], [1, 3])]
    [[1.0, 2.0], [1.0, 3.0]]
    """
    y, y_hat = finite_array(y, "y"), finite_array(y_hat, "y_hat")
    if y.shape != y_hat.shape:
        raise ValueError(
            f"expected y and y_hat of one shape, got {y.shape} and {y_hat.shape}; mixing (n,) with (n, 1) would compare every "
            "pair: write .ravel()"
        )
    if y.size == 0:
        raise ValueError("expected at least one value, got none; an error has no mean over nothing")
    return y, y_hat


def finite_features(X):
    """X (n, D), dense or scipy.sparse, with finite numbers; ValueError otherwise.

    >>> finite_features([[1, 2]]).tolist()
    [[1.0, 2.0]]
    """
    if hasattr(X, "tocsr"):  # a scipy.sparse matrix: only its stored values are checked
        X = X.tocsr()
        values = X.data
    else:
        X = values = numbers(X, "features")
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"expected features of shape (n, D) with n, D >= 1, got {X.shape}; use X[:, None] for one feature")
    if not np.isfinite(values).all():
        raise ValueError("expected finite features, got NaN or infinity; remove or repair these rows first")
    return X


def binary_labels(y: np.ndarray) -> np.ndarray:
    """Labels (n,) in {0, 1} as float64; ValueError otherwise.

    >>> binary_labels([True, False]).tolist()
    [1.0, 0.0]
    """
    y = _labels(y)
    if y.dtype.kind not in "biuf" or not ((y == 0) | (y == 1)).all():
        shown = list(dict.fromkeys(y.tolist()))[:5]
        raise ValueError(f"expected labels 0 or 1, got {shown}; recode them, say with (y == 'spam')")
    return y.astype(np.float64)


def _labels(y: object) -> np.ndarray:
    try:
        y = np.asarray(y)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"expected labels of shape (n,), got a {type(y).__name__} with rows of different lengths") from None
    if y.ndim != 1 or len(y) == 0:
        raise ValueError(f"expected labels of shape (n,) with n >= 1, got {y.shape}")
    return y


def class_labels(y: np.ndarray, n_classes: int | None) -> np.ndarray:
    """Whole class numbers (n,) in 0..n_classes - 1 (None: any from 0); ValueError otherwise.

    >>> class_labels([0, 2, 1], 3).tolist()
    [0, 2, 1]
    """
    y = _labels(y)
    if n_classes is not None:
        at_least_one(n_classes=n_classes)
    if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= (n_classes or MOST_CLASSES):
        shown = [y.min(), y.max()] if y.dtype.kind in "biuf" else y[:2].tolist()
        upper = "K-1" if n_classes is None else n_classes - 1
        raise ValueError(
            f"expected whole class numbers 0..{upper}, got {y.dtype} {np.asarray(shown).tolist()}; "
            "number the classes from 0 and convert them with .astype(int)"
        )
    return y


def same_rows(X, y: np.ndarray) -> None:
    """Nothing, where X and y have equally many rows; ValueError otherwise.

    >>> same_rows(np.zeros((2, 3)), np.zeros(2))
    """
    if not getattr(X, "shape", ()) or not hasattr(y, "__len__"):
        raise TypeError(f"expected a table of features and its labels, got {type(X).__name__} and {type(y).__name__}")
    if X.shape[0] != len(y):
        raise ValueError(f"expected one label per row, got {X.shape[0]} rows and {len(y)} labels; find the lost row first")


def at_least_one(**values: int) -> None:
    """Nothing, where every value is a whole number >= 1; else TypeError or ValueError that names it.

    >>> at_least_one(window=5, dim=100)
    """
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"expected a whole number for {name}, got {value!r}")
        if value < 1:
            raise ValueError(f"expected {name} >= 1, got {value}")
        if value > _LARGEST:
            raise ValueError(f"expected {name} of at most 2**62, got {value}")
