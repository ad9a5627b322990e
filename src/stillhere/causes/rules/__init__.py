"""The causes that stillhere knows, one file each."""

from __future__ import annotations

from stillhere.causes.rule import Rule
from stillhere.causes.rules.access_denied import AccessDenied
from stillhere.causes.rules.account_limit import AccountLimit
from stillhere.causes.rules.blob_over_redo import BlobOverRedo
from stillhere.causes.rules.client_packet_limit import ClientPacketLimit
from stillhere.causes.rules.client_read_timeout import ClientReadTimeout
from stillhere.causes.rules.crash import Crash
from stillhere.causes.rules.disk_full import DiskFull
from stillhere.causes.rules.exit_without_close import ExitWithoutClose
from stillhere.causes.rules.failover import Failover
from stillhere.causes.rules.galera_not_ready import GaleraNotReady
from stillhere.causes.rules.handshake_lost import HandshakeLost
from stillhere.causes.rules.host_blocked import HostBlocked
from stillhere.causes.rules.idle_dropped_on_the_way import IdleDroppedOnTheWay
from stillhere.causes.rules.idle_timeout import IdleTimeout
from stillhere.causes.rules.idle_transaction_timeout import IdleTransactionTimeout
from stillhere.causes.rules.innodb_hang import InnodbHang
from stillhere.causes.rules.interrupted_call import InterruptedCall
from stillhere.causes.rules.killed import Killed
from stillhere.causes.rules.net_read_timeout import NetReadTimeout
from stillhere.causes.rules.net_write_timeout import NetWriteTimeout
from stillhere.causes.rules.network_lost import NetworkLost
from stillhere.causes.rules.open_files import OpenFiles
from stillhere.causes.rules.out_of_memory import OutOfMemory
from stillhere.causes.rules.packet_too_large import PacketTooLarge
from stillhere.causes.rules.pool_exhausted import PoolExhausted
from stillhere.causes.rules.port_check import PortCheck
from stillhere.causes.rules.results_unread import ResultsUnread
from stillhere.causes.rules.reverse_dns import ReverseDns
from stillhere.causes.rules.server_restart import ServerRestart
from stillhere.causes.rules.session_timeout import SessionTimeout
from stillhere.causes.rules.shared_after_fork import SharedAfterFork
from stillhere.causes.rules.shared_between_threads import SharedBetweenThreads
from stillhere.causes.rules.slow_work import SlowWork
from stillhere.causes.rules.statement_limit import StatementLimit
from stillhere.causes.rules.thread_limit import ThreadLimit
from stillhere.causes.rules.tls import Tls
from stillhere.causes.rules.too_many_connections import TooManyConnections
from stillhere.causes.rules.unfinished_shutdown import UnfinishedShutdown
from stillhere.causes.rules.upgrade_refused import UpgradeRefused
from stillhere.registry import Registry

__all__ = ["RULES"]

RULES: Registry[Rule] = Registry(
    "cause",
    [
        IdleTimeout(),
        SessionTimeout(),
        IdleDroppedOnTheWay(),
        PacketTooLarge(),
        ClientPacketLimit(),
        BlobOverRedo(),
        ClientReadTimeout(),
        NetWriteTimeout(),
        NetReadTimeout(),
        HandshakeLost(),
        Killed(),
        StatementLimit(),
        IdleTransactionTimeout(),
        ServerRestart(),
        Crash(),
        OutOfMemory(),
        InnodbHang(),
        UnfinishedShutdown(),
        DiskFull(),
        TooManyConnections(),
        AccountLimit(),
        ThreadLimit(),
        HostBlocked(),
        OpenFiles(),
        ReverseDns(),
        AccessDenied(),
        Tls(),
        Failover(),
        GaleraNotReady(),
        SharedAfterFork(),
        SharedBetweenThreads(),
        InterruptedCall(),
        ResultsUnread(),
        ExitWithoutClose(),
        PortCheck(),
        UpgradeRefused(),
        PoolExhausted(),
        SlowWork(),
        NetworkLost(),
    ],
)
"""All causes, in the order of the catalogue."""
