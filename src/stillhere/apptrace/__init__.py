"""Tracebacks and error reports of applications, as people paste them, read into facts.

`parse` reads a text, `read` a file or a stream of any size, `sniff` says whether that is worth trying. What comes out
are `Report` records: one for each error of a MySQL or MariaDB client, in whichever form it was written down.
"""

from stillhere.apptrace.reading import parse, read
from stillhere.apptrace.report import Frame, PoolFacts, Position, Report
from stillhere.apptrace.sniffing import sniff

__all__ = ["Frame", "PoolFacts", "Position", "Report", "parse", "read", "sniff"]
