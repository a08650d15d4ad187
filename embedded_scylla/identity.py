"""Who the node is: what ``system.local`` and DESCRIBE CLUSTER say of it."""

from __future__ import annotations

import random
import uuid
from functools import lru_cache

from . import __version__
from .release import COMPATIBLE_VERSION, DEFAULT, Release

NUM_TOKENS = 256  # vnodes of this node, ScyllaDB's default
MIN_TOKEN, MAX_TOKEN = -(2**63) + 1, 2**63 - 1


@lru_cache(maxsize=1)
def node_tokens() -> tuple[int, ...]:
    """The node's tokens, in order: the ends of its token ranges. The same on every embedded node, so that placement
    is too."""
    chance = random.Random(50_000)
    return tuple(sorted(chance.randint(MIN_TOKEN, MAX_TOKEN) for _ in range(NUM_TOKENS)))


class NodeIdentity:
    """Names, versions and addresses. ``address`` is what clients are told; ``port`` the one listened on. ``plain``: it
    does not say that it is not ScyllaDB."""

    def __init__(self, address: str, release: Release = DEFAULT, plain: bool = False):
        self.host_id = uuid.uuid4()
        self.cluster_name = "Test Cluster" if plain else "Embedded node of Fifty Thousand Seats (not ScyllaDB)"
        self.address = "127.0.0.1" if address in ("localhost", "0.0.0.0", "::", "") else address
        self.port = 9042
        self.data_center, self.rack = "datacenter1", "rack1"
        self.release_version = COMPATIBLE_VERSION
        self.scylla_version = release.version if plain else f"{release.version}-embedded-{__version__}"
        self.tokens = node_tokens()
