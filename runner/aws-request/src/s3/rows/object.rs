//! Operations on objects.

use crate::s3::families::*;
use crate::s3::row::{Action, Body, Level, Row, on_object, on_version, sum, xml};
use crate::s3::shape;

/// What S3 is to put into the headers of its answer, and which part or version is read.
const READ_KEYS: &[&str] = &[
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];

const GET_OBJECT: &[Action] = &[on_version("s3:GetObject", "s3:GetObjectVersion")];

/// An operation on an object without anything but its method.
const fn plain(name: &'static str, method: &'static str) -> Row {
    Row {
        name,
        method,
        level: Level::Object,
        needs: &[],
        takes: &[],
        copies: false,
        headers: &[],
        body: Body::Empty,
        actions: &[],
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        takes: READ_KEYS,
        headers: &[&READ_IF, &RANGE, &CHECKSUM_MODE, &CUSTOMER_KEY, &PAYER],
        actions: GET_OBJECT,
        ..plain("GetObject", "GET")
    },
    Row {
        takes: READ_KEYS,
        headers: &[&READ_IF, &RANGE, &CHECKSUM_MODE, &CUSTOMER_KEY, &PAYER],
        actions: GET_OBJECT,
        ..plain("HeadObject", "HEAD")
    },
    Row {
        headers: &[
            &WRITE_IF,
            &CONTENT,
            &BODY_CHECKSUM,
            &CHECKSUMS,
            &CUSTOMER_KEY,
            &ENCRYPTION,
            &ENCRYPTION_KEY,
            &PAYER,
            &OBJECT_ACL,
            &TAGGING,
            &RETENTION,
            &LEGAL_HOLD,
        ],
        body: Body::Opaque,
        actions: &[on_object("s3:PutObject")],
        ..plain("PutObject", "PUT")
    },
    Row {
        copies: true,
        headers: &[
            &WRITE_IF,
            &CONTENT,
            &CHECKSUM_ALGORITHM,
            &CUSTOMER_KEY,
            &SOURCE_CUSTOMER_KEY,
            &ENCRYPTION,
            &ENCRYPTION_KEY,
            &PAYER,
            &OBJECT_ACL,
            &TAGGING,
            &RETENTION,
            &LEGAL_HOLD,
            &DIRECTIVES,
            &ANNOTATION_DIRECTIVE,
            &SOURCE_IF,
        ],
        actions: &[on_object("s3:PutObject")],
        ..plain("CopyObject", "PUT")
    },
    Row {
        takes: &["versionId"],
        headers: &[&DELETE_IF, &PAYER, &BYPASS],
        actions: &[on_version("s3:DeleteObject", "s3:DeleteObjectVersion")],
        ..plain("DeleteObject", "DELETE")
    },
    // Multipart uploads.
    Row {
        needs: &["uploads"],
        headers: &[
            &CONTENT,
            &CHECKSUM_ALGORITHM,
            &CHECKSUM_TYPE,
            &CUSTOMER_KEY,
            &ENCRYPTION,
            &ENCRYPTION_KEY,
            &PAYER,
            &OBJECT_ACL,
            &TAGGING,
            &RETENTION,
            &LEGAL_HOLD,
        ],
        actions: &[on_object("s3:PutObject")],
        ..plain("CreateMultipartUpload", "POST")
    },
    Row {
        needs: &["partNumber=*", "uploadId=*"],
        headers: &[&BODY_CHECKSUM, &CHECKSUMS, &CUSTOMER_KEY, &PAYER],
        body: Body::Opaque,
        actions: &[on_object("s3:PutObject")],
        ..plain("UploadPart", "PUT")
    },
    Row {
        needs: &["partNumber=*", "uploadId=*"],
        copies: true,
        headers: &[&CUSTOMER_KEY, &SOURCE_CUSTOMER_KEY, &PAYER, &SOURCE_IF, &SOURCE_RANGE],
        actions: &[on_object("s3:PutObject")],
        ..plain("UploadPartCopy", "PUT")
    },
    Row {
        needs: &["uploadId=*"],
        headers: &[&WRITE_IF, &CHECKSUMS, &CHECKSUM_TYPE, &MULTIPART_SIZE, &CUSTOMER_KEY, &PAYER],
        body: xml(shape::COMPLETE_MULTIPART_UPLOAD),
        actions: &[on_object("s3:PutObject")],
        ..plain("CompleteMultipartUpload", "POST")
    },
    Row {
        needs: &["uploadId=*"],
        headers: &[&ABORT_IF, &PAYER],
        actions: &[on_object("s3:AbortMultipartUpload")],
        ..plain("AbortMultipartUpload", "DELETE")
    },
    Row {
        needs: &["uploadId=*"],
        takes: &["max-parts", "part-number-marker"],
        headers: &[&CUSTOMER_KEY, &PAYER],
        actions: &[on_object("s3:ListMultipartUploadParts")],
        ..plain("ListParts", "GET")
    },
    // What S3 keeps about an object.
    Row {
        needs: &["attributes"],
        takes: &["versionId"],
        headers: &[&ATTRIBUTES, &CUSTOMER_KEY, &PAYER],
        actions: &[
            on_version("s3:GetObject", "s3:GetObjectVersion"),
            on_version("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"),
        ],
        ..plain("GetObjectAttributes", "GET")
    },
    Row {
        needs: &["acl"],
        takes: &["versionId"],
        headers: &[&PAYER],
        actions: &[on_version("s3:GetObjectAcl", "s3:GetObjectVersionAcl")],
        ..plain("GetObjectAcl", "GET")
    },
    Row {
        needs: &["acl"],
        takes: &["versionId"],
        headers: &[&ACL, &PAYER],
        body: shape::OPTIONAL_ACL,
        actions: &[on_version("s3:PutObjectAcl", "s3:PutObjectVersionAcl")],
        ..plain("PutObjectAcl", "PUT")
    },
    Row {
        needs: &["tagging"],
        takes: &["versionId"],
        headers: &[&PAYER],
        actions: &[on_version("s3:GetObjectTagging", "s3:GetObjectVersionTagging")],
        ..plain("GetObjectTagging", "GET")
    },
    Row {
        needs: &["tagging"],
        takes: &["versionId"],
        headers: &[&PAYER],
        body: sum(shape::TAGGING),
        actions: &[on_version("s3:PutObjectTagging", "s3:PutObjectVersionTagging")],
        ..plain("PutObjectTagging", "PUT")
    },
    Row {
        needs: &["tagging"],
        takes: &["versionId"],
        actions: &[on_version("s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging")],
        ..plain("DeleteObjectTagging", "DELETE")
    },
    Row {
        needs: &["retention"],
        takes: &["versionId"],
        headers: &[&PAYER],
        actions: &[on_object("s3:GetObjectRetention")],
        ..plain("GetObjectRetention", "GET")
    },
    Row {
        needs: &["retention"],
        takes: &["versionId"],
        headers: &[&PAYER, &BYPASS],
        body: sum(shape::RETENTION),
        actions: &[on_object("s3:PutObjectRetention")],
        ..plain("PutObjectRetention", "PUT")
    },
    Row {
        needs: &["legal-hold"],
        takes: &["versionId"],
        headers: &[&PAYER],
        actions: &[on_object("s3:GetObjectLegalHold")],
        ..plain("GetObjectLegalHold", "GET")
    },
    Row {
        needs: &["legal-hold"],
        takes: &["versionId"],
        headers: &[&PAYER],
        body: sum(shape::LEGAL_HOLD),
        actions: &[on_object("s3:PutObjectLegalHold")],
        ..plain("PutObjectLegalHold", "PUT")
    },
    Row {
        needs: &["annotation", "annotationName=*"],
        takes: &["versionId"],
        headers: &[&PAYER, &CHECKSUM_MODE],
        actions: &[on_version("s3:GetObjectAnnotation", "s3:GetObjectVersionAnnotation")],
        ..plain("GetObjectAnnotation", "GET")
    },
    Row {
        needs: &["annotation"],
        takes: &["annotation-prefix", "continuation-token", "max-annotation-results", "versionId"],
        headers: &[&PAYER],
        actions: &[on_version("s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations")],
        ..plain("ListObjectAnnotations", "GET")
    },
    Row {
        needs: &["annotation", "annotationName=*"],
        takes: &["versionId"],
        headers: &[&PAYER, &BODY_CHECKSUM, &CHECKSUMS, &ANNOTATION_IF],
        body: Body::Opaque,
        actions: &[on_version("s3:PutObjectAnnotation", "s3:PutObjectVersionAnnotation")],
        ..plain("PutObjectAnnotation", "PUT")
    },
    Row {
        needs: &["annotation", "annotationName=*"],
        takes: &["versionId"],
        headers: &[&PAYER, &ANNOTATION_IF],
        actions: &[on_version("s3:DeleteObjectAnnotation", "s3:DeleteObjectVersionAnnotation")],
        ..plain("DeleteObjectAnnotation", "DELETE")
    },
    Row {
        needs: &["restore"],
        takes: &["versionId"],
        headers: &[&PAYER],
        body: sum(shape::RESTORE),
        actions: &[on_object("s3:RestoreObject")],
        ..plain("RestoreObject", "POST")
    },
    Row {
        needs: &["select", "select-type=2"],
        headers: &[&CUSTOMER_KEY],
        body: xml(shape::SELECT),
        actions: &[on_object("s3:GetObject")],
        ..plain("SelectObjectContent", "POST")
    },
];
