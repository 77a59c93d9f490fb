//! The store as s3s's [`S3`]: typed requests in, typed answers out. Whoever is let in here has been authorized.
//!
//! What objects, uploads and lists need is in modules of their own, named `*_requests`. An operation that is missing here is answered with `NotImplemented` by s3s, but the access check denies it before.

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::index::{Store, internal};
use crate::s3::Caller;
use crate::{ACCOUNT, REGION};

pub(super) type Answer<T> = S3Result<S3Response<T>>;

impl Store {
    /// Runs what blocks on the file system off the async threads.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.map_err(|error| internal(&error))?
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let input = req.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.continuation_token.unwrap_or_default();
        let most = usize::try_from(input.max_buckets.unwrap_or(i32::MAX)).unwrap_or(usize::MAX);
        let buckets = self.lock();
        let mut own = buckets.iter().filter(|(name, bucket)| {
            bucket.record.owner == ACCOUNT && name.starts_with(&prefix) && name.as_str() > after.as_str()
        });
        let listed: Vec<Bucket> = own
            .by_ref()
            .take(most)
            .map(|(name, bucket)| Bucket {
                name: Some(name.clone()),
                creation_date: Some(bucket.record.created.timestamp()),
                bucket_region: Some(REGION.into()),
            })
            .collect();
        let continuation_token = own.next().and_then(|_| listed.last()?.name.clone());
        let owner = Owner { id: Some(canonical_id(ACCOUNT)), display_name: None };
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(listed),
            owner: Some(owner),
            prefix: input.prefix,
            continuation_token,
        }))
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        let location = Some(format!("/{}", req.input.bucket));
        let owner =
            req.extensions.get::<Caller>().map(|_| ACCOUNT).ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))?;
        self.blocking(move |store| match store.ownership(&req.input.bucket) {
            // In us-east-1 making one's own bucket again is no error
            // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
            Some(ownership) if ownership.owner == owner => Ok(()),
            _ => store.create_bucket(&req.input.bucket, owner, false),
        })
        .await?;
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.require_bucket(&req.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(REGION.into()), ..Default::default() }))
    }

    async fn get_bucket_location(&self, req: S3Request<GetBucketLocationInput>) -> Answer<GetBucketLocationOutput> {
        self.require_bucket(&req.input.bucket)?;
        // us-east-1 is written as no location at all.
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        self.blocking(move |store| store.delete_bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(DeleteBucketOutput {}))
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        self.answer_list_objects(req).await
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        self.answer_list_objects_v2(req).await
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        self.answer_put_object(req).await
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        self.answer_get_object(req).await
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        self.answer_head_object(req).await
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        self.answer_copy_object(req).await
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.answer_delete_object(req).await
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        self.answer_delete_objects(req).await
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        self.answer_create_multipart_upload(req).await
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        self.answer_upload_part(req).await
    }

    async fn upload_part_copy(&self, req: S3Request<UploadPartCopyInput>) -> Answer<UploadPartCopyOutput> {
        self.answer_upload_part_copy(req).await
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        self.answer_complete_multipart_upload(req).await
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        self.answer_abort_multipart_upload(req).await
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        self.answer_list_parts(req).await
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        self.answer_list_multipart_uploads(req).await
    }
}

impl Store {
    pub(super) fn require_bucket(&self, name: &str) -> S3Result<()> {
        match self.ownership(name) {
            Some(_) => Ok(()),
            None => Err(s3_error!(NoSuchBucket, "The specified bucket does not exist")),
        }
    }
}

/// A stand-in for the canonical user id of an account, which is 64 hexadecimal digits that only AWS knows.
fn canonical_id(account: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::sigv4::to_hex(&Sha256::digest(account))
}
