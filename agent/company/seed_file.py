"""The shapes of `seed.yaml`, and reading it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from handrail.guardrails.errors import ConfigError
from handrail.guardrails.vocabulary import FactContent, Frozen

SEED_FILE = Path(__file__).with_name("seed.yaml")

Amount = Annotated[str, Field(pattern=r"^\d{1,9}\.\d{2}$")]
Days = Annotated[int, Field(ge=0)]
Region = Literal["eu", "us"]
Source = Literal["crm", "billing", "product", "support"]


class AccountSeed(Frozen):
    """An account."""

    id: str
    name: str
    region: Region
    created_days_ago: Days


class SubscriptionSeed(Frozen):
    """The contract of an account."""

    id: str
    account: str
    plan: Literal["trial", "team", "business", "enterprise"]
    seats: Annotated[int, Field(gt=0)]
    cycle: Literal["monthly", "annual"]
    price: Amount
    currency: Literal["EUR", "USD"]
    status: Literal["active", "trialing", "past_due", "ending", "ended"]
    renews_in_days: int


class EventSeed(Frozen):
    """Something that happened to a customer."""

    kind: str
    minutes_ago: Annotated[int, Field(ge=0)]
    source: Source
    details: dict[str, str] = {}


class DeviceSeed(Frozen):
    """A second factor."""

    id: str
    kind: Literal["app", "sms", "security_key"]
    label: str
    added_days_ago: Days
    used_days_ago: Days | None = None


class CustomerSeed(Frozen):
    """A person. `attributes` are what systems know beyond the records; `missing` are attributes that nobody knows."""

    id: str
    about: str
    account: str
    name: str
    email: str
    phone: str | None = None
    role: Literal["admin", "agent", "it", "finance", "end_user"]
    owner: bool = False
    language: str
    time_zone: str
    sign_in_locked: bool = False
    created_days_ago: Days
    observed_days_ago: Days = 0
    attributes: dict[str, FactContent] = {}
    missing: tuple[str, ...] = ()
    events: tuple[EventSeed, ...] = ()
    devices: tuple[DeviceSeed, ...] = ()


class PaymentSeed(Frozen):
    """A payment of an invoice."""

    days_ago: Days
    amount: Amount
    method: str
    last_four: Annotated[str, Field(pattern=r"^\d{4}$")]


class InvoiceSeed(Frozen):
    """An invoice with its payments."""

    id: Annotated[str, Field(pattern=r"^INV-\d{4}$")]
    account: str
    issued_days_ago: Days
    description: str
    amount: Amount
    refunded: Amount = "0.00"
    status: Literal["open", "paid", "overdue", "void"]
    payments: tuple[PaymentSeed, ...]


class WorkspaceSeed(Frozen):
    """A workspace."""

    id: str
    account: str
    name: str
    members: Annotated[int, Field(ge=0)]


class ComponentSeed(Frozen):
    """A line of the status page, with its state in both regions."""

    name: str
    eu: Literal["operational", "degraded", "outage"]
    us: Literal["operational", "degraded", "outage"]


class IncidentSeed(Frozen):
    """An incident of the status page."""

    id: str
    title: str
    component: str
    region: Region
    impact: Literal["partial", "major"]
    status: Literal["investigating", "identified", "monitoring", "resolved"]
    started_minutes_ago: int
    updated_minutes_ago: int
    message: str


class SeedFile(Frozen):
    """Everything in `seed.yaml`; references between its parts hold."""

    accounts: tuple[AccountSeed, ...]
    subscriptions: tuple[SubscriptionSeed, ...]
    customers: tuple[CustomerSeed, ...]
    invoices: tuple[InvoiceSeed, ...]
    workspaces: tuple[WorkspaceSeed, ...]
    components: tuple[ComponentSeed, ...]
    incidents: tuple[IncidentSeed, ...]

    def account(self, account_id: str) -> AccountSeed:
        """The account with this id."""
        return next(account for account in self.accounts if account.id == account_id)

    def subscription(self, account_id: str) -> SubscriptionSeed:
        """The subscription of this account."""
        return next(subscription for subscription in self.subscriptions if subscription.account == account_id)

    @model_validator(mode="after")
    def _whole(self) -> SeedFile:
        known = {account.id for account in self.accounts}
        contracted = {subscription.account for subscription in self.subscriptions}
        owners = {subscription.id: subscription.account for subscription in self.subscriptions}
        owners |= {customer.id: customer.account for customer in self.customers}
        owners |= {invoice.id: invoice.account for invoice in self.invoices}
        owners |= {workspace.id: workspace.account for workspace in self.workspaces}
        problems = [
            f"{item}: there is no account {account}" for item, account in owners.items() if account not in known
        ]
        problems += [f"{account} has no subscription" for account in sorted(known - contracted)]
        if problems:
            raise ValueError("; ".join(problems))
        return self


@cache
def read_seed(path: Path = SEED_FILE) -> SeedFile:
    """The sample's records, or ConfigError with everything wrong in the file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return SeedFile.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ConfigError([f"{path.name}: {item['loc']}: {item['msg']}" for item in error.errors()]) from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError([f"cannot read the sample company's records {path}: {error}"]) from error
