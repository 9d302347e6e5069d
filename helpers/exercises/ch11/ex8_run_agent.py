"""Exercise 11.8, An agent on a short lead: the reference solution, wrong answers, the check."""

import numpy as np

from helpers.lab.exercise import Exercise, Wrong
from helpers.lab.trial import Trial


def run_agent(policy, tools, max_steps):
    """Let a policy use tools. policy(steps) returns ("answer", text) or (tool, input). Returns (answer or None, steps).

    steps: list of (tool, input, observation). A tool that does not exist gives the observation "unknown tool"; a tool that
    raises ValueError gives "error: " and its message. After max_steps tool calls without an answer, the answer is None; a
    call of an unknown tool, or one that ends in an error, counts as well.
    """
    steps = []
    for _ in range(max_steps + 1):
        kind, given = policy(list(steps))
        if kind == "answer":
            return given, steps
        if len(steps) == max_steps:
            break
        if kind not in tools:
            observation = "unknown tool"
        else:
            try:
                observation = tools[kind](given)
            except ValueError as error:
                observation = f"error: {error}"
        steps.append((kind, given, observation))
    return None, steps


def _agent(policy, tools, max_steps, extra=0, catch=True, unknown=True, remember=True, last=True):
    steps = []
    for _ in range(max_steps + extra):
        kind, given = policy(list(steps) if remember else [])
        if kind == "answer":
            return given, steps
        if kind not in tools and unknown:
            observation = "unknown tool"
        elif catch:
            try:
                observation = tools[kind](given)
            except ValueError as error:
                observation = f"error: {error}"
        else:
            observation = tools[kind](given)
        steps.append((kind, given, observation))
    if last:
        kind, given = policy(list(steps))
        if kind == "answer":
            return given, steps
    return None, steps


def agent_no_limit(policy, tools, max_steps):
    return _agent(policy, tools, max_steps, extra=3)


def agent_tool_errors_escape(policy, tools, max_steps):
    return _agent(policy, tools, max_steps, catch=False)


def agent_unknown_tools_escape(policy, tools, max_steps):
    return _agent(policy, tools, max_steps, unknown=False)


def agent_forgets(policy, tools, max_steps):
    return _agent(policy, tools, max_steps, remember=False, last=False)


def agent_never_hears_the_answer(policy, tools, max_steps):
    return _agent(policy, tools, max_steps, last=False)


def agent_invents(policy, tools, max_steps):
    answer, steps = run_agent(policy, tools, max_steps)
    return (steps[-1][2] if answer is None and steps else answer), steps


def agent_unknown_is_free(policy, tools, max_steps):
    steps, used = [], 0
    while True:
        kind, given = policy(list(steps))
        if kind == "answer":
            return given, steps
        if used == max_steps:
            return None, steps
        try:
            observation = tools[kind](given) if kind in tools else "unknown tool"
        except ValueError as error:
            observation = f"error: {error}"
        used += kind in tools
        steps.append((kind, given, observation))


def _half(text):
    return str(int(text) / 2)


TOOLS = {"half": _half, "shout": str.upper}


def policy_two_steps(steps):
    return [("half", "10"), ("shout", "ok"), ("answer", "5.0 OK")][min(len(steps), 2)]


def policy_stumbles(steps):
    return [("half", "ten"), ("answer", "sorry")][min(len(steps), 1)]


def policy_unknown(steps):
    return [("weather", "Oslo"), ("answer", "sorry")][min(len(steps), 1)]


def policy_never_ends(steps):
    return ("half", str(2 * len(steps)))


def policy_always_weather(steps):
    return ("weather", "Oslo")


def draw_run_agent(rng: np.random.Generator) -> tuple:
    words = ["half", "shout", "weather"]
    moves = [(words[int(k)], str(rng.choice(["8", "ten", "ok", "30"]))) for k in rng.integers(0, 3, size=int(rng.integers(1, 4)))]
    return [*moves, ("answer", "done")], int(rng.integers(1, 5))


SHOWN = {  # the policies as code that can be pasted
    policy_two_steps: 'lambda steps: [("half", "10"), ("shout", "ok"), ("answer", "5.0 OK")][min(len(steps), 2)]',
    policy_stumbles: 'lambda steps: [("half", "ten"), ("answer", "sorry")][min(len(steps), 1)]',
    policy_unknown: 'lambda steps: [("weather", "Oslo"), ("answer", "sorry")][min(len(steps), 1)]',
    policy_never_ends: 'lambda steps: ("half", str(2 * len(steps)))',
    policy_always_weather: 'lambda steps: ("weather", "Oslo")',
}
TOOLS_SHOWN = '{"half": lambda text: str(int(text) / 2), "shout": str.upper}'


def check_agent(t: Trial) -> None:
    def safely(policy, limit):
        def steps(run):
            asked = []

            def patient(past):
                asked.append(len(past))
                if len(asked) > 20:
                    raise RuntimeError("the policy was asked 20 times")
                return policy(past)

            try:
                return run(patient, dict(TOOLS), limit)
            except RuntimeError as error:
                if "asked 20 times" not in str(error):
                    raise
                also = "; those of a tool that does not exist count, too" if policy is policy_always_weather else ""
                t.fail("goes on after max_steps tool calls" + also)
            except KeyError as error:
                if "weather" not in str(error):
                    raise
                t.fail("stumbles over a tool that does not exist; the observation is 'unknown tool'")
            except ValueError as error:
                t.fail(f"lets the error of a tool end everything ({error}); the policy must be told")

        return steps

    for policy, limit in (
        (policy_two_steps, 4),
        (policy_stumbles, 3),
        (policy_unknown, 3),
        (policy_never_ends, 3),
        (policy_two_steps, 2),
        (policy_always_weather, 3),
    ):
        got = t.run(safely(policy, limit), f"run_agent({SHOWN[policy]}, {TOOLS_SHOWN}, {limit})")
        t.equal(got, run_agent(policy, TOOLS, limit), what="(answer, steps)")
    for moves, limit in t.fresh(draw_run_agent):
        policy = lambda steps, moves=moves: moves[min(len(steps), len(moves) - 1)]  # noqa: E731
        shown = f"run_agent(lambda steps: {moves!r}[min(len(steps), {len(moves) - 1})], {TOOLS_SHOWN}, {limit})"
        t.equal(t.run(safely(policy, limit), shown), run_agent(policy, TOOLS, limit), what="(answer, steps)")


HINTS = (
    "Ask policy(list(steps)). On ('answer', text) return (text, steps). Otherwise use the tool and append (tool, input, "
    "observation).",
    "try: observation = tools[tool](given) / except ValueError as error: observation = f'error: {error}'.",
    "max_steps counts tool calls; after the last one the policy is asked once more, for its answer.",
)
WRONG = (
    Wrong(agent_no_limit, "goes on after max_steps tool calls"),
    Wrong(agent_tool_errors_escape, "lets the error of a tool end everything"),
    Wrong(agent_unknown_tools_escape, "stumbles over a tool that does not exist; the observation is 'unknown tool'"),
    Wrong(agent_forgets, "never shows the policy what happened so far"),
    Wrong(agent_never_hears_the_answer, "does not ask for the answer after the last allowed tool call"),
    Wrong(agent_unknown_is_free, "goes on after max_steps tool calls; those of a tool that does not exist count, too"),
    Wrong(agent_invents, "makes an answer out of the last observation; without an answer it is None"),
)
EXERCISE = Exercise("11.8", "An agent on a short lead", "stretch", run_agent, check_agent, HINTS, WRONG, points=3)
