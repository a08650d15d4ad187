"""Writes embedded_scylla/COVERAGE.md: what the embedded node can do, what it refuses and how, and the tests behind it.

    python tools/coverage_page.py            write the page
    python tools/coverage_page.py --check    exit code 1 if the page is not what would be written

Every example of ``coverage_features`` is sent to a fresh node. One that is called supported and fails, or is called
refused and succeeds, is named, and so is a test file that is not there; then nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT)]

from cassandra import InvalidRequest, Unauthorized  # noqa: E402
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, Session  # noqa: E402
from cassandra.policies import RoundRobinPolicy  # noqa: E402
from cassandra.protocol import ConfigurationException, SyntaxException  # noqa: E402

from tests.engines.embedded import start_embedded  # noqa: E402
from tools.coverage_features import SECTIONS, SETUP, Feature, Section  # noqa: E402

PAGE = PROJECT / "embedded_scylla" / "COVERAGE.md"
REFUSALS = (InvalidRequest, Unauthorized, ConfigurationException, SyntaxException)
HEAD = """\
# What the embedded node covers

Written by `make coverage` from `tools/coverage_features.py`, whose examples have just been carried out: what stands
here as supported has succeeded, and a refusal is the node's own sentence. A test fails when this page is stale.

What is refused is refused by ScyllaDB too, or by this node only: then it was left out.
"""


class WrongClaim(Exception):
    """The list says one thing of a feature, the node another."""


def page(sections: Iterable[Section] = SECTIONS) -> str:
    """The page as it should be; WrongClaim if the list is not true."""
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=30)
    with start_embedded() as node:
        cluster = Cluster(
            [node.host],
            port=node.port,
            protocol_version=4,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            schema_metadata_enabled=False,
        )
        try:
            session = cluster.connect()
            for statement in SETUP:
                session.execute(statement)
            return "\n".join([HEAD, *(_section(session, section) for section in sections)])
        finally:
            cluster.shutdown()


def _section(session: Session, section: Section) -> str:
    lines = [f"## {section.title}", ""]
    supported = [_supported(session, feature) for feature in section.features if not feature.refused]
    refused = [_refused(session, feature) for feature in section.features if feature.refused]
    if supported:
        lines += ["| supported | for example | tests |", "|---|---|---|", *supported, ""]
    if refused:
        lines += ["| refused | by | for example | the node's answer | tests |", "|---|---|---|---|---|", *refused, ""]
    return "\n".join(lines)


def _supported(session: Session, feature: Feature) -> str:
    if feature.example:
        try:
            session.execute(feature.example)
        except Exception as error:
            raise WrongClaim(f"{feature.what}: called supported, but: {error}") from error
    return f"| {feature.what} | {_code(feature.example)} | {_tests(feature)} |"


def _refused(session: Session, feature: Feature) -> str:
    try:
        session.execute(feature.example)
    except REFUSALS as error:
        answer = f"{_class_of(error)}: {_sentence(error)}"
    else:
        raise WrongClaim(f"{feature.what}: called refused, but carried out")
    return f"| {feature.what} | {feature.refused} | {_code(feature.example)} | {_cell(answer)} | {_tests(feature)} |"


def _class_of(error: Exception) -> str:
    return next(str(kind.__name__) for kind in REFUSALS if isinstance(error, kind))


def _sentence(error: Exception) -> str:
    """The server's words, without those that the driver puts around them."""
    text = str(error)
    start = text.find('message="')
    return text if start < 0 else text[start + len('message="') : text.rindex('"')]


def _tests(feature: Feature) -> str:
    links = []
    for name in feature.tests:
        name, _, word = name.partition(":")
        folder, _, file = name.rpartition("/")
        path = PROJECT / "tests" / folder / f"test_{file}.py"
        if not path.is_file() or word not in path.read_text(encoding="utf-8"):
            raise WrongClaim(f"{feature.what}: no test of it in {path.relative_to(PROJECT)}")
        links.append(f"[{name.removeprefix('conformance/')}](../{path.relative_to(PROJECT).as_posix()})")
    return ", ".join(links)


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="coverage_page.py", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is up to date")
    options = parser.parse_args(arguments)
    try:
        text = page()
    except WrongClaim as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.relative_to(PROJECT)} is stale: make coverage", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
