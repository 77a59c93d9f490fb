//! Amazon S3's REST API.
//!
//! The operation follows from the method, from what the path names (nothing, a bucket, an object), from the query keys
//! and from whether a copy's source is given; the tables in [`rows`] are that rule as data. The path is always rewritten
//! to the path style (`/bucket/key`), so that the host name is the service's own and never a guest's choice.
//!
//! Not here: access points, directory buckets (S3 Express), Object Lambda, Outposts, S3 Control, signed URLs and the
//! browser's POST form.

mod checksum;
mod chunked;
mod context;
mod copy;
mod delete;
mod encryption;
mod families;
pub(crate) mod names;
mod permissions;
mod row;
mod rows;
mod shape;
mod tags;
mod upload;

use bytes::{Bytes, BytesMut};
use rolebox_policy::{AccountId, Region};

use crate::call::{Call, CallerScope, Operation, Payload, Protocol};
use crate::refusal::{Quoted, Refusal};
use crate::wire::headers::Headers;
use crate::wire::json::Json;
use crate::wire::xml::Element;
use crate::wire::{digest, path, percent, query};
use chunked::{Frame, Framing};
use copy::{COPY_SOURCE, EXPECTED_SOURCE_OWNER, Source};
use permissions::{Request, reaches_a_bucket};
use row::{Level, Row};
use tags::Tags;
pub use upload::{BodyReader, StreamedBody};

/// The header with which S3 compares a bucket's owner.
const EXPECTED_OWNER: &str = "x-amz-expected-bucket-owner";

/// Where a request's body is.
#[derive(Clone, Copy)]
enum Body<'a> {
    /// Here.
    Whole(&'a Bytes),
    /// Yet to come.
    Streamed,
}

/// Parses a request to S3.
pub(crate) fn parse(call: &Call, scope: &CallerScope, region: Region) -> Result<Operation, Refusal> {
    parse_with(call, Body::Whole(&call.body), scope, region)
}

/// Parses a request to S3 whose body is yet to come.
pub(crate) fn parse_streamed(call: &Call, scope: &CallerScope, region: Region) -> Result<Operation, Refusal> {
    parse_with(call, Body::Streamed, scope, region)
}

fn parse_with(call: &Call, body: Body<'_>, scope: &CallerScope, region: Region) -> Result<Operation, Refusal> {
    let decoded = path::decode(&call.path)?;
    let target = Target::read(&call.path, &decoded)?;
    query::check(&call.query)?;
    let length = match body {
        Body::Whole(body) => Some(body.len()),
        Body::Streamed => None,
    };
    let mut headers = Headers::screen(&call.headers, length)?;
    let source = headers.take(COPY_SOURCE)?.map(Source::read).transpose()?;

    // SDKs repeat the operation's name in a query key; it is compared and left out.
    let hint = call.query.iter().find(|(key, _)| key == "x-id").map(|(_, value)| value.as_str());
    let query: Vec<_> = call.query.iter().filter(|(key, _)| key != "x-id").cloned().collect();
    let row = row::find(rows::all(), &call.method, target.level(), source.is_some(), &query)?;
    if hint.is_some_and(|hint| hint != row.name) {
        return Err(Refusal::not_understood(
            "query key `x-id`",
            format!("it says otherwise than the request, which is {}", row.name),
            "leave it out, or name the operation that the request is",
        ));
    }

    let owner = take_owner(&mut headers, EXPECTED_OWNER, reaches_a_bucket(row))?;
    let source_owner = take_owner(&mut headers, EXPECTED_SOURCE_OWNER, source.is_some())?;
    let mut content = Content::read(row, &mut headers, body)?;
    let trailer = content.headers.len();
    headers.take_all(|name| row.takes_header(name), &mut content.headers)?;
    headers.finish(row.name)?;
    let (trailer, taken) = content.headers.split_at(trailer);
    if let Some((name, _)) = trailer.iter().find(|(name, _)| taken.iter().any(|(taken, _)| taken == name)) {
        return Err(Refusal::malformed(
            format!("header {}", Quoted(name)),
            "it is in the headers and in the trailer of the body",
            "send it once",
        ));
    }
    content.take_checksum()?;
    check_values(row, &content.headers)?;
    let tags = read_tags(&mut content)?;
    if let Some(source) = &source {
        content.headers.push((COPY_SOURCE.into(), source.write()));
    }

    let checks = Request {
        row,
        target: &target,
        query: &query,
        headers: &content.headers,
        document: content.document.as_ref(),
        source: source.as_ref(),
        tags: tags.as_ref(),
        owner,
        source_owner,
        region: &region,
        scope,
    }
    .checks()?;
    Ok(Operation {
        service: "s3",
        signing_name: "s3",
        name: row.name,
        region,
        method: row.method,
        path: target.path(),
        query,
        headers: content.headers,
        payload: content.payload,
        checks,
        takes_bucket_owner: reaches_a_bucket(row),
        protocol: Protocol::RestXml,
        safe_to_retry: matches!(row.method, "GET" | "HEAD"),
        answers_with_object: row.name == "GetObject",
    })
}

/// What a path names.
pub(crate) struct Target<'a> {
    bucket: &'a str,
    key: &'a str,
}

impl<'a> Target<'a> {
    /// Splits a decoded path into bucket and key. `raw` is the same path as it came in.
    fn read(raw: &str, decoded: &'a str) -> Result<Self, Refusal> {
        let refuse = |what: String| {
            Refusal::not_understood(
                format!("path {}", Quoted(raw)),
                what,
                "name a general purpose bucket and a key, as in /bucket/key",
            )
        };
        let (bucket, key) = decoded.split_once('/').unwrap_or((decoded, ""));
        if decoded.is_empty() {
            return Ok(Self { bucket, key });
        }
        // A bucket's name needs no encoding. One that has it, or that ends at an encoded slash, is read in two ways.
        if raw.strip_prefix('/').and_then(|rest| rest.split('/').next()) != Some(bucket) {
            return Err(refuse("the bucket's name is percent-encoded".into()));
        }
        names::bucket(bucket).map_err(refuse)?;
        if !key.is_empty() {
            names::key_in_path(key).map_err(refuse)?;
        }
        Ok(Self { bucket, key })
    }

    fn level(&self) -> Level {
        match (self.bucket, self.key) {
            ("", _) => Level::Service,
            (_, "") => Level::Bucket,
            _ => Level::Object,
        }
    }

    /// The path in path style, in the encoding that is signed.
    fn path(&self) -> String {
        let mut path = String::with_capacity(2 + self.bucket.len() + self.key.len() * 3 / 2);
        path.push('/');
        path.push_str(self.bucket);
        if !self.key.is_empty() {
            path.push('/');
            percent::encode_path_into(&mut path, self.key);
        }
        path
    }
}

/// A body as it is sent, with the headers that go with it.
struct Content {
    payload: Payload,
    document: Option<Element>,
    headers: Vec<(String, String)>,
}

impl Content {
    /// Reads a body as its row has it, and writes it anew.
    fn read(row: &Row, headers: &mut Headers<'_>, body: Body<'_>) -> Result<Self, Refusal> {
        let body = match body {
            Body::Whole(body) => body,
            Body::Streamed if row.body == row::Body::Opaque => return Self::streamed(row, headers),
            Body::Streamed => return Err(Refusal::held_whole(row.name)),
        };
        let mut content = Self { payload: Bytes::new().into(), document: None, headers: Vec::new() };
        let (written, kind, checksum) = match row.body {
            row::Body::Opaque => return Self::opaque(row, headers, body),
            row::Body::Empty if body.is_empty() => return Ok(content),
            row::Body::Xml { optional: true, .. } if body.is_empty() => {
                drop_checksums(headers)?;
                return Ok(content);
            }
            row::Body::Empty => {
                return Err(Refusal::not_understood(
                    "body",
                    format!("{} takes none", row.name),
                    "send it without a body",
                ));
            }
            row::Body::Xml { shape, checksum, .. } => {
                let document = Element::read(body)?;
                crate::shape::check_xml(&document, shape)?;
                let written = document.write();
                content.document = Some(document);
                (written, "application/xml", checksum)
            }
            row::Body::Policy => (Json::read(body)?.write(), "application/json", true),
        };
        let written = Bytes::from(written);
        content.headers.push(("content-type".into(), kind.into()));
        if checksum {
            drop_checksums(headers)?;
            content.headers.push(("x-amz-checksum-sha256".into(), digest::sha256_base64(&written)));
            content.headers.push(("x-amz-sdk-checksum-algorithm".into(), "SHA256".into()));
        }
        content.payload = written.into();
        Ok(content)
    }

    /// A body that is stored as it is, held whole. What its trailer holds becomes headers.
    fn opaque(row: &Row, headers: &mut Headers<'_>, body: &Bytes) -> Result<Self, Refusal> {
        let (body, trailer, encoding) = match chunked::framing(headers)? {
            Framing::Plain(encoding) => (body.clone(), Vec::new(), encoding),
            Framing::Framed(frame) => {
                let (data, trailer) = unframe(&frame, body)?;
                (data, trailer, frame.encoding)
            }
        };
        let mut content = Self { payload: body.into(), document: None, headers: trailer };
        let encoding = encoding.filter(|_| row.takes_header("content-encoding"));
        content.headers.extend(encoding.map(|value| ("content-encoding".into(), value)));
        Ok(content)
    }

    /// A body that is stored as it is, and yet to come.
    fn streamed(row: &Row, headers: &mut Headers<'_>) -> Result<Self, Refusal> {
        let (frame, encoding) = match chunked::framing(headers)? {
            Framing::Plain(encoding) => (None, encoding),
            Framing::Framed(frame) => {
                let encoding = frame.encoding.clone();
                (Some(frame), encoding)
            }
        };
        let length = frame.as_ref().map(|frame| frame.length).or(headers.content_length);
        if length.is_some_and(|length| length > chunked::LONGEST_BODY) {
            return Err(Refusal::malformed("body", "it is said to be longer than any object", "store it in parts"));
        }
        let checksum = frame.as_ref().and_then(|frame| frame.announced.clone()).map(|name| (name, None));
        let body = StreamedBody {
            length: length.ok_or_else(|| Refusal::held_whole(row.name))?,
            frame,
            checksum,
            md5: None,
            encoding: encoding.filter(|_| row.takes_header("content-encoding")),
        };
        Ok(Self { payload: Payload::Streamed(body), document: None, headers: Vec::new() })
    }

    /// Gives a streamed body the checksums that stand in the headers, which it is held to as it comes. The one of S3's is
    /// sent behind it, where it is known to be right.
    fn take_checksum(&mut self) -> Result<(), Refusal> {
        let Payload::Streamed(body) = &mut self.payload else { return Ok(()) };
        body.md5 = self.headers.iter().find(|(name, _)| name == "content-md5").map(|(_, value)| value.clone());
        let is_checksum = |(name, _): &mut (String, String)| families::CHECKSUMS.holds(name);
        for (name, value) in self.headers.extract_if(.., is_checksum) {
            if body.checksum.replace((name, Some(value))).is_some() {
                return Err(two_checksums());
            }
        }
        Ok(())
    }
}

/// Takes a body out of its frame, and checks it. Gives what stood in its trailer.
fn unframe(frame: &Frame, body: &Bytes) -> Result<(Bytes, Vec<(String, String)>), Refusal> {
    let mut reader = BodyReader::of_frame(frame);
    // Most come in one chunk, which is then taken over without a copy.
    let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
    reader.push(body.clone(), |piece| {
        if first.is_empty() && joined.is_empty() {
            first = piece;
            return;
        }
        if joined.is_empty() {
            joined.reserve(usize::try_from(frame.length).map_or(body.len(), |length| length.min(body.len())));
            joined.extend_from_slice(&std::mem::take(&mut first));
        }
        joined.extend_from_slice(&piece);
    })?;
    let trailer = reader.finish()?;
    Ok((if joined.is_empty() { first } else { joined.freeze() }, trailer))
}

fn two_checksums() -> Refusal {
    Refusal::malformed("body", "it comes with more than one checksum", "send one, in a header or in the trailer")
}

/// Drops the guest's own checksums, of a body that is not sent as it came.
fn drop_checksums(headers: &mut Headers<'_>) -> Result<(), Refusal> {
    let checksums = |name: &str| families::CHECKSUMS.holds(name) || families::BODY_CHECKSUM.holds(name);
    headers.take_all(checksums, &mut Vec::new())
}

/// Takes the account that the guest expects to own a bucket. The header itself is the host's to set.
fn take_owner(headers: &mut Headers<'_>, name: &str, applies: bool) -> Result<Option<AccountId>, Refusal> {
    let place = format!("header `{name}`");
    match headers.take(name)? {
        None => Ok(None),
        Some(_) if !applies => {
            Err(Refusal::not_understood(place, "the operation reaches no such bucket", "leave it out"))
        }
        Some(owner) => owner.parse().map(Some).map_err(|_| {
            Refusal::malformed(
                place,
                format!("{} is not an account's twelve digits", Quoted(owner)),
                "name the account that owns the bucket",
            )
        }),
    }
}

/// Checks the values of headers that have only a few.
fn check_values(row: &Row, headers: &[(String, String)]) -> Result<(), Refusal> {
    for (name, value) in headers {
        let family = row.headers.iter().find(|family| family.holds(name));
        if let Some(family) = family
            && !family.values.is_empty()
            && !family.values.contains(&value.as_str())
        {
            return Err(Refusal::not_understood(
                format!("header {}", Quoted(name)),
                format!("its value {} is not known", Quoted(value)),
                format!("send one of {}", family.values.join(", ")),
            ));
        }
    }
    Ok(())
}

/// Reads the tags that a request sets, in a header or in the body, and writes the header anew.
fn read_tags(content: &mut Content) -> Result<Option<Tags>, Refusal> {
    if let Some((_, value)) = content.headers.iter_mut().find(|(name, _)| name == tags::TAGGING) {
        let tags = Tags::read(value)?;
        *value = tags.write();
        return Ok(Some(tags));
    }
    let set = content
        .document
        .as_ref()
        .and_then(|document| document.children.iter().find(|child| matches!(child.name.as_str(), "TagSet" | "Tags")));
    set.map(Tags::read_xml).transpose()
}

#[cfg(test)]
pub(crate) mod facts {
    //! The rows as the test of facts sees them.

    use super::*;

    /// One row, flattened.
    pub(crate) struct S3Row {
        pub(crate) name: &'static str,
        pub(crate) method: &'static str,
        pub(crate) level: &'static str,
        pub(crate) needs: &'static [&'static str],
        pub(crate) takes: &'static [&'static str],
        pub(crate) copies: bool,
        pub(crate) headers: Vec<&'static [&'static str]>,
        /// Whether the host writes the body itself, and so its checksum.
        pub(crate) made_body: bool,
        /// The name of the body's root element.
        pub(crate) body_root: Option<&'static str>,
        /// Every action that some form of the operation asks for.
        pub(crate) actions: Vec<&'static str>,
    }

    pub(crate) fn rows() -> impl Iterator<Item = S3Row> {
        rows::all().map(|row| {
            let added = row.headers.iter().flat_map(|family| family.adds);
            let actions = row.actions.iter().chain(added).flat_map(|action| [Some(action.name), action.versioned]);
            let beyond: &[&str] = match row.name {
                "CopyObject" => &[
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:GetObjectTagging",
                    "s3:GetObjectVersionTagging",
                    "s3:GetObjectAnnotation",
                    "s3:GetObjectVersionAnnotation",
                    "s3:PutObjectAnnotation",
                ],
                "CreateBucket" => &["s3:TagResource"],
                "DeleteObjects" => &["s3:DeleteObject", "s3:DeleteObjectVersion"],
                "UploadPartCopy" => &["s3:GetObject", "s3:GetObjectVersion"],
                _ => &[],
            };
            S3Row {
                name: row.name,
                method: row.method,
                level: match row.level {
                    Level::Service => "service",
                    Level::Bucket => "bucket",
                    Level::Object => "object",
                },
                needs: row.needs,
                takes: row.takes,
                copies: row.copies,
                headers: row.headers.iter().map(|family| family.names).collect(),
                made_body: matches!(row.body, row::Body::Xml { .. } | row::Body::Policy),
                body_root: match row.body {
                    row::Body::Empty => None,
                    row::Body::Opaque | row::Body::Policy => Some("opaque"),
                    row::Body::Xml { shape, .. } => shape.split('(').next(),
                },
                actions: actions.flatten().chain(beyond.iter().copied()).collect(),
            }
        })
    }

    pub(crate) fn condition_keys() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        context::published()
    }
}
