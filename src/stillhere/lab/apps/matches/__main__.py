"""``python -m stillhere.lab.apps.matches``: serve the application with waitress."""

from __future__ import annotations

from stillhere.lab.apps.matches.serve import main

if __name__ == "__main__":
    main()
