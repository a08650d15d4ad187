"""The ``compaction`` option: which strategies there are, and which sub-options each takes.

The embedded node keeps its rows in memory and compacts nothing; the option is checked and kept as ScyllaDB does.
"""

from __future__ import annotations

from ..errors import ConfigurationException, SyntaxException
from . import properties

_PACKAGE = "org.apache.cassandra.db.compaction."
_COMMON = {"enabled", "tombstone_threshold", "tombstone_compaction_interval", "unchecked_tombstone_compaction",
           "min_threshold", "max_threshold"}  # fmt: skip
_SIZE_TIERED = {"min_sstable_size", "bucket_low", "bucket_high", "cold_reads_to_omit"}
STRATEGIES = {
    "SizeTieredCompactionStrategy": _SIZE_TIERED,
    "LeveledCompactionStrategy": {"sstable_size_in_mb"},
    "TimeWindowCompactionStrategy": _SIZE_TIERED
    | {
        "compaction_window_unit",
        "compaction_window_size",
        "expired_sstable_check_frequency_seconds",
        "timestamp_resolution",
        "enable_optimized_twcs_queries",
        "max_sstable_span_seconds",
    },
    "IncrementalCompactionStrategy": _SIZE_TIERED - {"cold_reads_to_omit"}
    | {"sstable_size_in_mb", "space_amplification_goal"},
    "NullCompactionStrategy": set(),
}
_WINDOW_UNITS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86400}
MAX_WINDOWS = 50  # twcs_max_window_count


def parse_compaction(given: dict[str, str]) -> dict[str, str]:
    """Check the map that was given; its ``class`` comes back without the Java package, the rest as it was."""
    if "class" not in given:
        raise ConfigurationException("Missing sub-option 'class' for the 'compaction' option.")
    written = given["class"]
    name = written.removeprefix(_PACKAGE)
    if name == "InMemoryCompactionStrategy":
        raise ConfigurationException(f"{name} has been deprecated.")
    if name not in STRATEGIES:
        raise ConfigurationException(f"Unable to find compaction strategy class '{written}'")
    options = {key: value for key, value in sorted(given.items()) if key != "class"}
    _check_values(options)
    unknown = {key: value for key, value in options.items() if key not in _COMMON | STRATEGIES[name]}
    if unknown:
        listed = ", ".join(f'"{key}": "{value}"' for key, value in unknown.items())
        raise ConfigurationException(f"Invalid compaction strategy options {{{listed}}} for chosen strategy type")
    return {"class": name, **options}


def _check_values(options: dict[str, str]) -> None:
    def number(name: str) -> float | None:
        return properties.double(name, options[name], 0.0) if name in options else None

    def whole(name: str) -> int | None:
        return properties.long(name, options[name], 0) if name in options else None

    def require(name: str, value: float | None, holds: bool, rule: str, unit: str = "") -> None:
        if value is not None and not holds:
            raise ConfigurationException(f"{name} value ({value:g}{unit}) must be {rule}")

    for name in ("tombstone_threshold", "bucket_low", "cold_reads_to_omit"):
        value = number(name)
        lowest = 0.0 if name != "bucket_low" else 1e-300  # bucket_low must be more than nothing
        require(name, value, value is not None and lowest <= value <= 1.0, "between 0.0 and 1.0")
    interval = whole("tombstone_compaction_interval")
    if interval is not None and interval <= 0:
        raise ConfigurationException(f"tombstone_compaction_interval value ({interval * 1000}ms) must be positive")
    size = whole("min_sstable_size")
    require("min_sstable_size", size, size is not None and size >= 0, "non negative")
    high = number("bucket_high")
    require("bucket_high", high, high is not None and high > 1.0, "greater than 1.0")
    for name in ("min_threshold", "max_threshold"):
        value = whole(name)
        require(name, value, value is not None and value >= 2, "bigger or equal to 2")
    megabytes = properties.integer("sstable_size_in_mb", options.get("sstable_size_in_mb"), 1)
    require("sstable_size_in_mb", megabytes, megabytes > 0, "positive")
    goal = number("space_amplification_goal")
    in_range = goal is not None and 1.0 < goal <= 2.0
    require("space_amplification_goal", goal, in_range, "greater than 1.0 and less than or equal to 2.0")
    unit = options.get("compaction_window_unit")
    if unit is not None and unit not in _WINDOW_UNITS:
        raise SyntaxException(f"Invalid window unit {unit} for compaction_window_unit")
    window = options.get("compaction_window_size")
    if window is not None and properties.integer("compaction_window_size", window, 1) <= 0:
        raise ConfigurationException(f"compaction_window_size value ({window}) must be greater than 1")
    resolution = options.get("timestamp_resolution")
    if resolution not in (None, "MICROSECONDS", "MILLISECONDS"):
        raise SyntaxException(f"Invalid timestamp resolution {resolution} for timestamp_resolution")
    for name in ("enabled", "unchecked_tombstone_compaction", "enable_optimized_twcs_queries"):
        truth = options.get(name)
        if truth not in (None, "true", "false"):
            raise ConfigurationException(f'{name} value ({truth}) must be "true" or "false"')


def check_windows(compaction: dict[str, str], default_ttl: int) -> None:
    """A time-window table must not need more windows than the node allows."""
    if compaction["class"] != "TimeWindowCompactionStrategy" or default_ttl <= 0:
        return
    unit = _WINDOW_UNITS[compaction.get("compaction_window_unit", "DAYS")]
    window = unit * int(compaction.get("compaction_window_size", "1"))
    if default_ttl // window > MAX_WINDOWS:
        raise ConfigurationException(
            f"The setting of default_time_to_live={default_ttl} and compaction window={window}(s) can lead to "
            f"{default_ttl // window} windows, which is larger than the allowed number of windows specified by the "
            f"twcs_max_window_count ({MAX_WINDOWS}) parameter. Note that default_time_to_live=0 is also "
            "highly discouraged."
        )
