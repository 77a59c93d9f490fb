//! Generates the images of `components::generated`: modules and components that nobody wrote, the same in each build.
//!
//! They lie one after another in `generated.bin`: a byte for the kind, four for the length in little-endian order, and
//! the image. Why in a build script, says `Cargo.toml`.

#[path = "build/generate.rs"]
mod generate;

use std::path::PathBuf;

use self::generate::Kind;

/// How many of each kind. They are tried by one test, which is to take some ten seconds.
const COUNT: usize = 450;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/generate.rs");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut images = Vec::new();
    for _ in 0..COUNT {
        let bytes = random.bytes();
        for kind in Kind::ALL {
            if let Some(image) = generate::image(kind, &bytes) {
                images.push(kind as u8);
                images.extend(u32::try_from(image.len()).expect("small").to_le_bytes());
                images.extend(image);
            }
        }
    }
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(folder.join("generated.bin"), images).expect("the images are written");
    std::fs::write(folder.join("imports.wat"), generate::lowered_imports()).expect("the imports are written");
}

/// A generator of Marsaglia's (xorshift64): the same images everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// What one image is generated from: between 256 bytes and 2 KiB.
    fn bytes(&mut self) -> Vec<u8> {
        let words = 32 + self.next() % 224;
        (0..words).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}
