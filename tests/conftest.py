"""What holds for every test.

Hypothesis judges answers, never how long a busy machine takes for one. What outlives a process is kept in a directory
of the run's own, never in that of whoever runs the tests.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory):
    """A place for the incidents that tests make; the last are told when the interpreter ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STILLHERE_STATE", str(tmp_path_factory.mktemp("state")))
        yield
        from stillhere.continuity.inquiry import INQUIRY  # noqa: PLC0415 - after coverage has begun, if it measures

        INQUIRY.finish()
