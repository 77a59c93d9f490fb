//! A container image made by hand, so that none has to come from a registry: a tar archive as `docker save` writes it.
//!
//! One layer, with the programs at its root. The tar headers are POSIX's `ustar`, with no owner and no time, so that
//! the same programs make the same image.

use serde_json::json;
use sha2::{Digest, Sha256};

/// Bytes of a header, and what all is padded to.
const BLOCK: usize = 512;

/// An image of that name. The first program is what its containers run. `None`: a program is larger than the format can
/// say, or its name longer.
pub(crate) fn archive(name: &str, programs: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let layer = tar(programs)?;
    let digest: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Cmd": [format!("/{}", programs.first()?.0)], "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
    });
    let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"] }]);
    tar(&[
        ("manifest.json", manifest.to_string().as_bytes()),
        ("config.json", config.to_string().as_bytes()),
        ("layer.tar", &layer),
    ])
}

/// The processor as images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// A tar archive with these files, all of which may be run.
fn tar(files: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let mut archive = Vec::new();
    for (name, content) in files {
        archive.extend_from_slice(&header(name, content.len())?);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    // Two empty blocks end it.
    archive.resize(archive.len() + 2 * BLOCK, 0);
    Some(archive)
}

fn header(name: &str, size: usize) -> Option<[u8; BLOCK]> {
    let size = format!("{size:011o}");
    if name.len() > 100 || size.len() > 11 {
        return None;
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755");
    // Owner, group, size, time.
    put(108, "0000000");
    put(116, "0000000");
    put(124, &size);
    put(136, "00000000000");
    // The checksum counts as spaces while it is made.
    put(148, "        ");
    // A regular file, and which tar this is.
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_as_posix_has_them() {
        let header = header("noop", 1000).unwrap();
        assert_eq!(&header[..5], b"noop\0");
        assert_eq!(&header[124..136], b"00000001750\0");
        assert_eq!(&header[257..265], b"ustar\x0000");
        // The sum over all bytes but its own field, which counts as spaces.
        let others: u32 = header
            .iter()
            .enumerate()
            .filter(|(at, _)| !(148..156).contains(at))
            .map(|(_, byte)| u32::from(*byte))
            .sum();
        assert_eq!(std::str::from_utf8(&header[148..154]).unwrap(), format!("{:06o}", others + 8 * 32));
        assert!(super::header(&"n".repeat(101), 0).is_none());
        assert!(super::header("large", usize::MAX).is_none());
    }

    #[test]
    fn archives_are_whole_blocks() {
        let archive = tar(&[("a", b"one"), ("b", &[1; 512])]).unwrap();
        assert_eq!(archive.len(), (1 + 1) * BLOCK + (1 + 1) * BLOCK + 2 * BLOCK);
        assert_eq!(&archive[BLOCK..BLOCK + 4], b"one\0");
        assert_eq!(archive[2 * BLOCK], b'b');
    }

    #[test]
    fn an_image_names_its_layer_by_its_digest() {
        let programs: [(&str, &[u8]); 2] = [("noop", b"code"), ("idle", b"more")];
        let image = archive("localhost/some:1", &programs).unwrap();
        assert_eq!(archive("localhost/some:1", &programs).unwrap(), image);
        let text = String::from_utf8_lossy(&image);
        let digest: String = Sha256::digest(tar(&programs).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(text.contains(&format!(r#""diff_ids":["sha256:{digest}"]"#)), "{text}");
        assert!(text.contains(r#""RepoTags":["localhost/some:1"]"#));
        assert!(text.contains(r#""Cmd":["/noop"]"#));
        assert!(archive("localhost/some:1", &[]).is_none());
    }
}
