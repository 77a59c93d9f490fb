//! Header fields: which are dropped, which an operation takes, and that no other `x-amz-*` field passes.
//!
//! A header is sent only when the operation's row names it. What belongs to signing is the host's own; what belongs to
//! one connection ends here; what SDKs add for themselves says nothing to the service. All of that is dropped. Any other
//! `x-amz-*` header may change what the request means, now or once AWS invents it, and is refused unless it is listed.

use std::borrow::Cow;

use crate::refusal::{Quoted, Refusal};

/// The most fields that are read.
const MOST_FIELDS: usize = 128;

/// Fields that may come more than once, and are then sent once with all values (RFC 9110, section 5.3): SDKs write these
/// lists either way. They say what an answer is to tell, and nothing else.
const LISTS: [&str; 2] = ["x-amz-object-attributes", "x-amz-optional-object-attributes"];

/// The longest value that is read, in bytes: twice what S3 takes in all headers together.
const LONGEST_VALUE: usize = 16 << 10;

/// Fields that the host sets, that concern one connection only (RFC 9110, section 7.6.1; RFC 9112, section 6), or that
/// SDKs add about themselves.
fn is_dropped(name: &str) -> bool {
    // A match compares lengths first, which a list of names would not.
    matches!(
        name,
        "authorization"
            | "connection"
            | "content-length"
            | "date"
            | "expect"
            | "host"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "user-agent"
            | "x-amz-api-version"
            | "x-amz-content-sha256"
            | "x-amz-date"
            | "x-amz-security-token"
            | "x-amz-user-agent"
    ) || name.starts_with("amz-sdk-")
}

/// A guest's header fields that are left once those of signing and of the connection are gone.
pub(crate) struct Headers<'a> {
    /// Lower-case name, trimmed value, and whether an operation has asked for it.
    fields: Vec<(Cow<'a, str>, &'a str, bool)>,
    /// The value of `x-amz-content-sha256`, which says how a body is framed.
    pub(crate) payload_marker: Option<&'a str>,
    /// The length that the guest gives, of the body as it comes in.
    pub(crate) content_length: Option<u64>,
}

impl<'a> Headers<'a> {
    /// Screens the fields as received. `body_length` is the length of the body that came with them; `None` where it is yet
    /// to come.
    pub(crate) fn screen(raw: &'a [(String, Vec<u8>)], body_length: Option<usize>) -> Result<Self, Refusal> {
        if raw.len() > MOST_FIELDS {
            return Err(Refusal::malformed("headers", "there are more than 128", "send only what the operation takes"));
        }
        let mut headers = Self { fields: Vec::with_capacity(raw.len()), payload_marker: None, content_length: None };
        let mut connection = Vec::new();
        let mut length: Option<&str> = None;
        let mut transfer_encoded = false;
        for (name, value) in raw {
            let name = lower_case_name(name)?;
            if value.len() > LONGEST_VALUE {
                return Err(Refusal::malformed(
                    format!("header {}", Quoted(&name)),
                    "its value has more than 16 KiB",
                    "send a shorter one: no service takes that much",
                ));
            }
            match name.as_ref() {
                "connection" => connection.push(value),
                "content-length" => {
                    let value = text(&name, value)?;
                    if length.replace(value).is_some() {
                        return Err(doubled(&name));
                    }
                }
                "transfer-encoding" => transfer_encoded = true,
                "x-amz-content-sha256" if headers.payload_marker.replace(text(&name, value)?).is_some() => {
                    return Err(doubled(&name));
                }
                _ => {}
            }
            no_line_ends(&name, value)?;
            if is_dropped(&name) {
                continue;
            }
            // A value that is dropped anyway need not be readable text; one that is sent must be, so the check waits
            // until an operation takes the field. What can't be read at all is kept as a mark that refuses it then.
            headers.fields.push((name, std::str::from_utf8(value).unwrap_or("\0").trim_matches([' ', '\t']), false));
        }
        if transfer_encoded && length.is_some() {
            return Err(Refusal::malformed(
                "header `transfer-encoding`",
                "it comes together with a content-length",
                "leave framing to the host, and send neither",
            ));
        }
        headers.content_length = length.map(|length| content_length(length, body_length)).transpose()?;
        headers.drop_named_by_connection(&connection)?;
        Ok(headers)
    }

    /// Removes the fields that Connection names (RFC 9110, section 7.6.1).
    fn drop_named_by_connection(&mut self, connection: &[&Vec<u8>]) -> Result<(), Refusal> {
        for value in connection {
            for option in text("connection", value)?.split(',') {
                let option = option.trim_matches([' ', '\t']).to_ascii_lowercase();
                if option.starts_with("x-amz-") {
                    return Err(Refusal::malformed(
                        "header `connection`",
                        format!("it names {}, which is not a connection's option", Quoted(&option)),
                        "send connection without x-amz-* names",
                    ));
                }
                self.fields.retain(|(name, _, _)| *name != option);
            }
        }
        Ok(())
    }

    /// Takes the one field called `name` (in lower case): `None` when it is absent.
    ///
    /// # Errors
    ///
    /// When it is given twice, or its value is not visible ASCII.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let mut found = None;
        for (candidate, value, taken) in &mut self.fields {
            if candidate == name {
                if found.is_some() {
                    return Err(doubled(name));
                }
                visible_ascii(name, value)?;
                *taken = true;
                found = Some(*value);
            }
        }
        Ok(found)
    }

    /// Takes every field called `name` (in lower case), their values as one list: `None` when there is none.
    ///
    /// For fields that are lists, where several say the same as one (RFC 9110, section 5.3).
    ///
    /// # Errors
    ///
    /// When a value is not visible ASCII.
    pub(crate) fn take_list(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let mut list: Option<String> = None;
        for (candidate, value, taken) in &mut self.fields {
            if candidate == name {
                visible_ascii(name, value)?;
                *taken = true;
                match &mut list {
                    None => list = Some((*value).to_owned()),
                    Some(list) => {
                        list.push(',');
                        list.push_str(value);
                    }
                }
            }
        }
        Ok(list)
    }

    /// Takes, in their order, every field that `takes` says yes to, as lower-case name and trimmed value.
    pub(crate) fn take_all(
        &mut self,
        mut takes: impl FnMut(&str) -> bool,
        into: &mut Vec<(String, String)>,
    ) -> Result<(), Refusal> {
        for position in 0..self.fields.len() {
            let (name, value, taken) = &self.fields[position];
            if *taken || !takes(name) {
                continue;
            }
            visible_ascii(name, value)?;
            if self.fields[..position].iter().any(|(earlier, _, _)| earlier == name) {
                match into.iter_mut().find(|(taken, _)| taken == name) {
                    Some((_, list)) if LISTS.contains(&name.as_ref()) => {
                        list.push(',');
                        list.push_str(value);
                    }
                    _ => return Err(doubled(name)),
                }
            } else {
                into.push((name.to_string(), (*value).to_owned()));
            }
            self.fields[position].2 = true;
        }
        Ok(())
    }

    /// Refuses what is left over when it begins with `x-amz-`; everything else that is left over is dropped.
    pub(crate) fn finish(self, operation: &str) -> Result<(), Refusal> {
        match self.fields.iter().find(|(name, _, taken)| !taken && name.starts_with("x-amz-")) {
            None => Ok(()),
            Some((name, _, _)) => Err(Refusal::not_understood(
                format!("header {}", Quoted(name)),
                format!("{operation} is not known to take it"),
                "leave it out; what a header adds to a request must be understood before it is signed",
            )),
        }
    }
}

/// The number of bytes in a content-length, which must be the body's where that is known.
fn content_length(text: &str, body_length: Option<usize>) -> Result<u64, Refusal> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    let length = text.parse().ok().filter(|_| digits);
    match (length, body_length) {
        (Some(length), None) => Ok(length),
        (Some(length), Some(body)) if length == body as u64 => Ok(length),
        (_, body) => Err(Refusal::malformed(
            "header `content-length`",
            match body {
                Some(body) => format!("it is {}, but the body has {body} bytes", Quoted(text)),
                None => format!("it is {}", Quoted(text)),
            },
            "leave it out, or set it to the body's length",
        )),
    }
}

/// A header name as a lower-case token (RFC 9110, section 5.1).
fn lower_case_name(name: &str) -> Result<Cow<'_, str>, Refusal> {
    let token = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || byte == b'-'
            || (byte.is_ascii_punctuation() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte))
    };
    if name.is_empty() || name.len() > 256 || !name.bytes().all(token) {
        return Err(Refusal::malformed(
            format!("header name {}", Quoted(name)),
            "it is not an HTTP token of at most 256 characters",
            "use letters, digits and dashes",
        ));
    }
    Ok(if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// Refuses what would end a header line, in dropped fields too: it shows an attempt at request splitting.
fn no_line_ends(name: &str, value: &[u8]) -> Result<(), Refusal> {
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(Refusal::malformed(
            format!("header {}", Quoted(name)),
            "its value holds a CR, LF or NUL",
            "send one line of text",
        ));
    }
    Ok(())
}

/// A value that is read by this module itself.
fn text<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, Refusal> {
    let value = std::str::from_utf8(value).unwrap_or("\0").trim_matches([' ', '\t']);
    visible_ascii(name, value)?;
    Ok(value)
}

/// Values that are sent are visible ASCII and spaces: signers and servers disagree on tabs and on anything past ASCII.
fn visible_ascii(name: &str, value: &str) -> Result<(), Refusal> {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    Err(Refusal::malformed(
        format!("header {}", Quoted(name)),
        "its value holds more than visible ASCII characters and spaces",
        "encode it (RFC 2047 for metadata, RFC 8187 for content-disposition)",
    ))
}

fn doubled(name: &str) -> Refusal {
    Refusal::malformed(format!("header {}", Quoted(name)), "it is given twice", "send each header once")
}
