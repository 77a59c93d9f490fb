//! The archive that a Linux kernel takes its first file system from, with one program in it.
//!
//! The format is `newc` of cpio(5), as the kernel's `driver-api/early-userspace/buffer-format` describes it.

/// The name of what the kernel starts, and what a kernel expects to exist for its output is made by itself.
const PROGRAM: &str = "init";

/// A regular file that all may read and run.
const FILE: u32 = 0o100_755;

/// An archive with the program as `/init`. `None`: it is larger than the format can say.
pub(crate) fn initramfs(program: &[u8]) -> Option<Vec<u8>> {
    let mut archive = Vec::new();
    entry(&mut archive, PROGRAM, FILE, program)?;
    entry(&mut archive, "TRAILER!!!", 0, &[])?;
    Some(archive)
}

fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, content: &[u8]) -> Option<()> {
    let size = u32::try_from(content.len()).ok()?;
    // With the zero byte that ends it.
    let name_size = u32::try_from(name.len() + 1).ok()?;
    archive.extend_from_slice(b"070701");
    // Inode, mode, user, group, links, time, size, four device numbers, size of the name, checksum.
    for field in [1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0] {
        archive.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(content);
    pad(archive);
    Some(())
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_program_and_an_end() {
        let archive = initramfs(b"code!").unwrap();
        let text = String::from_utf8_lossy(&archive);
        let zeros = |count: usize| "00000000".repeat(count);
        let header = |mode: &str, size: &str, name: &str| {
            format!("07070100000001{mode}{}00000001{}{size}{}{name}{}", zeros(2), zeros(1), zeros(4), zeros(1))
        };
        assert_eq!(
            text,
            [
                &header("000081ED", "00000005", "00000005"),
                "init\0\0",
                "code!\0\0\0",
                &header("00000000", "00000000", "0000000B"),
                "TRAILER!!!\0\0\0\0",
            ]
            .concat()
        );
        assert_eq!(archive.len() % 4, 0);
    }
}
