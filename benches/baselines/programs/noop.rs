//! Ends at once, with exit code 0.

fn main() {}
