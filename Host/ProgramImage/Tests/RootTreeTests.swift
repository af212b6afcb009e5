@testable import ProgramImage
import Testing

@Test func `a path is resolved inside the root only`() {
    let tree = RootTree()
    _ = tree.makeFolder("/usr/lib")
    tree.root.children["lib"] = RootNode(.link("usr/lib"), FileStatus(kind: .link))
    tree.root.children["up"] = RootNode(.link("../../../../usr"), FileStatus(kind: .link))
    tree.root.children["loop"] = RootNode(.link("loop"), FileStatus(kind: .link))
    tree.node(at: "/usr/lib")?.children["abs"] = RootNode(.link("/etc"), FileStatus(kind: .link))
    _ = tree.makeFolder("/etc/deep")
    #expect(tree.resolve("/lib/x")?.path == ["usr", "lib", "x"])
    #expect(tree.resolve("/up/lib")?.path == ["usr", "lib"])
    #expect(tree.resolve("/lib/abs/deep")?.path == ["etc", "deep"])
    #expect(tree.resolve("/lib/abs/../usr")?.path == ["usr"])
    #expect(tree.resolve("/../../etc")?.path == ["etc"])
    #expect(tree.resolve("/loop") == nil)
    #expect(tree.resolve("/none/x") == nil)
    #expect(tree.resolve("/lib", followsLast: false)?.path == ["lib"])
    #expect(tree.makeFolder("/lib/new")?.isFolder == true)
    #expect(outline(tree).contains("/usr/lib/new/"))
    #expect(tree.makeFolder("/loop/x") == nil)
}

@Test func `a file of the host comes with the links on its way`() throws {
    let host = try TemporaryFolder()
    try host.folder("usr/lib")
    try host.write("x", to: "usr/lib/libx.so.1.2")
    try host.link("lib", to: "usr/lib")
    try host.link("usr/lib/libx.so.1", to: "libx.so.1.2")
    let tree = RootTree()
    let found = try #require(try tree.addHost(host.path + "/lib/../lib/libx.so.1"))
    #expect(found.path == host.path + "/usr/lib/libx.so.1.2")
    let lines = outline(tree).filter { $0.hasPrefix(host.path + "/") && $0 != host.path + "/" }.map { $0.dropFirst(host.path.count) }
    #expect(lines == ["/lib -> usr/lib", "/usr/", "/usr/lib/", "/usr/lib/libx.so.1 -> libx.so.1.2", "/usr/lib/libx.so.1.2"])
    #expect(try tree.addHost(host.path + "/none") == nil)
    #expect(try tree.addHost(host.path + "/usr/lib/libx.so.1/x") == nil)
    try host.link("a", to: "b")
    try host.link("b", to: "a")
    #expect(throws: ProgramFailure.self) { try tree.addHost(host.path + "/a") }
}

@Test func `inclusions are copied with everything below them`() throws {
    let host = try TemporaryFolder()
    try host.write("1", to: "data/sub/one")
    try host.link("data/sub/gone", to: "/nowhere")
    let tree = RootTree()
    try tree.add(host.path + "/data", at: "/srv/data")
    #expect(outline(tree) == ["/srv/", "/srv/data/", "/srv/data/sub/", "/srv/data/sub/gone -> /nowhere", "/srv/data/sub/one"])
    try tree.add(host.path + "/data/sub/one", at: "/srv/two")
    #expect(outline(tree).contains("/srv/two"))
    #expect(throws: ProgramFailure.self) { try tree.add(host.path + "/data", at: "/../x") }
    #expect(throws: ProgramFailure.self) { try tree.add(host.path + "/none", at: "/x") }
    #expect(throws: ProgramFailure.self) { try tree.add(host.path + "/data", at: "/srv/two/x") }
    #expect(Inclusion("/a/b") == Inclusion("/a/b"))
    #expect(Inclusion("/a:/b/c").place == "/a" && Inclusion("/a:/b/c").path == "/b/c")
    #expect(Inclusion("/a:b").path == nil)
}

@Test func `a layer over a root keeps the root's folders and follows its links`() throws {
    let host = try TemporaryFolder()
    let file = try host.write("x", to: "x")
    let lower = RootTree()
    _ = lower.makeFolder("/usr/lib", FileStatus(permissions: 0o700))
    lower.root.children["lib"] = RootNode(.link("usr/lib"), FileStatus(kind: .link))
    let tree = RootTree()
    try tree.add(file, at: "/lib/x", over: lower)
    #expect(outline(tree) == ["/usr/", "/usr/lib/", "/usr/lib/x"])
    #expect(tree.node(at: "/usr/lib")?.status.permissions == 0o700)
    try tree.add(file, at: "/new/folder/x", over: lower)
    #expect(outline(tree).contains("/new/folder/x"))
}

@Test func `a listing says what the root holds, and is read again`() throws {
    let tree = RootTree()
    _ = tree.makeFolder("/a b", FileStatus(permissions: 0o1777))
    tree.root.children["t\tn\nb\\"] = RootNode(.file("/host"), FileStatus(kind: .regular, permissions: 0o4755))
    tree.root.children["l"] = RootNode(.link("a\tb"), FileStatus(kind: .link))
    let listing = ImageListing(tree)
    let again = ImageListing(parsing: listing.text)
    #expect(again.entries == listing.entries)
    #expect(again.entries.map(\.path) == ["/a b", "/l", "/t\tn\nb\\"])
    #expect(outline(again.tree) == outline(tree))
    #expect(ImageListing(parsing: "x\nd\t1\nf\t9\t0\t0\t0\t/x\n\t\t\t\t\t\t").entries.isEmpty)
}

@Test func `users and groups are numbers and names of the root`() throws {
    let host = try TemporaryFolder()
    let tree = RootTree()
    let passwd = try host.write("root:x:0:0:r:/root:/bin/sh\napp:x:7:8::/srv/app:\nbad\napp:x:9:9::/:\n", to: "passwd")
    let group = try host.write("root:x:0:\nextra:x:77:\n", to: "group")
    try tree.add(passwd, at: "/etc/passwd")
    try tree.add(group, at: "/etc/group")
    let accounts = Accounts(root: tree)
    #expect(accounts.identity("app") == UserIdentity(user: 7, group: 8))
    #expect(accounts.identity("app:extra") == UserIdentity(user: 7, group: 77))
    #expect(accounts.identity("7") == UserIdentity(user: 7, group: 8))
    #expect(accounts.identity("5:6") == UserIdentity(user: 5, group: 6))
    #expect(accounts.identity(":6") == UserIdentity(user: 0, group: 6))
    for wrong in ["nobody", "app:none", "-1", "4294967296", "app:"] { #expect(accounts.identity(wrong) == nil, "\(wrong)") }
    #expect(accounts.home(of: 7) == "/srv/app")
}
