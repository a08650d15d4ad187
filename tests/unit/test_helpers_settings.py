"""The SCYLLA_* variables: right ones are understood, wrong ones told in a sentence that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.lab.errors import LabError
from helpers.lab.settings import Settings


def test_nothing_set_means_the_embedded_node() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"SCYLLA_HOSTS": "  "}).hosts == ()


def test_tablets_are_for_the_embedded_node_too() -> None:
    assert Settings.from_environment({"SCYLLA_TABLETS": "0"}) == Settings(tablets=False)


def test_all_of_them(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    variables = {
        "SCYLLA_HOSTS": "10.0.0.1, node2.example,::1",
        "SCYLLA_PORT": "9999",
        "SCYLLA_USER": "ada",
        "SCYLLA_PASSWORD": "secret",
        "SCYLLA_CA_FILE": str(certificate),
        "SCYLLA_LOCAL_DC": "dc1",
        "SCYLLA_TABLETS": "1",
    }
    hosts = ("10.0.0.1", "node2.example", "::1")
    assert Settings.from_environment(variables) == Settings(hosts, 9999, "ada", "secret", certificate, "dc1", True)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SCYLLA_HOST": "x"}, "SCYLLA_HOST is set, but the variable is called SCYLLA_HOSTS"),
        ({"SCYLLA_PORT": "9043"}, "SCYLLA_PORT is set, but SCYLLA_HOSTS is not"),
        ({"SCYLLA_HOSTS": "x", "SCYLLA_PORT": "cql"}, "SCYLLA_PORT must be a number from 1 to 65535, not 'cql'"),
        ({"SCYLLA_HOSTS": "x", "SCYLLA_PORT": "70000"}, "SCYLLA_PORT must be a number from 1 to 65535"),
        ({"SCYLLA_TABLETS": "yes"}, r"SCYLLA_TABLETS must be 1 \(tablets\) or 0 \(vnodes\), not 'yes'"),
        ({"SCYLLA_HOSTS": "x:9042"}, "SCYLLA_HOSTS has 'x:9042': .*the port in SCYLLA_PORT"),
        ({"SCYLLA_HOSTS": "[::1]:9042"}, "the port in SCYLLA_PORT"),
        ({"SCYLLA_HOSTS": "cql://x"}, "SCYLLA_HOSTS has 'cql://x': put commas between addresses"),
        ({"SCYLLA_HOSTS": "x y"}, "put commas between addresses"),
        ({"SCYLLA_HOSTS": ","}, "has an empty address beside a comma: ','"),
        ({"SCYLLA_HOSTS": "x,,y"}, "has an empty address beside a comma: 'x,,y'"),
        ({"SCYLLA_LOCAL_DC": "dc1"}, "SCYLLA_LOCAL_DC is set, but SCYLLA_HOSTS is not"),
        ({"SCYLLA_HOSTS": "x", "SCYLLA_USER": "ada"}, "go together, and SCYLLA_PASSWORD is not set"),
        ({"SCYLLA_HOSTS": "x", "SCYLLA_PASSWORD": "?"}, "go together, and SCYLLA_USER is not set"),
        (
            {"SCYLLA_HOSTS": "x", "SCYLLA_CA_FILE": "/no/ca.pem"},
            "SCYLLA_CA_FILE names /no/ca.pem, and there is no such",
        ),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        Settings.from_environment(variables)


def test_a_ca_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").touch()

    def locked(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(LabError, match=r"SCYLLA_CA_FILE names .*ca\.pem, which cannot be read \(Permission denied\)\."):
        Settings.from_environment({"SCYLLA_HOSTS": "x", "SCYLLA_CA_FILE": str(tmp_path / "ca.pem")})


def test_the_password_stands_in_no_message() -> None:
    given = Settings.from_environment({"SCYLLA_HOSTS": "a", "SCYLLA_USER": "ada", "SCYLLA_PASSWORD": "s3cret"})
    assert given.password == "s3cret" and "s3cret" not in repr(given)
