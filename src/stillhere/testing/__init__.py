"""Fakes for tests: of stillhere itself, and of applications that use it."""
