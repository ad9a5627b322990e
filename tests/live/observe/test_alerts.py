"""The shipped alerts, judged by Prometheus's own promtool."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stillhere.cli.main import main
from stillhere.observe.instruments import INSTRUMENTS

yaml = pytest.importorskip("yaml")
CASES = Path(__file__).parents[2] / "cases" / "alerts" / "alerts.test.yml"
RULES = Path(__file__).parents[3] / "src" / "stillhere" / "observe" / "alerts.yml"


def alerts():
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def judged(tools, folder, rules):
    (folder / "alerts.yml").write_text(rules, encoding="utf-8")
    shutil.copy(CASES, folder)
    command = [tools / "promtool", "test", "rules", CASES.name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_promtool_takes_the_rules(prometheus_tools):
    done = subprocess.run([prometheus_tools / "promtool", "check", "rules", RULES], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_each_alert_says_what_it_must_and_only_where_it_must(prometheus_tools, tmp_path):
    done = judged(prometheus_tools, tmp_path, RULES.read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires():
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    fired = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    assert fired == set(alerts())


@pytest.mark.parametrize("name", sorted(alerts()))
def test_the_cases_notice_when_an_alert_is_broken(prometheus_tools, tmp_path, name):
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") == name:
                rule["expr"] = f"({rule['expr']}) * 0 > 1"
    assert judged(prometheus_tools, tmp_path, yaml.safe_dump(rules)).returncode != 0


def test_every_annotation_is_a_sentence_that_says_what_to_do():
    for name, rule in alerts().items():
        text = rule["annotations"]["summary"]
        assert text.endswith("."), name
        assert re.search(r"\b(see|run|look|find|set|keep|add|move|says what to do|lists what)\b", text), name


def test_every_metric_in_an_alert_exists():
    from stillhere.observe.exporter.collectors import COLLECTORS  # noqa: PLC0415 - needs prometheus_client

    sources = "".join(
        Path(__import__(type(one).__module__, fromlist=["x"]).__file__).read_text(encoding="utf-8")
        for one in COLLECTORS
    )
    known = set(re.findall(r'"([a-z_]+)"', sources)) | set(INSTRUMENTS) | {"up"}
    named = set(re.findall(r"\bstillhere_([a-z_]+?)(?:_total|_bucket)?(?=[^a-z_])", RULES.read_text(encoding="utf-8")))
    assert named - known <= {"scrape_error"}


def test_the_command_prints_what_is_shipped(capsys):
    assert main(["export", "--rules"]) == 0
    assert capsys.readouterr().out == RULES.read_text(encoding="utf-8")
    assert main(["export", "--dashboard"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "stillhere: connections"
