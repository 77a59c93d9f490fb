//! How the command gets from images to what runs: each image is compiled in a process of its own, which is this program
//! once more; artifacts are run where a key was named.

#[cfg(feature = "compiler")]
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rolebox::RunnerSettings;
use rolebox::artifact::ArtifactKey;
#[cfg(feature = "compiler")]
use rolebox::compiler::{Compiler, CompilerProcess};

#[cfg(feature = "compiler")]
use crate::arguments::CompilerArguments;
use crate::arguments::ImageArguments;
#[cfg(feature = "compiler")]
use crate::code_cache;
use crate::failure::Failure;

/// The argument that makes this program a compiler process. Not a command: nobody types it.
#[cfg(feature = "compiler")]
const WORKER: &str = "__compile-image";

/// This program, also when its file has been replaced since it was started.
#[cfg(feature = "compiler")]
const MYSELF: &str = "/proc/self/exe";

/// The largest file that is read as a key, in bytes.
const MAX_KEY_FILE: u64 = 16 << 10;

/// Whether this process is to compile one image and nothing else.
#[cfg(feature = "compiler")]
pub(crate) fn is_worker() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == OsStr::new(WORKER))
}

/// The settings with what concerns images.
pub(crate) fn with_images(mut settings: RunnerSettings, arguments: &ImageArguments) -> Result<RunnerSettings, Failure> {
    for file in &arguments.artifact_keys {
        settings = settings.accept_artifacts(public_key(file)?);
    }
    #[cfg(feature = "compiler")]
    {
        settings = settings.with_compiler(compiler(&arguments.compiler)?);
        if let Some(folder) = code_cache::folder() {
            settings = settings.with_code_cache(folder);
        }
    }
    Ok(settings)
}

/// The compiler, with the limits that the flags set.
#[cfg(feature = "compiler")]
pub(crate) fn compiler(arguments: &CompilerArguments) -> Result<Compiler, Failure> {
    let mut process = CompilerProcess::new(MYSELF, [WORKER]);
    if let Some(text) = &arguments.compile_timeout {
        process = process.with_time(rolebox::definition::parse_duration(text).ok_or_else(|| {
            Failure::because(format!("--compile-timeout: {text:?} is not a duration. Write it like 60s, 5m or 1h30m"))
        })?);
    }
    if let Some(memory) = arguments.compile_memory {
        process = process.with_memory(u64::from(memory) << 20);
    }
    Ok(Compiler::process(process))
}

fn public_key(file: &Path) -> Result<ArtifactKey, Failure> {
    let place = || format!("--artifact-key: {}", file.display());
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| opened.take(MAX_KEY_FILE).read_to_string(&mut text));
    read.map_err(|error| Failure::runner(error).context(place()))?;
    ArtifactKey::from_pem(&text).map_err(|error| Failure::runner(error).context(place()))
}
