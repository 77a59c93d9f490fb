//! The KMS permissions that a request's encryption headers need.
//!
//! Only a key that the request names shows here. A bucket's default key, and the key that an object to be read is
//! encrypted with, are stored state: AWS checks them under the role session.

use rolebox_policy::Check;

use crate::call::CallerScope;
use crate::host;
use crate::names;
use crate::refusal::Refusal;

const ALGORITHM: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// The permissions on the KMS key that the headers name. S3 uses the key in the caller's name, so each carries
/// `kms:ViaService`.
///
/// Source: "Using server-side encryption with AWS KMS keys", Amazon S3 User Guide (UsingKMSEncryption.html): a multipart
/// upload also needs kms:Decrypt.
pub(crate) fn checks(
    headers: &[(String, String)],
    multipart: bool,
    region: &str,
    scope: &CallerScope,
) -> Result<Vec<Check>, Refusal> {
    let header = |name: &str| headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
    let Some(key) = header(KEY_ID) else {
        return Ok(Vec::new());
    };
    let place = format!("header `{KEY_ID}`");
    if !matches!(header(ALGORITHM), Some("aws:kms" | "aws:kms:dsse")) {
        return Err(Refusal::not_understood(
            place,
            format!("a KMS key is named, but {ALGORITHM} is not aws:kms or aws:kms:dsse"),
            "send both headers",
        ));
    }
    let resource = names::kms_key(&place, key, region, scope)?;
    let actions: &[&str] = if multipart { &["kms:GenerateDataKey", "kms:Decrypt"] } else { &["kms:GenerateDataKey"] };
    Ok(actions
        .iter()
        .map(|action| {
            Check::new(*action, resource.clone())
                .with("kms:ViaService", format!("s3.{region}.{}", host::suffix(&scope.partition)))
        })
        .collect())
}
