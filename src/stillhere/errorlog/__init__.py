"""Error logs of MySQL and MariaDB, and what kernels and service managers say about a server, read into entries.

`reader.read` gives a summary of any log, `parser.parse` all entries of one, `rows.entries_from_rows` those of a
table of the server's; `reader.sniff` tells a log from other files.
"""
