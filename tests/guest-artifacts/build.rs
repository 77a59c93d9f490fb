//! Builds the guests with a Cargo of its own, since Cargo can't build one package for two targets in one go, puts the
//! components where the library's constants say, and the examples' also where their task definitions name them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, io};

#[path = "build/environment.rs"]
mod environment;
#[path = "src/place.rs"]
mod place;

/// The target of every guest: components over WASI 0.2.
const TARGET: &str = "wasm32-wasip2";
/// The package of the test guests, one in each file of its `src/bin`.
const TEST_GUESTS: &str = "rolebox-test-guests";
/// The package of the one test guest on the official AWS SDK.
const SDK_OPERATIONS: &str = "rolebox-sdk-operations";
/// The feature of the guest SDK that a package names which is built on the official AWS SDK, and so by its profile.
const SDK_FEATURE: &str = "aws-config";

/// What stopped the build, as a person should read it.
type Failure = String;

struct Guest {
    name: String,
    package: String,
    profile: &'static str,
    /// Where its code begins; the first line of that is its description.
    source: PathBuf,
    /// Where a task definition names it, for an example.
    image: Option<PathBuf>,
}

impl Guest {
    /// What Cargo calls its component.
    fn built(&self) -> String {
        let is_library = self.source.file_name() == Some(OsStr::new("lib.rs"));
        format!("{}.wasm", if is_library { self.name.replace('-', "_") } else { self.name.clone() })
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = here.ancestors().nth(2).ok_or("this package lies two folders below the workspace's root")?;
    let guests = guests(root)?;

    require_target()?;
    for profile in ["guest", "guest-sdk"] {
        let guests: Vec<&Guest> = guests.iter().filter(|guest| guest.profile == profile).collect();
        let built = build(root, profile, &guests)?;
        for guest in guests {
            let component = component(&out, guest);
            put(&built.join(guest.built()), &component)?;
            if let Some(image) = &guest.image {
                put(&component, image)?;
            }
        }
    }
    let generated = out.join("guests.rs");
    fs::write(&generated, constants(&out, &guests)?).map_err(at(&generated))
}

/// All guests, by name; tells Cargo what they are made of.
fn guests(root: &Path) -> Result<Vec<Guest>, Failure> {
    let mut guests = Vec::new();
    let mut sources = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "runner/wit"].map(PathBuf::from).to_vec();
    let mut package =
        |folder: &str| sources.extend([format!("{folder}/Cargo.toml").into(), format!("{folder}/src").into()]);

    package("guest-sdk");
    package("tests/guests");
    package("tests/sdk-operations");
    let (name, source) = ("sdk-operations".to_owned(), root.join("tests/sdk-operations/src/main.rs"));
    guests.push(Guest { name, package: SDK_OPERATIONS.to_owned(), profile: "guest-sdk", source, image: None });
    for source in entries(&root.join("tests/guests/src/bin"))? {
        if let (Some(name), Some("rs")) = (source.file_stem(), source.extension().and_then(OsStr::to_str)) {
            let (name, package) = (name.to_string_lossy().into_owned(), TEST_GUESTS.to_owned());
            guests.push(Guest { name, package, profile: "guest", source, image: None });
        }
    }
    for folder in entries(&root.join("examples"))? {
        // Examples in other languages are not ours to build.
        if let (Some(name), true) = (folder.file_name(), folder.join("Cargo.toml").exists()) {
            let name = name.to_string_lossy().into_owned();
            package(&format!("examples/{name}"));
            let manifest = folder.join("Cargo.toml");
            let on_sdk = fs::read_to_string(&manifest).map_err(at(&manifest))?.contains(SDK_FEATURE);
            let profile = if on_sdk { "guest-sdk" } else { "guest" };
            // A handler of HTTP requests has no `main`, and is a library.
            let main = folder.join("src/main.rs");
            let source = if main.exists() { main } else { folder.join("src/lib.rs") };
            let image = Some(folder.join(format!("{name}.wasm")));
            guests.push(Guest { package: name.clone(), name, profile, source, image });
        }
    }
    for source in sources {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    guests.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(guests)
}

/// Installs the standard library for the guests' target where it is missing.
fn require_target() -> Result<(), Failure> {
    let rustc = variable("RUSTC")?;
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{rustc} can't be run: {error}"))?;
    let library = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && Path::new(&library).is_dir() {
        return Ok(());
    }

    let by_hand = |why: &str| {
        format!(
            "The guests need Rust's standard library for {TARGET}, which this toolchain does not have, and {why}.\n\
             Install it, then build again: `rustup target add {TARGET}` where Rust came from https://rustup.rs, else \
             the package of your system that has it."
        )
    };
    let Ok(toolchain) = env::var("RUSTUP_TOOLCHAIN") else {
        return Err(by_hand("this Cargo was not started by rustup, which could add it"));
    };
    match Command::new("rustup").args(["target", "add", TARGET, "--toolchain", &toolchain]).status() {
        Ok(status) if status.success() => {
            // Cargo shows warnings of a build script only.
            println!(
                "cargo::warning=installed Rust's standard library for {TARGET}, which the guests need: rustup target add {TARGET} --toolchain {toolchain}"
            );
            Ok(())
        }
        Ok(status) => Err(by_hand(&format!("`rustup target add {TARGET} --toolchain {toolchain}` failed ({status})"))),
        Err(error) => Err(by_hand(&format!("rustup can't be run: {error}"))),
    }
}

/// Builds the guests of one profile; gives the folder that they are in.
fn build(root: &Path, profile: &str, guests: &[&Guest]) -> Result<PathBuf, Failure> {
    // Not the outer build's folder, which that build has locked.
    let target_dir = root.join("target/guests");
    let mut cargo = Command::new(variable("CARGO")?);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(environment::belongs_to_the_outer_build) {
            cargo.env_remove(name);
        }
    }
    // An empty value also overrules flags from a configuration file, which are meant for the machine: a linker or a
    // CPU that wasm does not have.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "");
    // Locked, always: the outer Cargo has just brought the lock file up to date, and nothing is resolved anew.
    cargo.args(["build", "--locked", "--profile", profile, "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target_dir).arg("--manifest-path").arg(root.join("Cargo.toml"));
    let packages: BTreeSet<&str> = guests.iter().map(|guest| guest.package.as_str()).collect();
    for package in packages {
        cargo.args(["--package", package]);
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(target_dir.join(TARGET).join(profile)),
        Ok(status) => Err(format!("The guests could not be built ({status}); Cargo says above why.\n{cargo:?}")),
        Err(error) => Err(format!("Cargo can't be run: {error}\n{cargo:?}")),
    }
}

/// The library's generated half.
fn constants(out: &Path, guests: &[Guest]) -> Result<String, Failure> {
    let (mut constants, mut all, mut examples) = (String::new(), String::new(), String::new());
    let (mut uses, mut each) = (String::new(), String::new());
    for guest in guests {
        let (name, path) = (&guest.name, component(out, guest));
        let identifier = name.replace('-', "_");
        let constant = identifier.to_uppercase();
        let text = fs::read_to_string(&guest.source).map_err(at(&guest.source))?;
        let description = text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or(name);
        let written = (|| {
            writeln!(constants, "#[doc = {description:?}]\npub const {constant}: &str = {path:?};")?;
            writeln!(all, "    ({name:?}, {constant}),")?;
            if let Some(image) = &guest.image {
                writeln!(examples, "    ({image:?}, {constant}),")?;
            }
            writeln!(uses, "        #[allow(unused_imports)] use self::{identifier} as _;")?;
            writeln!(each, "        $callback!({identifier});")
        })();
        written.map_err(|error: std::fmt::Error| error.to_string())?;
    }
    Ok(format!(
        "{constants}
/// Every guest: its name, and the path of its component.
pub const ALL: &[(&str, &str)] = &[
{all}];

/// Where each example's task definition names its image, and the component that belongs there.
const EXAMPLES: &[(&str, &str)] = &[
{examples}];

/// Invokes a macro with each guest's name as an identifier: `exit_ok` for `exit-ok`.
#[macro_export]
macro_rules! foreach_guest {{
    ($callback:ident) => {{
{each}    }};
}}

/// Fails to compile unless the module that it is in has an item of each guest's name: `exit_ok` for `exit-ok`.
#[macro_export]
macro_rules! assert_every_guest_is_tested {{
    () => {{
{uses}    }};
}}
"
    ))
}

/// Copies of the components lie with this script's other output, so that clearing `target/guests` harms nothing.
fn component(out: &Path, guest: &Guest) -> PathBuf {
    out.join(format!("{}.wasm", guest.name))
}

fn put(from: &Path, to: &Path) -> Result<(), Failure> {
    place::place(from, to)
        .map(drop)
        .map_err(|error| format!("{} can't be copied to {}: {error}", from.display(), to.display()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    entries.map(|entry| Ok(entry.map_err(at(folder))?.path())).collect()
}

fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| format!("{}: {error}", path.display())
}

fn variable(name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|error| format!("Cargo sets {name} for build scripts: {error}"))
}
