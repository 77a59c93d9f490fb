#!/usr/bin/env bash
# Installs what `cargo bench` compares Rolebox with: container runtimes, sandboxes, JavaScript and wasm runtimes, QEMU.
#
# Debian's packages go into the system and need root; all else goes into target/baselines, which may be deleted. What
# cannot be installed is said and left out, and the benches then say so in its row. Run it from any folder of a clone,
# as often as you like: what is there is not installed again. Exit code: 0 if all is there, 1 if something is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

WORKERD=1.20261117.1
# The version of the wasmtime that Rolebox itself is built on.
WASMTIME=48.0.8

prefix=$PWD/target/baselines
mkdir -p "$prefix/bin"
missing=()
# Where containerd and runc are, which not everybody's PATH has.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
miss() {
    say "  missing: $*"
    missing+=("$*")
}
have() { command -v "$1" >/dev/null 2>&1; }

# What apt knows is brought up to date once, and only if something is to be installed.
apt_ready=
apt_update() {
    if [ -z "$apt_ready" ]; then
        say "  apt-get update"
        apt-get update -qq || say "  apt-get update failed; going on with the lists that are there"
        apt_ready=yes
    fi
}

# debian PROGRAM PACKAGE: the package, where the program is not on PATH.
debian() {
    if have "$1"; then
        say "$2: there"
    elif ! have apt-get; then
        miss "$2: there is no apt-get here; install $1 with the system's own package manager"
    elif [ "$(id -u)" != 0 ]; then
        miss "$2: needs root (apt-get install --no-install-recommends $2)"
    else
        say "$2: installing"
        apt_update
        if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" \
            >"$prefix/apt.log" 2>&1; then
            have "$1" || miss "$2: is installed but has no $1"
        else
            tail -n 5 "$prefix/apt.log" | sed 's/^/    /'
            miss "$2: apt-get install failed"
        fi
    fi
}

# The kernel of QEMU's guest, taken out of its package: nothing of it is installed into the system.
kernel() {
    local meta=linux-image-cloud-amd64 package
    if [ -s "$prefix/kernel/vmlinuz" ]; then
        say "kernel for QEMU: there"
        return
    fi
    say "kernel for QEMU: from $meta"
    if [ "$(uname -m)" != x86_64 ]; then
        miss "kernel for QEMU: QEMU's microvm is for x86_64 alone"
        return
    fi
    if ! have apt-get || ! have dpkg; then
        miss "kernel for QEMU: no apt-get and dpkg; one with a serial console can be put at $prefix/kernel/vmlinuz"
        return
    fi
    if [ "$(id -u)" = 0 ]; then apt_update; fi
    # The package of that name only depends on the one with the kernel.
    package=$(apt-cache depends "$meta" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p') || package=
    if [ -z "$package" ]; then
        miss "kernel for QEMU: apt does not know $meta"
        return
    fi
    rm -rf "$prefix/kernel.new"
    mkdir -p "$prefix/kernel.new"
    if (cd "$prefix/kernel.new" && apt-get download -qq "$package" && dpkg -x ./*.deb tree) >"$prefix/apt.log" 2>&1 \
        && cp "$prefix"/kernel.new/tree/boot/vmlinuz-* "$prefix/kernel.new/vmlinuz"; then
        # Which kernel it is, for the report.
        printf '%s\n' "${package#linux-image-}" >"$prefix/kernel.new/version"
        rm -rf "$prefix/kernel.new/tree" "$prefix"/kernel.new/*.deb "$prefix/kernel"
        mv "$prefix/kernel.new" "$prefix/kernel"
    else
        tail -n 5 "$prefix/apt.log" | sed 's/^/    /'
        rm -rf "$prefix/kernel.new"
        miss "kernel for QEMU: $package cannot be had"
    fi
}

# The npm package holds a native program, and `.bin/workerd` may be a script that starts it through Node.js.
workerd() {
    local native
    if [ -x "$prefix/bin/workerd" ] && [ -e "$prefix/node_modules/workerd-$WORKERD" ]; then
        say "workerd $WORKERD: there"
        return
    fi
    say "workerd $WORKERD: installing with npm"
    if ! have npm; then
        miss "workerd: there is no npm"
        return
    fi
    if ! npm install --prefix "$prefix" --no-save --no-audit --no-fund --no-update-notifier --loglevel error \
        "workerd@$WORKERD"; then
        miss "workerd: npm install failed"
        return
    fi
    native=$(find "$prefix/node_modules/@cloudflare" -path '*/bin/workerd' -type f 2>/dev/null) || native=
    if [ -n "$native" ] && "$native" --version >/dev/null; then
        # Not by its whole path, so that the folder can be moved.
        ln -sf "../${native#"$prefix/"}" "$prefix/bin/workerd"
        touch "$prefix/node_modules/workerd-$WORKERD"
    else
        miss "workerd: its package has no program that starts on this machine"
    fi
}

# Without what a no-op does not need: the other compilers, the debugger, HTTP. About ten minutes on two cores.
wasmtime() {
    if [ "$("$prefix/bin/wasmtime" --version 2>/dev/null | cut -d ' ' -f 2)" = "$WASMTIME" ]; then
        say "wasmtime $WASMTIME: there"
        return
    fi
    say "wasmtime $WASMTIME: building with cargo, which takes minutes"
    if ! have cargo; then
        miss "wasmtime: there is no cargo"
        return
    fi
    if CARGO_TARGET_DIR="$prefix/build" nice -n 10 cargo install --quiet --locked --root "$prefix" \
        "wasmtime-cli@$WASMTIME" --no-default-features --features run,compile,cranelift,component-model; then
        rm -rf "$prefix/build"
    else
        miss "wasmtime: cargo install failed; what it built stays in $prefix/build"
    fi
}

debian bwrap bubblewrap
debian crun crun
debian runc runc
debian containerd containerd
debian runsc runsc
debian qemu-system-x86_64 qemu-system-x86
debian node nodejs
have npm || debian npm npm
kernel
workerd
wasmtime

if [ ${#missing[@]} = 0 ]; then
    say "All baselines are installed."
else
    say "Not installed:"
    printf '  %s\n' "${missing[@]}"
    exit 1
fi
