//! `rolebox explain`: what a task may do and what it asks for, without running it.

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use rolebox::settings::AwsSettings;
use rolebox::{Runner, RunnerSettings};

use super::run::settings_without_aws;
use crate::arguments::{ExplainArguments, OutputFormat};
use crate::console::Console;
use crate::explanation::{Explanation, Prepared};
use crate::failure::Failure;
use crate::input::Input;

/// Prints the explanation, and returns what `run` would exit with before the task starts.
pub(crate) async fn explain(arguments: ExplainArguments, console: &Console) -> Result<u8, Failure> {
    let input = Input::read(&arguments.input)?;
    let settings = settings_without_aws(&input, &arguments.input, None)?.with_aws(no_aws()?);
    let prepared = prepare(settings, &input).await?;
    let explanation = Explanation::new(&input, &prepared);
    match console.format() {
        OutputFormat::Text => console.answer(&explanation.text(console.paint()))?,
        OutputFormat::Json => console.answer_json(&explanation)?,
    }
    Ok(explanation.exit_code())
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
