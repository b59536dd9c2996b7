"""What the customer writes and attaches."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.widget_page import Watch, Widget

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf50000003010100c9fe92ef0000000049454e44ae426082"
)


def test_the_length_is_counted_near_the_limit(page: Page, server: Server) -> None:
    """Characters and not bytes; beyond the limit nothing is sent, and it says by how much."""
    widget = Widget.on_demo(page, server.address, "elif")
    send = widget.root.get_by_role("button", name="Send", exact=True)
    widget.field.fill("a" * 7000)
    expect(widget.root.locator(".count")).to_have_text("")
    widget.field.fill("🌿" * 7990)
    expect(widget.root.locator(".count")).to_have_text("Characters left: 10")
    expect(send).to_have_attribute("aria-disabled", "false")
    widget.field.fill("🌿" * 8003)
    expect(widget.root.locator(".count")).to_contain_text("Too long by 3 characters")
    expect(widget.field).to_have_attribute("aria-invalid", "true")
    expect(send).to_have_attribute("aria-disabled", "true")
    widget.field.press("Enter")
    expect(widget.mine).to_have_count(0)
    widget.field.fill("   \n ")
    widget.field.press("Enter")
    expect(widget.mine).to_have_count(0)


def test_messages_written_one_after_the_other(page: Page, server: Server) -> None:
    """Nobody has to wait for an answer: each message is answered, in order."""
    widget = Widget.on_demo(page, server.address, "hana")
    texts = ["Is there an outage?", "How do I export a board?", "Is there an outage again?"]
    for text in texts:
        widget.say(text)
    expect(widget.answers).to_have_count(3)
    expect(widget.mine).to_have_count(3)
    said = [row.inner_text() for row in widget.mine.locator(".line").all()]
    assert said == texts
    page.reload()
    expect(widget.bubbles).to_have_count(6)
    assert [row.inner_text() for row in widget.mine.locator(".line").all()] == texts


def test_a_file_reaches_the_person(page: Page, server: Server, tmp_path: Path) -> None:
    """Attached, shown, still there after a reload, saved again unchanged, and seen by the operator."""
    widget = Widget.on_demo(page, server.address, "dana")
    picture = tmp_path / "Kontoauszug März.png"
    picture.write_bytes(PNG)
    with page.expect_file_chooser() as choosing:
        widget.root.get_by_role("button", name="Attach a file").click()
    choosing.value.set_files(picture)
    saving = widget.root.get_by_role("button", name="Download Kontoauszug März.png")
    expect(saving).to_be_visible()
    page.reload()
    expect(saving).to_be_visible()
    expect(widget.mine).to_have_count(1)
    with page.expect_download() as downloading:
        saving.click()
    assert downloading.value.suggested_filename == "Kontoauszug März.png"
    assert Path(downloading.value.path()).read_bytes() == PNG
    with server.operator() as operator:
        (file,) = operator.case(widget.conversation).files
        assert (file.name, file.size) == ("Kontoauszug März.png", len(PNG))


def test_files_that_cannot_be_sent(page: Page, server: Server, tmp_path: Path, watch: Watch) -> None:
    """Too large is said before anything is sent; of a wrong kind when the server says so."""
    widget = Widget.on_demo(page, server.address, "dana")
    large = tmp_path / "film.png"
    large.write_bytes(PNG + bytes(5 * 1024 * 1024))
    widget.root.locator("input[type=file]").set_input_files(large)
    expect(widget.root.locator(".notice.error")).to_contain_text("film.png is larger than 5 MB")
    expect(widget.mine).to_have_count(0)

    watch.allow("415")  # the browser reports the refusal
    program = tmp_path / "program.exe"
    program.write_bytes(b"MZ\x90\x00\x03")
    widget.root.locator("input[type=file]").set_input_files(program)
    expect(widget.mine.locator(".delivery.failed")).to_contain_text("Files of this kind cannot be sent")
