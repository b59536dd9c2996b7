"""The letterbox of the sample company's customers, on the demo page."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from handrail.agent.company.database import CompanyDatabase, open_engine
from handrail.agent.company.outbox import Outbox
from handrail.agent.company.seed import seed
from handrail.agent.company.step_up import CompanyStepUp
from handrail.agent.server.app import create_app
from handrail.agent.server.identity import Gate
from handrail.agent.settings import Company, Settings
from tests.unit.server.fake import FakeService, FixedClock


def reading(gate: Gate, customer_id: str) -> dict[str, str]:
    """The headers of a sample customer."""
    return {"Authorization": f"Bearer {gate.sign(customer_id, 600)}"}


async def test_a_customer_reads_their_own_code_only(client: httpx.AsyncClient, settings: Settings, gate: Gate) -> None:
    """The code that was sent to Mia is shown to Mia: not to another customer, not to a visitor."""
    database = CompanyDatabase(open_engine(settings.data_dir / "company.db"))
    seed(database.engine, datetime(2026, 5, 4, tzinfo=UTC))
    await CompanyStepUp(database, FixedClock()).start("mia", "key-1")
    sent = await Outbox(database).latest_code("mia")
    await database.close()
    assert sent is not None
    assert len(sent) == 6
    assert (await client.get("/demo/code", headers=reading(gate, "mia"))).json() == {"code": sent}
    assert (await client.get("/demo/code", headers=reading(gate, "grace"))).json() == {"code": None}
    assert (await client.get("/demo/code")).json() == {"code": None}


async def test_before_anything_was_sent(client: httpx.AsyncClient, gate: Gate) -> None:
    """No company, no code; a bad token is refused as everywhere."""
    assert (await client.get("/demo/code", headers=reading(gate, "mia"))).json() == {"code": None}
    assert (await client.get("/demo/code", headers={"Authorization": "Bearer forged"})).status_code == 401


async def test_a_real_company_has_no_such_letterbox(service: FakeService, settings: Settings, gate: Gate) -> None:
    """Codes of real customers are nobody's to read."""
    real = settings.model_copy(update={"company": Company.NONE})
    transport = httpx.ASGITransport(create_app(service, real, FixedClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail.test") as client:
        assert (await client.get("/demo/code", headers=reading(gate, "mia"))).status_code == 404
