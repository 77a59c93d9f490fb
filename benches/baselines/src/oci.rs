//! A bundle as the Open Container Initiative's runtime specification has it, made by hand: a file system with one
//! program and the configuration of one container.
//!
//! The namespaces are those of an ordinary container, the user's too. Absent: a terminal, limits, a seccomp filter and
//! a network, none of which a program that does nothing would use. That makes the runtimes look a little better than in
//! use.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// What the program is called in the container.
const PROGRAM: &str = "/program";

/// Writes the bundle into the folder, which is made.
pub(crate) fn bundle(folder: &Path, program: &Path, user: u32, group: u32) -> io::Result<()> {
    let root = folder.join("rootfs");
    // Mount points; the file system is mounted for reading alone.
    for mount in ["dev", "proc", "sys"] {
        fs::create_dir_all(root.join(mount))?;
    }
    fs::copy(program, root.join(PROGRAM.trim_start_matches('/')))?;
    fs::write(folder.join("config.json"), config(user, group).to_string())
}

/// The container's configuration. Its root is `user` and `group` outside.
fn config(user: u32, group: u32) -> Value {
    let namespaces = ["user", "mount", "pid", "ipc", "uts", "network"].map(|namespace| json!({ "type": namespace }));
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": [PROGRAM],
            "env": ["PATH=/"],
            "cwd": "/",
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "baseline",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
            },
        ],
        "linux": {
            "uidMappings": [{ "containerID": 0, "hostID": user, "size": 1 }],
            "gidMappings": [{ "containerID": 0, "hostID": group, "size": 1 }],
            "namespaces": namespaces,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_containers_root_is_the_user() {
        let config = config(1000, 100);
        assert_eq!(config["linux"]["uidMappings"][0], json!({ "containerID": 0, "hostID": 1000, "size": 1 }));
        assert_eq!(config["linux"]["gidMappings"][0], json!({ "containerID": 0, "hostID": 100, "size": 1 }));
        assert_eq!(config["process"]["terminal"], json!(false));
        assert_eq!(config["linux"]["namespaces"].as_array().unwrap().len(), 6);
    }

    #[test]
    fn a_bundle_holds_the_program_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("any");
        fs::write(&program, "code").unwrap();
        let made = folder.path().join("bundle");
        bundle(&made, &program, 0, 0).unwrap();
        // Again, as the next run in the same folder would.
        bundle(&made, &program, 0, 0).unwrap();
        assert_eq!(fs::read_to_string(made.join("rootfs/program")).unwrap(), "code");
        assert_eq!(fs::read_dir(made.join("rootfs")).unwrap().count(), 4);
        let written: Value = serde_json::from_str(&fs::read_to_string(made.join("config.json")).unwrap()).unwrap();
        assert_eq!(written, config(0, 0));
    }
}
