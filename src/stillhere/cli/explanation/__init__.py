"""How an answer of ``stillhere explain`` is shown: as facts (JSON), as text, as a page."""
