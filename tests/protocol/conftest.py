"""The embedded node and the chapter that the helpers' tests use."""

from tests.unit.conftest import chapter, lab

__all__ = ["chapter", "lab"]
