//! The shapes of S3's XML bodies, in the notation of [`crate::shape`].
//!
//! Source: the operations' pages in the Amazon S3 API Reference and the AWS SDKs' models (botocore 1.44.8). Left out on
//! purpose: what belongs to directory buckets (CreateBucket's `Location` and `Bucket`), and RestoreObject's
//! `SelectParameters` and `OutputLocation`, which write to another bucket.

use super::row::Body;
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
pub(crate) const CREATE_BUCKET: &str = "CreateBucketConfiguration(LocationConstraint Tags(Tag*(Key Value)))";
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
pub(crate) const RETENTION: &str = "Retention(Mode RetainUntilDate EventHold EventHoldDuration(Days Years))";
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
pub(crate) const OPTIONAL_ACL: Body = Body::Xml { shape: ACCESS_CONTROL_POLICY, optional: true, checksum: true };
