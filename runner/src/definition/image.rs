//! Where a container's code comes from.

use std::fmt;
use std::path::{Path, PathBuf};

/// A container's `image`.
///
/// What ends in `.wasm` or `.cwasm` or begins with `/` is a path, everything else the name of an image in a registry.
/// Loading either, and which sources the operator allows, is not decided here; nor whether a file is an image or an
/// [artifact](crate::artifact), which its content tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Image {
    /// A file: the path as written, below the definition's folder when it is relative.
    File(PathBuf),
    /// An image in an OCI registry, or known by its digest.
    Registry(ImageReference),
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Registry(reference) => reference.fmt(f),
        }
    }
}

/// The name of an image: `registry.example.com:5000/team/app:1.2`, `app@sha256:…`.
///
/// The grammar is that of the OCI distribution specification (repository and tag) with a registry host in front, as
/// container tools write it. The first part is a registry host if it has a dot or a port, or is `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    registry: Option<String>,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageReference {
    /// The registry's host, with its port if one was written; `None` leaves the registry to the operator.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The repository's name: lower-case parts with slashes between them.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, `sha256:` and 64 lower-case hexadecimal digits, if one was written. It decides when there is a tag
    /// too.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, digest) = match text.split_once('@') {
            None => (text, None),
            Some((name, digest)) => (name, Some(parse_digest(digest)?)),
        };
        let (registry, rest) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, name),
        };
        let (repository, tag) = match rest.split_once(':') {
            None => (rest, None),
            Some((repository, tag)) => (repository, Some(tag)),
        };
        if registry.is_some_and(|registry| !is_registry(registry)) {
            return Err("the registry's host is malformed");
        }
        if !is_repository(repository) {
            return Err(
                "the repository's name is malformed: its parts are lower-case letters and digits, joined by single \
                 dots, dashes or underscores",
            );
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("the tag is malformed");
        }
        Ok(Self {
            registry: registry.map(str::to_owned),
            repository: repository.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Parses an `image`; an error says what is wrong with it.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Image, &'static str> {
    if text.is_empty() {
        return Err("the image has no name");
    }
    if text.contains('\0') {
        return Err("the image's name holds a NUL");
    }
    if text.starts_with('/') || [".wasm", ".cwasm"].iter().any(|ending| text.ends_with(ending)) {
        return Ok(Image::File(folder.join(text)));
    }
    if text.contains("://") {
        return Err("the image is a URL");
    }
    ImageReference::parse(text).map(Image::Registry)
}

fn parse_digest(text: &str) -> Result<String, &'static str> {
    let hexadecimal = text.strip_prefix("sha256:").ok_or("the digest's algorithm is not sha256")?;
    if hexadecimal.len() != 64 || !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("the digest is not 64 hexadecimal digits");
    }
    // ECS takes capitals too; registries compare digests as text.
    Ok(text.to_ascii_lowercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => (host, Some(port)),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`, at most 255 characters.
/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>
fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut separator = String::new();
        let mut after_letter = false;
        for letter in part.chars() {
            if letter.is_ascii_lowercase() || letter.is_ascii_digit() {
                let joins = matches!(separator.as_str(), "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-');
                if !joins {
                    return false;
                }
                separator.clear();
                after_letter = true;
            } else if after_letter && matches!(letter, '.' | '_' | '-') {
                separator.push(letter);
            } else {
                return false;
            }
        }
        after_letter && separator.is_empty()
    };
    text.len() <= 255 && text.split('/').all(is_part)
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`, from the same page.
fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:94afd1f2e64d908bc90dbca0035a5b567e94afd1f2e64d908bc90dbca0035a5b";

    #[test]
    fn references_have_their_parts() {
        let digest = &format!("app@{}", DIGEST.replace("94afd", "94AFD"));
        let all = &format!("registry.example.com:5000/team/my-app_2.x:v1.0_RC@{DIGEST}");
        for (text, registry, repository, tag, has_digest) in [
            ("app", None, "app", None, false),
            ("team/app:1.2", None, "team/app", Some("1.2"), false),
            ("localhost/app", Some("localhost"), "app", None, false),
            ("localhost:5000/app:x", Some("localhost:5000"), "app", Some("x"), false),
            (digest, None, "app", None, true),
            (all, Some("registry.example.com:5000"), "team/my-app_2.x", Some("v1.0_RC"), true),
        ] {
            let Ok(Image::Registry(reference)) = parse(text, Path::new("/folder")) else {
                panic!("{text} is a reference");
            };
            assert_eq!(reference.registry(), registry, "{text}");
            assert_eq!(reference.repository(), repository, "{text}");
            assert_eq!(reference.tag(), tag, "{text}");
            assert_eq!(reference.digest(), has_digest.then_some(DIGEST), "{text}");
            assert_eq!(reference.to_string(), text.replace("94AFD", "94afd"));
        }
    }

    #[test]
    fn paths_lie_below_the_folder() {
        for (text, path) in [
            ("app.wasm", "/folder/app.wasm"),
            ("../out/app.wasm", "/folder/../out/app.wasm"),
            ("/images/app.wasm", "/images/app.wasm"),
            ("My App.wasm", "/folder/My App.wasm"),
            ("app.cwasm", "/folder/app.cwasm"),
            ("/images/app", "/images/app"),
        ] {
            assert_eq!(parse(text, Path::new("/folder")), Ok(Image::File(path.into())), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_images() {
        for text in [
            "",
            "\0.wasm",
            "App",
            "a//b",
            "app/",
            "app:",
            "app:-x",
            "app:a b",
            "-app",
            "app-",
            "a..b",
            "a._b",
            "a___b",
            "./app",
            "../app",
            "app.WASM ",
            "a@b",
            "app@sha256:",
            "app@sha512:00",
            "app@sha256:xyz",
            "https://example.com/app",
            "oci://app",
            "example.com:0/app",
            "example.com:99999/app",
            "example..com/app",
            "-x.com/app",
            "user@example.com/app",
            "ünïcode",
            "app\n",
            "a:b:c",
        ] {
            assert!(parse(text, Path::new("/folder")).is_err(), "{text:?}");
        }
    }
}
