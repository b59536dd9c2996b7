"""Packs that cannot be used say so, all at once, each problem with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handrail.evals.packs.loader import load_pack
from handrail.evals.packs.opening import open_run
from handrail.evals.packs.pack import read_records
from handrail.guardrails.errors import ConfigError
from tests.unit.evals.packs.conftest import Folder
from tests.unit.evals.packs.shop import RETAIL, database

CANCEL = "tools/cancel_pending_order.yaml"


def test_the_shipped_pack_loads() -> None:
    """Every fact and every write tool of it has its function."""
    pack = load_pack(RETAIL)
    declared = {fact.name for tool in pack.tools.values() for fact in tool.facts}
    assert set(pack.functions.facts) == declared
    assert {tool.id for tool in pack.tools.values() if tool.access.value == "write"} == set(pack.functions.effects)


def test_the_revision_follows_every_file(pack_folder: Folder) -> None:
    """YAML and Python alike."""
    revisions = [load_pack(pack_folder.path).revision]
    for file in ("facts.py", "rules/items.yaml", "tools/calculate.yaml", "pack.yaml"):
        pack_folder.add(file, "# another word\n")
        revisions.append(load_pack(pack_folder.path).revision)
    assert len(set(revisions)) == len(revisions)
    assert load_pack(RETAIL).revision == revisions[0]


def test_a_fact_without_a_function(pack_folder: Folder) -> None:
    """It is named where YAML declares it."""
    pack_folder.edit("facts.py", "def changed_before(", "def changed_bofore(")
    line = pack_folder.line(CANCEL.replace("cancel_pending_order", "modify_pending_order_items"), "changed_before")
    problems = pack_folder.problems()
    assert problems == [
        f"tools/{tool}.yaml:{pack_folder.line(f'tools/{tool}.yaml', 'changed_before')}: facts.py has no function "
        "changed_before; add `def changed_before(call, records)` to it"
        for tool in (
            "exchange_delivered_order_items",
            "modify_pending_order_address",
            "modify_pending_order_items",
            "modify_pending_order_payment",
        )
    ]
    assert any(f":{line}:" in problem for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "def owned(call: Call, records: Records)",
            "def owned(call: Call)",
            "owned has to take a call and the records",
        ),
        (
            "def owned(call: Call, records: Records)",
            "def owned(call: Call, records: Records, more: int)",
            "owned has to take a call and the records",
        ),
        ("def customer_known(", "customer_known = True\n\n\ndef customer_is_known(", "customer_known is no function"),
        ("class Records(BaseModel):", "class Shop(BaseModel):", "there is no class Records"),
        ("class Records(BaseModel):", "class Records:", "there is no class Records"),
        ("GIFT_CARD = ", "GIFT_CARD = 1 / 0\nGIFT_CARDS = ", "ZeroDivisionError: division by zero"),
        ("GIFT_CARD = ", "GIFT_CARD == = ", "not Python: invalid syntax"),
        ("from collections import Counter", "from collections import Count", "ImportError: cannot import name 'Count'"),
    ],
)
def test_a_python_file_that_cannot_be_used(pack_folder: Folder, old: str, new: str, said: str) -> None:
    """Wrong functions, no records, and whatever the file raises when it is loaded."""
    pack_folder.edit("facts.py", old, new)
    problems = pack_folder.problems()
    assert [problem for problem in problems if problem.startswith("facts.py:") and said in problem]
    if "GIFT_CARD" in old:
        assert problems[0].startswith(f"facts.py:{pack_folder.line('facts.py', new.splitlines()[0])}: ")


def test_everything_wrong_is_said_at_once(pack_folder: Folder) -> None:
    """In the tools, the rules, the reasons and the manifest, each with its line."""
    pack_folder.edit(CANCEL, "title: {en: ", "title: {de: ")
    pack_folder.edit("rules/items.yaml", "SHOP_NOT_AVAILABLE", "SHOP_NOT_AVAILABEL")
    pack_folder.edit("rules/orders.yaml", "call_changed_before", "call_changed_befor")
    pack_folder.edit("rules/payment.yaml", "call_payment: other", "call_payment: othr")
    pack_folder.edit("rules/access.yaml", "[get_product_details, get_item_details]", "[get_product_detail]")
    pack_folder.edit("reasons/shop.yaml", "- code: SHOP_NOT_FOUND", "- code: TOOL_NOT_YOURS")
    pack_folder.add("rules/more.yml", "rules: []\n")
    said = {
        f"{CANCEL}:{pack_folder.line(CANCEL, 'title')}: the text is missing in en",
        f"rules/items.yaml:{pack_folder.line('rules/items.yaml', 'AVAILABEL')}: there is no reason code",
        f"rules/orders.yaml:{pack_folder.line('rules/orders.yaml', 'befor:')}: ",
        f"rules/payment.yaml:{pack_folder.line('rules/payment.yaml', 'othr')}: ",
        f"reasons/shop.yaml:{pack_folder.line('reasons/shop.yaml', 'TOOL_NOT_YOURS')}: the id TOOL_NOT_YOURS is taken",
        "rules/more.yml:1: nothing reads this file",
    }
    problems = pack_folder.problems()
    assert {one for one in said if not any(problem.startswith(one) for problem in problems)} == set()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            "{id: a.b, stage: apply_policy, reason: SHOP_OPEN, why: no, effect: allow}",
            "decide at authorize_tools, not at",
        ),
        (
            "{id: a.b, stage: authorize_tools, reason: SHOP_OPEN, why: no, when: {need_state: unknown}, effect: allow}",
            "need_state",
        ),
        (
            "{id: floor.schema, stage: authorize_tools, reason: SHOP_OPEN, why: no, effect: allow}",
            "floor.schema is taken",
        ),
        (
            "{id: a, stage: authorize_tools, reason: SHOP_OPEN, why: no, tools: [calculate], when: {call_owned: true}}",
            "call_owned",
        ),
    ],
)
def test_rules_that_a_pack_cannot_have(pack_folder: Folder, rule: str, said: str) -> None:
    """Other stages, facts that no call has when it stands alone, the floor's own rules, facts of other tools."""
    pack_folder.add("rules/own.yaml", f"rules:\n  - {rule}\n")
    (problem,) = pack_folder.problems()
    assert problem.startswith("rules/own.yaml:2: ")
    assert said in problem


def test_a_fact_called_like_a_tool(pack_folder: Folder) -> None:
    """Both would be the same function."""
    pack_folder.edit("tools/get_item_details.yaml", "name: in_catalogue", "name: calculate")
    assert any("the fact calculate is called like a tool" in problem for problem in pack_folder.problems())


def test_files_that_are_missing(pack_folder: Folder, tmp_path: Path) -> None:
    """The folder, the manifest, the functions."""
    with pytest.raises(ConfigError, match="there is no pack folder"):
        load_pack(tmp_path / "nowhere")
    pack_folder.edit("pack.yaml", "version: 0.1.0", "version: one")
    assert [problem.split(": ")[:2] for problem in pack_folder.problems()] == [["pack.yaml:2", "version"]]
    (pack_folder.path / "facts.py").unlink()
    (pack_folder.path / "pack.yaml").unlink()
    assert [problem.split(": ")[0] for problem in pack_folder.problems()] == ["facts.py:1", "pack.yaml:1"]


def test_two_packs_with_a_file_of_the_same_name(pack_folder: Folder) -> None:
    """Each keeps its own functions, and loading one twice is loading it again."""
    pack_folder.edit("facts.py", "return call.customer_id in records.users", "return False")
    other, shipped = load_pack(pack_folder.path), load_pack(RETAIL)
    known = "customer_known"
    assert other.functions.facts[known] is not shipped.functions.facts[known]
    assert other.functions.digest != shipped.functions.digest


def test_records_that_do_not_fit(tmp_path: Path) -> None:
    """Missing, no JSON, or of another shape: with the place in it, and without its values."""
    pack = load_pack(RETAIL)
    with pytest.raises(ConfigError, match=r"db\.json:1: cannot read the records"):
        read_records(pack, tmp_path)
    (tmp_path / "db.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"db\.json:1: the file: invalid JSON"):
        read_records(pack, tmp_path)
    shop = json.dumps(database()).replace('"status": "processed"', '"state": "secret"')
    (tmp_path / "db.json").write_text(shop, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_records(pack, tmp_path)
    assert [problem.removeprefix(str(tmp_path)) for problem in caught.value.problems] == [
        "/db.json:1: orders.#W0000005.status: field required"
    ]


def test_a_pack_without_records_of_its_own(pack_folder: Folder, data: Path, tmp_path: Path) -> None:
    """It can be used from Python; the command says what it lacks, and of every write tool what it changes."""
    pack_folder.edit("pack.yaml", "records: db.json\n", "")
    pack_folder.edit("facts.py", "def modify_user_address(", "def _modify_user_address(")
    assert load_pack(pack_folder.path).manifest.records is None
    with pytest.raises(ConfigError) as caught:
        open_run(pack_folder.path, data, tmp_path / "no_cases.jsonl")
    effect, records, cases = caught.value.problems
    assert "tools/modify_user_address.yaml:1: facts.py does not say what modify_user_address changes" in effect
    assert "the pack names no records" in records
    assert "cannot read the cases" in cases
