//! The embedded AWS where it is not built in: there is none.

use std::convert::Infallible;
use std::path::Path;

use rolebox::settings::AwsSettings;

use crate::arguments::RunArguments;
use crate::failure::Failure;
use crate::input::Input;

/// An embedded AWS, which cannot be.
#[derive(Debug)]
pub(crate) struct EmbeddedAws(Infallible);

impl EmbeddedAws {
    /// None: nothing can ask for one.
    #[expect(clippy::unused_async, reason = "the other one has something to wait for")]
    pub(crate) async fn asked_for(_: &RunArguments, _: &Input) -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    pub(crate) fn data(&self) -> &Path {
        match self.0 {}
    }

    pub(crate) fn settings(&self) -> Result<AwsSettings, Failure> {
        match self.0 {}
    }

    pub(crate) async fn shutdown(self) {
        match self.0 {}
    }
}
