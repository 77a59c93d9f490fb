//! A small client for Amazon S3: buckets, and objects that fit into memory.
//!
//! Each operation has the name that S3 gives it, makes one call, and takes bucket and key as they are: a key is
//! encoded here, and nothing in it is normalised. What is absent (multipart uploads, versions, tags, access control
//! lists …) can be had through [`Call`], as far as the task's capabilities and the host allow it.

mod answers;
mod list;
mod put;
mod xml;

use std::fmt;

use crate::host::Host;
use crate::{Call, Error, Response, Transport, uri};

pub use answers::{Bucket, Object, ObjectHead};
pub use list::{ListObjectsV2, ListedObject, ObjectsPage};
pub use put::PutObject;

/// A client for Amazon S3.
pub struct Client {
    region: Option<String>,
    transport: Box<dyn Transport>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// A client whose calls the host of this task answers, in the task's own Region.
    pub fn new() -> Self {
        Self::with_transport(Host)
    }

    /// A client whose calls this transport answers: for tests of a task's logic.
    pub fn with_transport(transport: impl Transport + 'static) -> Self {
        Self { region: None, transport: Box::new(transport) }
    }

    /// Calls S3 in this Region, `eu-central-1` for example. Default: the task's own Region.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Creates a bucket in the client's Region.
    /// ([CreateBucket](https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html))
    ///
    /// # Errors
    ///
    /// Among others, [`Error::Service`] with the code `BucketAlreadyExists` or `BucketAlreadyOwnedByYou`.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), Error> {
        let mut call = self.call("PUT", bucket_path(bucket)?);
        // S3 wants the Region in the body, save for us-east-1, which it takes only by silence. The host gives a task
        // its Region in the environment; where that is not so (in a test), the endpoint's own Region is meant.
        let region = self.region.clone().or_else(|| std::env::var("AWS_REGION").ok());
        if let Some(region) = region.filter(|region| region != "us-east-1") {
            call = call.header("content-type", "application/xml").body(format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{}\
                 </LocationConstraint></CreateBucketConfiguration>",
                quick_xml::escape::escape(region)
            ));
        }
        self.send(call).map(drop)
    }

    /// Deletes a bucket, which must be empty.
    /// ([DeleteBucket](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html))
    ///
    /// # Errors
    ///
    /// Among others, [`Error::Service`] with the code `BucketNotEmpty` or `NoSuchBucket`.
    pub fn delete_bucket(&self, bucket: &str) -> Result<(), Error> {
        self.send(self.call("DELETE", bucket_path(bucket)?)).map(drop)
    }

    /// Succeeds if the bucket exists and the task may list it.
    /// ([HeadBucket](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html))
    ///
    /// # Errors
    ///
    /// Among others, an error of which [`Error::is_not_found`] is true; S3 gives no code in its answer to a HEAD
    /// request.
    pub fn head_bucket(&self, bucket: &str) -> Result<(), Error> {
        self.send(self.call("HEAD", bucket_path(bucket)?)).map(drop)
    }

    /// Lists all buckets of the task role's account, at most 10,000.
    /// ([ListBuckets](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html))
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn list_buckets(&self) -> Result<Vec<Bucket>, Error> {
        answers::buckets(&self.send(self.call("GET", "/".to_owned()))?)
    }

    /// Writes an object, whole. Nothing is sent before [`PutObject::send`].
    /// ([PutObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html))
    pub fn put_object<'a>(&'a self, bucket: &'a str, key: &'a str, body: impl Into<Vec<u8>>) -> PutObject<'a> {
        PutObject::new(self, bucket, key, body.into())
    }

    /// Reads an object, whole.
    /// ([GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html))
    ///
    /// # Errors
    ///
    /// Among others, an error of which [`Error::is_no_such_key`] or [`Error::is_no_such_bucket`] is true, and
    /// [`Error::TooLarge`].
    pub fn get_object(&self, bucket: &str, key: &str) -> Result<Object, Error> {
        let response = self.send(self.call("GET", object_path(bucket, key)?))?;
        Ok(Object { head: answers::object_head(&response), body: response.body })
    }

    /// Reads what S3 knows about an object, without its body.
    /// ([HeadObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html))
    ///
    /// # Errors
    ///
    /// Among others, an error of which [`Error::is_not_found`] is true; S3 gives no code in its answer to a HEAD
    /// request.
    pub fn head_object(&self, bucket: &str, key: &str) -> Result<ObjectHead, Error> {
        Ok(answers::object_head(&self.send(self.call("HEAD", object_path(bucket, key)?))?))
    }

    /// Deletes an object. That it does not exist is no error to S3.
    /// ([DeleteObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html))
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn delete_object(&self, bucket: &str, key: &str) -> Result<(), Error> {
        self.send(self.call("DELETE", object_path(bucket, key)?)).map(drop)
    }

    /// Lists the objects of a bucket, a page at a time. Nothing is sent before [`ListObjectsV2::send`] or
    /// [`ListObjectsV2::pages`].
    /// ([ListObjectsV2](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html))
    pub fn list_objects_v2<'a>(&'a self, bucket: &'a str) -> ListObjectsV2<'a> {
        ListObjectsV2::new(self, bucket)
    }

    fn call(&self, method: &str, path: String) -> Call {
        let mut call = Call::new("s3").method(method).path(path);
        call.region.clone_from(&self.region);
        call
    }

    fn send(&self, call: Call) -> Result<Response, Error> {
        let response = self.transport.send(call)?;
        if response.is_success() { Ok(response) } else { Err(Error::Service(answers::service_error(&response))) }
    }
}

/// `/bucket`. An empty name is refused: S3 would take the call for one on all buckets.
fn bucket_path(bucket: &str) -> Result<String, Error> {
    if bucket.is_empty() {
        return Err(Error::InvalidRequest("the bucket's name is empty".to_owned()));
    }
    Ok(format!("/{}", uri::encode_segment(bucket)))
}

/// `/bucket/key`. An empty key is refused: S3 would take the call for one on the bucket, and delete that.
fn object_path(bucket: &str, key: &str) -> Result<String, Error> {
    if key.is_empty() {
        return Err(Error::InvalidRequest("the object's key is empty".to_owned()));
    }
    Ok(format!("{}/{}", bucket_path(bucket)?, uri::encode_path(key)))
}

#[cfg(test)]
mod tests;
