"""Which server to use, from the SCYLLA_* variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import LabError

VARIABLES = {
    "SCYLLA_HOSTS": "one address or several with commas between; without it the embedded node is used",
    "SCYLLA_PORT": "the CQL port (9042)",
    "SCYLLA_USER": "a user name, if the server asks for one",
    "SCYLLA_PASSWORD": "that user's password",
    "SCYLLA_CA_FILE": "a PEM file with the certificate authority to trust; makes the connection TLS",
    "SCYLLA_LOCAL_DC": "the data centre to talk to, if there are several",
    "SCYLLA_TABLETS": "1: new keyspaces on tablets; 0: on vnodes; without it what suits the server",
}


@dataclass(frozen=True)
class Settings:
    """Where and how to connect. No ``hosts`` means the embedded node."""

    hosts: tuple[str, ...] = ()
    port: int = 9042
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    local_dc: str | None = None
    tablets: bool | None = None

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Settings:
        """Read the SCYLLA_* variables; a LabError says which one is wrong, missing or misspelt."""
        given = {name: value.strip() for name, value in variables.items() if name.startswith("SCYLLA_")}
        given = {name: value for name, value in given.items() if value}
        for name in given:
            # A misspelt variable would otherwise be passed over in silence.
            if name.removesuffix("S") + "S" == "SCYLLA_HOSTS" and name != "SCYLLA_HOSTS":
                raise LabError(f"{name} is set, but the variable is called SCYLLA_HOSTS.")
        hosts = tuple(host.strip() for host in given["SCYLLA_HOSTS"].split(",")) if "SCYLLA_HOSTS" in given else ()
        lonely = sorted(set(given) & set(VARIABLES) - {"SCYLLA_HOSTS", "SCYLLA_TABLETS"})
        if lonely and not hosts:
            raise LabError(f"{lonely[0]} is set, but SCYLLA_HOSTS is not: set it to the server's address.")
        for host in hosts:
            if not host:
                raise LabError(f"SCYLLA_HOSTS has an empty address beside a comma: {given['SCYLLA_HOSTS']!r}.")
            if host.count(":") == 1 or set(" []/") & set(host):
                raise LabError(f"SCYLLA_HOSTS has {host!r}: put commas between addresses, and the port in SCYLLA_PORT.")
        user, password = given.get("SCYLLA_USER"), given.get("SCYLLA_PASSWORD")
        if (user is None) != (password is None):
            missing = "SCYLLA_PASSWORD" if password is None else "SCYLLA_USER"
            raise LabError(f"SCYLLA_USER and SCYLLA_PASSWORD go together, and {missing} is not set.")
        return cls(
            hosts,
            _port(given.get("SCYLLA_PORT", "9042")),
            user,
            password,
            _ca_file(given.get("SCYLLA_CA_FILE")),
            given.get("SCYLLA_LOCAL_DC"),
            _yes_or_no(given.get("SCYLLA_TABLETS")),
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LabError(f"SCYLLA_PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _yes_or_no(text: str | None) -> bool | None:
    if text not in (None, "0", "1"):
        raise LabError(f"SCYLLA_TABLETS must be 1 (tablets) or 0 (vnodes), not {text!r}.")
    return None if text is None else text == "1"


def _ca_file(text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text).expanduser()
    if not path.is_file():
        raise LabError(f"SCYLLA_CA_FILE names {text}, and there is no such file.")
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise LabError(f"SCYLLA_CA_FILE names {text}, which cannot be read ({error.strerror}).") from None
