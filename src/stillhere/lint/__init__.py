"""Mistakes in application code by which connections are lost, leaked or shared: found without running it.

`lint_paths` checks files and folders, `lint_source` a text, `describe` explains a rule.
"""

from __future__ import annotations

from stillhere.lint.config import Config, find_config
from stillhere.lint.pages import describe
from stillhere.lint.runner import Found, Report, lint_paths, lint_source

__all__ = ["Config", "Found", "Report", "describe", "find_config", "lint_paths", "lint_source"]
