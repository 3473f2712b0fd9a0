#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks pipelines/: the job schema is a valid JSON Schema, and the examples and presets are what it asks for.

Usage: check-schema.py FOLDER

It does so with another implementation of JSON Schema than Weft's own.
"""

import json
import pathlib
import re
import sys

import jsonschema


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def with_values(node, values):
    """The document with `{{name}}` replaced by the document's own value; alone in a text, that value is what stands there."""
    if isinstance(node, dict):
        return {name: with_values(member, values) for name, member in node.items()}
    if isinstance(node, list):
        return [with_values(element, values) for element in node]
    if not isinstance(node, str):
        return node
    whole = re.fullmatch(r"\{\{([^}]*)\}\}", node)
    if whole and whole[1] in values:
        return values[whole[1]]
    return re.sub(r"\{\{([^}]*)\}\}", lambda match: str(values.get(match[1], "x")), node)


def as_partial(schema):
    """The schema of presets: nothing is required at the top, and they describe themselves."""
    partial = dict(schema, required=[])
    partial["$defs"] = dict(schema["$defs"])
    partial["$defs"]["timeline"] = dict(schema["$defs"]["timeline"], required=[])
    partial["properties"] = dict(schema["properties"], description={"type": "string"}, limits={"type": "object"})
    return partial


def main(folder):
    folder = pathlib.Path(folder)
    schema = load(folder / "job.schema.json")
    failures = 0
    jsonschema.Draft202012Validator.check_schema(schema)
    for pattern, rules in (("examples/*.json", schema), ("presets/*.json", as_partial(schema))):
        validator = jsonschema.Draft202012Validator(rules)
        for path in sorted(folder.glob(pattern)):
            document = load(path)
            for error in validator.iter_errors(with_values(document, document.get("variables", {}))):
                failures += 1
                print(f"{path}: /{'/'.join(map(str, error.absolute_path))}: {error.message}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
