"""Tracebacks and error reports of applications, as people paste them, read into facts."""

from stillhere.apptrace.report import Frame, PoolFacts, Position, Report

__all__ = ["Frame", "PoolFacts", "Position", "Report"]
