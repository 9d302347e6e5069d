"""L-BFGS for smooth convex functions of very many variables, in plain NumPy (logistic.py uses it on sparse features).

No chapter teaches it. It stays because scipy's L-BFGS-B, which also handles bounds and pays for them at each step, takes 1.4 to
1.7 times as long on chapter 03's leads (220,000 and 330,000 weights, one thread), and ends elsewhere within the same tolerance:
one test lead in 439 changes its topic, and with it a printed accuracy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import daxpy

__all__ = ["minimize"]


def minimize(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    theta: np.ndarray,
    steps: int = 1000,
    tolerance: float = 1e-8,
    memory: int = 10,
) -> tuple[np.ndarray, list[float]]:
    """Minimize objective(theta) -> (loss, gradient) from theta (d,). Returns the last theta and the losses, step by step.

    The inverse curvature is guessed from the last `memory` pairs (change of theta, change of gradient); each step is halved
    until the loss falls enough. Stops when no gradient entry exceeds `tolerance`, or when rounding hides any progress.
    Source: Nocedal, Wright 2006, algorithm 7.4 and section 3.1. Raises ValueError when the loss is not finite at the start.

    >>> theta, losses = minimize(lambda t: (float((t - 5) @ (t - 5)), 2 * (t - 5)), np.array([4.0, 3.0]))
    >>> theta.round(6).tolist(), losses[0]
    ([5.0, 5.0], 5.0)
    """
    theta = np.array(theta, dtype=np.float64)
    loss, gradient = objective(theta)
    if not np.isfinite(loss):
        raise ValueError(f"expected a finite loss at the start, got {loss}; look for NaN or infinity in the data")
    losses, pairs = [loss], deque(maxlen=memory)  # pairs: (s, y, 1 / s.y)
    for _ in range(steps):
        if np.abs(gradient).max() <= tolerance:
            break
        # 1. A direction from the guessed curvature, and a step along it, halved until the loss falls enough.
        direction = _direction(gradient, pairs)
        slope = float(direction @ gradient)
        size = 1.0 if pairs else min(1.0, 1.0 / float(np.linalg.norm(gradient)))
        for _halving in range(40):
            new_theta = theta + size * direction
            new_loss, new_gradient = objective(new_theta)
            if new_loss <= loss + 1e-4 * size * slope:
                break
            size /= 2
        else:
            break  # no step helps: the loss is flat to rounding
        # 2. What this step says about the curvature.
        s, y = size * direction, new_gradient - gradient
        curvature = float(s @ y)
        if curvature > 1e-12 * float(y @ y):
            pairs.append((s, y, 1.0 / curvature))
        theta, loss, gradient = new_theta, new_loss, new_gradient
        losses.append(loss)
    return theta, losses


def _direction(gradient: np.ndarray, pairs: deque) -> np.ndarray:
    """Minus the guessed inverse curvature times the gradient (the two-loop recursion)."""
    q, shares = -gradient, []
    for s, y, rho in reversed(pairs):
        share = rho * float(s @ q)
        q = daxpy(y, q, a=-share)  # q -= share * y, in place: at this size a temporary array costs more than the sum
        shares.append(share)
    if pairs:
        s, y, rho = pairs[-1]
        q /= rho * float(y @ y)
    for (s, y, rho), share in zip(pairs, reversed(shares)):
        q = daxpy(s, q, a=share - rho * float(y @ q))
    return q
