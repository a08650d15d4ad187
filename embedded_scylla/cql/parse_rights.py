"""CREATE ROLE, GRANT, LIST …: roles, permissions and service levels."""

from __future__ import annotations

from ..errors import SyntaxException
from . import ast
from .lexer import IDENTIFIERS
from .parse_schema import SchemaParser

_ROLE_START = IDENTIFIERS | {"STRING_LITERAL", "?"}
_PERMISSIONS = {
    f"K_{name}": name
    for name in ("CREATE", "ALTER", "DROP", "SELECT", "MODIFY", "AUTHORIZE", "DESCRIBE", "EXECUTE")
}  # fmt: skip
_NAMES_TOO = ("K_ALL", "K_DESCRIBE", "K_EXECUTE")  # these may be names of roles as well
_AFTER_PERMISSION = frozenset(("K_ON", "K_OF", "K_PERMISSION", "K_PERMISSIONS", "K_NORECURSIVE", "EOF", ";"))
_LEVEL, _LEVELS = ("K_SERVICE_LEVEL", "K_LEVEL"), ("K_SERVICE_LEVELS", "K_LEVELS")


class RightsParser(SchemaParser):
    """Adds the statements about roles, permissions and service levels."""

    __slots__ = ()

    # ------------------------------------------------------------ names

    def _role_name(self, what: str = "role names") -> str:
        if self.kind == "?":
            raise SyntaxException(f"Bind variables cannot be used for {what}")
        if self.kind not in _ROLE_START:
            raise self.no_alternative()
        return self.advance()

    def _user_name(self) -> str:
        """A user is named by a word, as it is written, or by a string."""
        if self.kind == "QUOTED_NAME":
            raise SyntaxException("Quoted strings are are not supported for user names, please upgrade to roles.")
        if self.kind not in IDENTIFIERS and self.kind != "STRING_LITERAL":
            raise self.no_alternative()
        shown = self.tokens.shown(self.index)
        value = self.advance()
        return value if self.kinds[self.index - 1] == "STRING_LITERAL" else shown

    def _level_or_role(self) -> str:
        return self._role_name("service levels or role names")

    def _service_level(self, words: tuple[str, str] = _LEVEL) -> None:
        """SERVICE LEVEL or SERVICE_LEVEL; with ``_LEVELS`` their plurals."""
        one_word, second = words
        if self.accept(one_word):
            return
        if self.kind != "K_SERVICE":
            raise self.no_alternative()
        self.advance()
        self.expect(second)

    # ------------------------------------------------------------ CREATE, ALTER, DROP

    def create(self) -> ast.Statement:
        following = self.peek()
        if following in ("K_ROLE", "K_USER"):
            self.advance()
            return self._create_role()
        if following in ("K_SERVICE_LEVEL", "K_SERVICE"):
            self.advance()
            self._service_level()
            if_not_exists = self.if_not_exists(_ROLE_START)
            name = self._level_or_role()
            return ast.CreateServiceLevel(name, if_not_exists, self._options() if self.accept("K_WITH") else {})
        return super().create()

    def alter(self) -> ast.Statement:
        following = self.peek()
        if following in ("K_ROLE", "K_USER"):
            self.advance()
            return self._alter_role()
        if following in ("K_SERVICE_LEVEL", "K_SERVICE"):
            self.advance()
            self._service_level()
            name = self._level_or_role()
            self.expect("K_WITH", IDENTIFIERS)
            return ast.AlterServiceLevel(name, self._options())
        return super().alter()

    def drop(self) -> ast.Statement:
        following = self.peek()
        if following in ("K_ROLE", "K_USER"):
            self.advance()
            user = self.advance() == "user"
            if_exists = self._if_exists()
            return ast.DropRole(self._user_name() if user else self._role_name(), if_exists)
        if following in ("K_SERVICE_LEVEL", "K_SERVICE"):
            self.advance()
            self._service_level()
            if_exists = self._if_exists()
            return ast.DropServiceLevel(self._level_or_role(), if_exists)
        if following in ("K_FUNCTION", "K_AGGREGATE"):
            self.advance()
            return self._drop_function()
        return super().drop()

    def _if_exists(self) -> bool:
        if not self.accept("K_IF"):
            return False
        self.expect("K_EXISTS", _ROLE_START)
        return True

    def _drop_function(self) -> ast.DropFunction:
        kind = self.advance()
        if_exists = self.if_exists()
        name = self.function_name()
        signature = None
        if self.accept("("):
            types = [] if self.kind == ")" else [self.type_name()]
            while types and self.accept(","):
                types.append(self.type_name())
            self.expect(")")
            signature = ", ".join(_spelled(type) for type in types)
        return ast.DropFunction(kind, name, if_exists, signature)

    # ------------------------------------------------------------ roles

    def _create_role(self) -> ast.CreateRole:
        if self.advance() == "user":
            if_not_exists = self.if_not_exists(_ROLE_START)
            name = self._user_name()
            return ast.CreateRole(name, if_not_exists, **{"superuser": False, **self._user_options(), "login": True})
        if_not_exists = self.if_not_exists(_ROLE_START)
        name = self._role_name()
        return ast.CreateRole(name, if_not_exists, **{"superuser": False, "login": False, **self._role_options()})

    def _alter_role(self) -> ast.AlterRole:
        if self.advance() == "user":
            name = self._user_name()
            return ast.AlterRole(name, **self._user_options())
        name = self._role_name()
        return ast.AlterRole(name, **self._role_options())

    def _user_options(self) -> ast.Properties:
        """``WITH PASSWORD '…' SUPERUSER``, all of which may be left out."""
        given: ast.Properties = {}
        if self.accept("K_WITH"):
            self.expect("K_PASSWORD", frozenset(("STRING_LITERAL",)))
            given["password"] = self.expect("STRING_LITERAL")
        if self.kind in ("K_SUPERUSER", "K_NOSUPERUSER"):
            given["superuser"] = self.advance() == "superuser"
        return given

    def _role_options(self) -> ast.Properties:
        given: ast.Properties = {}
        if self.accept("K_WITH"):
            self._role_option(given)
            while self.accept("K_AND"):
                self._role_option(given)
        return given

    def _role_option(self, given: ast.Properties) -> None:
        if self.accept("K_HASHED"):
            given["hashed"] = True
            if self.kind != "K_PASSWORD":
                raise self.no_alternative()
        kind = self.kind
        if kind not in ("K_PASSWORD", "K_OPTIONS", "K_SUPERUSER", "K_LOGIN"):
            raise self.no_alternative()
        name = self.advance()
        self.expect("=")
        if kind == "K_PASSWORD":
            given[name] = self.expect("STRING_LITERAL")
        elif kind == "K_OPTIONS":
            given[name] = self._property_map() if self.kind == "{" else self.expect("{")
        else:
            given[name] = self.expect("BOOLEAN").lower() == "true"

    # ------------------------------------------------------------ permissions

    def grant(self) -> ast.Statement:
        return self._grant_or_revoke("K_TO", revoke=False)

    def revoke(self) -> ast.Statement:
        return self._grant_or_revoke("K_FROM", revoke=True)

    def _grant_or_revoke(self, before_role: str, revoke: bool) -> ast.Statement:
        self.advance()
        if not self._at_permission():
            role = self._role_name()
            self.expect(before_role, _ROLE_START)
            return ast.GrantRole(role, self._role_name(), revoke)
        permission = self._permission()
        self.expect("K_ON")
        resource = self._resource()
        self.expect(before_role, _ROLE_START)
        return ast.Grant(permission, resource, self._role_name(), revoke)

    def _at_permission(self) -> bool:
        if self.kind in _NAMES_TOO:
            return self.peek() in _AFTER_PERMISSION
        return self.kind in _PERMISSIONS

    def _permission(self) -> str | None:
        """Which; None: ALL."""
        if self.accept("K_ALL"):
            self.accept("K_PERMISSIONS")
            return None
        if self.kind not in _PERMISSIONS:
            raise self.no_alternative()
        permission = _PERMISSIONS[self.kind]
        self.advance()
        self.accept("K_PERMISSION")
        return permission

    def _resource(self) -> ast.ResourceName:
        kind, following = self.kind, self.peek()
        if kind == "K_ALL" and following in ("K_KEYSPACES", "K_ROLES", "K_FUNCTIONS"):
            self.advance()
            what = {"keyspaces": "data"}.get(self.kind[2:].lower(), self.kind[2:].lower())
            self.advance()
            if what == "functions" and self.accept("K_IN"):
                self.expect("K_KEYSPACE")
                return ast.ResourceName(what, (self.element_name("keyspace"),))
            return ast.ResourceName(what)
        if kind == "K_KEYSPACE":
            self.advance()
            return ast.ResourceName("data", (self.element_name("keyspace"),))
        if kind == "K_ROLE" and following in _ROLE_START:
            self.advance()
            return ast.ResourceName("roles", (self._role_name(),))
        if kind == "K_FUNCTION" and following in IDENTIFIERS:
            dropped = self._drop_function()
            return ast.ResourceName("functions", (dropped.name.keyspace, f"{dropped.name.name}({dropped.signature})"))
        self.accept("K_COLUMNFAMILY")
        table = self.qualified_name()
        return ast.ResourceName("data", (table.keyspace, table.name))

    # ------------------------------------------------------------ LIST

    def list_(self) -> ast.Statement:
        self.advance()
        kind, following = self.kind, self.peek()
        if kind == "K_USERS":
            self.advance()
            return ast.ListUsers()
        if kind == "K_ROLES":
            self.advance()
            of = self._role_name() if self.accept("K_OF") else None
            return ast.ListRoles(of, not self.accept("K_NORECURSIVE"))
        if kind in ("K_SERVICE_LEVEL", "K_SERVICE"):
            self._service_level()
            return ast.ListServiceLevels("levels", self._level_or_role())
        if kind in ("K_ATTACHED", "K_EFFECTIVE"):
            what = self.advance()
            self._service_level()
            self.expect("K_OF", _ROLE_START)
            return ast.ListServiceLevels(what, self._level_or_role())
        if kind == "K_ALL" and following in ("K_ATTACHED", "K_SERVICE", "K_SERVICE_LEVELS"):
            self.advance()
            what = "attached" if self.accept("K_ATTACHED") else "levels"
            self._service_level(_LEVELS)
            return ast.ListServiceLevels(what)
        permission = self._permission()
        resource = self._resource() if self.accept("K_ON") else None
        role = self._role_name() if self.accept("K_OF") else None
        return ast.ListPermissions(permission, resource, role, not self.accept("K_NORECURSIVE"))

    # ------------------------------------------------------------ service levels

    def attach(self) -> ast.AttachServiceLevel:
        self.advance()
        self._service_level()
        name = self._level_or_role()
        self.expect("K_TO", _ROLE_START)
        return ast.AttachServiceLevel(name, self._level_or_role())

    def detach(self) -> ast.AttachServiceLevel:
        self.advance()
        self._service_level()
        self.expect("K_FROM", _ROLE_START)
        return ast.AttachServiceLevel(None, self._level_or_role())

    def _options(self) -> ast.Properties:
        """Properties of which a value may be null."""
        given: ast.Properties = {}
        while True:
            if self.peek() == "=" and self.peek(2) == "K_NULL":
                given[self.identifier()] = ast.Literal("null", "null")
                self.advance()
                self.advance()
            else:
                self._property(given)
            if not self.accept("K_AND"):
                return given


def _spelled(type: ast.TypeName) -> str:
    inner = ", ".join(map(_spelled, type.parameters))
    return f"{type.name}<{inner}>" if inner else type.name
