"""``python -m tests.configuration_reference`` writes the tables of keys in ``docs/`` anew from the schemas.

Whatever stands between a pair of ``<!-- keys: NAME -->`` and ``<!-- end -->`` is replaced; the prose around it is
written by hand. ``tests/test_docs.py`` fails when the file lags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.core.model_cards.request import schema as model_card_schema
from orchestrator.core.schemas import per_value, resolve
from orchestrator.core.workloads import Catalogue, WorkloadType, load_types, shipped_templates

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "configuration.md"
PAGES = (PAGE, DOCS / "model-cards.md")
COMMON, TYPES, MODEL_CARDS = "common", "types", "model_cards"

_PLACE = re.compile(r"(<!-- keys: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(page: str, catalogue: Catalogue, common: Mapping[str, Any]) -> str:
    """The page with its tables as the schemas have them now."""
    tables = {
        COMMON: _common_table(common),
        TYPES: _type_sections(catalogue, common),
        MODEL_CARDS: _model_card_table(model_card_schema()),
    }
    return _PLACE.sub(lambda match: f"{match[1]}{tables[match[2]]}{match[3]}", page)


def known() -> tuple[Catalogue, Mapping[str, Any]]:
    """The shipped types, and the schema of the common keys."""
    folder = shipped_templates()
    common: Mapping[str, Any] = json.loads((folder / "configuration.schema.json").read_text())
    return load_types([folder]), common


def _common_table(common: Mapping[str, Any]) -> str:
    lines = ["| key | per stage | meaning | example |", "|---|---|---|---|"]
    for key, schema in common["properties"].items():
        lines.append(_row([f"`{key}`", _yes(schema.get("x-per-stage")), schema["description"], _example(schema)]))
        for path, member, required in _members(key, schema, common):
            lines.append(_row([f"`{path}`", "", _meaning(member, required), ""]))
    return "\n".join(lines) + "\n"


def _model_card_table(schema: Mapping[str, Any]) -> str:
    lines = ["| key | meaning | example |", "|---|---|---|"]
    for key, described in schema["properties"].items():
        lines.append(_row([f"`{key}`", f"{described['description']}{_choices(described)}", _example(described)]))
        for path, member, required in _members(key, described, schema):
            lines.append(_row([f"`{path}`", f"{_meaning(member, required)}{_choices(member)}", ""]))
    return "\n".join(lines) + "\n"


def _choices(schema: Mapping[str, Any]) -> str:
    return f" One of {_listed(schema['enum'])}." if "enum" in schema else ""


def _type_sections(catalogue: Catalogue, common: Mapping[str, Any]) -> str:
    return "\n".join(_section(catalogue.types[name], common) for name in catalogue.names)


def _section(one: WorkloadType, common: Mapping[str, Any]) -> str:
    title = f"### `{one.name}`: {one.title[0].lower()}{one.title[1:]}"
    lines = [
        title,
        "",
        one.description,
        "",
        "| key | required | per stage | meaning | example |",
        "|---|---|---|---|---|",
    ]
    for key in sorted(one.own_keys, key=list(one.properties).index):
        schema = one.properties[key]
        cells = [f"`{key}`", _required(one, key), _yes(schema.get("x-per-stage")), schema["description"]]
        lines.append(_row([*cells, _example(schema)]))
        for path, member, required in _members(key, schema, one.schema):
            lines.append(_row([f"`{path}`", "", "", _meaning(member, required), ""]))
    taken = [key for key in common["properties"] if key not in one.own_keys | one.unsupported_keys]
    refused = sorted(one.unsupported_keys)
    lines += ["", f"Common keys: {_listed(taken)}." + (f" Not: {_listed(refused)}." if refused else "")]
    return "\n".join(lines) + "\n"


def _required(one: WorkloadType, key: str) -> str:
    if key in one.schema.get("required", ()):
        return "yes"
    if one.registry is not None and key == one.registry.key:
        return "yes, with the Model Registry"
    if one.registry is not None and key in one.registry.instead_of:
        return "yes, without the Model Registry"
    return "no"


def _members(path: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Path, schema and necessity of whatever an object or a list of objects holds, depth first."""
    schema = per_value(schema, root)
    if isinstance(schema.get("items"), Mapping):
        yield from _members(f"{path}[]", schema["items"], root)
    rest = schema.get("additionalProperties")
    if isinstance(rest, Mapping) and not schema.get("x-per-stage") and "properties" in resolve(rest, root):
        yield from _members(f"{path}.<stage>", rest, root)
    for name, member in schema.get("properties", {}).items():
        yield f"{path}.{name}", resolve(member, root), name in schema.get("required", ())
        yield from _members(f"{path}.{name}", member, root)


def _meaning(member: Mapping[str, Any], required: bool) -> str:
    return f"{member['description']}{' Required.' if required else ''}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples") or ([schema["const"]] if "const" in schema else [])
    return f"`{json.dumps(examples[0], ensure_ascii=False)}`" if examples else ""


def _listed(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page.read_text(), *known()))
        print(f"{page.relative_to(Path.cwd())} is written")
