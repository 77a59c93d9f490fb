//! What is refused on purpose, and why. Whoever makes the facts anew decides here about what AWS has added.

/// Operations: the service, their names (`*` for every other), the reason.
pub(super) const OPERATIONS: &[(&str, &[&str], &str)] = &[
    (
        "s3",
        &[
            "CreateBucketMetadataConfiguration",
            "CreateBucketMetadataTableConfiguration",
            "UpdateBucketMetadataAnnotationTableConfiguration",
            "UpdateBucketMetadataInventoryTableConfiguration",
            "UpdateBucketMetadataJournalTableConfiguration",
        ],
        "they make tables in S3 Tables, which need that service's permissions and keys",
    ),
    ("s3", &["CreateSession"], "its answer is a credential, and directory buckets are not buckets here"),
    ("s3", &["ListDirectoryBuckets", "RenameObject"], "they exist for directory buckets (S3 Express) only"),
    ("s3", &["GetObjectTorrent"], "S3 serves no torrents any more"),
    ("s3", &["UpdateObjectEncryption"], "it needs permissions on the old key, which the request doesn't name"),
    ("s3", &["WriteGetObjectResponse"], "it belongs to Object Lambda, and answers somebody else's request"),
    (
        "s3",
        &["GetBucketLifecycle", "GetBucketNotification", "PutBucketLifecycle", "PutBucketNotification"],
        "older names of the operations on a …Configuration: the same request is parsed as those",
    ),
    (
        "dynamodb",
        &["BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"],
        "PartiQL: the statement says what is read and written, and is not parsed yet",
    ),
    (
        "dynamodb",
        &[
            "CancelBulkOperation",
            "DescribeBulkOperation",
            "DescribeExport",
            "DescribeImport",
            "ExportTableToPointInTime",
            "ImportTable",
            "ListBulkOperations",
            "ListExports",
            "ListImports",
            "StartBulkPutItems",
        ],
        "they move whole tables between DynamoDB and S3",
    ),
    (
        "dynamodb",
        &["RestoreTableFromBackup", "RestoreTableToPointInTime"],
        "they write a table whose items nobody named",
    ),
    (
        "dynamodb",
        &[
            "CreateGlobalTable",
            "DescribeGlobalTable",
            "DescribeGlobalTableSettings",
            "DescribeTableReplicaAutoScaling",
            "ListGlobalTables",
            "UpdateGlobalTable",
            "UpdateGlobalTableSettings",
            "UpdateTableReplicaAutoScaling",
        ],
        "replicas lie in other Regions and need permissions there",
    ),
    (
        "dynamodb",
        &[
            "DescribeKinesisStreamingDestination",
            "DisableKinesisStreamingDestination",
            "EnableKinesisStreamingDestination",
            "UpdateKinesisStreamingDestination",
        ],
        "they send every change of a table to a stream",
    ),
    ("dynamodb", &["SearchVectors"], "its conditions are not published"),
    ("sns", &["*"], "settings of the account, and platforms' applications with their credentials"),
    (
        "secretsmanager",
        &[
            "AssociateCrossAccountReplica",
            "DisassociateCrossAccountReplica",
            "ListResourcePolicies",
            "RemoveRegionsFromReplication",
            "ReplicateSecretToRegions",
            "StopReplicationToReplica",
        ],
        "they copy secrets to other Regions and accounts, or have no IAM action",
    ),
    ("ssm", &["*"], "only parameters are understood, not commands, sessions and automation"),
    (
        "kms",
        &[
            "ConnectCustomKeyStore",
            "CreateCustomKeyStore",
            "DeleteCustomKeyStore",
            "DescribeCustomKeyStores",
            "DisconnectCustomKeyStore",
            "UpdateCustomKeyStore",
        ],
        "custom key stores are the operator's, and have passwords",
    ),
    ("kms", &["ReplicateKey", "UpdatePrimaryRegion"], "they need permissions in another Region"),
    ("kms", &["DeleteImportedKeyMaterial", "ImportKeyMaterial"], "key material is the operator's"),
    ("kms", &["Decapsulate", "Encapsulate", "GetKeyLastUsage"], "too new to have been looked at"),
    ("logs", &["*"], "they send logs elsewhere, or are settings of the account"),
    ("api.ecr", &["*"], "settings of the whole registry"),
];

/// Query keys of S3's operations.
pub(super) const S3_QUERY: &[(&str, &str)] = &[];

/// Headers of S3's operations; `*` stands for every one.
pub(super) const S3_HEADERS: &[(&str, &str)] = &[
    // A device of the root user's; a task has none.
    ("*", "x-amz-mfa"),
    // Appending exists for directory buckets only.
    ("PutObject", "x-amz-write-offset-bytes"),
];

/// Where the model's documentation of an operation and its row differ about S3's actions, in which direction. The
/// documentation there is not whole: these come from "Required permissions for Amazon S3 API operations".
pub(super) const S3_ACTIONS: &[(&str, &str, &str)] = &[
    ("CompleteMultipartUpload", "asked", "s3:PutObject"),
    (
        "CopyObject",
        "asked",
        "s3:GetObjectAnnotation s3:GetObjectTagging s3:GetObjectVersion s3:GetObjectVersionAnnotation \
         s3:GetObjectVersionTagging s3:PutObjectAcl s3:PutObjectAnnotation s3:PutObjectLegalHold \
         s3:PutObjectRetention s3:PutObjectTagging",
    ),
    // Named there as what one calls next, not as what CreateBucket needs.
    ("CreateBucket", "not asked", "s3:PutBucketPublicAccessBlock"),
    ("CreateBucket", "asked", "s3:TagResource"),
    (
        "CreateMultipartUpload",
        "asked",
        "s3:PutObject s3:PutObjectAcl s3:PutObjectLegalHold s3:PutObjectRetention s3:PutObjectTagging",
    ),
    ("DeleteBucketIntelligentTieringConfiguration", "asked", "s3:PutIntelligentTieringConfiguration"),
    ("DeleteObject", "asked", "s3:BypassGovernanceRetention"),
    ("DeleteObjectAnnotation", "asked", "s3:DeleteObjectVersionAnnotation"),
    ("DeleteObjects", "asked", "s3:BypassGovernanceRetention"),
    ("GetBucketIntelligentTieringConfiguration", "asked", "s3:GetIntelligentTieringConfiguration"),
    // s3:ListBucket decides between 404 and 403 for what doesn't exist, not whether the call is allowed.
    ("GetObject", "not asked", "s3:ListBucket"),
    ("GetObjectAttributes", "not asked", "s3:ListBucket"),
    ("HeadObject", "not asked", "s3:ListBucket"),
    ("GetObjectAcl", "asked", "s3:GetObjectVersionAcl"),
    ("GetObjectAnnotation", "asked", "s3:GetObjectVersionAnnotation"),
    ("GetObjectLockConfiguration", "asked", "s3:GetBucketObjectLockConfiguration"),
    ("HeadObject", "asked", "s3:GetObjectVersion"),
    ("ListBucketIntelligentTieringConfigurations", "asked", "s3:GetIntelligentTieringConfiguration"),
    ("ListMultipartUploads", "asked", "s3:ListBucketMultipartUploads"),
    ("ListObjectAnnotations", "asked", "s3:ListObjectVersionAnnotations"),
    ("ListObjects", "asked", "s3:ListBucket"),
    ("ListParts", "asked", "s3:ListMultipartUploadParts"),
    // Named there as what a policy should deny to keep objects from being expired.
    ("PutBucketLifecycleConfiguration", "not asked", "s3:DeleteObject s3:DeleteObjectVersion"),
    ("PutObject", "asked", "s3:PutObjectLegalHold s3:PutObjectRetention"),
    ("PutObjectAcl", "asked", "s3:PutObjectVersionAcl"),
    ("PutObjectAnnotation", "asked", "s3:PutObjectVersionAnnotation"),
    ("PutObjectLockConfiguration", "asked", "s3:PutBucketObjectLockConfiguration"),
    ("UploadPart", "asked", "s3:PutObject"),
    ("UploadPartCopy", "asked", "s3:GetObjectVersion"),
];

/// Parameters: the service, the operation (`*` for every one), their names.
pub(super) const PARAMETERS: &[(&str, &str, &[&str])] = &[
    // Replicas and witnesses lie in other Regions; vector indexes are too new to have been looked at.
    ("dynamodb", "CreateTable", &["GlobalTableSettingsReplicationMode", "GlobalTableSourceArn", "VectorIndexes"]),
    (
        "dynamodb",
        "UpdateTable",
        &[
            "DisassociationProtectionEnabled",
            "GlobalTableSettingsReplicationMode",
            "GlobalTableWitnessUpdates",
            "MultiRegionConsistency",
            "ReplicaUpdates",
            "VectorIndexUpdates",
        ],
    ),
    // Replication, managed secrets and several policies a secret.
    (
        "secretsmanager",
        "CreateSecret",
        &["AddReplicaRegions", "CrossAccountPrimaryARN", "ForceOverwriteReplicaSecret", "Type"],
    ),
    ("secretsmanager", "*", &["PolicyName", "Type"]),
    ("secretsmanager", "PutSecretValue", &["RotationToken"]),
    ("secretsmanager", "RotateSecret", &["ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"]),
    // Enclaves, services as grantees, and keys with a policy, in a store or in several Regions.
    ("kms", "*", &["DryRunModifiers", "GranteeServicePrincipal", "Recipient", "RetiringServicePrincipal"]),
    ("kms", "CreateKey", &["BypassPolicyLockoutSafetyCheck", "CustomKeyStoreId", "MultiRegion", "Policy", "XksKeyId"]),
    ("kms", "GenerateRandom", &["CustomKeyStoreId"]),
    ("kms", "ListKeys", &["ResourceOwners"]),
    // Customer keys, and other accounts.
    ("logs", "CreateLogGroup", &["kmsKeyId"]),
    ("logs", "DescribeLogGroups", &["accountIdentifiers", "includeLinkedAccounts", "logGroupIdentifiers"]),
    ("logs", "DescribeMetricFilters", &["metricName", "metricNamespace"]),
    ("logs", "PutMetricFilter", &["applyOnTransformedLogs", "emitSystemFieldDimensions", "fieldSelectionCriteria"]),
    ("api.ecr", "*", &["imageTagMutabilityExclusionFilters"]),
];
