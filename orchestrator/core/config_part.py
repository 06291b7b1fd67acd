"""One workload's configuration on its way through the rules of ``config_checks``, and what "per stage" means in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.core import schemas
from orchestrator.core.workloads import WorkloadType


class Context(Protocol):
    """The part of ``config.CheckContext`` that the rules read."""

    @property
    def accounts(self) -> str: ...
    @property
    def stages(self) -> tuple[str, ...]: ...
    @property
    def model_registry(self) -> bool: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...


@dataclass(frozen=True)
class Part:
    """One configuration on its way through the rules."""

    type: WorkloadType
    values: Mapping[str, Any]
    path: str
    context: Context
    spelled: Mapping[str, str]
    """Canonical key → the key as the author spelt it."""

    def at(self, key: str) -> str:
        """JSON path of a key."""
        return f"{self.path}.{self.spelled.get(key, key)}"

    def per_stage(self, key: str) -> bool:
        """Whether the value of this key is an object of stages here."""
        return is_stage_object(self.values.get(key), self.type.properties.get(key, {}), self.type)

    def each_value(self, key: str) -> Iterator[tuple[str, Any]]:
        """Path and value of the key, once for each stage where it is an object of stages."""
        if key not in self.values:
            return
        if self.per_stage(key):
            for stage, value in self.values[key].items():
                yield f"{self.at(key)}.{stage}", value
        else:
            yield self.at(key), self.values[key]


def is_stage_object(value: Any, schema: Mapping[str, Any], workload_type: WorkloadType) -> bool:
    """Whether the value of a key is meant as an object of stages.

    Where a single value is an object itself (``vpc``), an object with none of that object's keys is one of stages.
    """
    if not isinstance(value, Mapping) or not schema.get("x-per-stage"):
        return False
    single = schemas.per_value(schema, workload_type.schema)
    return single.get("type") != "object" or not set(value) & set(single.get("properties", {}))


def for_stage(values: Mapping[str, Any], workload_type: WorkloadType, stage: str) -> dict[str, Any]:
    """The values with every object of stages replaced by this stage's value."""
    properties = workload_type.properties
    return {
        key: value[stage] if is_stage_object(value, properties.get(key, {}), workload_type) else value
        for key, value in values.items()
    }
