from pathlib import Path

import pytest

from handrail.retrieval.checking.links import broken_links
from tests.support.articles import HIDDEN, article
from tests.support.bases import base_of

TARGET = article(
    "refund-policy", "Intro.\n\n## What can be refunded?\n\nCharges.\n\n### Cards\n\nYes.", "Refund policy"
)


def told(folder: Path, body: str) -> list[str]:
    """What is found about the links of an article."""
    contents = base_of(
        folder,
        {
            "billing/start.md": article("start", f"Text.\n\n## Here\n\n{body}", "Start"),
            "billing/policy.md": TARGET,
            "shut.md": article("shut", HIDDEN),
        },
    )
    return [finding.found for finding in broken_links(contents)]


@pytest.mark.parametrize(
    "link",
    [
        "[a](policy.md)",
        "[a](policy)",
        "[a](/billing/policy.md#cards)",
        "[a](../billing/policy.md#what-can-be-refunded 'title')",
        "[a](refund-policy#refund-policy)",
        "[a](#here)",
        "[[refund-policy]] and [[refund-policy#Cards|cards]]",
        "[a][b]\n\n[b]: policy.md",
        "[a](https://shop.example/nothing.md) [b](mailto:a@shop.example) [c](//cdn.example/x) [d](files/terms.pdf)",
        "`[a](nothing.md)`",
        "```\n[a](nothing.md)\n```",
        "![picture](nothing.md)",
        "[a](../shut.md#anything)",
    ],
)
def test_links_that_lead_somewhere_or_are_none_are_left_alone(tmp_path: Path, link: str) -> None:
    """Paths, ids and headings of the base; addresses elsewhere and code are not looked at."""
    assert told(tmp_path, link) == []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("[a](polcy.md)", "did you mean 'policy.md'?"),
        ("[a](../policy.md)", "no article"),
        ("[a](refund-polici)", "did you mean 'refund-policy'"),
        ("[a](policy.md#card)", "no heading 'card' in refund-policy; did you mean 'cards'"),
        ("[a](#there)", "no heading 'there' in this article"),
        ("[[refund-rules]]", "'refund-rules'"),
        ("[a][b]\n\n[b]: gone.md", "'gone.md'"),
    ],
)
def test_links_that_lead_nowhere_are_found(tmp_path: Path, link: str, words: str) -> None:
    """With the nearest name that exists."""
    (message,) = told(tmp_path, link)
    assert words in message
