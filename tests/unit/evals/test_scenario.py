import pytest

from handrail.evals.scenario import Behaviour, Operate, Press, Say, Scenario, StepUp
from handrail.guardrails.yamlsource import Problem, parse
from tests.unit.evals.fake_target import scenario

FILE = """id: sample
title: A sample
spec: [S15.1]
customer: dana
wordings:
  opening: [one, two, three, four, five]
turns:
  - say: "{opening}"
    expect:
      status: [bot]
"""


def problems_of(text: str) -> list[str]:
    """What is wrong with a file that cannot be used."""
    found: list[Problem] = []
    document = parse(text, "sample.yaml", found)
    assert document is not None
    assert document.parse(Scenario, found) is None
    return [str(problem) for problem in found]


def test_a_wording_fills_the_turn() -> None:
    """Wording i takes the i-th line of every list."""
    one = scenario()
    turn = one.turns[0]
    assert isinstance(turn, Say)
    assert [one.text(turn, number) for number in range(one.count)] == ["one", "two", "three", "four", "five"]


def test_every_kind_of_turn_is_read() -> None:
    """Turns are told apart by their key."""
    one = scenario(
        turns=[
            {"say": "{opening}", "expect": {"status": ["bot"]}},
            {"button": "person"},
            {"step_up": "wrong"},
            {"operator": "deny"},
        ]
    )
    assert [type(turn) for turn in one.turns] == [Say, Press, StepUp, Operate]


def test_a_stand_in_can_be_one_word_or_a_list() -> None:
    """Without a model, the embedded one is meant."""
    assert scenario().behaviours == (Behaviour.EMBEDDED,)
    assert scenario(model={"standin": "liar"}).behaviours == (Behaviour.LIAR,)
    assert scenario(model={"standin": ["liar", "greedy"]}).behaviours == (Behaviour.LIAR, Behaviour.GREEDY)


def test_anonymous_is_no_customer() -> None:
    """Somebody who has not signed in has no id."""
    assert scenario().customer_id is None
    assert scenario(customer="dana").customer_id == "dana"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[one, two, three, four, five]", "[one, two, three, four]", 1, "write at least 5"),
        ("[one, two, three, four, five]", "[one, two, three, four, ONE]", 1, "stands there twice"),
        ('"{opening}"', '"{closing}"', 1, "there are no wordings of that name"),
        ('"{opening}"', '"fixed"', 1, "no turn uses the wordings of opening"),
        ("status: [bot]", "statuses: [bot]", 10, "unknown field"),
        ("status: [bot]", "status: [robot]", 10, "status"),
        ("status: [bot]", "handoff: nobody", 10, "handoff"),
        ('- say: "{opening}"', '- shout: "{opening}"', 8, "one of `say`, `button`, `step_up` and `operator`"),
        ('- say: "{opening}"', "- button: person", 1, "the first turn must be something that the customer says"),
        ("customer: dana\n", "", 1, "this field is missing"),
        ("turns:", "model: {standin: sleepy}\nturns:", 7, "standin"),
    ],
)
def test_a_mistake_is_reported_with_its_line(old: str, new: str, line: int, words: str) -> None:
    """Each message names file and line and says what is wrong."""
    found = problems_of(FILE.replace(old, new))
    assert any(problem.startswith(f"sample.yaml:{line}: ") and words in problem for problem in found), found


def test_lists_of_different_length_are_refused() -> None:
    """Otherwise a wording would have no line in one of the lists."""
    text = FILE.replace("turns:", "  more: [a, b, c, d, e, f]\nturns:") + '  - say: "{more}"\n'
    assert any("all lists of wordings must be of the same length" in problem for problem in problems_of(text))


def test_a_scenario_that_expects_nothing_is_refused() -> None:
    """It would pass whatever happens."""
    assert any("no turn expects anything" in problem for problem in problems_of(FILE[: FILE.index("    expect")]))
