//! Runs WebAssembly tasks, each in its own sandbox, each under its own IAM role, none with a key.
//!
//! A [task definition](definition) in Amazon ECS's form names an image, a task role and, under one key of ours, what the
//! task may call. A [`Runner`] assumes that role through STS, bound to those capabilities, runs the image, checks every
//! AWS call that it asks for, signs it, sends it, and gives it the answer. The guest never holds a key.
//!
//! # A whole program
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use aws_credential_types::Credentials;
//! use aws_credential_types::provider::SharedCredentialsProvider;
//! use rolebox::definition::TaskDefinition;
//! use rolebox::egress::audit::JsonLines;
//! use rolebox::output::{CapturedOutput, TaskOutput};
//! use rolebox::{AwsSettings, OperatorBounds, Runner, RunnerSettings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // Who the host is. A real one passes the provider that `aws-config` finds; the identity behind it needs no
//! // permission but sts:AssumeRole on the task roles.
//! let own_keys = SharedCredentialsProvider::new(Credentials::new("AKIAEXAMPLE", "a secret", None, None, "example"));
//! let aws = AwsSettings::new("us-east-1".parse()?, own_keys);
//!
//! // What task definitions may ask for. Nothing is allowed that is not named here.
//! let bounds = OperatorBounds::deny_all()
//!     .allow_role(&"arn:aws:iam::123456789012:role/s3-sample".parse()?)
//!     .allow_images_in("/srv/tasks");
//!
//! let audit = JsonLines::new(std::fs::File::create("/var/log/rolebox.jsonl")?)?;
//! let settings = RunnerSettings::new(bounds)
//!     .with_aws(aws)
//!     .with_audit(Arc::new(audit))
//!     .with_code_cache("/var/cache/rolebox".into());
//! let runner = Runner::new(settings)?;
//!
//! // Parsed and compiled once, started as often as wanted.
//! let definition = TaskDefinition::read(Path::new("/srv/tasks/task-definition.json"))?;
//! let prepared = runner.prepare(&definition).await?;
//!
//! let output = CapturedOutput::default();
//! let stopped = prepared.start(TaskOutput::Capture(output.clone())).wait().await;
//! println!("{}: {}", stopped.stop_code, stopped.stopped_reason);
//! println!("{}", String::from_utf8_lossy(&output.stdout()));
//! std::process::exit(stopped.exit_code());
//! # }
//! ```
//!
//! # In a wasmtime host of your own
//!
//! Who has an engine, a linker and stores already adds the interface `rolebox:aws` to them with
//! [`host::add_to_linker`], and gives each store a [`host::AwsCtx`]: a role session bound to capabilities.
//!
//! # What is here
//!
//! - [`definition`]: from JSON to [`TaskDefinition`](definition::TaskDefinition), parsed once;
//! - [`settings`]: what a runner is told, and the operator's bounds on what definitions may ask for;
//! - [`task`]: [`PreparedTask`] → [`RunningTask`] → [`StoppedTask`];
//! - [`credentials`]: role sessions, assumed, refreshed and shared;
//! - [`egress`]: the one way out, from a guest's request to a signed one, and its audit;
//! - [`compiler`] and [`artifact`]: how images become machine code, here or on another machine;
//! - [`host`] and [`output`]: what a guest sees of the host, and what the host takes from it.
//!
//! Absent: the process environment, command lines, servers but those of tasks, and registries. The `rolebox` command adds
//! the first two.
//!
//! # Types of other crates in this interface
//!
//! `aws-credential-types` (the host's own credentials), `aws-smithy-async` (time), `rolebox-policy` (roles, Regions,
//! capabilities), `rolebox-aws-request` (calls), `wasmtime` (linkers), `http`, `bytes` and `url`.

/// Compiled code that bears an operator's signature: accepted with [`RunnerSettings::accept_artifacts`], and with the
/// feature `compiler` made here.
pub mod artifact {
    pub use crate::engine::artifact::{ArtifactError, ArtifactKey, KeyError, is_artifact};
    #[cfg(feature = "compiler")]
    pub use crate::engine::artifact::{Machines, SigningKey, make_artifact};
}
/// How images are compiled: in this process, or each in one of its own.
#[cfg(feature = "compiler")]
pub mod compiler {
    pub use crate::engine::compile::{CompileFailure, Compiler, CompilerProcess, compile_worker};
}
mod cpu;
pub mod credentials;
pub mod definition;
pub mod egress;
mod engine;
pub mod host;
#[cfg(feature = "measure")]
pub mod measure;
#[cfg(not(feature = "measure"))]
mod measure;
pub mod output;
mod serve;
pub mod settings;
mod showable;
pub mod task;

pub use engine::{EngineError, ImageError, ImageProblem, ImportedInterface};
pub use settings::{AwsSettings, OperatorBounds, RunnerSettings};
pub use task::{PreparedTask, Runner, RunningTask, StoppedTask};
