//! Calls itself without end.

fn main() {
    println!("{}", deeper(0));
}

#[expect(unconditional_recursion, reason = "it is what this guest is for")]
fn deeper(depth: u64) -> u64 {
    // What comes after the call, and an address that is seen, keep the compiler from making a loop of it.
    let frame = std::hint::black_box([depth; 16]);
    deeper(depth + 1).wrapping_add(std::hint::black_box(&frame)[0])
}
