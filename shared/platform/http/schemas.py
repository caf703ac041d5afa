"""How pydantic's types are described to clients where its own description lets through what it refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

if TYPE_CHECKING:
    from pydantic_core import core_schema


class ApiSchemas(GenerateJsonSchema):
    """JSON Schema of requests and answers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A number with its digits said; pydantic would also allow any text here, and then refuse most of it."""
        if self.mode == "serialization":
            return super().decimal_schema(schema)
        described: JsonSchemaValue = {"type": "number"}
        bounds = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        for key, name in bounds.items():
            if (bound := schema.get(key)) is not None:
                described[name] = float(bound)
        if (places := schema.get("decimal_places")) is not None:
            described["multipleOf"] = float(Decimal(1).scaleb(-places))
            digits = schema.get("max_digits")
            if digits is not None and "maximum" not in described and "exclusiveMaximum" not in described:
                described["exclusiveMaximum"] = float(10 ** (digits - places))
        return described
