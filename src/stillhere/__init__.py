"""stillhere ends "MySQL server has gone away"."""

__version__ = "0.1.0"
