"""Takes the pictures of the documentation from a real run: `make screenshots`.

The pictures use the fonts of the machine; with Inter installed (Debian: `fonts-inter`) they look as they do in the
documentation.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Locator, sync_playwright
from playwright.sync_api import expect as expected

from handrail.evals.sample_base import ingest_sample
from tests.browser.conftest import HOST_PAGE, HOST_POLICY, OPTIONS, SITE_KEY, chromium
from tests.browser.serving import Server, free_port, other_site, serve
from tests.browser.widget_page import Look, Watch, Widget, opened

MARGIN = 28
LIMIT = 300 * 1024
"""Bytes a picture may have: the README is read on slow lines, too."""


def around(part: Locator) -> FloatRect:
    """The place of a part of the page with a margin, in which nothing else stands."""
    part.page.locator(".below").evaluate("below => { below.style.visibility = 'hidden'; }")
    part.page.mouse.move(0, 0)
    box = part.bounding_box()
    assert box is not None, "it is not on the screen"
    return {
        "x": box["x"] - MARGIN,
        "y": box["y"] - MARGIN,
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }


class Pictures:
    """Takes pictures of one server into a folder."""

    def __init__(self, browser: Browser, server: Server, host: str, folder: Path) -> None:
        self.browser = browser
        self.server = server
        self.host = host
        self.folder = folder
        self.watch = Watch()

    def demo(self) -> None:
        """The widget next to the reason codes."""
        with opened(self.browser, self.watch, Look(1480, 900)) as page:
            widget = Widget.on_demo(page, self.server.address, "mia")
            page.get_by_role("button", name="Cancel my account").click()
            page.get_by_role("button", name="Send it").click()
            expected(widget.card).to_be_visible()
            expected(page.locator(".turn")).to_have_count(2)
            page.mouse.move(0, 0)
            page.screenshot(path=self.folder / "demo.png")

    def compared(self) -> None:
        """The same words of two customers, side by side."""
        with opened(self.browser, self.watch, Look(1480, 1000)) as page:
            page.goto(f"{self.server.address}/demo#jonas,grace")
            expected(page.get_by_role("textbox", name="Your message")).to_have_count(2)
            page.get_by_role("button", name="Cancel my account").click()
            expected(page.locator(".turn")).to_have_count(2)
            expected(page.locator(".mail").first).to_be_visible()
            expected(page.locator(".strip").last).to_contain_text("in line")
            page.mouse.move(0, 0)
            page.screenshot(path=self.folder / "demo-compare.png")

    def light(self) -> None:
        """Details for a disputed charge, and a person who has taken over."""
        with opened(self.browser, self.watch, Look(1480, 900, scale=1.5)) as page:
            widget = Widget.on_demo(page, self.server.address, "dana")
            widget.ask("I was charged twice for invoice INV-2041")
            widget.ask("18 and 20 November 2026, 52.00 USD each time, card ending in 4242.")
            expected(widget.strip).to_contain_text("in line")
            with self.server.operator() as operator:
                operator.claim(widget.conversation)
                operator.reply(
                    widget.conversation,
                    "Hello Dana, I have both payments of 52.00 USD in front of me. "
                    "I am checking the second one with the payment provider now.",
                )
            expected(widget.people).to_be_visible()
            widget.say("Thank you, that was quick!")
            expected(widget.mine).to_have_count(3)
            widget.log.locator("xpath=..").evaluate("log => log.scrollTo(0, log.scrollHeight)")
            page.screenshot(path=self.folder / "widget-light.png", clip=around(page.locator(".frame")))

    def dark(self) -> None:
        """A card with the exact arguments."""
        with opened(self.browser, self.watch, Look(1480, 900, dark=True, scale=1.5)) as page:
            widget = Widget.on_demo(page, self.server.address, "tomas")
            widget.ask("Cancel my account")
            page.get_by_role("button", name="Send it").click()
            expected(widget.card).to_be_visible()
            page.screenshot(path=self.folder / "widget-dark.png", clip=around(page.locator(".frame")))

    def small(self) -> None:
        """A guided checklist on a phone."""
        with opened(self.browser, self.watch, Look(390, 844, touch=True, scale=1.5)) as page:
            page.goto(self.host)
            widget = Widget(page)
            widget.launcher.tap()
            widget.ask("My authenticator code is not accepted")
            widget.press("Yes, I have it")
            expected(widget.root.get_by_role("checkbox")).to_have_count(4)
            widget.root.get_by_role("checkbox").nth(0).tap()
            widget.root.get_by_role("checkbox").nth(1).tap()
            page.screenshot(path=self.folder / "widget-390.png")


def take(folder: Path) -> None:
    """Start everything, take all pictures, and check them."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = () if os.geteuid() else ("--no-sandbox",)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        base, site, port = Path(scratch, "base"), Path(scratch, "site"), free_port()
        ingest_sample(base)
        server = serve(
            Path(scratch, "server"), base, {"SITE_KEYS": json.dumps({SITE_KEY: [f"http://127.0.0.1:{port}"]})}
        )
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*OPTIONS, *sandbox])
        try:
            site.mkdir()
            (site / "index.html").write_text(HOST_PAGE.format(address=server.address, key=SITE_KEY))
            with other_site(site, HOST_POLICY.format(address=server.address), port) as host:
                pictures = Pictures(browser, server, host, folder)
                for picture in (pictures.light, pictures.dark, pictures.small, pictures.compared, pictures.demo):
                    picture()
        finally:
            browser.close()
            server.stop()
    large = [
        f"{each.name}: {each.stat().st_size} bytes" for each in folder.glob("*.png") if each.stat().st_size > LIMIT
    ]
    if large or pictures.watch.complaints:
        raise SystemExit("\n".join([*large, *pictures.watch.complaints]))


if __name__ == "__main__":
    take(Path(sys.argv[1]))
