"""Exercise 2.5, A score that flatters: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def score_answers(answers, labels):
    """(accuracy, unread) of text answers, "spam" or "ham", against labels 1 or 0.

    Case, blanks and full stops around the word do not count. Any other answer is unread, and an unread answer is wrong.
    """
    if len(answers) != len(labels):
        raise ValueError(f"expected one label per answer, got {len(answers)} answers and {len(labels)} labels")
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = {"ham": 0, "spam": 1}.get(answer.lower().strip(" ."))
        if guess is None:
            unread += 1
        else:
            right += guess == label
    return right / len(answers), unread


def score_answers_start(answers, labels):
    """(accuracy, unread) of text answers, "spam" or "ham", against labels 1 or 0.

    Case, blanks and full stops around the word do not count. Any other answer is unread, and an unread answer is wrong.
    """
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = 0 if "ham" in answer.lower() else 1
        right += guess == label
    return right / len(answers), unread


def _score(answers, labels, lengths=True, drop=False, lenient=False, clean=lambda answer: answer.lower().strip(" .")):
    if lengths and len(answers) != len(labels):
        raise ValueError("lengths")
    right, unread = 0, 0
    for answer, label in zip(answers, labels):
        guess = {"ham": 0, "spam": 1}.get(clean(answer))
        if lenient:
            guess = 0 if "ham" in answer.lower() else 1 if "spam" in answer.lower() else None
        if guess is None:
            unread += 1
        else:
            right += guess == label
    return right / max(1, len(answers) - (unread if drop else 0)), unread


def score_zip(answers, labels):
    return _score(answers, labels, lengths=False)


def score_dropping(answers, labels):
    return _score(answers, labels, drop=True)


def score_substring(answers, labels):
    return _score(answers, labels, lenient=True)


def score_exact(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer)


def score_one_after_the_other(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer.lower().strip().rstrip("."))


def score_inside_too(answers, labels):
    return _score(answers, labels, clean=lambda answer: answer.lower().replace(".", "").replace(" ", ""))


def score_one_way(answers, labels):
    if len(labels) > len(answers):
        raise ValueError(f"got {len(answers)} answers and {len(labels)} labels")
    return _score(answers, labels, lengths=False)


ZIP = (
    "accepts two answers and three labels: zip() stops at the shorter list and hides the lost row, so from there "
    "on nothing "
    "tells whether answers and labels still belong together. Compare the lengths first and raise a ValueError"
)


ONE_WAY = (
    "accepts three answers and two labels: the lengths are compared one way only, and zip() hides the lost answer. "
    "Raise the ValueError whenever len(answers) != len(labels)"
)


def draw_score_answers(rng: np.random.Generator) -> tuple:
    n = int(rng.integers(4, 9))
    return rng.choice(["spam", "Ham.", " SPAM ", "no", "ham", "perhaps"], size=n).tolist(), rng.integers(0, 2, size=n).tolist()


def check_score(t: Trial) -> None:
    def refuses(answers, labels):
        def steps(f):
            try:
                f(answers, labels)
            except ValueError:
                return True
            return False

        return steps

    for answers, labels in [
        (["spam", "ham"], [1, 0]),
        (["Spam.", " HAM "], [1, 1]),
        (["spam", "I cannot tell."], [1, 1]),
        (["ham", "maybe", "spam", "no idea"], [0, 0, 0, 1]),
        (["hamburger", "not spam", "SPAM"], [0, 1, 1]),
        ([" Spam . ", "ham"], [1, 0]),
        (["s p a m", "ham"], [1, 0]),
        *t.fresh(draw_score_answers),
    ]:
        got = t.call(answers, labels)
        expected = score_answers(answers, labels)
        t.several(
            got,
            2,
            "must give two numbers back: the accuracy and how many answers were unread (return accuracy, unread)",
            expected,
        )
        t.close(got, expected, what="(accuracy, unread)")
    if not t.run(refuses(["spam", "ham"], [1, 0, 1]), shown='score_answers(["spam", "ham"], [1, 0, 1])'):
        t.fail(ZIP, expected="ValueError")
    if not t.run(refuses(["spam", "ham", "ham"], [1, 0]), shown='score_answers(["spam", "ham", "ham"], [1, 0])'):
        t.fail(ONE_WAY, expected="ValueError")


HINTS = (
    'Try it: score_answers(["I cannot tell."], [1]). What should it be, and what is it?',
    'The word "ham" is also in "hamburger" and in "shame". Compare the whole answer: answer.lower().strip(" .") == "ham".',
    'Now try score_answers(["spam", "ham"], [1, 0, 1]). What does zip() do with the third label?',
)
WRONG = (
    Wrong(
        score_answers_start,
        'reads every answer without "ham" as spam: "I cannot tell." then counts as right '
        "for a spam message, and nothing is ever unread",
    ),
    Wrong(score_zip, ZIP),
    Wrong(
        score_dropping,
        "leaves the unread answers out of the count: a model that answers one question in ten "
        "would look perfect; divide by the number of all answers",
    ),
    Wrong(
        score_substring,
        'still searches for "ham" or "spam" inside the answer, so "hamburger" is read as ham '
        'and "not spam" as spam; compare the whole answer',
    ),
    Wrong(score_one_way, ONE_WAY),
    Wrong(
        score_one_after_the_other,
        'takes spaces and full stops away one after the other; in " Spam . " they take turns, so strip both at once: strip(" .")',
    ),
    Wrong(
        score_inside_too,
        'takes spaces and full stops out of the middle of the answer too, so "s p a m" is read as '
        "spam; only those around the word do not count",
    ),
    Wrong(score_exact, 'is too strict: "Spam." and " HAM " are readable; ignore case, spaces and full stops around the word'),
)
EXERCISE = Exercise(
    "2.5", "A score that flatters", "find the bug", score_answers, check_score, HINTS, WRONG, points=2, start=score_answers_start
)
