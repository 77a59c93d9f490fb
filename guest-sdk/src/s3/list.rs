//! ListObjectsV2, which has options and comes in pages.

use super::xml::Element;
use super::{Client, bucket_path};
use crate::{Error, Response};

/// A listing about to be made: see [`Client::list_objects_v2`].
#[derive(Clone, Debug)]
#[must_use = "nothing is listed until `send` or `pages`"]
pub struct ListObjectsV2<'a> {
    client: &'a Client,
    bucket: &'a str,
    query: Vec<(&'static str, String)>,
    continuation_token: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectsPage {
    /// The objects, in the order of their keys' UTF-8 bytes.
    pub objects: Vec<ListedObject>,
    /// With a delimiter: each prefix that keys not listed themselves have in common, delimiter included.
    pub common_prefixes: Vec<String>,
    /// Where the next page begins; none on the last one.
    pub next_continuation_token: Option<String>,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// The entity tag, in the quotes that S3 puts around it; may be empty.
    pub e_tag: String,
    /// When it was written, as S3 puts it: `2026-11-25T10:00:00.000Z`.
    pub last_modified: String,
}

impl<'a> ListObjectsV2<'a> {
    pub(super) fn new(client: &'a Client, bucket: &'a str) -> Self {
        Self { client, bucket, query: Vec::new(), continuation_token: None }
    }

    /// Lists only keys that begin with this.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.set("prefix", prefix.into())
    }

    /// Rolls up keys that are alike from the prefix to the next delimiter into one of
    /// [`common_prefixes`](ObjectsPage::common_prefixes); `/` makes keys look like folders.
    pub fn delimiter(self, delimiter: impl Into<String>) -> Self {
        self.set("delimiter", delimiter.into())
    }

    /// Lists at most so many keys and common prefixes on a page. S3 gives no more than 1,000, which is the default.
    pub fn max_keys(self, max_keys: u16) -> Self {
        self.set("max-keys", max_keys.to_string())
    }

    /// Lists only keys after this one.
    pub fn start_after(self, key: impl Into<String>) -> Self {
        self.set("start-after", key.into())
    }

    /// Lists from where an earlier page ended: its [`next_continuation_token`](ObjectsPage::next_continuation_token).
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = Some(token.into());
        self
    }

    /// Lists one page.
    ///
    /// # Errors
    ///
    /// Among others, an error of which [`Error::is_no_such_bucket`] is true.
    pub fn send(self) -> Result<ObjectsPage, Error> {
        self.page()
    }

    /// Lists page after page, to the last one or the first error.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), rolebox_guest::Error> {
    /// let s3 = rolebox_guest::s3::Client::new();
    /// for page in s3.list_objects_v2("my-bucket").prefix("in/").pages() {
    ///     for object in page?.objects {
    ///         println!("{} ({} bytes)", object.key, object.size);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages(self) -> impl Iterator<Item = Result<ObjectsPage, Error>> + 'a {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let mut listing = next.take()?;
            let page = listing.page();
            if let Ok(ObjectsPage { next_continuation_token: Some(token), .. }) = &page {
                listing.continuation_token = Some(token.clone());
                next = Some(listing);
            }
            Some(page)
        })
    }

    /// Each key stands once in the query: the host refuses doubled ones.
    fn set(mut self, key: &'static str, value: String) -> Self {
        self.query.retain(|(other, _)| *other != key);
        self.query.push((key, value));
        self
    }

    fn page(&self) -> Result<ObjectsPage, Error> {
        let mut call = self.client.call("GET", bucket_path(self.bucket)?).query("list-type", "2");
        for (key, value) in &self.query {
            call = call.query(*key, value);
        }
        if let Some(token) = &self.continuation_token {
            call = call.query("continuation-token", token);
        }
        ObjectsPage::parse(&self.client.send(call)?)
    }
}

impl ObjectsPage {
    fn parse(response: &Response) -> Result<Self, Error> {
        let listing = Element::parse(&response.body, "ListBucketResult").map_err(Error::UnexpectedAnswer)?;
        let objects = listing.children("Contents").map(ListedObject::parse).collect::<Result<_, _>>()?;
        let common_prefixes =
            listing.children("CommonPrefixes").map(|prefix| required(prefix, "Prefix")).collect::<Result<_, _>>()?;
        let next_continuation_token = match listing.text("IsTruncated") {
            Some("true") => Some(required(&listing, "NextContinuationToken")?),
            _ => None,
        };
        Ok(Self { objects, common_prefixes, next_continuation_token })
    }
}

impl ListedObject {
    fn parse(contents: &Element) -> Result<Self, Error> {
        let size = required(contents, "Size")?;
        Ok(Self {
            key: required(contents, "Key")?,
            size: size.parse().map_err(|_| Error::UnexpectedAnswer(format!("an object's size is {size:?}")))?,
            e_tag: contents.text("ETag").unwrap_or_default().to_owned(),
            last_modified: contents.text("LastModified").unwrap_or_default().to_owned(),
        })
    }
}

fn required(element: &Element, name: &str) -> Result<String, Error> {
    let text = element.text(name).map(str::to_owned);
    text.ok_or_else(|| Error::UnexpectedAnswer(format!("{name} is missing in {}", element.name)))
}
