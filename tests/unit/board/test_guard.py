"""Who may see the page, and what a browser is told about it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from stillhere.board.app import Board, make_app
from stillhere.board.guard import is_loopback

HOSTS = frozenset({"127.0.0.1:8306", "localhost:8306"})


def ask(path="/state", *, token="", headers=None, method="GET", board=None, json=None):
    async def run():
        app = make_app(board or Board([]), hosts=HOSTS, token=token)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8306") as client:
            return await client.request(method, path, headers=headers, json=json)

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/", "/board.css", "/board.js", "/state"])
def test_everything_comes_with_what_keeps_a_browser_from_adding_to_it(path):
    answer = ask(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example:8306", "127.0.0.1", "", "127.0.0.1:8306.evil.example"])
def test_another_host_name_is_refused(host):
    assert ask(headers={"Host": host}).status_code == 421


def test_another_page_is_refused():
    assert ask(headers={"Origin": "http://evil.example"}).status_code == 403
    assert ask(headers={"Origin": "http://127.0.0.1:8306"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/state", "/events", "/board.js"])
@pytest.mark.parametrize("cookie", ["", "stillhere=wrong", "stillhere=", ";;;="])
def test_without_the_token_nothing_is_shown(path, cookie):
    answer = ask(path, token="s3cret", headers={"Cookie": cookie})
    assert answer.status_code == 401
    assert "s3cret" not in answer.text


def test_the_token_becomes_a_cookie_that_scripts_cannot_read_and_leaves_the_address():
    answer = ask("/?token=s3cret", token="s3cret")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert ask("/state", token="s3cret", headers={"Cookie": cookie.split(";")[0]}).status_code == 200


def test_nothing_is_killed_unless_it_was_allowed():
    assert ask("/kill", method="POST", json={"address": "x", "id": 1, "secret": ""}).status_code == 403
    assert ask("/kill").status_code == 405


def test_kill_wants_the_pages_own_secret_and_a_known_server():
    killed = []

    class Opening:
        def __enter__(self):
            return killed.append

        def __exit__(self, *_args):
            return None

    board = Board([], openings={"db:3306": Opening})

    def kill(**changes):
        async def run():
            app = make_app(board, hosts=HOSTS)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8306"
            ) as client:
                secret = (await client.get("/state")).json()["kill"]
                wish = {"address": "db:3306", "id": 7, "secret": secret} | changes
                return (await client.post("/kill", json=wish)).status_code

        return asyncio.run(run())

    assert kill(secret="guessed") == 403
    assert kill(address="other:3306") == 404
    assert kill(id=-1) == 404
    assert kill(id="7; DROP TABLE x") == 400
    assert killed == []
    assert kill() == 200
    assert killed == ["KILL CONNECTION 7"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("10.0.0.1", False),
     ("evil", False)],
)  # fmt: skip
def test_loopback_is_what_only_this_machine_reaches(host, expected):
    assert is_loopback(host) is expected
