"""The checker: what it says about each kind of answer, and its parts."""

import signal
import time

import numpy as np
import pytest

from helpers.lab import checks, formatting, progress, record, time_limit, verdicts
from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Mistake, Trial


def mean_square(y, y_hat):
    """Mean squared difference."""
    return float(np.mean((y - y_hat) ** 2))


def total_square(y, y_hat):
    return float(np.sum((y - y_hat) ** 2))


def buggy(y, y_hat):
    return float(np.mean(np.abs(y - y_hat)))


def check_mean_square(t):
    for y, y_hat in [([3.0], [1.0]), ([1.0, 2.0], [0.0, 0.0])]:
        t.close(t.call(np.array(y), np.array(y_hat)), mean_square(np.array(y), np.array(y_hat)), what="the loss")


def make(**change):
    base = dict(
        id="1.1",
        title="Mean square",
        kind="core",
        solution=mean_square,
        check=check_mean_square,
        hints=("first", "second"),
        wrong=(Wrong(total_square, "adds up but never divides"),),
        seconds=0.5,
    )
    return Exercise(**{**base, **change})


@pytest.fixture
def use(monkeypatch):
    def put(**change):
        exercise = make(**change)
        monkeypatch.setattr(checks, "find", lambda _id: exercise)
        monkeypatch.setattr(verdicts, "find", lambda _id: exercise)
        return exercise

    return put


def stub(y, y_hat):
    """Mean squared difference."""
    ...


def test_right_wrong_and_stub(use):
    use()
    assert checks.evaluate("1.1", mean_square).status == "passed"
    assert checks.evaluate("1.1", stub).status == "not done yet"
    report = checks.evaluate("1.1", lambda y, y_hat: np.sum((y - y_hat) ** 2))
    assert report.status == "wrong" and "adds up but never divides" in report.message
    assert "mean_square(np.array([1.0, 2.0]), np.array([0.0, 0.0]))" in report.message and "2.5" in report.message


def test_an_unknown_mistake_still_shows_where(use):
    use()
    message = checks.evaluate("1.1", lambda y, y_hat: 7.0).message
    assert (
        "tried:     mean_square(np.array([3.0]), np.array([1.0]))" in message
        and "expected:  4" in message
        and "got:       7" in message
    )


@pytest.mark.parametrize("body", [lambda: None, lambda y, p: None, lambda y, p: ...], ids=["none", "none2", "dots"])
def test_what_counts_as_untouched(use, body):
    use()
    assert checks.evaluate("1.1", body).status == "not done yet"


def test_constants_are_answers_not_stubs(use):
    use()
    for answer in (lambda y, p: 1, lambda y, p: "x", lambda y, p: 0.0):
        assert checks.evaluate("1.1", answer).status == "wrong"


def test_not_implemented_is_not_done(use):
    use()

    def later(y, y_hat):
        raise NotImplementedError

    assert checks.evaluate("1.1", later).status == "not done yet"


def test_the_start_of_find_the_bug_is_not_done_and_then_diagnosed(use):
    use(kind="find the bug", start=buggy, wrong=(Wrong(buggy, "takes absolute values"),))

    def unchanged(y, y_hat):
        return float(np.mean(np.abs(y - y_hat)))

    def renamed(y, y_hat):
        difference = y - y_hat
        return float(np.mean(np.abs(difference)))

    assert checks.evaluate("1.1", unchanged).status == "not done yet"
    assert "takes absolute values" in checks.evaluate("1.1", renamed).message


def test_untouched_start_is_recognized_when_compiled_elsewhere(use):
    """A notebook cell compiles np.stack(...) another way than a module that imports np."""
    source = "def f(y, y_hat):\n    'Doc.'\n    return float(np.abs(np.subtract(y, y_hat)).mean()) + sum(v for v in [0])\n"
    as_module: dict = {}
    exec(compile("import numpy as np\n" + source, "module", "exec"), as_module)
    as_cell: dict = {"np": np}
    exec(compile(source.replace("Doc", "Other words"), "cell", "exec"), as_cell)
    changed: dict = {"np": np}
    exec(compile(source.replace("[0]", "[1]"), "cell", "exec"), changed)
    use(kind="find the bug", start=as_module["f"])
    assert checks.evaluate("1.1", as_cell["f"]).status == "not done yet"
    assert checks.evaluate("1.1", changed["f"]).status == "wrong"


def test_a_changed_input_is_a_mistake(use):
    use()

    def shifts(y, y_hat):
        y -= y_hat
        return float(np.mean(y**2))

    assert "changes its input" in checks.evaluate("1.1", shifts).message


def test_an_endless_loop_ends(use):
    use()

    def loop(y, y_hat):
        while True:
            pass

    start = time.monotonic()
    assert "0.5 seconds" in checks.evaluate("1.1", loop).message
    assert time.monotonic() - start < 5


def test_an_exception_names_the_learners_line(use):
    use()

    def crash(y, y_hat):
        a = 1
        return y[99] + a

    message = checks.evaluate("1.1", crash).message
    assert "IndexError" in message


def test_shape_type_and_nan_messages(use):
    use()
    assert "shape (1,)" in checks.evaluate("1.1", lambda y, p: (y - p) ** 2).message
    assert "NaN" in checks.evaluate("1.1", lambda y, p: float("nan")).message
    assert "str" in checks.evaluate("1.1", lambda y, p: "x" * len(y)).message
    assert "without calling it" in checks.evaluate("1.1", 2.5).message


def near(y, y_hat):
    """A wrong answer that is off by a millionth of the right result."""
    return mean_square(y, y_hat) * (1 + 1e-6)


def test_what_is_right_to_five_digits_is_told_so_and_no_wrong_answer_is_blamed(use):
    use(wrong=(Wrong(near, "clips something"),))
    for answer in (near, lambda y, p: mean_square(y, p) * (1 - 3e-6), lambda y, p: np.float32(mean_square(y, p) + 1e-6)):
        message = checks.evaluate("1.1", answer).message
        assert "the loss right to about 5 digits" in message and "float32" in message and "clips" not in message, message
    for answer in (lambda y, p: mean_square(y, p) * (1 + 1e-4), lambda y, p: 0.0):
        assert "a wrong value for the loss" in checks.evaluate("1.1", answer).message
    trial = Trial(None)
    trial.close([1.0, 1e-20], [1.0, 2e-20])
    with pytest.raises(Mistake, match="5 digits"):
        trial.close(np.array([1.0, 2.0]), np.array([1.0, 2.000002]))
    with pytest.raises(Mistake, match="wrong value"):
        trial.close([1.0, 1e-20], [1.0, 2e-20], atol=0)


def pair(y):
    """The smallest and the largest entry."""
    return min(y), max(y)


def check_pair(t):
    got = t.call([3, 1, 2])
    t.several(got, 2, "must return the pair (low, high)", pair([3, 1, 2]))
    t.close(got, pair([3, 1, 2]))


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda y: (min(y), max(y)), "right"),
        (lambda y: [min(y), max(y)], "right"),
        (lambda y: min(y), "must return the pair"),
        (lambda y: [min(y)], "must return the pair"),
        (lambda y: np.array([min(y), max(y)]), "must return the pair"),
        (lambda y: None if y else y, "returns nothing (None) where 2 results were expected"),
    ],
    ids=["tuple", "list", "number", "too short", "array", "none"],
)
def test_several_results_may_come_as_a_tuple_or_a_list(use, answer, words):
    use(solution=pair, check=check_pair, wrong=())
    message = checks.evaluate("1.1", answer).message
    assert words in message and (words != "right" or "not right" not in message), message


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda y: (v for v in y), "returns a generator; wrap it in list(...)"),
        (lambda y: dict.fromkeys(y).keys(), "returns a dict_keys; wrap it in list(...)"),
        (lambda y: (min(y), (v for v in y)), "returns a generator inside a tuple; wrap it in list(...)"),
        (lambda y: np, "returns a module that cannot be copied"),
    ],
    ids=["generator", "keys", "inside a tuple", "module"],
)
def test_a_result_that_cannot_be_kept_is_named(use, answer, words):
    use(solution=pair, check=check_pair, wrong=())
    assert words in checks.evaluate("1.1", answer).message


def test_a_class_can_be_an_answer(use):
    class Box:
        def get(self):
            return 5

    class Empty:
        def get(self):
            """To do."""
            ...

    def look(t):
        t.equal(t.run(lambda B: B().get(), "Box().get()"), 5)

    use(solution=Box, check=look, wrong=())
    assert checks.evaluate("1.1", Box).status == "passed"
    assert checks.evaluate("1.1", Empty).status == "not done yet"


def test_strict_raises_and_plain_prints(use, monkeypatch, capsys):
    use()
    monkeypatch.setenv("CI", "1")
    monkeypatch.delenv("COURSE_STRICT", raising=False)
    checks.check("1.1", stub)
    assert "not done yet" in capsys.readouterr().out
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AssertionError):
        checks.check("1.1", stub)
    checks.check("1.1", lambda y, y_hat: mean_square(y, y_hat))


def test_hints_come_one_by_one_and_start_again(use, capsys):
    use()
    for _ in range(3):
        checks.hint("1.1")
    out = capsys.readouterr().out
    assert out.count("first") == 2 and out.count("second") == 1 and "solution(" in out


def test_the_solution_is_printed(use, capsys):
    use()
    checks.solution("1.1")
    assert "def mean_square(y, y_hat):" in capsys.readouterr().out


@pytest.mark.parametrize("bad", ["", "x", "1", "99.1", "1.99"])
def test_unknown_ids_are_refused_with_what_there_is(bad):
    with pytest.raises(ValueError):
        checks.find(bad)


def test_unknown_kind():
    with pytest.raises(ValueError, match="warm-up"):
        make(kind="hard")


def test_time_limit_passes_results_and_errors_through():
    with time_limit.time_limit(5):
        value = 1
    assert value == 1
    with pytest.raises(KeyError), time_limit.time_limit(5):
        raise KeyError
    with pytest.raises(time_limit.TookTooLong), time_limit.time_limit(0.1):
        while True:
            pass
    with pytest.raises(ValueError), time_limit.time_limit(0):
        pass


def test_time_limit_where_ctrl_c_is_ignored():
    """A process in the background of a shell ignores SIGINT; the limit must hold all the same, and leave things as they were."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(time_limit.TookTooLong), time_limit.time_limit(0.1):
            while True:
                pass
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_brief_and_call_text():
    assert formatting.brief(None) == "" and formatting.brief(0.5) == "0.5" and "shape (3,)" in formatting.brief(np.arange(3))
    assert len(formatting.brief("x" * 1000)) == 160
    assert formatting.call_text("f", (np.array([1.0]), 2), {"k": "a"}) == "f(np.array([1.0]), 2, k='a')"


@pytest.mark.parametrize(
    "a, b, equal",
    [
        (1.0, 1.0 + 1e-12, True),
        ([1.0, "x"], [1.0, "x"], True),
        ((1,), (1, 2), False),
        ({"a": 1.0}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.zeros(2), np.zeros(3), False),
        ("a", 1.0, False),
        (np.array(["a"]), np.array(["a"]), True),
        (None, 1.0, False),
    ],
)
def test_same(a, b, equal):
    assert formatting.same(a, b, 1e-9, 1e-9) is equal


def test_progress_is_kept_and_survives_a_broken_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    for name in ("CI", "COURSE_STRICT", "COURSE_PROGRESS"):
        monkeypatch.delenv(name, raising=False)
    assert record.solved() == {}
    record.remember("1.1")
    assert list(record.solved()) == ["1.1"]
    next(tmp_path.rglob("progress.json")).write_text("{broken")
    assert record.solved() == {}
    record.remember("1.2")
    progress.report()
    assert "1.2 done" in capsys.readouterr().out


def test_bar_gives_the_items(monkeypatch):
    monkeypatch.setenv("COURSE_QUIET", "1")
    assert list(progress.bar([1, 2], "x")) == [1, 2]


def test_torch_tensors_are_shown_and_compared_like_arrays():
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    assert "[1., 2.]  shape (2,)" in formatting.brief(x) and "shape (2,)" in formatting.brief((x, 1.0))
    assert formatting.call_text("f", (x,), {}) == "f(torch.tensor([1.0, 2.0]))"
    assert formatting.same(x, np.array([1.0, 2.0]), 1e-6, 0) and not formatting.same(x, x + 1, 1e-6, 0)
    assert formatting.same([x], [x.detach()], 0, 0)
    trial = Trial(None)
    trial.close(x, torch.tensor([1.0, 2.0]))
    with pytest.raises(Mistake, match="shape"):
        trial.close(x, torch.ones(3))


def test_a_result_may_carry_a_gradient():
    torch = pytest.importorskip("torch")
    weight = torch.tensor([2.0], requires_grad=True)
    trial = Trial(lambda x: (weight * x, [weight + x]))
    product, (total,) = trial.call(3.0)
    trial.close(product, [6.0])
    assert product.requires_grad and total.requires_grad and not trial.steps[0][1][0].requires_grad


def test_a_range_counts_as_a_list():
    from helpers.lab.trial import Trial

    assert Trial(lambda n: range(n)).call(3) == [0, 1, 2]
    assert Trial(lambda n: (range(n), 1)).call(2) == ([0, 1], 1)
    with pytest.raises(Mistake, match="list"):
        Trial(lambda n: (i for i in [n])).call(2)
