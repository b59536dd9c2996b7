"""The stand itself: the conversation that the other tests break off reaches its end."""

from tests.flow.stand import Stand


async def test_the_cancellation_reaches_every_step(stand: Stand) -> None:
    """A code, a yes, an approval, and exactly one effect in the company's records."""
    await stand.reach("end")
    assert await stand.subscription_status() == "ending"
    assert await stand.writes() == 1
    assert stand.audit_breaks() == ()
