"""The rules, one file each, in the order of their ids."""

from __future__ import annotations

from stillhere.lint.rules.async_engine_across_loops import AsyncEngineAcrossLoops
from stillhere.lint.rules.async_engine_never_disposed import AsyncEngineNeverDisposed
from stillhere.lint.rules.base import Rule
from stillhere.lint.rules.celery_result_backend_without_liveness import CeleryResultBackendWithoutLiveness
from stillhere.lint.rules.client_packet_limit_over_server import ClientPacketLimitOverServer
from stillhere.lint.rules.commit_retried import CommitRetried
from stillhere.lint.rules.connection_before_worker_fork import ConnectionBeforeWorkerFork
from stillhere.lint.rules.connection_handed_to_process import ConnectionHandedToProcess
from stillhere.lint.rules.connection_handed_to_thread import ConnectionHandedToThread
from stillhere.lint.rules.django_conn_max_age_over_idle_limit import DjangoConnMaxAgeOverIdleLimit
from stillhere.lint.rules.django_connection_outside_request import DjangoConnectionOutsideRequest
from stillhere.lint.rules.django_persistent_connections_unchecked import DjangoPersistentConnectionsUnchecked
from stillhere.lint.rules.engine_from_engine_url import EngineFromEngineUrl
from stillhere.lint.rules.engine_per_request import EnginePerRequest
from stillhere.lint.rules.engine_shared_with_child_process import EngineSharedWithChildProcess
from stillhere.lint.rules.engine_without_liveness import EngineWithoutLiveness
from stillhere.lint.rules.error_matched_by_text import ErrorMatchedByText
from stillhere.lint.rules.interrupted_statement_reused import InterruptedStatementReused
from stillhere.lint.rules.liveness_probe_depends_on_database import LivenessProbeDependsOnDatabase
from stillhere.lint.rules.module_level_connection import ModuleLevelConnection
from stillhere.lint.rules.module_level_session import ModuleLevelSession
from stillhere.lint.rules.multi_statement_results_unread import MultiStatementResultsUnread
from stillhere.lint.rules.no_rollback_after_failure import NoRollbackAfterFailure
from stillhere.lint.rules.options_not_reaching_engine import OptionsNotReachingEngine
from stillhere.lint.rules.ping_reconnect import PingReconnect
from stillhere.lint.rules.queue_pool_with_async_engine import QueuePoolWithAsyncEngine
from stillhere.lint.rules.raise_outside_handler import RaiseOutsideHandler
from stillhere.lint.rules.read_timeout_shorter_than_statement import ReadTimeoutShorterThanStatement
from stillhere.lint.rules.recycle_not_below_idle_limit import RecycleNotBelowIdleLimit
from stillhere.lint.rules.reset_on_return_off import ResetOnReturnOff
from stillhere.lint.rules.retry_on_bare_operational_error import RetryOnBareOperationalError
from stillhere.lint.rules.retry_without_rollback import RetryWithoutRollback
from stillhere.lint.rules.scoped_session_never_removed import ScopedSessionNeverRemoved
from stillhere.lint.rules.session_as_default_argument import SessionAsDefaultArgument
from stillhere.lint.rules.session_held_over_idle import SessionHeldOverIdle
from stillhere.lint.rules.session_not_closed_on_error import SessionNotClosedOnError
from stillhere.lint.rules.session_shared_by_tasks import SessionSharedByTasks
from stillhere.lint.rules.single_connection_pool import SingleConnectionPool
from stillhere.lint.rules.slow_call_in_transaction import SlowCallInTransaction
from stillhere.lint.rules.slow_work_between_fetches import SlowWorkBetweenFetches
from stillhere.lint.rules.statement_on_open_stream import StatementOnOpenStream
from stillhere.lint.rules.statement_retried_in_transaction import StatementRetriedInTransaction
from stillhere.lint.rules.streaming_response_keeps_session import StreamingResponseKeepsSession
from stillhere.lint.rules.unbounded_blob import UnboundedBlob
from stillhere.lint.rules.unbounded_multi_row_insert import UnboundedMultiRowInsert
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
        SessionHeldOverIdle(),
        ModuleLevelSession(),
        ModuleLevelConnection(),
        SessionNotClosedOnError(),
        NoRollbackAfterFailure(),
        SlowCallInTransaction(),
        StreamingResponseKeepsSession(),
        SessionAsDefaultArgument(),
        ScopedSessionNeverRemoved(),
        EngineSharedWithChildProcess(),
        ConnectionHandedToProcess(),
        ConnectionHandedToThread(),
        SessionSharedByTasks(),
        AsyncEngineAcrossLoops(),
        AsyncEngineNeverDisposed(),
        ConnectionBeforeWorkerFork(),
        InterruptedStatementReused(),
        StatementRetriedInTransaction(),
        RetryOnBareOperationalError(),
        RetryWithoutRollback(),
        RaiseOutsideHandler(),
        PingReconnect(),
        CommitRetried(),
        ErrorMatchedByText(),
        StatementOnOpenStream(),
        SlowWorkBetweenFetches(),
        MultiStatementResultsUnread(),
        UnboundedMultiRowInsert(),
        UnboundedBlob(),
        ClientPacketLimitOverServer(),
        ReadTimeoutShorterThanStatement(),
        DjangoPersistentConnectionsUnchecked(),
        DjangoConnMaxAgeOverIdleLimit(),
        DjangoConnectionOutsideRequest(),
        CeleryResultBackendWithoutLiveness(),
        LivenessProbeDependsOnDatabase(),
    ],
)
"""All rules, in the order of their ids."""
