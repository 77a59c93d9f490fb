//! Which environment variables a Cargo that a build script starts must not inherit.

/// Names, and beginnings of names (those end in `_`), of what tells of the build that runs this script: its flags,
/// wrappers (clippy, coverage), profile, target and package.
const OF_THE_OUTER_BUILD: [&str; 18] = [
    "CARGO",
    "CARGO_",
    "CLIPPY_",
    "DEBUG",
    "DEP_",
    "HOST",
    "LLVM_PROFILE_FILE",
    "MIRI_",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC_",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "TARGET",
    "__CARGO_",
];

/// What begins like those but is a setting of the machine: where Cargo lives, how it reaches the network, how it
/// prints, and the budget of jobs that both builds share.
const OF_THE_MACHINE: [&str; 11] = [
    "CARGO_BUILD_JOBS",
    "CARGO_CACHE_",
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_RESOLVER_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

pub(crate) fn belongs_to_the_outer_build(name: &str) -> bool {
    let is_one_of = |patterns: &[&str]| {
        patterns.iter().any(|pattern| name == *pattern || (pattern.ends_with('_') && name.starts_with(pattern)))
    };
    is_one_of(&OF_THE_OUTER_BUILD) && !is_one_of(&OF_THE_MACHINE)
}

#[cfg(test)]
mod tests {
    use super::belongs_to_the_outer_build;

    #[test]
    fn flags_and_wrappers_stay_out_and_the_machine_s_settings_come_in() {
        let removed = [
            "CARGO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_BUILD_TARGET_DIR",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_FEATURE_STD",
            "CARGO_INCREMENTAL",
            "CARGO_LLVM_COV",
            "CARGO_MANIFEST_DIR",
            "CARGO_PKG_NAME",
            "CARGO_PROFILE_GUEST_OPT_LEVEL",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_WASIP2_LINKER",
            "CLIPPY_ARGS",
            "LLVM_PROFILE_FILE",
            "RUSTC_BOOTSTRAP",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "TARGET",
            "__CARGO_FIX_PLZ",
        ];
        for name in removed {
            assert!(belongs_to_the_outer_build(name), "{name}");
        }
        let kept = [
            "CARGO_BUILD_JOBS",
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_MAKEFLAGS",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_MIRROR_INDEX",
            "CARGO_TERM_COLOR",
            "HOME",
            "HOSTNAME",
            "HTTPS_PROXY",
            "PATH",
            "RUSTC",
            "RUSTUP_HOME",
            "RUSTUP_TOOLCHAIN",
        ];
        for name in kept {
            assert!(!belongs_to_the_outer_build(name), "{name}");
        }
    }
}
