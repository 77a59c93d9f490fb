//! Objects of any length in bounded memory, as the whole command has it.

use std::process::Command;

use serde_json::json;

use super::Sandbox;

/// Runs a command; prints its exit code and the most memory that it ever had, in KiB, which the system tells its parent.
const MEASURE: &str = "
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
";

/// The most memory that a run took, in KiB. It must succeed.
fn peak_memory(sandbox: &Sandbox, image: &str, arguments: &[&str]) -> u64 {
    let role = "arn:aws:iam::123456789012:role/sample";
    let rolebox = sandbox.command(
        &[
            &[
                "run",
                "--local",
                "--roles",
                "roles.json",
                "--data",
                "data",
                image,
                "--task-role-arn",
                role,
                "--memory",
                "64",
            ],
            &["--capability", "s3:*=arn:aws:s3:::*", "--"][..],
            arguments,
        ]
        .concat(),
    );
    let mut measure = Command::new("python3");
    measure.args(["-c", MEASURE]).arg(rolebox.get_program()).args(rolebox.get_args()).current_dir(sandbox.path());
    measure.envs(rolebox.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = measure.output().expect("Python 3 runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let (exit_code, peak) = text.trim().split_once(' ').expect("two numbers");
    assert_eq!(exit_code, "0", "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    peak.parse().expect("a number")
}

#[test]
fn a_gibibyte_takes_no_more_memory_than_a_mebibyte() {
    let sandbox = Sandbox::new();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}]});
    let all = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    let role = json!({"name": "sample", "trustPolicy": trust, "managedPolicyArns": [all]});
    sandbox.file("roles.json", json!({"roles": [role]}).to_string());
    peak_memory(&sandbox, rolebox_guest_artifacts::S3_CALL, &["create-bucket", "own"]);
    // The guest compares what it gets, byte by byte.
    let through = |bytes: &str| {
        ["put", "get"].map(|what| {
            let arguments = [what, "s3.us-east-1.amazonaws.com", "/own/key", "--bytes", bytes];
            peak_memory(&sandbox, rolebox_guest_artifacts::STREAM, &arguments)
        })
    };
    let (small, large) = (through("1048576"), through("1073741824"));
    for (small, large) in small.into_iter().zip(large) {
        assert!(large <= small + 32 * 1024, "{small} KiB for a mebibyte, {large} KiB for a gibibyte");
    }
    let stored = sandbox.path().join("data");
    assert!(size(&stored) >= 1 << 30, "the object is in {}", stored.display());
}

fn size(path: &std::path::Path) -> u64 {
    let metadata = std::fs::metadata(path).expect("a file or folder");
    if metadata.is_file() {
        return metadata.len();
    }
    std::fs::read_dir(path).expect("a folder").map(|entry| size(&entry.expect("an entry").path())).sum()
}
