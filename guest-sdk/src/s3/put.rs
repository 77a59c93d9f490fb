//! PutObject, which has options.

use super::{Client, object_path};
use crate::Error;

/// An object about to be written: see [`Client::put_object`].
#[derive(Debug)]
#[must_use = "nothing is written until `send`"]
pub struct PutObject<'a> {
    client: &'a Client,
    bucket: &'a str,
    key: &'a str,
    body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl<'a> PutObject<'a> {
    pub(super) fn new(client: &'a Client, bucket: &'a str, key: &'a str, body: Vec<u8>) -> Self {
        Self { client, bucket, key, body, headers: Vec::new() }
    }

    /// Sets the object's media type, `text/plain; charset=utf-8` for example. Default: S3's, `binary/octet-stream`.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.headers.push(("content-type".to_owned(), content_type.into()));
        self
    }

    /// Adds a value of the user's own to the object's metadata (`x-amz-meta-NAME`). Names are stored in lower case;
    /// names and values together may have 2 KB.
    pub fn metadata(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((format!("x-amz-meta-{}", name.to_ascii_lowercase()), value.into()));
        self
    }

    /// Writes the object; gives its entity tag, in the quotes that S3 puts around it.
    ///
    /// # Errors
    ///
    /// Among others, an error of which [`Error::is_no_such_bucket`] is true, and [`Error::TooLarge`].
    pub fn send(self) -> Result<Option<String>, Error> {
        let mut call = self.client.call("PUT", object_path(self.bucket, self.key)?).body(self.body);
        for (name, value) in self.headers {
            call = call.header(name, value);
        }
        let response = self.client.send(call)?;
        Ok(response.header("etag").map(str::to_owned))
    }
}
