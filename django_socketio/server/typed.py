"""Arguments of typed handlers and hooks, checked by pydantic. Only a typed class imports this.

The annotations of a method are compiled once, when its class is made, into one validator: an event
costs one call of it. https://docs.pydantic.dev/latest/concepts/types/
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Annotated, Any, get_type_hints

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic_core import ArgsKwargs, SchemaValidator, core_schema

from ..exceptions import ConnectionRefused, EventRefused

Function = Callable[..., Any]

# Errors that a client is told of, and how many are looked at: each costs about a microsecond.
MOST_SHOWN, MOST_ERRORS = 20, 1000
# How much of an error's text is told, and of the way to the wrong value, which clients can name.
LONGEST_TEXT, LONGEST_WAY = 200, 20
# Containers whose first wrong item ends the check, where pydantic can do that (2.8, for dicts
# later): a client may send some hundred thousand wrong items, and each error takes time.
ENDING = frozenset(
    kind
    for kind in ("dict", "frozenset", "list", "set", "tuple")
    if "fail_fast" in inspect.signature(getattr(core_schema, f"{kind}_schema")).parameters
)
# Parts of a schema that hold no schemas.
_PLAIN = frozenset({"default", "expected", "members", "metadata", "serialization"})


def check_event(cls: type, method: str, function: Function, most: int) -> Function:
    """Wrap a handler: arguments that do not fit its annotations refuse the event.

    ``most`` is how many arguments it takes. Raises TypeError for an annotation that is missing, or
    that cannot be checked.
    """
    validate = compile_arguments(cls, method, function)
    most += MOST_SHOWN  # each further argument is an error, and enough is told

    @wraps(function)
    def checked(consumer: Any, *args: Any) -> Any:
        if len(args) > most:
            args = args[:most]
        try:
            valid, _ = validate(ArgsKwargs(args))
        except ValidationError as error:
            raise EventRefused("Invalid arguments", "invalid", errors=shown(error)) from None
        return function(consumer, *valid)

    return checked


def check_auth(cls: type, method: str, function: Function) -> Function:
    """Wrap a hook that takes ``auth``: what does not fit its annotation refuses the client.

    Raises as :func:`check_event`.
    """
    validate = compile_arguments(cls, method, function)

    @wraps(function)
    def checked(consumer: Any, auth: Any) -> Any:
        try:
            valid, _ = validate(ArgsKwargs((auth,)))
        except ValidationError as error:
            data = {"code": "invalid", "errors": shown(error)}
            raise ConnectionRefused("Invalid auth", data) from None
        return function(consumer, *valid)

    return checked


def compile_arguments(cls: type, method: str, function: Function) -> Callable[[Any], Any]:
    """Return a function that takes the arguments besides ``self`` and returns the valid ones.

    It takes ArgsKwargs, and returns positional arguments and an empty dict. It raises
    ValidationError. This raises TypeError as :func:`check_event`.
    """
    where = f"{cls.__qualname__}.{method}()"
    arguments = _Arguments(cls, where, function)
    try:
        schema = TypeAdapter(Annotated[Any, arguments]).core_schema
        return SchemaValidator(_strict(schema)).validate_python
    except _UntypedError as error:
        raise TypeError(str(error)) from error.__cause__
    except Exception as error:
        raise TypeError(f"{where} cannot be typed: {_first_line(error)}") from error


class _UntypedError(Exception):
    """A parameter cannot be typed. It passes through pydantic, which may wrap a TypeError."""


@dataclass(frozen=True)
class _Arguments:
    """Tells pydantic the schema of a method's arguments.

    https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__
    """

    cls: type
    where: str
    function: Function

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        taken: list[core_schema.ArgumentsParameter] = []
        rest = None
        _, *parameters = inspect.signature(self.function).parameters.values()
        for parameter in parameters:
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
                continue  # no event has such arguments
            schema = self._schema(parameter, handler)
            if parameter.kind is parameter.VAR_POSITIONAL:
                rest = schema
                continue
            if parameter.default is not parameter.empty:
                schema = core_schema.with_default_schema(schema, default=parameter.default)
            taken.append(
                core_schema.arguments_parameter(parameter.name, schema, mode="positional_only")
            )
        # Nothing is ever serialized, but TypeAdapter wants to know how.
        how = core_schema.plain_serializer_function_ser_schema(repr)
        return core_schema.arguments_schema(taken, var_args_schema=rest, serialization=how)

    def _schema(
        self, parameter: inspect.Parameter, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        try:
            return handler.generate_schema(_hint(self.cls, self.function, parameter))
        except Exception as error:
            raise _UntypedError(
                f"{self.where}: its parameter {parameter.name!r} cannot be typed: "
                f"{_first_line(error)}"
            ) from error


def _hint(cls: type, function: Function, parameter: inspect.Parameter) -> Any:
    """Return a parameter's annotation. One that is text is evaluated in its module, or class."""
    if parameter.annotation is parameter.empty:
        raise TypeError("it has no annotation (Any takes anything)")
    # Alone: what others, or the result, are annotated with may exist for type checkers only.
    annotated = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    names: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        hints = get_type_hints(annotated, names, include_extras=True)
    except NameError:
        inside: Mapping[str, Any] = {k: v for c in cls.__mro__[::-1] for k, v in vars(c).items()}
        hints = get_type_hints(annotated, names, dict(inside), include_extras=True)
    return hints[parameter.name]


def _strict(schema: Any) -> Any:
    """Return a schema in which text is made of text alone, and bytes of attachments alone.

    pydantic would make one of the other. Of a container's items only the first wrong one is told.
    What is inside a class of pydantic is that class's affair.
    """
    if type(schema) in (list, tuple):
        return type(schema)(map(_strict, schema))
    if type(schema) is not dict:
        return schema
    kind = schema.get("type")
    if not isinstance(kind, str):  # schemas by name: the fields of a TypedDict
        return {name: _strict(value) for name, value in schema.items()}
    if kind == "model" or (kind == "dataclass" and is_pydantic_dataclass(schema["cls"])):
        return schema
    copy = {key: value if key in _PLAIN else _strict(value) for key, value in schema.items()}
    if kind in ("str", "bytes"):
        copy["strict"] = True
    elif kind in ENDING:
        copy["fail_fast"] = True
    return copy


def shown(error: ValidationError) -> list[dict[str, Any]]:
    """Return what a client is told: ``type``, ``loc`` and ``msg`` of each error, up to a bound.

    ``loc`` is the way to what is wrong, the argument's index first.
    """
    count = error.error_count()
    if count > MOST_ERRORS:
        return [_more(count)]
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        {
            "type": item["type"],
            "loc": [_cut(step) for step in item["loc"][:LONGEST_WAY]],
            "msg": _cut(item["msg"]),
        }
        for item in found[:MOST_SHOWN]
    ]
    return [*told, _more(count - MOST_SHOWN)] if count > MOST_SHOWN else told


def _more(count: int) -> dict[str, Any]:
    return {"type": "too_many_errors", "loc": [], "msg": f"{count} further errors"}


def _cut(value: Any) -> Any:
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
