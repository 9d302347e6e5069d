"""A small agent: think, call a tool, look at what came back, go on - thirty lines of loop, two tools, and limits.

The *policy* decides the next step: a function from the transcript so far to one line, "Action: tool[input]" or "Answer: text".
It can be rules or a language model; the loop does not care. What must never depend on the policy is enforced here: only known
tools, a limit of steps, no repetition, and every number of a tool stays in the trace.
Source: Yao et al. 2023, ReAct.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import NamedTuple

__all__ = ["Agent", "Run", "Step", "ToolError", "calculate", "policy_of_rules"]


class ToolError(ValueError):
    """A tool could not do what it was asked; the message goes back to the policy as an observation.

    >>> Agent({"calculate": calculate}).use("calculate", "1/0")
    "error: division by zero in '1/0'"
    """


_OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def calculate(expression: str) -> str:
    """The value of a sum of numbers with + - * / and brackets, in decimal arithmetic: 2249.00*0.85 is 1911.65 to the cent.

    Only these are read, nothing is executed: no names, no calls, no powers. Raises ToolError for anything else, for division by
    zero, and for expressions over 200 characters.

    >>> calculate("2249.00*0.85"), 2249.00 * 0.85
    ('1911.65', 1911.6499999999999)
    """
    if len(expression) > 200:
        raise ToolError(f"expected an expression of at most 200 characters, got {len(expression)}")
    try:
        with localcontext() as context:
            context.prec, context.Emax = 28, 99
            source = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", expression.strip())  # 1,000: a comma between thousands only
            value = _value(ast.parse(source, mode="eval").body, source) + 0  # + 0: no "-0"
        if not value.is_finite():
            raise Overflow
        return f"{value.normalize():f}"
    except (SyntaxError, RecursionError, MemoryError, InvalidOperation, Overflow) as error:
        raise ToolError(f"cannot read {expression!r} as a sum of numbers") from error
    except DivisionByZero as error:
        raise ToolError(f"division by zero in {expression!r}") from error


def _value(node: ast.expr, source: str) -> Decimal:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Decimal(str(ast.get_source_segment(source, node)))  # as written: a float would round it
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, source)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _value(node.left, source), _value(node.right, source)
        if isinstance(node.op, ast.Div) and right == 0:  # 0/0 too, which decimal counts as an invalid operation
            raise DivisionByZero
        return _OPERATIONS[type(node.op)](left, right)
    raise ToolError("expected numbers and + - * / only; names, calls and powers are not allowed")


class Step(NamedTuple):
    """One round: what the policy wrote, which tool with which input ("" for none), and what came back.

    >>> Step("Action: calculate[1+1]", "calculate", "1+1", "2").observation
    '2'
    """

    thought: str
    tool: str
    given: str
    observation: str


@dataclass
class Run:
    """A finished run. answer: None when there is none. reason: "answered", "step limit", "repeated", "unreadable".

    >>> print(Run("2", "answered", [Step("Action: calculate[1+1]", "calculate", "1+1", "2")]).trace())
    1. calculate[1+1] -> 2
    """

    answer: str | None
    reason: str
    steps: list[Step] = field(default_factory=list)

    def trace(self) -> str:
        """Every step as text: whoever reads the answer can see where its numbers come from."""
        return "\n".join(f"{n}. {s.tool}[{s.given}] -> {s.observation}" for n, s in enumerate(self.steps, start=1))


_action = re.compile(r"Action:\s*(\w+)\[(.*)\]\s*$", re.DOTALL)


class Agent:
    """The loop. tools: name -> function from text to text. Raises ValueError for no tools or max_steps < 1.

    >>> policy = policy_of_rules(["Action: calculate[2249.00*0.85]", "Answer: {1}"])
    >>> run = Agent({"calculate": calculate}).run("85 % of 2249.00?", policy)
    >>> run.answer, run.reason, len(run.steps)
    ('1911.65', 'answered', 1)
    """

    def __init__(self, tools: Mapping[str, Callable[[str], str]], max_steps: int = 5):
        if not tools or max_steps < 1:
            raise ValueError(f"expected at least one tool and max_steps >= 1, got {list(tools)} and {max_steps}")
        self.tools, self.max_steps = dict(tools), max_steps

    def run(self, question: str, policy: Callable[[str, list[Step]], str]) -> Run:
        """Ask the policy, run the tool it names, again and again. Failures of tools are told to the policy and do not end it."""
        steps: list[Step] = []
        for _ in range(self.max_steps):
            line = policy(question, steps).strip()
            if line.startswith("Answer:"):
                return Run(line.removeprefix("Answer:").strip(), "answered", steps)
            match = _action.search(line)
            if match is None:
                return Run(None, "unreadable", [*steps, Step(line, "", "", "neither an action nor an answer")])
            tool, given = match.group(1), match.group(2).strip()
            if any((s.tool, s.given) == (tool, given) for s in steps):
                return Run(None, "repeated", steps)
            steps.append(Step(line, tool, given, self.use(tool, given)))
        return Run(None, "step limit", steps)

    def use(self, tool: str, given: str) -> str:
        """What a tool says, or why it cannot: an unknown name and a ToolError become text."""
        if tool not in self.tools:
            return f"error: there is no tool {tool!r}; there are {', '.join(self.tools)}"
        try:
            return self.tools[tool](given)
        except ToolError as error:
            return f"error: {error}"


def policy_of_rules(plan: list[str]) -> Callable[[str, list[Step]], str]:
    """A policy that follows a written plan; {1} stands for the first number in the first observation, {2} for the second's.

    A script, not a mind: it shows what the loop does, and what is left to the model.

    >>> policy_of_rules(["Action: calculate[1+1]", "Answer: {1}"])("1 + 1?", [Step("", "calculate", "1+1", "2")])
    'Answer: 2'
    """

    def policy(question: str, steps: list[Step]) -> str:
        numbers = [re.search(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?", s.observation) for s in steps]
        line = plan[min(len(steps), len(plan) - 1)]
        for n, found in enumerate(numbers, start=1):
            line = line.replace(f"{{{n}}}", found.group().replace(",", "") if found else "?")
        return line

    return policy
