//! The embedded AWS: its roles, its data, and the settings that call it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rolebox::egress::Endpoints;
use rolebox::settings::AwsSettings;
use rolebox_local_aws::{DataFolder, EnvironmentVariable, LocalAws, LocalAwsError, Roles, Server};
use tempfile::TempDir;

use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::input::Input;

/// The name of the file with the embedded AWS's roles, beside the definition.
const ROLES_FILE: &str = "roles.json";

/// The most of a roles file that is read, in bytes.
const MAX_ROLES_BYTES: u64 = 16 * 1024 * 1024;

/// An embedded AWS that is being served.
#[derive(Debug)]
pub(crate) struct EmbeddedAws {
    server: Server,
    data: PathBuf,
    /// Deletes the folder, where it is a temporary one.
    temporary: Option<TempDir>,
}

impl EmbeddedAws {
    /// One for `rolebox run`, if it was asked for and the task has a role to use it with.
    pub(crate) async fn asked_for(arguments: &RunArguments, input: &Input) -> Result<Option<Self>, Failure> {
        let local = &arguments.local;
        if !local.local || input.definition.task_role().is_none() {
            return Ok(None);
        }
        let roles = local.roles.clone().unwrap_or_else(|| input.folder().join(ROLES_FILE));
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::start(&roles, local.data.as_deref(), listen).await.map(Some)
    }

    /// Starts one with the roles of a file, and with data in `data` or in a temporary folder.
    pub(crate) async fn start(roles: &Path, data: Option<&Path>, listen: SocketAddr) -> Result<Self, Failure> {
        let roles = read_roles(roles)?;
        let (data, temporary) = match data {
            Some(data) => (data.to_owned(), None),
            None => {
                let folder = TempDir::with_prefix("rolebox-").map_err(|error| {
                    Failure::runner(error).context("a temporary folder for the embedded AWS cannot be made")
                })?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        let failed = |error: LocalAwsError| Failure::runner(error).context("the embedded AWS cannot be started");
        let aws = LocalAws::builder(roles).data(DataFolder::At(data.clone())).build().map_err(failed)?;
        let server = aws.start(listen).await.map_err(failed)?;
        Ok(Self { server, data, temporary })
    }

    /// The folder of its buckets and objects.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The environment of a client that is the host.
    pub(crate) fn environment(&self) -> [EnvironmentVariable; 4] {
        self.server.environment()
    }

    /// Settings under which a runner calls this AWS.
    pub(crate) fn settings(&self) -> Result<AwsSettings, Failure> {
        let environment = self.environment();
        let variable = |name: &str| {
            let found = environment.iter().find(|variable| variable.name == name);
            found.map(|variable| variable.value.clone()).unwrap_or_default()
        };
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "the embedded AWS",
        );
        let region = variable("AWS_REGION");
        let region = region.parse().map_err(|error: rolebox_policy::ArnError| Failure::runner(error))?;
        let endpoints =
            Endpoints::public().with_every_service(&variable("AWS_ENDPOINT_URL")).map_err(Failure::runner)?;
        Ok(AwsSettings::new(region, SharedCredentialsProvider::new(credentials)).with_endpoints(endpoints))
    }

    /// Ends the service and deletes a temporary folder. Requests in flight get a few seconds.
    pub(crate) async fn shutdown(self) {
        self.server.shutdown().await;
        drop(self.temporary);
    }
}

fn read_roles(file: &Path) -> Result<Roles, Failure> {
    use std::io::Read as _;

    let mut text = String::new();
    std::fs::File::open(file).and_then(|file| file.take(MAX_ROLES_BYTES).read_to_string(&mut text)).map_err(
        |error| {
            Failure::runner(error).context(format!(
                "{}: the roles of the embedded AWS cannot be read (name their file with --roles)",
                file.display(),
            ))
        },
    )?;
    Roles::from_json(&text).map_err(|error| Failure::runner(error).context(file.display().to_string()))
}
