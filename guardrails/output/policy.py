"""The shape of the output policy: closed models for the YAML files under `policies/output`."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field

from handrail.guardrails.output.evidence import CommitmentKind
from handrail.guardrails.vocabulary import Frozen

Word = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class Speaker(StrEnum):
    """Who binds themselves in a sentence: the company in its own voice, or nobody (a description)."""

    FIRST_PERSON = "first_person"
    NOBODY = "nobody"


class Excuse(StrEnum):
    """What takes the claim out of a sentence that has its words.

    question: it asks. negation: `not` stands just before or in it. condition: `if`, `once`, ... anywhere in the
    sentence. hypothesis: of these such as leave open whether, but not "even if" and no mere time. leading_condition:
    the same, right before and in one clause with it. relative: it describes which thing is meant ("a webhook that was
    switched off"). consent: it waits for the customer's yes ("once you confirm"). hedge: `usually`, ...; `can` in the
    clause of the claim. abstain: it leaves the judgement to others ("a question for a lawyer"). denial: `not` stands
    just before it, whatever stands in it. offer: it offers a person in the same breath. attribution: it repeats what
    the customer said happened. passage: a passage of the turn says the same. state: a tool reported this state
    ("status: cancelled"). record: a tool reported every figure and time of it. found: a tool reported every value of
    it, so that it tells what was looked up. modal: a modal verb stands just before it ("must have been registered").
    duty: what has to happen is said of what the customer does ("has to arrive by"). by_others: it says that somebody
    else did it ("by an admin").
    """

    QUESTION = "question"
    NEGATION = "negation"
    CONDITION = "condition"
    HYPOTHESIS = "hypothesis"
    LEADING_CONDITION = "leading_condition"
    RELATIVE = "relative"
    CONSENT = "consent"
    HEDGE = "hedge"
    ABSTAIN = "abstain"
    DENIAL = "denial"
    RECORD = "record"
    FOUND = "found"
    MODAL = "modal"
    DUTY = "duty"
    BY_OTHERS = "by_others"
    OFFER = "offer"
    ATTRIBUTION = "attribution"
    PASSAGE = "passage"
    STATE = "state"


class Pattern(Frozen):
    """Word classes in the order in which they must occur, with at most `gap` other words between neighbours.

    `not_between` are classes of which no word may stand in these gaps. Where a word of a `harmless` class is the last
    one or stands within three words after it, nothing is claimed ("I will explain").
    """

    id: Word
    order: Words
    gap: Annotated[int, Field(ge=0, le=12)] = 4
    not_between: tuple[Word, ...] = ()
    harmless: tuple[Word, ...] = ()
    excuses: tuple[Excuse, ...] = ()


class CommitmentPattern(Pattern):
    """A way to promise something."""

    kind: CommitmentKind
    speaker: Speaker = Speaker.NOBODY


class ActionWords(Frozen):
    """One thing a reply can claim to have done, and the beginnings of words in tool names that back it.

    `reports` are phrases that claim it without a verb of doing ("the refund is on its way"). `any_result` says that
    a succeeded read backs it as well; `by_handoff` that a real handoff does, and `by_words` any call that
    succeeded and is about what the sentence says.
    """

    id: Word
    done: Words
    doing: tuple[Word, ...] = ()
    reports: tuple[Word, ...] = ()
    tools: tuple[Word, ...] = ()
    any_result: bool = False
    by_handoff: bool = False
    by_words: bool = False


class SecretShape(Frozen):
    """The shape of a credential: a regular expression over the folded text, without nested repetition.

    It is tried only on sentences that hold one of `hints` (lower case); what it calls `secret` is the credential.
    """

    id: Word
    hints: Words
    expression: Annotated[str, Field(min_length=3, max_length=300)]


class WordsFile(Frozen):
    """`words.yaml`: the classes that all patterns share."""

    classes: dict[Word, Words]


class CommitmentsFile(Frozen):
    """`commitments.yaml`."""

    patterns: Annotated[tuple[CommitmentPattern, ...], Field(min_length=1)]


class ActionsFile(Frozen):
    """`actions.yaml`: `done`, `doing` and `reports` in its `patterns` stand for the words of any action.

    `general` are claims of having done something, whatever it is.
    """

    actions: Annotated[tuple[ActionWords, ...], Field(min_length=1)]
    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    general: tuple[Pattern, ...] = ()


class PeopleFile(Frozen):
    """`people.yaml`: ways to refuse or discourage a request for a person; `asked` count only where one was made."""

    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1)]
    asked: tuple[Pattern, ...] = ()


class DisclosureFile(Frozen):
    """`disclosure.yaml`: credentials, talk of the model's own instructions, and where other people's data stand."""

    secrets: Annotated[tuple[SecretShape, ...], Field(min_length=1)]
    prompt_patterns: tuple[Pattern, ...]
    secret_patterns: tuple[Pattern, ...]
    person_keys: Words
    role_mailboxes: Words


class RecordsFile(Frozen):
    """`records.yaml`: whom the fields of a tool's result concern, by words of their names.

    `staff` are people who act for the company; `others` and `other_words` (in the value) other people and firms;
    `secret_keys` credentials, which may not be said at all; `private_keys` texts of which no phrase may be said;
    `internal_keys` what may not be told in substance, `note_keys` the same for notes of more than a few words (a short
    one is a state); `hidden_words` in a value make it private; `hidden_codes` tell which codes and keys open something.
    `given_names` tell a person's name from other capitals.
    """

    staff: tuple[Word, ...] = ()
    others: tuple[Word, ...] = ()
    other_words: tuple[Word, ...] = ()
    secret_keys: tuple[Word, ...] = ()
    private_keys: tuple[Word, ...] = ()
    internal_keys: tuple[Word, ...] = ()
    note_keys: tuple[Word, ...] = ()
    hidden_codes: tuple[Word, ...] = ()
    hidden_words: tuple[Word, ...] = ()
    given_names: tuple[Word, ...] = ()

    @cached_property
    def staff_set(self) -> frozenset[str]:
        """`staff`, to look up."""
        return frozenset(self.staff)

    @cached_property
    def others_set(self) -> frozenset[str]:
        """`others`, to look up."""
        return frozenset(self.others)

    @cached_property
    def hidden_codes_set(self) -> frozenset[str]:
        """`hidden_codes`, to look up."""
        return frozenset(self.hidden_codes)

    @cached_property
    def given_names_set(self) -> frozenset[str]:
        """`given_names`, to look up."""
        return frozenset(self.given_names)


class NamesFile(Frozen):
    """`names.yaml`: what is written with a capital and needs no source.

    `ordinary` are words of pages and offices (Settings, Support), `calendar` days, months and holidays, `places`
    countries and languages, `products` programs and firms that a help text may name as widely known.
    """

    ordinary: tuple[Word, ...] = ()
    calendar: tuple[Word, ...] = ()
    places: tuple[Word, ...] = ()
    products: tuple[Word, ...] = ()

    @cached_property
    def known_set(self) -> frozenset[str]:
        """All of them, to look up."""
        return frozenset((*self.ordinary, *self.calendar, *self.places, *self.products))


class FormFile(Frozen):
    """`form.yaml`: sizes, shares (0 to 1) and marks.

    `leak_characters` are letters and digits in a row shared with the prompt; `near_same` the share of words two
    sentences must have in common to count as one; `repeated_share` how much of a reply may have been said before;
    `quoted_share` how much of a sentence must stand in a passage to be its words.
    """

    characters: Annotated[int, Field(ge=200, le=20_000)]
    leak_characters: Annotated[int, Field(ge=24, le=200)]
    near_same: Annotated[float, Field(gt=0.5, le=1.0)]
    repeated_share: Annotated[float, Field(gt=0.0, le=1.0)]
    quoted_share: Annotated[float, Field(gt=0.0, le=1.0)]
    list_nouns: Words
    html_tags: Words


class FeedbackFile(Frozen):
    """`feedback.yaml`: per reason code, what a repair must do, in words for a model."""

    guidance: dict[Word, Annotated[str, Field(min_length=10, max_length=400)]]
