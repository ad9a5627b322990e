"""The page in a real browser, before real servers: what it shows is what they say."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading

import pytest

from stillhere.survey.login import login, target

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@contextlib.contextmanager
def watching(*args):
    command = [sys.executable, "-m", "stillhere.cli.main", "watch", *args]
    command += ["--listen", "127.0.0.1:0", "--interval", "500ms"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        address = process.stderr.readline().split()[0]
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        try:
            yield address
        finally:
            process.terminate()
            drain.join()


@pytest.fixture
def page(browser):
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 1000})) as one:
        one.errors = []
        one.on("pageerror", lambda error: one.errors.append(str(error)))
        one.on("console", lambda said: one.errors.append(said.text) if said.type == "error" else None)
        yield one
        assert one.errors == []


def url(server, account="root"):
    return f"mysql+pymysql://{account}@127.0.0.1:{server.port}/"


def expect(page, selector):
    return sync_api.expect(page.locator(selector))


@pytest.fixture
def shop(server, database):
    """An account of its own with three idle connections, one of them in a transaction."""
    server.execute("CREATE USER 'shop<b>'@'127.0.0.1'")
    server.execute("GRANT ALL ON *.* TO 'shop<b>'@'127.0.0.1'")
    where = target(f"mysql+pymysql://shop%3Cb%3E@127.0.0.1:{server.port}/{database}")
    with login(where) as one, login(where), login(where):
        one("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB")
        one("START TRANSACTION")
        one("INSERT INTO t VALUES (1)")
        yield one
    server.execute("DROP USER 'shop<b>'@'127.0.0.1'")


def test_the_page_shows_the_servers_own_numbers(server, shop, page):
    with watching(url(server)) as address:
        page.goto(address)
        expect(page, "#fleet .state").to_have_text("up", timeout=20_000)
        expect(page, "#verdict").to_contain_text("The server answers")
        limit = server.execute("SELECT @@max_connections")[0][0]
        expect(page, "#fleet td[data-name=connections]").to_contain_text(f"of {limit}")
        # An account's name is text, whatever it looks like.
        expect(page, "#one").to_contain_text("shop<b>")
        bars = page.locator("#one section", has_text="by account").locator(".bars")
        sync_api.expect(bars).to_contain_text(re.compile(r"shop<b>3"))
        transactions = page.locator("#one section", has_text="Transactions open")
        sync_api.expect(transactions).to_contain_text("shop<b> from 127.0.0.1", timeout=20_000)
        sync_api.expect(transactions).to_contain_text("the client does nothing")
        assert page.locator("#one button.kill").count() == 0
        seen = json.loads(page.evaluate("() => JSON.stringify(state.servers[0])"))
        assert dict(seen["users"])["shop<b>"] == 3
        assert seen["wait_timeout"] == server.execute("SELECT @@GLOBAL.wait_timeout")[0][0]


def test_a_server_goes_down_and_comes_back_before_the_eyes(server, page):
    with watching(url(server)) as address:
        page.goto(address)
        expect(page, "#fleet .state").to_have_text("up", timeout=20_000)
        server.stop()
        expect(page, "#fleet .state").to_contain_text("down for", timeout=20_000)
        expect(page, "#verdict").to_have_text("1 of 1 down")
        assert page.title().startswith("✖")
        expect(page, "#one").to_contain_text("what is below is")
        server.start()
        expect(page, "#fleet .state").to_have_text("up", timeout=30_000)
        page.errors.clear()


def test_a_kill_from_the_page_ends_that_connection_and_no_other(server, shop, page):
    with watching(url(server), "--allow-kill") as address:
        page.goto(address)
        thread = shop("SELECT CONNECTION_ID() AS id")[0]["id"]
        button = page.locator("#one button.kill").first
        sync_api.expect(button).to_be_visible(timeout=20_000)
        page.on("dialog", lambda dialog: dialog.accept())
        button.click()
        expect(page, "#link").to_have_text(f"connection {thread} was killed")
        left = server.execute("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE user = 'shop<b>'")
        assert left[0][0] == 2
        with pytest.raises(Exception, match=r"gone away|Lost connection|killed"):
            shop("SELECT 1")


def test_servers_are_chosen_by_keyboard_and_one_that_is_away_delays_none(server, page):
    with watching(url(server), "mysql+pymysql://root:hunter22@127.0.0.1:1/") as address:
        page.goto(address)
        expect(page, "#fleet tbody tr:nth-child(1) .state").to_have_text("up", timeout=20_000)
        expect(page, "#fleet tbody tr:nth-child(2) .state").to_contain_text("down", timeout=20_000)
        page.keyboard.press("j")
        expect(page, "#one-h").to_have_text("127.0.0.1:1")
        expect(page, "#fleet tbody tr:nth-child(2)").to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowUp")
        expect(page, "#one-h").to_have_text(f"127.0.0.1:{server.port}")
        assert "hunter22" not in page.content()


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_at_any_width(server, shop, browser, width, scheme):
    with (
        watching(url(server)) as address,
        contextlib.closing(browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)) as page,
    ):
        page.goto(address)
        expect(page, "#fleet .state").to_have_text("up", timeout=20_000)
        expect(page, "#one").to_contain_text("shop<b>", timeout=20_000)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_fetches_nothing_from_elsewhere(server, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with watching(url(server)) as address:
        page.goto(address)
        expect(page, "#fleet .state").to_have_text("up", timeout=20_000)
        assert {one.split("/")[2] for one in asked if one.startswith("http")} == {address.split("/")[2]}


def test_a_drill_is_watched_while_it_runs(page):
    command = [sys.executable, "-m", "stillhere.cli.main", "drill", "--watch", "--quick", "--server", "mariadb"]
    command += ["--fault", "kill_idle", "--rounds", "2", "--arm", "stock", "--arm", "stillhere"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        address = process.stderr.readline().split()[-1]
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        page.goto(address)
        expect(page, "#fleet .state").to_have_text("up", timeout=30_000)
        expect(page, "#timeline").to_contain_text("killed", timeout=30_000)
        expect(page, "#loss-list li").not_to_have_count(0)
        seen = json.loads(page.evaluate("() => JSON.stringify(state)"))
        assert seen["servers"][0]["connections"] >= 2
        assert {one["cause"] for one in seen["incidents"]} <= {"killed", "unknown"}
        drain.join()
    assert process.returncode == 0
    page.errors.clear()  # the page outlives what it watched
