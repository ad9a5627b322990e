"""The skeleton that every written page has."""

from __future__ import annotations

import re

from stillhere.pages import document


def test_a_document_is_whole_and_needs_nothing_from_elsewhere():
    page = document(title="a <b> & c", style=".own { color: red; }", body="<p>said</p>")
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "<title>a &lt;b&gt; &amp; c</title>" in page
    assert "<main>\n<p>said</p>\n</main>" in page
    assert not re.search(r"""src\s*=|href\s*=|url\(|@import|https?://|<script""", page)


def test_both_schemes_and_paper_have_every_colour():
    page = document(title="", style="", body="")
    light, dark, paper = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    names = [set(re.findall(r"(--[a-z-]+):", colours)) for colours in (light, dark, paper)]
    assert names[0] == names[1] == names[2]


def test_a_pages_own_style_comes_after_the_base():
    page = document(title="", style=".card { color: red; }", body="")
    assert page.rindex(".card {") > page.index("body {")
