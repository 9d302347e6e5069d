"""Drawings of chapter 01: each file draws one kind of thing."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    lines: line_and_loss SCALES scaled verdict descent
    graphs: graph
    polynomials: fit_by_hour degree_and_lambda
    """,
)
