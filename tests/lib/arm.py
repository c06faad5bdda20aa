#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""arm.py - is it a template that Azure's Resource Manager would take?

    arm.py DIRECTORY    its template.json and parameters.json

Both are held to the published schemas, as kept in tests/system/data/azure. Then
what no schema says: parameters that are used are declared, and the other way
round; those that are given exist; what a resource depends on is there; no two data
disks have one LUN.
"""
import glob
import json
import os
import re
import sys

import jsonschema

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../system/data/azure")
TEMPLATE = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json"
PARAMETERS = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json"


def load(path):
    with open(path) as file:
        return json.load(file)


def check_schema(document, which):
    store = {}
    for path in glob.glob(SCHEMAS + "/*.json"):
        schema = load(path)
        store[schema["id"]] = store[schema["id"].rstrip("#")] = schema
    resolver = jsonschema.RefResolver(which, store[which], store=store,
                                      handlers={"https": no_network})
    validator = jsonschema.Draft4Validator(store[which], resolver=resolver)
    for error in validator.iter_errors(document):
        worst = jsonschema.exceptions.best_match([error])
        yield f"{'/'.join(map(str, worst.absolute_path))}: {worst.message[:200]}"


def no_network(uri):
    raise LookupError(f"no copy of {uri}")


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, str):
        yield value


def used(value):
    return {name for s in strings(value) if s.startswith("[")
            for name in re.findall(r"parameters\('(\w+)'\)", s)}


def identity(resource):
    """What resourceId() would be called with, as this program writes it."""
    name = resource["name"].strip("[]")
    return f"[resourceId('{resource['type']}', {name})]"


def check_sense(template, parameters):
    declared = set(template["parameters"])
    for name in used(template) ^ declared:
        yield f"parameter {name} is not both declared and used"
    for name in set(parameters["parameters"]) - declared:
        yield f"parameter {name} is given, but not declared"
    there = {identity(r) for r in template["resources"]}
    for resource in template["resources"]:
        for needed in set(resource.get("dependsOn", [])) - there:
            yield f"{resource['name']} depends on {needed}, which is not there"
        storage = resource["properties"].get("storageProfile", {})
        luns = [d["lun"] for d in storage.get("dataDisks", [])]
        if len(luns) != len(set(luns)):
            yield "two data disks have one LUN"


def main():
    template = load(os.path.join(sys.argv[1], "template.json"))
    parameters = load(os.path.join(sys.argv[1], "parameters.json"))
    wrong = list(check_schema(template, TEMPLATE))
    wrong += check_schema(parameters, PARAMETERS)
    wrong = wrong or list(check_sense(template, parameters))
    print(*wrong, sep="\n", file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
