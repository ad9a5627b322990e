"""The rules, one file each, in the order of their ids."""

from __future__ import annotations

from stillhere.lint.rules.base import Rule
from stillhere.lint.rules.engine_from_engine_url import EngineFromEngineUrl
from stillhere.lint.rules.engine_per_request import EnginePerRequest
from stillhere.lint.rules.engine_without_liveness import EngineWithoutLiveness
from stillhere.lint.rules.options_not_reaching_engine import OptionsNotReachingEngine
from stillhere.lint.rules.queue_pool_with_async_engine import QueuePoolWithAsyncEngine
from stillhere.lint.rules.recycle_not_below_idle_limit import RecycleNotBelowIdleLimit
from stillhere.lint.rules.reset_on_return_off import ResetOnReturnOff
from stillhere.lint.rules.single_connection_pool import SingleConnectionPool
from stillhere.lint.rules.unlimited_overflow import UnlimitedOverflow
from stillhere.registry import Registry

__all__ = ["RULES"]

RULES: Registry[Rule] = Registry(
    "rule",
    [
        EngineWithoutLiveness(),
        RecycleNotBelowIdleLimit(),
        OptionsNotReachingEngine(),
        UnlimitedOverflow(),
        QueuePoolWithAsyncEngine(),
        ResetOnReturnOff(),
        EnginePerRequest(),
        EngineFromEngineUrl(),
        SingleConnectionPool(),
    ],
)
"""All rules, in the order of their ids."""
