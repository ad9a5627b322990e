"""Watching an application's connections from inside it."""
