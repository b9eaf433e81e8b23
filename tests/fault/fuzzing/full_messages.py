"""A sample of every message with every field filled, made from the types alone: a field that is added is in it."""

from typing import Any, Final

import msgspec
from msgspec import inspect

from texswarm_server.protocol.messages import Message

_HASH: Final = "ab" * 32
_ID: Final = "11111111-1111-4111-8111-111111111111"


def full_message(kind: type[Message]) -> bytes:
    """Return the frame of a message of `kind` in which nothing is left out."""
    return msgspec.json.encode({"type": kind.__name__, "payload": _value(inspect.type_info(kind))})


def _value(wanted: inspect.Type) -> Any:
    match wanted:
        case inspect.UnionType():
            return _value(next(each for each in wanted.types if not isinstance(each, inspect.NoneType)))
        case inspect.StructType():
            return {field.encode_name: _value(field.type) for field in wanted.fields}
        case inspect.ListType() | inspect.CollectionType():
            return [_value(wanted.item_type)]
        case inspect.LiteralType():
            return wanted.values[0]
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return 3
        case inspect.FloatType():
            return 1.5
        case inspect.BytesType():
            return b"A\x00\xff"
        case inspect.StrType():
            return _HASH if wanted.pattern else _ID
    raise AssertionError(f"no value is known for {wanted}")
