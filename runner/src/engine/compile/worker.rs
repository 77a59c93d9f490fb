//! The inside of a compiler process.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, Signal};

use super::frame::{Answer, Request};
use super::{EngineKey, compile};
use crate::engine::MAX_IMAGE_BYTES;
use crate::engine::image::{ImageKind, ImageProblem};

/// Open files that the process may have: its three standard ones, and those that the standard library looks into to
/// count processors.
const MAX_FILES: u64 = 16;

/// How much later than others it runs: tasks that run already go first.
const NICENESS: i32 = 5;

/// Compiles the image that standard input brings, answers on standard output, and gives the process's exit code.
///
/// This is what the program that [`CompilerProcess`](crate::compiler::CompilerProcess) names does, and all that it does:
/// it must not have started threads or opened files of its own. What it reads and writes is between versions of this
/// library that are the same.
#[must_use]
pub fn compile_worker() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "the image was not compiled: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut head = [0; Request::BYTES];
    input.read_exact(&mut head)?;
    let request = Request::decode(&head).ok_or_else(|| io::Error::other("standard input holds no request"))?;
    confine(&request)?;
    let answer = answer(&request, &mut input)?;
    let (head, payload, end) = answer.encode();
    let mut output = io::stdout().lock();
    output.write_all(&head)?;
    output.write_all(payload)?;
    output.write_all(&end)?;
    output.flush()
}

/// Takes from this process what it does not need, before it has seen a byte of the image.
fn confine(request: &Request) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The signal is for an end that is still to come.
    let parent = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned());
    if parent != Some(request.parent) {
        return Err(io::Error::other("who asked has ended"));
    }
    for (resource, most) in [
        (Resource::As, request.memory),
        (Resource::Cpu, request.cpu_seconds),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, MAX_FILES),
    ] {
        let had = rustix::process::getrlimit(resource);
        // Nobody may raise what he has been given.
        let most = had.maximum.map_or(most, |maximum| maximum.min(most));
        rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    rustix::process::nice(NICENESS)?;
    Ok(())
}

fn answer(request: &Request, input: &mut impl Read) -> io::Result<Answer> {
    let engine = match request.target.engine() {
        Ok(engine) => engine,
        Err(problem) => return Ok(Answer::Failed(problem.to_string())),
    };
    if EngineKey::of(&engine) != request.engine {
        return Ok(Answer::Mismatch);
    }
    if request.image > MAX_IMAGE_BYTES {
        return Ok(Answer::Failed(format!("an image of {} bytes", request.image)));
    }
    let mut image = Vec::new();
    input.take(request.image).read_to_end(&mut image)?;
    if u64::try_from(image.len()) != Ok(request.image) {
        return Err(io::Error::other("standard input ended within the image"));
    }
    let compiled = ImageKind::of(&image).and_then(|kind| compile(&engine, &image, kind));
    Ok(match compiled {
        Ok(code) => Answer::Code(code),
        Err(ImageProblem::TooComplex(what)) => Answer::TooComplex(what),
        Err(ImageProblem::Invalid(why)) if why.contains("Cannot allocate memory") => Answer::OutOfMemory,
        Err(ImageProblem::Invalid(why)) => Answer::Invalid(why),
        Err(problem) => Answer::Failed(problem.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile::Target;

    fn asked(image: &[u8], change: impl FnOnce(&mut Request)) -> io::Result<Answer> {
        let mut request = Request {
            engine: EngineKey::of(&Target::ThisMachine.engine().expect("an engine")),
            target: Target::ThisMachine,
            memory: 1 << 30,
            cpu_seconds: 60,
            parent: std::process::id(),
            image: image.len() as u64,
        };
        change(&mut request);
        answer(&request, &mut &image[..])
    }

    #[test]
    fn an_image_is_compiled_for_the_engine_that_asks_and_for_no_other() {
        let image = wat::parse_str("(component)").expect("a component");
        assert!(matches!(asked(&image, |_| {}), Ok(Answer::Code(code)) if code.starts_with(b"\x7fELF")));
        let other = asked(&image, |request| request.engine = EngineKey([0; 32]));
        assert_eq!(other.expect("an answer"), Answer::Mismatch);
        // For any machine it is another engine.
        let other = asked(&image, |request| request.target = Target::AnyMachine);
        assert_eq!(other.expect("an answer"), Answer::Mismatch);
    }

    #[test]
    fn what_is_no_image_has_its_answer() {
        assert!(matches!(asked(b"\0asm\x01\0\0\0garbage", |_| {}), Ok(Answer::Invalid(_))));
        assert!(matches!(asked(b"text", |_| {}), Ok(Answer::Failed(why)) if why.contains("74 65 78 74")));
        let image = wat::parse_str(format!("(module (func {}))", "nop ".repeat(1_100_000))).expect("a module");
        assert!(matches!(asked(&image, |_| {}), Ok(Answer::TooComplex(_))));
        assert!(asked(&image, |request| request.image += 1).is_err(), "it is cut short");
        assert!(matches!(asked(b"", |request| request.image = MAX_IMAGE_BYTES + 1), Ok(Answer::Failed(_))));
    }
}
