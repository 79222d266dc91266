"""The first minutes with an empty instance, in a browser; and a shop to be watched."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery staple"


def set_up(page: Page, link: str, service: str) -> None:
    """From the one-time link to the page with the snippets."""
    page.goto(link)
    page.get_by_label("E-mail").fill("ida@example.org")
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_label("What is your team or product called?").fill("Acme")
    page.get_by_role("button", name="Make the team").click()
    page.get_by_label("Name of the service").fill(service)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name=f"Set up {service}", exact=True)).to_be_visible()


def copied_dsn(page: Page) -> str:
    """The DSN that the page shows."""
    found = re.search(r"http://[0-9a-f]{32}@127\.0\.0\.1:\d+/\d+", page.content())
    assert found
    return found.group()


def copied_line(page: Page) -> str:
    """The line for CI with a token made on the page."""
    page.get_by_role("button", name="Make a token for this line").click()
    expect(page.get_by_text("It is in the line above and is shown this once")).to_be_visible()
    return page.locator("#curl pre, #curl code").first.inner_text()


def watch(page: Page, address: str) -> None:
    """From the page of a service that nobody watches to a monitor of it, asked every five seconds."""
    expect(page.get_by_text("Nobody watches it yet")).to_be_visible()
    page.get_by_label("Address to ask").fill(address)
    page.get_by_label("How often").select_option("5")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("The monitor is added")).to_be_visible()


@dataclass
class Shop:
    """A service with a health page that can be broken."""

    url: str = ""
    is_well: bool = True


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A shop until the end of the block."""
    shop = Shop()

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if shop.is_well else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        shop.url = f"http://127.0.0.1:{server.server_port}/health"
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()
