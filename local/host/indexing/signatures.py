"""The Python worker's checks of a function against its bindings, and how each argument is to be converted."""

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, cast

from local.host.core.functions import SDK_TYPE, STREAMED, Binding, Parameter
from local.host.worker import converters


class FunctionLoadError(RuntimeError):
    """A function does not match its bindings; the text is the Python worker's."""

    def __init__(self, function: str, problem: str) -> None:
        super().__init__(f"cannot load the {function} function: {problem}")


class Signature(typing.NamedTuple):
    """What the worker knows of a function after its checks."""

    inputs: Mapping[str, Parameter]
    outputs: Mapping[str, Parameter]
    returns: Parameter | None
    needs_context: bool


def check_signature(name: str, code: Callable[..., Any], bindings: tuple[Binding, ...]) -> Signature:
    """Match parameters and annotations with the bindings. Raises FunctionLoadError."""
    parameters = dict(inspect.signature(code).parameters)
    annotations = typing.get_type_hints(code)
    bound = {one.name: one for one in bindings if one.name != "$return"}
    needs_context = _takes_context(name, parameters, bound, annotations)
    _check_names(name, set(parameters), set(bound))
    inputs: dict[str, Parameter] = {}
    outputs: dict[str, Parameter] = {}
    for parameter in parameters:
        binding = bound[parameter]
        checked = _check_parameter(name, binding, parameter in annotations, annotations.get(parameter))
        (outputs if binding.direction == "out" else inputs)[parameter] = checked
    returns = _check_return(name, bindings, annotations)
    if any(one.converter == STREAMED for one in inputs.values()):
        returns = Parameter(STREAMED, None)
    return Signature(inputs, outputs, returns, needs_context)


def _takes_context(
    name: str, parameters: dict[str, Any], bound: Mapping[str, Binding], annotations: Mapping[str, Any]
) -> bool:
    if "context" not in parameters or "context" in bound:
        return False
    del parameters["context"]
    annotation = annotations.get("context")
    if annotation is not None and not (isinstance(annotation, type) and annotation.__name__ == "Context"):
        raise FunctionLoadError(
            name, f'the "context" parameter is expected to be of type azure.functions.Context, got {annotation!r}'
        )
    return True


def _check_names(name: str, declared: set[str], bound: set[str]) -> None:
    if declared - bound:
        raise FunctionLoadError(
            name,
            "the following parameters are declared in Python but not in the function definition (function.json or "
            f"function decorators):  {declared - bound!r}",
        )
    if bound - declared:
        raise FunctionLoadError(
            name,
            "the following parameters are declared in the function definition (function.json or function decorators) "
            f"but not in Python: {bound - declared!r}",
        )


def _check_parameter(name: str, binding: Binding, annotated: bool, annotation: Any) -> Parameter:
    wanted, is_out = _unwrap_out(name, binding, annotation)
    if annotated and not _is_type(wanted):
        raise FunctionLoadError(name, f"binding {binding.name} has invalid non-type annotation {annotation!r}")
    if binding.direction == "out" and annotated and not is_out:
        raise FunctionLoadError(
            name,
            f'binding {binding.name} is declared to have the "out" direction, but its annotation in Python is not '
            "a subclass of azure.functions.Out",
        )
    if binding.direction == "in" and is_out:
        raise FunctionLoadError(
            name,
            f'binding {binding.name} is declared to have the "in" direction in the function definition '
            "(function.json or function decorators), but its annotation is azure.functions.Out in Python",
        )
    is_in = binding.direction == "in"
    if is_in and binding.type == "httpTrigger" and converters.streams():
        if annotated and not converters.is_streamed_request(wanted):
            raise _mismatch(name, binding, wanted)
        return Parameter(STREAMED, wanted)
    if is_in and converters.is_sdk_type(binding.type, wanted):
        return Parameter(SDK_TYPE, wanted)
    plain = annotated and wanted in (str, bytes) and not converters.returns_implicitly(binding.type)
    kind = "generic" if plain else binding.type
    if annotated and not _annotation_fits(kind, wanted, is_out):
        raise _mismatch(name, binding, wanted)
    return Parameter(kind, wanted)


def _mismatch(name: str, binding: Binding, annotation: Any) -> FunctionLoadError:
    shown = getattr(annotation, "__name__", repr(annotation))
    if binding.data_type:
        return FunctionLoadError(
            name,
            f'{binding.name!r} binding type "{binding.type}" and dataType "{binding.data_type}" in function definition '
            "(function.json or function decorators) do not match the corresponding function parameter's Python type "
            f'annotation "{shown}"',
        )
    return FunctionLoadError(
        name,
        f"type of {binding.name} binding in function definition (function.json or function decorators) "
        f'"{binding.type}" does not match its Python annotation "{shown}"',
    )


def _check_return(name: str, bindings: tuple[Binding, ...], annotations: Mapping[str, Any]) -> Parameter | None:
    explicit = next((one for one in bindings if one.name == "$return"), None)
    if explicit is None:
        implicit = next((one for one in reversed(bindings) if converters.returns_implicitly(one.type)), None)
        return Parameter(implicit.type, annotations.get("return")) if implicit is not None else None
    if explicit.direction != "out":
        raise FunctionLoadError(name, '"$return" binding must have direction set to "out"')
    if "return" not in annotations:
        return Parameter(explicit.type, None)
    annotation = annotations["return"]
    if _is_out(annotation):
        raise FunctionLoadError(name, "return annotation should not be azure.functions.Out")
    if not isinstance(annotation, type):
        raise FunctionLoadError(name, f"has invalid non-type return annotation {annotation!r}")
    streamed = explicit.type == "http" and converters.streams()
    fits = (
        converters.is_streamed_response(annotation) if streamed else _annotation_fits(explicit.type, annotation, True)
    )
    if not fits:
        raise FunctionLoadError(
            name, f'Python return annotation "{annotation.__name__}" does not match binding type "{explicit.type}"'
        )
    return Parameter(explicit.type, annotation)


def _unwrap_out(name: str, binding: Binding, annotation: Any) -> tuple[Any, bool]:
    if not _is_out(annotation):
        return annotation, False
    arguments = typing.get_args(annotation)
    if len(arguments) != 1:
        raise FunctionLoadError(name, f"binding {binding.name} has invalid Out annotation {annotation!r}")
    return arguments[0], True


def _is_out(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and origin.__name__ == "Out"


def _is_type(annotation: Any) -> bool:
    # The worker takes classes and `typing.List[...]`, but neither `list[...]`, tuples, unions nor callables.
    if isinstance(annotation, type):
        return True
    origin = typing.get_origin(annotation)
    if isinstance(annotation, (types.GenericAlias, types.UnionType)):
        return False
    return origin is not None and origin not in (typing.Union, tuple, collections.abc.Callable)


def _annotation_fits(kind: str, annotation: Any, is_out: bool) -> bool:
    found = converters.converter(kind)
    check = found.check_output_type_annotation if is_out else found.check_input_type_annotation
    try:
        return bool(cast("Callable[[Any], bool]", check)(annotation))
    except TypeError:
        return False
