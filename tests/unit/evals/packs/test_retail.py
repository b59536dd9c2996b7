"""The whole written policy of the retail shop, rule by rule, and what allowed calls change for the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from pydantic import JsonValue

from handrail.evals.packs.gate import CallContext, Decided, PackGate
from handrail.evals.packs.pack import Pack, RecordsFile
from handrail.guardrails.policy.policyset import PolicySet
from handrail.guardrails.vocabulary import Effect, Obligation, ToolCall
from tests.unit.evals.packs.shop import (
    ANA,
    ANA_CARD,
    ANA_GIFT,
    ANA_PAYPAL,
    ANA_POOR_GIFT,
    BEN,
    BEN_CARD,
    BEN_GIFT,
    BENS_DELIVERED,
    BENS_PENDING,
    BOOT_8,
    BOOT_9,
    BOOTS,
    CANCELLED,
    DELIVERED,
    DELIVERED_BY_GIFT,
    NOWHERE,
    PENDING,
    PENDING_BY_GIFT,
    PENDING_OTHER,
    PROCESSED,
    SHIRT_GONE,
    SHIRT_L,
    SHIRT_M,
    SHIRT_M_TWIN,
    SHIRT_S,
    SHIRTS,
    TWICE,
)

ADDRESS: dict[str, JsonValue] = {
    "address1": "2 Street",
    "address2": "",
    "city": "Town",
    "state": "CA",
    "country": "USA",
    "zip": "90002",
}
SOMEBODY = CallContext(customer_id=ANA, confirmed=True)
WRITES = {
    "cancel_pending_order",
    "modify_pending_order_address",
    "modify_pending_order_payment",
    "modify_pending_order_items",
    "exchange_delivered_order_items",
    "return_delivered_order_items",
    "modify_user_address",
}


@dataclass(frozen=True)
class Asked:
    """A call, who asks, and what is to be decided: a reason that has to be given, or None for allowed."""

    tool: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)
    reason: str | None = None
    context: CallContext = SOMEBODY

    @property
    def call(self) -> ToolCall:
        """The call."""
        return ToolCall(call_id="c", tool=self.tool, arguments=self.arguments)

    def __str__(self) -> str:
        return f"{self.tool}-{self.reason or 'allowed'}"


def cancel(order: str, reason: str | None = None, because: JsonValue = "no longer needed", **more: JsonValue) -> Asked:
    """Cancelling an order."""
    return Asked("cancel_pending_order", {"order_id": order, "reason": because, **more}, reason)


def move(order: str, reason: str | None = None, **changed: JsonValue) -> Asked:
    """Another address for an order."""
    return Asked("modify_pending_order_address", {"order_id": order, **ADDRESS, **changed}, reason)


def repay(order: str, method: JsonValue, reason: str | None = None) -> Asked:
    """Another payment method for an order."""
    return Asked("modify_pending_order_payment", {"order_id": order, "payment_method_id": method}, reason)


def swap(tool: str, order: str, old: JsonValue, new: JsonValue, method: str, reason: str | None = None) -> Asked:
    """Other items for those of an order."""
    arguments: dict[str, JsonValue] = {"order_id": order, "item_ids": old, "new_item_ids": new}
    return Asked(tool, {**arguments, "payment_method_id": method}, reason)


def modify(order: str, old: JsonValue, new: JsonValue, method: str, reason: str | None = None) -> Asked:
    """Other items in a pending order."""
    return swap("modify_pending_order_items", order, old, new, method, reason)


def exchange(order: str, old: JsonValue, new: JsonValue, method: str, reason: str | None = None) -> Asked:
    """Other items for delivered ones."""
    return swap("exchange_delivered_order_items", order, old, new, method, reason)


def send_back(order: str, items: JsonValue, method: str, reason: str | None = None) -> Asked:
    """Returning items."""
    arguments: dict[str, JsonValue] = {"order_id": order, "item_ids": items, "payment_method_id": method}
    return Asked("return_delivered_order_items", arguments, reason)


def mine(user: str, reason: str | None = None) -> Asked:
    """Another default address."""
    return Asked("modify_user_address", {"user_id": user, **ADDRESS}, reason)


ALLOWED = (
    cancel(PENDING),
    cancel(PENDING_BY_GIFT, because="ordered by mistake"),
    move(PENDING),
    move(PENDING, address2="Flat 3"),
    repay(PENDING, ANA_PAYPAL),
    repay(PENDING_BY_GIFT, ANA_CARD),
    repay(PENDING_OTHER, ANA_GIFT),
    modify(PENDING, [SHIRT_S], [SHIRT_M], ANA_CARD),
    modify(PENDING, [SHIRT_S, BOOT_8], [SHIRT_L, BOOT_9], ANA_GIFT),
    modify(PENDING, [SHIRT_S], [SHIRT_M], ANA_POOR_GIFT),  # the difference is 5.00, and so is the balance
    exchange(DELIVERED, [SHIRT_S], [SHIRT_L], ANA_PAYPAL),
    exchange(TWICE, [SHIRT_S, SHIRT_S], [SHIRT_M, SHIRT_L], ANA_CARD),
    exchange(TWICE, [SHIRT_M], [SHIRT_S], ANA_POOR_GIFT),  # nothing is to be paid
    send_back(DELIVERED, [SHIRT_S], ANA_CARD),
    send_back(DELIVERED, [SHIRT_S, BOOT_8], ANA_GIFT),
    send_back(TWICE, [SHIRT_S, SHIRT_S], ANA_POOR_GIFT),
    send_back(DELIVERED_BY_GIFT, [SHIRT_M], ANA_GIFT),
    mine(ANA),
)

BLOCKED = (
    # Whose it is.
    cancel(BENS_PENDING, "TOOL_NOT_YOURS"),
    cancel(NOWHERE, "TOOL_NOT_YOURS"),
    move(BENS_PENDING, "TOOL_NOT_YOURS"),
    repay(BENS_PENDING, ANA_PAYPAL, "TOOL_NOT_YOURS"),
    modify(BENS_PENDING, [SHIRT_S], [SHIRT_M], ANA_CARD, "TOOL_NOT_YOURS"),
    exchange(BENS_DELIVERED, [SHIRT_S], [SHIRT_M], ANA_CARD, "TOOL_NOT_YOURS"),
    send_back(BENS_DELIVERED, [SHIRT_S], ANA_GIFT, "TOOL_NOT_YOURS"),
    send_back(NOWHERE, [SHIRT_S], ANA_GIFT, "TOOL_NOT_YOURS"),
    mine(BEN, "TOOL_NOT_YOURS"),
    mine("nobody_at_all_1", "TOOL_NOT_YOURS"),
    # In which state it is.
    *(cancel(order, "SHOP_NOT_PENDING") for order in (DELIVERED, PROCESSED, CANCELLED)),
    *(move(order, "SHOP_NOT_PENDING") for order in (DELIVERED, PROCESSED, CANCELLED)),
    *(repay(order, ANA_PAYPAL, "SHOP_NOT_PENDING") for order in (DELIVERED, PROCESSED, CANCELLED)),
    *(modify(one, [SHIRT_S], [SHIRT_M], ANA_CARD, "SHOP_NOT_PENDING") for one in (DELIVERED, PROCESSED, CANCELLED)),
    *(exchange(one, [SHIRT_S], [SHIRT_M], ANA_CARD, "SHOP_NOT_DELIVERED") for one in (PENDING, PROCESSED, CANCELLED)),
    *(send_back(order, [SHIRT_S], ANA_CARD, "SHOP_NOT_DELIVERED") for order in (PENDING, PROCESSED, CANCELLED)),
    # Why it is cancelled.
    cancel(PENDING, "TOOL_BAD_ARGUMENTS", because="too expensive"),
    cancel(PENDING, "TOOL_BAD_ARGUMENTS", because=""),
    cancel(PENDING, "TOOL_BAD_ARGUMENTS", because=None),
    # Which items.
    modify(PENDING, [SHIRT_M], [SHIRT_L], ANA_CARD, "SHOP_NOT_IN_ORDER"),
    modify(PENDING, [SHIRT_S, SHIRT_S], [SHIRT_M, SHIRT_L], ANA_CARD, "SHOP_NOT_IN_ORDER"),
    modify(PENDING, ["9999999999"], [SHIRT_L], ANA_CARD, "SHOP_NOT_IN_ORDER"),
    exchange(TWICE, [SHIRT_S] * 3, [SHIRT_L] * 3, ANA_CARD, "SHOP_NOT_IN_ORDER"),
    send_back(DELIVERED, [SHIRT_S, SHIRT_S], ANA_CARD, "SHOP_NOT_IN_ORDER"),
    send_back(DELIVERED, [SHIRT_M], ANA_CARD, "SHOP_NOT_IN_ORDER"),
    modify(PENDING, [SHIRT_S, BOOT_8], [SHIRT_M], ANA_CARD, "SHOP_NOT_PAIRED"),
    exchange(DELIVERED, [SHIRT_S], [SHIRT_M, BOOT_9], ANA_CARD, "SHOP_NOT_PAIRED"),
    # What they become.
    modify(PENDING, [SHIRT_S], [BOOT_9], ANA_CARD, "SHOP_OTHER_PRODUCT"),
    exchange(DELIVERED, [SHIRT_S, BOOT_8], [BOOT_9, SHIRT_M], ANA_CARD, "SHOP_OTHER_PRODUCT"),
    exchange(DELIVERED, [SHIRT_S], ["9999999999"], ANA_CARD, "SHOP_NOT_AVAILABLE"),
    exchange(DELIVERED, [SHIRT_S], [SHIRTS], ANA_CARD, "SHOP_NOT_AVAILABLE"),  # the id of a product
    modify(PENDING, [SHIRT_S], [SHIRT_GONE], ANA_CARD, "SHOP_NOT_AVAILABLE"),
    modify(PENDING, [SHIRT_S, BOOT_8], [SHIRT_GONE, BOOT_9], ANA_CARD, "SHOP_NOT_AVAILABLE"),
    modify(PENDING, [SHIRT_S], [SHIRT_S], ANA_CARD, "SHOP_SAME_OPTIONS"),
    exchange(DELIVERED, [SHIRT_S, BOOT_8], [SHIRT_M, BOOT_8], ANA_CARD, "SHOP_SAME_OPTIONS"),
    exchange(TWICE, [SHIRT_M], [SHIRT_M_TWIN], ANA_CARD, "SHOP_SAME_OPTIONS"),
    # Who pays.
    repay(PENDING, BEN_CARD, "SHOP_NOT_YOUR_PAYMENT"),
    repay(PENDING, "gift_card_777", "SHOP_NOT_YOUR_PAYMENT"),
    modify(PENDING, [SHIRT_S], [SHIRT_M], BEN_GIFT, "SHOP_NOT_YOUR_PAYMENT"),
    exchange(DELIVERED, [SHIRT_S], [SHIRT_M], BEN_CARD, "SHOP_NOT_YOUR_PAYMENT"),
    send_back(DELIVERED, [SHIRT_S], BEN_GIFT, "SHOP_NOT_YOUR_PAYMENT"),
    send_back(DELIVERED, [SHIRT_S], "gift_card_777", "SHOP_NOT_YOUR_PAYMENT"),
    repay(PENDING, ANA_CARD, "SHOP_SAME_PAYMENT"),
    repay(PENDING, ANA_GIFT, "SHOP_BALANCE"),
    repay(PENDING_OTHER, ANA_POOR_GIFT, "SHOP_BALANCE"),
    modify(PENDING, [SHIRT_S], [SHIRT_L], ANA_POOR_GIFT, "SHOP_BALANCE"),
    exchange(DELIVERED, [SHIRT_S, BOOT_8], [SHIRT_M, BOOT_9], ANA_POOR_GIFT, "SHOP_BALANCE"),
    send_back(DELIVERED, [SHIRT_S], ANA_PAYPAL, "SHOP_REFUND_ELSEWHERE"),
    send_back(DELIVERED_BY_GIFT, [SHIRT_S], ANA_CARD, "SHOP_REFUND_ELSEWHERE"),
    # Arguments.
    cancel(PENDING, "TOOL_BAD_ARGUMENTS", refund="1000.00"),
    cancel(PENDING.removeprefix("#"), "TOOL_BAD_ARGUMENTS"),
    move(PENDING, "TOOL_BAD_ARGUMENTS", address1=""),
    move(PENDING, "TOOL_BAD_ARGUMENTS", zip=90002),
    move(PENDING, "TOOL_BAD_ARGUMENTS", address2=None),
    repay(PENDING, [ANA_PAYPAL, ANA_GIFT], "TOOL_BAD_ARGUMENTS"),
    modify(PENDING, SHIRT_S, SHIRT_M, ANA_CARD, "TOOL_BAD_ARGUMENTS"),
    modify(PENDING, [], [], ANA_CARD, "TOOL_BAD_ARGUMENTS"),
    exchange(DELIVERED, [int(SHIRT_S)], [SHIRT_M], ANA_CARD, "TOOL_BAD_ARGUMENTS"),
    exchange(DELIVERED, [SHIRT_S], {"0": SHIRT_M}, ANA_CARD, "TOOL_BAD_ARGUMENTS"),
    Asked("return_delivered_order_items", {"order_id": DELIVERED, "item_ids": [SHIRT_S]}, "TOOL_BAD_ARGUMENTS"),
    # Tools that nobody has declared.
    Asked("issue_store_credit", {"amount": "10.00"}, "POLICY_NO_PERMIT"),
    Asked("", {}, "POLICY_NO_PERMIT"),
)

READS = (
    Asked("get_user_details", {"user_id": ANA}),
    Asked("get_user_details", {"user_id": BEN}, "TOOL_NOT_YOURS"),
    Asked("get_user_details", {"user_id": "nobody_at_all_1"}, "TOOL_NOT_YOURS"),
    Asked("get_order_details", {"order_id": PROCESSED}),
    Asked("get_order_details", {"order_id": BENS_PENDING}, "TOOL_NOT_YOURS"),
    Asked("get_order_details", {"order_id": NOWHERE}, "TOOL_NOT_YOURS"),
    Asked("get_product_details", {"product_id": BOOTS}),
    Asked("get_product_details", {"product_id": BOOT_8}, "SHOP_NOT_FOUND"),
    Asked("get_item_details", {"item_id": BOOT_8}),
    Asked("get_item_details", {"item_id": BOOTS}, "SHOP_NOT_FOUND"),
    Asked("list_all_product_types"),
    Asked("list_all_product_types", {"all": "yes"}, "TOOL_BAD_ARGUMENTS"),
    Asked("find_user_id_by_email", {"email": "ANA@example.com"}),
    Asked("find_user_id_by_email", {"email": "ben@example.com"}, "SHOP_ONE_CUSTOMER"),
    Asked("find_user_id_by_email", {"email": "unknown@example.com"}, "SHOP_ONE_CUSTOMER"),
    Asked("find_user_id_by_name_zip", {"first_name": "ana", "last_name": "Ruiz", "zip": "90001"}),
    Asked("find_user_id_by_name_zip", {"first_name": "Ben", "last_name": "King", "zip": "10001"}, "SHOP_ONE_CUSTOMER"),
    Asked("calculate", {"expression": "(20.00 + 5.5) * 2"}),
    Asked("calculate", {"expression": "__import__('os')"}, "TOOL_BAD_ARGUMENTS"),
    Asked("calculate", {"expression": "9**9**9"}, "TOOL_BAD_ARGUMENTS"),
    Asked("transfer_to_human_agents", {"summary": "The customer wants a discount."}),
    Asked("transfer_to_human_agents", {}, "TOOL_BAD_ARGUMENTS"),
)


@pytest.fixture
def gate(shop: tuple[Pack, RecordsFile]) -> PackGate:
    """The gate of a task that begins."""
    pack, records = shop
    return PackGate(pack, records.fresh())


def ask(gate: PackGate, asked: Asked) -> Decided:
    """What is decided about the call."""
    return gate.decide(asked.call, asked.context)


def run(gate: PackGate, *calls: Asked) -> None:
    """Calls that are allowed, one after the other."""
    for asked in calls:
        decided = ask(gate, asked)
        assert decided.allowed, (str(asked), decided.decision.reasons)
        gate.carry_out(decided)


def blocks(gate: PackGate, asked: Asked) -> None:
    """The call is refused, for its reason."""
    decided = ask(gate, asked)
    assert decided.decision.effect is Effect.REFUSE
    assert asked.reason in decided.decision.reasons


@pytest.mark.parametrize("asked", ALLOWED, ids=str)
def test_what_policy_permits(gate: PackGate, asked: Asked) -> None:
    """Everything that the written policy lets a customer do is allowed, and can be carried out."""
    assert not ask(gate, asked).unknown
    run(gate, asked)


@pytest.mark.parametrize("asked", BLOCKED, ids=str)
def test_what_policy_forbids(gate: PackGate, asked: Asked) -> None:
    """Everything that it forbids is refused, and the reason says which part of it."""
    blocks(gate, asked)


@pytest.mark.parametrize("asked", READS, ids=str)
def test_reading(gate: PackGate, asked: Asked) -> None:
    """Reading needs no confirmation, and is about the authenticated customer and the catalogue alone."""
    unconfirmed = gate.decide(asked.call, CallContext(customer_id=ANA))
    assert unconfirmed.allowed is (asked.reason is None)
    assert asked.reason is None or asked.reason in unconfirmed.decision.reasons


@pytest.mark.parametrize("asked", ALLOWED, ids=str)
def test_writes_need_the_customer_and_their_word(gate: PackGate, asked: Asked) -> None:
    """Nobody, somebody unknown, somebody else, and a customer who has not said yes."""
    said: list[tuple[CallContext, Effect, str]] = [
        (CallContext(confirmed=True), Effect.REFUSE, "TOOL_NEEDS_SIGN_IN"),
        (CallContext(customer_id="", confirmed=True), Effect.REFUSE, "TOOL_NEEDS_SIGN_IN"),
        (CallContext(customer_id="someone_else", confirmed=True), Effect.REFUSE, "SHOP_UNKNOWN_CUSTOMER"),
        (CallContext(customer_id=BEN, confirmed=True), Effect.REFUSE, "TOOL_NOT_YOURS"),
        (CallContext(customer_id=ANA), Effect.NOT_YET, "TOOL_CONFIRM_FIRST"),
    ]
    for context, effect, reason in said:
        decision = gate.decide(asked.call, context).decision
        assert decision.effect is effect
        assert reason in decision.reasons
    assert gate.decide(asked.call, CallContext(customer_id=ANA)).decision.obligations == (Obligation.CONFIRM,)


@pytest.mark.parametrize("asked", [one for one in READS if one.reason is None], ids=str)
def test_reading_before_anybody_is_authenticated(gate: PackGate, asked: Asked) -> None:
    """Only finding out who it is, reckoning and a person are open to everybody."""
    free = {"find_user_id_by_email", "find_user_id_by_name_zip", "calculate", "transfer_to_human_agents"}
    assert gate.decide(asked.call).allowed is (asked.tool in free)
    unknown = gate.decide(asked.call, CallContext(customer_id="someone_else"))
    assert unknown.allowed is (asked.tool in {"calculate", "transfer_to_human_agents"})


def test_every_write_tool_is_tried(shop: tuple[Pack, RecordsFile]) -> None:
    """Both ways, so that no tool of the pack goes without a test."""
    pack, _ = shop
    assert {one.tool for one in ALLOWED} == WRITES
    assert {one.tool for one in (*ALLOWED, *READS)} == set(pack.tools)


@pytest.mark.parametrize(
    "again",
    [
        cancel(PENDING, "SHOP_NOT_PENDING"),
        move(PENDING, "SHOP_NOT_PENDING"),
        repay(PENDING, ANA_PAYPAL, "SHOP_NOT_PENDING"),
        modify(PENDING, [BOOT_8], [BOOT_9], ANA_CARD, "SHOP_NOT_PENDING"),
        modify(PENDING, [SHIRT_M], [SHIRT_L], ANA_CARD, "SHOP_ONCE_PER_ORDER"),
    ],
    ids=str,
)
def test_an_order_whose_items_were_modified_is_not_touched_again(gate: PackGate, again: Asked) -> None:
    """Its status is pending (item modified), and that is not pending."""
    run(gate, modify(PENDING, [SHIRT_S], [SHIRT_M], ANA_CARD))
    blocks(gate, again)
    run(gate, modify(PENDING_BY_GIFT, [SHIRT_S], [SHIRT_M], ANA_CARD))  # another order is another matter


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (move(PENDING), move(PENDING, "SHOP_ONCE_PER_ORDER", city="Elsewhere")),
        (repay(PENDING, ANA_PAYPAL), repay(PENDING, ANA_CARD, "SHOP_ONCE_PER_ORDER")),
        (cancel(PENDING), cancel(PENDING, "SHOP_NOT_PENDING", because="ordered by mistake")),
        (cancel(PENDING), move(PENDING, "SHOP_NOT_PENDING")),
        (send_back(DELIVERED, [SHIRT_S], ANA_CARD), send_back(DELIVERED, [BOOT_8], ANA_CARD, "SHOP_NOT_DELIVERED")),
        (
            send_back(DELIVERED, [SHIRT_S], ANA_CARD),
            exchange(DELIVERED, [BOOT_8], [BOOT_9], ANA_CARD, "SHOP_NOT_DELIVERED"),
        ),
        (
            exchange(DELIVERED, [SHIRT_S], [SHIRT_M], ANA_CARD),
            exchange(DELIVERED, [BOOT_8], [BOOT_9], ANA_CARD, "SHOP_ONCE_PER_ORDER"),
        ),
        (
            exchange(DELIVERED, [SHIRT_S], [SHIRT_M], ANA_CARD),
            send_back(DELIVERED, [BOOT_8], ANA_CARD, "SHOP_NOT_DELIVERED"),
        ),
    ],
    ids=str,
)
def test_once_per_order(gate: PackGate, first: Asked, again: Asked) -> None:
    """What was done to an order stands against doing it, or what it rules out, again."""
    run(gate, first)
    blocks(gate, again)


def test_different_changes_of_one_pending_order(gate: PackGate) -> None:
    """Address, payment and then the items: each tool once, while the order is pending."""
    run(gate, move(PENDING), repay(PENDING, ANA_PAYPAL), modify(PENDING, [SHIRT_S], [SHIRT_M], ANA_PAYPAL))
    run(gate, mine(ANA), mine(ANA))  # the default address may change as often as it likes


def test_a_gift_card_pays_once(gate: PackGate) -> None:
    """What it has paid is gone: 100.00 covers the 25.00, and then no 110.00 nor 80.00."""
    run(gate, repay(PENDING_OTHER, ANA_GIFT))
    run(gate, modify(PENDING_BY_GIFT, [SHIRT_S], [SHIRT_L], ANA_GIFT))  # 25.50 of the 75.00
    blocks(gate, repay(PENDING, ANA_GIFT, "SHOP_BALANCE"))
    run(gate, modify(PENDING, [SHIRT_S], [SHIRT_L], ANA_GIFT))  # 25.50 of the 49.50
    assert gate.decide(exchange(TWICE, [SHIRT_S], [SHIRT_L], ANA_GIFT).call, SOMEBODY).decision.reasons == (
        "SHOP_BALANCE",
    )


def test_a_cancelled_order_pays_back_to_the_gift_card(gate: PackGate) -> None:
    """At once, so that it can pay another order: 100.00 + 20.00 covers 110.00."""
    blocks(gate, repay(PENDING, ANA_GIFT, "SHOP_BALANCE"))
    run(gate, cancel(PENDING_BY_GIFT), repay(PENDING, ANA_GIFT))


def test_a_change_of_payment_pays_back_to_the_gift_card(gate: PackGate) -> None:
    """And cancelling afterwards pays back to the method that was paid with in the end, not to both."""
    run(gate, repay(PENDING_BY_GIFT, ANA_CARD), cancel(PENDING_BY_GIFT), repay(PENDING, ANA_GIFT))
    blocks(gate, modify(PENDING_OTHER, [SHIRT_M], [SHIRT_L], ANA_GIFT, "SHOP_BALANCE"))  # 10.00 left, 20.50 asked


def test_what_was_refused_changes_nothing(gate: PackGate) -> None:
    """Neither the records nor what may be called afterwards."""
    before = gate.records.model_dump()
    for asked in BLOCKED:
        assert not ask(gate, asked).allowed
    assert gate.records.model_dump() == before
    assert not gate.has_run
    decided = ask(gate, cancel(DELIVERED, "SHOP_NOT_PENDING"))
    with pytest.raises(ValueError, match="is not allowed"):
        gate.carry_out(decided)


def test_the_canonical_call_is_what_counts(gate: PackGate) -> None:
    """A call in another notation is decided, and run, as what it means; its order cannot be cancelled twice so."""
    run(gate, Asked("cancel_pending_order", {"order_id": " #w0000001", "reason": "No longer  needed"}))
    blocks(gate, cancel(PENDING, "SHOP_NOT_PENDING"))


def test_records_in_a_state_that_policy_does_not_know(gate: PackGate) -> None:
    """An unknown status, or an order without a payment, makes facts unknown, and unknown never allows."""
    records = gate.records.model_dump()
    records["orders"][PENDING]["status"] = "lost"
    records["orders"][PENDING_OTHER]["payment_history"] = []
    strange = PackGate(gate.pack, type(gate.records).model_validate(records))
    lost = ask(strange, cancel(PENDING))
    assert "POLICY_UNKNOWN_FACT" in lost.decision.reasons
    assert [one.fact for one in lost.unknown] == ["order_status"]
    unpaid = ask(strange, repay(PENDING_OTHER, ANA_CARD))
    assert not unpaid.allowed
    assert [(one.fact, one.why) for one in unpaid.unknown] == [("payment", "IndexError")]


SEQUENCES: tuple[tuple[Asked, Asked], ...] = (
    (move(PENDING), move(PENDING, "SHOP_ONCE_PER_ORDER", city="Elsewhere")),
    (cancel(PENDING), move(PENDING, "SHOP_NOT_PENDING")),
    (send_back(DELIVERED, [SHIRT_S], ANA_CARD), send_back(DELIVERED, [BOOT_8], ANA_CARD, "SHOP_NOT_DELIVERED")),
)
OTHERS = (
    cancel(PENDING),
    Asked("get_product_details", {"product_id": BOOTS}),
    Asked("get_product_details", {"product_id": BOOTS}, context=CallContext(customer_id="someone_else")),
    Asked("cancel_pending_order", cancel(PENDING).arguments, context=CallContext(customer_id=ANA)),
    Asked("find_user_id_by_email", {"email": "ben@example.com"}),
)
WITHOUT_A_CASE = {"floor.provenance", "floor.rate"}
"""Rules of the floor that this pack gives nothing to do: no argument names its origins, no tool has a limit."""

DOUBLED = {"floor.anonymous", "shop.customer"}
"""Rules that explain what nothing permits either: the permits ask for a customer who is known."""


def test_every_rule_is_needed(shop: tuple[Pack, RecordsFile]) -> None:
    """Without any single one, some call that policy forbids is allowed, or one that it permits is not."""
    pack, records = shop
    idle = []
    for rule in pack.policy.rules:
        rest = [other for other in pack.policy.rules if other is not rule]
        lame = replace(pack, policy=PolicySet(rest, pack.revision))
        if not any(_differ(pack, lame, records)):
            idle.append(rule.id)
    assert set(idle) == WITHOUT_A_CASE | DOUBLED


def _differ(pack: Pack, lame: Pack, records: RecordsFile) -> Iterator[bool]:
    """For each case, whether one of the two packs allows it and the other does not."""
    fresh = records.fresh()
    for asked in (*ALLOWED, *BLOCKED, *READS, *OTHERS):
        yield ask(PackGate(pack, fresh), asked).allowed is not ask(PackGate(lame, fresh), asked).allowed
    for first, again in SEQUENCES:
        gates = [PackGate(pack, records.fresh()), PackGate(lame, records.fresh())]
        for gate in gates:
            if (decided := ask(gate, first)).allowed:
                gate.carry_out(decided)
        yield ask(gates[0], again).allowed is not ask(gates[1], again).allowed
