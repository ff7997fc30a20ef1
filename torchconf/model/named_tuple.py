"""`NamedTuple`, as `typing` has it, but cheap to define, which every start pays for.

`typing` compiles the annotation of each field, and a function for each class. A start defines fifty
classes, which is a tenth of its time. Here, one function is compiled for each number of fields.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]  # how its fields are read
from functools import cache
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType
    from typing import Any, NamedTuple, Self
else:

    class _Maker(type):
        """Makes a plain subclass of tuple of what is written as a NamedTuple."""

        def __new__(cls, name: str, _bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = tuple(body["__annotations__"])
            defaults = {field: body.pop(field) for field in fields if field in body}
            new = FunctionType(
                _template(len(fields)).replace(co_varnames=("_cls", *fields)),
                {"_new": tuple.__new__},
                "__new__",
                tuple(defaults.values()),
            )
            new.__qualname__ = f"{body['__qualname__']}.__new__"
            getters = {field: _tuplegetter(n, None) for n, field in enumerate(fields)}
            described = {
                "__match_args__": fields,
                "__new__": new,
                "__slots__": (),
                "_field_defaults": defaults,
                "_fields": fields,
            }
            return type(name, (_Fields,), {**body, **described, **getters})

    class _Fields(tuple):
        """What the fields of all such classes have in common."""

        __slots__ = ()
        _fields: tuple[str, ...] = ()

        @classmethod
        def _make(cls, values: Iterable[object]) -> Self:
            return cls(*values)

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def _replace(self, **changes: object) -> Self:
            made = self._make(map(changes.pop, self._fields, self))
            if changes:
                message = f"{type(self).__name__} has no field {next(iter(changes))!r}"
                raise TypeError(message)
            return made

        __replace__ = _replace

        def __repr__(self) -> str:
            pairs = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{name}={one!r}' for name, one in pairs)})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

    @cache
    def _template(count: int) -> CodeType:
        """Return the code of a `__new__` for so many fields, whose names do not matter yet."""
        names = [f"_{number}" for number in range(count)]
        return eval(f"lambda _cls, {', '.join(names)}: _new(_cls, ({', '.join(names)},))").__code__  # noqa: S307 - our own text

    NamedTuple = type.__new__(_Maker, "NamedTuple", (), {})


__all__ = ["NamedTuple"]
