//! Requests to services other than S3, and what they mean.

use crate::common::{kind, permission, wire};

/// A JSON request's meaning, or the kind of its refusal. ARNs are cut to what follows account and Region of the task.
fn json(host: &str, version: &str, target: &str, body: &str) -> String {
    let content_type = format!("application/x-amz-json-{version}");
    let headers = [("Content-Type", content_type.as_str()), ("X-Amz-Target", target)];
    meaning(wire("POST", &format!("https://{host}.us-east-1.amazonaws.com/"), &headers, body.as_bytes()))
}

/// The same for the query protocol.
fn form(host: &str, path: &str, body: &str) -> String {
    let headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    meaning(wire("POST", &format!("https://{host}.us-east-1.amazonaws.com{path}"), &headers, body.as_bytes()))
}

fn meaning(read: Result<Option<rolebox_aws_request::Operation>, rolebox_aws_request::Refusal>) -> String {
    match read {
        Err(refusal) => kind(&refusal).to_owned(),
        Ok(None) => "another host".to_owned(),
        Ok(Some(operation)) => {
            let own = |check| {
                permission(check)
                    .replace("arn:aws:dynamodb:us-east-1:123456789012:", "")
                    .replace(":us-east-1:123456789012:", ":::")
            };
            operation.checks.iter().map(own).collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn dynamodb() {
    let key = r#""Key":{"pk":{"S":"u1"}}"#;
    for (operation, body, expected) in [
        ("GetItem", format!(r#"{{"TableName":"t",{key}}}"#), "dynamodb:GetItem on table/t"),
        ("GetItem", format!(r#"{{"TableName":"arn:aws:dynamodb:eu-west-1:999999999999:table/t",{key}}}"#), "dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:999999999999:table/t"),
        ("PutItem", r#"{"TableName":"t","Item":{"pk":{"S":"u1"}}}"#.into(), "dynamodb:PutItem on table/t"),
        ("UpdateItem", format!(r#"{{"TableName":"t",{key}}}"#), "dynamodb:UpdateItem on table/t"),
        ("DeleteItem", format!(r#"{{"TableName":"t",{key}}}"#), "dynamodb:DeleteItem on table/t"),
        ("Query", r#"{"TableName":"t"}"#.into(), "dynamodb:Query on table/t"),
        ("Query", r#"{"TableName":"t","IndexName":"i"}"#.into(), "dynamodb:Query on table/t/index/i"),
        ("Scan", r#"{"TableName":"t"}"#.into(), "dynamodb:Scan on table/t"),
        ("Scan", r#"{"TableName":"t","IndexName":"i"}"#.into(), "dynamodb:Scan on table/t/index/i"),
        ("BatchGetItem", r#"{"RequestItems":{"a":{"Keys":[{"pk":{"S":"1"}}]},"b":{"Keys":[{"pk":{"S":"2"}}]}}}"#.into(), "dynamodb:BatchGetItem on table/a, dynamodb:BatchGetItem on table/b"),
        ("BatchWriteItem", r#"{"RequestItems":{"a":[{"PutRequest":{"Item":{"pk":{"S":"1"}}}}],"b":[{"DeleteRequest":{"Key":{"pk":{"S":"1"}}}}]}}"#.into(), "dynamodb:BatchWriteItem on table/a, dynamodb:BatchWriteItem on table/b"),
        ("TransactWriteItems", format!(r#"{{"TransactItems":[{{"Put":{{"TableName":"a","Item":{{}}}}}},{{"Update":{{"TableName":"b",{key}}}}},{{"Delete":{{"TableName":"c",{key}}}}},{{"ConditionCheck":{{"TableName":"d",{key}}}}}]}}"# ), "dynamodb:PutItem on table/a, dynamodb:UpdateItem on table/b, dynamodb:DeleteItem on table/c, dynamodb:ConditionCheckItem on table/d"),
        ("TransactGetItems", format!(r#"{{"TransactItems":[{{"Get":{{"TableName":"a",{key}}}}}]}}"#), "dynamodb:GetItem on table/a"),
        ("DescribeTable", r#"{"TableName":"t"}"#.into(), "dynamodb:DescribeTable on table/t"),
        ("ListTables", "{}".into(), "dynamodb:ListTables on *"),
        ("ListTables", String::new(), "dynamodb:ListTables on *"),
        ("CreateTable", r#"{"TableName":"t","Tags":[{"Key":"a","Value":"b"}],"ResourcePolicy":"{}"}"#.into(), "dynamodb:CreateTable on table/t, dynamodb:TagResource on table/t, dynamodb:PutResourcePolicy on table/t"),
        ("DeleteBackup", r#"{"BackupArn":"arn:aws:dynamodb:us-east-1:123456789012:table/t/backup/1"}"#.into(), "dynamodb:DeleteBackup on table/t/backup/1"),
        // Refused: what is not parsed, hides its table, or is not what it seems.
        ("ExecuteStatement", r#"{"Statement":"SELECT * FROM t"}"#.into(), "not understood"),
        ("BatchExecuteStatement", r#"{"Statements":[]}"#.into(), "not understood"),
        ("ExecuteTransaction", r#"{"TransactStatements":[]}"#.into(), "not understood"),
        ("ExportTableToPointInTime", "{}".into(), "not understood"),
        ("getItem", format!(r#"{{"TableName":"t",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"tableName":"t",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"t","New":1,{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"t","TableName":"u",{key}}}"#), "malformed"),
        ("GetItem", format!(r#"{{"TableName":null,{key}}}"#), "malformed"),
        ("GetItem", format!("{{{key}}}"), "malformed"),
        ("GetItem", r#"{"TableName":"t"}"#.into(), "malformed"),
        ("GetItem", r#"{"TableName":"t","Key":[]}"#.into(), "malformed"),
        ("GetItem", format!(r#"{{"TableName":"t/../u",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"*",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"arn:aws:dynamodb:us-east-1:123456789012:table/*",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"arn:aws:dynamodb:us-east-1::table/t",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t",{key}}}"#), "not understood"),
        ("GetItem", format!(r#"{{"TableName":"arn:aws:s3:::table/t",{key}}}"#), "not understood"),
        ("Query", r#"{"TableName":"t","IndexName":"i/*"}"#.into(), "not understood"),
        ("Query", r#"{"TableName":"t","IndexName":""}"#.into(), "malformed"),
        ("BatchGetItem", r#"{"RequestItems":{}}"#.into(), "not understood"),
        ("BatchGetItem", r#"{"RequestItems":{"a":{"Keys":[]}}}"#.into(), "malformed"),
        ("BatchWriteItem", r#"{"RequestItems":{"a":[{"PutRequest":{"Item":{}},"DeleteRequest":{"Key":{}}}]}}"#.into(), "malformed"),
        ("BatchWriteItem", r#"{"RequestItems":{"a":[{}]}}"#.into(), "malformed"),
        ("TransactWriteItems", r#"{"TransactItems":[]}"#.into(), "not understood"),
        ("TransactWriteItems", r#"{"TransactItems":[{"Put":{"TableName":"a","Item":{}},"Delete":{"TableName":"b","Key":{}}}]}"#.into(), "malformed"),
        ("TransactWriteItems", r#"{"TransactItems":[{"Get":{"TableName":"a","Key":{}}}]}"#.into(), "not understood"),
        ("UpdateTable", r#"{"TableName":"t","ReplicaUpdates":[]}"#.into(), "not understood"),
        ("CreateTable", r#"{"TableName":"t","SSESpecification":{"KMSMasterKeyId":"k"}}"#.into(), "not understood"),
    ] {
        let target = format!("DynamoDB_20120810.{operation}");
        assert_eq!(json("dynamodb", "1.0", &target, &body), expected, "{operation} {body}");
    }
}

#[test]
fn dynamodb_items_are_those_that_the_call_names() {
    let items = |operation: &str, body: &str| {
        let headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", &format!("DynamoDB_20120810.{operation}")),
        ];
        let operation = wire("POST", "https://dynamodb.us-east-1.amazonaws.com/", &headers, body.as_bytes());
        let checks = operation.unwrap().unwrap().checks;
        let value = |item: &rolebox_policy::ItemKey| item.value("pk").unwrap_or("-").to_owned();
        checks.iter().flat_map(|check| check.items.iter().map(value)).collect::<Vec<_>>()
    };
    let values = r#""ExpressionAttributeValues":{":v":{"S":"u1"},":w":{"S":"u2"}}"#;
    for (operation, body, expected) in [
        ("GetItem", r#"{"TableName":"t","Key":{"pk":{"S":"u1"},"sk":{"N":"1"}}}"#.to_owned(), &["u1"] as &[&str]),
        ("GetItem", r#"{"TableName":"t","Key":{"pk":{"N":"1.0"}}}"#.into(), &["1.0"]),
        ("GetItem", r#"{"TableName":"t","Key":{"pk":{"B":"dTE="}}}"#.into(), &["-"]),
        ("GetItem", r#"{"TableName":"t","Key":{"pk":{"S":"u1","N":"1"}}}"#.into(), &["-"]),
        ("PutItem", r#"{"TableName":"t","Item":{"other":{"S":"x"}}}"#.into(), &["-"]),
        ("BatchGetItem", r#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"u1"}},{"pk":{"S":"u2"}}]}}}"#.into(), &["u1", "u2"]),
        ("Query", format!(r#"{{"TableName":"t","KeyConditionExpression":"pk = :v",{values}}}"#), &["u1"]),
        ("Query", format!(r#"{{"TableName":"t","KeyConditionExpression":"pk = :v AND sk > :w",{values}}}"#), &["u1"]),
        ("Query", format!(r#"{{"TableName":"t","IndexName":"i","KeyConditionExpression":"pk = :v",{values}}}"#), &[]),
        ("Query", format!(r#"{{"TableName":"t","KeyConditionExpression":"pk = :v OR pk = :w",{values}}}"#), &[]),
        ("Query", format!(r#"{{"TableName":"t","KeyConditionExpression":"pk = :v AND pk = :w",{values}}}"#), &["-"]),
        ("Query", format!(r#"{{"TableName":"t","KeyConditionExpression":"pk > :v",{values}}}"#), &["-"]),
        ("Scan", r#"{"TableName":"t"}"#.into(), &[]),
    ] {
        assert_eq!(items(operation, &body), expected, "{operation} {body}");
    }
}

#[test]
fn sqs() {
    const URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
    let url = format!(r#"{{"QueueUrl":"{URL}"}}"#);
    for (operation, body, expected) in [
        ("SendMessage", url.clone(), "sqs:SendMessage on arn:aws:sqs:::q"),
        ("SendMessageBatch", url.clone(), "sqs:SendMessage on arn:aws:sqs:::q"),
        ("ReceiveMessage", url.clone(), "sqs:ReceiveMessage on arn:aws:sqs:::q"),
        ("DeleteMessageBatch", url.clone(), "sqs:DeleteMessage on arn:aws:sqs:::q"),
        ("ChangeMessageVisibilityBatch", url.clone(), "sqs:ChangeMessageVisibility on arn:aws:sqs:::q"),
        ("SendMessage", r#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/999999999999/q"}"#.into(), "sqs:SendMessage on arn:aws:sqs:us-east-1:999999999999:q"),
        ("GetQueueUrl", r#"{"QueueName":"q"}"#.into(), "sqs:GetQueueUrl on arn:aws:sqs:::q"),
        ("GetQueueUrl", r#"{"QueueName":"q","QueueOwnerAWSAccountId":"999999999999"}"#.into(), "sqs:GetQueueUrl on arn:aws:sqs:us-east-1:999999999999:q"),
        ("ListQueues", "{}".into(), "sqs:ListQueues on *"),
        ("CreateQueue", r#"{"QueueName":"q.fifo","tags":{"a":"b"}}"#.into(), "sqs:CreateQueue on arn:aws:sqs:::q.fifo, sqs:TagQueue on arn:aws:sqs:::q.fifo"),
        ("SetQueueAttributes", format!(r#"{{"QueueUrl":"{URL}","Attributes":{{"DelaySeconds":"1"}}}}"#), "sqs:SetQueueAttributes on arn:aws:sqs:::q"),
        ("SetQueueAttributes", format!(r#"{{"QueueUrl":"{URL}","Attributes":{{"Policy":"{{}}"}}}}"#), "sqs:SetQueueAttributes on arn:aws:sqs:::q, sqs:AddPermission on arn:aws:sqs:::q"),
        ("SendMessage", "{}".into(), "malformed"),
        ("SendMessage", r#"{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/q"}"#.into(), "not understood"),
        ("SendMessage", r#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q?x=y"}"#.into(), "not understood"),
        ("SendMessage", format!(r#"{{"QueueUrl":"{URL}","queueUrl":"{URL}"}}"#), "not understood"),
        ("sendMessage", url.clone(), "not understood"),
        ("GetQueueUrl", r#"{"QueueName":"q/*"}"#.into(), "not understood"),
        ("GetQueueUrl", r#"{"QueueName":"q","QueueOwnerAWSAccountId":"*"}"#.into(), "not understood"),
    ] {
        assert_eq!(json("sqs", "1.0", &format!("AmazonSQS.{operation}"), &body), expected, "{operation} {body}");
    }
    let version = "Version=2012-11-05";
    for (path, body, expected) in [
        ("/", format!("Action=SendMessage&{version}&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fq&MessageBody=a+b" ), "sqs:SendMessage on arn:aws:sqs:::q"),
        ("/123456789012/q", format!("Action=SendMessage&{version}&MessageBody=x"), "sqs:SendMessage on arn:aws:sqs:::q"),
        ("/123456789012/q/", format!("Action=ReceiveMessage&{version}&AttributeName.1=All"), "sqs:ReceiveMessage on arn:aws:sqs:::q"),
        ("/123456789012/q", format!("Action=SetQueueAttributes&{version}&Attribute.1.Name=Policy&Attribute.1.Value=x"), "sqs:SetQueueAttributes on arn:aws:sqs:::q, sqs:AddPermission on arn:aws:sqs:::q"),
        ("/123456789012/q", format!("Action=SendMessage&{version}&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fother" ), "not understood"),
        ("/123456789012/%71", format!("Action=SendMessage&{version}"), "not understood"),
        ("/123456789012/q/../r", format!("Action=SendMessage&{version}"), "malformed"),
        ("/", format!("Action=SendMessage&{version}"), "malformed"),
        ("/?Action=DeleteQueue", format!("Action=SendMessage&{version}"), "not understood"),
        ("/123456789012/q", format!("Action=SendMessage&Action=DeleteQueue&{version}"), "malformed"),
        ("/123456789012/q", "Action=SendMessage".into(), "not understood"),
        ("/123456789012/q", format!("Action=SendMessage&{version}&New=1"), "not understood"),
    ] {
        assert_eq!(form("sqs", path, &body), expected, "{path} {body}");
    }
}

#[test]
fn sns_and_sts() {
    const TOPIC: &str = "TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At";
    let version = "Version=2010-03-31";
    for (body, expected) in [
        (format!("Action=Publish&{version}&{TOPIC}&Message=m"), "sns:Publish on arn:aws:sns:::t"),
        (format!("Action=PublishBatch&{version}&{TOPIC}&PublishBatchRequestEntries.member.1.Id=1"), "sns:Publish on arn:aws:sns:::t"),
        (format!("Action=Publish&{version}&PhoneNumber=%2B15550100&Message=m"), "sns:Publish on *"),
        (format!("Action=CreateTopic&{version}&Name=t&Tags.member.1.Key=a"), "sns:CreateTopic on arn:aws:sns:::t, sns:TagResource on arn:aws:sns:::t"),
        (format!("Action=CreateTopic&{version}&Name=t&Attributes.entry.1.key=Policy&Attributes.entry.1.value=x"), "sns:CreateTopic on arn:aws:sns:::t, sns:AddPermission on arn:aws:sns:::t"),
        (format!("Action=SetTopicAttributes&{version}&{TOPIC}&AttributeName=Policy"), "sns:SetTopicAttributes on arn:aws:sns:::t, sns:AddPermission on arn:aws:sns:::t"),
        (format!("Action=Unsubscribe&{version}&SubscriptionArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3At%3Aid"), "sns:Unsubscribe on arn:aws:sns:::t"),
        (format!("Action=ListTopics&{version}"), "sns:ListTopics on *"),
        (format!("Action=Publish&{version}&{TOPIC}&PhoneNumber=1"), "not understood"),
        (format!("Action=Publish&{version}&Message=m"), "malformed"),
        (format!("Action=Publish&{version}&{TOPIC}&TopicArn.1=x"), "malformed"),
        (format!("Action=Publish&{version}&{TOPIC}&{TOPIC}"), "malformed"),
        (format!("Action=Publish&{version}&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3A*"), "not understood"),
        (format!("Action=Publish&{version}&{TOPIC}&X-Amz-Signature=1"), "never signed"),
        (format!("Action=CreatePlatformApplication&{version}"), "not understood"),
        (format!("Action=Publish&Version=2011-06-15&{TOPIC}"), "not understood"),
        (format!("Action=publish&{version}&{TOPIC}"), "not understood"),
        (format!("Action=Publish&{version}&{TOPIC}&Message=%"), "malformed"),
        (String::new(), "malformed"),
    ] {
        assert_eq!(form("sns", "/", &body), expected, "{body}");
    }
    for (body, expected) in [
        ("Action=GetCallerIdentity&Version=2011-06-15", "sts:GetCallerIdentity on *"),
        ("Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s", "never signed"),
        ("Action=GetSessionToken&Version=2011-06-15", "never signed"),
        ("Action=GetFederationToken&Version=2011-06-15&Name=n", "never signed"),
        ("Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "never signed"),
        ("Action=DecodeAuthorizationMessage&Version=2011-06-15", "never signed"),
        ("Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15", "malformed"),
        ("Action=GetCallerIdentity&Version=2011-06-15&RoleArn=r", "never signed"),
        ("action=GetCallerIdentity&Version=2011-06-15", "never signed"),
    ] {
        assert_eq!(form("sts", "/", body), expected, "{body}");
    }
    assert_eq!(form("iam", "/", "Action=GetUser&Version=2010-05-08"), "never signed");
}

#[test]
fn secrets_parameters_and_keys() {
    for (host, target, body, expected) in [
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"db"}"#, "secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:db-??????"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3"}"#, "secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:db-a1B2c3"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"arn:aws:secretsmanager:us-east-1:123456789012:secret:db"}"#, "secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:db-??????"),
        ("secretsmanager", "secretsmanager.BatchGetSecretValue", r#"{"SecretIdList":["a","b"]}"#, "secretsmanager:BatchGetSecretValue on *, secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:a-??????, secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:b-??????"),
        ("secretsmanager", "secretsmanager.BatchGetSecretValue", r#"{"Filters":[{"Key":"name","Values":["a"]}]}"#, "secretsmanager:BatchGetSecretValue on *, secretsmanager:ListSecrets on *, secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:*"),
        ("secretsmanager", "secretsmanager.CreateSecret", r#"{"Name":"db","KmsKeyId":"alias/k"}"#, "secretsmanager:CreateSecret on arn:aws:secretsmanager:::secret:db-??????, kms:GenerateDataKey on arn:aws:kms:::key/*, kms:Decrypt on arn:aws:kms:::key/*"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"db*"}"#, "not understood"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":"db?"}"#, "not understood"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{"SecretId":""}"#, "malformed"),
        ("secretsmanager", "secretsmanager.GetSecretValue", r#"{}"#, "malformed"),
        ("secretsmanager", "secretsmanager.ReplicateSecretToRegions", r#"{"SecretId":"db"}"#, "not understood"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/a/b"}"#, "ssm:GetParameter on arn:aws:ssm:::parameter/a/b"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"a:3"}"#, "ssm:GetParameter on arn:aws:ssm:::parameter/a"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"arn:aws:ssm:us-east-1:999999999999:parameter/a"}"#, "ssm:GetParameter on arn:aws:ssm:us-east-1:999999999999:parameter/a"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/aws/service/ami/x"}"#, "ssm:GetParameter on arn:aws:ssm:us-east-1::parameter/aws/service/ami/x"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/aws/reference/secretsmanager/db"}"#, "ssm:GetParameter on arn:aws:ssm:::parameter/aws/reference/secretsmanager/db, secretsmanager:GetSecretValue on arn:aws:secretsmanager:::secret:db-??????"),
        ("ssm", "AmazonSSM.GetParameters", r#"{"Names":["a","/b"]}"#, "ssm:GetParameters on arn:aws:ssm:::parameter/a, ssm:GetParameters on arn:aws:ssm:::parameter/b"),
        ("ssm", "AmazonSSM.GetParametersByPath", r#"{"Path":"/a/"}"#, "ssm:GetParametersByPath on arn:aws:ssm:::parameter/a, ssm:GetParametersByPath on arn:aws:ssm:::parameter/a/*"),
        ("ssm", "AmazonSSM.GetParametersByPath", r#"{"Path":"/"}"#, "ssm:GetParametersByPath on arn:aws:ssm:::parameter/*"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/a/../b"}"#, "not understood"),
        ("ssm", "AmazonSSM.GetParameter", r#"{"Name":"/a//b"}"#, "not understood"),
        ("ssm", "AmazonSSM.GetParameters", r#"{"Names":[]}"#, "not understood"),
        ("ssm", "AmazonSSM.GetParameters", r#"{"Names":[1]}"#, "malformed"),
        ("ssm", "AmazonSSM.SendCommand", r#"{}"#, "not understood"),
        ("ssm", "AmazonSSM.StartSession", r#"{}"#, "not understood"),
        ("kms", "TrentService.Encrypt", r#"{"KeyId":"k-1"}"#, "kms:Encrypt on arn:aws:kms:::key/k-1"),
        ("kms", "TrentService.Decrypt", r#"{"CiphertextBlob":"x"}"#, "kms:Decrypt on arn:aws:kms:::key/*"),
        ("kms", "TrentService.Decrypt", r#"{"CiphertextBlob":"x","KeyId":"alias/a"}"#, "kms:Decrypt on arn:aws:kms:::key/*"),
        ("kms", "TrentService.ReEncrypt", r#"{"CiphertextBlob":"x","DestinationKeyId":"k-2"}"#, "kms:ReEncryptFrom on arn:aws:kms:::key/*, kms:ReEncryptTo on arn:aws:kms:::key/k-2"),
        ("kms", "TrentService.CreateAlias", r#"{"AliasName":"alias/a","TargetKeyId":"k-1"}"#, "kms:CreateAlias on arn:aws:kms:::alias/a, kms:CreateAlias on arn:aws:kms:::key/k-1"),
        ("kms", "TrentService.Decrypt", r#"{"CiphertextBlob":"x","KeyId":null}"#, "malformed"),
        ("kms", "TrentService.Encrypt", r#"{"KeyId":"*"}"#, "not understood"),
        ("kms", "TrentService.CreateKey", r#"{"Policy":"{}"}"#, "not understood"),
        ("kms", "TrentService.ImportKeyMaterial", r#"{"KeyId":"k-1"}"#, "not understood"),
    ] {
        assert_eq!(json(host, "1.1", target, body), expected, "{target} {body}");
    }
}

#[test]
fn logs_registries_and_services_by_name() {
    for (host, target, body, expected) in [
        ("logs", "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"/g"}"#, "logs:CreateLogGroup on arn:aws:logs:::log-group:/g:*"),
        ("logs", "Logs_20140328.PutLogEvents", r#"{"logGroupName":"/g","logStreamName":"s"}"#, "logs:PutLogEvents on arn:aws:logs:::log-group:/g:log-stream:s"),
        ("logs", "Logs_20140328.FilterLogEvents", r#"{"logGroupIdentifier":"arn:aws:logs:us-east-1:999999999999:log-group:/g","unmask":true}"#, "logs:FilterLogEvents on arn:aws:logs:us-east-1:999999999999:log-group:/g:*, logs:Unmask on arn:aws:logs:us-east-1:999999999999:log-group:/g:*"),
        ("logs", "Logs_20140328.StartQuery", r#"{"logGroupNames":["a","b"],"queryString":"fields x"}"#, "logs:StartQuery on arn:aws:logs:::log-group:a:*, logs:StartQuery on arn:aws:logs:::log-group:b:*"),
        ("logs", "Logs_20140328.TagResource", r#"{"resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:/g"}"#, "logs:TagResource on arn:aws:logs:::log-group:/g"),
        ("logs", "Logs_20140328.StartQuery", r#"{"queryString":"fields x"}"#, "not understood"),
        ("logs", "Logs_20140328.StartQuery", r#"{"logGroupName":"a","queryString":"SOURCE logGroups()"}"#, "not understood"),
        ("logs", "Logs_20140328.StartQuery", r#"{"logGroupName":"a","queryLanguage":"SQL","queryString":"x"}"#, "not understood"),
        ("logs", "Logs_20140328.PutLogEvents", r#"{"logGroupName":"/g","logStreamName":"s:*"}"#, "not understood"),
        ("logs", "Logs_20140328.PutLogEvents", r#"{"logGroupName":"*","logStreamName":"s"}"#, "not understood"),
        ("logs", "Logs_20140328.PutSubscriptionFilter", r#"{"logGroupName":"/g"}"#, "not understood"),
        ("logs", "Logs_20140328.FilterLogEvents", r#"{"logGroupName":"a","logGroupIdentifier":"b"}"#, "not understood"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "{}", "ecr:GetAuthorizationToken on *"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", r#"{"repositoryName":"a/b"}"#, "ecr:BatchGetImage on arn:aws:ecr:::repository/a/b"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", r#"{"repositoryName":"a","registryId":"999999999999"}"#, "not understood"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", r#"{"repositoryName":"ab","registryId":"999999999999"}"#, "ecr:BatchGetImage on arn:aws:ecr:us-east-1:999999999999:repository/ab"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", "{}", "ecr:DescribeRepositories on *"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetImage", r#"{"repositoryName":"a/../b"}"#, "not understood"),
        ("api.ecr", "AmazonEC2ContainerRegistry_V20150921.PutReplicationConfiguration", "{}", "not understood"),
        ("kinesis", "Kinesis_20131202.PutRecord", r#"{"StreamName":"s","Anything":1}"#, "kinesis:PutRecord on *"),
        ("events", "AWSEvents.PutEvents", "{}", "events:PutEvents on *"),
        ("kinesis", "Kinesis_20131202.Unknown", "{}", "not understood"),
        ("kinesis", "DynamoDB_20120810.GetItem", "{}", "not understood"),
        ("unheard-of", "Service.Operation", "{}", "not understood"),
        ("ec2", "Service.Operation", "{}", "not understood"),
    ] {
        assert_eq!(json(host, "1.1", target, body), expected, "{target} {body}");
    }
    assert_eq!(json("states", "1.0", "AWSStepFunctions.StartExecution", "{}"), "states:StartExecution on *");
}

#[test]
fn lambda() {
    let invoke = |method: &str, target: &str, headers: &[(&str, &str)]| {
        meaning(wire(method, &format!("https://lambda.us-east-1.amazonaws.com{target}"), headers, b"{}"))
    };
    for (target, expected) in [
        ("/2015-03-31/functions/f/invocations", "lambda:InvokeFunction on arn:aws:lambda:::function:f"),
        ("/2015-03-31/functions/f/invocations?Qualifier=v1", "lambda:InvokeFunction on arn:aws:lambda:::function:f:v1"),
        ("/2015-03-31/functions/f:v1/invocations?Qualifier=v1", "lambda:InvokeFunction on arn:aws:lambda:::function:f:v1"),
        ("/2015-03-31/functions/f%3A%24LATEST/invocations", "lambda:InvokeFunction on arn:aws:lambda:::function:f:$LATEST"),
        ("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A999999999999%3Afunction%3Af/invocations", "lambda:InvokeFunction on arn:aws:lambda:eu-west-1:999999999999:function:f"),
        ("/2015-03-31/functions/999999999999:function:f/invocations", "lambda:InvokeFunction on arn:aws:lambda:us-east-1:999999999999:function:f"),
        ("/2021-11-15/functions/f/response-streaming-invocations", "lambda:InvokeFunction on arn:aws:lambda:::function:f"),
        ("/2015-03-31/functions/f:v1/invocations?Qualifier=v2", "not understood"),
        ("/2015-03-31/functions/f/invocations?Qualifier=", "not understood"),
        ("/2015-03-31/functions/f/invocations?Qualifier=a&Qualifier=b", "malformed"),
        ("/2015-03-31/functions/f/invocations?Other=1", "not understood"),
        ("/2015-03-31/functions/*/invocations", "not understood"),
        ("/2015-03-31/functions/f%2F..%2Fg/invocations", "malformed"),
        ("/2015-03-31/functions/f%2Fg/invocations", "not understood"),
        ("/2015-03-31/functions//invocations", "not understood"),
        ("/2015-03-31/functions/f", "not understood"),
        ("/2014-11-13/functions/f/invoke-async", "not understood"),
        ("/2015-03-31/functions", "not understood"),
        ("/2015-03-31/event-source-mappings", "not understood"),
    ] {
        assert_eq!(invoke("POST", target, &[]), expected, "{target}");
    }
    assert_eq!(invoke("GET", "/2015-03-31/functions/f/invocations", &[]), "not understood");
    assert_eq!(invoke("POST", "/2015-03-31/functions/f/invocations", &[("X-Amz-Unknown", "1")]), "not understood");
}

#[test]
fn what_the_protocols_refuse() {
    let target = ("X-Amz-Target", "DynamoDB_20120810.ListTables");
    let kind_of = ("Content-Type", "application/x-amz-json-1.0");
    for (method, target_and_path, headers, body, expected) in [
        ("POST", "/", &[kind_of, target] as &[(&str, &str)], "{}", "dynamodb:ListTables on *"),
        ("GET", "/", &[kind_of, target], "", "not understood"),
        ("PUT", "/", &[kind_of, target], "{}", "not understood"),
        ("post", "/", &[kind_of, target], "{}", "not understood"),
        ("POST", "/x", &[kind_of, target], "{}", "not understood"),
        ("POST", "//", &[kind_of, target], "{}", "not understood"),
        ("POST", "/?Action=DeleteTable", &[kind_of, target], "{}", "not understood"),
        ("POST", "/?X-Amz-Target=DynamoDB_20120810.DeleteTable", &[kind_of, target], "{}", "never signed"),
        ("POST", "/", &[kind_of], "{}", "not understood"),
        ("POST", "/", &[target], "{}", "not understood"),
        ("POST", "/", &[kind_of, target, target], "{}", "malformed"),
        ("POST", "/", &[kind_of, target, ("x-amz-target", "DynamoDB_20120810.DeleteTable")], "{}", "malformed"),
        ("POST", "/", &[kind_of, kind_of, target], "{}", "malformed"),
        ("POST", "/", &[("Content-Type", "application/json"), target], "{}", "not understood"),
        ("POST", "/", &[("Content-Type", "application/x-amz-json-1.1"), target], "{}", "not understood"),
        ("POST", "/", &[("Content-Type", "application/x-amz-json-1.0; charset=utf-7"), target], "{}", "not understood"),
        ("POST", "/", &[("Content-Type", "application/cbor"), target], "{}", "not understood"),
        ("POST", "/", &[("Content-Type", "application/x-www-form-urlencoded"), target], "{}", "not understood"),
        ("POST", "/", &[kind_of, ("X-Amz-Target", "DynamoDB_20120810.DynamoDB_20120810.ListTables")], "{}", "not understood"),
        ("POST", "/", &[kind_of, ("X-Amz-Target", "DynamoDB_20111205.ListTables")], "{}", "not understood"),
        ("POST", "/", &[kind_of, ("X-Amz-Target", "dynamodb_20120810.ListTables")], "{}", "not understood"),
        ("POST", "/", &[kind_of, ("X-Amz-Target", "ListTables")], "{}", "not understood"),
        ("POST", "/", &[kind_of, target, ("X-Amz-Something", "1")], "{}", "not understood"),
        ("POST", "/", &[kind_of, target], "[]", "malformed"),
        ("POST", "/", &[kind_of, target], "{\"Limit\":1}\n{}", "malformed"),
    ] {
        let url = format!("https://dynamodb.us-east-1.amazonaws.com{target_and_path}");
        assert_eq!(meaning(wire(method, &url, headers, body.as_bytes())), expected, "{method} {url} {headers:?}");
    }
}

#[test]
fn bodies_are_made_anew() {
    let headers = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", "DynamoDB_20120810.GetItem"),
        ("X-Other", "x"),
    ];
    let body = br#" { "Key" : {"pk":{"S":"\u0075"}}, "TableName" : "t" } "#;
    let operation = wire("POST", "https://dynamodb.us-east-1.amazonaws.com", &headers, body).unwrap().unwrap();
    assert_eq!(*operation.payload.whole().unwrap(), r#"{"Key":{"pk":{"S":"u"}},"TableName":"t"}"#);
    assert_eq!(operation.path_and_query(), "/");
    let made: Vec<_> = operation.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(made, [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.GetItem")]);

    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = b"Version=2010-03-31&Message=a+b%20c%7e&Action=Publish&PhoneNumber=%2B1";
    let operation = wire("POST", "https://sns.us-east-1.amazonaws.com/", &headers, body).unwrap().unwrap();
    assert_eq!(*operation.payload.whole().unwrap(), "Action=Publish&Version=2010-03-31&Message=a%20b%20c~&PhoneNumber=%2B1");
}

#[test]
fn more_than_any_operation_takes_is_refused() {
    let items = vec![r#"{"Get":{"TableName":"t","Key":{"pk":{"S":"1"}}}}"#; 600].join(",");
    let body = format!(r#"{{"TransactItems":[{items}]}}"#);
    assert_eq!(json("dynamodb", "1.0", "DynamoDB_20120810.TransactGetItems", &body), "malformed");
    let keys = vec![r#"{"pk":{"S":"1"}}"#; 1000].join(",");
    let body = format!(r#"{{"RequestItems":{{"t":{{"Keys":[{keys}]}}}}}}"#);
    assert_eq!(json("dynamodb", "1.0", "DynamoDB_20120810.BatchGetItem", &body), "malformed");
}
