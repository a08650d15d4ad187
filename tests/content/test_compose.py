"""docker-compose.yml starts what the README promises: one node, or three in three racks."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.lab.settings import VARIABLES
from tests.engines.embedded import start_embedded
from tests.patience import SECONDS
from tools import compose

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def interpolated(text: str, **variables: str) -> dict[str, Any]:
    """The file as compose reads it with these variables set: `${NAME:-default}` replaced, and `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        return variables.get(match["name"]) or match["default"]

    text = re.sub(r"(?<!\$)\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, text)
    return yaml.safe_load(text.replace("$$", "$"))


COMPOSE = interpolated(TEXT)
SERVICES = COMPOSE["services"]
NODES = pytest.mark.parametrize("name", SERVICES)


def options(service: dict[str, Any]) -> dict[str, str]:
    """The server options of a service's command, `--name value` or `--name=value`."""
    pairs = re.findall(r"--([\w-]+)[= ](\S+)", service["command"])
    assert len(pairs) == len(dict(pairs)), "an option is given twice"
    return dict(pairs)


def in_profile(profile: str) -> dict[str, dict[str, Any]]:
    """The services that `docker compose --profile PROFILE up` starts."""
    return {name: service for name, service in SERVICES.items() if profile in service.get("profiles", [profile])}


def volumes(service: dict[str, Any]) -> set[str]:
    return {volume.partition(":")[0] for volume in service["volumes"]}


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def test_profiles_are_one_node_and_three() -> None:
    assert {profile: list(in_profile(profile)) for profile in compose.PROFILES} == compose.NODES
    assert compose.PROFILES == {"one": 1, "cluster": 3}


def test_profiles_share_no_service_and_no_volume() -> None:
    """A node of three that is started alone has no quorum, and never will have one."""
    one, cluster = in_profile("one"), in_profile("cluster")
    assert set(one).isdisjoint(cluster)
    assert set.union(*map(volumes, one.values())).isdisjoint(set.union(*map(volumes, cluster.values())))


def test_nodes_of_a_profile_share_no_address_and_no_volume() -> None:
    for profile in compose.PROFILES:
        nodes = in_profile(profile).values()
        assert len({options(node)["broadcast-rpc-address"] for node in nodes}) == len(nodes)
        assert len(set.union(*map(volumes, nodes))) == len(nodes)
    assert set.union(*map(volumes, SERVICES.values())) == set(COMPOSE["volumes"])


# A tag such as "latest" or "2026.1" moves: the course would change under a learner's feet.
@NODES
def test_image_is_pinned_to_a_patch_of_the_lts_release(name: str) -> None:
    assert re.fullmatch(r"scylladb/scylla:2026\.1\.\d+", SERVICES[name]["image"])


def test_the_bot_can_read_the_image() -> None:
    """Dependabot takes a variable's default for an image only where it is all of the image."""
    images = re.findall(r"^\s*image: (.*)$", TEXT, re.MULTILINE)
    assert [bool(re.fullmatch(r"\$\{\w+:-[\w./]+:[\w.]+\}", image)) for image in images] == [True]


# --- nothing that disturbs what is measured --------------------------------------------------------------------------


@NODES
def test_health_is_asked_often_only_until_the_node_is_healthy(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert seconds(check["start_interval"]) <= 5
    assert seconds(check["interval"]) >= 300
    # A slow laptop: who is late by more than this would be asked again only after an interval.
    assert seconds(check["start_period"]) >= 180


@NODES
def test_health_starts_no_second_program_on_the_node_s_cores(name: str) -> None:
    kind, shell, flag, command = SERVICES[name]["healthcheck"]["test"]
    assert (kind, shell, flag) == ("CMD", "bash", "-c")
    assert not re.search(r"cqlsh|nodetool|python|curl", command)


def health(port: int) -> int:
    """The exit code of the health check, asked of a server on this machine."""
    command = SERVICES["scylla"]["healthcheck"]["test"][1:]
    assert command[-1].count("/9042 ") == 1
    command[-1] = command[-1].replace("/9042 ", f"/{port} ")
    environment = {**os.environ, "HOSTNAME": "127.0.0.1"}
    return subprocess.run(command, env=environment, capture_output=True, timeout=SECONDS).returncode


@pytest.mark.skipif(not shutil.which("bash") or os.name == "nt", reason="there is no bash here")
def test_health_is_an_answer_and_not_just_a_port_that_listens() -> None:
    with start_embedded() as node:
        assert health(node.port) == 0
    assert health(node.port) != 0
    with socket.create_server(("127.0.0.1", 0)) as other:

        def refuse() -> None:
            with other.accept()[0] as client:
                client.recv(9)
                client.sendall(b"\x84\x00\x00\x00\x00\x00\x00\x00\x00")  # ERROR, in place of SUPPORTED

        threading.Thread(target=refuse, daemon=True).start()
        assert health(other.getsockname()[1]) != 0


@NODES
def test_a_laptop_can_carry_a_node(name: str) -> None:
    given = options(SERVICES[name])
    assert (given["smp"], given["memory"], given["developer-mode"]) == ("1", "1G", "1")
    assert given["overprovisioned"] == "1", "it must not spin on the cores that the notebook needs"
    assert compose.NODE_MEMORY_MB >= 1.25 * 1024, "what make up looks for is more than what a node takes"


@NODES
def test_no_option_is_set_that_changes_what_a_lesson_sees(name: str) -> None:
    """Tablets are as they are shipped, and one node refuses a table of three copies, not already its keyspace."""
    expected = {"smp", "memory", "overprovisioned", "developer-mode", "dc", "rack", "broadcast-rpc-address"}
    assert set(options(SERVICES[name])) - {"seeds"} == expected


# --- the cluster -----------------------------------------------------------------------------------------------------


# Replication factor 3 with tablets needs three racks, not just three nodes.
def test_cluster_has_three_racks_in_one_data_centre() -> None:
    nodes = [options(service) for service in in_profile("cluster").values()]
    assert len({node["rack"] for node in nodes}) == 3
    assert {node["dc"] for node in nodes} == {"datacenter1"}


def test_nodes_join_one_after_the_other_by_the_first() -> None:
    first, *others = in_profile("cluster")
    assert "depends_on" not in SERVICES[first]
    for name, before in zip(others, [first, *others], strict=False):
        assert SERVICES[name]["depends_on"] == {before: {"condition": "service_healthy"}}
    assert {options(service)["seeds"] for service in in_profile("cluster").values()} == {first}


# The driver connects to the addresses that nodes announce, at the contact point's port.
@NODES
def test_a_node_is_published_on_loopback_where_it_says_it_is(name: str) -> None:
    address = options(SERVICES[name])["broadcast-rpc-address"]
    assert address.startswith("127.0.0.")
    assert SERVICES[name]["ports"] == [f"{address}:9042:9042", f"{address}:19042:19042"]


# --- variables -------------------------------------------------------------------------------------------------------


def test_variables_move_ports_and_version() -> None:
    image = "scylladb/scylla:2026.3.2"
    moved = interpolated(TEXT, SCYLLA_PORT="9142", SCYLLA_SHARD_AWARE_PORT="19142", SCYLLA_IMAGE=image)
    node = moved["services"]["scylla"]
    assert node["ports"] == ["127.0.0.1:9142:9042", "127.0.0.1:19142:19042"]
    assert node["image"] == image


def test_make_up_looks_at_the_ports_that_the_file_publishes() -> None:
    published = dict(re.findall(r"\$\{(SCYLLA_\w*PORT):-(\d+)\}", TEXT))
    assert {name: int(port) for name, port in published.items()} == compose.PORTS


def test_nobody_is_told_to_start_it_without_a_profile() -> None:
    """Every service has one, so that would start nothing."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
    told = [line for page in [*pages, ROOT / "docker-compose.yml"] for line in page.read_text("utf-8").splitlines()]
    starts = [line for line in told if re.search(r"docker compose .*\bup\b", line)]
    assert [line for line in starts if "--profile" not in line] == []


def test_every_variable_is_explained_at_the_top() -> None:
    head = TEXT.partition("\nname:")[0]
    used = set(re.findall(r"\$\{(\w+):-", TEXT))
    assert {name for name in used if f"#   {name} " not in head} == set()
    assert used & set(VARIABLES) == {"SCYLLA_PORT"}, "one name means one thing here and in the workbook"
