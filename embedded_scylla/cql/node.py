"""The base of the syntax tree's nodes: records with named fields, equal by value, not to be changed.

They read like frozen dataclasses, but nothing is generated and compiled for each class: with some fifty of them that
took a quarter of the node's start-up time.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, dataclass_transform

Self = TypeVar("Self", bound="Node")


@dataclass_transform(frozen_default=True)
class Node:
    """A subclass's annotations are its fields, in their order; those with a value may be left out."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        type.__setattr__(cls, "__match_args__", cls._fields)  # type checkers give it a type of their own
        cls._required = frozenset(name for name in cls._fields if name not in cls.__dict__)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        given = dict(zip(fields, values, strict=False))
        if len(values) > len(fields) or given.keys() & named or not named.keys() <= set(fields):
            raise TypeError(f"{type(self).__name__} takes {fields}, not {values} and {named}")
        given.update(named)
        if not self._required <= given.keys():
            raise TypeError(f"{type(self).__name__} needs {sorted(self._required - given.keys())}")
        self.__dict__.update(given)

    def replace(self: Self, **changes: Any) -> Self:
        """The same node with other values in some fields."""
        return type(self)(**{**self.__dict__, **changes})

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self._fields])

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {type(self).__name__} is not to be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} is not to be changed")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"
