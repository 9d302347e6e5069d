"""Tasks with one right answer, and the readers of answers."""

import pytest

from helpers.generation import prompt_tasks
from helpers.generation.prompt_tasks import Sum, find_json, first_number, injected, sums, sums_prompt, three_sums


def test_sums_and_their_prompts():
    assert sums(5, 1, 9, seed=3) == sums(5, 1, 9, seed=3) != sums(5, 1, 9, seed=4)
    assert all(11 <= x <= 49 for s in sums(50, 11, 49, 0, terms=3) for x in s.numbers)
    assert sums_prompt(Sum((5, 2)), [Sum((3, 4))]) == "3 + 4 = 7\n5 + 2 ="


def test_three_styles_have_their_own_lines():
    item, shot = Sum((3, 5, 8)), [Sum((1, 2, 3))]
    assert three_sums(item, shot, "direct") == "1 + 2 + 3 = 6\n3 + 5 + 8 ="
    assert three_sums(item, shot, "steps") == "1 + 2 + 3: 1 + 2 = 3, 3 + 3 = 6\n3 + 5 + 8:"
    assert three_sums(item, shot, "filler") == "1 + 2 + 3: . . . . . , . . . . . = 6\n3 + 5 + 8:"
    with pytest.raises(ValueError, match="style"):
        three_sums(item, shot, "aloud")


def test_numbers_in_answers():
    assert first_number(" 17.") == 17 and first_number("none") is None and first_number("= 12 or 13") == 12


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"a": 1}', {"a": 1}),
        ('Here it is:\n```json\n{"a": [1, 2]}\n``` Done.', {"a": [1, 2]}),
        ("{'a': 'b'}", {"a": "b"}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": "b"', {"a": "b"}),
        ('{"a": "b', {"a": "b"}),
    ],
)
def test_usual_repairs_of_json(text, expected):
    assert find_json(text) == expected


@pytest.mark.parametrize("text", ["no object", "{a b c", '{"a" 1}'])
def test_what_cannot_be_repaired(text):
    with pytest.raises(ValueError, match="object"):
        find_json(text)


def test_an_instruction_inside_a_document():
    assert injected("doc", "ATTACK") == "doc ATTACK" and injected("doc", "ATTACK", "start") == "ATTACK doc"
    with pytest.raises(ValueError, match="where"):
        injected("doc", where="middle")


def test_facts_and_names():
    facts = prompt_tasks.facts()
    kinds = [f.kind for f in facts]
    assert facts == sorted(facts)
    assert kinds.count("capital") == 116 and kinds.count("currency") == 30 and kinds.count("state") > 60
    greece = next(f for f in facts if f.about == "Greece")
    assert greece.answer == "Athens" and greece.question() == "The capital of Greece is"
    invented = prompt_tasks.invented_countries(60)
    assert len(set(invented)) == 60 and not set(invented) & {f.about for f in facts}
    assert invented == prompt_tasks.invented_countries(60)


class Letters:
    def encode(self, text):
        return [ord(c) for c in text]


def test_cutting_to_one_length():
    assert prompt_tasks.cut(Letters(), "abcd", 2) == [97, 98] and prompt_tasks.cut(Letters(), "a", 2) is None


def test_an_object_after_a_brace_in_the_words_and_two_repairs_at_once():
    assert find_json('Use {braces} like this: {"a": 1}') == {"a": 1} and find_json("{'a': 1,}") == {"a": 1}


def test_there_are_so_many_invented_countries():
    assert len(prompt_tasks.invented_countries(2304)) == 2304
    with pytest.raises(ValueError, match="at most 2304"):
        prompt_tasks.invented_countries(2305)
