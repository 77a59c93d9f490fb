"""Makes vectors.json out of the signing test suite in aws-sigv4's package.

    python3 vectors.py FOLDER/aws-sigv4-VERSION > vectors.json

The suite has a folder a vector. Kept of each: the request, when and how it is signed, and what must come out for a
signature in the headers. Left out: presigned URLs and Signature Version 4A, which Rolebox never makes, and what the
request's signature follows from.
"""

import json
import pathlib
import re
import sys

package = pathlib.Path(sys.argv[1])
suite = package / "aws-signing-test-suite" / "v4"

# What every vector that comes with a context shares; `shared` below checks it.
KEY = {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def read(folder, name):
    path = folder / name
    return path.read_bytes().decode().replace("\r\n", "\n") if path.exists() else None


def vector(folder):
    head, _, body = read(folder, "request.txt").partition("\n\n")
    # A line that begins with white space continues the one before it (RFC 9112, section 5.2).
    line, *fields = re.sub(r"\n[ \t]+", " ", head.strip("\n")).split("\n")
    method, target = line.removesuffix(" HTTP/1.1").split(" ", 1)
    canonical = read(folder, "header-canonical-request.txt")
    context = read(folder, "context.json")
    made = {
        "name": folder.name,
        "method": method,
        "target": target,
        # The signer adds the time by itself.
        "headers": [field.split(":", 1) for field in fields if not field.lower().startswith("x-amz-date:")],
        "body": body,
        "time": re.search(r"^x-amz-date:(.*)$", canonical, re.M)[1],
        "canonicalRequest": canonical,
    }
    if context is None:
        # Older ones, of which only the canonical request is published.
        return made | {"encodesPathTwice": True, "normalizesPath": True, "sendsBodyHash": False}
    context = json.loads(context)
    shared = context["credentials"], context["region"], context["service"]
    key = {"access_key_id": KEY["accessKeyId"], "secret_access_key": KEY["secretAccessKey"]}
    token = context["credentials"].pop("token", None)
    assert shared == (key, "us-east-1", "service"), folder
    # Where the token is added after signing, the signature is that of a key without one.
    if token and not context.get("omit_session_token"):
        made["token"] = token
    return made | {
        "encodesPathTwice": False,
        "normalizesPath": context["normalize"],
        "sendsBodyHash": context["sign_body"],
        "signature": read(folder, "header-signature.txt"),
    }


json.dump(
    {
        "source": f"aws-signing-test-suite of {package.name}, which has most of it from awslabs/aws-c-auth",
        "licence": "Apache-2.0. Copyright Amazon.com, Inc. or its affiliates",
        "madeBy": "vectors.py",
        "key": KEY,
        "region": "us-east-1",
        "service": "service",
        "vectors": [vector(folder) for folder in sorted(suite.iterdir())],
    },
    sys.stdout,
    indent=1,
    ensure_ascii=False,
)
print()
