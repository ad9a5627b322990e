"""What one scrape says, and what it does not say where it could not look."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stillhere.observe.exporter.app import make_app
from stillhere.observe.exporter.targets import Targets
from stillhere.testing.wire_server import Answer, WireServers

DENIED = Answer(code=1227, message="Access denied; you need (at least one of) the PROCESS privilege(s)")


def get(targets, path, headers=None, timeout=5.0):
    async def ask():
        transport = httpx.ASGITransport(make_app(lambda: targets, timeout=timeout))
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def samples(text):
    return {
        (one.name, tuple(sorted((key, value) for key, value in one.labels.items() if key != "server"))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def scraped(answers):
    """Answers may be changed, then what a scrape of them shows."""

    def scrape():
        with WireServers(answers) as servers:
            url = f"mysql+pymysql://monitor:hunter22@{servers[0].host}:{servers[0].port}/"
            response = get(Targets.of_urls([url]), "/metrics")
            assert response.status_code == 200
            assert "hunter22" not in response.text
            return samples(response.text), servers[0]

    return scrape


def test_every_number_of_the_server_arrives(scraped):
    found, _ = scraped()
    assert found["stillhere_up", ()] == 1
    assert found["stillhere_server_info", (("flavour", "MySQL"), ("version", "8.4.0"))] == 1
    assert found["stillhere_uptime_seconds", ()] == 3600
    assert found["stillhere_limit_seconds", (("variable", "wait_timeout"),)] == 600
    assert found["stillhere_max_allowed_packet_bytes", ()] == 67108864
    assert found["stillhere_read_only", ()] == 1
    assert found["stillhere_aborted_clients_total", ()] == 12
    assert found["stillhere_kills_total", ()] == 2
    assert found["stillhere_connection_errors_total", (("reason", "accept"),)] == 3


def test_connections_are_counted_without_the_exporters_and_the_servers_own(scraped):
    found, _ = scraped()
    assert found["stillhere_connections_by_user", (("user", "app"),)] == 2
    assert found["stillhere_connections_by_state", (("state", "idle"),)] == 2
    assert found["stillhere_connections_by_state", (("state", "query"),)] == 1
    assert found["stillhere_connections_by_host", (("host", "10.0.0.4"),)] == 1
    assert not [key for key in found if ("user", "monitor") in key[1] or ("user", "system user") in key[1]]


def test_ages_come_as_histograms_of_now(scraped):
    found, _ = scraped()
    assert found["stillhere_idle_seconds_bucket", (("le", "10.0"),)] == 1
    assert found["stillhere_idle_seconds_bucket", (("le", "600.0"),)] == 1
    assert found["stillhere_idle_seconds_bucket", (("le", "+Inf"),)] == 2
    assert found["stillhere_idle_seconds_max", ()] == 700
    assert found["stillhere_transaction_seconds_max", ()] == 650.5
    assert found["stillhere_transactions_idle", ()] == 1
    assert found["stillhere_transactions_idle_seconds_max", ()] == 650.5
    assert found["stillhere_transactions_waiting", ()] == 1


def test_a_host_that_is_half_way_to_being_blocked_is_counted(scraped):
    found, _ = scraped()
    assert found["stillhere_host_errors", (("host", "10.0.0.9"),)] == 6
    assert found["stillhere_hosts_near_block", ()] == 1


def test_one_scrape_is_one_login_and_a_goodbye(scraped):
    _, server = scraped()
    assert (server.logins, server.goodbyes, server.hung_up) == (1, 1, 0)


def test_without_process_the_parts_that_need_it_are_absent_and_marked(answers, scraped):
    answers["SELECT trx_mysql_thread_id"] = DENIED
    found, _ = scraped()
    assert found["stillhere_collector_success", (("collector", "transactions"),)] == 0
    assert found["stillhere_collector_success", (("collector", "connections"),)] == 0
    assert found["stillhere_collector_success", (("collector", "aborts"),)] == 1
    assert found["stillhere_connections_limit", ()] == 151
    assert not [name for name, _ in found if name.startswith(("stillhere_transaction_", "stillhere_connections_by"))]


@pytest.mark.parametrize("how", ["denied", "off"])
def test_hosts_that_cannot_be_asked_are_no_zero(answers, scraped, how):
    if how == "denied":
        answers["SELECT ip, host"] = Answer(code=1142, message="SELECT command denied")
    else:
        answers["SHOW GLOBAL VARIABLES"] = Answer(("Variable_name", "Value"), [("performance_schema", "OFF")])
    found, _ = scraped()
    assert found["stillhere_collector_success", (("collector", "hosts"),)] == 0
    assert ("stillhere_hosts_near_block", ()) not in found


def test_a_label_has_no_more_than_fifty_values(answers, scraped):
    answers["SHOW FULL PROCESSLIST"] = Answer(
        ANSWERS_COLUMNS, [(str(n), f"user{n}", f"10.0.0.{n}:1", None, "Sleep", "1", "", None) for n in range(100, 180)]
    )
    found, _ = scraped()
    users = {key[1][0][1]: value for key, value in found.items() if key[0] == "stillhere_connections_by_user"}
    assert len(users) == 51
    assert users["other"] == 30


ANSWERS_COLUMNS = ("Id", "User", "Host", "db", "Command", "Time", "State", "Info")


def test_a_server_that_refuses_is_down_with_its_number(answers):
    with WireServers(answers) as servers:
        servers[0].refusal = 1040
        url = f"mysql+pymysql://m@{servers[0].host}:{servers[0].port}/"
        found = samples(get(Targets.of_urls([url]), "/metrics").text)
    assert found["stillhere_up", ()] == 0
    assert found["stillhere_scrape_error", (("code", "1040"),)] == 1


@pytest.mark.parametrize("driver", ["pymysql", "mysqldb"])
def test_a_frozen_server_ends_the_scrape_in_time_and_delays_no_other(answers, driver):
    with WireServers(answers, count=2) as servers:
        servers[0].frozen = True
        urls = [f"mysql+{driver}://m@{one.host}:{one.port}/" for one in (servers[0], servers[1])]
        text = get(Targets.of_urls(urls), "/metrics", {"X-Prometheus-Scrape-Timeout-Seconds": "1.0"}).text
    up = {
        one.labels["server"]: one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == "stillhere_up"
    }
    assert up == {f"{servers[0].host}:{servers[0].port}": 0.0, f"{servers[1].host}:{servers[1].port}": 1.0}


def test_a_server_that_freezes_after_the_login_ends_the_scrape_too(answers):
    with WireServers(answers) as servers:
        servers[0].delay = 60
        url = f"mysql+pymysql://m@{servers[0].host}:{servers[0].port}/"
        found = samples(get(Targets.of_urls([url]), "/metrics", timeout=0.5).text)
    assert found["stillhere_up", ()] == 0


def test_one_target_is_asked_by_its_name(answers):
    with WireServers(answers) as servers:
        url = f"mysql+pymysql://m@{servers[0].host}:{servers[0].port}/"
        targets = Targets.of_urls([url])
        name = next(iter(targets.named))
        assert samples(get(targets, f"/probe?target={name}").text)["stillhere_up", ()] == 1
        listed = get(targets, "/targets").json()
        assert listed[0]["labels"]["__param_target"] == name
        assert listed[0]["targets"] == ["exporter"]
        assert name in get(targets, "/").text


def test_an_address_that_nobody_named_is_not_logged_in_to(answers):
    with WireServers(answers, count=2) as servers:
        targets = Targets.of_urls([f"mysql+pymysql://m@{servers[0].host}:{servers[0].port}/"])
        response = get(targets, f"/probe?target={servers[1].host}:{servers[1].port}")
        assert response.status_code == 404
        assert servers[1].logins == 0
    assert get(targets, "/probe").status_code == 400
