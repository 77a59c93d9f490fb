//! Images run under small limits: generated modules and components, and binaries as they are.
//!
//! The first byte says what the others are. The generator, and the components around generated modules, are those of the
//! test suite, compiled in from their sources.
#![no_main]

#[path = "../../../tests/suite/tests/suite/components/assemble.rs"]
#[allow(dead_code, reason = "a fuzz target uses a few of the suite's builders")]
mod assemble;
#[path = "../../../tests/suite/build/generate.rs"]
mod generate;

use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use libfuzzer_sys::{Corpus, fuzz_target};
use rolebox::definition::TaskDefinition;
use rolebox::output::{CapturedOutput, TaskOutput};
use rolebox::task::StopCode;
use rolebox::{OperatorBounds, Runner, RunnerSettings};
use rolebox_fuzz::readable;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::generate::Kind;

/// The smallest that a definition takes.
const MEMORY_MIB: u64 = 4;

const OUTPUT_BYTES: usize = 1_024;

/// A runner keeps what it has compiled. After so many images it is dropped, and that has to work as well.
const IMAGES_OF_A_RUNNER: u32 = 2_000;

fuzz_target!(|input: &[u8]| -> Corpus {
    match image(input) {
        Some(image) => {
            run(&image);
            Corpus::Keep
        }
        None => Corpus::Reject,
    }
});

/// What the input says: an image, or what one is generated from.
fn image(input: &[u8]) -> Option<Vec<u8>> {
    let (kind, rest) = input.split_first()?;
    match kind % 6 {
        0 => generate::image(Kind::Command, rest),
        1 => Some(assemble::with_core_module(&AROUND, &generate::image(Kind::Inner, rest)?)),
        2 => generate::image(Kind::Module, rest),
        3 => generate::image(Kind::Component, rest),
        4 => Some([b"\0asm\x01\0\0\0", rest].concat()),
        _ => Some([b"\0asm\x0d\0\x01\0", rest].concat()),
    }
}

/// The component around [`Kind::Inner`].
static AROUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let fields = format!(r#"{} (func (export "run") (result i32) (i32.const 0))"#, generate::lowered_imports());
    let lift = r#"(canon lift (core func $guest "run"))"#;
    assemble::binary(&assemble::command_text(assemble::LIBC, &fields, lift))
});

/// One process, one engine.
struct Host {
    runtime: Runtime,
    runner: Option<(Runner, u32)>,
    folder: TempDir,
}

static HOST: LazyLock<Mutex<Host>> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    Mutex::new(Host { runtime, runner: None, folder: tempfile::tempdir().expect("a folder") })
});

impl Host {
    fn runner(&mut self) -> Runner {
        let (runner, left) = self.runner.take().filter(|(_, left)| *left > 0).unwrap_or_else(|| {
            let bounds = OperatorBounds::deny_all().allow_any_image();
            let settings = RunnerSettings::new(bounds).with_max_instances(4);
            (Runner::new(settings).expect("a runner"), IMAGES_OF_A_RUNNER)
        });
        self.runner = Some((runner.clone(), left - 1));
        runner
    }
}

fn run(image: &[u8]) {
    let mut host = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    let runner = host.runner();
    let path = host.folder.path().join("image.wasm");
    std::fs::write(&path, image).expect("the image is written");
    let definition = serde_json::json!({
        "family": "fuzz",
        "containerDefinitions": [{"name": "guest", "image": path, "memory": MEMORY_MIB}],
        "rolebox": {"timeout": "50ms", "limits": {"outputBytes": OUTPUT_BYTES}},
    });
    let definition = TaskDefinition::parse(&definition.to_string(), Path::new("/")).expect("a definition");
    host.runtime.block_on(async {
        let prepared = match runner.prepare(&definition).await {
            Ok(prepared) => prepared,
            Err(refused) => return said(&refused.to_string()),
        };
        let output = CapturedOutput::default();
        let stopped = prepared.start(TaskOutput::Capture(output.clone())).wait().await;
        said(&stopped.stopped_reason);
        let container = stopped.containers.first().expect("it was started");
        let (code, peak) = (container.exit_code, container.peak_memory);
        match stopped.stop_code {
            StopCode::EssentialContainerExited => {
                let code = code.expect("it ran");
                assert!((0..=125).contains(&code) || [134, 137].contains(&code), "{stopped:?}");
            }
            StopCode::TaskFailedToStart => assert_eq!(code, None, "{stopped:?}"),
            _ => panic!("{stopped:?}"),
        }
        assert!(peak <= MEMORY_MIB << 20, "{stopped:?}");
        assert!(stopped.output_complete && output.stdout().len() + output.stderr().len() <= OUTPUT_BYTES);
    });
}

/// What is said of an image can be shown, and the host's own code did not panic.
fn said(message: &str) {
    readable(message);
    assert!(message.len() <= 4_096 && !message.contains("the host failed"), "{message}");
}
