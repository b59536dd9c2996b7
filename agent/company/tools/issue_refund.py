"""Pays back an invoice, whole or in part, to the method it was paid with."""

from __future__ import annotations

import secrets
from typing import Annotated

from pydantic import Field, JsonValue
from sqlalchemy import insert, update

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.money import to_minor, to_text
from handrail.agent.company.outbox import MessageKind, send
from handrail.agent.company.records import find_subscription
from handrail.agent.company.tables import invoices, refunds
from handrail.agent.company.tools.invoices import NO_SUCH_INVOICE, InvoiceId, owned_invoice
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent


class IssueRefund(CallArguments):
    """Which invoice, and how much in its own currency."""

    invoice_id: InvoiceId
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,9}\.[0-9]{2}$")]


def _facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(IssueRefund, arguments)
    customer = desk.known_customer
    allowed = customer is not None and customer.changes_billing
    invoice = owned_invoice(desk, wanted.invoice_id)
    if invoice is None:
        return {"owned": False, "role_allows": allowed}
    amount = to_minor(wanted.amount)
    facts: dict[str, FactContent] = {
        "owned": True,
        "role_allows": allowed,
        "invoice_status": invoice.status,
        "currency": invoice.currency,
        "amount_minor": amount,
        "paid_minor": invoice.paid_minor,
        "refundable_minor": invoice.refundable_minor,
        "duplicate_minor": invoice.duplicate_minor,
        "amount_within_paid": 0 < amount <= invoice.refundable_minor,
        "duplicate_payment": invoice.duplicate_minor > 0,
        "already_refunded": invoice.refunded_minor > 0,
    }
    if invoice.payments:
        facts["days_since_payment"] = (desk.today - invoice.payments[0].paid_on).days
        facts["last_four"] = invoice.payments[0].last_four
    subscription = find_subscription(desk.connection, invoice.account_id)
    if subscription is not None:
        facts["cycle"] = subscription.cycle
    return facts


def _run(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(IssueRefund, arguments)
    customer = desk.customer
    invoice = owned_invoice(desk, wanted.invoice_id)
    if invoice is None:
        raise ToolRefused(NO_SUCH_INVOICE)
    if not customer.changes_billing:
        raise ToolRefused("only an owner or a finance contact of the account may ask for a refund")
    amount = to_minor(wanted.amount)
    if not 0 < amount <= invoice.refundable_minor:
        raise ToolRefused("the amount is more than was paid and not yet refunded, or nothing")
    refund_id = f"RF-{secrets.randbelow(10**8):08d}"
    refunded = invoice.refunded_minor + amount
    desk.connection.execute(
        insert(refunds).values(
            id=refund_id,
            invoice_id=invoice.invoice_id,
            amount_minor=amount,
            at=desk.now,
            customer_id=customer.customer_id,
        )
    )
    desk.connection.execute(update(invoices).where(invoices.c.id == invoice.invoice_id).values(refunded_minor=refunded))
    text = f"Refund {refund_id} of {to_text(amount)} {invoice.currency} for invoice {invoice.invoice_id} is on its way."
    send(desk.connection, customer, MessageKind.NOTICE, "email", text, desk.now)
    return {
        "refund_id": refund_id,
        "invoice_id": invoice.invoice_id,
        "amount": to_text(amount),
        "currency": invoice.currency,
        "refundable_amount": to_text(invoice.paid_minor - refunded),
    }


ISSUE_REFUND = CompanyTool("issue_refund", Access.WRITE, _facts, _run)
