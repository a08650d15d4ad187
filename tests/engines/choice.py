"""Which engine the tests are run against, by the environment.

(nothing set)            the embedded node, started for the run
ENGINE=cassandra         Apache Cassandra 5, started from Maven Central's jars
SCYLLA_HOSTS=host,host   a real ScyllaDB (SCYLLA_PORT, SCYLLA_USER … as for the course)
"""

from __future__ import annotations

import os

CHOSEN = "scylla" if os.environ.get("SCYLLA_HOSTS") else os.environ.get("ENGINE", "embedded")
UNKNOWN = f"ENGINE={CHOSEN}: there is embedded, cassandra, and ScyllaDB through SCYLLA_HOSTS."
