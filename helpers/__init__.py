"""What the notebooks call. A name is imported from its module when it is first used: ``import helpers`` is quick."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# name → the module that has it; None: the name is a module itself.
_PUBLIC = {
    "LabError": "errors",
    "run": "",
    "bench": "",
    "doctor": "",
    "connect": "connection",
    "disconnect": "connection",
    "stop_node": "node",
    "Engine": "engine",
    "engine_of": "engine",
    "replicas": "engine",
    "apply_cql": "cqlfile",
    "statement": "cqlfile",
    "statements": "cqlfile",
    "prepared": "statement_cache",
    "venue_id": "ids",
    "event_id": "ids",
    "section_id": "ids",
    "ticket_id": "ids",
    "user_id": "ids",
    "Ticket": "venue",
    "load_venue": "venue",
    "tickets": "venue",
    "Event": "event",
    "name_of": "names",
    "remember_event": "names",
    "fan_out": "",
    "FanOutResult": "fan_out",
    "open_chapter": "chapters",
    "wait_until": "waiting",
    "box_office": "",
    "Hold": "box_office",
    "hold_seat": "box_office",
    "pay": "box_office",
    "cancel": "box_office",
    "release_expired": "box_office",
    "seat_of": "box_office",
    "is_held": "box_office",
    "count_by_status": "box_office",
    "settle": "box_office",
    "Party": "parties",
    "hold_together": "parties",
    "hold_in_turn": "parties",
    "pay_together": "parties",
    "cancel_together": "parties",
    "Deadlines": "deadlines",
    "sweeper": "",
    "Sweeper": "sweeper",
    "sweep": "sweeper",
    "changes": "",
    "Change": "changes",
    "Operation": "changes",
    "ChangeReader": "change_reader",
    "TableCheckpoints": "change_reader",
    "MemoryCheckpoints": "change_reader",
    "ChangeReaderError": "change_reader",
    "ChangesLostError": "change_reader",
    "read_log": "changes",
    "abandoned": "changes",
    "stream_ids": "changes",
    "generations": "changes",
    "decode_stream_id": "changes",
    "time_of": "changes",
    "Latencies": "latency",
    "plot_latencies": "latency",
    "picture": "drawing",
    "bars": "drawing",
    "new_figure": "drawing",
    "seat_map": "stadium_map",
    "section_map": "stadium_map",
    "price_levels": "stadium_map",
    "timeline": "log_timeline",
    "stream_id_diagram": "log_pictures",
    "streams_plot": "log_pictures",
    "rush": "buyers",
    "latencies_of": "buyers",
    "sequence_diagram": "checkout_pictures",
    "seat_states": "checkout_pictures",
    "rush_plot": "checkout_pictures",
    "SeatMapWidget": "widgets",
    "CheckoutWidget": "widgets",
    "BuyersSlider": "widgets",
    "server_now": "clock",
    "push_clock": "clock",
    "let_time_pass": "clock",
    "delayed_views": "view_delay",
    "rows_read": "traces",
    "RowsRead": "traces",
    "places": "shelves",
    "watch_sale": "shelves",
    "read_pages": "paging",
    "PagedRead": "paging",
    "lines": "plots",
    "stacked_columns": "plots",
    "partition_sizes": "plots",
    "status_bands": "plots",
    "ring_diagram": "rings",
    "question_diagram": "diagrams",
    "partition_diagram": "diagrams",
    "show": "showing",
    "show_error": "showing",
    "remember": "names",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"helpers has no {name!r}. It has: {', '.join(__all__)}.")
    module = import_module(f".{_PUBLIC[name] or name}", __name__)
    found = getattr(module, name) if _PUBLIC[name] else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
