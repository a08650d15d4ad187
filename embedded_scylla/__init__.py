"""An embedded node: one process that speaks the CQL native protocol and behaves like ScyllaDB."""

__version__ = "1.0.0"
