"""What makes a component of the sample: its entrance, `wasi:cli/run`.

This module runs when the component is built, and the component is what it left in memory: what is imported and read
here needs no file later, and the task has none.
"""

import sys

import wasi_http

wasi_http.install()

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from componentize_py_types import Err

import sample

# Has the default session read S3's model, endpoints and retry rules. The task makes a client of its own, in its Region.
boto3.client("s3", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


class Run:
    def run(self):
        try:
            sample.main()
        except ClientError as error:
            # The service's own code first: `AccessDenied`.
            fail(error.response["Error"]["Code"], error.response["Error"]["Message"])
        except BotoCoreError as error:
            fail(type(error).__name__, error)


def fail(code, message):
    print(f"{code}: {message}", file=sys.stderr)
    # Becomes the exit code 1.
    raise Err(None)
