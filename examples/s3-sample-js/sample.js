// The sample of the announcement of IAM roles for Amazon ECS tasks, in the official AWS SDK's current version.
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { v4 as uuid } from "uuid";

export async function main() {
  // Create an S3 client
  const s3 = new S3Client({});

  // Create a bucket and upload something into it
  const bucketName = `node-sdk-sample-${uuid()}`;
  const keyName = "hello_world.txt";

  await s3.send(new CreateBucketCommand({ Bucket: bucketName }));
  await s3.send(new PutObjectCommand({ Bucket: bucketName, Key: keyName, Body: "Hello World!" }));
  console.log(`Successfully uploaded data to ${bucketName}/${keyName}`);
}
