//! Writes one page, says that it is there, and stays for a minute.

use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

fn main() {
    let mut page = vec![0_u8; 4096];
    page[0] = black_box(1);
    black_box(&mut page);
    let mut out = std::io::stdout();
    let _ = out.write_all(b"idle\n").and_then(|()| out.flush());
    std::thread::sleep(Duration::from_secs(60));
}
