"""Maintenance as a plan that a person would accept: what is worth doing to tables, and nothing that isn't measured."""
