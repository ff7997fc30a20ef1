"""`NamedTuple`, as `typing` has it, but cheap to define, which every start pays for.

`typing` compiles the annotation of each field of each class. A start defines fifty classes, which
took 10 ms; with `collections.namedtuple` alone it is a quarter of that.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        """Makes a subclass of `collections.namedtuple` of what is written as a NamedTuple."""

        def __new__(cls, name: str, _bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body["__annotations__"])
            defaults = [body.pop(field) for field in fields if field in body]
            base = namedtuple(name, fields, defaults=defaults, module=body["__module__"])  # noqa: PYI024 - that is the point
            return type(name, (base,), {"__slots__": (), **body})

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})


__all__ = ["NamedTuple"]
