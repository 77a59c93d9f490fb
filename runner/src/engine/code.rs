//! From machine code to what can be instantiated: the one place where bytes become code that runs with the host's rights.
//!
//! wasmtime checks of such bytes that they are for this engine, but not what they do. So the way to [`TrustedCode`] is
//! through one of the three that vouch for it, and there is no other.

#[cfg(feature = "compiler")]
use std::path::Path;
use std::path::PathBuf;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::image::ImageKind;

/// What comes out of the compiler, the cache or an artifact, not linked yet.
pub(super) enum Compiled {
    Component(Component),
    Module(Module),
}

/// Machine code that somebody whom the operator trusts vouches for.
pub(super) struct TrustedCode(Source);

enum Source {
    Bytes(Vec<u8>),
    #[cfg_attr(not(feature = "compiler"), expect(dead_code, reason = "the cache belongs to the compiler"))]
    File(PathBuf),
}

impl TrustedCode {
    /// What the compiler has just given.
    #[cfg(feature = "compiler")]
    pub(super) fn from_compiler(code: Vec<u8>) -> Self {
        Self(Source::Bytes(code))
    }

    /// A cache entry that is open and was checked: its name below `/proc/self/fd`, so that it is that file and no other.
    /// It is mapped, not read.
    #[cfg(feature = "compiler")]
    pub(super) fn from_cache(open: &Path) -> Self {
        Self(Source::File(open.to_owned()))
    }

    /// What an operator's key has signed. It was read whole before it was checked, so nobody can change it any more.
    pub(super) fn from_artifact(code: Vec<u8>) -> Self {
        Self(Source::Bytes(code))
    }

    #[expect(
        unsafe_code,
        reason = "wasmtime cannot verify machine code; who may make a `TrustedCode` is what makes it sound"
    )]
    pub(super) fn load(&self, engine: &Engine, kind: ImageKind) -> wasmtime::Result<Compiled> {
        // What makes all four sound: the bytes are what wasmtime's own compiler gave. They come from it directly; or from a
        // file that only this user can have written, that `cache` wrote under checks of its content and never changes in
        // place; or they bear the signature of a key that the operator accepts.
        Ok(match (&self.0, kind) {
            (Source::Bytes(code), ImageKind::Component) => {
                // SAFETY: see above.
                let component = unsafe { Component::deserialize(engine, code) };
                Compiled::Component(component?)
            }
            (Source::Bytes(code), ImageKind::Module) => {
                // SAFETY: see above.
                let module = unsafe { Module::deserialize(engine, code) };
                Compiled::Module(module?)
            }
            (Source::File(path), ImageKind::Component) => {
                // SAFETY: see above.
                let component = unsafe { Component::deserialize_file(engine, path) };
                Compiled::Component(component?)
            }
            (Source::File(path), ImageKind::Module) => {
                // SAFETY: see above.
                let module = unsafe { Module::deserialize_file(engine, path) };
                Compiled::Module(module?)
            }
        })
    }
}
