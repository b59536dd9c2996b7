"""The output policy as loaded: checked against itself once, compiled once, the same for every reply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from pydantic import BaseModel

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.output.lexicon import VALUE_CLASSES, Lexicon, Marks
from handrail.guardrails.output.policy import (
    ActionsFile,
    ActionWords,
    CommitmentPattern,
    CommitmentsFile,
    DisclosureFile,
    FeedbackFile,
    FormFile,
    NamesFile,
    Pattern,
    PeopleFile,
    RecordsFile,
    WordsFile,
)
from handrail.guardrails.yamlsource import Problem, read

ModelT = TypeVar("ModelT", bound=BaseModel)
PatternT = TypeVar("PatternT", bound=Pattern)
Grouped: TypeAlias = dict[str, list[tuple[frozenset[str], PatternT]]]

CODES = (
    "OUT_COMMITMENT",
    "OUT_UNBACKED_ACTION",
    "OUT_UNSOURCED_NUMBER",
    "OUT_UNSOURCED_DATE",
    "OUT_UNSOURCED_LINK",
    "OUT_UNSOURCED_ADDRESS",
    "OUT_UNSOURCED_IDENTIFIER",
    "OUT_UNSOURCED_NAME",
    "OUT_FOREIGN_PERSONAL_DATA",
    "OUT_SECRET",
    "OUT_PROMPT_LEAK",
    "OUT_REPEATED_PASSAGE",
    "OUT_DENIES_PERSON",
    "OUT_EMPTY",
    "OUT_TOO_LONG",
    "OUT_MARKUP",
)
"""Every code the checks can report; `policies/reasons/output.yaml` describes each."""

_NESTED = re.compile(r"[*+}]\)[*+{]")
_EXCUSE_CLASSES = (
    "negation",
    "condition",
    "hedge",
    "hedge_near",
    "wish",
    "wished_helper",
    "hypothesis",
    "attribution",
    "reported",
    "relative",
    "offered",
    "consent",
    "first_person",
    "self",
    "abstain",
    "contrast",
    "duty",
    "by_others",
)


@dataclass(frozen=True, slots=True)
class ByLast:
    """Patterns by the last class of their order, so that a sentence without that class costs nothing."""

    promises: Grouped[CommitmentPattern]
    refusals: Grouped[Pattern]
    delays: Grouped[Pattern]
    disclosures: Grouped[Pattern]
    confidences: Grouped[Pattern]
    deeds: Grouped[Pattern]


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything the checks read. `done` and `doing` name the classes that stand for the words of each action."""

    lexicon: Lexicon
    commitments: CommitmentsFile
    actions: ActionsFile
    people: PeopleFile
    disclosure: DisclosureFile
    records: RecordsFile
    names: NamesFile
    form: FormFile
    guidance: dict[str, str]
    secrets: tuple[re.Pattern[str], ...]
    secret_hint: re.Pattern[str]
    html: re.Pattern[str]
    _by_last: ByLast
    _actions: dict[str, ActionWords]

    def promising(self, marks: Marks) -> Iterator[CommitmentPattern]:
        """The commitment patterns that can hold in a sentence: it has all their classes."""
        return _possible(self._by_last.promises, marks)

    def refusing(self, marks: Marks) -> Iterator[Pattern]:
        """The patterns about people that can hold in a sentence."""
        return _possible(self._by_last.refusals, marks)

    def delaying(self, marks: Marks) -> Iterator[Pattern]:
        """The patterns about people that count where one was asked for and can hold in a sentence."""
        return _possible(self._by_last.delays, marks)

    def revealing(self, marks: Marks) -> Iterator[Pattern]:
        """The patterns about the prompt that can hold in a sentence."""
        return _possible(self._by_last.disclosures, marks)

    def confiding(self, marks: Marks) -> Iterator[Pattern]:
        """The patterns about passwords and internal notes that can hold in a sentence."""
        return _possible(self._by_last.confidences, marks)

    def claiming(self, marks: Marks) -> Iterator[Pattern]:
        """The patterns of having done anything that can hold in a sentence."""
        return _possible(self._by_last.deeds, marks)

    def acting(self, marks: Marks) -> tuple[ActionWords, ...]:
        """The actions of which a sentence has a word."""
        found = (self._actions[name] for name in marks if name in self._actions)
        return tuple({action.id: action for action in found}.values())


def done_class(action: ActionWords) -> str:
    """The class of the words that claim `action` as done."""
    return f"done:{action.id}"


def doing_class(action: ActionWords) -> str:
    """The class of the words that claim `action` as going on."""
    return f"doing:{action.id}"


def report_class(action: ActionWords) -> str:
    """The class of the phrases that report `action` as done."""
    return f"reports:{action.id}"


def load_wording(folder: Path) -> Wording:
    """Read the output policy in `folder`. Raises ConfigError with file and line of everything wrong."""
    problems: list[Problem] = []
    words = _parse(folder, "words.yaml", WordsFile, problems)
    commitments = _parse(folder, "commitments.yaml", CommitmentsFile, problems)
    actions = _parse(folder, "actions.yaml", ActionsFile, problems)
    people = _parse(folder, "people.yaml", PeopleFile, problems)
    disclosure = _parse(folder, "disclosure.yaml", DisclosureFile, problems)
    records = _parse(folder, "records.yaml", RecordsFile, problems)
    names = _parse(folder, "names.yaml", NamesFile, problems)
    form = _parse(folder, "form.yaml", FormFile, problems)
    feedback = _parse(folder, "feedback.yaml", FeedbackFile, problems)
    if not (words and commitments and actions and people and disclosure and records and names and form and feedback):
        raise ConfigError([str(problem) for problem in sorted(problems)])
    classes = _classes(words, actions)
    found = [
        *_dangling("commitments.yaml", commitments.patterns, classes),
        *_dangling("actions.yaml", actions.patterns, {*classes, "done", "doing", "reports"}),
        *_dangling("actions.yaml", actions.general, classes),
        *_dangling("people.yaml", (*people.patterns, *people.asked), classes),
        *_dangling("disclosure.yaml", (*disclosure.prompt_patterns, *disclosure.secret_patterns), classes),
        *_missing_classes(classes),
        *_bad_guidance(feedback),
        *_bad_expressions(disclosure),
    ]
    if found:
        raise ConfigError(found)
    return Wording(
        lexicon=Lexicon.of(classes),
        commitments=commitments,
        actions=actions,
        people=people,
        disclosure=disclosure,
        records=records,
        names=names,
        form=form,
        guidance=dict(feedback.guidance),
        secrets=tuple(re.compile(shape.expression) for shape in disclosure.secrets),
        _by_last=ByLast(
            _by_last(commitments.patterns),
            _by_last(people.patterns),
            _by_last(people.asked),
            _by_last(disclosure.prompt_patterns),
            _by_last(disclosure.secret_patterns),
            _by_last(actions.general),
        ),
        _actions={
            name: action
            for action in actions.actions
            for name in (done_class(action), doing_class(action), report_class(action))
        },
        secret_hint=re.compile("|".join(re.escape(hint) for shape in disclosure.secrets for hint in shape.hints)),
        html=re.compile(
            rf"</?(?:{'|'.join(form.html_tags)})(?=[\s/>])|<!--|<[a-z][\w-]*\s[^<>]{{0,200}}=", re.IGNORECASE
        ),
    )


def _parse(folder: Path, name: str, model: type[ModelT], problems: list[Problem]) -> ModelT | None:
    document = read(folder / name, f"{folder.name}/{name}", problems)
    return document.parse(model, problems) if document is not None else None


def _by_last(patterns: Sequence[PatternT]) -> Grouped[PatternT]:
    found: Grouped[PatternT] = {}
    for pattern in patterns:
        found.setdefault(pattern.order[-1], []).append((frozenset(pattern.order), pattern))
    return found


def _possible(grouped: Grouped[PatternT], marks: Marks) -> Iterator[PatternT]:
    """The patterns all of whose classes a sentence has."""
    present = marks.keys()
    for name in marks:
        for wanted, pattern in grouped.get(name, ()):
            if wanted <= present:
                yield pattern


def _classes(words: WordsFile, actions: ActionsFile) -> dict[str, tuple[str, ...]]:
    classes = dict(words.classes)
    for action in actions.actions:
        classes[done_class(action)] = action.done
        if action.doing:
            classes[doing_class(action)] = action.doing
        if action.reports:
            classes[report_class(action)] = action.reports
    return classes


def _dangling(file: str, patterns: Iterable[Pattern], classes: Iterable[str]) -> Iterator[str]:
    known = {*classes, *VALUE_CLASSES.values()}
    seen: set[str] = set()
    for pattern in patterns:
        if pattern.id in seen:
            yield f"output/{file}: the pattern id {pattern.id} stands there twice"
        seen.add(pattern.id)
        for name in (*pattern.order, *pattern.not_between, *pattern.harmless):
            if name not in known:
                yield f"output/{file}: pattern {pattern.id} names the class {name}, which words.yaml does not have"


def _missing_classes(classes: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for name in _EXCUSE_CLASSES:
        if name not in classes:
            yield f"output/words.yaml: the class {name} is needed by the checks; add it"


def _bad_guidance(feedback: FeedbackFile) -> Iterator[str]:
    for code in CODES:
        if code not in feedback.guidance:
            yield f"output/feedback.yaml: there is no guidance for {code}; add an entry"
    for code in feedback.guidance:
        if code not in CODES:
            yield f"output/feedback.yaml: {code} is no code of an output check; remove it or check the spelling"


def _bad_expressions(disclosure: DisclosureFile) -> Iterator[str]:
    for shape in disclosure.secrets:
        try:
            re.compile(shape.expression)
        except re.error as error:
            yield f"output/disclosure.yaml: the expression of {shape.id} cannot be compiled: {error}"
        if _NESTED.search(shape.expression):
            yield f"output/disclosure.yaml: the expression of {shape.id} repeats a repetition; it could take forever"
