"""Reads invoices of the signed-in customer's account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from handrail.agent.company.desk import Arguments, CallArguments, CompanyTool, Desk, read_arguments
from handrail.agent.company.money import to_text
from handrail.agent.company.records import Invoice, find_invoices
from handrail.agent.ports import ToolRefused
from handrail.guardrails.toolspec import Access
from handrail.guardrails.vocabulary import FactContent

MOST = 12
"""Invoices that one list holds."""

InvoiceId = Annotated[str, Field(pattern=r"^INV-[0-9]{4,8}$")]

NO_SUCH_INVOICE = "the customer's account has no invoice with this number"
"""Said of an invoice that does not exist and of somebody else's alike."""

_NO_BILLING = "the customer's role does not see billing; an owner, administrator or billing contact of the account does"


class ListInvoices(CallArguments):
    """All invoices, or those of one status."""

    status: Literal["open", "paid", "overdue", "void"] | None = None


class GetInvoice(CallArguments):
    """One invoice by its number."""

    invoice_id: InvoiceId


def owned_invoice(desk: Desk, invoice_id: str) -> Invoice | None:
    """The invoice, if it belongs to the account of the signed-in customer."""
    if desk.known_customer is None:
        return None
    found = find_invoices(desk.connection, desk.known_customer.account_id, invoice_id)
    return found[0] if found else None


def _list_facts(desk: Desk, _arguments: Arguments) -> dict[str, FactContent]:
    return {"role_allows": desk.known_customer is not None and desk.known_customer.sees_billing}


def _list(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(ListInvoices, arguments)
    if not desk.customer.sees_billing:
        raise ToolRefused(_NO_BILLING)
    found = find_invoices(desk.connection, desk.customer.account_id)
    chosen = [invoice for invoice in found if wanted.status in {None, invoice.status}]
    return {"invoices": [_summary(invoice) for invoice in chosen[:MOST]]}


def _get_facts(desk: Desk, arguments: Arguments) -> dict[str, FactContent]:
    wanted = read_arguments(GetInvoice, arguments)
    return {"owned": owned_invoice(desk, wanted.invoice_id) is not None, **_list_facts(desk, arguments)}


def _get(desk: Desk, arguments: Arguments) -> dict[str, JsonValue]:
    wanted = read_arguments(GetInvoice, arguments)
    if not desk.customer.sees_billing:
        raise ToolRefused(_NO_BILLING)
    invoice = owned_invoice(desk, wanted.invoice_id)
    if invoice is None:
        raise ToolRefused(NO_SUCH_INVOICE)
    return {
        **_summary(invoice),
        "description": invoice.description,
        "refundable_amount": to_text(invoice.refundable_minor),
        "payments": [
            {
                "paid_on": payment.paid_on.isoformat(),
                "amount": to_text(payment.amount_minor),
                "method": payment.method,
                "last_four": payment.last_four,
            }
            for payment in invoice.payments
        ],
    }


def _summary(invoice: Invoice) -> dict[str, JsonValue]:
    return {
        "invoice_id": invoice.invoice_id,
        "issued_on": invoice.issued_on.isoformat(),
        "amount": to_text(invoice.amount_minor),
        "currency": invoice.currency,
        "status": invoice.status,
        "paid_amount": to_text(invoice.paid_minor),
        "refunded_amount": to_text(invoice.refunded_minor),
        "times_paid": len(invoice.payments),
    }


LIST_INVOICES = CompanyTool("list_invoices", Access.READ, _list_facts, _list)
GET_INVOICE = CompanyTool("get_invoice", Access.READ, _get_facts, _get)
