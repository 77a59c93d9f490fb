//! Amazon DynamoDB: JSON 1.0.
//!
//! A table is named by its name or its ARN, and a Query or Scan of an index needs the permission on the index. Each item
//! that a call names goes into its check, so that a capability can bind a task to partition keys.
//!
//! Refused on purpose: PartiQL, whose statements would have to be parsed; what copies a table to or from elsewhere
//! (export, import, restore, bulk operations, replicas, Kinesis); and customer keys in table definitions, which need
//! grants on the key.
//!
//! Sources: Amazon DynamoDB API Reference; "Actions, resources, and condition keys for Amazon DynamoDB", Service
//! Authorization Reference; "Using IAM with DynamoDB transactions" (transaction-apis-iam.html), Developer Guide.

mod expression;
mod items;

use rolebox_policy::{Check, CheckResource};

use crate::api::{Input, Row, Service, missing, on_any, place, rows};
use crate::call::Protocol;
use crate::names;
use crate::refusal::{Quoted, Refusal};
use items::{batch_get, batch_write, item, key, query, transact_get, transact_write};

pub(crate) static SERVICE: Service = Service {
    endpoint: "dynamodb",
    signing_name: "dynamodb",
    actions: "dynamodb",
    json: Some(("DynamoDB_20120810", Protocol::Json10)),
    query: None,
    rows: ROWS,
};

const ROWS: &[Row] = rows! {
    BatchGetItem "RequestItems%(Keys AttributesToGet ConsistentRead ProjectionExpression ExpressionAttributeNames) ReturnConsumedCapacity" => batch_get;
    BatchWriteItem "RequestItems%*(PutRequest(Item) DeleteRequest(Key)) ReturnConsumedCapacity ReturnItemCollectionMetrics" => batch_write;
    CreateBackup "TableName BackupName" => table;
    CreateTable "AttributeDefinitions*(AttributeName AttributeType) TableName KeySchema*(AttributeName KeyType) LocalSecondaryIndexes*(IndexName KeySchema Projection) GlobalSecondaryIndexes*(IndexName KeySchema Projection ProvisionedThroughput OnDemandThroughput WarmThroughput) BillingMode ProvisionedThroughput StreamSpecification(StreamEnabled StreamViewType) SSESpecification(Enabled SSEType) Tags*(Key Value) TableClass DeletionProtectionEnabled WarmThroughput ResourcePolicy OnDemandThroughput" => create_table;
    DeleteBackup "BackupArn" => backup;
    DeleteItem "TableName Key Expected ConditionalOperator ReturnValues ReturnConsumedCapacity ReturnItemCollectionMetrics ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure" => key;
    DeleteResourcePolicy "ResourceArn ExpectedRevisionId" => by_arn;
    DeleteTable "TableName" => table;
    DescribeBackup "BackupArn" => backup;
    DescribeContinuousBackups "TableName" => table;
    DescribeContributorInsights "TableName IndexName" => table_or_index;
    DescribeEndpoints "" => on_any;
    DescribeLimits "" => on_any;
    DescribeTable "TableName" => table;
    DescribeTimeToLive "TableName" => table;
    GetItem "TableName Key AttributesToGet ConsistentRead ReturnConsumedCapacity ProjectionExpression ExpressionAttributeNames" => key;
    GetResourcePolicy "ResourceArn" => by_arn;
    ListBackups "TableName Limit TimeRangeLowerBound TimeRangeUpperBound ExclusiveStartBackupArn BackupType" => on_any;
    ListContributorInsights "TableName NextToken MaxResults" => on_any;
    ListTables "ExclusiveStartTableName Limit" => on_any;
    ListTagsOfResource "ResourceArn NextToken" => by_arn;
    PutItem "TableName Item Expected ReturnValues ReturnConsumedCapacity ReturnItemCollectionMetrics ConditionalOperator ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure" => item;
    PutResourcePolicy "ResourceArn Policy ExpectedRevisionId ConfirmRemoveSelfResourceAccess" => by_arn;
    Query "TableName IndexName Select AttributesToGet Limit ConsistentRead KeyConditions%(AttributeValueList ComparisonOperator) QueryFilter ConditionalOperator ScanIndexForward ExclusiveStartKey ReturnConsumedCapacity ProjectionExpression FilterExpression KeyConditionExpression ExpressionAttributeNames ExpressionAttributeValues" => query;
    Scan "TableName IndexName AttributesToGet Limit Select ScanFilter ConditionalOperator ExclusiveStartKey ReturnConsumedCapacity TotalSegments Segment ProjectionExpression FilterExpression ExpressionAttributeNames ExpressionAttributeValues ConsistentRead" => table_or_index;
    TagResource "ResourceArn Tags*(Key Value)" => tag;
    TransactGetItems "TransactItems*(Get(Key TableName ProjectionExpression ExpressionAttributeNames)) ReturnConsumedCapacity" => transact_get;
    TransactWriteItems "TransactItems*(ConditionCheck(Key TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure) Put(Item TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure) Delete(Key TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure) Update(Key UpdateExpression TableName ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure)) ReturnConsumedCapacity ReturnItemCollectionMetrics ClientRequestToken" => transact_write;
    UntagResource "ResourceArn TagKeys" => untag;
    UpdateContinuousBackups "TableName PointInTimeRecoverySpecification(PointInTimeRecoveryEnabled RecoveryPeriodInDays)" => table;
    UpdateContributorInsights "TableName IndexName ContributorInsightsAction ContributorInsightsMode" => table_or_index;
    UpdateItem "TableName Key AttributeUpdates%(Value Action) Expected ConditionalOperator ReturnValues ReturnConsumedCapacity ReturnItemCollectionMetrics UpdateExpression ConditionExpression ExpressionAttributeNames ExpressionAttributeValues ReturnValuesOnConditionCheckFailure" => key;
    UpdateTable "AttributeDefinitions*(AttributeName AttributeType) TableName BillingMode ProvisionedThroughput GlobalSecondaryIndexUpdates*(Update(IndexName ProvisionedThroughput OnDemandThroughput WarmThroughput) Create(IndexName KeySchema Projection ProvisionedThroughput OnDemandThroughput WarmThroughput) Delete(IndexName)) StreamSpecification(StreamEnabled StreamViewType) SSESpecification(Enabled SSEType) TableClass DeletionProtectionEnabled OnDemandThroughput WarmThroughput" => table;
    UpdateTimeToLive "TableName TimeToLiveSpecification(Enabled AttributeName)" => table;
};

/// The ARN of a table that is named by its name or its ARN.
fn table_arn(input: &Input<'_>, name: &str) -> Result<String, Refusal> {
    let refuse = || {
        Refusal::not_understood(
            "table",
            format!("{} is not a table's name or ARN", Quoted(name)),
            "name a table by 1 to 255 letters, digits, dots, dashes and underscores, or by its ARN",
        )
    };
    let is_name = |name: &str| {
        (1..=255).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    if !name.starts_with("arn:") {
        return if is_name(name) { Ok(input.resource(&format!("table/{name}"))) } else { Err(refuse()) };
    }
    let arn = names::arn("table", name, "dynamodb", input.scope)?;
    let whole = arn.account.len() == 12 && !arn.region.is_empty();
    match arn.resource.strip_prefix("table/") {
        Some(table) if whole && is_name(table) => Ok(arn.to_string()),
        _ => Err(refuse()),
    }
}

fn table_of(input: &Input<'_>) -> Result<String, Refusal> {
    table_arn(input, input.required("TableName")?)
}

fn table(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    Ok(vec![input.own(CheckResource::Arn(table_of(input)?))])
}

/// A table, or one of its indexes: the index alone is what IAM looks at then.
fn table_or_index(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut arn = table_of(input)?;
    if let Some(index) = input.optional("IndexName")? {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if index.len() > 255 || !index.bytes().all(plain) {
            return Err(Refusal::not_understood(
                place("IndexName"),
                format!("{} is not an index's name", Quoted(index)),
                "name an index by letters, digits, dots, dashes and underscores",
            ));
        }
        arn.push_str("/index/");
        arn.push_str(index);
    }
    Ok(vec![input.own(CheckResource::Arn(arn))])
}

fn create_table(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let arn = CheckResource::Arn(table_of(input)?);
    let mut checks = vec![tags(input.own(arn.clone()), input)?];
    if input.has("Tags") {
        checks.push(tags(input.action("TagResource", arn.clone()), input)?);
    }
    if input.has("ResourcePolicy") {
        checks.push(input.action("PutResourcePolicy", arn));
    }
    Ok(checks)
}

fn backup(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    arn_of(input, "BackupArn")
}

fn by_arn(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    arn_of(input, "ResourceArn")
}

/// What lies in a table's ARN: the table, an index, a stream or a backup.
fn arn_of(input: &Input<'_>, name: &str) -> Result<Vec<Check>, Refusal> {
    let arn = input.arn(name)?;
    if !arn.resource.starts_with("table/") || arn.account.is_empty() || arn.region.is_empty() {
        return Err(Refusal::not_understood(
            place(name),
            "it is not a table's ARN",
            "name a table, or what lies in it",
        ));
    }
    Ok(vec![input.own(CheckResource::Arn(arn.to_string()))])
}

fn tag(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    by_arn(input)?.into_iter().map(|check| tags(check, input)).collect()
}

fn untag(input: &Input<'_>) -> Result<Vec<Check>, Refusal> {
    let mut checks = by_arn(input)?;
    for check in &mut checks {
        check.context.insert_all("aws:TagKeys", input.texts("TagKeys")?);
    }
    Ok(checks)
}

/// Adds the tags that a request sets to a check's conditions.
fn tags(mut check: Check, input: &Input<'_>) -> Result<Check, Refusal> {
    let mut keys = Vec::new();
    for tag in input.body.list("Tags")? {
        let (Some(key), Some(value)) = (tag.text("Key")?, tag.text("Value")?) else {
            return Err(missing("Tags"));
        };
        check.context.insert(format!("aws:RequestTag/{key}"), value);
        keys.push(key);
    }
    check.context.insert_all("aws:TagKeys", keys);
    Ok(check)
}
