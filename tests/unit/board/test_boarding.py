"""Under which names the page is reached, and what that asks of a visitor."""

from __future__ import annotations

import contextlib
import socket

import pytest

from stillhere.cli.boarding import Page
from stillhere.cli.listening import bound


@contextlib.contextmanager
def page_on(host):
    listener = bound(host, 0)
    with contextlib.closing(listener):
        yield Page(listener, interval=1.0), listener.getsockname()[1]


def test_on_loopback_no_token_is_wanted():
    with page_on("127.0.0.1") as (page, port):
        assert page.address == f"http://localhost:{port}/"


def test_on_every_address_the_machine_has_its_name_and_a_token_is_wanted(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Web-1")
    monkeypatch.setattr(socket, "getfqdn", lambda _name: "web-1.example")
    monkeypatch.setattr(socket, "gethostbyname_ex", lambda _name: ("web-1", [], ["10.0.0.5"]))
    with page_on("0.0.0.0") as (page, port):  # noqa: S104 - nothing is served in this test
        assert page.address.startswith(f"http://web-1:{port}/?token=")
        guard = page._server.config.app
        assert {f"web-1:{port}", f"web-1.example:{port}", f"10.0.0.5:{port}", f"localhost:{port}"} <= guard._hosts
        assert guard._token


@pytest.mark.parametrize("name", ["evil.example", "10.0.0.5"])
def test_no_other_name_is_taken(name):
    with page_on("127.0.0.1") as (page, port):
        assert f"{name}:{port}" not in page._server.config.app._hosts
