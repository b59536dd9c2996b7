"""What the machine puts around a model's words in every reply is no repetition of the model's."""

from __future__ import annotations

from tests.flow.conftest import Stands
from tests.flow.stand import Scripted

SENTENCE = "Bring existing lists into a project."
QUESTION = "How do I import tasks from a CSV file?"


async def test_a_short_answer_with_the_offer_again_is_released(stands: Stands) -> None:
    """Each reply offers a person; a short new answer beside the offer stays a new answer, and comes once."""
    stand = await stands(model=Scripted(SENTENCE))
    offer = stand.room.bundle.text("offer_human", None)
    greeted = [await stand.say("Hello") for _ in range(3)]
    assert sum(offer in result.reply for result in greeted) >= 2
    answer = await stand.say(QUESTION)
    assert "OUTPUT_CLEAN" in answer.reasons
    assert answer.reply.startswith(SENTENCE)
    assert offer in answer.reply
    again = await stand.say(QUESTION)
    assert "OUT_REPEATED_PASSAGE" in again.reasons
    assert SENTENCE not in again.reply
