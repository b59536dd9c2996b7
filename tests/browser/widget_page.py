"""The widget as a customer uses it, and a page that notices every error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect

SLOW = 30_000
"""Milliseconds for what takes a turn of the server on a busy machine."""

expect.set_options(timeout=SLOW)


@dataclass
class Watch:
    """Collects what a page complains about: errors and warnings on the console, uncaught errors."""

    seen: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def on(self, page: Page) -> None:
        """Watch a page."""
        page.on("console", self._console)
        page.on("pageerror", self._thrown)

    def allow(self, pattern: str) -> None:
        """What matches `pattern` is part of the test, such as the browser's report of a request that was cut."""
        self.expected.append(pattern)

    @property
    def complaints(self) -> list[str]:
        """What nobody expected."""
        return [each for each in self.seen if not any(re.search(one, each) for one in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.seen.append(f"{message.type}: {message.text}")

    def _thrown(self, error: Error) -> None:
        self.seen.append(f"uncaught: {error.message}")


@dataclass(frozen=True)
class Look:
    """How the reader's device is: size in CSS pixels, preferences, zoom of the page."""

    width: int = 1280
    height: int = 860
    dark: bool = False
    touch: bool = False
    scale: float = 1.0
    forced_colours: bool = False


@contextmanager
def opened(browser: Browser, watch: Watch, look: Look | None = None) -> Iterator[Page]:
    """A page in a browser profile of its own, which keeps nothing."""
    chosen = look or Look()
    context = browser.new_context(
        viewport={"width": chosen.width, "height": chosen.height},
        color_scheme="dark" if chosen.dark else "light",
        forced_colors="active" if chosen.forced_colours else "none",
        has_touch=chosen.touch,
        is_mobile=chosen.touch,
        device_scale_factor=chosen.scale,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(SLOW)
    context.on("page", watch.on)
    try:
        yield context.new_page()
    finally:
        context.close()


class Widget:
    """The widget of a page. Locators are those of a reader: roles, labels and words, where there are any."""

    def __init__(self, page: Page, root: Locator | None = None) -> None:
        self.page = page
        self.root = root or page.locator("handrail-chat").first
        self.log = self.root.get_by_role("log")
        self.field = self.root.get_by_role("textbox", name="Your message")
        self.header = self.root.locator(".head")
        self.disclosure = self.root.locator(".disclosure")
        self.strip = self.root.locator(".strip")
        self.person_button = self.root.get_by_role("button", name=re.compile("Talk to a person|Asking for a person"))
        self.launcher = self.root.locator(".launcher")
        self.card = self.root.locator(".confirm").last
        self.bubbles = self.root.locator(".row:not(.partial) .bubble")

    @classmethod
    def on_demo(cls, page: Page, address: str, customer: str) -> Widget:
        """The widget of the demo page, as one of the sample customers."""
        page.goto(f"{address}/demo#{customer}")
        widget = cls(page)
        expect(widget.field).to_be_visible()
        return widget

    def say(self, text: str) -> None:
        """Write a message and send it, as with a keyboard."""
        self.field.fill(text)
        self.field.press("Enter")

    def ask(self, text: str) -> Locator:
        """Say something and wait for the machine's answer, which is returned."""
        before = self.answers.count()
        self.say(text)
        expect(self.answers).to_have_count(before + 1)
        return self.answers.last

    def press(self, name: str) -> None:
        """Press a button of the widget."""
        self.root.get_by_role("button", name=name, exact=True).last.click()

    @property
    def answers(self) -> Locator:
        """The machine's messages."""
        return self.root.locator(".row.bot:not(.partial)")

    @property
    def people(self) -> Locator:
        """Messages of people of the company."""
        return self.root.locator(".row.operator")

    @property
    def mine(self) -> Locator:
        """The customer's own messages."""
        return self.root.locator(".row.customer")

    def transcript(self) -> list[str]:
        """Everything that stands in the log, in order, without times."""
        return [
            re.sub(r"\s+", " ", text).strip()
            for text in self.root.locator(".row:not(.partial) .bubble, .notice > span").all_text_contents()
        ]

    @property
    def conversation(self) -> str:
        """The id of the conversation."""
        found: str = self.root.evaluate("chat => chat.conversationId")
        assert found, "no conversation has been opened"
        return found
