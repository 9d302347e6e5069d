"""Lab: what makes the code a course: set-up of a notebook, figures, widgets, checks, ladders, progress."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    runtime: budget setup tidy
    figures: show
    checks: check hint solution
    kept: mine
    """,
)
