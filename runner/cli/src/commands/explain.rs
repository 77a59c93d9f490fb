//! `rolebox explain`: what a task may do and what it asks for, without running it; or what one request of its would be.

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use rolebox::settings::AwsSettings;
use rolebox::{Runner, RunnerSettings};

use super::run::settings_without_aws;
use crate::arguments::{ExplainArguments, OutputFormat};
use crate::console::Console;
use crate::explanation::{Explanation, Prepared, RequestExplanation};
use crate::failure::Failure;
use crate::input::Input;
use crate::request::Request;

/// Prints the explanation, and returns what `run` would exit with before the task starts.
pub(crate) async fn explain(arguments: ExplainArguments, console: &Console) -> Result<u8, Failure> {
    let input = Input::read(&arguments.input)?;
    if let Some(request) = Request::read(&arguments.request, input.definition.limits().body_bytes)? {
        return explain_request(&request, &input, console);
    }
    let settings = settings_without_aws(&input, &arguments.input, [])?.with_aws(no_aws()?);
    let bounds = settings.bounds().checks(&input.definition);
    let prepared = prepare(settings, &input).await?;
    let explanation = Explanation::new(&input, bounds, &prepared);
    match console.format() {
        OutputFormat::Text => console.answer(&explanation.text(console.paint()))?,
        OutputFormat::Json => console.answer_json(&explanation)?,
    }
    Ok(explanation.exit_code())
}

/// Prints what `request` would be. An answer is no failure, whatever it says.
fn explain_request(request: &Request, input: &Input, console: &Console) -> Result<u8, Failure> {
    let explanation = RequestExplanation::new(request, &input.definition);
    match console.format() {
        OutputFormat::Text => console.answer(&explanation.text(console.paint()))?,
        OutputFormat::Json => console.answer_json(&explanation)?,
    }
    Ok(0)
}

/// Settings that let a task have a role and never call AWS: no task is started.
fn no_aws() -> Result<AwsSettings, Failure> {
    // Of no effect: nothing is called in it.
    let region = "us-east-1".parse().map_err(|error: rolebox_policy::ArnError| Failure::runner(error))?;
    let nobody = provide_credentials_fn(|| async { Err(CredentialsError::not_loaded("nothing is run")) });
    Ok(AwsSettings::new(region, SharedCredentialsProvider::new(nobody)))
}

/// Everything that `run` does before the task starts.
async fn prepare(settings: RunnerSettings, input: &Input) -> Result<Prepared, Failure> {
    let runner = Runner::new(settings).map_err(Failure::runner)?;
    Ok(match runner.prepare(&input.definition).await {
        Ok(prepared) => Prepared::Imports(
            prepared.imports().map(|imports| imports.iter().map(|import| import.name.clone()).collect()).collect(),
        ),
        Err(error) => Prepared::Refused(error),
    })
}
