//! Images that nobody wrote: those that `build.rs` generates with wasm-smith, and a component of the suite's that is cut
//! off or has bits turned over. Each is refused or runs under small limits, and ends as a task can end.

use super::assemble::{command, command_text, with_core_module};
use super::case::{Case, End};
use super::{assemble, disturbances};

/// What `build.rs` wrote.
const GENERATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/generated.bin"));

/// In MiB; the smallest that a definition takes.
const MEMORY: u32 = 4;

/// Many of these images never end by themselves.
const TIMEOUT: &str = "20ms";

/// What the core modules of generated components import, as their names stand in the prelude.
const IMPORTS: &str = include_str!(concat!(env!("OUT_DIR"), "/imports.wat"));

/// The kinds of image, as `build.rs` counts them.
const COMMAND: u8 = 0;
const INNER: u8 = 1;
const MODULE: u8 = 2;
const COMPONENT: u8 = 3;

fn case(name: String, image: Vec<u8>) -> Case {
    Case::new(name, image, End::Survived).memory(MEMORY).timeout(TIMEOUT)
}

/// The images of one kind, as `build.rs` marks them.
fn images(wanted: u8) -> Vec<Vec<u8>> {
    let (mut images, mut rest) = (Vec::new(), GENERATED);
    while let Some((&kind, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk::<4>().unwrap();
        let (image, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        if kind == wanted {
            images.push(image.to_vec());
        }
        rest = after;
    }
    assert!(images.len() >= 400, "{} images of the kind {:?}", images.len(), wanted);
    images
}

/// Runs the cases and fails if one of them ended otherwise than a task can end.
async fn survives(cases: Vec<Case>) {
    let count = cases.len();
    let wrong = disturbances(cases).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    println!("images that nobody wrote: {count}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_images_are_refused_or_run_within_their_limits() {
    let around = command_text(
        assemble::LIBC,
        &format!(r#"{IMPORTS} (func (export "run") (result i32) (i32.const 0))"#),
        r#"(canon lift (core func $guest "run"))"#,
    );
    let around = assemble::binary(&around);
    let modules = images(COMMAND).into_iter();
    let inner = images(INNER).into_iter().map(|module| with_core_module(&around, &module));
    let wild = images(MODULE).into_iter();
    let components = images(COMPONENT).into_iter();
    let cases = [
        modules.enumerate().map(|(at, image)| case(format!("module {at}"), image)).collect::<Vec<_>>(),
        inner.enumerate().map(|(at, image)| case(format!("module {at} in a component"), image)).collect(),
        wild.enumerate().map(|(at, image)| case(format!("module {at} with any imports"), image)).collect(),
        components.enumerate().map(|(at, image)| case(format!("component {at}"), image)).collect(),
    ];
    survives(cases.concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_images_are_refused_or_run_within_their_limits() {
    let whole = command(
        r#"(import "stdout" "get-stdout" (func $stdout (result i32)))
        (import "streams" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
        (import "environment" "get-arguments" (func $arguments (param i32)))
        (data (i32.const 64) "printed\n")
        (func (export "run") (result i32)
            (call $arguments (i32.const 16))
            (call $write (call $stdout) (i32.const 64) (i32.const 8) (i32.const 16))
            (i32.load8_u (i32.const 16)))"#,
    );
    let sound = Case::new("the image as it was", whole.clone(), End::Exits(0));
    let cut = (0..whole.len()).step_by(7).map(|at| case(format!("cut off at byte {at}"), whole[..at].to_vec()));
    // Bits spread over the image, one after another and in pairs: a prime step reaches every byte and every bit.
    let bits = whole.len() * 8;
    let turned = (0..1_200).map(|at| {
        let mut image = whole.clone();
        for bit in [at * 7_919 % bits, at * 104_729 % bits].into_iter().take(1 + at % 2) {
            image[bit / 8] ^= 1 << (bit % 8);
        }
        case(format!("turned over, {at}"), image)
    });
    survives([sound].into_iter().chain(cut).chain(turned).collect()).await;
}
