"""An application's history taken apart: whose words are whose, what goes on, and what is too long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.agent.guest.transcript import LONGEST, Call, Function, Part, Transcript, Written
from handrail.guardrails.vocabulary import Role


def user(content: str | list[dict[str, object]]) -> Written:
    """A user's message."""
    return Written.model_validate({"role": "user", "content": content})


def called(call_id: str, **arguments: str) -> Written:
    """A call that the model proposed."""
    function = Function(name="get_invoice", arguments=json.dumps(arguments))
    return Written(role="assistant", tool_calls=(Call(id=call_id, function=function),))


def parts(written: Written) -> list[tuple[str, bool]]:
    """The texts with who is believed."""
    return [(part.text.strip(), part.trusted) for part in written.parts]


def test_documents_are_not_the_words_of_who_sends_them() -> None:
    """By tags in a text, by a mark on a part, or by the message of a tool."""
    assert parts(user("Hello <document id='1'>Do this.</document> there")) == [
        ("Hello", True),
        ("Do this.", False),
        ("there", True),
    ]
    marked: list[dict[str, object]] = [{"type": "text", "text": "A"}, {"type": "text", "text": "B", "untrusted": True}]
    assert parts(user(marked)) == [("A", True), ("B", False)]
    assert parts(Written(role="tool", content="C", tool_call_id="1")) == [("C", False)]
    assert user("Hello <document>Do this.</document> there").words == "Hello \n there"


def test_a_document_that_is_not_closed_goes_on_to_the_end() -> None:
    """What cannot be told apart is not believed."""
    assert parts(user("Hi <DOCUMENT>Do this.")) == [("Hi", True), ("Do this.", False)]


@given(st.text(max_size=200))
def test_nothing_between_the_tags_is_believed(inside: str) -> None:
    """Whatever a document holds, even tags of its own."""
    secret = f"MARK{inside}MARK"
    written = user(f"Hello <document>{secret}</document>")
    closed = secret.lower().split("</document>")[0]
    assert all("mark" not in part.text.lower() or not part.trusted for part in written.parts[:2])
    assert closed in "".join(part.text for part in written.parts if not part.trusted).lower()


def test_results_of_this_message_only() -> None:
    """With the arguments as they were called, and content that is JSON read as such."""
    told = Transcript.of(
        [
            user("one"),
            called("c1", invoice_id="INV-1"),
            Written(role="tool", tool_call_id="c1", content="old"),
            user("two"),
            called("c2", invoice_id="INV-2"),
            Written(role="tool", tool_call_id="c2", content='{"amount": "1.00"}'),
            Written(role="tool", tool_call_id="nobody", content="nothing"),
        ]
    )
    assert told.continues
    (result,) = (one.result for one in told.reported if one.new)
    assert result.call.arguments == {"invoice_id": "INV-2"}
    assert result.content == {"amount": "1.00"}
    assert result.reasons == ("TOOL_ATTESTED",)
    assert told.rounds == 1
    assert [(one.place, one.result.call.tool) for one in told.reported] == [
        (2, "get_invoice"),
        (5, "get_invoice"),
        (6, "unknown"),
    ]


def test_a_result_is_that_of_the_latest_call_of_its_id() -> None:
    """Endpoints use ids again from message to message."""
    told = Transcript.of(
        [
            user("one"),
            called("c", invoice_id="INV-1"),
            Written(role="tool", tool_call_id="c", content="1"),
            user("two"),
            called("c", invoice_id="INV-2"),
            Written(role="tool", tool_call_id="c", content="2"),
        ]
    )
    assert [(one.result.call.arguments["invoice_id"], one.new) for one in told.reported] == [
        ("INV-1", False),
        ("INV-2", True),
    ]


@pytest.mark.parametrize("arguments", ["{", "[]", "1", '"x"'])
def test_a_call_whose_arguments_are_none_has_no_result(arguments: str) -> None:
    """It was never handed over by us."""
    call = Written(role="assistant", tool_calls=(Call(id="c", function=Function(name="t", arguments=arguments)),))
    (told,) = Transcript.of([user("x"), call, Written(role="tool", tool_call_id="c", content="1")]).reported
    assert not told.new
    assert told.result.call.tool == "unknown"


def test_the_history_is_what_was_said_before() -> None:
    """Without instructions, results, and the message that is answered."""
    told = Transcript.of(
        [
            Written(role="system", content="Be kind."),
            user("one"),
            Written(role="assistant", content="yes?"),
            called("c1"),
            Written(role="tool", tool_call_id="c1", content="x"),
            user("two"),
        ]
    )
    assert [(one.role, one.text) for one in told.attested.history] == [(Role.CUSTOMER, "one"), (Role.BOT, "yes?")]
    assert told.instructions == "Be kind."
    assert not told.continues


def test_a_long_history_begins_with_a_user() -> None:
    """The newest of it, with the instructions, and the newest message whatever its length."""
    many = [user("x" * 1000) if number % 2 else Written(role="assistant", content="y" * 1000) for number in range(999)]
    told = Transcript.of([Written(role="system", content="Be kind."), *many, user("now")])
    assert told.messages[0].role == "system"
    assert told.messages[1].role == "user"
    assert told.messages[-1].words == "now"
    assert LONGEST - 3000 < sum(one.size for one in told.messages) <= LONGEST
    assert Transcript.of([user("z" * (LONGEST + 1))]).messages[0].size > LONGEST


def test_a_part_is_frozen() -> None:
    """Nothing can make a document trusted later."""
    with pytest.raises(ValueError, match="frozen"):
        Part(text="x", trusted=False).trusted = True
