"""A small shop of the retail pack, written for these tests, and calls in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

import handrail.evals
from handrail.evals.packs.loader import load_pack
from handrail.evals.packs.pack import Pack, RecordsFile, read_records

RETAIL = Path(handrail.evals.__path__[0]) / "packs" / "retail"

# Items: products 1... are shirts, 2... are boots. The last digit counts the variants.
SHIRT_S, SHIRT_M, SHIRT_L, SHIRT_GONE, SHIRT_M_TWIN = (f"100000000{n}" for n in range(1, 6))
BOOT_8, BOOT_9 = "2000000001", "2000000002"
SHIRTS, BOOTS = "1111111111", "2222222222"
ANA, BEN = "ana_ruiz_1234", "ben_king_5678"
ANA_CARD, ANA_GIFT, ANA_POOR_GIFT, ANA_PAYPAL = "credit_card_1", "gift_card_1", "gift_card_2", "paypal_1"
BEN_CARD, BEN_GIFT = "credit_card_9", "gift_card_9"
PENDING, PENDING_BY_GIFT, DELIVERED, TWICE, PROCESSED, CANCELLED = (f"#W000000{n}" for n in range(1, 7))
DELIVERED_BY_GIFT, PENDING_OTHER = "#W0000007", "#W0000008"
BENS_PENDING, BENS_DELIVERED = "#W0000011", "#W0000012"
NOWHERE = "#W9999999"

PRICES = {SHIRT_S: 20.0, SHIRT_M: 25.0, SHIRT_L: 45.5, SHIRT_GONE: 20.0, SHIRT_M_TWIN: 24.0, BOOT_8: 90.0, BOOT_9: 95.1}
OPTIONS = {SHIRT_S: "S", SHIRT_M: "M", SHIRT_L: "L", SHIRT_GONE: "XL", SHIRT_M_TWIN: "M", BOOT_8: "8", BOOT_9: "9"}


def _user(name: str, email: str, zip_code: str, methods: Mapping[str, float | None]) -> JsonValue:
    first, last, _ = name.split("_")
    held: dict[str, JsonValue] = {}
    for method, balance in methods.items():
        source = method.rpartition("_")[0]
        held[method] = {"source": source, "id": method, **({} if balance is None else {"balance": balance})}
    return {
        "user_id": name,
        "name": {"first_name": first.title(), "last_name": last.title()},
        "address": {
            "address1": "1 Road",
            "address2": "",
            "city": "Town",
            "country": "USA",
            "state": "CA",
            "zip": zip_code,
        },
        "email": email,
        "payment_methods": held,
        "orders": [],
    }


def _product(name: str, items: Mapping[str, bool]) -> JsonValue:
    variants: dict[str, JsonValue] = {
        item: {"item_id": item, "options": {"size": OPTIONS[item]}, "available": there, "price": PRICES[item]}
        for item, there in items.items()
    }
    return {"name": name, "product_id": name, "variants": variants}


def _order(order: str, user: str, status: str, method: str, *items: str) -> JsonValue:
    pieces: list[JsonValue] = [
        {
            "name": "thing",
            "product_id": SHIRTS if item.startswith("1") else BOOTS,
            "item_id": item,
            "price": PRICES[item],
            "options": {"size": OPTIONS[item]},
        }
        for item in items
    ]
    paid = round(sum(PRICES[item] for item in items), 2)
    return {
        "order_id": order,
        "user_id": user,
        "items": pieces,
        "status": status,
        "payment_history": [{"transaction_type": "payment", "amount": paid, "payment_method_id": method}],
    }


def database() -> dict[str, JsonValue]:
    """The whole shop as its JSON file has it."""
    orders = [
        _order(PENDING, ANA, "pending", ANA_CARD, SHIRT_S, BOOT_8),
        _order(PENDING_BY_GIFT, ANA, "pending", ANA_GIFT, SHIRT_S),
        _order(DELIVERED, ANA, "delivered", ANA_CARD, SHIRT_S, BOOT_8),
        _order(TWICE, ANA, "delivered", ANA_CARD, SHIRT_S, SHIRT_S, SHIRT_M),
        _order(PROCESSED, ANA, "processed", ANA_CARD, SHIRT_S),
        _order(CANCELLED, ANA, "cancelled", ANA_CARD, SHIRT_S),
        _order(DELIVERED_BY_GIFT, ANA, "delivered", ANA_GIFT, SHIRT_S, SHIRT_M),
        _order(PENDING_OTHER, ANA, "pending", ANA_PAYPAL, SHIRT_M),
        _order(BENS_PENDING, BEN, "pending", BEN_CARD, SHIRT_S),
        _order(BENS_DELIVERED, BEN, "delivered", BEN_CARD, SHIRT_S),
    ]
    return {
        "products": {
            SHIRTS: _product(
                SHIRTS, {SHIRT_S: True, SHIRT_M: True, SHIRT_L: True, SHIRT_GONE: False, SHIRT_M_TWIN: True}
            ),
            BOOTS: _product(BOOTS, {BOOT_8: True, BOOT_9: True}),
        },
        "users": {
            ANA: _user(
                ANA,
                "ana@example.com",
                "90001",
                {ANA_CARD: None, ANA_GIFT: 100.0, ANA_POOR_GIFT: 5.0, ANA_PAYPAL: None},
            ),
            BEN: _user(BEN, "ben@example.com", "10001", {BEN_CARD: None, BEN_GIFT: 500.0}),
        },
        "orders": {str(order["order_id"]): order for order in orders if isinstance(order, dict)},
    }


def shop_folder(folder: Path) -> Path:
    """`folder` with the shop's database in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db.json").write_text(json.dumps(database()), encoding="utf-8")
    return folder


def retail(folder: Path) -> tuple[Pack, RecordsFile]:
    """The shipped pack, and the records of the shop, which is written to `folder`."""
    pack = load_pack(RETAIL)
    return pack, read_records(pack, shop_folder(folder))


def row(name: str, task: str, action: str, arguments: Mapping[str, JsonValue], **more: JsonValue) -> str:
    """A line of a cases file: by default Ana has been authenticated and has confirmed."""
    context: JsonValue = {"authenticated_user_id": ANA, "user_confirmed": True}
    return json.dumps(
        {"id": name, "task_id": task, "action": action, "arguments": dict(arguments), "context": context, **more}
    )
