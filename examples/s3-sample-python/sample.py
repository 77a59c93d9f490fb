"""The sample of the announcement of IAM roles for Amazon ECS tasks, with boto3."""

import uuid

import boto3


def main():
    # Create an S3 client
    s3 = boto3.client("s3")

    # Create a bucket and upload something into it
    bucket_name = f"node-sdk-sample-{uuid.uuid4()}"
    key_name = "hello_world.txt"

    # S3 wants the Region of a new bucket in words, save for us-east-1, which it takes only by silence.
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}

    s3.create_bucket(Bucket=bucket_name, **where)
    s3.put_object(Bucket=bucket_name, Key=key_name, Body="Hello World!")
    print(f"Successfully uploaded data to {bucket_name}/{key_name}")
