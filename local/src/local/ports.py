"""Who listens where on this machine."""

import socket

import psutil

from local.errors import LocalError


def is_taken(port: int) -> bool:
    """Say whether something already accepts connections on 127.0.0.1:`port`, or nothing else can listen there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def holder(port: int) -> str:
    """Name the process that listens on `port`, as `python (process 4711)`; the system may not tell."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        if listens and connection.pid is not None:
            return describe(connection.pid)
    return "another process"


def describe(pid: int) -> str:
    """Return a process's name and id, as far as it still exists."""
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"


def require_free(port: int, *, needed_by: str, remedy: str) -> None:
    """Do nothing when `port` is free.

    Raises:
        LocalError: naming the port, who holds it and `remedy`.
    """
    if is_taken(port):
        message = f"Port {port} is taken by {holder(port)}, but {needed_by} needs it. {remedy}"
        raise LocalError(message)
