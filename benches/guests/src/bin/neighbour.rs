//! `neighbour spin|allocate|print`: never ends, and takes as much as it gets, of the processor, of memory, or of
//! stdout. For what others notice of it.

use std::convert::Infallible;
use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;

use rolebox_bench_guests::{finish, words};
use rolebox_bench_workloads::arguments::{ArgumentError, exactly};

const BLOCK: usize = 1 << 20;
const BLOCKS: usize = 32;
/// A page of the machine below, of which each is touched.
const PAGE: usize = 4_096;

fn main() -> ExitCode {
    let Err(error) = run(&words());
    finish(Err(error))
}

fn run(words: &[String]) -> Result<Infallible, Box<dyn Error>> {
    let [what] = exactly("spin|allocate|print", words)?;
    match what.as_str() {
        "spin" => spin(),
        "allocate" => allocate(),
        "print" => Ok(print()?),
        word => {
            let known = vec!["spin", "allocate", "print"];
            Err(ArgumentError::Choice { what: "what it does", word: word.to_owned(), known }.into())
        }
    }
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Up to 32 MiB in blocks of 1 MiB, then none again.
fn allocate() -> ! {
    loop {
        let mut blocks = Vec::with_capacity(BLOCKS);
        for number in 0..BLOCKS {
            let mut block = vec![0_u8; BLOCK];
            for page in block.chunks_mut(PAGE) {
                page[0] = number as u8;
            }
            blocks.push(black_box(block));
        }
        drop(black_box(blocks));
    }
}

/// Lines of 100 bytes, each written by itself.
fn print() -> io::Result<Infallible> {
    let mut stdout = io::stdout().lock();
    let line = format!("{}\n", "a line of a neighbour ".repeat(5).get(..99).unwrap_or_default());
    loop {
        stdout.write_all(line.as_bytes())?;
        stdout.flush()?;
    }
}
