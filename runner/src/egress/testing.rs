//! What the tests of egress share: a role session to sign with, had the way that a task has it, and records in memory.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rolebox_aws_request::{Call, CallerScope, Payload, StreamedBody};
use rolebox_policy::SessionPolicy;
use serde_json::Value;

use super::audit::{AuditRecord, AuditSink, Recorded};
use crate::credentials::{
    AssumeRoleAnswer, RoleSession, RoleSessionRequest, RoleSessions, RoleSessionsSettings, Secret, SessionName,
    SessionPolicyChoice, Sharing, Sts, StsFuture,
};

pub(super) const ACCESS_KEY_ID: &str = "ASIAIOSFODNN7EXAMPLE";
pub(super) const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// With the characters of base64, as tokens have them.
pub(super) const SESSION_TOKEN: &str = "FwoGZXIvYXdzEXAMPLE//////////wEaDF+examples+token/that==";
pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/s3-sample";
pub(super) const SESSION: &str = "0123456789abcdef0123456789abcdef";

/// Gives that one session to whoever asks.
#[derive(Debug)]
struct OneSession;

impl Sts for OneSession {
    fn assume_role<'a>(&'a self, _: &'a RoleSessionRequest) -> StsFuture<'a, AssumeRoleAnswer> {
        Box::pin(async {
            Ok(AssumeRoleAnswer {
                access_key_id: Secret::new(ACCESS_KEY_ID.into()),
                secret_access_key: Secret::new(SECRET_ACCESS_KEY.into()),
                session_token: Secret::new(SESSION_TOKEN.into()),
                expiration: Some(SystemTime::now() + Duration::from_secs(3_600)),
                assumed_role_arn: format!("arn:aws:sts::123456789012:assumed-role/s3-sample/{SESSION}"),
                packed_policy_size: None,
            })
        })
    }

    fn caller_identity(&self) -> StsFuture<'_, String> {
        Box::pin(async { Ok(ROLE.into()) })
    }
}

/// Keeps every record.
#[derive(Debug, Clone, Default)]
pub(super) struct Records(Arc<Mutex<Vec<AuditRecord>>>);

impl AuditSink for Records {
    fn record(&self, record: AuditRecord) -> Recorded {
        self.0.lock().unwrap().push(record);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Records {
    /// All of them, as the JSON that a file would hold.
    pub(super) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|record| serde_json::to_value(record).unwrap()).collect()
    }
}

/// A PUT of an S3 object with this body.
pub(super) fn put(body: &'static [u8]) -> Call {
    Call {
        service: "s3".into(),
        region: None,
        method: "PUT".into(),
        path: "/bucket/key".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: Bytes::from_static(body),
    }
}

pub(super) async fn session() -> RoleSession {
    let request = RoleSessionRequest::new(
        ROLE.parse().unwrap(),
        SessionName::new(SESSION).unwrap(),
        SessionPolicyChoice::Required(SessionPolicy::deny_everything()),
    );
    let sessions = RoleSessions::new(Arc::new(OneSession), RoleSessionsSettings::default());
    sessions.open(request, Sharing::Private).await.unwrap()
}

/// A body of so many bytes that is still to come, with a checksum behind it where one is named.
pub(super) fn streamed(length: usize, checksum: Option<&str>) -> StreamedBody {
    let mut headers = vec![
        ("content-encoding".to_owned(), b"aws-chunked".to_vec()),
        ("x-amz-decoded-content-length".to_owned(), length.to_string().into_bytes()),
    ];
    headers.extend(checksum.map(|name| ("x-amz-trailer".to_owned(), name.as_bytes().to_vec())));
    let scope = CallerScope {
        account: "123456789012".parse().unwrap(),
        partition: "aws".into(),
        region: "us-east-1".parse().unwrap(),
    };
    let operation = rolebox_aws_request::parse_streamed(&Call { headers, ..put(b"") }, &scope).unwrap();
    match operation.payload {
        Payload::Streamed(body) => body,
        Payload::Whole(_) => panic!("it is streamed"),
    }
}
