"""What the notebooks call: every name that a chapter imports, and no other.

A name is imported from its module when it is first used, so that ``import helpers`` is quick. The rooms behind it are
``lab``, ``shop``, ``display``, ``course`` and ``exercises``: docs/house.md is their map.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import course
from .course import kernel

# name → the module that has it; with a colon behind it: the name is that module itself.
_PUBLIC = {
    # lab
    "connect": "lab.connection",
    "engine_of": "lab.engine",
    "replicas": "lab.replication",
    "tablets": "lab.replication",
    "apply_cql": "lab.statements",
    "statement": "lab.statements",
    "statements": "lab.statements",
    "prepared": "lab.statements",
    "wait_until": "lab.waiting",
    "Latencies": "lab.latency",
    "server_now": "lab.clock",
    "let_time_pass": "lab.clock",
    "decisions_take": "lab.dials",
    "delayed_views": "lab.dials",
    "rust_consumer": "lab.rust_consumer",
    # scylla_cdc
    "ChangeReader": "scylla_cdc",
    "TableCheckpoints": "scylla_cdc",
    # shop
    "venue_id": "shop.ids",
    "event_id": "shop.ids",
    "section_id": "shop.ids",
    "ticket_id": "shop.ids",
    "user_id": "shop.ids",
    "Event": "shop.event",
    "name_of": "shop.names",
    "remember": "shop.names",
    "fan_out": "shop.fan_out:",
    "open_chapter": "shop.opening",
    "hold_seat": "shop.box_office",
    "pay": "shop.box_office",
    "cancel": "shop.box_office",
    "release_expired": "shop.box_office",
    "seat_of": "shop.box_office",
    "count_by_status": "shop.box_office",
    "hold_together": "shop.parties",
    "hold_in_turn": "shop.parties",
    "sweeper": "shop.sweeper:",
    "Sweeper": "shop.sweeper",
    "sweep_together": "shop.beside",
    "time_to_lapse": "shop.lapse",
    "read_together": "shop.readers",
    "rush": "shop.buyers",
    "latencies_of": "shop.buyers",
    # festival
    "Design": "festival.design",
    "open_night": "festival.night",
    # display
    "Operation": "scylla_cdc",
    "read_log": "scylla_cdc",
    "stream_ids": "scylla_cdc",
    "plot_latencies": "display.pictures.plots",
    "lines": "display.pictures.plots",
    "stacked_columns": "display.pictures.plots",
    "grouped_bars": "display.pictures.plots",
    "partition_sizes": "display.pictures.plots",
    "status_bands": "display.pictures.plots",
    "picture": "display.pictures.drawing",
    "bars": "display.pictures.drawing",
    "seat_map": "display.pictures.stadium",
    "timeline": "display.pictures.log",
    "stream_id_diagram": "display.pictures.log",
    "sale_plot": "display.pictures.sale",
    "pace_plot": "display.pictures.sale",
    "sell_out": "display.pictures.live_sale",
    "sequence_diagram": "display.pictures.checkout",
    "seat_states": "display.pictures.checkout",
    "rush_plot": "display.pictures.checkout",
    "SeatMapWidget": "display.pictures.widgets",
    "CheckoutWidget": "display.pictures.widgets",
    "BuyersSlider": "display.pictures.widgets",
    "rows_read": "display.traces",
    "parts_of": "display.pictures.rows",
    "row_diagram": "display.pictures.rows",
    "watch_sale": "display.places",
    "read_pages": "display.paging",
    "ring_diagram": "display.pictures.diagrams",
    "question_diagram": "display.pictures.diagrams",
    "partition_diagram": "display.pictures.diagrams",
    "show": "display.showing",
    "show_error": "display.showing",
    # course
    "predict": "course.predictions",
    "surprises": "course.predictions",
    "check": "course.exercises",
    "hint": "course.exercises",
    "starter": "course.exercises",
    "solving": "course.exercises",
    "solved": "course.exercises",
    "checkpoint": "course.catch_up",
    "reset": "course.catch_up",
    "progress": "course.progress",
    "passport": "course.passport",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"helpers has no {name!r}. It has: {', '.join(__all__)}.")
    kernel.install_magics()
    place = _PUBLIC[name].removesuffix(":")
    module = import_module(place if place == "scylla_cdc" else f"{__name__}.{place}")
    found = module if _PUBLIC[name].endswith(":") else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext helpers``, as every kernel of the course's environment does when it starts."""
    kernel.offer_magics(shell)
    if hasattr(shell, "kernel"):
        kernel.furnish(shell, __getattr__, [name for name in kernel.COMMANDS if name in _PUBLIC])


course.exercises_package = f"{__name__}.exercises"
course.design_module = f"{__name__}.festival.cells"
if (_shell := kernel.shell_of_a_notebook()) is not None:
    load_ipython_extension(_shell)
