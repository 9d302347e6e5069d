"""The agent: its calculator reads numbers only, its loop has limits that no policy can talk it out of."""

import pytest

from helpers.retrieval.agent import Agent, Step, ToolError, calculate, policy_of_rules


def test_the_calculator_is_exact_to_the_cent():
    assert calculate("2249.00*0.85") == "1911.65" and 2249.00 * 0.85 != 1911.65
    assert calculate("2,574 - 82") == "2492" and calculate("-(2 + 3) * 4") == "-20" and calculate("1/4") == "0.25"


@pytest.mark.parametrize(
    "bad", ["__import__('os')", "2 ** 9", "a + 1", "1 +", "(" * 50, "1/0", "0/0", "9" * 300, "1e999*1e999", "True"]
)
def test_the_calculator_reads_nothing_else(bad):
    with pytest.raises(ToolError):
        calculate(bad)


def test_a_plan_is_followed_and_traced():
    agent = Agent(
        {"search": {"Lone": "The Lone is 1,212 km long.", "Harl": "It is 12 km away."}.__getitem__, "calculate": calculate}
    )
    run = agent.run(
        "?", policy_of_rules(["Action: search[Lone]", "Action: search[Harl]", "Action: calculate[{1} - {2}]", "Answer: done"])
    )
    assert run.reason == "answered" and run.steps[2].given == "1212 - 12" and run.steps[2].observation == "1200"
    assert run.trace().splitlines()[2] == "3. calculate[1212 - 12] -> 1200"


def test_limits():
    agent = Agent({"calculate": calculate}, max_steps=3)
    assert agent.run("?", lambda q, s: f"Action: calculate[{len(s)}]").reason == "step limit"
    assert len(agent.run("?", lambda q, s: f"Action: calculate[{len(s)}]").steps) == 3
    assert agent.run("?", lambda q, s: "Action: calculate[1]").reason == "repeated"
    assert agent.run("?", lambda q, s: "hello").reason == "unreadable"
    told = agent.run("?", lambda q, s: "Action: email[all]" if not s else "Answer: " + s[0].observation)
    assert "no tool 'email'" in told.answer
    told = agent.run("?", lambda q, s: "Action: calculate[x]" if not s else "Answer: " + s[0].observation)
    assert told.answer.startswith("error:")
    for wrong in (({}, 3), ({"calculate": calculate}, 0)):
        with pytest.raises(ValueError, match="at least one tool"):
            Agent(*wrong)


def test_numbers_are_read_as_they_stand():
    assert calculate("12345678901234567.89 + 0") == "12345678901234567.89" and calculate("1,234.5 * 2") == "2469"
    assert calculate("0*-1") == "0" and calculate("( 1 + 2 ) * 3") == "9"
    for junk in ("1 2", "1,5", "(1,2)", "1_0 0"):  # not one number
        with pytest.raises(ToolError, match="numbers"):
            calculate(junk)
    with pytest.raises(ToolError, match="division by zero"):
        calculate("0/0")


def test_a_plan_keeps_the_sign_of_an_observation():
    steps = [Step("", "calculator", "", "-12.5"), Step("", "search", "", "built in 1,931")]
    assert policy_of_rules(["a", "b", "Answer: {1} and {2}"])("", steps) == "Answer: -12.5 and 1931"
