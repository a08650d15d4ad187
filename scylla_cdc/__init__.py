"""Reads the change log (CDC) of a ScyllaDB table: see README.md.

It needs the driver (scylla-driver) and nothing else.
"""

from .checkpoints import Checkpoints, MemoryCheckpoints, TableCheckpoints
from .errors import ChangeReaderError, ChangesLostError, NoLogError, StreamsNotPublishedError
from .log import read_log
from .progress import GroupProgress, Progress
from .reader import ChangeReader, Consumer
from .rows import Change, ChangeRow, Operation, StreamId, micros_of, time_of
from .streams import stream_ids

__all__ = [
    "Change",
    "ChangeReader",
    "ChangeReaderError",
    "ChangeRow",
    "ChangesLostError",
    "Checkpoints",
    "Consumer",
    "GroupProgress",
    "MemoryCheckpoints",
    "NoLogError",
    "Operation",
    "Progress",
    "StreamId",
    "StreamsNotPublishedError",
    "TableCheckpoints",
    "micros_of",
    "read_log",
    "stream_ids",
    "time_of",
]
