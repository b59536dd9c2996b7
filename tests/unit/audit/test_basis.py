"""The basis of a turn, as it is written and read back."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import JsonValue

from handrail.agent.audit.basis import NoBasis, read, written
from handrail.agent.audit.canonical import canonical
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import load
from handrail.guardrails.detect.masking import mask_json
from handrail.guardrails.policy.facts import FactKind, fact
from handrail.guardrails.vocabulary import FactContent, FactUsed


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(Path(str(files("handrail.guardrails") / "policies")))


def stored(details: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Details as they come back from the log: masked, as canonical JSON."""
    masked = mask_json(details)
    assert isinstance(masked, dict)
    found = json.loads(canonical(masked))
    assert isinstance(found, dict)
    return found


def test_what_is_written_is_read_back() -> None:
    """Sets stay sets, numbers keep their type, unknown facts say why, ages and earlier memberships stay exact."""
    facts = [
        fact("signals", ("FRUSTRATION", "RESOLVED"), "detection"),
        fact("company_open", content=False, source="clock"),
        fact("confidence", 1.0, "detection"),
        FactUsed(name="plan", content="team", source="billing", age_seconds=86_400.123456),
        FactUsed(name="role", content=None, source="crm", age_seconds=9e8, why="older than 180 days"),
    ]
    names = [one.name for one in facts]
    basis = read(stored(written(facts, names, {"how_to": 12.000001}, "account_change")))
    assert basis.known == {
        "signals": ("FRUSTRATION", "RESOLVED"),
        "company_open": False,
        "confidence": 1.0,
        "plan": "team",
    }
    assert isinstance(basis.known["confidence"], float)
    assert basis.unknown == {"role": "older than 180 days"}
    assert basis.ages == {"plan": 86_400.123456, "role": 9e8}
    assert basis.earlier == {"how_to": 12.000001}
    assert basis.under_way == "account_change"


def test_only_declared_facts_are_written() -> None:
    """What nobody declared could be anything about a customer, and stays out of the log."""
    details = written([fact("plan", "team", "billing"), fact("diary", "dear diary", "crm")], ["plan"], {}, None)
    assert "diary" not in json.dumps(details)
    assert read(stored(details)).known == {"plan": "team"}


def test_names_that_a_mask_would_hide_keep_their_values() -> None:
    """A count of password resets stands in no key, so it is not taken for a password."""
    facts = [fact("password_resets_30d", 3, "product"), fact("api_key", "rotated", "product")]
    basis = read(stored(written(facts, ["password_resets_30d", "api_key"], {"lost_password": 7.0}, None)))
    assert basis.known == {"password_resets_30d": 3, "api_key": "rotated"}
    assert basis.earlier == {"lost_password": 7.0}


def test_no_declared_value_is_changed_by_the_mask(bundle: Bundle) -> None:
    """Every word that the bundle declares, languages, time zones and counts come back as they were."""
    contents: dict[str, list[FactContent]] = {
        "preferred_language": ["en", "de-AT", "zh-Hans-CN"],
        "time_zone": ["Europe/Berlin", "America/Argentina/ComodRivadavia", "Etc/GMT+12"],
    }
    for spec in bundle.facts.values():
        words = sorted(spec.values or ())
        if spec.kind is FactKind.SET:
            contents[spec.name] = [tuple(words)]
        elif spec.kind is FactKind.WORD:
            contents.setdefault(spec.name, []).extend(words)
        elif spec.kind is FactKind.NUMBER:
            contents[spec.name] = [0, 1, 99_999, 0.123456789]
        else:
            contents[spec.name] = [True, False]
    for intent in (one for file in bundle.detection.intents for one in file.intents):
        contents["intent"].append(intent.id)
    for name, values in contents.items():
        for content in values:
            basis = read(stored(written([fact(name, content, "test")], [name], {}, None)))
            assert basis.known == {name: content}, f"{name} = {content!r} does not survive the mask"


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"facts": {"plan": "team"}},
        {"facts": [["plan"]], "unknown": [], "aged": [], "earlier": []},
        {"facts": [], "unknown": [], "aged": [["plan", "billing", "old"]], "earlier": []},
        {"facts": 3, "unknown": [], "aged": [], "earlier": []},
    ],
)
def test_another_shape_is_no_basis(details: dict[str, JsonValue]) -> None:
    """A report of another version is told from one that can be read; nothing is guessed."""
    with pytest.raises(NoBasis):
        read(details)
