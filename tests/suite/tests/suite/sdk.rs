//! The official AWS SDK in a guest: what it gets is what it gets natively, a denial is the SDK's own error, and the
//! examples that are built on it do what they say.

mod compare;
mod denied;
mod examples;
mod moto;
mod native;

pub(crate) use self::compare::sdk_operations;
pub(crate) use self::examples::{dynamodb_state, s3_sample_sdk, secrets, two_roles};

use std::path::Path;

use rolebox::RunnerSettings;
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, Outcome, task, with_role};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Whoever holds it compiles; who comes next finds the code in the cache.
static COMPILING: Mutex<()> = Mutex::const_new(());

/// The settings with a cache of compiled code that all tests here share: these guests take seconds each to compile.
fn code_cached(settings: RunnerSettings) -> RunnerSettings {
    settings.with_code_cache(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-code"))
}

/// Runs a task to its end, its image compiled once for all tests.
async fn run(host: &Host, definition: &Value) -> Outcome {
    let compiling = COMPILING.lock().await;
    host.prepare(definition).await.unwrap();
    drop(compiling);
    host.run(definition).await
}

/// A task that makes these calls under this role and capabilities. Its memory holds a part of an upload a few times over.
fn operations(calls: &str, name: &str, role: &str, capabilities: &Value) -> Value {
    let mut task = with_role(task(Path::new(artifacts::SDK_OPERATIONS), &[calls, name]), role, capabilities);
    task["containerDefinitions"][0]["memory"] = json!(128);
    task
}
