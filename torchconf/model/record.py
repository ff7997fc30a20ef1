"""The base of plain values: cheap to define, which every start pays for.

A `NamedTuple` or a dataclass costs ten times as much to define, and `typing` takes longer to import
than `--help` to answer.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` is not needed to print help
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_: bool) -> Callable[[type], type]:
        """Change nothing: only type checkers look at it."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """An immutable value with named fields, compared by them."""

    _names: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Know the names of the fields, in their order."""
        cls._names = (*cls._names, *cls.__annotations__)

    def __init__(self, **fields: object) -> None:
        """Take one keyword argument per field; a field with a class-level value may be left out."""
        self.__dict__.update(fields)

    def changed(self, **fields: object) -> Self:
        """Return a copy with other values of some fields."""
        # Only fields: what was derived from the old ones is not true of the copy.
        kept = {name: self.__dict__[name] for name in self._names if name in self.__dict__}
        return type(self)(**{**kept, **fields})

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse."""
        message = f"{type(self).__name__}.{name} is read-only"
        raise AttributeError(message)

    def __eq__(self, other: object) -> bool:
        """Compare by fields."""
        if self is other:
            return True
        return type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        """Hash by fields."""
        return hash(self._fields())

    def __repr__(self) -> str:
        """Name the class and its fields."""
        fields = zip(self._names, self._fields(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._names)
