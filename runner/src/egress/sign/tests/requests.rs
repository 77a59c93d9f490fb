//! Awkward requests, the same ones each time.

use bytes::Bytes;
use rolebox_aws_request::{Call, CallerScope, Operation, parse};

/// A request as it is to be signed, and what it was meant to name.
pub(super) struct Awkward {
    pub(super) operation: Operation,
    /// The decoded path.
    pub(super) path: String,
    /// The decoded query.
    pub(super) query: Vec<(String, String)>,
}

/// What keys and values are put together from: every reserved character, escapes that must stay as they are, dots and
/// slashes in all combinations, what encodes to two, three and four bytes, controls.
const PIECES: [&str; 62] = [
    " ", "  ", "+", "%", "%2F", "%20", "%25", "%2e%2e", "/", "//", ".", "..", "...", "./", "/.x", "x..y", "-", "_",
    "~", "!", "*", "'", "(", ")", ";", ":", "@", "&", "=", "$", ",", "?", "#", "[", "]", "\"", "<", ">", "\\", "^",
    "`", "{", "|", "}", "a", "Z", "09", "é", "e\u{301}", "ß", "日本", "🦀", "\u{7f}", "\t", "\n", "\r\n", "\u{1}",
    "\u{a0}", "\u{200b}", "\u{202e}", "\u{feff}", "&amp;",
];

/// The same for header values: visible ASCII, with white space in between.
const VALUE_PIECES: [&str; 18] =
    ["a", "Z", "0", " ", "  ", "   ", ",", ", ", ";", ":", "=", "\"", "\" \"", "%20", "+", "/", "~", "0-9"];

/// SplitMix64 (Steele, Lea and Flood, 2014): a few lines, and good enough to choose test cases.
pub(super) struct Choices(pub(super) u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Up to `pieces` pieces out of `from`.
    fn text(&mut self, from: &[&str], pieces: u64) -> String {
        (0..self.below(pieces + 1)).map(|_| self.of(from)).collect()
    }

    /// An object's key. Now and then it is as long as S3 lets one be.
    fn key(&mut self) -> String {
        let mut key = format!("k{}", self.text(&PIECES, 12));
        if self.one_in(16) {
            while key.len() < 1_024 {
                key.push_str(self.of(&PIECES));
            }
            while key.len() > 1_024 {
                key.pop();
            }
        }
        without_dot_segments(&key)
    }

    fn value(&mut self) -> String {
        self.text(&PIECES, 8)
    }

    /// A header's value, sometimes with white space around it.
    fn header_value(&mut self) -> String {
        let around = [" ", "\t", "", "", "", "  \t "];
        format!("{}v{}{}", self.of(&around), self.text(&VALUE_PIECES, 8), self.of(&around))
    }

    fn body(&mut self) -> Bytes {
        (0..self.below(64)).map(|_| self.below(256) as u8).collect()
    }

    /// A path as one of many clients encodes it: with either case of hexadecimal digits, and leaving bare what RFC 3986
    /// lets stand in a path.
    fn encode_loosely(&mut self, path: &str) -> String {
        let mut encoded = String::new();
        for byte in path.bytes() {
            let bare = byte.is_ascii_alphanumeric()
                || b"-._~/".contains(&byte)
                || (b"!$&'()*+,;=:@".contains(&byte) && self.one_in(2));
            match (bare, self.one_in(2)) {
                (true, _) => encoded.push(char::from(byte)),
                (false, true) => encoded.push_str(&format!("%{byte:02x}")),
                (false, false) => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        encoded
    }

    /// A name as clients write it: in any case.
    fn any_case(&mut self, name: &str) -> String {
        name.chars().map(|c| if self.one_in(3) { c.to_ascii_uppercase() } else { c }).collect()
    }

    /// What the parser and [`Operation`] never hold, put there all the same: the signer and the judge must agree on it
    /// too. Header names twice, and query keys twice.
    fn double(&mut self, awkward: &mut Awkward) {
        for _ in 0..self.below(4) {
            let name = self.of(&["my-header", "x-amz-meta-a", "cache-control"]);
            // Without tabs, which neither the parser lets through nor the signer signs.
            awkward.operation.headers.push((name.to_owned(), self.header_value().replace('\t', " ")));
        }
        if self.one_in(2) {
            let pair = (self.value() + "k", self.value());
            let other = (pair.0.clone(), self.value());
            awkward.query.extend([pair.clone(), other.clone()]);
            awkward.operation.query.extend([pair, other]);
        }
    }

    pub(super) fn request(&mut self) -> Awkward {
        let mut awkward = match self.below(8) {
            0..4 => self.s3(),
            4 => self.lambda(),
            5 => self.any_path(),
            _ => self.in_the_body(),
        };
        if self.one_in(4) {
            self.double(&mut awkward);
        }
        awkward
    }

    fn s3(&mut self) -> Awkward {
        let bucket = self.of(&["bucket", "my.dotted.bucket", "0-bucket-9"]);
        let key = self.key();
        let mut headers = Vec::new();
        let mut query = Vec::new();
        let mut body = Bytes::new();
        let mut path = format!("/{bucket}/{key}");
        let method = match self.below(6) {
            0 => {
                for name in ["response-content-disposition", "response-cache-control", "versionId", "response-expires"]
                {
                    if self.one_in(2) {
                        query.push((name, self.value() + "v"));
                    }
                }
                headers.push(("range".to_owned(), "bytes=0-9".to_owned()));
                "GET"
            }
            1 => {
                for number in 0..self.below(6) {
                    let name = format!("x-amz-meta-{}{number}", self.of(&["", "a", "some-thing_", "z.9"]));
                    headers.push((name, self.header_value()));
                }
                headers.push(("cache-control".to_owned(), self.header_value()));
                // Dropped, and not signed.
                headers.push(("user-agent".to_owned(), self.header_value()));
                body = self.body();
                "PUT"
            }
            2 => {
                let source = format!("/{bucket}/{}", self.key());
                // S3 reads a bare plus sign as a space there, so the parser refuses it.
                let source = self.encode_loosely(&source).replace('+', "%2B");
                headers.push(("x-amz-copy-source".to_owned(), source));
                "PUT"
            }
            3 => {
                query.push(("tagging", String::new()));
                let tag = self.of(&["a b", "a=b", "a/b:c", "a_.-@+"]);
                body =
                    format!("<Tagging><TagSet><Tag><Key>{tag}</Key><Value>é</Value></Tag></TagSet></Tagging>").into();
                "PUT"
            }
            4 => {
                path = format!("/{bucket}");
                query.push(("list-type", "2".to_owned()));
                for name in ["prefix", "delimiter", "start-after", "continuation-token"] {
                    if self.one_in(2) {
                        query.push((name, self.value()));
                    }
                }
                "GET"
            }
            _ => {
                query.push(("versionId", self.value() + "v"));
                "DELETE"
            }
        };
        let query: Vec<_> = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let headers = headers.into_iter().map(|(name, value)| (self.any_case(&name), value.into_bytes())).collect();
        let call = Call {
            service: "s3".into(),
            region: Some(self.region()),
            method: method.into(),
            path: self.encode_loosely(&path),
            query: query.clone(),
            headers,
            body,
        };
        Awkward { operation: parsed(&call), path, query }
    }

    /// Function names hold colons and dollar signs, which are encoded in the path and once more for the signature.
    fn lambda(&mut self) -> Awkward {
        let region = self.region();
        let name = self.of(&["my-function", "f_0"]);
        let function = match self.below(3) {
            0 => name.to_owned(),
            1 => format!("123456789012:function:{name}"),
            _ => format!("arn:aws:lambda:{region}:123456789012:function:{name}"),
        };
        let (function, query) = match self.below(3) {
            0 => (function, Vec::new()),
            1 => (format!("{function}:$LATEST"), Vec::new()),
            _ => (function, vec![("Qualifier".to_owned(), "$LATEST".to_owned())]),
        };
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let call = Call {
            service: "lambda".into(),
            region: Some(region),
            method: "POST".into(),
            path: self.encode_loosely(&path),
            query: query.clone(),
            headers: vec![(self.any_case("x-amz-client-context"), self.header_value().into_bytes())],
            body: self.body(),
        };
        Awkward { operation: parsed(&call), path, query }
    }

    /// An operation as the parser makes it, with a path and a query that no service outside of S3 has today.
    fn any_path(&mut self) -> Awkward {
        let mut awkward = self.lambda();
        awkward.path = format!("/{}", without_dot_segments(&self.key()));
        awkward.operation.path = awkward
            .path
            .bytes()
            .map(|byte| match byte {
                b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
                _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect();
        awkward.query = (0..self.below(5)).map(|number| (format!("{}{number}", self.value()), self.value())).collect();
        awkward.operation.query = awkward.query.clone();
        awkward.operation.method = self.of(&["GET", "HEAD", "POST", "PUT", "DELETE"]);
        awkward
    }

    /// Services whose requests all go to `/`.
    fn in_the_body(&mut self) -> Awkward {
        let text = self.value();
        let quoted = serde_json::to_string(&text).unwrap();
        let json = |service, target, version, body: String| (service, Some((target, version)), body);
        let (service, target, body) = match self.below(6) {
            0 => {
                let item = format!(r#"{{"TableName":"t","Item":{{"k":{{"S":{quoted}}}}}}}"#);
                json("dynamodb", "DynamoDB_20120810.PutItem", "1.0", item)
            }
            1 => {
                let url = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
                let message = format!(r#"{{"QueueUrl":"{url}","MessageBody":{quoted}}}"#);
                json("sqs", "AmazonSQS.SendMessage", "1.0", message)
            }
            2 => json("secretsmanager", "secretsmanager.GetSecretValue", "1.1", r#"{"SecretId":"s/a+b"}"#.into()),
            3 => json("kinesis", "Kinesis_20131202.ListStreams", "1.1", "{}".into()),
            4 => ("sts", None, "Action=GetCallerIdentity&Version=2011-06-15".into()),
            _ => {
                let message: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let topic = "arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At";
                ("sns", None, format!("Action=Publish&Version=2010-03-31&TopicArn={topic}&Message=m{message}"))
            }
        };
        let headers = match target {
            Some((target, version)) => vec![
                ("X-Amz-Target".to_owned(), target.into()),
                ("Content-Type".to_owned(), format!("application/x-amz-json-{version}").into()),
            ],
            None => vec![("Content-Type".to_owned(), b"application/x-www-form-urlencoded".to_vec())],
        };
        let call = Call {
            service: service.into(),
            region: Some("us-east-1".into()),
            method: "POST".into(),
            path: "/".into(),
            query: Vec::new(),
            headers,
            body: body.into(),
        };
        Awkward { operation: parsed(&call), path: "/".into(), query: Vec::new() }
    }

    fn region(&mut self) -> String {
        self.of(&["us-east-1", "eu-central-1", "ap-northeast-3"]).to_owned()
    }
}

/// No path that is signed holds a dot segment: the parser refuses it. An underscore makes a name of each, as long as it was.
fn without_dot_segments(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "." => "_",
        ".." => "_.",
        other => other,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn parsed(call: &Call) -> Operation {
    let scope = CallerScope {
        account: "123456789012".parse().unwrap(),
        partition: "aws".into(),
        region: "us-east-1".parse().unwrap(),
    };
    parse(call, &scope).unwrap_or_else(|refusal| panic!("{refusal}: {call:?}"))
}
