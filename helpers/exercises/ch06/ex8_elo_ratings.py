"""Exercise 6.8, Elo from a list of wins: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def elo_ratings(players, games, k):
    """Ratings after all games: a dictionary. Everybody starts at 1500. games: pairs (winner, loser), in order; k: the step."""
    ratings = {player: 1500.0 for player in players}
    for winner, loser in games:
        expected = 1 / (1 + 10 ** ((ratings[loser] - ratings[winner]) / 400))
        ratings[winner] += k * (1 - expected)
        ratings[loser] -= k * (1 - expected)
    return ratings


def _elo(players, games, k, gain):
    ratings = {player: 1500.0 for player in players}
    for winner, loser in games:
        up, down = gain(ratings[winner], ratings[loser], k)
        ratings[winner] += up
        ratings[loser] -= down
    return ratings


def elo_base_e(players, games, k):
    def gain(a, b, k):
        g = k * (1 - 1 / (1 + np.exp((b - a) / 400)))
        return g, g

    return _elo(players, games, k, gain)


def elo_winner_only(players, games, k):
    return _elo(players, games, k, lambda a, b, k: (k * (1 - 1 / (1 + 10 ** ((b - a) / 400))), 0.0))


def elo_whole_step(players, games, k):
    return _elo(players, games, k, lambda a, b, k: (k, k))


def elo_wrong_way_round(players, games, k):
    def gain(a, b, k):
        g = k * (1 - 1 / (1 + 10 ** ((a - b) / 400)))
        return g, g

    return _elo(players, games, k, gain)


def elo_after_the_winner(players, games, k):
    def gain(a, b, k):
        up = k * (1 - 1 / (1 + 10 ** ((b - a) / 400)))
        return up, k * (1 - 1 / (1 + 10 ** ((b - a - up) / 400)))

    return _elo(players, games, k, gain)


def elo_only_who_played(players, games, k):
    return {player: r for player, r in elo_ratings(players, games, k).items() if any(player in game for game in games)}


def elo_from_the_start(players, games, k):
    ratings = {player: 1500.0 for player in players}
    for winner, loser in games:
        ratings[winner] += k / 2
        ratings[loser] -= k / 2
    return ratings


def elo_k_of_32(players, games, k):
    return elo_ratings(players, games, 32)


def draw_elo_ratings(rng: np.random.Generator) -> tuple:
    games = [tuple(rng.permutation(["A", "B", "C"])[:2].tolist()) for _ in range(int(rng.integers(4, 8)))]
    return ["A", "B", "C"], games, float(rng.integers(8, 50))


def check_elo(t: Trial) -> None:
    cases = [
        (["A", "B"], [("A", "B")], 32),
        (["A", "B"], [("A", "B"), ("B", "A")], 32),
        (["A", "B", "C"], [("A", "B")], 20),
        (["A", "B", "C"], [("A", "B"), ("A", "C"), ("B", "C"), ("C", "A"), ("A", "B")], 48),
    ]
    for players, games, k in [*cases, *t.fresh(draw_elo_ratings)]:
        got, expected = t.call(players, games, k), elo_ratings(players, games, k)
        t.true(got is None or isinstance(got, dict), "must return a dictionary, player -> rating", expected, got)
        t.true(
            got is None or set(got) == set(expected),
            "must have one rating for each player, also for one without a game",
            expected,
            got,
        )
        order = None if got is None else [got[p] for p in players]
        t.close(order, [expected[p] for p in players], rtol=1e-9, what=f"the ratings of {', '.join(players)}")


HINTS = (
    "Before each game: how much of the point was the winner expected to get? 1 / (1 + 10 ** ((loser's - winner's) / 400)).",
    "The winner gains k * (1 - expected), the loser loses exactly the same. Go through the games in order.",
)
WRONG = (
    Wrong(elo_base_e, "uses e where Elo's formula has 10: a lead of 400 must mean 10 to 1"),
    Wrong(
        elo_winner_only,
        "changes the winner's rating only: what one gains the other loses, so that the sum stays the same",
    ),
    Wrong(
        elo_from_the_start,
        "moves both by k / 2 in every game: the expectation must come from the ratings as they stand before that game",
    ),
    Wrong(elo_k_of_32, "always moves by 32: the step is the argument k"),
    Wrong(elo_whole_step, "moves both by k: the step is k times the surprise, 1 - expected"),
    Wrong(elo_wrong_way_round, "has the difference the wrong way round: the favorite would gain most by winning"),
    Wrong(
        elo_after_the_winner,
        "works out the loser's step from the winner's new rating: compute the expectation once, before anything changes",
    ),
    Wrong(elo_only_who_played, "must have one rating for each player, also for one without a game"),
)
EXERCISE = Exercise("6.8", "Elo from a list of wins", "core", elo_ratings, check_elo, HINTS, WRONG, points=2)
