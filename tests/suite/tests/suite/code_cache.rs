//! Compiled code on disk: used by its owner, and never when somebody else could have written it or it is not whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rolebox::compiler::{Compiler, CompilerProcess};
use rolebox_guest_artifacts as artifacts;
use rolebox_suite::{Host, image_file, task};
use tempfile::TempDir;

struct Cache {
    outer: TempDir,
    folder: PathBuf,
    size: u64,
}

impl Cache {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("cache/code");
        Self { outer, folder, size: 1 << 30 }
    }

    /// Runs an image with this cache in a runner of its own, as another process would have.
    async fn run(&self, image: &Path) -> i32 {
        let (folder, size) = (self.folder.clone(), self.size);
        let host = Host::with(|settings| settings.with_code_cache(folder).with_code_cache_size(size)).await;
        host.run(&task(image, &[])).await.stopped.exit_code()
    }

    async fn run_guest(&self) -> i32 {
        self.run(Path::new(artifacts::EXIT_OK)).await
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.to_str().unwrap().ends_with(ending)).collect()
    }

    /// The one entry that there is.
    fn entry(&self) -> PathBuf {
        let entries = self.files(".cwasm");
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(self.files(".partial"), Vec::<PathBuf>::new(), "nothing half-written");
        entries.into_iter().next().unwrap()
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A module with `size` bytes of data that none other of these tests has.
fn module(folder: &Path, name: &str, size: usize) -> PathBuf {
    let data = name.repeat(size / name.len() + 1);
    let text = format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 99)
            (data (i32.const 0) "{data}") (func (export "_start")))"#
    );
    image_file(folder, &format!("{name}.wasm"), &wat::parse_str(text).unwrap())
}

#[tokio::test]
async fn compiled_code_is_kept_for_its_owner_alone_and_used_again() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    assert_eq!((mode(&cache.folder), mode(&cache.entry())), (0o700, 0o600));
    // With no compiler at hand it is what there is.
    let none = CompilerProcess::new("/nowhere", [""; 0]);
    let folder = cache.folder.clone();
    let host = Host::with(|settings| settings.with_code_cache(folder).with_compiler(Compiler::process(none))).await;
    assert_eq!(host.run(&task(Path::new(artifacts::EXIT_OK), &[])).await.stopped.exit_code(), 0);
}

#[tokio::test]
async fn a_file_that_others_could_have_written_is_replaced() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    for mode_of_others in [0o666, 0o620, 0o602] {
        set_mode(&cache.entry(), mode_of_others);
        assert_eq!(cache.run_guest().await, 0);
        assert_eq!(mode(&cache.entry()), 0o600);
    }
}

#[tokio::test]
async fn an_entry_that_is_not_what_was_written_is_replaced() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    let path = cache.entry();
    let whole = fs::read(&path).unwrap();
    let flipped = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        bytes
    };
    let damages = [
        b"not compiled code".to_vec(),
        Vec::new(),
        whole[..whole.len() - 1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        [whole.as_slice(), b"more"].concat(),
        flipped(0),
        // In the machine code, which wasmtime would not notice.
        flipped(whole.len() / 2),
        flipped(whole.len() - 1),
        flipped(whole.len() - 50),
    ];
    for (index, damage) in damages.into_iter().enumerate() {
        // A new file: the old one may be mapped.
        fs::remove_file(&path).unwrap();
        fs::write(&path, damage).unwrap();
        set_mode(&path, 0o600);
        assert_eq!(cache.run_guest().await, 0, "damage {index}");
        assert_eq!(fs::read(cache.entry()).unwrap().len(), whole.len(), "damage {index}");
    }
}

#[tokio::test]
async fn an_entry_of_another_image_under_this_ones_name_is_replaced() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    let (path, good) = (cache.entry(), fs::read(cache.entry()).unwrap());
    fs::remove_file(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(cache.run(&module(folder.path(), "other", 10)).await, 0);
    fs::rename(cache.entry(), &path).unwrap();
    assert_eq!(cache.run_guest().await, 0);
    assert_eq!(fs::read(cache.entry()).unwrap().len(), good.len());
}

#[tokio::test]
async fn a_link_or_a_pipe_in_an_entrys_place_is_not_followed() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    let path = cache.entry();
    let elsewhere = cache.outer.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(cache.run_guest().await, 0);
    assert!(fs::symlink_metadata(cache.entry()).unwrap().is_file());

    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().unwrap();
    assert!(made.success());
    assert_eq!(cache.run_guest().await, 0);
    assert!(fs::symlink_metadata(cache.entry()).unwrap().is_file());
}

#[tokio::test]
async fn a_folder_that_others_could_have_filled_is_neither_read_nor_written() {
    let cache = Cache::new();
    let above = cache.outer.path().join("cache");
    assert_eq!(cache.run_guest().await, 0);
    // The folder itself, and one above it, where others could put another one in its place.
    for (open, mode_of_others) in [(&cache.folder, 0o777), (&cache.folder, 0o720), (&above, 0o777), (&above, 0o702)] {
        set_mode(open, 0o700);
        fs::remove_dir_all(&cache.folder).unwrap();
        assert_eq!(cache.run_guest().await, 0);
        let entry = cache.entry();
        // A new file: the old one may be mapped.
        fs::remove_file(&entry).unwrap();
        fs::write(&entry, "if this were looked at it would be replaced").unwrap();
        set_mode(open, mode_of_others);
        assert_eq!(cache.run_guest().await, 0);
        assert_eq!(fs::read(&entry).unwrap(), b"if this were looked at it would be replaced");
        set_mode(open, 0o700);
    }
}

#[tokio::test]
async fn what_was_used_least_recently_leaves_when_there_is_no_room() {
    let mut cache = Cache::new();
    let folder = tempfile::tempdir().unwrap();
    let images: Vec<_> = ["a", "b", "c"].map(|name| module(folder.path(), name, 200_000)).into();
    let mut entries = Vec::new();
    for image in &images[..2] {
        assert_eq!(cache.run(image).await, 0);
        let new = cache.files(".cwasm").into_iter().find(|entry| !entries.contains(entry)).unwrap();
        entries.push(new);
    }
    let age = |entry: &Path, seconds| {
        let then = SystemTime::now() - Duration::from_secs(seconds);
        fs::File::options().append(true).open(entry).unwrap().set_modified(then).unwrap();
    };
    age(&entries[0], 2_000);
    age(&entries[1], 1_000);
    // Using the older one makes it the younger one.
    assert_eq!(cache.run(&images[0]).await, 0);
    let alien = cache.folder.join("README");
    fs::write(&alien, "not the cache's to remove").unwrap();
    age(&alien, 100_000);
    let one = fs::metadata(&entries[0]).unwrap().len();
    cache.size = 2 * one + one / 2;
    assert_eq!(cache.run(&images[2]).await, 0);
    let left = cache.files(".cwasm");
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.contains(&entries[0]) && !left.contains(&entries[1]), "{left:?}");
    assert!(alien.exists());

    // What does not fit at all is not kept, and runs.
    cache.size = one / 2;
    fs::remove_dir_all(&cache.folder).unwrap();
    assert_eq!(cache.run(&images[0]).await, 0);
    assert!(!cache.folder.exists() || cache.files(".cwasm").is_empty());
}

#[tokio::test]
async fn what_a_dead_process_left_half_written_is_cleared_away() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    let partial = |name: &str, seconds| {
        let path = cache.folder.join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        (path, file)
    };
    let (dead, closed) = partial(".0123.partial", 3_600);
    drop(closed);
    let (young, _) = partial(".4567.partial", 0);
    let (alive, writing) = partial(".89ab.partial", 3_600);
    writing.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(cache.run(&module(folder.path(), "next", 10)).await, 0);
    assert!(!dead.exists());
    assert!(young.exists(), "its writer may be about to lock it");
    assert!(alive.exists(), "its writer holds its lock");
}

#[tokio::test]
async fn which_image_a_file_holds_is_remembered_for_as_long_as_it_is_the_same() {
    let cache = Cache::new();
    assert_eq!(cache.run_guest().await, 0);
    let stamp = cache.files(".stamp").remove(0);
    // A wrong image in the remembered one's place: if it is believed, that is what runs.
    let good = fs::read(&stamp).unwrap();
    let mut wrong = good.clone();
    wrong[good.len() - 20] ^= 1;
    fs::write(&stamp, &wrong).unwrap();
    assert_eq!(cache.run_guest().await, 0);
    assert_eq!(fs::read(&stamp).unwrap(), good, "what does not hold together is written anew");
    // Others could have written it.
    set_mode(&stamp, 0o666);
    assert_eq!(cache.run_guest().await, 0);
    assert_eq!(mode(&stamp), 0o600);
}

#[tokio::test]
async fn many_runners_share_one_cache() {
    let cache = std::sync::Arc::new(Cache::new());
    let folder = tempfile::tempdir().unwrap();
    let images: Vec<_> = (0..3).map(|index| module(folder.path(), &format!("image-{index}"), 1_000)).collect();
    let mut runs = tokio::task::JoinSet::new();
    for index in 0..12 {
        let (cache, image) = (cache.clone(), images[index % images.len()].clone());
        runs.spawn(async move { cache.run(&image).await });
    }
    assert_eq!(runs.join_all().await, [0; 12]);
    assert_eq!((cache.files(".cwasm").len(), cache.files(".partial").len()), (3, 0));
}
