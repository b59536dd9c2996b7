"""What a bundle must hold before second opinions can be switched on."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from handrail.agent import composition
from handrail.agent.composition import Substitutes, running
from handrail.agent.opinion import CODES, wanting
from handrail.agent.ports import Detectors, Retriever
from handrail.agent.room import Room
from handrail.agent.service import Service
from handrail.agent.settings import Settings, load_settings
from handrail.guardrails.bundle.bundle import Bundle
from handrail.guardrails.bundle.loader import OPINION, load
from handrail.guardrails.errors import ConfigError

SHIPPED = Path(str(files("handrail.guardrails") / "policies"))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The shipped bundle."""
    return load(SHIPPED)


def test_the_shipped_bundle_wants_nothing(bundle: Bundle) -> None:
    """Template and codes are there."""
    assert wanting(bundle) == ()


def test_an_older_bundle_wants_template_and_codes(bundle: Bundle) -> None:
    """Each missing thing is named."""
    older = replace(
        bundle, opinion=None, reasons={code: one for code, one in bundle.reasons.items() if code not in CODES}
    )
    told = wanting(older)
    assert told[0].endswith(OPINION)
    assert {line.removeprefix("the reason code ") for line in told[1:]} == set(CODES)


def settings(folder: Path) -> Settings:
    """Settings with a model to ask."""
    named = {"second_opinion_model": "small-model", "second_opinion_base_url": "http://127.0.0.1:9/v1"}
    return load_settings(None, {"data_dir": folder, "company": "none", "second_opinion_timeout_seconds": 1.5, **named})


def given(bundle: Bundle) -> Substitutes:
    """This bundle, and readers that nothing reaches."""
    unused = SimpleNamespace()
    return Substitutes(bundle=bundle, detectors=cast(Detectors, unused), retriever=cast(Retriever, unused))


async def test_a_bundle_that_cannot_ask_does_not_start_with_a_model(bundle: Bundle, tmp_path: Path) -> None:
    """A mistake of configuration is told at start, not at the first unread message."""
    with pytest.raises(ConfigError, match="the bundle lacks the template") as refused:
        async with running(settings(tmp_path), given(replace(bundle, opinion=None))):
            pass
    assert "HANDRAIL_SECOND_OPINION_MODEL" in str(refused.value)


async def test_a_named_model_is_asked_within_its_limits(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The composition root builds the port from the settings; without a name there is none."""
    rooms: list[Room] = []
    real = composition.serving

    def seen(room: Room, site: str) -> Service:
        rooms.append(room)
        return real(room, site)

    monkeypatch.setattr(composition, "serving", seen)
    plain = load_settings(None, {"data_dir": tmp_path, "company": "none"})
    for chosen in (settings(tmp_path), plain):
        async with running(chosen, given(bundle)):
            pass
    asking, silent = rooms
    assert asking.second_opinion is not None
    assert asking.second_opinion.name == "openai:small-model"
    assert (asking.patience.second_opinion, asking.ask_below) == (1.5, 0.4)
    assert silent.second_opinion is None
