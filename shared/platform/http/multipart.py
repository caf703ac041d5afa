"""Reads a form with a file (multipart/form-data), as browsers send it: one file and a few fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from shared.platform.errors import InvalidInput

if TYPE_CHECKING:
    from python_multipart.multipart import Field, File

FILE_FIELD: Final = "file"
MOST_FIELDS: Final = 20
MOST_FIELD_BYTES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was sent.

    Attributes:
        fields: the texts, by name.
        file_name: as the sender calls the file; it proves nothing.
        content_type: as the sender calls it, too.
    """

    fields: dict[str, str]
    file_name: str
    content_type: str
    data: bytes


def read_form(body: bytes, content_type: str) -> Form:
    """The form.

    Raises:
        InvalidInput: it is none, a field is too large, or there is not one file in FILE_FIELD.
    """
    from python_multipart import create_form_parser  # noqa: PLC0415 - loads with the first form
    from python_multipart.exceptions import FormParserError  # noqa: PLC0415 - as above

    fields: dict[str, str] = {}
    files: list[File] = []

    def keep_field(found: Field) -> None:
        name, value = (found.field_name or b"").decode(errors="replace"), found.value or b""
        if len(fields) >= MOST_FIELDS or len(value) > MOST_FIELD_BYTES or name in fields:
            raise _unusable(f"The field {name[:50]} is too large, or there are too many.")
        fields[name] = value.decode(errors="replace")

    # Each part is parsed in memory, where all of the body is already.
    config: Any = {"MAX_MEMORY_FILE_SIZE": len(body) + 1}
    headers = {"Content-Type": content_type.encode("latin-1", "replace"), "Content-Length": str(len(body)).encode()}
    try:
        parser = create_form_parser(
            cast("Any", headers), cast("Any", keep_field), cast("Any", files.append), config=config
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise _unusable(f"It cannot be read: {error}.") from None
    if len(files) != 1 or (files[0].field_name or b"") != FILE_FIELD.encode():
        raise _unusable(f"One file is needed, in the field {FILE_FIELD}.")
    [file] = files
    file.file_object.seek(0)
    return Form(
        fields,
        (file.file_name or b"").decode(errors="replace"),
        (file.content_type or "")
        if isinstance(file.content_type, str)
        else (file.content_type or b"").decode("latin-1"),
        file.file_object.read(),
    )


def _unusable(why: str) -> InvalidInput:
    return InvalidInput(
        f"The body is no usable form. {why}",
        field="body",
        code="unusable-form",
        remedy="Send it as multipart/form-data with one file.",
    )
