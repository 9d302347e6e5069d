"""The benchmark harness and the command that starts it: results first, ratios, missing peers, no time asserted."""

from types import SimpleNamespace

import pytest

from helpers.course.commands import bench
from helpers.course.commands.console import Problem
from tests.benchmarks import harness
from tests.benchmarks.harness import Case, Timed, needs, rows, run_case, table, verdict


def equal(a, b):
    assert a == b, f"{a} is not {b}"


def test_results_are_compared_before_anything_is_timed():
    runs = []
    case = Case("sum", lambda: runs.append("ours") or 3, {"other": lambda: runs.append("other") or 4}, equal)
    with pytest.raises(AssertionError, match="3 is not 4"):
        run_case(case)
    assert runs == ["ours", "other"]


def test_each_party_runs_once_to_warm_up_and_then_in_turns():
    runs = []
    case = Case(
        "sum",
        lambda: runs.append("o") or 1,
        {"p": lambda: runs.append("p") or 1, "slow": lambda: runs.append("s") or 1},
        equal,
        slow=("slow",),
    )
    listed = run_case(case)
    assert "".join(runs) == "ops" + "op" * 3
    assert [row.party for row in listed] == ["ours", "p", "slow"] and all(row.seconds >= 0 for row in listed)


def test_preparing_is_not_timed():
    prepared = []
    case = Case("fresh", Timed(lambda n: n, lambda: prepared.append(1) or len(prepared)), {})
    assert len(run_case(case)) == 1 and len(prepared) == 4


def test_ratios_are_per_unit_of_work_and_missing_peers_are_told():
    case = Case(
        "train",
        lambda: 0,
        {"slice": lambda: 0, "gone": needs("no_such_package_xyz", lambda: lambda: 0)},
        item="2a",
        amounts={"ours": 1000, "slice": 10},
        unit="words",
        targets={"slice": 0.05},
    )
    listed = rows(case, {"ours": 2.0, "slice": 1.0})
    assert listed[1].ratio == pytest.approx(0.02) and listed[1].verdict == "met (target >= 20x as fast)"
    text = table(listed)
    assert "[2a] train" in text and "500 words/s" in text and "no_such_package_xyz is not installed" in text


@pytest.mark.parametrize(
    "ratio, target, stretch, said",
    [
        (0.7, 0.8, 0.5, "met (target <= 0.8x its time), stretch <= 0.5x its time missed"),
        (1.2, 1.0, None, "missed (target <= 1x its time)"),
        (1.0, None, None, "no target"),
    ],
)
def test_the_verdict(ratio, target, stretch, said):
    assert verdict(ratio, target, stretch) == said


def test_a_case_refuses_too_few_repeats_and_unknown_peers():
    with pytest.raises(ValueError, match="3 repeats"):
        Case("x", lambda: 0, {}, repeats=2)
    with pytest.raises(ValueError, match="no such peer"):
        Case("x", lambda: 0, {}, targets={"who": 1.0})


def test_every_benchmark_file_offers_cases_and_unknown_names_are_told(capsys):
    assert "bow" in harness.names()
    for path in harness.HERE.glob("bench_*.py"):
        assert "\ndef cases()" in path.read_text(encoding="utf-8") or "\ndef report(" in path.read_text(encoding="utf-8")
    assert set(harness.ONLY_BY_NAME) < set(harness.names())
    assert harness.chosen(["training"]) == ["training"]
    assert set(harness.chosen([])) == set(harness.names()) - set(harness.ONLY_BY_NAME)
    assert harness.main(["nonsense"]) == 2 and "there are: " in capsys.readouterr().out
    with pytest.raises(Problem, match="nonsense"):
        bench.command(SimpleNamespace(names=["nonsense"]))
