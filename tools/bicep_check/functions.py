"""Bicep's built-in functions and decorators, with what they answer. Only those that are known are allowed."""

from __future__ import annotations

from tools.bicep_check.types import ANY, ARRAY, BOOL, INT, OBJECT, STRING, Type

_BY_ANSWER: dict[Type, str] = {
    STRING: "base64 base64ToString dateTimeAdd dateTimeFromEpoch format guid join loadTextContent newGuid padLeft "
    "replace resourceId string subscriptionResourceId substring tenantResourceId toLower toUpper trim uniqueString uri "
    "uriComponent utcNow",
    INT: "dateTimeToEpoch indexOf int lastIndexOf length",
    BOOL: "bool contains empty endsWith startsWith",
    ARRAY: "array items objectKeys range split",
    OBJECT: "deployer environment resourceGroup subscription tenant",
    # What these answer depends on what they are given.
    ANY: "any coalesce concat first intersection json last loadJsonContent max min shallowMerge skip take union",
}
FUNCTIONS: dict[str, Type] = {name: answer for answer, names in _BY_ANSWER.items() for name in names.split()}

DECORATORS = frozenset(
    ["allowed", "batchSize", "description", "maxLength", "maxValue", "metadata", "minLength", "minValue", "secure"]
)
