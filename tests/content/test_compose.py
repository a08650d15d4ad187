"""docker-compose.yml starts what the README promises: one node, or three in three racks."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def interpolated(text: str, **variables: str) -> dict:
    """The file as compose reads it with these variables set: `${NAME:-default}` replaced."""

    def value(match: re.Match) -> str:
        return variables.get(match["name"]) or match["default"]

    return yaml.safe_load(re.sub(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, text))


COMPOSE = interpolated(TEXT)
SERVICES = COMPOSE["services"]


def options(service: dict) -> dict[str, str]:
    """The server options of a service's command, `--name value` or `--name=value`."""
    pairs = re.findall(r"--([\w-]+)[= ](\S+)", service["command"])
    assert len(pairs) == len(dict(pairs)), "an option is given twice"
    return dict(pairs)


def in_profile(profile: str | None) -> dict[str, dict]:
    """The services that `docker compose [--profile PROFILE] up` starts."""
    return {
        name: service
        for name, service in SERVICES.items()
        if not service.get("profiles") or profile in service["profiles"]
    }


def test_the_default_is_one_node_and_the_profile_three():
    assert list(in_profile(None)) == ["scylla"]
    assert len(in_profile("cluster")) == 3


# A tag such as "latest" or "2025.4" moves: the course would change under a learner's feet.
@pytest.mark.parametrize("name", SERVICES)
def test_image_is_pinned_to_a_patch_release(name):
    assert re.fullmatch(r"scylladb/scylla:\d{4}\.\d+\.\d+", SERVICES[name]["image"])


# A port that listens is no proof: ScyllaDB listens before it can answer.
@pytest.mark.parametrize("name", SERVICES)
def test_health_is_an_answered_query(name):
    kind, command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert re.match(r"cqlsh -e 'SELECT \w+ FROM system\.local'", command)


@pytest.mark.parametrize("name", SERVICES)
def test_a_laptop_can_carry_a_node(name):
    given = options(SERVICES[name])
    assert (given["smp"], given["memory"], given["developer-mode"]) == ("1", "1G", "1")


# On 2025.4 a view on a tablets keyspace, the default kind, is refused without this option.
@pytest.mark.parametrize("name", SERVICES)
def test_views_on_tablets_are_allowed(name):
    assert options(SERVICES[name])["rf-rack-valid-keyspaces"] == "true"


# Replication factor 3 with tablets needs three racks, not just three nodes.
def test_cluster_has_three_racks_in_one_data_centre():
    nodes = [options(service) for service in in_profile("cluster").values()]
    assert len({node["rack"] for node in nodes}) == 3
    assert {node["dc"] for node in nodes} == {"datacenter1"}


def test_new_nodes_join_one_after_the_other_by_the_first():
    for name, service in SERVICES.items():
        if name == "scylla":
            assert "depends_on" not in service
            continue
        assert options(service)["seeds"] == "scylla"
        assert [wait["condition"] for wait in service["depends_on"].values()] == ["service_healthy"]
    first_waits = [next(iter(service.get("depends_on", [None]))) for service in SERVICES.values()]
    assert first_waits == [None, "scylla", "scylla-2"]


# The driver connects to the addresses that nodes announce, at the contact point's port.
@pytest.mark.parametrize("name", SERVICES)
def test_a_node_is_published_where_it_says_it_is(name):
    address = options(SERVICES[name])["broadcast-rpc-address"]
    assert SERVICES[name]["ports"] == [f"{address}:9042:9042", f"{address}:19042:19042"]


def test_nodes_share_no_address_and_no_volume():
    mounts = [service["volumes"][0].partition(":")[0] for service in SERVICES.values()]
    addresses = [options(service)["broadcast-rpc-address"] for service in SERVICES.values()]
    assert len(set(mounts)) == len(set(addresses)) == len(SERVICES)
    assert set(mounts) == set(COMPOSE["volumes"])


def test_variables_move_ports_and_version():
    moved = interpolated(TEXT, SCYLLA_PORT="9142", SCYLLA_SHARD_AWARE_PORT="19142", SCYLLA_VERSION="2026.1.5")
    node = moved["services"]["scylla"]
    assert node["ports"] == ["127.0.0.1:9142:9042", "127.0.0.1:19142:19042"]
    assert node["image"] == "scylladb/scylla:2026.1.5"


def test_every_variable_is_explained_at_the_top():
    head = TEXT.partition("\nname:")[0]
    assert {name for name in re.findall(r"\$\{(\w+):-", TEXT) if f"#   {name} " not in head} == set()
