"""A league's match pages: Flask, SQLAlchemy and a MySQL driver, as such applications are commonly written.

``python -m stillhere.lab.apps.matches --help`` serves it. It comes in three arms that share every line but
their engine's options and one decorator: see `stillhere.lab.drill.arms`.
"""
