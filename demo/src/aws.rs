//! The embedded AWS, and a runner's settings for it.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox::AwsSettings;
use rolebox::egress::Endpoints;
use rolebox_local_aws::{LocalAws, Roles, Server};

/// S3 and STS on a free port of the loopback interface, with data in a temporary folder.
pub(crate) async fn start(roles: &Path) -> Result<Server> {
    let text = std::fs::read_to_string(roles).with_context(|| format!("{} cannot be read", roles.display()))?;
    let aws = LocalAws::builder(Roles::from_json(&text)?).build()?;
    Ok(aws.start((Ipv4Addr::LOCALHOST, 0).into()).await?)
}

/// Calls go to `aws`, and roles are assumed by the identity that it knows as the host.
pub(crate) fn settings(aws: &Server) -> Result<AwsSettings> {
    let environment = aws.environment();
    let value = |name: &str| {
        let variable = environment.iter().find(|variable| variable.name == name);
        variable.map(|variable| variable.value.as_str()).with_context(|| format!("the embedded AWS gives no {name}"))
    };
    let base = Credentials::new(value("AWS_ACCESS_KEY_ID")?, value("AWS_SECRET_ACCESS_KEY")?, None, None, "local-aws");
    let endpoints = Endpoints::public().with_every_service(value("AWS_ENDPOINT_URL")?)?;
    let settings = AwsSettings::new(value("AWS_REGION")?.parse()?, SharedCredentialsProvider::new(base));
    Ok(settings.with_endpoints(endpoints))
}
