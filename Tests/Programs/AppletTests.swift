import Bench
import Foundation
import TestSupport
import Testing

/// The applets of busybox that need no other process: the same words and the same status as on Linux.
@Suite(.timeLimit(.minutes(20)))
struct AppletTests {
    /// What the applets read. It keeps its place and its times, so that its image is made once.
    private static let tree = "/tmp/brique-applets"
    private static let isTreeMade: Bool = {
        let files = FileManager.default
        try? files.createDirectory(atPath: tree + "/folder", withIntermediateDirectories: true)
        var texts = [("words", ""), ("numbers", "")]
        for index in 0..<300 {
            texts[0].1 += "line \(index) \(index * index % 97)\n"
            texts[1].1 += "\(index * 7919 % 1009)\n"
        }
        texts += [("tabs", "a\tb\tc\n  d e\n"), ("folder/inner", "inner\n"), ("sum.awk", "{ s += $3 } END { print s, NR }\n")]
        let packed = [
            ("gz", "H4sIAAAAAAAAAytITM5OTeEqQKEAWffH/BUAAAA="),
            ("bz2", "QlpoOTFBWSZTWd/Hm4cAAApBgAAQLghAACAAIj1Gj1CGAgkOERPF3JFOFCQ38ebhwA=="),
            (
                "xz", "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAUAA1dADgYSJnNXBuXmoCIAAAAAAAAbZrFbL6uTm8AASkVK84dCR+2830BAAAAAARZWg=="
            ),
        ]
        for (name, text) in packed where !files.fileExists(atPath: tree + "/packed." + name) {
            try? Data(base64Encoded: text)?.write(to: URL(filePath: tree + "/packed." + name))
        }
        for (name, text) in texts where (try? String(contentsOfFile: tree + "/" + name, encoding: .utf8)) != text {
            guard (try? Data(text.utf8).write(to: URL(filePath: tree + "/" + name))) != nil else { return false }
        }
        try? files.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "words")
        return true
    }()

    private static let shell = """
        i=0; while [ $i -lt 5 ]; do i=$((i + 1)); echo $i; done; echo x >/tmp/brique-sh; read a </tmp/brique-sh; echo $a
        f() { local a=2; echo "$1$a"; }; f b; case abc in a*) echo case;; esac; set -- p q r; shift; echo $# $*
        while read a b c; do s=$((s + c)); done <words; echo $s; for x in *; do echo "${x#f}"; done
        trap 'echo bye' EXIT; umask 027; umask; ulimit -n 64; ulimit -n; cd folder; pwd; kill -0 $$ && test -w /tmp && echo here
        exec 3>/tmp/brique-sh; echo three >&3; exec 3>&-; read a </tmp/brique-sh; printf '%05d %s %x\\n' 42 "$a" 255
        """

    /// A word of arguments is divided at spaces; `@` is the tree.
    private static let lines = [
        "arch", "ar -t @/none", "awk -f @/sum.awk @/words", "base64 @/words", "basename /a/b/c.txt .txt", "bunzip2 -c @/packed.bz2",
        "bzcat @/packed.bz2", "bzip2 -c @/words", "cal 11 2026", "cat @/words @/tabs", "cmp @/words @/numbers", "cp @/words /tmp/brique-cp",
        "crc32 @/words", "cut -d: -f1,3 /etc/passwd", "cut -c2-5 @/words", "date -u -d @0", "dc -e 2 3 + p",
        "dd if=/dev/zero bs=1000 count=3",
        "diff @/words @/words", "dirname /a/b/c", "du -s @/none", "echo -e a\\tb", "egrep -o (7|8)+ @/words", "expand @/tabs",
        "expr 6 * 7", "factor 123456789012", "fallocate -l 100 /tmp/brique-f", "false", "fgrep -n 9 @/numbers", "find @ -name words",
        "find @ -type l", "fold -w 4 @/tabs", "getopt ab:c -a -b x -- y", "grep -c line @/words", "gunzip -c @/packed.gz",
        "gzip -c @/words",
        "head -c 20 @/words", "head -n2 /etc/passwd", "hexdump -C @/tabs", "id -u nobody", "ipcalc -n 10.1.2.3 255.255.0.0", "kill -l",
        "ln -s a /tmp/brique-ln-none/a", "ls @", "ls -1aF @", "md5sum @/words @/numbers", "mkdir /tmp/brique-none/a", "nl @/words",
        "mkpasswd -m sha512 -S abcdefgh secret", "od -c -N64 /etc/passwd", "od -A d -t x1 @/tabs", "paste @/words @/numbers",
        "printf %s-%05d-%x-%5.2f\\n a 42 255 3.14159", "pwd", "readlink -f /etc/./passwd", "readlink @/link", "realpath @/folder/../link",
        "rev @/words", "sed -n 1,3s/:/ /gp /etc/passwd", "sed -e s/line/LINE/;5q @/words", "seq 1 20000", "seq -w 1 3 30",
        "sha1sum @/words", "sha256sum /etc/passwd", "sha3sum @/words", "sha512sum @/words", "sleep 0.1", "sort -k3n -k1r @/words",
        "sort -t: -k3 -n /etc/passwd", "sort -u @/numbers", "stat -c %F,%a,%s /etc/passwd", "strings @/tabs", "sync",
        "sysctl -n kernel.ostype", "tac @/words", "tail -n 3 @/words", "tail -c 9 @/words", "tar -cO -C / etc/passwd", "test -d @",
        "[ 1 -lt 2 ]", "touch /tmp/brique-touch", "true", "truncate -s 10 /tmp/brique-truncate", "tty", "uname -s -m", "unexpand -a @/tabs",
        "uniq -c @/words", "usleep 1000", "uuencode -m @/tabs name", "wc @/words @/numbers", "which busybox", "whoami", "xxd @/tabs",
        "xxd -p @/words", "xz -dc @/packed.xz",
    ]

    private static let applets: [ProgramRun] = {
        guard isTreeMade else { return [] }
        let options = ["--include", "/etc/passwd", "--include", "/etc/group", "--include", tree]
        var runs = lines.map { line in
            let words = line.replacing("@/", with: tree + "/").split(separator: " ").map { $0 == "@" ? tree : String($0) }
            return ProgramRun(name: "busybox \(line)", programs: ["busybox"], options: options, arguments: words)
        }
        let script = "cd \(tree)\n" + shell
        runs.append(ProgramRun(name: "busybox sh", programs: ["busybox"], options: options, arguments: ["sh", "-c", script]))
        return runs
    }()

    @Test(arguments: applets, ProgramServer.monitors)
    func `an applet of busybox gives what it gives on Linux`(run: ProgramRun, monitor: Monitor) async throws {
        try await run.compare(on: monitor, mayFail: true)
    }
}
