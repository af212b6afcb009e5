#!/bin/sh
# Installs the tool below a prefix, or removes it again: ./dev install [--prefix FOLDER] [--uninstall]
set -eu
home=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
prefix=/usr/local
action=install
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || { echo "install: --prefix needs a folder" >&2; exit 64; }
        prefix=$2
        shift
        ;;
    --prefix=*) prefix=${1#*=} ;;
    --uninstall) action=uninstall ;;
    *)
        echo "install: unknown option $1; usage: install [--prefix FOLDER] [--uninstall]" >&2
        exit 64
        ;;
    esac
    shift
done
[ -n "$prefix" ] || { echo "install: --prefix needs a folder" >&2; exit 64; }

completions() {
    cat <<LIST
bash $prefix/share/bash-completion/completions/brique
zsh $prefix/share/zsh/site-functions/_brique
fish $prefix/share/fish/vendor_completions.d/brique.fish
LIST
}

uninstall() {
    rm -f "$prefix/bin/brique"
    completions | while read -r _ file; do rm -f "$file"; done
    rm -rf "$prefix/libexec/brique" "$prefix/share/brique"
}

if [ "$action" = uninstall ]; then
    uninstall
    echo "brique is no longer below $prefix"
    exit 0
fi

mkdir -p "$prefix" 2>/dev/null && [ -w "$prefix" ] || { echo "install: no permission to write below $prefix" >&2; exit 77; }
prefix=$(CDPATH= cd -- "$prefix" && pwd -P)

echo "building the tool and the monitors" >&2
# With the Swift runtime inside: an installed tool runs images also where no toolchain is.
swift build --package-path "$home" --scratch-path "$home/.build-install" -c release --static-swift-stdlib -Xlinker -s --product brique >&2
for monitor in brique-monitor-kvm brique-monitor-process; do
    swift build --package-path "$home" --scratch-path "$home/.build-monitor" --triple x86_64-unknown-linux-gnu \
        --toolset "$home/Tools/Toolchain/monitor.json" -c release --product "$monitor" >&2
done

# An older version goes first, so that no file of it remains.
uninstall
install -D -m 755 "$home/.build-install/release/brique" "$prefix/bin/brique"
for monitor in brique-monitor-kvm brique-monitor-process; do
    install -D -m 755 "$home/.build-monitor/x86_64-unknown-linux-gnu/release/$monitor" "$prefix/libexec/brique/$monitor"
done
mkdir -p "$prefix/share/brique/Tools"
cp "$home/Package.swift" "$home/LICENSE" "$prefix/share/brique/"
cp -R "$home/Bricks" "$prefix/share/brique/"
cp -R "$home/Tools/Toolchain" "$prefix/share/brique/Tools/"
if [ -f "$home/docs/syscalls.md" ]; then install -D -m 644 "$home/docs/syscalls.md" "$prefix/share/brique/docs/syscalls.md"; fi
if [ -f "$home/Apps/linux/Package.swift" ]; then
    # What runs Linux programs, ready made: an installed tool makes their images without a toolchain.
    BRIQUE_HOME=$home "$prefix/bin/brique" build "$home/Apps/linux" >&2
    for part in image symbols; do
        install -D -m 644 "$home/Apps/linux/.build-brique/linux.$part" "$prefix/libexec/brique/linux.$part"
    done
fi
completions | while read -r shell file; do
    mkdir -p "$(dirname "$file")"
    "$prefix/bin/brique" --generate-completion-script "$shell" >"$file"
done
echo "installed $("$prefix/bin/brique" --version) below $prefix"
case ":$PATH:" in
*":$prefix/bin:"*) ;;
*) echo "put $prefix/bin on PATH" ;;
esac
