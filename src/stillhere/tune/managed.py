"""The same changes for services where one has parameters instead of a file and SET GLOBAL.

The services name these parameters as the server does. Whether a restart is needed follows the server: what SET GLOBAL
can change is dynamic there too. A service may refuse a parameter or a value, and says so itself. Sources: "Working with
DB parameter groups" (Amazon RDS and Aurora), "Configure database flags" (Cloud SQL for MySQL), "Configure server
parameters" (Azure Database for MySQL, flexible server).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stillhere.registry import Registry
from stillhere.tune.change import Change
from stillhere.tune.knobs import KNOBS

__all__ = ["SERVICES", "Parameter", "Service", "parameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a managed service.

    Attributes:
        name: as the service calls it.
        before: the value now.
        after: the value that it should have.
        restart: whether it takes a restart.
    """

    name: str
    before: str
    after: str
    restart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One managed service.

    Attributes:
        name: what the user types.
        title: its name.
        commands: the command lines that set the parameters.
        caution: what to know first.
    """

    name: str
    title: str
    commands: Callable[[tuple[Parameter, ...]], tuple[str, ...]]
    caution: str


def parameters(changes: Iterable[Change]) -> tuple[Parameter, ...]:
    """The changes as parameters; switches are 1 and 0 there."""
    return tuple(
        Parameter(
            name=one.name,
            before=one.before,
            after={"ON": "1", "OFF": "0"}.get(one.after, one.after),
            restart=KNOBS.get(one.name).static,
        )
        for one in changes
    )


def _rds(verb: str, group: str) -> Callable[[tuple[Parameter, ...]], tuple[str, ...]]:
    def commands(found: tuple[Parameter, ...]) -> tuple[str, ...]:
        listed = " ".join(
            f"ParameterName={one.name},ParameterValue={one.after},"
            f"ApplyMethod={'pending-reboot' if one.restart else 'immediate'}"
            for one in found
        )
        return (f"aws rds {verb} {group} GROUP --parameters {listed}",)

    return commands


def _cloud_sql(found: tuple[Parameter, ...]) -> tuple[str, ...]:
    listed = ",".join(f"{one.name}={one.after}" for one in found)
    return (
        "gcloud sql instances describe INSTANCE --format='value(settings.databaseFlags)'",
        f"gcloud sql instances patch INSTANCE --database-flags={listed}",
    )


def _azure(found: tuple[Parameter, ...]) -> tuple[str, ...]:
    return tuple(
        f"az mysql flexible-server parameter set --resource-group GROUP --server-name SERVER --name {one.name}"
        f" --value {one.after}"
        for one in found
    )


SERVICES = Registry(
    "managed service",
    (
        Service(
            name="rds",
            title="Amazon RDS",
            commands=_rds("modify-db-parameter-group", "--db-parameter-group-name"),
            caution="The default group can't be changed: the instance needs a group of its own. max_connections is a"
            " formula of the instance's memory there; a number takes its place.",
        ),
        Service(
            name="aurora",
            title="Amazon Aurora",
            commands=_rds("modify-db-parameter-group", "--db-parameter-group-name"),
            caution="Each instance has a group of its own, the default group can't be changed, and what the cluster's"
            " group sets as well is the instance group's to override.",
        ),
        Service(
            name="cloudsql",
            title="Cloud SQL for MySQL",
            commands=_cloud_sql,
            caution="--database-flags replaces the whole list: add the flags that the first command shows. Setting a"
            " flag may restart the instance.",
        ),
        Service(
            name="azure",
            title="Azure Database for MySQL, flexible server",
            commands=_azure,
            caution="max_connections has an upper bound by the server's size.",
        ),
    ),
)
