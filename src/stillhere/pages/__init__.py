"""One skeleton for every page that is written to a file: self-contained, light and dark, narrow and wide, printable."""

from __future__ import annotations

from html import escape
from importlib import resources

__all__ = ["document"]


def document(*, title: str, style: str, body: str) -> str:
    """A whole HTML document that needs nothing from elsewhere: no script, no font, no picture.

    The base style brings the colours of both schemes as CSS variables (``--ink``, ``--soft``, ``--line``, ``--good``,
    ``--error``… each with its ``-tint``), and the classes ``soft``, ``verdict``, ``card`` and ``chip``.

    Args:
        title: as plain text.
        style: the page's own CSS, after the base style.
        body: the HTML inside ``<main>``, escaped by whoever made it.
    """
    base = resources.files("stillhere.pages").joinpath("base.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{base}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body.strip()}\n</main>\n</body>\n</html>\n"
    )
