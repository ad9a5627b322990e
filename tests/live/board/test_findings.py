"""What the doctor finds stands on the page."""

from __future__ import annotations

import time

from stillhere.cli.boarding import Page
from stillhere.cli.listening import bound
from stillhere.survey.login import address_of, target


def test_a_planted_fault_of_configuration_is_on_the_page(server):
    before = server.set_global({"wait_timeout": 5})
    url = target(f"mysql+pymysql://root@127.0.0.1:{server.port}/")
    page = Page(bound("127.0.0.1", 0), interval=0.5)
    try:
        page.add(address_of(url), url)
        watcher = page._watchers[0]
        deadline = time.monotonic() + 60
        while not watcher.seen().not_checked and time.monotonic() < deadline:
            time.sleep(0.1)
        seen = watcher.seen()
        watcher.stop()
    finally:
        page._listener.close()
        server.set_global(before)
    assert seen.trouble == ""
    assert any("needs --app" in reason for reason in seen.not_checked)
    assert "wait-timeout-short" in {found.rule for found in seen.findings}
    assert all(found.evidence for found in seen.findings)
