//! The AWS that the environment names: Region, the host's own credentials, endpoints.
//!
//! All of it is read as the AWS SDKs and the AWS CLI read it, from the environment, the configuration files and the
//! profile that `AWS_PROFILE` names, by AWS's own `aws-config`.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html>

use std::path::PathBuf;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_types::service_config::ServiceConfigKey;
use rolebox::credentials::https_client;
use rolebox::egress::Endpoints;
use rolebox::settings::AwsSettings;
use rolebox_policy::Region;

use crate::failure::Failure;

/// Services whose endpoints can be set one by one, by the endpoint prefix that Rolebox knows them by and the service id
/// that `AWS_ENDPOINT_URL_<SERVICE>` and the `services` sections of a profile are named after.
///
/// From "Service-specific endpoints" of the AWS SDKs and Tools Reference Guide.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
const SERVICES: [(&str, &str); 34] = [
    ("api.ecr", "ECR"),
    ("athena", "Athena"),
    ("autoscaling", "Auto Scaling"),
    ("batch", "Batch"),
    ("bedrock-runtime", "Bedrock Runtime"),
    ("cloudformation", "CloudFormation"),
    ("cloudfront", "CloudFront"),
    ("cloudtrail", "CloudTrail"),
    ("cognito-idp", "Cognito Identity Provider"),
    ("dynamodb", "DynamoDB"),
    ("ec2", "EC2"),
    ("ecs", "ECS"),
    ("eks", "EKS"),
    ("elasticloadbalancing", "Elastic Load Balancing v2"),
    ("email", "SES"),
    ("events", "EventBridge"),
    ("firehose", "Firehose"),
    ("glue", "Glue"),
    ("iam", "IAM"),
    ("kinesis", "Kinesis"),
    ("kms", "KMS"),
    ("lambda", "Lambda"),
    ("logs", "CloudWatch Logs"),
    ("monitoring", "CloudWatch"),
    ("organizations", "Organizations"),
    ("rds", "RDS"),
    ("route53", "Route 53"),
    ("s3", "S3"),
    ("secretsmanager", "Secrets Manager"),
    ("sns", "SNS"),
    ("sqs", "SQS"),
    ("ssm", "SSM"),
    ("states", "SFN"),
    ("sts", "STS"),
];

/// The files that the host's own credentials come from, whether they exist or not: `~/.aws`, and what the environment
/// names. No task is to see them.
pub(crate) fn own_files() -> Vec<PathBuf> {
    const FILES: [&str; 4] = [
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ];
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = named("HOME").map(|home| home.join(".aws"));
    home.into_iter().chain(FILES.into_iter().filter_map(named)).collect()
}

/// Reads the environment.
pub(crate) async fn settings() -> Result<AwsSettings, Failure> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(https_client()).load().await;
    refuse_other_endpoints(&config)?;
    let region: Region = match config.region() {
        Some(region) => {
            region.as_ref().parse().map_err(|error| Failure::runner(anyhow::Error::new(error)).context("AWS_REGION"))?
        }
        None => {
            return Err(Failure::because(
                "no AWS Region is set. Set AWS_REGION, or region in the profile that AWS_PROFILE names",
            ));
        }
    };
    let credentials = config.credentials_provider().ok_or_else(|| {
        Failure::because("there are no AWS credentials to assume the task role with. Set AWS_PROFILE, or log in")
    })?;
    Ok(AwsSettings::new(region, credentials).with_endpoints(endpoints(&config)?))
}

/// Settings that ask for endpoints which the runner does not call. To go on without them would send calls elsewhere
/// than was asked for.
fn refuse_other_endpoints(config: &SdkConfig) -> Result<(), Failure> {
    let asked = [
        ("AWS_USE_FIPS_ENDPOINT", "FIPS", config.use_fips()),
        ("AWS_USE_DUALSTACK_ENDPOINT", "dual-stack", config.use_dual_stack()),
    ];
    match asked.into_iter().find(|(_, _, asked)| *asked == Some(true)) {
        Some((variable, kind, _)) => Err(Failure::because(format!(
            "{variable}: {kind} endpoints are not called. Unset it, or name the endpoint in AWS_ENDPOINT_URL_<SERVICE>"
        ))),
        None => Ok(()),
    }
}

/// The endpoints that are set for all services or for single ones.
fn endpoints(config: &SdkConfig) -> Result<Endpoints, Failure> {
    let wrong = |name: &str, error| Failure::runner(anyhow::Error::new(error)).context(name.to_owned());
    let mut endpoints = Endpoints::public();
    if let Some(url) = config.endpoint_url() {
        endpoints = endpoints.with_every_service(url).map_err(|error| wrong("AWS_ENDPOINT_URL", error))?;
    }
    let Some(service_config) = config.service_config() else {
        return Ok(endpoints);
    };
    for (service, id) in SERVICES {
        let key = ServiceConfigKey::builder()
            .service_id(id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .map_err(|error| Failure::runner(anyhow::Error::new(error)))?;
        if let Some(url) = service_config.load_config(key) {
            let variable = format!("AWS_ENDPOINT_URL_{}", id.to_uppercase().replace(' ', "_"));
            endpoints = endpoints.with_service(service, &url).map_err(|error| wrong(&variable, error))?;
        }
    }
    Ok(endpoints)
}
