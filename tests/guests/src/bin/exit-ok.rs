//! Ends at once, well.

fn main() {}
