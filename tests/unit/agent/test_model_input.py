"""What a model reads in place of personal data, and what stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from handrail.agent.model_settings import ModelMask
from handrail.agent.nodes.prompting import withheld
from handrail.agent.ports import Prompt
from handrail.guardrails.detect.labels import ALL_KINDS, GRAVE_KINDS
from handrail.guardrails.detect.personal import KINDS
from handrail.guardrails.vocabulary import Depth, Message, Passage, Role, Tone, ToolCall, ToolOutcome, ToolResult

CARD = "4111 1111 1111 1111"
MAIL = "jo@mail.example"
SAID = f"my card {CARD}, my mail {MAIL}, my password is Zx9!kk2p, about INV-2049"


PASSAGE = Passage(
    passage_id="p",
    doc_id="d",
    title="Contact",
    heading="Phone",
    text=f"Ring +44 20 7946 0000 or write to {MAIL}.",
    score=1.0,
    authority="standard",
    product_area="account",
)


def said(role: Role) -> Message:
    """A message with everything in it."""
    return Message(message_id="m", role=role, text=SAID, at=datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def prompt() -> Prompt:
    """A prompt that holds personal data wherever a customer or a tool may have put it."""
    call = ToolCall(call_id="c", tool="get_invoice", arguments={"invoice_id": "INV-2049", "note": CARD})
    content: JsonValue = {
        "iban": "DE89370400440532013000",
        "email": MAIL,
        "total": "49.00",
        "api_key": "abc",
        "lines": [SAID],
    }
    return Prompt(
        template="answer@1.0.0",
        system=f"Write to {MAIL}.",
        history=(said(Role.CUSTOMER), said(Role.BOT)),
        message=SAID,
        need_state=None,
        intent=None,
        tone=Tone.PLAIN,
        depth=Depth.STANDARD,
        obligations=(),
        passages=(PASSAGE,),
        tools=(),
        results=(ToolResult(call=call, outcome=ToolOutcome.SUCCEEDED, content=content),),
        known={"mail": MAIL},
        guidance=(f"Leave out {CARD}.",),
    )


def everything(prompt: Prompt) -> str:
    """All that comes from the conversation and from tools."""
    return prompt.model_dump_json(exclude={"passages", "system"})


def test_secrets_are_withheld_everywhere_and_the_rest_stays(prompt: Prompt) -> None:
    """Messages, history of both sides, calls, results and guidance; an address is no secret."""
    seen = everything(withheld(prompt, GRAVE_KINDS))
    assert not any(secret in seen for secret in ("4111", "Zx9!kk2p", "DE8937", '"abc"'))
    assert seen.count(MAIL) == everything(prompt).count(MAIL)
    assert "INV-2049" in seen


def test_with_all_nothing_personal_is_left(prompt: Prompt) -> None:
    """What remains are numbers of the company's own records."""
    seen = everything(withheld(prompt, ALL_KINDS))
    assert MAIL not in seen
    assert "INV-2049" in seen
    assert "49.00" in seen


def test_the_companys_own_words_stay(prompt: Prompt) -> None:
    """Articles and the rendered template are not the customer's."""
    seen = withheld(prompt, ALL_KINDS)
    assert seen.passages == prompt.passages
    assert seen.system == prompt.system


def test_nothing_is_touched_when_nothing_is_withheld(prompt: Prompt) -> None:
    """The setting can be switched off."""
    assert withheld(prompt, frozenset()) is prompt


def test_each_setting_names_kinds_that_exist() -> None:
    """A kind that is misspelt would never be masked."""
    assert {kind.code for kind in KINDS} == ALL_KINDS == ModelMask.ALL.kinds
    assert ModelMask.SECRETS.kinds < ALL_KINDS
    assert ModelMask.NONE.kinds == frozenset()
