"""The pages about the rules: made from the docstrings, never stale, and their examples do what they say."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from stillhere.errors import UnknownName
from stillhere.lint import describe, lint_source
from stillhere.lint.pages import GROUPS, HEADINGS, pages, summary
from stillhere.lint.rules import RULES

FOLDER = Path(__file__).parents[3] / "docs" / "reference" / "lint"
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
# What the examples take for granted.
PRELUDE = """
import asyncio, multiprocessing, signal, subprocess, threading, time
import aiomysql, asyncmy, MySQLdb, pymysql, requests, stillhere
from pymysql.cursors import SSCursor
from celery import Celery
from celery.signals import worker_init, worker_process_init
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from flask import Flask, abort, request
from sqlalchemy import create_engine, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session as OrmSession, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool, QueuePool, StaticPool
from tenacity import retry, retry_if_exception_type, stop_after_attempt
from shop import Account, Job, Order, Photo, Reading, Stock, batched
from flask_sqlalchemy import SQLAlchemy
app, celery = Flask(__name__), Celery("shop")
db = SQLAlchemy(app)
"""
ENGINE = """
engine = create_engine("mysql+pymysql://app@db.example/shop", pool_pre_ping=True)
Session = sessionmaker(engine)
"""
# Where an example is a part of something, that something.
AROUND = {
    "SH205": "def refill(session: OrmSession):\n{}",
    "SH207": "from sqlalchemy.orm import Session\n{}\ndef get_session():\n    yield Session(engine)",
    "SH308": "from sqlalchemy.orm import Session\n{}",
    "SH401": "from sqlalchemy.orm import Session\n{}",
    "SH206": "def pay(order_id):\n{}",
    "SH302": "def start(export):\n{}",
    "SH303": "def start(export, numbers):\n{}",
    "SH304": "from sqlalchemy.ext.asyncio import async_sessionmaker\n"
    'Session = async_sessionmaker(create_async_engine("mysql+asyncmy://app@db.example/shop", pool_pre_ping=True))\n'
    "async def both(find_orders, find_items):\n{}",
    "SH402": "def sell():\n{}",
    "SH403": "def refill(session: OrmSession):\n{}",
    "SH404": "def run(session: OrmSession, fetch):\n{}",
    "SH406": "def store(session: OrmSession, order, number):\n{}",
    "SH501": "def totals(session: OrmSession, total_of):\n{}",
    "SH502": "def push(connection: pymysql.Connection, last=0):\n{}",
    "SH503": "def reset():\n{}",
    "SH504": "def store(session: OrmSession, readings):\n{}",
    "SH505": "def upload(session: OrmSession):\n{}",
    "SH506": "def open():\n{}",
    "SH507": "def open():\n{}",
    "SH405": "def cursor_of(connection: pymysql.Connection):\n{}",
}


def section(rule_id: str, heading: str) -> str:
    parts = SECTION.split(describe(rule_id))
    return parts[parts.index(heading) + 1]


def program(rule_id: str, code: str) -> str:
    if code.lstrip().startswith("except"):
        code = f"try:\n    work()\n{code}"
    around = AROUND.get(rule_id, "{}")
    if ":\n{}" in around:
        code = textwrap.indent(code, "    ")
    return PRELUDE + ENGINE + around.format(code)


def fired(rule_id: str, code: str) -> set[str]:
    report = lint_source(program(rule_id, code))
    rules = {one.finding.rule for one in report.found}
    assert "SH001" not in rules, report.found[0].finding.message
    return rules


def test_every_page_says_what_the_docstring_says_now():
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert there == pages(), "stale; run: python tools/lint_pages.py"


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.id)
def test_a_rules_docstring_has_all_headings_in_order(rule):
    found = [heading for heading in SECTION.findall(describe(rule.id)) if heading in HEADINGS]
    assert tuple(found) == HEADINGS
    assert summary(rule).endswith(".")


def test_ids_are_in_order_and_unique_and_in_a_known_group():
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"SH\d{3}", one) and one[2] in GROUPS for one in ids)
    assert len(ids) >= 30


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.id)
def test_a_rule_fires_on_its_own_example(rule):
    code = "\n".join(BLOCK.findall(section(rule.id, "Example")))
    assert rule.id in fired(rule.id, code)


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.id)
def test_a_rule_stays_silent_on_what_to_use_instead(rule):
    for code in BLOCK.findall(section(rule.id, "Use instead")):
        assert rule.id not in fired(rule.id, code)


def test_a_rule_is_described_by_its_id_in_either_case_and_by_its_name():
    assert describe("SH103").startswith("# SH103: options-not-reaching-engine\n")
    assert describe("sh103") == describe("SH103") == describe("options-not-reaching-engine")


def test_an_unknown_rule_names_those_that_there_are():
    with pytest.raises(UnknownName, match=r"unknown rule 'SH999'; there are: SH101"):
        describe("SH999")
