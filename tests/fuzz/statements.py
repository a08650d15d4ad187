"""The grammar: rules of its own that make statements which should be carried out, most of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import NamedTuple

from .parts import MARKER, Part, listed
from .shapes import COUNTER, LOGGED, MOST_TABLES, Table, World
from .values import INT, Type, bare, constant, is_collection, json_value, type_text

Effect = Callable[[], object]


class Statement(NamedTuple):
    """``effect``: what to remember once it has been carried out; ``bound``: it may have markers."""

    kind: str
    whole: Part
    effect: Effect | None = None
    bound: bool = False


def word(text: str) -> Part:
    return Part("word", text)


class Grammar:
    """Makes statements on what a world has."""

    def __init__(self, world: World, chance: random.Random):
        self.world, self.chance = world, chance
        self._bound = False
        self._rules = (
            (self.insert, 12), (self.insert_json, 3), (self.update, 12), (self.count, 4), (self.delete, 7),
            (self.batch, 4), (self.select, 30), (self.aggregate, 6), (self.grouped, 4), (self.fragments, 2),
            (self.of_system, 1), (self.create_table, 2), (self.alter_table, 3), (self.drop, 1), (self.truncate, 0.3),
            (self.create_type, 1), (self.alter_type, 1), (self.create_index, 1), (self.create_view, 1.5),
            (self.alter_view, 0.5), (self.keyspace, 0.7), (self.describe, 0.5), (self.role, 1), (self.rights, 2),
            (self.level, 1), (self.left_out, 0.7),
        )  # fmt: skip
        self._weights = [weight for _, weight in self._rules]

    def statement(self) -> Statement:
        """Any one."""
        self._bound = self.chance.random() < 0.3
        rule = self.chance.choices(self._rules, self._weights)[0][0]
        made = rule()
        return made._replace(bound=self._bound)

    # ------------------------------------------------------------ pieces

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def some(self, items: list[str] | dict[str, Type], least: int = 0, most: int = 4) -> list[str]:
        names = list(items)
        count = min(len(names), max(least, self.chance.randrange(most + 1)))
        return self.chance.sample(names, count)

    def name(self, table: Table) -> Part:
        return Part("table", table.name if self.often(0.6) else f"ks.{table.name}")

    def value(self, type: Type, null: bool = False) -> Part:
        if self._bound and self.often(0.6):
            return Part("value", MARKER)
        if null and self.often(0.06):
            return Part("value", "null")
        if not is_collection(type) and self.often(0.03):
            return Part("value", "(", Part("type", type_text(type)), ")", Part("value", constant(type, self.chance)))
        if self.often(0.02):
            document = json.dumps(json_value(type, self.chance)).replace("'", "''")
            return Part("value", "fromJson(", Part("value", f"'{document}'"), ")")
        return Part("value", constant(type, self.chance))

    def values(self, type: Type, most: int = 3) -> Part:
        if self._bound and self.often(0.3):
            return Part("value", MARKER)
        return Part("values", "(", listed("list", [self.value(type) for _ in range(self.chance.randint(1, most))]), ")")

    def relation(self, column: str, operator: str, value: Part) -> Part:
        return Part("relation", Part("column", column), " ", Part("operator", operator), " ", value)

    def equal(self, columns: dict[str, Type], several: bool = False) -> list[Part]:
        made = []
        for name, type in columns.items():
            if several and self.often(0.15):
                made.append(self.relation(name, "IN", self.values(type)))
            else:
                made.append(self.relation(name, "=", self.value(type)))
        return made

    def number(self, *numbers: int) -> Part:
        return Part("number", MARKER if self._bound and self.often(0.3) else str(self.chance.choice(numbers)))

    def using(self, ttl: bool = True, counts: bool = False) -> Part:
        made = []
        if ttl and not counts and self.often(0.12):
            made.append(Part("clause", "TTL ", self.number(0, 1, 10, 100, 630720000)))
        if not counts and self.often(0.08):
            made.append(Part("clause", "TIMESTAMP ", self.number(0, 1, 1000, 1_700_000_000_000_000)))
        if self.often(0.03):
            made.append(Part("clause", "TIMEOUT ", Part("value", self.chance.choice(("10s", "1h", MARKER)))))
        return Part("clause", " USING ", listed("list", made, " AND ")) if made else Part("clause", "")

    def where(self, relations: list[Part]) -> Part:
        return Part("clause", " WHERE ", listed("where", relations, " AND ")) if relations else Part("clause", "")

    # ------------------------------------------------------------ writes

    def insert(self, table: Table | None = None, conditional: bool = True) -> Statement:
        table = table or self.world.table(base=True, counts=False)
        only_static = bool(table.static) and self.often(0.1)
        keys = table.partition if only_static else {**table.partition, **table.clustering}
        chosen = self.some(table.static if only_static else table.values)
        columns = {**keys, **{name: table.columns[name] for name in chosen}}
        names = listed("columns", [Part("column", name) for name in columns])
        values = listed("list", [self.value(type, name not in keys) for name, type in columns.items()])
        lwt = conditional and self.often(0.15)
        rest = [Part("clause", " IF NOT EXISTS"), self.using()] if lwt else [self.using()]
        whole = Part("statement", "INSERT INTO ", self.name(table), " (", names, ") VALUES (", values, ")", *rest)
        return Statement("insert", whole)

    def insert_json(self) -> Statement:
        table = self.world.table(base=True, counts=False)
        chosen = {**table.partition, **table.clustering, **{n: table.columns[n] for n in self.some(table.values)}}
        pairs: list[Part] = []
        for name, type in chosen.items():
            document = json.dumps(json_value(type, self.chance)).replace("'", "''")
            pairs.append(Part("pair", f'"{name}": ', Part("document", document)))
        text = MARKER if self._bound and self.often(0.3) else Part("value", "'{", listed("pairs", pairs), "}'")
        rest = Part("clause", self.chance.choice(("", "", " DEFAULT NULL", " DEFAULT UNSET", " IF NOT EXISTS")))
        whole = Part("statement", "INSERT INTO ", self.name(table), " JSON ", Part("value", text), rest, self.using())
        return Statement("insert json", whole)

    def assignment(self, name: str, type: Type) -> Part:
        column, kind = Part("column", name), type[0]
        if type == COUNTER:
            return Part("assignment", column, f" = {name} {self.chance.choice('+-')} ", self.value(type))
        if kind == "udt" and self.often(0.5):
            field, of = self.chance.choice(type[2:])
            return Part("assignment", column, ".", Part("column", field), " = ", self.value(of, null=True))
        if is_collection(type) and self.often(0.7):
            if kind == "map" and self.often(0.4):
                return Part("assignment", column, "[", self.value(type[1]), "] = ", self.value(type[2], null=True))
            if kind == "list" and self.often(0.3):
                place = Part("value", MARKER if self._bound else self.chance.choice("00012"))
                return Part("assignment", column, "[", place, "] = ", self.value(type[1], null=True))
            if kind == "list" and self.often(0.3):
                return Part("assignment", column, " = ", self.value(type), f" + {name}")
            taken = ("set", type[1]) if kind == "map" else type
            if self.often(0.4):
                return Part("assignment", column, f" = {name} - ", self.value(taken))
            return Part("assignment", column, f" = {name} + ", self.value(type))
        return Part("assignment", column, " = ", self.value(type, null=True))

    def update(self, table: Table | None = None, conditional: bool = True) -> Statement:
        table = table or self.world.table(base=True, counts=False)
        chosen = self.some(table.values, 1)
        if not chosen:
            return self.insert(table, conditional)
        only_static = all(name in table.static for name in chosen)
        keys = table.partition if only_static else {**table.partition, **table.clustering}
        assigned = listed("list", [self.assignment(name, table.columns[name]) for name in chosen])
        lwt = conditional and self.often(0.2)
        using = self.using()
        where = self.where(self.equal(keys, several=not lwt))
        condition = self.condition(table, only_static) if lwt else Part("clause", "")
        whole = Part("statement", "UPDATE ", self.name(table), using, " SET ", assigned, where, condition)
        return Statement("transaction" if lwt else "update", whole)

    def condition(self, table: Table, only_static: bool) -> Part:
        columns = table.static if only_static else table.values
        names = self.some(columns, 1, 2)
        if not names or self.often(0.3):
            return Part("clause", " IF EXISTS")
        made = []
        for name in names:
            type = columns[name]
            column = Part("column", name)
            operator = self.chance.choice(("=", "=", "!=", "<", ">=", "IN"))
            if type[0] in ("map", "list") and self.often(0.5):
                column = Part(
                    "column", Part("column", name), "[", self.value(type[1] if type[0] == "map" else INT), "]"
                )
                type = type[-1]
            elif type[0] == "udt" and self.often(0.5):
                field, type = self.chance.choice(type[2:])
                column = Part("column", Part("column", name), ".", Part("column", field))
            value = self.values(type) if operator == "IN" else self.value(type, null=operator in ("=", "!="))
            made.append(Part("relation", column, " ", Part("operator", operator), " ", value))
        return Part("clause", " IF ", listed("where", made, " AND "))

    def count(self) -> Statement:
        table = self.world.table(base=True, counts=True)
        name = self.chance.choice(list(table.values))
        keys = table.partition if name in table.static else {**table.partition, **table.clustering}
        assigned = self.assignment(name, COUNTER)
        where = self.where(self.equal(keys, several=True))
        return Statement("count", Part("statement", "UPDATE ", self.name(table), " SET ", assigned, where))

    def delete(self, table: Table | None = None, conditional: bool = True) -> Statement:
        table = table or self.world.table(base=True)
        columns = self.some(table.values, most=2) if self.often(0.5) else []
        targets = []
        for name in columns:
            type, target = table.columns[name], Part("column", name)
            if type[0] in ("map", "set", "list") and self.often(0.4):
                target = Part("target", target, "[", self.value(INT if type[0] == "list" else type[1]), "]")
            elif type[0] == "udt" and self.often(0.4):
                target = Part("target", target, ".", Part("column", self.chance.choice(type[2:])[0]))
            targets.append(target)
        only_static = bool(columns) and all(name in table.static for name in columns)
        lwt = conditional and not table.counts and self.often(0.1)
        using = self.using(ttl=False, counts=table.counts)
        if columns or lwt:
            keys = table.partition if only_static else {**table.partition, **table.clustering}
            where = self.equal(keys, several=not lwt)
        else:
            where = [*self.equal(table.partition, several=True), *self.slice(table)]
        condition = self.condition(table, only_static) if lwt else Part("clause", "")
        whole = Part("statement", "DELETE ", listed("list", targets), " FROM ", self.name(table), using)
        whole.inner += [self.where(where), condition]
        return Statement("delete", whole)

    def batch(self) -> Statement:
        chance = self.chance
        if self.often(0.2):
            kind, made = "COUNTER ", [self.count() for _ in range(chance.randint(1, 3))]
        elif self.often(0.2):
            kind, table = "", self.world.table(base=True, counts=False)
            made = [self.update(table) for _ in range(chance.randint(1, 3))]
        else:
            kind, rules = chance.choice(("", "UNLOGGED ")), (self.insert, self.update, self.delete)
            made = [
                chance.choice(rules)(self.world.table(base=True, counts=False), False)
                for _ in range(chance.randint(1, 4))
            ]
        using = self.using(ttl=False) if self.often(0.1) else Part("clause", "")
        body = listed("batch", [statement.whole for statement in made], "; ")
        whole = Part("statement", "BEGIN ", word(kind), "BATCH", using, " ", body, "; APPLY BATCH")
        return Statement("batch", whole)

    # ------------------------------------------------------------ reads

    def slice(self, table: Table) -> list[Part]:
        """Relations of a prefix of the clustering key, the last of which may be a range."""
        names = list(table.clustering)
        if not names:
            return []
        count = self.chance.randrange(len(names) + 1)
        made = self.equal({name: table.clustering[name] for name in names[:count]})
        if count == len(names) or self.often(0.3):
            return made
        name, type = names[count], table.clustering[names[count]]
        match self.chance.randrange(5):
            case 0:
                made.append(self.relation(name, "IN", self.values(type)))
            case 1 if count == 0 and not table.descending:
                types = table.clustering.values()
                operator = self.chance.choice((">", "<=", "="))
                columns = Part("columns", "(", listed("columns", [Part("column", n) for n in names]), ")")
                values = Part("value", "(", listed("list", [self.value(t) for t in types]), ")")
                made.append(Part("relation", columns, f" {operator} ", values))
            case _:
                made.append(self.relation(name, self.chance.choice((">", ">=")), self.value(type)))
                if self.often(0.4):
                    made.append(self.relation(name, self.chance.choice(("<", "<=")), self.value(type)))
        return made

    def which(self, table: Table) -> tuple[list[Part], bool, bool]:
        """Relations; whether they want ALLOW FILTERING, and whether they name one partition."""
        match self.chance.randrange(7):
            case 0 | 1:
                return [], False, False
            case 2:
                columns = listed("columns", [Part("column", name) for name in table.partition])
                value = Part("value", str(self.chance.choice((0, -1, 10**18, -(2**63), 2**63 - 1))))
                operator = Part("operator", self.chance.choice((">", "<", ">=", "<=", "=")))
                return [Part("relation", "token(", columns, ") ", operator, " ", value)], False, False
            case 3:
                made = self.equal(table.partition, several=True) if self.often(0.5) else []
                for name in self.some({**table.values, **table.clustering}, 1, 2):
                    made.append(self.filter(name, table.columns[name]))
                return made, True, False
        return [*self.equal(table.partition), *self.slice(table)], False, True

    def filter(self, name: str, type: Type) -> Part:
        inner = bare(type)
        if is_collection(inner) and self.often(0.7):
            if inner[0] == "map" and self.often(0.3):
                column = Part("column", Part("column", name), "[", self.value(inner[1]), "]")
                return Part("relation", column, " = ", self.value(inner[2]))
            if inner[0] == "map" and self.often(0.5):
                return self.relation(name, "CONTAINS KEY", self.value(inner[1]))
            return self.relation(name, "CONTAINS", self.value(inner[-1]))
        if inner in (("text",), ("ascii",)) and self.often(0.3):
            return self.relation(name, "LIKE", Part("value", self.chance.choice(("'a%'", "'%'", "'%b'", "''"))))
        return self.relation(name, self.chance.choice(("=", "=", "<", ">", "<=", ">=")), self.value(type))

    def selector(self, table: Table) -> Part:
        name = self.chance.choice(list(table.columns))
        type, column = table.columns[name], Part("column", name)
        inner, is_key = bare(type), name not in table.values
        match self.chance.randrange(12):
            case 0 if not is_key and type != COUNTER:
                of: Part = column
                if type[0] in ("map", "set"):
                    of = Part("selector", column, "[", self.value(type[1]), "]")
                if type[0] == "udt":
                    of = Part("selector", column, ".", Part("column", self.chance.choice(type[2:])[0]))
                made = Part("selector", Part("function", self.chance.choice(("writetime", "ttl"))), "(", of, ")")
            case 1 if inner[0] == "map":
                made = Part("selector", column, "[", self.value(inner[1]), "]")
            case 1 | 2 if inner[0] == "udt":
                made = Part("selector", column, ".", Part("column", self.chance.choice(inner[2:])[0]))
            case 2 if len(inner) == 1 and inner != ("duration",):
                made = Part("selector", "CAST(", column, " AS ", Part("type", "text"), ")")
            case 3:
                columns = listed("columns", [Part("column", key) for key in table.partition])
                made = Part("selector", "token(", columns, ")")
            case 4:
                made = Part("selector", "toJson(", column, ")")
            case 5 if len(inner) == 1 and inner not in (("blob",), COUNTER):
                made = Part("selector", Part("function", f"{inner[0]}AsBlob"), "(", column, ")")
            case 6 if inner in (("timeuuid",), ("timestamp",)):
                function = self.chance.choice(("toDate", "toUnixTimestamp"))
                made = Part("selector", Part("function", function), "(", column, ")")
            case 7:
                made = Part("selector", "(", Part("type", "int"), ")", self.value(INT))
            case 8 if inner in (INT, ("double",), ("decimal",)):
                made = Part("selector", Part("function", self.chance.choice(("abs", "exp", "round"))), "(", column, ")")
            case _:
                made = column
        if self.often(0.1):
            return Part("selector", made, " AS ", Part("name", self.chance.choice(("x", "y", '"Z z"'))))
        return made

    def rest(self, table: Table, filtering: bool, ordered: bool, per_partition: bool = True) -> list[Part]:
        made = []
        if ordered and table.clustering and self.often(0.2):
            order = [
                Part("order", Part("column", name), " ", word("DESC" if name not in table.descending else "ASC"))
                for name in list(table.clustering)[: self.chance.randint(1, len(table.clustering))]
            ]
            made.append(Part("clause", " ORDER BY ", listed("list", order)))
        if per_partition and self.often(0.1):
            made.append(Part("clause", " PER PARTITION LIMIT ", self.number(1, 2, 10)))
        if self.often(0.25):
            made.append(Part("clause", " LIMIT ", self.number(1, 2, 10, 2147483647)))
        if filtering or self.often(0.1):
            made.append(Part("clause", " ALLOW FILTERING"))
        if self.often(0.05):
            made.append(Part("clause", " BYPASS CACHE"))
        if self.often(0.03):
            made.append(Part("clause", " USING TIMEOUT ", Part("value", "10s")))
        return made

    def select(self) -> Statement:
        table = self.world.table()
        if self.often(0.06):
            names = [*table.partition, *self.some(table.static)]
            columns = listed("columns", [Part("column", name) for name in names])
            whole = Part("statement", "SELECT DISTINCT ", columns, " FROM ", self.name(table))
            whole.inner += self.rest(table, False, False)
            return Statement("distinct", whole)
        kind = "json" if self.often(0.1) else "select"
        modifier = word("JSON " if kind == "json" else "")
        selectors = Part("selectors", "*")
        if self.often(0.7):
            selectors = listed("selectors", [self.selector(table) for _ in range(self.chance.randint(1, 4))])
        where, filtering, one = self.which(table)
        whole = Part("statement", "SELECT ", modifier, selectors, " FROM ", self.name(table), self.where(where))
        whole.inner += self.rest(table, filtering, one)
        return Statement(kind, whole)

    def aggregates(self, table: Table) -> list[Part]:
        made = []
        for _ in range(self.chance.randint(1, 3)):
            name = self.chance.choice(list(table.columns))
            inner = bare(table.columns[name])
            numeric = inner[0] in ("int", "bigint", "double", "decimal", "varint", "counter", "float", "smallint")
            function = self.chance.choice(("count", "min", "max", *(("sum", "avg") if numeric else ())))
            if self.often(0.2):
                made.append(Part("selector", "count(*)"))
            else:
                made.append(Part("selector", Part("function", function), "(", Part("column", name), ")"))
        return made

    def aggregate(self) -> Statement:
        table = self.world.table()
        where, filtering, _ = self.which(table)
        selectors = listed("selectors", self.aggregates(table))
        whole = Part("statement", "SELECT ", selectors, " FROM ", self.name(table), self.where(where))
        whole.inner += self.rest(table, filtering, False, per_partition=False)
        return Statement("aggregate", whole)

    def grouped(self) -> Statement:
        table = self.world.table()
        keys = [*table.partition, *table.clustering]
        groups = keys[: self.chance.randint(len(table.partition), len(keys))]
        where, filtering, _ = self.which(table)
        selectors = listed("selectors", [*(Part("selector", key) for key in groups), *self.aggregates(table)])
        whole = Part("statement", "SELECT ", selectors, " FROM ", self.name(table), self.where(where))
        whole.inner += [Part("clause", " GROUP BY ", listed("columns", [Part("column", key) for key in groups]))]
        whole.inner += self.rest(table, filtering, False)
        return Statement("grouped", whole)

    def fragments(self) -> Statement:
        table = self.world.table()
        where = self.where(self.equal(table.partition))
        whole = Part("statement", "SELECT * FROM MUTATION_FRAGMENTS(", self.name(table), ")", where)
        return Statement("fragments", whole)

    def of_system(self) -> Statement:
        name = self.chance.choice(
            ("system.local", "system.peers", "system_schema.tables", "system_schema.columns", "system_schema.types",
             "system_schema.indexes", "system_schema.views", "system.config", "system.clients", "system.versions",
             "system_schema.scylla_tables", "system.runtime_info", "system.size_estimates", "system.built_views",
             "system_schema.dropped_columns", "system_distributed.cdc_generation_timestamps")
        )  # fmt: skip
        where = self.chance.choice(("", "", " WHERE keyspace_name = 'ks'", " WHERE key = 'local'", " LIMIT 1"))
        whole = Part("statement", "SELECT ", Part("selectors", "*"), " FROM ", Part("table", name))
        whole.inner.append(Part("clause", where))
        return Statement("system", whole)

    # ------------------------------------------------------------ the schema

    def options(self) -> Part:
        made = [
            Part("option", Part("name", name), " = ", Part("value", value))
            for name, value in self.chance.sample(
                (
                    ("comment", "'x'"), ("gc_grace_seconds", "10"), ("default_time_to_live", "100"),
                    ("default_time_to_live", "0"), ("cdc", "{'enabled': true}"), ("cdc", "{'enabled': false}"),
                    ("compaction", "{'class': 'LeveledCompactionStrategy'}"),
                    ("compression", "{'sstable_compression': 'LZ4Compressor'}"), ("bloom_filter_fp_chance", "0.1"),
                    ("caching", "{'keys': 'ALL', 'rows_per_partition': 'NONE'}"), ("speculative_retry", "'50ms'"),
                    ("per_partition_rate_limit", "{'max_reads_per_second': 10}"), ("crc_check_chance", "0.5"),
                    ("memtable_flush_period_in_ms", "60000"), ("tombstone_gc", "{'mode': 'timeout'}"),
                    ("paxos_grace_seconds", "100"), ("min_index_interval", "64"),
                ),
                self.chance.choice((1, 1, 2)),
            )
        ]  # fmt: skip
        return listed("options", made, " AND ")

    def create_table(self) -> Statement:
        world, table = self.world, self.world.new_table()
        if len(world.tables) >= MOST_TABLES:
            return self.drop()
        columns = [self._column(name, type) for name, type in table.columns.items()]
        for column, name in zip(columns, table.columns, strict=True):
            if name in table.static:
                column.inner.append(" static")
        key = Part("key", "PRIMARY KEY ((", listed("columns", [Part("column", n) for n in table.partition]), ")")
        for name in table.clustering:
            key.inner += [", ", Part("column", name)]
        key.inner.append(")")
        whole = Part("statement", "CREATE TABLE ", word("IF NOT EXISTS " if self.often(0.2) else ""), self.name(table))
        whole.inner += [" (", listed("list", columns), ", ", key, ")"]
        options = []
        if table.clustering:
            order = ", ".join(f"{c} {'DESC' if c in table.descending else 'ASC'}" for c in table.clustering)
            options.append(Part("option", f"CLUSTERING ORDER BY ({order})"))
        if self.often(0.2) and not table.counts:
            options.append(Part("option", LOGGED))
        elif self.often(0.3):
            options.append(self.options())
        if options:
            whole.inner += [" WITH ", listed("options", options, " AND ")]
        return Statement("create table", whole, lambda: world.tables.setdefault(table.name, table))

    def _column(self, name: str, type: Type) -> Part:
        return Part("definition", Part("column", name), " ", Part("type", type_text(type)))

    def alter_table(self) -> Statement:
        chance, table = self.chance, self.world.table(base=True)
        whole = Part("statement", "ALTER TABLE ", self.name(table), " ")
        match chance.randrange(5):
            case 0 | 1 if not table.counts:
                name, type = f"v{chance.randrange(6)}", self.world.type()
                if name in table.columns:
                    name = f"v{chance.randrange(20)}"
                static = bool(table.clustering) and self.often(0.2)
                whole.inner += ["ADD ", self._column(name, type), word(" static" if static else "")]

                def add() -> None:
                    (table.static if static else table.regular)[name] = type

                return Statement("alter table", whole, add)
            case 2 if len(table.regular) > 1:
                name = chance.choice(list(table.regular))
                whole.inner += ["DROP ", Part("column", name)]
                return Statement("alter table", whole, lambda: table.regular.pop(name, None))
            case 3 if table.clustering:
                old = chance.choice(list(table.clustering))
                new = f"c{chance.randrange(9)}"
                whole.inner += ["RENAME ", Part("column", old), " TO ", Part("column", new)]

                def rename() -> None:
                    table.clustering = {(new if n == old else n): type for n, type in table.clustering.items()}
                    table.descending = frozenset(new if n == old else n for n in table.descending)

                return Statement("alter table", whole, rename)
        whole.inner += ["WITH ", self.options()]
        return Statement("alter table", whole)

    def drop(self) -> Statement:
        chance, world = self.chance, self.world
        maybe = word("IF EXISTS " if self.often(0.4) else "")
        made = [name for name in world.tables if name[0] == "t" and name[1:].isdigit()]
        views = [name for name, table in world.tables.items() if table.is_view]
        indexes = world.indexes[-3:]
        match chance.randrange(6):
            case 0 | 1 | 2 if made:
                name, what = chance.choice(made), "TABLE"
            case 3 if views:
                name, what = chance.choice(views), "MATERIALIZED VIEW"
            case 4 if indexes:
                name, what = chance.choice(indexes), "INDEX"
            case _:
                name, what = f"type{chance.randrange(4)}", "TYPE"

        def forget() -> None:
            world.tables.pop(name, None)
            world.types.pop(name, None)
            if name in world.indexes:
                world.indexes.remove(name)

        whole = Part("statement", "DROP ", Part("name", what), " ", maybe, Part("table", name))
        return Statement("drop", whole, forget)

    def truncate(self) -> Statement:
        return Statement("truncate", Part("statement", "TRUNCATE ", self.name(self.world.table(base=True))))

    def create_type(self) -> Statement:
        world, name = self.world, f"type{self.chance.randrange(4)}"
        fields = [(f"f{i}", world.type(depth=1)) for i in range(self.chance.randint(1, 4))]
        parts = [self._column(field, type) for field, type in fields]
        maybe = word("IF NOT EXISTS " if self.often(0.3) else "")
        whole = Part("statement", "CREATE TYPE ", maybe, Part("name", name), " (", listed("list", parts), ")")
        return Statement("create type", whole, lambda: world.types.setdefault(name, ("udt", name, *fields)))

    def alter_type(self) -> Statement:
        world, chance = self.world, self.chance
        name = chance.choice(list(world.types) or ["address"])
        old = world.types.get(name)
        whole = Part("statement", "ALTER TYPE ", Part("name", name), " ")
        if old is not None and self.often(0.3):
            field, to = chance.choice(old[2:])[0], f"g{chance.randrange(20)}"
            whole.inner += ["RENAME ", Part("column", field), " TO ", Part("column", to)]
        else:
            whole.inner += ["ADD ", self._column(f"h{chance.randrange(9)}", world.type(depth=1))]
        return Statement("alter type", whole)

    def create_index(self) -> Statement:
        world, chance, table = self.world, self.chance, self.world.table(base=True, counts=False)
        if not table.values or len(world.indexes) > 12:
            return self.drop()
        name = chance.choice(list(table.values))
        type, column = table.columns[name], Part("column", name)
        target: Part = column
        if is_collection(type):
            how = chance.choice(("values", "keys", "entries") if type[0] == "map" else ("values",))
            target = Part("target", Part("function", how), "(", column, ")")
        elif type[0] == "frozen" and is_collection(type[1]):
            target = Part("target", "full(", column, ")")
        if self.often(0.2):
            keys = listed("columns", [Part("column", key) for key in table.partition])
            target = Part("target", "(", keys, "), ", target)
        index = f"i{chance.randrange(8)}"
        whole = Part("statement", "CREATE INDEX ", Part("name", index), " ON ", self.name(table), " (", target, ")")
        return Statement("create index", whole, lambda: world.indexes.append(index))

    def create_view(self) -> Statement:
        world, chance, table = self.world, self.chance, self.world.table(base=True, counts=False)
        if len(world.tables) >= MOST_TABLES:
            return self.drop()
        keys = {**table.partition, **table.clustering}
        simple = [name for name, type in table.regular.items() if not is_collection(type) and type[0] != "udt"]
        key = list(keys)
        chance.shuffle(key)
        if simple and self.often(0.7):
            key.insert(0, chance.choice(simple))
        where = [Part("relation", Part("column", name), " IS NOT NULL") for name in key]
        if self.often(0.2):
            where[0] = self.filter(key[0], table.columns[key[0]])
        name = f"w{chance.randrange(4)}"
        whole = Part("statement", "CREATE MATERIALIZED VIEW ", Part("name", name), " AS SELECT ")
        whole.inner += [Part("selectors", "*"), " FROM ", self.name(table), self.where(where), " PRIMARY KEY ("]
        whole.inner += [listed("columns", [Part("column", n) for n in key]), ")"]
        columns = table.columns
        view = Table(
            name,
            {key[0]: columns[key[0]]},
            {n: columns[n] for n in key[1:]},
            {},
            {n: t for n, t in table.regular.items() if n not in key},
            is_view=True,
        )
        return Statement("create view", whole, lambda: world.tables.update({name: view}))

    def alter_view(self) -> Statement:
        views = [name for name, table in self.world.tables.items() if table.is_view]
        name = self.chance.choice(views or ["w0"])
        whole = Part("statement", "ALTER MATERIALIZED VIEW ", Part("table", name), " WITH ", self.options())
        return Statement("alter view", whole)

    def keyspace(self) -> Statement:
        replication = Part(
            "value",
            self.chance.choice(
                (
                    "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}",
                    "{'class': 'SimpleStrategy', 'replication_factor': 1}",
                    "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}",
                )
            ),
        )
        more = Part(
            "clause", self.chance.choice(("", " AND tablets = {'enabled': false}", " AND durable_writes = true"))
        )
        match self.chance.randrange(5):
            case 0:
                whole = Part("statement", "CREATE KEYSPACE IF NOT EXISTS ", Part("name", "other"))
                whole.inner += [" WITH replication = ", replication, more]
            case 1:
                whole = Part("statement", "ALTER KEYSPACE ", Part("name", "other"), " WITH replication = ", replication)
            case 2:
                whole = Part("statement", "DROP KEYSPACE IF EXISTS ", Part("name", "other"))
            case 3:
                name = self.chance.choice(("int", "text", "frozen<list<int>>", "tuple<int, text>"))
                whole = Part("statement", "CREATE TABLE other.o (p int PRIMARY KEY, v ", Part("type", name), ")")
            case _:
                whole = Part("statement", "USE ", Part("name", "ks"))
        return Statement("keyspace", whole)

    def describe(self) -> Statement:
        table = self.world.table()
        what = self.chance.choice(
            ("TABLES", "TYPES", "KEYSPACES", "SCHEMA", "FULL SCHEMA", "CLUSTER", "KEYSPACE ks", "ONLY KEYSPACE ks",
             f"TABLE {table.name}", f"MATERIALIZED VIEW {table.name}", f"ks.{table.name}", "TYPE address",
             "INDEX wide_v", "FUNCTIONS", "AGGREGATES", "TYPE person")
        )  # fmt: skip
        whole = Part("statement", self.chance.choice(("DESC ", "DESCRIBE ")), Part("name", what))
        whole.inner.append(Part("clause", self.chance.choice(("", "", " WITH INTERNALS"))))
        return Statement("describe", whole)

    # ------------------------------------------------------------ who may do what

    def who(self) -> Part:
        return Part("role", self.chance.choice((*self.world.roles, *self.world.roles, "r0", "'r 2'")))

    def role(self) -> Statement:
        chance = self.chance
        name = Part("role", f"r{chance.randrange(3)}")
        match chance.randrange(6):
            case 0 | 1:
                options = Part(
                    "options",
                    chance.choice(
                        ("", " WITH LOGIN = true", " WITH SUPERUSER = false AND LOGIN = false",
                         " WITH PASSWORD = 'x' AND LOGIN = true", " WITH OPTIONS = {'a': 'b'}")
                    ),
                )  # fmt: skip
                whole = Part("statement", "CREATE ROLE ", word("IF NOT EXISTS "), name, options)
            case 2:
                whole = Part("statement", "ALTER ROLE ", name, " WITH LOGIN = ", Part("value", "true"))
            case 3:
                whole = Part("statement", "DROP ROLE IF EXISTS ", name)
            case 4:
                whole = Part("statement", "LIST ROLES", Part("clause", chance.choice(("", " OF bo", " NORECURSIVE"))))
            case _:
                whole = Part("statement", chance.choice(("LIST USERS", "CREATE USER IF NOT EXISTS r3", "LIST ROLES")))
        return Statement("role", whole)

    def rights(self) -> Statement:
        chance = self.chance
        permission = Part("name", chance.choice(("ALL", "SELECT", "MODIFY", "ALTER", "DROP", "AUTHORIZE", "CREATE")))
        resource = Part(
            "resource",
            chance.choice(
                ("ALL KEYSPACES", "KEYSPACE ks", f"ks.{self.world.table().name}", "TABLE ks.plain", "ROLE bo",
                 "ALL ROLES", "ALL FUNCTIONS", "ALL FUNCTIONS IN KEYSPACE ks")
            ),
        )  # fmt: skip
        match chance.randrange(6):
            case 0 | 1:
                whole = Part("statement", "GRANT ", permission, " ON ", resource, " TO ", self.who())
            case 2:
                whole = Part("statement", "REVOKE ", permission, " ON ", resource, " FROM ", self.who())
            case 3:
                whole = Part("statement", "GRANT ", self.who(), " TO ", self.who())
            case 4:
                whole = Part("statement", "REVOKE ", self.who(), " FROM ", self.who())
            case _:
                whole = Part(
                    "statement",
                    "LIST ",
                    permission,
                    " PERMISSION" + "S" * (str(permission) == "ALL") + " ON ",
                    resource,
                    " OF ",
                    self.who(),
                )
        return Statement("rights", whole)

    def level(self) -> Statement:
        chance = self.chance
        name, who = Part("name", chance.choice(("gold", "iron"))), self.who()
        options = Part("options", chance.choice(("timeout = 500ms", "workload_type = 'batch'", "shares = 100")))
        match chance.randrange(6):
            case 0:
                whole = Part("statement", "CREATE SERVICE LEVEL IF NOT EXISTS ", name, " WITH ", options)
            case 1:
                whole = Part("statement", "ALTER SERVICE LEVEL ", name, " WITH ", options)
            case 2:
                whole = Part("statement", "DROP SERVICE LEVEL IF EXISTS ", name)
            case 3:
                whole = Part("statement", "ATTACH SERVICE LEVEL ", name, " TO ", who)
            case 4:
                whole = Part("statement", "DETACH SERVICE LEVEL FROM ", who)
            case _:
                what = ("ALL SERVICE LEVELS", "ALL ATTACHED SERVICE LEVELS", "EFFECTIVE SERVICE LEVEL OF bo",
                        "SERVICE LEVEL gold")  # fmt: skip
                whole = Part("statement", "LIST ", Part("name", chance.choice(what)))
        return Statement("level", whole)

    def left_out(self) -> Statement:
        text = self.chance.choice(
            ("CREATE FUNCTION f(a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE lua AS 'return a'",
             "CREATE AGGREGATE g(int) SFUNC f STYPE int", "DROP FUNCTION IF EXISTS f",
             "DROP AGGREGATE IF EXISTS g(int)",
             "PRUNE MATERIALIZED VIEW plain_view", "SELECT * FROM typed ORDER BY ve ANN OF [1, 2, 3] LIMIT 1",
             "CREATE CUSTOM INDEX ON typed (ve) USING 'vector_index'", "SELECT now() FROM system.local", "SELECT now()")
        )  # fmt: skip
        words = text.split(" ")
        return Statement("left out", listed("statement", [Part("piece", w) for w in words], " "))
