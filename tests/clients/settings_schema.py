"""Holds JSON against a schema, with a validator that has nothing to do with Tegata's own reading of settings.

usage: settings_schema.py SCHEMA < one JSON document per line > one line per document: empty, or what is wrong
"""

import json
import sys

import jsonschema_rs

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema_rs.meta.validate(schema)
validator = jsonschema_rs.Draft7Validator(schema)
for line in sys.stdin:
    wrong = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(json.loads(line))]
    print("; ".join(wrong).replace("\n", " "))
