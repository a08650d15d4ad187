"""Which ScyllaDB the node follows: every answer that depends on the release asks here.

The node follows 2026.1, the long-term support release, which docker-compose.yml starts too. One thing it has from
2026.2: the per-row TTL. Chapter 6 compares the ways in which a hold can end, and this is one of them; the chapter says
from which release on a cluster knows it. It has functions and a line of SUPPORTED that later releases bring, and it
refuses what ScyllaDB warns that it will refuse. Told ``--as 2026.1`` or ``--as 2026.2`` the node follows that release,
with the settings that it is shipped with, in everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Release:
    """One release of ScyllaDB, as far as the answers of its releases differ."""

    name: str
    version: str  # what system.versions says, less the node's own mark
    row_ttl: bool  # whether a column may be marked TTL, and rows end by it
    # Whether a table's tombstones go once it was repaired, unless it says otherwise; where it is False that is so for
    # tables on tablets with several replicas only, and one replica may not even ask for it.
    repairs_before_gc: bool
    # strict_allow_filtering: whether a slice of every partition is refused without ALLOW FILTERING. Where it is False,
    # as shipped, it is answered with the warning that it will be.
    strict_filtering: bool = False
    math_functions: bool = False  # abs() and its like, which Cassandra 5 has, and ScyllaDB not yet
    tells_host_id: bool = False  # SCYLLA_HOST_ID, by which drivers know whom they have reached; after 2026.2


LTS = Release("2026.1", "2026.1.0", row_ttl=False, repairs_before_gc=False)
FEATURE = Release("2026.2", "2026.2.0", row_ttl=True, repairs_before_gc=True)
RELEASES = {release.name: release for release in (LTS, FEATURE)}
#: What a node follows that was not told.
DEFAULT = replace(LTS, row_ttl=True, strict_filtering=True, math_functions=True, tells_host_id=True)

# What every release that is followed says of itself, whatever its number: ScyllaDB's answers to clients that want to
# know which Cassandra it is compatible with.
COMPATIBLE_VERSION = "3.0.8"
CQL_VERSION = "3.3.1"
