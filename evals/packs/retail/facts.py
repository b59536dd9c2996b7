"""The shop's records, what they say of a call, and what an allowed call changes in them.

A function states the fact of its name; None, or an error, makes it unknown. A function called like a tool changes the
records as the tool does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel

from handrail.evals.packs.call import Call

GIFT_CARD = "gift_card"


class Item(BaseModel):
    """One piece of an order, with the price that was paid for it."""

    item_id: str
    product_id: str
    price: Decimal
    options: dict[str, str]


class Payment(BaseModel):
    """One movement of money: a payment, or a refund."""

    transaction_type: str
    amount: Decimal
    payment_method_id: str


class Order(BaseModel):
    """An order. `changed_by` are the tools that have changed it."""

    user_id: str
    items: list[Item]
    status: str
    payment_history: list[Payment]
    changed_by: list[str] = []


class Method(BaseModel):
    """A payment method; only a gift card has a balance."""

    source: str
    balance: Decimal | None = None


class User(BaseModel):
    """The profile of a customer."""

    name: dict[str, str]
    address: dict[str, str]
    email: str
    payment_methods: dict[str, Method]


class Variant(BaseModel):
    """One item that can be bought."""

    options: dict[str, str]
    available: bool
    price: Decimal


class Product(BaseModel):
    """A type of product with its variants by item id."""

    product_id: str
    variants: dict[str, Variant]


class Records(BaseModel):
    """The database of the shop."""

    products: dict[str, Product]
    users: dict[str, User]
    orders: dict[str, Order]


@dataclass(frozen=True, slots=True)
class Swap:
    """An item of an order, and what it is to become; None where there is no such thing."""

    old: Item | None
    product: Product | None
    new: Variant | None


def customer_known(call: Call, records: Records) -> bool:
    return call.customer_id in records.users


def finds_somebody_else(call: Call, records: Records) -> bool:
    """While nobody is authenticated, searching is how that is done."""
    return call.customer_id is not None and set(_found(call, records)) != {call.customer_id}


def in_catalogue(call: Call, records: Records) -> bool:
    if call.tool == "get_product_details":
        return call.text("product_id") in records.products
    return _product_with(call.text("item_id"), records) is not None


def owned(call: Call, records: Records) -> bool:
    if "user_id" in call.arguments:
        return call.text("user_id") == call.customer_id
    order = _order(call, records)
    return order is not None and order.user_id == call.customer_id


def order_status(call: Call, records: Records) -> str | None:
    order = _order(call, records)
    return None if order is None else order.status


def changed_before(call: Call, records: Records) -> bool | None:
    order = _order(call, records)
    if order is None:
        return None
    # A pending order that was paid more than once has had its payment changed.
    paid_anew = call.tool == "modify_pending_order_payment" and len(order.payment_history) != 1
    return paid_anew or call.tool in order.changed_by


def items_in_order(call: Call, records: Records) -> bool | None:
    order = _order(call, records)
    return None if order is None else Counter(call.texts("item_ids")) <= Counter(item.item_id for item in order.items)


def one_new_item_each(call: Call, _: Records) -> bool:
    return len(call.texts("item_ids")) == len(call.texts("new_item_ids"))


def same_product(call: Call, records: Records) -> bool:
    return all(
        swap.old is not None and swap.product is not None and swap.old.product_id == swap.product.product_id
        for swap in _swaps(call, records)
    )


def new_items_available(call: Call, records: Records) -> bool:
    return all(swap.new is not None and swap.new.available for swap in _swaps(call, records))


def options_differ(call: Call, records: Records) -> bool | None:
    swaps = list(_swaps(call, records))
    if any(swap.old is None or swap.new is None for swap in swaps):
        return None
    return all(swap.old and swap.new and swap.old.options != swap.new.options for swap in swaps)


def payment(call: Call, records: Records) -> str | None:
    order, method = _order(call, records), _method(call, records)
    if method is None:
        return "foreign"
    if order is None:
        return None
    if call.text("payment_method_id") == order.payment_history[0].payment_method_id:
        return "original"
    return "gift_card" if method.source == GIFT_CARD else "other"


def covered(call: Call, records: Records) -> bool | None:
    order, method = _order(call, records), _method(call, records)
    if order is None or method is None:
        return None
    asked = _paid(order) if call.tool == "modify_pending_order_payment" else _difference(call, records)
    if asked is None:
        return None
    return method.source != GIFT_CARD or (method.balance is not None and asked <= method.balance)


def cancel_pending_order(call: Call, records: Records) -> None:
    order = _changed(call, records)
    order.status = "cancelled"
    for method_id in dict.fromkeys(payment.payment_method_id for payment in order.payment_history):
        paid = _paid(order, method_id)
        if paid > 0:
            _move(order, records, method_id, -paid)


def modify_pending_order_address(call: Call, records: Records) -> None:
    _changed(call, records)


def modify_pending_order_payment(call: Call, records: Records) -> None:
    order = _changed(call, records)
    total, original = _paid(order), order.payment_history[0].payment_method_id
    _move(order, records, call.text("payment_method_id"), total)
    _move(order, records, original, -total)


def modify_pending_order_items(call: Call, records: Records) -> None:
    difference = _difference(call, records)
    order = _changed(call, records)
    order.status = "pending (item modified)"
    if difference:
        _move(order, records, call.text("payment_method_id"), difference)
    for old, new in zip(call.texts("item_ids"), call.texts("new_item_ids"), strict=True):
        item = next(item for item in order.items if item.item_id == old)
        bought = records.products[item.product_id].variants[new]
        item.item_id, item.price, item.options = new, bought.price, bought.options


def exchange_delivered_order_items(call: Call, records: Records) -> None:
    _changed(call, records).status = "exchange requested"


def return_delivered_order_items(call: Call, records: Records) -> None:
    _changed(call, records).status = "return requested"


def modify_user_address(call: Call, records: Records) -> None:
    records.users[call.text("user_id")].address["zip"] = call.text("zip")


def _order(call: Call, records: Records) -> Order | None:
    return records.orders.get(call.text("order_id"))


def _changed(call: Call, records: Records) -> Order:
    order = records.orders[call.text("order_id")]
    order.changed_by.append(call.tool)
    return order


def _method(call: Call, records: Records) -> Method | None:
    user = records.users.get(call.customer_id or "")
    return None if user is None else user.payment_methods.get(call.text("payment_method_id"))


def _paid(order: Order, method_id: str | None = None) -> Decimal:
    """What has been paid for an order (with one payment method, if it is named) and not been refunded."""
    moved = [one for one in order.payment_history if method_id in {None, one.payment_method_id}]
    return sum((one.amount if one.transaction_type == "payment" else -one.amount for one in moved), Decimal(0))


def _move(order: Order, records: Records, method_id: str, amount: Decimal) -> None:
    """A payment of `amount`, or a refund of it where it is negative."""
    kind = "payment" if amount > 0 else "refund"
    order.payment_history.append(Payment(transaction_type=kind, amount=abs(amount), payment_method_id=method_id))
    method = records.users[order.user_id].payment_methods.get(method_id)
    if method is not None and method.balance is not None:
        method.balance -= amount


def _product_with(item_id: str, records: Records) -> Product | None:
    return next((product for product in records.products.values() if item_id in product.variants), None)


def _swaps(call: Call, records: Records) -> Iterator[Swap]:
    """Each item with its new one, as far as there are both."""
    order = _order(call, records)
    held = {} if order is None else {item.item_id: item for item in order.items}
    for old, new in zip(call.texts("item_ids"), call.texts("new_item_ids"), strict=False):
        product = _product_with(new, records)
        yield Swap(held.get(old), product, None if product is None else product.variants[new])


def _difference(call: Call, records: Records) -> Decimal | None:
    """What the new items cost more than was paid for the old ones; unknown when one of them does not exist."""
    swaps = list(_swaps(call, records))
    known = [swap.new.price - swap.old.price for swap in swaps if swap.old is not None and swap.new is not None]
    return sum(known, Decimal(0)) if len(known) == len(swaps) else None


def _found(call: Call, records: Records) -> Iterator[str]:
    """The ids of the users whom all words of a search fit."""
    for name, user in records.users.items():
        known = {"email": user.email, "zip": user.address["zip"], **user.name}
        if all(call.text(word).casefold() == known[word].casefold() for word in call.arguments):
            yield name
