//! Services whose operation stands in a field or in the body.

use super::{Case, case};

/// A form is what a browser would send.
const FORM: &str = "application/x-www-form-urlencoded";
/// The task's own account and Region in an ARN.
const OWN: &str = "us-east-1:123456789012";

fn dynamodb(name: &'static str, operation: &str, body: &str, outcome: &str) -> Case {
    case(name, "POST dynamodb /", outcome)
        .narrow()
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", &format!("DynamoDB_20120810.{operation}"))
        .body(body)
}

fn json(name: &'static str, service: &str, target: &str, body: &str, outcome: &str) -> Case {
    case(name, format!("POST {service} /"), outcome)
        .narrow()
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(body)
}

fn form(name: &'static str, service: &str, target: &str, body: &str, outcome: &str) -> Case {
    case(name, format!("POST {service} {target}"), outcome).header("content-type", FORM).body(body)
}

pub(super) fn cases() -> Vec<Case> {
    let item = r#""Key":{"pk":{"S":"u1"}}"#;
    let table = |arn: &str| format!("denied: dynamodb:GetItem on {arn}");
    let get = |name, table: &str, outcome: &str| {
        dynamodb(name, "GetItem", &format!(r#"{{"TableName":"{table}",{item}}}"#), outcome)
    };
    let caller = "Action=GetCallerIdentity&Version=2011-06-15";
    vec![
        get("another table", "u", &table(&format!("arn:aws:dynamodb:{OWN}:table/u"))),
        get(
            "table of another account",
            "arn:aws:dynamodb:us-east-1:999999999999:table/t",
            &table("arn:aws:dynamodb:us-east-1:999999999999:table/t"),
        ),
        get(
            "table of another Region",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
            &table("arn:aws:dynamodb:eu-west-1:123456789012:table/t"),
        ),
        get("ARN of another partition", "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t", "not understood"),
        get("ARN of another service", "arn:aws:s3:::table/t", "not understood"),
        get("wildcard table", "*", "not understood"),
        get("parent in a table's name", "t/../u", "not understood"),
        dynamodb("doubled key", "GetItem", &format!(r#"{{"TableName":"t","TableName":"u",{item}}}"#), "malformed"),
        dynamodb(
            "doubled key by escape",
            "GetItem",
            &format!(r#"{{"TableName":"t","\\u0054ableName":"u",{item}}}"#),
            "malformed",
        ),
        dynamodb(
            "key in another case",
            "GetItem",
            &format!(r#"{{"TableName":"t","tablename":"u",{item}}}"#),
            "not understood",
        ),
        dynamodb("unknown member", "GetItem", &format!(r#"{{"TableName":"t","New":1,{item}}}"#), "not understood"),
        dynamodb(
            "one foreign table in a batch",
            "BatchGetItem",
            r#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"1"}}]},"u":{"Keys":[{"pk":{"S":"2"}}]}}}"#,
            &format!("denied: dynamodb:BatchGetItem on arn:aws:dynamodb:{OWN}:table/u"),
        ),
        dynamodb(
            "one foreign table in a transaction",
            "TransactWriteItems",
            &format!(
                r#"{{"TransactItems":[{{"Delete":{{"TableName":"t",{item}}}}},{{"Delete":{{"TableName":"u",{item}}}}}]}}"#
            ),
            &format!("denied: dynamodb:DeleteItem on arn:aws:dynamodb:{OWN}:table/u"),
        ),
        dynamodb("PartiQL", "ExecuteStatement", r#"{"Statement":"SELECT * FROM t"}"#, "not understood"),
        dynamodb("operation in another case", "getItem", "{}", "not understood"),
        dynamodb("text after the JSON", "GetItem", &format!(r#"{{"TableName":"t",{item}}} {{}}"#), "malformed"),
        dynamodb("two targets", "GetItem", &format!(r#"{{"TableName":"t",{item}}}"#), "malformed")
            .header("X-Amz-Target", "DynamoDB_20120810.DeleteTable"),
        dynamodb("target of another service", "GetItem.x", "{}", "not understood"),
        dynamodb(
            "what is granted",
            "GetItem",
            &format!(r#"{{ "TableName": "t", {item} }}"#),
            &format!(
                "sent POST / [content-type: application/x-amz-json-1.0, x-amz-target: DynamoDB_20120810.GetItem] {{\"TableName\":\"t\",{item}}}"
            ),
        ),
        case("another content type", "POST dynamodb /", "not understood")
            .header("content-type", "text/plain")
            .header("x-amz-target", "DynamoDB_20120810.ListTables")
            .body("{}"),
        case("no target", "POST dynamodb /", "not understood")
            .header("content-type", "application/x-amz-json-1.0")
            .body("{}"),
        case("JSON service by form", "POST dynamodb /", "not understood")
            .header("content-type", FORM)
            .body("Action=ListTables"),
        // The query protocol.
        form(
            "Action in query and body",
            "sqs",
            "/?Action=DeleteQueue",
            "Action=ListQueues&Version=2012-11-05",
            "not understood",
        ),
        form("Action twice", "sts", "/", "Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15", "malformed"),
        form(
            "queue in path and body",
            "sqs",
            "/123456789012/q",
            "Action=SendMessage&Version=2012-11-05&MessageBody=x&QueueUrl=https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Fother",
            "not understood",
        ),
        form(
            "topic of another account",
            "sns",
            "/",
            "Action=Publish&Version=2010-03-31&Message=m&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A999999999999%3At",
            "denied: sns:Publish on arn:aws:sns:us-east-1:999999999999:t",
        )
        .narrow(),
        form(
            "topic twice",
            "sns",
            "/",
            "Action=Publish&Version=2010-03-31&Message=m&TopicArn=a&TopicArn=b",
            "malformed",
        ),
        form("JSON target and Action", "sqs", "/", "Action=ListQueues&Version=2012-11-05", "not understood")
            .header("x-amz-target", "AmazonSQS.DeleteQueue"),
        // Calls that answer with credentials or change authority.
        form("who am I", "sts", "/", caller, &format!("sent POST / [content-type: {FORM}] {caller}")),
        form(
            "AssumeRole",
            "sts",
            "/",
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/full&RoleSessionName=s",
            "not understood",
        ),
        form("GetSessionToken", "sts", "/", "Action=GetSessionToken&Version=2011-06-15", "not understood"),
        form("GetFederationToken", "sts", "/", "Action=GetFederationToken&Version=2011-06-15&Name=n", "not understood"),
        form(
            "AssumeRoleWithWebIdentity",
            "sts",
            "/",
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15",
            "not understood",
        ),
        form("CreateAccessKey", "iam", "/", "Action=CreateAccessKey&Version=2010-05-08", "not understood"),
        json(
            "registry password under a pattern",
            "api.ecr",
            "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            "{}",
            "denied: ecr:GetAuthorizationToken on *",
        ),
        json("shell on a machine", "ssm", "AmazonSSM.StartSession", "{}", "not understood"),
        json("command on machines", "ssm", "AmazonSSM.SendCommand", "{}", "not understood"),
        // Names that hide their ARN.
        json(
            "secret by name",
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"db"}"#,
            &format!("denied: secretsmanager:GetSecretValue on arn:aws:secretsmanager:{OWN}:secret:db-??????"),
        ),
        json(
            "secret of another account",
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"arn:aws:secretsmanager:us-east-1:999999999999:secret:db-a1B2c3"}"#,
            "denied: secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:999999999999:secret:db-a1B2c3",
        ),
        json(
            "wildcard secret",
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            r#"{"SecretId":"db*"}"#,
            "not understood",
        ),
        json(
            "parameter that is a secret",
            "ssm",
            "AmazonSSM.GetParameter",
            r#"{"Name":"/aws/reference/secretsmanager/db"}"#,
            &format!(
                "denied: ssm:GetParameter on arn:aws:ssm:{OWN}:parameter/aws/reference/secretsmanager/db, \
             secretsmanager:GetSecretValue on arn:aws:secretsmanager:{OWN}:secret:db-??????"
            ),
        ),
        json(
            "decryption by any key",
            "kms",
            "TrentService.Decrypt",
            r#"{"CiphertextBlob":"x"}"#,
            &format!("denied: kms:Decrypt on arn:aws:kms:{OWN}:key/*"),
        ),
        case(
            "function of another account",
            "POST lambda /2015-03-31/functions/arn:aws:lambda:us-east-1:999999999999:function:f/invocations",
            "denied: lambda:InvokeFunction on arn:aws:lambda:us-east-1:999999999999:function:f",
        )
        .narrow()
        .body("{}"),
        case("function's code", "GET lambda /2015-03-31/functions/f", "not understood"),
        case("unknown service", "POST unheard-of /", "not understood").body("{}"),
    ]
}
