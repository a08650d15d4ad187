"""Starts one real Apache Cassandra 5 node on loopback, from Maven Central's jars, for tests.

In a test::

    with start_cassandra() as node:
        cluster = Cluster([node.host], port=node.port)

By hand: ``python -m tests.engines.cassandra --port 9142``
"""

from __future__ import annotations

import argparse
import logging
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, Session
from cassandra.policies import WhiteListRoundRobinPolicy

from tests.engines.cassandra_config import (
    HOST,
    Keystore,
    NodeFiles,
    jvm_arguments,
    render_config,
    render_logback,
)
from tests.engines.cassandra_jars import CassandraUnavailable, find_classpath, find_java, is_available
from tests.patience import LONG_SECONDS, PATIENT_CLUSTER, SECONDS

__all__ = ["CassandraNode", "CassandraStartError", "CassandraUnavailable", "is_available", "start_cassandra"]

EXIT_UNAVAILABLE = 3
_POLL_SECONDS = 0.2
_KEYSTORE_PASSWORD = "lantern-park"
# The role that a fresh node with passwords comes with.
_FIRST_ROLE = ("cassandra", "cassandra")


class CassandraStartError(RuntimeError):
    """The node ended, or answered no query in time; the message has the end of its log."""


class CassandraNode:
    """A running node: where it listens, and what a client needs to be let in.

    Attributes: ``host``; ``port``; ``ca_file``, the certificate to trust (None without TLS); ``user`` and
    ``password`` (None without passwords); ``log_file``, Cassandra's own log.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        files: NodeFiles,
        port: int,
        *,
        ca_file: Path | None,
        credentials: tuple[str, str] | None,
    ) -> None:
        self.host = HOST
        self.port = port
        self.ca_file = ca_file
        self.user, self.password = credentials or (None, None)
        self.log_file = files.log
        self._credentials = credentials
        self._process = process
        self._files = files

    def wait_until_ready(self, seconds: float) -> None:
        """Return once the node has answered a query; CassandraStartError if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not (_port_is_open(self.port) and self._lets_us_in()):
            code = self._process.poll()
            if code is not None:
                raise CassandraStartError(f"Cassandra did not start (code {code}).\n{self._log_end()}")
            if time.monotonic() > deadline:
                raise CassandraStartError(f"Cassandra answered no query in {seconds:g} s.\n{self._log_end()}")
            time.sleep(_POLL_SECONDS)

    def wait(self) -> int:
        """Block until the node ends by itself and return its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """End the node, giving it a minute to flush and close before it is killed."""
        self._process.terminate()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _lets_us_in(self) -> bool:
        if self._answers(self._credentials):
            return True
        # A fresh node knows only the first role, and that one only some moments after it listens.
        if self._credentials and self._credentials != _FIRST_ROLE and self._answers(_FIRST_ROLE):
            self._replace_first_role(self._credentials)
            return self._answers(self._credentials)
        return False

    def _answers(self, credentials: tuple[str, str] | None) -> bool:
        try:
            with self._session(credentials) as session:
                return session.execute("SELECT release_version FROM system.local").one() is not None
        except NoHostAvailable:
            return False

    def _replace_first_role(self, credentials: tuple[str, str]) -> None:
        user, password = credentials
        secret = f"PASSWORD = {_cql_string(password)}"
        with self._session(_FIRST_ROLE) as session:
            if user == _FIRST_ROLE[0]:
                session.execute(f"ALTER ROLE {user} WITH {secret}")
                return
            session.execute(f'CREATE ROLE "{user}" WITH SUPERUSER = true AND LOGIN = true AND {secret}')
        with self._session(credentials) as session:
            session.execute(f"DROP ROLE {_FIRST_ROLE[0]}")

    @contextmanager
    def _session(self, credentials: tuple[str, str] | None) -> Iterator[Session]:
        profile = ExecutionProfile(WhiteListRoundRobinPolicy([self.host]), request_timeout=SECONDS)
        context = ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None
        cluster = Cluster(
            [self.host],
            port=self.port,
            protocol_version=4,
            ssl_context=context,
            ssl_options={"server_hostname": self.host} if context else None,
            auth_provider=PlainTextAuthProvider(*credentials) if credentials else None,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            **PATIENT_CLUSTER,
        )
        try:
            yield cluster.connect()
        finally:
            cluster.shutdown()

    def _log_end(self, lines: int = 15) -> str:
        for path in (self._files.output, self._files.log):
            if path.is_file() and path.stat().st_size:
                return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return "It wrote no log."


@contextmanager
def start_cassandra(
    port: int = 0,
    *,
    data_dir: Path | None = None,
    tls: bool = False,
    credentials: tuple[str, str] | None = None,
    heap_mb: int = 1024,
    ready_seconds: float = LONG_SECONDS,
) -> Iterator[CassandraNode]:
    """Run a node while the ``with`` block lasts; port 0 picks a free one.

    Without ``data_dir`` the data live in a temporary folder and end with the node. ``tls`` makes a
    certificate for 127.0.0.1 and localhost and accepts nothing but TLS. ``credentials``, a name (letters,
    digits, ``_`` and ``-``) and its password, become the node's one superuser.

    Raises ValueError for another name, CassandraUnavailable when Java or the jars are missing,
    CassandraStartError when the node does not come up.
    """
    if credentials is not None:
        _check_user(credentials[0])
    if port and _port_is_open(port):
        raise CassandraStartError(f"Port {port} of {HOST} is taken: another server answers there.")
    java, classpath = find_java(), find_classpath()
    root = Path(tempfile.mkdtemp(prefix="cassandra-")) if data_dir is None else Path(data_dir).resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        files = NodeFiles(root)
        keystore, ca_file = _make_certificate(java, root) if tls else (None, None)
        native_port = port or _free_port()
        config = render_config(
            root,
            native_port=native_port,
            storage_port=_free_port(),
            keystore=keystore,
            with_passwords=credentials is not None,
        )
        files.config.write_text(config, encoding="utf-8")
        files.logback.write_text(render_logback(files.log), encoding="utf-8")
        arguments = jvm_arguments(files, classpath, heap_mb=heap_mb, throwaway=data_dir is None)
        with files.output.open("wb") as output:
            # A session of its own: Ctrl-C reaches this process, which then ends the node in order.
            process = subprocess.Popen(
                [str(java), *arguments],
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        node = CassandraNode(process, files, native_port, ca_file=ca_file, credentials=credentials)
        try:
            node.wait_until_ready(ready_seconds)
            yield node
        finally:
            node.stop()
    finally:
        if data_dir is None:
            shutil.rmtree(root, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Run a node until it is told to end; the command line of ``python -m tests.engines.cassandra``."""
    options = _parser().parse_args(arguments)
    # The driver's complaints about a node that is still starting are no news to anybody.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        if options.fetch:
            find_java(), find_classpath()
            return 0
        with start_cassandra(
            options.port, data_dir=options.data_dir, tls=options.tls, credentials=options.password
        ) as node:
            if node.ca_file:
                print(f"CA file: {node.ca_file}", file=sys.stderr, flush=True)
            print(f"cassandra ready on {node.host}:{node.port}", flush=True)
            code = node.wait()
            print(f"Cassandra ended by itself with code {code}.", file=sys.stderr)
            return 1
    except CassandraUnavailable as missing:
        print(missing, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except CassandraStartError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.engines.cassandra", description=main.__doc__)
    parser.add_argument("--port", type=int, default=9142, help="CQL port; 0 picks a free one (default: 9142)")
    parser.add_argument("--fetch", action="store_true", help="only make sure that Java and the jars are here")
    parser.add_argument("--data-dir", type=Path, help="keep the data here (default: a temporary folder)")
    parser.add_argument("--tls", action="store_true", help="accept TLS only; the CA file is named on stderr")
    parser.add_argument(
        "--password", type=parse_credentials, metavar="USER:PASSWORD", help="let in nobody but this superuser"
    )
    return parser


def parse_credentials(text: str) -> tuple[str, str]:
    """Split ``USER:PASSWORD`` at its first colon; a password may contain more of them."""
    user, _, password = text.partition(":")
    if not (user and password):
        raise argparse.ArgumentTypeError("expected USER:PASSWORD")
    try:
        _check_user(user)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return user, password


def _check_user(user: str) -> None:
    # Cassandra puts a role's name unescaped into a query of its own.
    if not re.fullmatch(r"[A-Za-z0-9_-]+", user):
        raise ValueError(f"a role's name has only letters, digits, '_' and '-', which {user!r} has not")


def _end(number: int, frame: FrameType | None) -> None:
    # Further signals must not interrupt the clean-up that this one sets off.
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(0)


def _make_certificate(java: Path, root: Path) -> tuple[Keystore, Path]:
    """Make a self-signed certificate with the JDK's keytool; return its keystore and its PEM file."""
    keystore = Keystore(root / "node.p12", _KEYSTORE_PASSWORD)
    ca_file = root / "ca.pem"
    keystore.path.unlink(missing_ok=True)
    store = ["-keystore", str(keystore.path), "-storepass", keystore.password, "-alias", "node"]
    _keytool(
        java, "-genkeypair", *store, "-storetype", "PKCS12", "-keyalg", "RSA", "-keysize", "2048",
        "-validity", "30", "-dname", "CN=localhost", "-ext", f"san=dns:localhost,ip:{HOST}",
        # The certificate is its own authority; strict clients want that said in it.
        "-ext", "bc:critical=ca:true", "-ext", "ku:critical=keyCertSign,digitalSignature,keyEncipherment",
    )  # fmt: skip
    _keytool(java, "-exportcert", *store, "-rfc", "-file", str(ca_file))
    return keystore, ca_file


def _keytool(java: Path, *arguments: str) -> None:
    keytool = java.with_name("keytool")
    if not keytool.exists():
        raise CassandraUnavailable(f"A TLS node needs keytool, which is missing beside {java}.")
    subprocess.run([str(keytool), *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _cql_string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _port_is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(SECONDS)
        return probe.connect_ex((HOST, port)) == 0


if __name__ == "__main__":
    sys.exit(main())
