//! Executes `unreachable`.

fn main() {
    std::process::abort();
}
