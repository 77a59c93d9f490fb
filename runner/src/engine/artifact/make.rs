//! Making an artifact of an image.

use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Engine;

use super::{Head, SigningKey, message};
use crate::engine::code::TrustedCode;
use crate::engine::compile::{Compiler, EngineKey, Target};
use crate::engine::image::{ImageError, ImageKind, ImageProblem, Linkers};
use crate::engine::images::source::{self, Content};
use crate::engine::{code_config, code_description};

/// The machines that an artifact is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Machines {
    /// All of this architecture, with what every processor of it has.
    #[default]
    Any,
    /// Those whose processor has all that this one's has: faster where code uses it, refused elsewhere.
    LikeThis,
}

/// Compiles the image at `image` and signs the code; gives the artifact's bytes.
///
/// It takes as long as compiling does, on this thread. The image is linked as it would be for a task, so that what
/// could not be run is not made either.
///
/// # Errors
///
/// [`ImageError`], as for a task with this image.
pub fn make_artifact(
    image: &Path,
    compiler: &Compiler,
    machines: Machines,
    key: &SigningKey,
) -> Result<Vec<u8>, ImageError> {
    make(image, compiler, machines, key).map_err(|problem| ImageError::File { path: image.to_owned(), problem })
}

fn make(path: &Path, compiler: &Compiler, machines: Machines, key: &SigningKey) -> Result<Vec<u8>, ImageProblem> {
    let id = source::identify(path)?.image;
    let Content::Image(image) = source::read(path, id)? else {
        return Err(ImageProblem::Engine("it is an artifact already".to_owned()));
    };
    let kind = ImageKind::of(&image)?;
    let target = match machines {
        Machines::Any => Target::AnyMachine,
        Machines::LikeThis => Target::ThisMachine,
    };
    let engine_key = EngineKey::of(&target.engine()?);
    let code = compiler.compile(&image, kind, (target, engine_key), &|| false)?;
    let failed = |error: wasmtime::Error| ImageProblem::Engine(format!("{error:#}"));
    let engine = Engine::new(&code_config()).map_err(failed)?;
    let trusted = TrustedCode::from_compiler(code.clone());
    Linkers::new(&engine).map_err(failed)?.link(&trusted.load(&engine, kind).map_err(failed)?)?;
    Ok(signed(kind, id.0, &code, key))
}

fn signed(kind: ImageKind, image: [u8; 32], code: &[u8], key: &SigningKey) -> Vec<u8> {
    let head = Head {
        kind,
        engine: code_description(),
        image,
        key: key.public_bytes(),
        code: u64::try_from(code.len()).unwrap_or(u64::MAX),
        code_hash: Sha256::digest(code).into(),
    };
    let mut artifact = head.encode();
    artifact.extend(key.sign(&message(&artifact)));
    artifact.extend_from_slice(code);
    artifact
}
