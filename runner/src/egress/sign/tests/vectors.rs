//! AWS's published vectors, out of `vectors.json`, which says where they come from.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::*;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    key: Key,
    region: String,
    service: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    token: Option<String>,
    time: String,
    canonical_request: String,
    encodes_path_twice: bool,
    normalizes_path: bool,
    sends_body_hash: bool,
    /// Absent where only the canonical request is published.
    signature: Option<String>,
}

#[test]
fn published_vectors() {
    let suite: Suite = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(suite.vectors.len(), 40);
    for vector in &suite.vectors {
        let name = &vector.name;
        let mut headers = HeaderMap::new();
        for (name, value) in &vector.headers {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.trim().parse().unwrap());
        }
        let url = format!("https://{}{}", headers["host"].to_str().unwrap(), on_the_wire(&vector.target));
        let payload = PayloadHash::at_once(vector.body.as_bytes());
        let request = Unsigned { method: &vector.method, url: &url, headers: &headers, payload: &payload };
        let scope = Scope {
            region: &suite.region,
            signing_name: &suite.service,
            canonicalization: Canonicalization {
                encodes_path_twice: vector.encodes_path_twice,
                normalizes_path: vector.normalizes_path,
                sends_body_hash: vector.sends_body_hash,
            },
        };
        let secret = &suite.key.secret_access_key;
        let key = Credentials::new(&suite.key.access_key_id, secret, vector.token.clone(), None, "vectors");
        let time = time(&vector.time);
        let signature = signature(&request, &Identity::from(key), &scope, time).unwrap();

        let expected = vector.signature.clone().unwrap_or_else(|| {
            let hash: String =
                Sha256::digest(&vector.canonical_request).iter().map(|byte| format!("{byte:02x}")).collect();
            let scope = format!("{}/{}/{}/aws4_request", &vector.time[..8], suite.region, suite.service);
            let signed = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", vector.time);
            v4::calculate_signature(
                v4::generate_signing_key(secret, time, &suite.region, &suite.service),
                signed.as_bytes(),
            )
        });
        assert_eq!(signature.hexadecimal, expected, "{name}");
        // The line before the body's hash.
        let names = vector.canonical_request.lines().rev().nth(1).unwrap();
        let (_, authorization) = signature.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let authorization = authorization.to_str().unwrap();
        assert!(authorization.ends_with(&format!("SignedHeaders={names}, Signature={expected}")), "{name}");
    }
}

/// The target with what no URL holds percent-encoded. Some vectors show it bare.
fn on_the_wire(target: &str) -> String {
    let mut wire = String::new();
    for byte in target.bytes() {
        if byte.is_ascii_graphic() {
            wire.push(char::from(byte));
        } else {
            write!(wire, "%{byte:02X}").unwrap();
        }
    }
    wire
}

fn time(text: &str) -> SystemTime {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    PrimitiveDateTime::parse(text, format).unwrap().assume_utc().into()
}
