//! What is measured in a task and outside one, from the same source.
//!
//! An overhead is the difference between two measurements of the same work. So the work stands here once: the benches'
//! own process calls it for the native side, and the guests in `benches/guests` are thin mains around it. What differs
//! then is what is in question: the instruction set, the host's checks, the way of a request.
//!
//! Absent: statistics and reports, which are `rolebox-bench-report`'s, and starting tasks, which the benches do.

pub mod arguments;
mod generate;
pub mod kernels;
pub mod pace;
pub mod s3;
pub mod timing;
