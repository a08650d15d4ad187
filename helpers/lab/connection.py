"""``connect()``: finds the engine, says in one line which it is, and returns the driver's own session."""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .control import ask
from .engine import engine_of
from .errors import LabError
from .keyspaces import check_keyspace_name
from .node import Node, running_node
from .replication import racks_of, replication
from .row_classes import named_rows
from .sent import watch
from .settings import Settings

if TYPE_CHECKING:
    from cassandra.cluster import Cluster, Session

CONNECT_SECONDS = 5
REQUEST_SECONDS = 15
_RECONNECT_SECONDS = 2.0
_IF_ROWS_ARE_MISSING = (
    "If rows are missing, run the notebook from its top: open_chapter() writes what the chapter needs. What you had "
    "added yourself is to be written again."
)

# What the driver and the server have to warn of is for programmers' logs; without a handler it would stand between a
# cell and its result. A program that sets up logging still gets it.
logging.getLogger("cassandra").addHandler(logging.NullHandler())

# A cluster that has seen the embedded node die takes its successor for the same host, and still refuses a statement
# or two while it mends its connections. So each process of the node has a cluster of its own.
_clusters: dict[tuple[Settings, Node | None], Cluster] = {}
_latest: Session | None = None
# Whether this process was told that its server does not answer; and the keyspace to which it came back since.
_lost = False
_back_in: str | None = None

# The first byte of an alert in TLS, where the driver looks for the version of the protocol.
_TLS_ALERT = 21

# OpenSSL's codes for a certificate that is good, but not for this name or address, and not at this time.
_OTHER_NAME, _OTHER_TIME = (62, 64), (9, 10)


def connect(keyspace: str | None = None) -> Session:
    """Connect to the server that SCYLLA_HOSTS names, or else to the embedded node, starting it when needed.

    Prints one line that says which engine it is; of a cluster a second, which says how many copies of each row a new
    keyspace keeps there, and why; and one for each thing that the embedded node has lost or cannot do, if there is any.
    The session reads and writes at LOCAL_QUORUM, and decides at SERIAL: by a majority of the replicas of all data
    centres, so that no two of them sell the same seat (docs/checkout.md has the price). It waits 15 seconds at most for
    an answer, and lets the server stamp the writes, so that plain and conditional writes follow one clock. Whatever
    goes wrong is a ``LabError`` of one sentence.

    Whoever connects again goes on in the keyspace that was in use. After the server was lost that is said, and the next
    ``open_chapter()`` takes the chapter as it is there.

    >>> session = connect()
    Connected to the embedded node: 1 node, data centre datacenter1.
    """
    global _latest, _lost, _back_in
    if keyspace is not None and (not isinstance(keyspace, str) or not keyspace):
        check_keyspace_name(keyspace)
    settings = Settings.from_environment()
    node = None if settings.hosts else running_node()
    if node is not None:
        settings = Settings((node.host,), node.port, local_dc="datacenter1")
    before = _latest.keyspace if _latest is not None else None
    session = _latest = _session(settings, node, keyspace)
    watch(session)
    if keyspace is None and before is not None:
        _go_on_in(before, session)
    comes_back, _lost = _lost, False
    _back_in = session.keyspace if comes_back else None
    centres = racks_of(session)
    if node is not None:
        (centre,) = centres
        print(f"Connected to the {engine_of(session).name}: 1 node, data centre {centre}.")
        _tell_notices(node)
    else:
        nodes = "; ".join(f"{_nodes(racks)}, data centre {centre}" for centre, racks in centres.items())
        print(f"Connected to {engine_of(session).name} at {', '.join(settings.hosts)}: {nodes}.")
        print(replication(session))
    if _back_in is not None:
        print(f"{_back_in} is in use again, with all that was acknowledged.")
    return session


def _go_on_in(keyspace: str, session: Session) -> None:
    """Use the keyspace that was in use before; another server may have none of that name."""
    from cassandra import InvalidRequest

    with suppress(InvalidRequest):
        session.set_keyspace(keyspace)


def server_is_lost() -> None:
    """A learner was told that the server does not answer. They come back by ``connect()``, and want to go on."""
    global _lost
    _lost = True


def comes_back_to(keyspace: str) -> bool:
    """Did the last ``connect()`` bring a notebook back to this keyspace, after its server was lost? True only once."""
    global _back_in
    back_in, _back_in = _back_in, None
    return back_in == keyspace


def _nodes(racks: Sequence[str]) -> str:
    """How many nodes, one in each of ``racks``, and in how many different racks."""
    if len(racks) == 1:
        return "1 node"
    different = len(set(racks))
    return f"{len(racks)} nodes in {different} rack{'s' * (different != 1)}"


def _tell_notices(node: Node) -> None:
    """What the embedded node has to say: at its start it may have found its data damaged. Nobody reads its log."""
    try:
        notices = ask(node.host, node.port, {"do": "status"}).get("notices", [])
    except LabError:
        return  # it has answered a query: it is busy, and tells next time
    for notice in notices:
        print(f"Note: {notice}")
    if notices:
        print(f"→ {_IF_ROWS_ARE_MISSING}")


def latest_session() -> Session | None:
    """The session that this process's last ``connect()`` returned."""
    return _latest


def living_session() -> Session | None:
    """The latest session, if there is one; a LabError if its server does not answer."""
    if _latest is not None:
        try:
            _latest.execute("SELECT key FROM system.local WHERE key = 'local'", timeout=CONNECT_SECONDS)
        except Exception as error:
            server_is_lost()
            raise LabError(
                "The server does not answer any more: run session = connect() in a cell of its own, then this again."
            ) from error
    return _latest


def _begin_anew() -> None:
    """After a fork: the connections are the parent's, and so are the threads that serve them. The child leaves them
    alone, and makes its own."""
    global _latest, _back_in
    _inherited.extend(_clusters.values())  # kept, so that nothing of them is closed
    _clusters.clear()
    _latest = _back_in = None


_inherited: list[Cluster] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def disconnect() -> None:
    """Close every connection of this process. The embedded node runs on."""
    global _latest
    _latest = None
    while _clusters:
        _clusters.popitem()[1].shutdown()


def _session(settings: Settings, node: Node | None, keyspace: str | None) -> Session:
    from cassandra import InvalidRequest
    from cassandra.cluster import NoHostAvailable

    key = settings, node
    session = _session_of(_clusters.pop(key, None))  # the server may have been restarted since: then a new one
    if session is None:
        cluster = None
        try:
            cluster = _cluster(settings, embedded=node is not None)
            session = _ready(cluster)
        except Exception as error:
            if cluster is not None:
                cluster.shutdown()
            raise LabError(_sentence(error, settings, embedded=node is not None)) from error
    _clusters[key] = session.cluster
    if keyspace is not None:
        try:
            session.set_keyspace(keyspace)
        except (InvalidRequest, NoHostAvailable) as error:
            check_keyspace_name(keyspace)  # a cluster may have one of another name, so it is asked first
            raise LabError(
                f"There is no keyspace {keyspace} yet. Connect without it, then open_chapter(session, {keyspace!r})."
            ) from error
    return session


def _session_of(cluster: Cluster | None) -> Session | None:
    """A session of a cluster that this process has already; None where that does not answer any more."""
    if cluster is None or cluster.is_shutdown:
        return None
    try:
        return _ready(cluster)
    except Exception:
        cluster.shutdown()
        return None


def _ready(cluster: Cluster) -> Session:
    """A session that has answered a query."""
    session = cluster.connect()
    session.use_client_timestamp = False
    session.execute("SELECT key FROM system.local WHERE key = 'local'", timeout=CONNECT_SECONDS)
    return session


def _cluster(settings: Settings, embedded: bool) -> Cluster:
    from cassandra import ConsistencyLevel
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import ConstantReconnectionPolicy, DCAwareRoundRobinPolicy, TokenAwarePolicy

    by_turns = DCAwareRoundRobinPolicy(settings.local_dc or "")
    profile = ExecutionProfile(
        # The embedded node is alone: to look for a partition's replicas would cost a quarter of each request.
        load_balancing_policy=by_turns if embedded else TokenAwarePolicy(by_turns),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        # LOCAL_SERIAL decides within one data centre: with two, each of them would sell the seat.
        serial_consistency_level=ConsistencyLevel.SERIAL,
        request_timeout=REQUEST_SECONDS,
        row_factory=named_rows,
    )
    options: dict[str, Any] = {}
    if embedded:
        # A session of before its end is in a notebook's objects still: it is to find the node soon, not in ten minutes.
        options["reconnection_policy"] = ConstantReconnectionPolicy(_RECONNECT_SECONDS, max_attempts=None)
        options["compression"] = False  # it has none to offer, and the driver would log an error for each connection
    if settings.user is not None:
        options["auth_provider"] = PlainTextAuthProvider(settings.user, settings.password)
    if settings.ca_file is not None:
        options["ssl_context"] = ssl.create_default_context(cafile=str(settings.ca_file))
    return Cluster(
        list(settings.hosts),
        port=settings.port,
        protocol_version=4,
        connect_timeout=CONNECT_SECONDS,
        # The driver sends in pieces of 4 KB; without this, each request above that waits 40 ms for an acknowledgement.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        **options,
    )


def _sentence(error: Exception, settings: Settings, embedded: bool) -> str:
    """What went wrong in one sentence, from the driver's collection of reasons."""
    from cassandra import AuthenticationFailed, OperationTimedOut, UnresolvableContactPoints
    from cassandra.connection import ConnectionShutdown

    errors = getattr(error, "errors", None)
    reasons: list[Exception] = list(errors.values()) if isinstance(errors, dict) and errors else [error]
    address = f"{', '.join(settings.hosts)} port {settings.port}"

    def among(*kinds: type[Exception]) -> bool:
        return any(isinstance(reason, kinds) for reason in reasons)

    if embedded:
        return f"The embedded node was started, but does not answer a query ({reasons[0]})."
    if isinstance(error, ssl.SSLError):  # before any connection was tried
        return f"SCYLLA_CA_FILE ({settings.ca_file}) is not a PEM file with a certificate."
    if among(AuthenticationFailed):
        if settings.user is None:
            return f"The server at {address} wants a name and a password: set SCYLLA_USER and SCYLLA_PASSWORD."
        return f"The server at {address} does not accept this password for the user {settings.user!r}."
    refused = _tls_refusal(settings)
    if isinstance(refused, ssl.SSLCertVerificationError) and refused.verify_code in _OTHER_NAME:
        return (
            f"The certificate of the server at {address} is for another name: put the name that it is for into "
            "SCYLLA_HOSTS."
        )
    if isinstance(refused, ssl.SSLCertVerificationError) and refused.verify_code in _OTHER_TIME:
        return f"The certificate of the server at {address} has run out, or is not valid yet."
    if isinstance(refused, ssl.SSLCertVerificationError):
        return f"The certificate of the server at {address} is not signed by what SCYLLA_CA_FILE holds."
    if refused is not None:
        return f"The server at {address} does not speak TLS: leave SCYLLA_CA_FILE out, or use its TLS port."
    if among(UnresolvableContactPoints):
        return f"No machine is called {', '.join(settings.hosts)}: look at SCYLLA_HOSTS."
    if isinstance(errors, list) and settings.local_dc:
        return f"SCYLLA_LOCAL_DC is {settings.local_dc!r}, and the server at {address} knows no node there."
    if among(ConnectionRefusedError):
        return f"Nothing listens at {address}: is the server up, and are SCYLLA_HOSTS and SCYLLA_PORT right?"
    version = re.search(r"does not support protocol version (\d+)", " ".join(map(str, reasons)))
    if version and int(version[1]) == _TLS_ALERT:
        return f"The server at {address} speaks only TLS: set SCYLLA_CA_FILE."
    if version:
        return f"What answers at {address} does not speak CQL: are SCYLLA_HOSTS and SCYLLA_PORT right?"
    if among(ConnectionShutdown, ConnectionResetError, BrokenPipeError):
        hint = "" if settings.ca_file else " Servers that speak only TLS do that: then set SCYLLA_CA_FILE."
        return f"The server at {address} hung up.{hint}"
    if among(OSError, OperationTimedOut):
        return f"No server answers at {address} within {CONNECT_SECONDS} s: is it up, and may this machine reach it?"
    return f"The server at {address} could not be used: {reasons[0]}"


def _tls_refusal(settings: Settings) -> ssl.SSLError | None:
    """What a handshake of TLS with the first server ends with. The driver wraps such errors and drops their class."""
    if settings.ca_file is None:
        return None
    context = ssl.create_default_context(cafile=str(settings.ca_file))
    host = settings.hosts[0]
    try:
        with (
            socket.create_connection((host, settings.port), timeout=CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return None
    except ssl.SSLError as error:
        return error
    except OSError:
        return None
