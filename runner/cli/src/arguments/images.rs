//! Arguments about images: how they are compiled, and whose compiled code is run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How images become something that runs.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct ImageArguments {
    /// Run artifacts of `rolebox compile` that this public key has signed: a PEM file. May be given several times.
    #[arg(long = "artifact-key", value_name = "PUBLIC.pem")]
    pub(crate) artifact_keys: Vec<PathBuf>,

    #[cfg(feature = "compiler")]
    #[command(flatten)]
    pub(crate) compiler: CompilerArguments,
}

/// What compiling one image may take.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct CompilerArguments {
    /// How long compiling one image may take [default: 2m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) compile_timeout: Option<String>,

    /// The memory that compiling one image may take, in MiB [default: 2048]
    #[arg(long, value_name = "MIB")]
    pub(crate) compile_memory: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct CompileArguments {
    /// A component or a core module.
    #[arg(value_name = "IMAGE.wasm")]
    pub(crate) image: PathBuf,

    /// Where to write the artifact.
    #[arg(short = 'o', long = "artifact", value_name = "FILE")]
    pub(crate) artifact: PathBuf,

    /// The Ed25519 private key to sign it with, as `openssl genpkey -algorithm ed25519` makes one [default:
    /// rolebox/artifact-key.pem in the user's configuration folder, made when it is missing]
    #[arg(long, value_name = "PRIVATE.pem")]
    pub(crate) key: Option<PathBuf>,

    /// The machines that it is for: any of this architecture, or those whose processor has what this one's has.
    #[arg(long, value_enum, default_value_t, value_name = "MACHINES")]
    pub(crate) cpu: MachinesArgument,

    #[command(flatten)]
    pub(crate) compiler: CompilerArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MachinesArgument {
    #[default]
    Any,
    LikeThis,
}
