//! The shapes of S3's XML bodies, and the check of a document against one.
//!
//! A shape lists every element that a body may hold: `Delete(Object*(Key VersionId) Quiet)` is an element `Delete` with
//! any number of `Object`s and at most one `Quiet`; `Key` holds text; `Empty()` is an element without content;
//! `Grantee@(…)` has an attribute `xsi:type`. What a shape doesn't list is refused, and so is an element given twice
//! that may stand once: readers differ in which of the two they take.
//!
//! Source: the operations' pages in the Amazon S3 API Reference and the AWS SDKs' models (botocore 1.44.8). Left out on
//! purpose: what belongs to directory buckets (CreateBucket's `Location` and `Bucket`), and RestoreObject's
//! `SelectParameters` and `OutputLocation`, which write to another bucket.

use super::row::Body;
use crate::refusal::{Quoted, Refusal};
use crate::wire::xml::Element;

pub(crate) const ABAC: &str = "AbacStatus(Status)";
pub(crate) const ACCELERATE: &str = "AccelerateConfiguration(Status)";
pub(crate) const ACCESS_CONTROL_POLICY: &str = "AccessControlPolicy(\
    AccessControlList(Grant*(Grantee@(DisplayName EmailAddress ID URI) Permission)) Owner(DisplayName ID))";
pub(crate) const ANALYTICS: &str = "AnalyticsConfiguration(Id \
    Filter(Prefix Tag(Key Value) And(Prefix Tag*(Key Value))) \
    StorageClassAnalysis(DataExport(OutputSchemaVersion \
    Destination(S3BucketDestination(Format BucketAccountId Bucket Prefix)))))";
pub(crate) const COMPLETE_MULTIPART_UPLOAD: &str = "CompleteMultipartUpload(Part*(PartNumber ETag \
    ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumSHA1 ChecksumSHA256 ChecksumSHA512 ChecksumMD5 \
    ChecksumXXHASH64 ChecksumXXHASH3 ChecksumXXHASH128))";
pub(crate) const CORS: &str = "CORSConfiguration(CORSRule*(\
    ID AllowedHeader* AllowedMethod* AllowedOrigin* ExposeHeader* MaxAgeSeconds))";
pub(crate) const CREATE_BUCKET: &str =
    "CreateBucketConfiguration(LocationConstraint Tags(Tag*(Key Value)))";
pub(crate) const DELETE: &str = "Delete(Object*(Key VersionId ETag LastModifiedTime Size) Quiet)";
pub(crate) const ENCRYPTION: &str = "ServerSideEncryptionConfiguration(Rule*(\
    ApplyServerSideEncryptionByDefault(SSEAlgorithm KMSMasterKeyID) BucketKeyEnabled \
    BlockedEncryptionTypes(EncryptionType*)))";
pub(crate) const INTELLIGENT_TIERING: &str = "IntelligentTieringConfiguration(Id \
    Filter(Prefix Tag(Key Value) And(Prefix Tag*(Key Value))) Status Tiering*(Days AccessTier))";
pub(crate) const INVENTORY: &str = "InventoryConfiguration(\
    Destination(S3BucketDestination(AccountId Bucket Format Prefix Encryption(SSE-S3() SSE-KMS(KeyId)))) \
    IsEnabled Filter(Prefix) Id IncludedObjectVersions OptionalFields(Field*) Schedule(Frequency))";
pub(crate) const LEGAL_HOLD: &str = "LegalHold(Status)";
pub(crate) const LIFECYCLE: &str = "LifecycleConfiguration(Rule*(\
    Expiration(Date Days ExpiredObjectDeleteMarker) ID Prefix \
    Filter(Prefix Tag(Key Value) ObjectSizeGreaterThan ObjectSizeLessThan \
    And(Prefix Tag*(Key Value) ObjectSizeGreaterThan ObjectSizeLessThan)) Status \
    Transition*(Date Days StorageClass) \
    NoncurrentVersionTransition*(NoncurrentDays StorageClass NewerNoncurrentVersions) \
    NoncurrentVersionExpiration(NoncurrentDays NewerNoncurrentVersions) \
    AbortIncompleteMultipartUpload(DaysAfterInitiation)))";
pub(crate) const LOGGING: &str = "BucketLoggingStatus(LoggingEnabled(TargetBucket \
    TargetGrants(Grant*(Grantee@(DisplayName EmailAddress ID URI) Permission)) TargetPrefix \
    TargetObjectKeyFormat(SimplePrefix() PartitionedPrefix(PartitionDateSource))))";
pub(crate) const METRICS: &str = "MetricsConfiguration(Id Filter(Prefix Tag(Key Value) AccessPointArn \
    And(Prefix Tag*(Key Value) AccessPointArn)))";
pub(crate) const NOTIFICATION: &str = "NotificationConfiguration(\
    TopicConfiguration*(Id Topic Event* Filter(S3Key(FilterRule*(Name Value)))) \
    QueueConfiguration*(Id Queue Event* Filter(S3Key(FilterRule*(Name Value)))) \
    CloudFunctionConfiguration*(Id CloudFunction Event* Filter(S3Key(FilterRule*(Name Value)))) \
    EventBridgeConfiguration())";
pub(crate) const OBJECT_LOCK: &str = "ObjectLockConfiguration(ObjectLockEnabled \
    Rule(DefaultRetention(Mode Days Years DefaultEventHold(Days Years))))";
pub(crate) const OWNERSHIP: &str = "OwnershipControls(Rule*(ObjectOwnership))";
pub(crate) const PUBLIC_ACCESS_BLOCK: &str = "PublicAccessBlockConfiguration(\
    BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets)";
pub(crate) const REPLICATION: &str = "ReplicationConfiguration(Role Rule*(ID Priority Prefix \
    Filter(Prefix Tag(Key Value) And(Prefix Tag*(Key Value) Not(Prefix Tag(Key Value) Or(Prefix* Tag*(Key Value)))) \
    Not(Prefix Tag(Key Value) Or(Prefix* Tag*(Key Value)))) Status \
    SourceSelectionCriteria(SseKmsEncryptedObjects(Status) ReplicaModifications(Status)) \
    ExistingObjectReplication(Status) Destination(Bucket Account StorageClass AccessControlTranslation(Owner) \
    EncryptionConfiguration(ReplicaKmsKeyID UseSourceMultiRegionKey(Status)) ReplicationTime(Status Time(Minutes)) \
    Metrics(Status EventThreshold(Minutes))) DeleteMarkerReplication(Status)))";
pub(crate) const REQUEST_PAYMENT: &str = "RequestPaymentConfiguration(Payer)";
pub(crate) const RESTORE: &str = "RestoreRequest(Days GlacierJobParameters(Tier) Tier)";
pub(crate) const RETENTION: &str =
    "Retention(Mode RetainUntilDate EventHold EventHoldDuration(Days Years))";
pub(crate) const SELECT: &str = "SelectObjectContentRequest(Expression ExpressionType RequestProgress(Enabled) \
    InputSerialization(CSV(FileHeaderInfo Comments QuoteEscapeCharacter RecordDelimiter FieldDelimiter QuoteCharacter \
    AllowQuotedRecordDelimiter) CompressionType JSON(Type) Parquet()) \
    OutputSerialization(CSV(QuoteFields QuoteEscapeCharacter RecordDelimiter FieldDelimiter QuoteCharacter) \
    JSON(RecordDelimiter)) ScanRange(Start End))";
pub(crate) const TAGGING: &str = "Tagging(TagSet(Tag*(Key Value)))";
pub(crate) const VERSIONING: &str = "VersioningConfiguration(MfaDelete Status)";
pub(crate) const WEBSITE: &str = "WebsiteConfiguration(ErrorDocument(Key) IndexDocument(Suffix) \
    RedirectAllRequestsTo(HostName Protocol) RoutingRules(RoutingRule*(\
    Condition(HttpErrorCodeReturnedEquals KeyPrefixEquals) \
    Redirect(HostName HttpRedirectCode Protocol ReplaceKeyPrefixWith ReplaceKeyWith))))";

/// An ACL as a body, or in headers.
pub(crate) const OPTIONAL_ACL: Body = Body::Xml {
    shape: ACCESS_CONTROL_POLICY,
    optional: true,
    checksum: true,
};

/// One element of a shape.
#[derive(Debug, PartialEq, Eq)]
struct Shape<'a> {
    name: &'a str,
    many: bool,
    typed: bool,
    /// What the element may hold; `None` for text.
    children: Option<Vec<Shape<'a>>>,
}

impl<'a> Shape<'a> {
    /// Reads one element off the front of the notation.
    fn read(notation: &mut &'a str) -> Self {
        let end = notation
            .find(['(', ')', ' ', '*', '@'])
            .unwrap_or(notation.len());
        let (name, rest) = notation.split_at(end);
        *notation = rest;
        let many = skip(notation, '*');
        let typed = skip(notation, '@');
        let children = skip(notation, '(').then(|| {
            let mut children = Vec::new();
            while !notation.is_empty() && !skip(notation, ')') {
                if !skip(notation, ' ') {
                    children.push(Self::read(notation));
                }
            }
            children
        });
        Self {
            name,
            many,
            typed,
            children,
        }
    }
}

fn skip(notation: &mut &str, character: char) -> bool {
    let rest = notation.strip_prefix(character);
    *notation = rest.unwrap_or(notation);
    rest.is_some()
}

/// Checks that a document has the shape, and nothing else.
pub(crate) fn check(document: &Element, shape: &str) -> Result<(), Refusal> {
    let mut notation = shape;
    let shape = Shape::read(&mut notation);
    if document.name != shape.name {
        return Err(refuse(
            &document.name,
            "it is not the body's root element",
            &shape.name,
        ));
    }
    check_element(document, &shape)
}

fn check_element(element: &Element, shape: &Shape<'_>) -> Result<(), Refusal> {
    if element.xsi_type.is_some() && !shape.typed {
        return Err(refuse(&element.name, "it takes no attribute", &shape.name));
    }
    let Some(children) = &shape.children else {
        return match element.children.is_empty() {
            true => Ok(()),
            false => Err(refuse(
                &element.name,
                "it holds elements where text is expected",
                &shape.name,
            )),
        };
    };
    if !element
        .text
        .trim_matches([' ', '\t', '\r', '\n'])
        .is_empty()
    {
        return Err(refuse(
            &element.name,
            "it holds text where elements are expected",
            &shape.name,
        ));
    }
    let mut seen = Vec::new();
    for child in &element.children {
        let Some(shape) = children.iter().find(|shape| shape.name == child.name) else {
            return Err(refuse(
                &child.name,
                &format!("it is not known in {}", shape.name),
                shape.name,
            ));
        };
        if !shape.many {
            if seen.contains(&shape.name) {
                return Err(refuse(&child.name, "it is given twice", shape.name));
            }
            seen.push(shape.name);
        }
        check_element(child, shape)?;
    }
    Ok(())
}

fn refuse(name: &str, what: &str, expected: &str) -> Refusal {
    Refusal::not_understood(
        format!("body element {}", Quoted(name)),
        what,
        format!("write {expected} as the S3 API Reference has it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation() {
        let mut notation = "A(B*(C D()) E@(F))";
        let leaf = |name| Shape {
            name,
            many: false,
            typed: false,
            children: None,
        };
        assert_eq!(
            Shape::read(&mut notation),
            Shape {
                name: "A",
                many: false,
                typed: false,
                children: Some(vec![
                    Shape {
                        name: "B",
                        many: true,
                        typed: false,
                        children: Some(vec![
                            leaf("C"),
                            Shape {
                                name: "D",
                                many: false,
                                typed: false,
                                children: Some(vec![])
                            },
                        ]),
                    },
                    Shape {
                        name: "E",
                        many: false,
                        typed: true,
                        children: Some(vec![leaf("F")])
                    },
                ]),
            }
        );
        assert_eq!(notation, "");
    }

    #[test]
    fn documents() {
        for (xml, fine) in [
            (
                "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Quiet>true</Quiet></Delete>",
                true,
            ),
            (
                "<Delete>\n <Object>\n <Key>a</Key>\n </Object>\n</Delete>",
                true,
            ),
            ("<Delete/>", true),
            ("<delete><Object><Key>a</Key></Object></delete>", false),
            (
                "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
                false,
            ),
            (
                "<Delete><Object><Key>a</Key></Object><Quiet>true</Quiet><Quiet>false</Quiet></Delete>",
                false,
            ),
            ("<Delete><Object><Key>a<X/></Key></Object></Delete>", false),
            ("<Delete><Object>text<Key>a</Key></Object></Delete>", false),
            ("<Delete><Object><key>a</key></Object></Delete>", false),
            ("<Delete><Objects/></Delete>", false),
            (
                "<Delete><Object><Key>a</Key><New>1</New></Object></Delete>",
                false,
            ),
        ] {
            let document = Element::read(xml.as_bytes()).unwrap();
            assert_eq!(check(&document, DELETE).is_ok(), fine, "{xml}");
        }
    }
}
