use std::cell::Cell;

use super::*;

/// The same on every machine; `compute` prints it in a guest.
const CHECKSUMS: &[(&str, u64)] = &[
    ("sha256", 6_612_151_119_931_278_111),
    ("xxh64", 445_711_796_475_111_054),
    ("sieve", 37_550_402_023),
    ("matrix", 11_055_159_784_557_784_031),
    ("json", 7_561_118_505_835_825_203),
    ("regex", 8_804_683_042_128),
    ("deflate", 3_047_381_554_723_101_853),
    ("sort", 10_956_775_742_813_072_144),
    ("blur", 14_955_947_656_605_349_660),
    ("nbody", 13_818_630_811_927_882_499),
    ("queens", 2_680),
];

#[test]
fn every_kernel_comes_to_its_known_checksum_in_each_run() {
    let found: Vec<_> =
        ALL.iter().map(|kernel| (kernel.name, kernel.measure(1, 1, || Duration::ZERO).checksum)).collect();
    assert_eq!(found, CHECKSUMS);
}

#[test]
fn a_kernel_is_found_by_its_name() {
    for kernel in ALL {
        assert_eq!(Kernel::named(kernel.name).expect("is known").name, kernel.name);
    }
    let error = measure("md4", 1, 0, || Duration::ZERO).expect_err("is none");
    assert_eq!(
        error.to_string(),
        "KERNEL is \"md4\", and can be sha256, xxh64, sieve, matrix, json, regex, deflate, sort, blur, nbody, queens"
    );
}

#[test]
fn as_many_times_as_were_asked_for_and_none_of_the_warm_up() {
    let ticks = Cell::new(0);
    let now = || {
        ticks.set(ticks.get() + 1);
        Duration::from_nanos(10 * ticks.get())
    };
    let measured = measure("queens", 3, 2, now).expect("is known");
    assert_eq!(measured, Measured { nanoseconds: vec![10; 3], checksum: 2_680 });
    assert_eq!(ticks.get(), 6);
}
