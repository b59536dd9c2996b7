"""One browser and one server for all browser tests; a fresh browser profile for each."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from handrail.evals.sample_base import ingest_sample
from tests.browser import axe
from tests.browser.serving import Server, free_port, other_site, serve
from tests.browser.widget_page import Look, Watch, opened

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SITE_KEY = "site_browser_tests"
HOST_POLICY = "default-src 'none'; script-src {address}; connect-src {address}; img-src data:"
"""What a strict page has to allow for the widget, and nothing more."""

HOST_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Another site</title>
<link rel="icon" href="data:,">
<script src="{address}/widget.js" data-site-key="{key}" data-contact="help@example.com" defer></script>
</head>
<body><main><h1>Another site</h1><p><a href="#">A link of the page</a></p></main></body>
</html>
"""

Opening = Callable[..., Page]


def chromium() -> str:
    """The system's browser. Nothing is downloaded."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert found is not None, "these tests need Chromium: on Debian, `apt-get install chromium`"
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    # Chromium's sandbox cannot be set up by root.
    sandbox = () if os.geteuid() else ("--no-sandbox",)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=[*OPTIONS, *sandbox])
        yield started
        started.close()


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample knowledge base, ingested once."""
    folder = tmp_path_factory.mktemp("base")
    ingest_sample(folder)
    return folder


@pytest.fixture(scope="session")
def listed_port() -> int:
    """The port of a site that may embed the widget."""
    return free_port()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, base: Path, listed_port: int) -> Iterator[Server]:
    """One server for the tests that leave others alone."""
    keys = json.dumps({SITE_KEY: [f"http://127.0.0.1:{listed_port}"]})
    started = serve(tmp_path_factory.mktemp("server"), base, {"SITE_KEYS": keys})
    yield started
    started.stop()


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory, server: Server, listed_port: int) -> Iterator[str]:
    """The page of another site that may embed the widget, under a strict policy."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text(HOST_PAGE.format(address=server.address, key=SITE_KEY))
    with other_site(folder, HOST_POLICY.format(address=server.address), listed_port) as address:
        yield address


@pytest.fixture(scope="session")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    return axe.install(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def watch() -> Iterator[Watch]:
    """No page of a test may complain about anything that the test has not announced."""
    watching = Watch()
    yield watching
    assert watching.complaints == []


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[Opening]:
    """Opens pages, each in its own profile; all are closed at the end of the test."""
    with ExitStack() as until_the_end:

        def opening(look: Look | None = None) -> Page:
            return until_the_end.enter_context(opened(browser, watch, look))

        yield opening


@pytest.fixture
def page(open_page: Opening) -> Page:
    """A page on a laptop's screen."""
    return open_page()
