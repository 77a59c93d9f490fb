//! Prints what the task is given: lines `argument TEXT`, `environment NAME=VALUE`, `directory PATH` for each
//! preopened one, and `working-directory PATH`.

use wasip2::cli::environment;
use wasip2::filesystem::preopens;

fn main() {
    for argument in std::env::args() {
        println!("argument {argument}");
    }
    // By the interface itself, since the standard library leaves out what it takes for malformed.
    for (name, value) in environment::get_environment() {
        println!("environment {name}={value}");
    }
    for (_, path) in preopens::get_directories() {
        println!("directory {path}");
    }
    if let Some(path) = environment::initial_cwd() {
        println!("working-directory {path}");
    }
}
