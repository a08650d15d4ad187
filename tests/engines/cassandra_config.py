"""Everything a Cassandra test node reads at its start: its configuration, log settings and JVM flags."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from string import Template

HOST = "127.0.0.1"
TEMPLATE = Path(__file__).with_name("cassandra.yaml")

# Java's modules keep these packages to themselves, and Cassandra reaches into them. The list is the one that
# Cassandra's own start script passes to Java 17.
_EXPORTS = (
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.unsupported/sun.misc",
)
_OPENS = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.util",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.compiler/com.sun.tools.javac",
    "jdk.management/com.sun.management.internal",
)

_LOGBACK = """\
<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{log_file}</file>
    <encoder><pattern>%-5level %date %logger{{0}} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="FILE"/></root>
</configuration>
"""


@dataclass(frozen=True)
class Keystore:
    """A PKCS#12 file with the node's key and certificate, and the password that opens it."""

    path: Path
    password: str


@dataclass(frozen=True)
class NodeFiles:
    """Where a node keeps what: everything stands under one folder, ``root``."""

    root: Path

    @property
    def config(self) -> Path:
        """The rendered cassandra.yaml."""
        return self.root / "cassandra.yaml"

    @property
    def logback(self) -> Path:
        """The log settings."""
        return self.root / "logback.xml"

    @property
    def log(self) -> Path:
        """Cassandra's own log."""
        return self.root / "cassandra.log"

    @property
    def output(self) -> Path:
        """What the JVM printed: of interest when it died before it could log."""
        return self.root / "jvm-output.log"


def render_config(
    root: Path,
    *,
    native_port: int,
    storage_port: int,
    keystore: Keystore | None = None,
    with_passwords: bool = False,
) -> str:
    """Return the cassandra.yaml of a single node that keeps its data under ``root``.

    With a ``keystore`` the node speaks TLS only; ``with_passwords`` lets in nobody who has no role.
    """
    client_encryption: dict[str, object] = {"enabled": False}
    if keystore is not None:
        client_encryption = {
            "enabled": True,
            "optional": False,
            "keystore": str(keystore.path),
            "keystore_password": keystore.password,
            "store_type": "PKCS12",
        }
    values: dict[str, object] = {
        "host": HOST,
        "native_port": native_port,
        "storage_port": storage_port,
        "seed": f"{HOST}:{storage_port}",
        "data_directory": str(root / "data"),
        "commitlog_directory": str(root / "commitlog"),
        "saved_caches_directory": str(root / "saved_caches"),
        "hints_directory": str(root / "hints"),
        "cdc_raw_directory": str(root / "cdc_raw"),
        "authenticator": "PasswordAuthenticator" if with_passwords else "AllowAllAuthenticator",
        "client_encryption": client_encryption,
    }
    # JSON is YAML, so a path with a space, a colon or a quote in it stays one value. Comments are left out
    # first: one of them speaks of "$name".
    lines = [line for line in TEMPLATE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    template = Template("\n".join(lines) + "\n")
    return template.substitute({name: json.dumps(value) for name, value in values.items()})


def render_logback(log_file: Path) -> str:
    """Return log settings that send everything from INFO on to ``log_file``."""
    escaped = str(log_file).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LOGBACK.format(log_file=escaped)


def jvm_arguments(files: NodeFiles, classpath: list[str], *, heap_mb: int, throwaway: bool) -> list[str]:
    """Return the arguments for ``java`` that start one node.

    ``throwaway`` says that the data are gone after the node's end: then Cassandra need not flush its schema
    to disk at every DDL statement, which halves the time that each takes.
    """
    properties = {
        "cassandra.config": files.config.as_uri(),
        "cassandra.storagedir": files.root,
        "cassandra.logdir": files.root,
        "logback.configurationFile": files.logback,
        "cassandra-foreground": "yes",
        "cassandra.skip_wait_for_gossip_to_settle": 0,
        "cassandra.ring_delay_ms": 0,
        "cassandra.shutdown_announce_in_ms": 0,
        "cassandra.superuser_setup_delay_ms": 0,
        # Passwords of test roles need not withstand an attacker with a copy of the disk.
        "cassandra.auth_bcrypt_gensalt_log2_rounds": 4,
        "io.netty.tryReflectionSetAccessible": "true",
        "io.netty.allocator.useCacheForAllThreads": "true",
        "io.netty.allocator.maxOrder": 11,
        "java.net.preferIPv4Stack": "true",
        "jdk.attach.allowAttachSelf": "true",
    }
    if throwaway:
        properties["cassandra.test.flush_local_schema_changes"] = "false"
        properties["cassandra.unsafesystem"] = "true"
    # A test node lives for minutes: with the quick compiler and the plain collector it starts in two thirds
    # of the time and half the memory that Cassandra's own choices take, and answers a test's load faster.
    arguments = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
    arguments += [f"-Xms{min(heap_mb, 256)}m", f"-Xmx{heap_mb}m", "-Xss256k", "-ea"]
    # The agent measures objects' sizes for Cassandra's memtables.
    arguments += [f"-javaagent:{jar}" for jar in classpath if Path(jar).name.startswith("jamm-")]
    for option, packages in (("--add-exports", _EXPORTS), ("--add-opens", _OPENS)):
        arguments += [f"{option}={package}=ALL-UNNAMED" for package in packages]
    arguments += [f"-D{name}={value}" for name, value in properties.items()]
    return [*arguments, "-cp", ":".join(classpath), "org.apache.cassandra.service.CassandraDaemon"]
