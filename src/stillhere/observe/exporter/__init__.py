"""Servers' connections as Prometheus metrics: one look a scrape, one login, a proper goodbye."""
