//! Core modules that make a list of calls of `wasi_snapshot_preview1`, made from text.

/// What a call is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    I32(u32),
    I64(u64),
    /// Its address and its length.
    Text(&'a str),
    /// What the last `path_open` gave.
    Opened,
}

use Value::{I32, I64, Opened, Text};

/// Preview 1's numbers for errors.
pub(super) mod errno {
    pub(in super::super) const SUCCESS: &str = "0";
    pub(in super::super) const EXIST: &str = "20";
    pub(in super::super) const ILSEQ: &str = "25";
    pub(in super::super) const INVAL: &str = "28";
    pub(in super::super) const ISDIR: &str = "31";
    pub(in super::super) const LOOP: &str = "32";
    pub(in super::super) const MFILE: &str = "33";
    pub(in super::super) const NAMETOOLONG: &str = "37";
    pub(in super::super) const NOENT: &str = "44";
    pub(in super::super) const NOTDIR: &str = "54";
    pub(in super::super) const PERM: &str = "63";
}

/// The mount's number.
pub(super) const MOUNT: Value<'static> = I32(3);

/// Where `path_open` puts its result, where other calls put theirs, and where text begins.
const OPENED: u32 = 64;
pub(super) const RESULT: u32 = 128;
const TEXT: usize = 1 << 16;

const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;

/// Calls, each of which prints the number of its error on a line.
#[derive(Debug, Default)]
pub(super) struct Calls {
    body: String,
    text: Vec<u8>,
}

impl Calls {
    /// Any call.
    pub(super) fn call(mut self, name: &str, values: &[Value<'_>]) -> Self {
        let call = self.expression(name, values);
        self.body += &format!("(call $print {call})\n");
        self
    }

    /// `path_open` from the mount, following links.
    pub(super) fn open(self, path: &str, flags: &str) -> Self {
        let (name, values) = open(path, flags);
        self.call(name, &values)
    }

    /// The same `count` times, keeping all and printing the last error.
    pub(super) fn open_often(mut self, path: &str, count: u32) -> Self {
        let (name, values) = open(path, "read");
        let call = self.expression(name, &values);
        self.body += &format!(
            "(local.set $count (i32.const {count}))
             (loop $again
                (local.set $error {call})
                (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                (br_if $again (local.get $count)))
             (call $print (local.get $error))\n"
        );
        self
    }

    /// Reads all entries of the folder that was opened, through a buffer of `length` bytes, as libc does. Prints how
    /// many there are and the sum of their names' lengths.
    pub(super) fn list(mut self, length: u32) -> Self {
        self.body += &format!("(call $list (i32.const {length}))\n");
        self
    }

    /// Puts a 32-bit number at `address`.
    pub(super) fn put(mut self, address: u32, number: u32) -> Self {
        self.body += &format!("(i32.store (i32.const {address}) (i32.const {number}))\n");
        self
    }

    /// Prints the 32-bit number that a call has put at `address`.
    pub(super) fn show(mut self, address: u32) -> Self {
        self.body += &format!("(call $print (i32.load (i32.const {address})))\n");
        self
    }

    fn expression(&mut self, name: &str, values: &[Value<'_>]) -> String {
        let mut expression = format!("(call ${name}");
        for value in values {
            expression += &match value {
                I32(number) => format!(" (i32.const {number})"),
                I64(number) => format!(" (i64.const {number})"),
                Opened => format!(" (i32.load (i32.const {OPENED}))"),
                Text(text) => {
                    let at = TEXT + self.text.len();
                    self.text.extend_from_slice(text.as_bytes());
                    format!(" (i32.const {at}) (i32.const {})", text.len())
                }
            };
        }
        expression + ")"
    }

    /// The module, as text.
    pub(super) fn module(&self) -> String {
        let imports: String = FUNCTIONS
            .iter()
            .map(|(name, types)| {
                format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {types}) (result i32)))\n")
            })
            .collect();
        let text: String = self.text.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let body = &self.body;
        format!(
            "(module {imports} {SUPPORT} (data (i32.const {TEXT}) \"{text}\")
                (func (export \"_start\") (local $count i32) (local $error i32) {body}))"
        )
    }
}

fn open<'a>(path: &'a str, flags: &str) -> (&'static str, [Value<'a>; 8]) {
    let has = |flag: &str| flags.split(' ').any(|word| word == flag);
    let bits = |all: &[(&str, u64)]| all.iter().filter(|(flag, _)| has(flag)).map(|(_, bit)| bit).sum::<u64>();
    let open = bits(&[("create", 1), ("directory", 2), ("exclusive", 4), ("truncate", 8)]);
    let rights = bits(&[("read", READ), ("write", WRITE)]);
    let [open, follow] = [open, u64::from(!has("nofollow"))].map(|bits| I32(u32::try_from(bits).unwrap()));
    ("path_open", [MOUNT, follow, Text(path), open, I64(rights), I64(0), I32(0), I32(OPENED)])
}

/// The functions that the tests call, with their parameters.
const FUNCTIONS: [(&str, &str); 21] = [
    ("fd_close", "i32"),
    ("fd_fdstat_set_flags", "i32 i32"),
    ("fd_filestat_set_size", "i32 i64"),
    ("fd_filestat_set_times", "i32 i64 i64 i32"),
    ("fd_pwrite", "i32 i32 i32 i64 i32"),
    ("fd_read", "i32 i32 i32 i32"),
    ("fd_readdir", "i32 i32 i32 i64 i32"),
    ("fd_renumber", "i32 i32"),
    ("fd_seek", "i32 i64 i32 i32"),
    ("fd_write", "i32 i32 i32 i32"),
    ("path_create_directory", "i32 i32 i32"),
    ("path_filestat_get", "i32 i32 i32 i32 i32"),
    ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"),
    ("path_link", "i32 i32 i32 i32 i32 i32 i32"),
    ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"),
    ("path_readlink", "i32 i32 i32 i32 i32 i32"),
    ("path_remove_directory", "i32 i32 i32"),
    ("path_rename", "i32 i32 i32 i32 i32 i32"),
    ("path_symlink", "i32 i32 i32 i32 i32"),
    ("path_unlink_file", "i32 i32 i32"),
    ("poll_oneoff", "i32 i32 i32 i32"),
];

/// Memory, printing and listing. The pages: numbers, text, a listing's buffer.
const SUPPORT: &str = r#"
    (memory (export "memory") 16)
    (func $print (param $number i32) (local $at i32)
        (local.set $at (i32.const 47))
        (i32.store8 (i32.const 47) (i32.const 10))
        (loop $digits
            (local.set $at (i32.sub (local.get $at) (i32.const 1)))
            (i32.store8 (local.get $at)
                (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
            (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
            (br_if $digits (local.get $number)))
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (i32.sub (i32.const 48) (local.get $at)))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $list (param $length i32)
            (local $cookie i64) (local $at i32) (local $end i32) (local $name i32) (local $count i32) (local $sum i32)
        (loop $parts
            (if (call $fd_readdir (i32.load (i32.const 64)) (i32.const 131072) (local.get $length)
                    (local.get $cookie) (i32.const 128))
                (then unreachable))
            (local.set $at (i32.const 131072))
            (local.set $end (i32.add (local.get $at) (i32.load (i32.const 128))))
            (block $part
                (loop $entries
                    ;; An entry that is cut at the buffer's end is read again.
                    (br_if $part (i32.gt_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
                    (local.set $name (i32.load offset=16 (local.get $at)))
                    (br_if $part (i32.gt_u
                        (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $name)) (local.get $end)))
                    (local.set $cookie (i64.load (local.get $at)))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))
                    (local.set $sum (i32.add (local.get $sum) (local.get $name)))
                    (local.set $at (i32.add (i32.add (local.get $at) (i32.const 24)) (local.get $name)))
                    (br $entries)))
            (br_if $parts (i32.eq (i32.load (i32.const 128)) (local.get $length))))
        (call $print (local.get $count))
        (call $print (local.get $sum)))
"#;
