"""The agent: its calculator reads numbers only, its loop has limits that no policy can talk it out of."""

import pytest

from helpers.agent import Agent, ToolError, calculate, policy_of_rules


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
