//! The `Authorization` header of Signature Version 4.

/// The only algorithm that is served.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    /// `YYYYMMDD`.
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    /// In lower case, sorted, each once.
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: [u8; 32],
    /// The signature as it was sent, for the error that repeats it.
    pub(crate) signature_text: String,
}

/// What is wrong with the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationError {
    /// Another algorithm, or none.
    Algorithm,
    /// A part is missing, doubled, unknown, or not of its form.
    Malformed(&'static str),
}

impl Authorization {
    /// Reads the header. The three parts may stand in any order, each exactly once.
    pub(crate) fn parse(header: &str) -> Result<Self, AuthorizationError> {
        let malformed = AuthorizationError::Malformed;
        let rest =
            header.strip_prefix(ALGORITHM).filter(|rest| rest.starts_with(' ')).ok_or(AuthorizationError::Algorithm)?;

        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim_matches(' ').split_once('=').ok_or(malformed("a part without `=`"))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(malformed("an unknown part")),
            };
            if slot.replace(value).is_some() {
                return Err(malformed("a doubled part"));
            }
        }
        let credential = credential.ok_or(malformed("no Credential"))?;
        let signed_headers = signed_headers.ok_or(malformed("no SignedHeaders"))?;
        let signature_text = signature.ok_or(malformed("no Signature"))?;

        // An access key id has no slash, so the scope's fields can be counted from the front.
        let fields: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = fields[..] else {
            return Err(malformed("a Credential that is not KEY/DATE/REGION/SERVICE/aws4_request"));
        };
        if terminator != "aws4_request" {
            return Err(malformed("a Credential that does not end in aws4_request"));
        }
        if access_key_id.is_empty() {
            return Err(malformed("a Credential without an access key id"));
        }

        let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_owned).collect();
        let in_order = signed_headers.windows(2).all(|pair| pair[0] < pair[1]);
        let in_lower_case =
            signed_headers.iter().all(|name| !name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase()));
        if !in_order || !in_lower_case {
            return Err(malformed("SignedHeaders that are not in lower case and sorted, each once"));
        }

        Ok(Self {
            access_key_id: access_key_id.into(),
            date: date.into(),
            region: region.into(),
            service: service.into(),
            signed_headers,
            signature: from_hex(signature_text).ok_or(malformed("a Signature that is not 64 hexadecimal digits"))?,
            signature_text: signature_text.into(),
        })
    }

    /// `DATE/REGION/SERVICE/aws4_request`.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// 64 lower case hexadecimal digits as bytes.
pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Bytes as lower case hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn header(credential: &str, signed_headers: &str, signature: &str) -> String {
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}")
    }

    #[test]
    fn reads_the_forms_that_clients_send() {
        let spaced = header("AKIA/20261125/us-east-1/s3/aws4_request", "host;x-amz-date", SIGNATURE);
        let parsed = Authorization::parse(&spaced).unwrap();
        assert_eq!(parsed.access_key_id, "AKIA");
        assert_eq!(parsed.scope(), "20261125/us-east-1/s3/aws4_request");
        assert_eq!(parsed.signed_headers, ["host", "x-amz-date"]);
        assert_eq!(to_hex(&parsed.signature), SIGNATURE);
        assert_eq!(Authorization::parse(&spaced.replace(", ", ",")).unwrap(), parsed);
    }

    #[test]
    fn refuses_every_other_form() {
        let credential = "AKIA/20261125/us-east-1/s3/aws4_request";
        let good = header(credential, "host", SIGNATURE);
        assert!(Authorization::parse(&good).is_ok());
        let cases = [
            ("", "empty"),
            ("AWS AKIA:c2lnbmF0dXJl", "Signature Version 2"),
            ("AWS4-ECDSA-P256-SHA256 Credential=a", "Signature Version 4A"),
            ("AWS4-HMAC-SHA256", "no parts"),
            ("Bearer abc", "another scheme"),
        ];
        for (text, what) in cases {
            assert!(Authorization::parse(text).is_err(), "{what}");
        }
        let variants = [
            (header("AKIA/20261125/us-east-1/s3", "host", SIGNATURE), "no terminator"),
            (header("AKIA/20261125/us-east-1/s3/aws5_request", "host", SIGNATURE), "another terminator"),
            (header("AKIA/x/20261125/us-east-1/s3/aws4_request", "host", SIGNATURE), "a slash in the key id"),
            (header("/20261125/us-east-1/s3/aws4_request", "host", SIGNATURE), "no key id"),
            (header(credential, "", SIGNATURE), "no signed header"),
            (header(credential, "host;", SIGNATURE), "an empty name"),
            (header(credential, "x-amz-date;host", SIGNATURE), "not sorted"),
            (header(credential, "host;host", SIGNATURE), "doubled name"),
            (header(credential, "Host", SIGNATURE), "upper case"),
            (header(credential, "host", &SIGNATURE[1..]), "63 digits"),
            (header(credential, "host", &SIGNATURE.to_uppercase()), "upper case digits"),
            (format!("{good}, Signature={SIGNATURE}"), "doubled part"),
            (format!("{good}, Extra=1"), "unknown part"),
            (good.replace("Signature=", "Signature"), "part without ="),
            (good.replace("Credential=", "credential="), "name in another case"),
        ];
        for (text, what) in variants {
            assert!(Authorization::parse(&text).is_err(), "{what}");
        }
    }
}
