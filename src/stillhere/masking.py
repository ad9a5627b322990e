"""Passwords out of texts: statements, option values and URLs, before anything is shown, stored or logged.

What is masked is found by its place in the text, never by guessing what looks like a password. The text may be cut
off anywhere, as the statements in crash dumps and process lists are: a literal without its closing quote is masked to
the end.
"""

from __future__ import annotations

import re

__all__ = ["MASK", "mask_sql", "mask_urls"]

MASK = "***"

# A string literal with either quote, doubled or escaped quotes inside, perhaps cut off before its end; or a hash
# in hexadecimal; or the start of a literal that a cut has left nothing of.
_LITERAL = r"""(?:'(?:[^'\\]|''|\\.)*+(?:'|\\?\Z)|"(?:[^"\\]|""|\\.)*+(?:"|\\?\Z)|0x[0-9a-fA-F]*+)"""
_GAP = r"(?:\s|/\*.*?\*/)*"
_EQUALS = rf"{_GAP}:?={_GAP}"

_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # CREATE/ALTER USER, GRANT; REPLACE is MySQL's old password, a second VIA/OR MariaDB's further plugins.
        rf"(\bIDENTIFIED{_GAP}(?:VIA|WITH){_GAP}[^\s;,]+?{_GAP}(?:BY|AS|USING){_GAP}(?:PASSWORD\b{_GAP}\(?{_GAP})?){_LITERAL}",
        rf"(\bIDENTIFIED{_GAP}BY{_GAP}(?:PASSWORD\b{_GAP})?){_LITERAL}",
        rf"(\b(?:USING|AS){_GAP}){_LITERAL}(?=.*\bIDENTIFIED\b)",
        rf"(\bOR{_GAP}[a-z0-9_]+{_GAP}(?:USING|AS){_GAP}){_LITERAL}",
        rf"(\bREPLACE{_GAP}){_LITERAL}(?!{_GAP},)",
        # Functions, and SET PASSWORD [FOR account] = …
        rf"(\b(?:OLD_)?PASSWORD{_GAP}\({_GAP}){_LITERAL}",
        rf"(\bSET{_GAP}PASSWORD\b(?:(?!:?=|;).)*?{_EQUALS}){_LITERAL}",
        rf"(\bSET{_GAP}PASSWORD\b(?:(?!:?=|;).)*?\bTO{_GAP}){_LITERAL}",
        # Replication, servers, keys: MASTER_PASSWORD = '…', SOURCE_PASSWORD, PASSWORD '…', START GROUP_REPLICATION
        # USER='…', PASSWORD='…', wsrep_sst_auth.
        rf"(\b[a-z_]*(?:password|passwd|passphrase|secret|wsrep_sst_auth)\b[`\"]?{_GAP}(?:{_EQUALS})?){_LITERAL}",
        # What every session runs at its start may set anything.
        rf"(\binit_connect\b[`\"]?{_EQUALS}){_LITERAL}",
        rf"(\b(?:AES_ENCRYPT|AES_DECRYPT|DES_ENCRYPT|DES_DECRYPT|ENCODE|DECODE|ENCRYPT)\b{_GAP}\([^;]*?,{_GAP}){_LITERAL}",
    )
)
# Option files and command lines: --password=secret, password = secret, -psecret is left to whoever knows the command.
_OPTION = re.compile(
    r"""((?:^|[\s;"'])(?:--)?[a-z_-]*(?:password|passwd|wsrep[_-]sst[_-]auth)[ \t]*=[ \t]*)(?!['"*])[^\s;,'")]+""",
    re.IGNORECASE | re.MULTILINE,
)
_INIT_CONNECT = re.compile(r"(^[ \t]*(?:--)?init[_-]connect[ \t]*=[ \t]*)(?!['\"*]).+", re.IGNORECASE | re.MULTILINE)

_IN_URL = re.compile(r"(\b[\w+.-]+://[^\s:/@'\"]*:)[^\s'\"]*(@)")
_IN_QUERY = re.compile(r"(?i)([?&](?:password|passwd|pwd|ssl_key_password)=)[^&\s'\"]+")


def mask_sql(text: str) -> str:
    """The statement, or the text with statements in it, with every password in it replaced by ``***``.

    Covers accounts (``IDENTIFIED BY``, ``IDENTIFIED VIA … USING``, ``SET PASSWORD``, ``PASSWORD(…)``), replication
    (``MASTER_PASSWORD``, ``SOURCE_PASSWORD`` and everything else whose name ends in password), keys of encrypting
    functions, the value of ``init_connect``, and options of the form ``password=…``.
    """
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1'{MASK}'", text)
    text = _OPTION.sub(rf"\1{MASK}", text)
    return _INIT_CONNECT.sub(rf"\1{MASK}", text)


def mask_urls(text: str) -> str:
    """The text with the passwords of all URLs in it replaced by ``***``."""
    text = _IN_URL.sub(rf"\1{MASK}\2", text)
    return _IN_QUERY.sub(rf"\1{MASK}", text)
