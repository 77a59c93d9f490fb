//! Compute kernels: what a task does when it calls nobody.
//!
//! Each makes its input once, which is not timed, and then does the same work in each run, some milliseconds natively.
//! A run ends in a checksum, so that a measurement also shows that both sides did the same: whole numbers are the same
//! everywhere, and the floating point keeps to operations that IEEE 754 defines to the last bit (Rust fuses no multiply
//! and add by itself).
//!
//! The kernels are those of real programs, with the crates that real programs take. Two of these crates have code of
//! their own for the native processor, which a guest has no way to: [`Kernel::native_only`] says which, since that part
//! of a difference is not the sandbox's. For hashes there is therefore a second kernel, `xxh64`, whose code is plain
//! Rust on both sides.

mod blur;
mod deflate;
mod json;
mod matrix;
mod nbody;
mod queens;
mod regex;
mod sha256;
mod sieve;
mod sort;
mod xxh64;

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use crate::arguments::ArgumentError;
use crate::timing::each_run;

/// A kernel with its input.
type Run = Box<dyn FnMut() -> u64>;

/// A kernel.
pub struct Kernel {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// What one run does, for the legend of a report.
    pub work: &'static str,
    /// Instructions that its crates use on x86-64 when the processor has them, and that a guest does not have. Where
    /// this is `None`, both sides run the same source; the compiler's own vectors (SSE2) are not counted.
    pub native_only: Option<&'static str>,
    prepare: fn() -> Run,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kernel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What [`Kernel::measure`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How long each run took, in the order of the runs.
    pub nanoseconds: Vec<u64>,
    /// What each run came to.
    pub checksum: u64,
}

/// All kernels, in the order of the tables.
pub const ALL: &[Kernel] = &[
    Kernel { name: "sha256", work: "SHA-256 of 2 MiB (sha2)", native_only: Some("SHA-NI"), prepare: sha256::prepare },
    Kernel { name: "xxh64", work: "XXH64 of 16 MiB (twox-hash)", native_only: None, prepare: xxh64::prepare },
    Kernel { name: "sieve", work: "the primes below 1,000,000", native_only: None, prepare: sieve::prepare },
    Kernel {
        name: "matrix",
        work: "product of two matrices of 192 × 192 f64",
        native_only: None,
        prepare: matrix::prepare,
    },
    Kernel {
        name: "json",
        work: "200 kB of JSON read into structs and written again (serde_json)",
        native_only: None,
        prepare: json::prepare,
    },
    Kernel {
        name: "regex",
        work: "two patterns, one with groups, over 512 KiB of log (regex)",
        native_only: Some("AVX2"),
        prepare: regex::prepare,
    },
    Kernel {
        name: "deflate",
        work: "64 KiB of log deflated, level 6, and inflated again (miniz_oxide)",
        native_only: None,
        prepare: deflate::prepare,
    },
    Kernel { name: "sort", work: "100,000 u64 sorted, unstable", native_only: None, prepare: sort::prepare },
    Kernel {
        name: "blur",
        work: "Gaussian blur of 5 × 5, separable, of 2048 × 1024 grey pixels",
        native_only: None,
        prepare: blur::prepare,
    },
    Kernel { name: "nbody", work: "five bodies moved 40,000 steps, f64", native_only: None, prepare: nbody::prepare },
    Kernel {
        name: "queens",
        work: "eleven queens, all solutions, recursive",
        native_only: None,
        prepare: queens::prepare,
    },
];

impl Kernel {
    /// The kernel of this name.
    ///
    /// # Errors
    ///
    /// [`ArgumentError::Choice`] with all names.
    pub fn named(name: &str) -> Result<&'static Self, ArgumentError> {
        ALL.iter().find(|kernel| kernel.name == name).ok_or_else(|| ArgumentError::Choice {
            what: "KERNEL",
            word: name.to_owned(),
            known: ALL.iter().map(|kernel| kernel.name).collect(),
        })
    }

    /// Makes the input, then runs `warm_up` times without and `count` times with the clock.
    ///
    /// Without any run, the checksum is zero.
    ///
    /// # Panics
    ///
    /// If two runs come to different checksums: then they did not do the same work.
    pub fn measure(&self, count: usize, warm_up: usize, now: impl Fn() -> Duration) -> Measured {
        let mut run = (self.prepare)();
        let mut checksum = None;
        let nanoseconds = each_run(count, warm_up, now, || {
            let of_this_run = black_box(run());
            let first = *checksum.get_or_insert(of_this_run);
            assert_eq!(of_this_run, first, "all runs of {} come to the same checksum", self.name);
        });
        Measured { nanoseconds, checksum: checksum.unwrap_or_default() }
    }
}

/// Measures the kernel of this name: see [`Kernel::measure`].
///
/// # Errors
///
/// [`ArgumentError::Choice`] if there is none.
pub fn measure(
    kernel: &str,
    count: usize,
    warm_up: usize,
    now: impl Fn() -> Duration,
) -> Result<Measured, ArgumentError> {
    Ok(Kernel::named(kernel)?.measure(count, warm_up, now))
}

#[cfg(test)]
mod tests;
