//! `rolebox compile`: an image to an artifact, which machines without a compiler run.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rolebox::artifact::{Machines, SigningKey, make_artifact};
use serde::Serialize;

use crate::arguments::{CompileArguments, MachinesArgument, OutputFormat};
use crate::code_cache;
use crate::compiling::compiler;
use crate::console::{Console, printable};
use crate::failure::Failure;

/// The names of the user's own key in the folder for configuration.
const PRIVATE_KEY: &str = "artifact-key.pem";
const PUBLIC_KEY: &str = "artifact-key.pub.pem";

/// What is printed about the artifact.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Compiled<'a> {
    artifact: &'a Path,
    /// Its size in bytes.
    bytes: usize,
    /// The public key that it is run with.
    key: String,
}

/// Compiles, signs and writes.
pub(crate) async fn compile(arguments: CompileArguments, console: &Console) -> Result<u8, Failure> {
    let key = signing_key(&arguments, console)?;
    let public = key.public().to_string();
    let compiler = compiler(&arguments.compiler)?;
    let machines = match arguments.cpu {
        MachinesArgument::Any => Machines::Any,
        MachinesArgument::LikeThis => Machines::LikeThis,
    };
    let image = arguments.image.clone();
    let made = tokio::task::spawn_blocking(move || make_artifact(&image, &compiler, machines, &key)).await;
    let artifact = made.map_err(Failure::runner)?.map_err(Failure::image)?;
    write(&arguments.artifact, &artifact).map_err(|error| {
        Failure::runner(error).context(format!("{}: the artifact cannot be written", arguments.artifact.display()))
    })?;
    let compiled = Compiled { artifact: &arguments.artifact, bytes: artifact.len(), key: public };
    match console.format() {
        OutputFormat::Json => console.answer_json(&compiled)?,
        OutputFormat::Text => console.answer(&printable(&format!(
            "{} has {} bytes and is signed with {}\n",
            compiled.artifact.display(),
            compiled.bytes,
            compiled.key,
        )))?,
    }
    Ok(0)
}

fn signing_key(arguments: &CompileArguments, console: &Console) -> Result<SigningKey, Failure> {
    let place = |file: &Path| format!("the signing key {}", file.display());
    if let Some(file) = &arguments.key {
        return SigningKey::read(file).map_err(|error| Failure::runner(error).context(place(file)));
    }
    let folder = code_cache::configuration().ok_or_else(|| {
        Failure::because("there is no home folder to keep a signing key in: name one with --key PRIVATE.pem")
    })?;
    let (private, public) = (folder.join(PRIVATE_KEY), folder.join(PUBLIC_KEY));
    if private.symlink_metadata().is_ok() {
        return SigningKey::read(&private).map_err(|error| Failure::runner(error).context(place(&private)));
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::runner(error).context(place(&private)))?;
    let key = SigningKey::create(&private, &public).map_err(|error| Failure::runner(error).context(place(&private)))?;
    console.say(&format!(
        "made a signing key, {}; `rolebox run --artifact-key {}` runs what it signs",
        private.display(),
        public.display()
    ));
    Ok(key)
}

/// Writes the whole artifact under its name, or nothing: a task that has the old one open keeps it.
fn write(file: &Path, artifact: &[u8]) -> std::io::Result<()> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    let mut new = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o644)).tempfile_in(folder)?;
    new.write_all(artifact)?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}
