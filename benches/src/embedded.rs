//! The embedded AWS with the benches' role, and what it takes to be a host of it.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox_local_aws::{LocalAws, Roles, Server};
use tokio::runtime::Runtime;

/// A role that the account's identities may assume, and that may do everything in S3.
const ROLES: &str = r#"{"roles": [{"name": "s3-sample",
    "trustPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]},
    "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"]}]}"#;

/// An embedded AWS that listens on the loopback until it is dropped.
pub(crate) struct EmbeddedAws {
    server: Server,
}

impl EmbeddedAws {
    /// Starts one on the threads of `runtime`.
    pub(crate) fn start(runtime: &Runtime) -> Result<Self> {
        let aws = LocalAws::builder(Roles::from_json(ROLES)?).build().context("the embedded AWS")?;
        let server = runtime.block_on(aws.start((Ipv4Addr::LOCALHOST, 0).into())).context("a free port")?;
        Ok(Self { server })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> Result<String> {
        self.variable("AWS_ENDPOINT_URL")
    }

    /// The credentials of the identity that may assume its role.
    pub(crate) fn base(&self) -> Result<SharedCredentialsProvider> {
        let (key, secret) = (self.variable("AWS_ACCESS_KEY_ID")?, self.variable("AWS_SECRET_ACCESS_KEY")?);
        Ok(SharedCredentialsProvider::new(Credentials::new(key, secret, None, None, "bench")))
    }

    fn variable(&self, name: &str) -> Result<String> {
        let variable = self.server.environment().into_iter().find(|variable| variable.name == name);
        variable.map(|variable| variable.value).with_context(|| format!("the embedded AWS names no {name}"))
    }
}
