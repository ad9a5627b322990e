"""The causes that are known, one file each."""

from stillhere.causes.rule import Rule
from stillhere.registry import Registry

RULES: Registry[Rule] = Registry("cause", [])
