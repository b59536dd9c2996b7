"""What belongs to whom in the sample company, read from its seed alone: a judge must not ask the code it judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from handrail.agent.company.seed_file import read_seed


@dataclass(frozen=True, slots=True)
class Estate:
    """Ids of things with their owner (a customer for devices, else an account), and how each person is recognised."""

    owner: Mapping[str, str]
    account: Mapping[str, str]
    person: Mapping[str, tuple[str, ...]]

    def belongs(self, thing: str, customer: str | None) -> bool:
        """Whether the customer may deal with `thing`; what is nobody's is everybody's."""
        owner = self.owner.get(thing)
        return owner is None or (customer is not None and owner in {customer, self.account.get(customer)})

    def strangers(self, customer: str | None) -> tuple[str, ...]:
        """Full names, e-mail addresses and telephone numbers of everybody else."""
        return tuple(word for name, words in self.person.items() if name != customer for word in words)


@cache
def sample_estate() -> Estate:
    """The sample company's."""
    content = read_seed()
    owner = {one.id: one.account for one in content.subscriptions}
    owner |= {one.id: one.account for one in content.invoices}
    owner |= {one.id: one.account for one in content.workspaces}
    owner |= {device.id: customer.id for customer in content.customers for device in customer.devices}
    return Estate(
        owner=owner,
        account={customer.id: customer.account for customer in content.customers},
        person={
            customer.id: tuple(word for word in (customer.name, customer.email, customer.phone) if word is not None)
            for customer in content.customers
        },
    )
