"""The operator of the sample installation: made once, so that handoffs can be tried out without setting anything up."""

from __future__ import annotations

from typing import Protocol

from handrail.agent.operators import Operator
from handrail.agent.server.keys import DEMO, demo_password
from handrail.agent.settings import Company, Settings

DISPLAY = "Robin"
"""What customers see; no customer of the sample company is called so."""


class Accounts(Protocol):
    """Where operators' accounts are kept; `Operators` has the details."""

    async def add(self, name: str, display: str, password: str, queues: tuple[str, ...] = ()) -> Operator:
        """Make an account."""
        ...

    async def list(self) -> tuple[Operator, ...]:
        """Every account."""
        ...


async def ensure_demo_operator(accounts: Accounts, settings: Settings) -> None:
    """Make the account `demo` unless it is there, or the company is a real one. Raises ConfigError as `keys_of`."""
    if settings.company is not Company.SAMPLE:
        return
    if DEMO not in {each.name for each in await accounts.list()}:
        await accounts.add(DEMO, DISPLAY, demo_password(settings).get_secret_value())
