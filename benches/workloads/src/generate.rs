//! Inputs that are the same on every machine and in every run, and a digest of outputs.

use twox_hash::XxHash64;

/// The generator SplitMix64: a few operations for each number, well mixed, and no state but a counter.
#[derive(Clone, Debug)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is small: that some come a little more often is of no account here.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number in −1 to 1. All its steps are exact, so that it is the same everywhere.
    pub(crate) fn unit(&mut self) -> f64 {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / f64::from(1_u32 << 31) - 1.0
    }

    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(index).copied().unwrap_or_default()
    }
}

/// As many bytes, which do not compress.
pub(crate) fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&numbers.next().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// Lines of an access log, `size` bytes or a line more.
pub(crate) fn log(size: usize, seed: u64) -> String {
    let mut numbers = Numbers::new(seed);
    let mut text = String::with_capacity(size + 256);
    let mut milliseconds = 0;
    while text.len() < size {
        milliseconds += numbers.below(900);
        let (seconds, fraction) = (milliseconds / 1_000, milliseconds % 1_000);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let level = numbers.pick(&["INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"]);
        let (network, machine) = (numbers.below(256), numbers.below(256));
        let method = numbers.pick(&["GET", "GET", "GET", "PUT", "POST", "DELETE"]);
        let thing = numbers.pick(&["orders", "customers", "invoices", "parcels", "sessions"]);
        let (id, status) = (numbers.below(100_000), numbers.pick(&["200", "200", "200", "204", "404", "503"]));
        let (took, user) =
            (numbers.below(250_000), numbers.pick(&["anna", "boris", "chen", "dalia", "emeka", "fatima"]));
        text.push_str(&format!(
            "2026-03-14T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z {level} 10.1.{network}.{machine} {method} \
             /api/v2/{thing}/{id} {status} {took}us user={user}@example.com\n"
        ));
    }
    text
}

/// A number that differs when the bytes do, XXH64: it costs little beside what made them.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_published_generator() {
        // https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64, for the seed 1234567.
        let mut numbers = Numbers::new(1_234_567);
        assert_eq!([numbers.next(), numbers.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn inputs_have_their_size() {
        for size in [0, 1, 8, 1_001] {
            assert_eq!(bytes(size, 1).len(), size);
        }
        let log = log(10_000, 1);
        assert!((10_000..10_200).contains(&log.len()), "{}", log.len());
        assert!(log.ends_with('\n'));
    }
}
