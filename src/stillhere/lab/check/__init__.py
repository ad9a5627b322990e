"""The checker: a history of operations under random cuts, held against what the server stored.

`models` and `workload` are the clients' work, `chaos` cuts their connections and ends their server,
`history` is what both leave behind, `checker` judges it, and `run` puts them together.
"""
