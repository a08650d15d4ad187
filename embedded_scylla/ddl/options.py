"""The options of a table (``WITH … AND …``): defaults, checks, and the form in which they are kept.

A table's ``options`` holds each option under its name: numbers as int or float, maps as dicts of text, in the order
in which they are shown. ``cdc``, ``paxos_grace_seconds``, ``per_partition_rate_limit``, ``tablets`` and
``synchronous_updates`` are there only when they were set.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from ..cql import ast
from ..errors import ConfigurationException, InvalidRequest, SyntaxException
from ..release import Release
from ..schema import CdcOptions, Keyspace
from ..types.text_forms import whole
from . import properties
from .compaction import check_windows, parse_compaction

DEFAULTS: dict[str, Any] = {
    "bloom_filter_fp_chance": 0.01,
    "caching": {"keys": "ALL", "rows_per_partition": "ALL"},
    "comment": "",
    "compaction": {"class": "IncrementalCompactionStrategy"},
    "compression": {"sstable_compression": "LZ4WithDictsCompressor"},
    "crc_check_chance": 1.0,
    "default_time_to_live": 0,
    "gc_grace_seconds": 864000,
    "max_index_interval": 2048,
    "memtable_flush_period_in_ms": 0,
    "min_index_interval": 128,
    "speculative_retry": "99.0PERCENTILE",
    "tombstone_gc": {"mode": "timeout", "propagation_delay_in_seconds": "3600"},
}
_GC_AFTER_REPAIR = {"mode": "repair", "propagation_delay_in_seconds": "3600"}
EXTENSIONS = ("cdc", "paxos_grace_seconds", "per_partition_rate_limit", "tombstone_gc")
_KNOWN = {*DEFAULTS, *EXTENSIONS, "id", "synchronous_updates", "tablets"}
OBSOLETE = {"index_interval", "replicate_on_write", "populate_io_cache_on_flush", "read_repair_chance",
            "dclocal_read_repair_chance"}  # fmt: skip
_COMPRESSION_PACKAGE = "org.apache.cassandra.io.compress."
_COMPRESSORS = {
    "LZ4Compressor": _COMPRESSION_PACKAGE,
    "LZ4WithDictsCompressor": "",
    "SnappyCompressor": _COMPRESSION_PACKAGE,
    "DeflateCompressor": _COMPRESSION_PACKAGE,
    "ZstdCompressor": _COMPRESSION_PACKAGE,
    "ZstdWithDictsCompressor": "",
}
_SMALLEST_FALSE_POSITIVE = 6.71e-05  # of a bloom filter
_SHORTEST_FLUSH_PERIOD = 60000  # ms
_ZSTD_LEVELS = (-131072, 22)  # the library's own


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a WITH clause comes to. ``values``: all options, those not given at their default or old value.
    ``given``: the names written. ``cdc`` is None unless it was written; so is ``id``."""

    values: dict[str, Any]
    given: frozenset[str]
    cdc: CdcOptions | None
    id: uuid.UUID | None


def parse_table_options(
    given: ast.Properties,
    keyspace: Keyspace,
    release: Release,
    current: dict[str, Any] | None = None,
    view: bool = False,
) -> TableOptions:
    """Check the options of a statement against ``current`` (or, for a new table, the defaults of a release)."""
    values = dict(current or DEFAULTS)
    # A view is not repaired by itself, so its tombstones go by time.
    if current is None and not view and _repairs_before_gc(release, keyspace):
        values["tombstone_gc"] = _GC_AFTER_REPAIR
    cdc = parse_cdc(properties.mapping(given, "cdc")) if "cdc" in given else None
    if cdc is not None:
        values["cdc"] = dict(sorted(cdc.as_map().items()))
    if "tombstone_gc" in given:
        values["tombstone_gc"] = _tombstone_gc(properties.mapping(given, "tombstone_gc"))
        if values["tombstone_gc"]["mode"] == "repair" and not _may_repair_before_gc(release, keyspace):
            raise ConfigurationException(
                "tombstone_gc option with mode = repair not supported for table with RF one or local replication "
                "strategy"
            )
    if "per_partition_rate_limit" in given:
        values["per_partition_rate_limit"] = _rate_limit(properties.mapping(given, "per_partition_rate_limit"))
    properties.check_known(given, _KNOWN | OBSOLETE)
    table_id = _table_id(properties.text(given, "id"))
    if properties.mapping(given, "compaction"):
        values["compaction"] = parse_compaction(properties.mapping(given, "compaction"))
    if "compression" in given:
        values["compression"] = _compression(properties.mapping(given, "compression"))
    _numbers(given, values)
    if "speculative_retry" in given:
        values["speculative_retry"] = _speculative_retry(properties.text(given, "speculative_retry"))
    if "tablets" in given:
        values["tablets"] = _tablets(properties.mapping(given, "tablets"), keyspace)
    if "caching" in given:
        values["caching"] = _caching(given)
    if "comment" in given:
        values["comment"] = properties.text(given, "comment")
    if "synchronous_updates" in given:
        if not view and properties.boolean(properties.text(given, "synchronous_updates"), False):
            raise InvalidRequest(
                "The synchronous_updates option is only applicable to materialized views, not to base tables"
            )
        if view:
            values["synchronous_updates"] = properties.boolean(properties.text(given, "synchronous_updates"), False)
    if "compaction" in given or "default_time_to_live" in given:
        check_windows(values["compaction"], values["default_time_to_live"])
    return TableOptions(values, frozenset(given), cdc, table_id)


def _numbers(given: ast.Properties, values: dict[str, Any]) -> None:
    def whole(name: str) -> int:
        return properties.integer(name, properties.text(given, name), values.get(name, DEFAULTS.get(name, 864000)))

    values["default_time_to_live"] = whole("default_time_to_live")
    if values["default_time_to_live"] < 0:
        raise ConfigurationException("default_time_to_live cannot be smaller than 0, (default 0)")
    if "paxos_grace_seconds" in given:
        values["paxos_grace_seconds"] = whole("paxos_grace_seconds")
        if values["paxos_grace_seconds"] < 0:
            raise ConfigurationException("paxos_grace_seconds cannot be smaller than 0, (default 864000)")
    values["min_index_interval"] = whole("min_index_interval")
    values["max_index_interval"] = whole("max_index_interval")
    if values["min_index_interval"] < 1:
        raise ConfigurationException("min_index_interval must be greater than 0")
    if values["max_index_interval"] < values["min_index_interval"]:
        raise ConfigurationException("max_index_interval must be greater than min_index_interval")
    chance = properties.double(
        "bloom_filter_fp_chance", properties.text(given, "bloom_filter_fp_chance"), values["bloom_filter_fp_chance"]
    )
    if chance <= _SMALLEST_FALSE_POSITIVE or chance > 1.0:
        raise ConfigurationException(
            f"bloom_filter_fp_chance must be larger than {_SMALLEST_FALSE_POSITIVE:g} and less than or equal to 1.0 "
            f"(got {chance:g})"
        )
    values["bloom_filter_fp_chance"] = chance
    period = whole("memtable_flush_period_in_ms")
    if period != 0 and period < _SHORTEST_FLUSH_PERIOD:
        raise ConfigurationException(f"memtable_flush_period_in_ms must be 0 or greater than {_SHORTEST_FLUSH_PERIOD}")
    values["memtable_flush_period_in_ms"] = period
    values["gc_grace_seconds"] = whole("gc_grace_seconds")


def parse_cdc(given: dict[str, str] | None) -> CdcOptions:
    """The ``cdc`` option; what is not named has its default."""
    values: dict[str, Any] = {}
    for key, value in sorted((given or {}).items()):
        word = value.lower()
        truth = {"true": True, "1": True, "false": False, "0": False}.get(word)
        wrong = ConfigurationException(f'Invalid value for CDC option "{key}": {value}')
        match key:
            case "enabled" | "postimage":
                if truth is None:
                    raise wrong
                values[key] = truth
            case "preimage":
                if truth is None and word != "full":
                    raise wrong
                values[key] = "full" if word == "full" else str(truth).lower()
            case "delta":
                if word not in ("full", "keys"):
                    raise wrong
                values[key] = word
            case "ttl":
                if not re.fullmatch(r"[+-]?\d+", value):
                    raise wrong
                if whole(value) < 0:
                    raise ConfigurationException("Invalid CDC option: ttl must be >= 0")
                if whole(value) >= 1 << 31:
                    raise ConfigurationException("Invalid CDC option: ttl too large")
                values[key] = int(value)
            case _:
                raise ConfigurationException(f"Invalid CDC option: {key}")
    return CdcOptions(**values)


def _repairs_before_gc(release: Release, keyspace: Keyspace) -> bool:
    """Whether the tombstones of the keyspace's tables wait for a repair, unless a table says otherwise."""
    return release.repairs_before_gc or (keyspace.tablets is not None and _may_repair_before_gc(release, keyspace))


def _may_repair_before_gc(release: Release, keyspace: Keyspace) -> bool:
    return release.repairs_before_gc or keyspace.replication_factor != 1


def _tombstone_gc(given: dict[str, str]) -> dict[str, str]:
    delay = "3600"
    mode = "timeout"
    for key, value in sorted(given.items()):
        wrong = ConfigurationException(f"Invalid value for tombstone_gc option {key}: {value}")
        if key == "mode":
            if value not in ("disabled", "repair", "timeout", "immediate"):
                raise wrong
            mode = value
        elif key == "propagation_delay_in_seconds":
            if not re.fullmatch(r"\d{1,18}", value):
                raise wrong
            delay = str(int(value))
        else:
            raise ConfigurationException(f"Invalid tombstone_gc option: {key}")
    return {"mode": mode, "propagation_delay_in_seconds": delay}


def _rate_limit(given: dict[str, str]) -> dict[str, str]:
    for key, value in sorted(given.items()):
        if key not in ("max_reads_per_second", "max_writes_per_second"):
            raise ConfigurationException(f"Unknown key in map for per_partition_rate_limit extension: {key}")
        if not re.fullmatch(r"\d+", value):
            raise ConfigurationException(f"Invalid value for {key}: {value}")
    return dict(sorted(given.items()))


def _table_id(text: str | None) -> uuid.UUID | None:
    try:
        return None if text is None else uuid.UUID(text)
    except ValueError:
        raise ConfigurationException("Invalid table id") from None


def _compression(given: dict[str, str]) -> dict[str, str]:
    if not given:
        return {}
    if "sstable_compression" not in given:
        raise ConfigurationException("Missing sub-option 'sstable_compression' for the 'compression' option.")
    name = given["sstable_compression"].removeprefix(_COMPRESSION_PACKAGE)
    if name and name not in _COMPRESSORS:
        raise ConfigurationException(f"Unknown sstable_compression: {given['sstable_compression']}")
    known = {"sstable_compression", "chunk_length_in_kb", "chunk_length_kb", "crc_check_chance"}
    shown = {"sstable_compression": _COMPRESSORS[name] + name} if name else {}
    length = given.get("chunk_length_in_kb", given.get("chunk_length_kb"))
    if length is not None:
        kilobytes = re.match(r"\s*[+-]?\d+", length)
        if kilobytes is None:
            raise SyntaxException(f"Invalid integer value {length} for chunk_length_in_kb")
        shown["chunk_length_in_kb"] = str(whole(kilobytes[0]))
    if "crc_check_chance" in given:
        try:
            chance = float(given["crc_check_chance"])
        except ValueError:
            raise SyntaxException(f"Invalid double value {given['crc_check_chance']} for crc_check_chance") from None
        shown["crc_check_chance"] = f"{chance:.6f}"
    if name.startswith("Zstd"):
        known.add("compression_level")
        level = given.get("compression_level")
        if level is not None:
            if not re.match(r"\s*[+-]?\d+", level):
                raise ConfigurationException(f"Invalid integer value {level} for compression_level")
            if not _ZSTD_LEVELS[0] <= whole(level) <= _ZSTD_LEVELS[1]:
                low, high = _ZSTD_LEVELS
                raise ConfigurationException(f"compression_level must be between {low} and {high}, got {whole(level)}")
            shown["compression_level"] = str(int(level))
    for key in sorted(given):
        if key not in known:
            raise ConfigurationException(f"Unknown compression option '{key}'.")
    _check_compression(shown)
    return dict(sorted(shown.items()))


def _check_compression(shown: dict[str, str]) -> None:
    if "chunk_length_in_kb" in shown:
        length = int(shown["chunk_length_in_kb"])
        if length <= 0:
            raise ConfigurationException("Invalid negative or null for chunk_length_in_kb/chunk_length_kb")
        if length & (length - 1):
            raise ConfigurationException("chunk_length_in_kb/chunk_length_kb must be a power of 2.")
        if length > 128:
            raise ConfigurationException("chunk_length_in_kb/chunk_length_kb must be 128 or less.")
    if not 0.0 <= float(shown.get("crc_check_chance", "0")) <= 1.0:
        raise ConfigurationException("crc_check_chance must be between 0.0 and 1.0.")


def _speculative_retry(text: str) -> str:
    """NONE, ALWAYS, ``n``ms or ``n``PERCENTILE, in the spelling that is shown."""
    upper = text.upper()
    if upper in ("NONE", "ALWAYS"):
        return upper
    for suffix, shown in (("MS", "{:.2f}ms"), ("PERCENTILE", "{:.1f}PERCENTILE")):
        if upper.endswith(suffix) and re.fullmatch(r"[+-]?\d+(\.\d*)?", upper.removesuffix(suffix)):
            return shown.format(float(upper.removesuffix(suffix)))
    raise ConfigurationException(f"cannot convert {upper} to speculative_retry\n")


def _tablets(given: dict[str, str], keyspace: Keyspace) -> dict[str, str]:
    if keyspace.tablets is None:
        raise ConfigurationException("tablet options cannot be used when tablets are disabled for the keyspace")
    for key, value in sorted(given.items()):
        if key in ("min_tablet_count", "max_tablet_count", "expected_data_size_in_gb"):
            valid = re.fullmatch(r"\d+", value)
        elif key == "min_per_shard_tablet_count":
            valid = re.fullmatch(r"\d+(\.\d*)?", value)
        else:
            raise ConfigurationException(f"Unknown tablet hint '{key}'")
        if not valid:
            raise ConfigurationException(f"Invalid value '{value}' for tablet hint '{key}'")
    return dict(sorted(given.items()))


def _caching(given: ast.Properties) -> dict[str, str]:
    value = given["caching"]
    if isinstance(value, dict):
        options = properties.mapping(given, "caching")
    else:
        try:
            options = {str(k): str(v) for k, v in json.loads(properties.plain(value)).items()}
        except (ValueError, AttributeError):
            raise SyntaxException("Invalid value for property 'caching'. It should be a map.") from None
    for key in sorted(options):
        if key not in ("keys", "rows_per_partition", "enabled"):
            raise ConfigurationException(f"Invalid caching option: {key}")
    keys, rows = options.get("keys", "ALL"), options.get("rows_per_partition", "ALL")
    if keys not in ("ALL", "NONE"):
        raise ConfigurationException(f"Invalid key value: {keys}")
    if rows not in ("ALL", "NONE") and not re.fullmatch(r"\d+", rows):
        raise ConfigurationException(f"Invalid key value: {rows}")
    shown = {"keys": keys, "rows_per_partition": rows}
    return {"enabled": "false", **shown} if options.get("enabled", "true") != "true" else shown
