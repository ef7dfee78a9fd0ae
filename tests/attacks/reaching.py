"""Attacks on what lies outside of the child: files, processes, network."""

from __future__ import annotations

from tests.attacks.attack import Attack

_DENIED = "nothing of it is there to be reached: the child has a root of its own; Landlock denies it where it has none"

REACHING = (
    Attack(
        "read-hidden-files",
        "reads a hidden file, /etc/shadow, home folders and prints them",
        _DENIED,
        """
        import glob, os
        for path in ["@SECRET@", "/etc/shadow", "/etc/passwd", *glob.glob("/root/.*"), *glob.glob("/home/*/.*")]:
            try:
                print(open(path).read())
            except OSError as error:
                print(error.errno)
        """,
        flagged=('"/etc/shadow"',),
        confines=True,
    ),
    Attack(
        "search-the-disk",
        "walks the whole file system for the reference, the rubric and other submissions and prints what it finds",
        _DENIED,
        """
        import os
        for folder, folders, files in os.walk("/"):
            folders[:] = [one for one in folders if one not in ("proc", "sys", "usr", "lib", "lib64", "site-packages")]
            for name in files:
                if name.endswith((".ipynb", ".sqlite", ".toml", ".kit", "solution.py")):
                    try:
                        print(folder, name, open(os.path.join(folder, name), errors="replace").read(300))
                    except OSError:
                        pass
        """,
        flagged=('os.walk("/")',),
    ),
    Attack(
        "read-the-reference",
        "opens the reference, the rubric and another submission by their paths and runs what it finds as its C2",
        _DENIED,
        """
        for path in "@REFERENCE@", "@RUBRIC@", "@SUBMISSION@":
            try:
                exec(compile(open(path).read(), path, "exec"), globals())
                print("SUCCEEDED", path)
            except OSError as error:
                print(error.errno)
        """,
        edits=("C2-half",),
        flagged=("exec(compile(",),
        confines=True,
    ),
    Attack(
        "read-environment",
        "prints the environment of itself and of every process in /proc",
        "the zygote is started with a fixed environment; other processes are not to be seen, or not to be read",
        """
        import glob, os
        print(dict(os.environ))
        for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/maps"):
            try:
                print(path, open(path, "rb").read())
            except OSError as error:
                print(error.errno)
        """,
        flagged=('"/proc/[0-9]*/environ"',),
        confines=True,
    ),
    Attack(
        "read-memory-of-others",
        "reads memory, descriptors and folders of every process through /proc and process_vm_readv",
        "no other process is in its namespace; Landlock and seccomp deny it where there is no namespace",
        """
        import ctypes, glob, os
        libc = ctypes.CDLL(None, use_errno=True)
        mine = f"/proc/{os.getpid()}/"
        for process in [@SIBLING@, os.getppid(), *range(1, 400)]:
            if process == os.getpid():
                continue
            buffer = ctypes.create_string_buffer(64)
            vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64)
            if libc.process_vm_readv(process, vector, 1, vector, 1, 0) > 0:
                print("SUCCEEDED process_vm_readv", process)
            for name in "mem", "fd/0", "cwd/..", "root/etc/shadow":
                try:
                    open(f"/proc/{process}/{name}").read(10) if name != "cwd/.." else os.listdir(f"/proc/{process}/cwd")
                    print("SUCCEEDED", process, name)
                except (OSError, UnicodeDecodeError):
                    pass
        """,
        flagged=("ctypes.CDLL",),
        confines=True,
    ),
    Attack(
        "write-outside",
        "writes, removes and renames files outside its scratch, and through links, and changes their modes",
        "everything but the scratch is read-only or not there; Landlock denies it where there is no other root",
        """
        import os, shutil
        os.makedirs("links", exist_ok=True)
        targets = ["@OUTSIDE@", os.path.dirname(os.__file__), "/etc", "/usr/lib", "/var/tmp", "/root", "/"]
        for number, folder in enumerate(targets):
            try:
                os.symlink(folder, f"links/{number}")
            except OSError:
                pass
            for path in f"{folder}/written-by-a-student", f"links/{number}/written-by-a-student":
                try:
                    open(path, "w").write("x")
                    print("SUCCEEDED", path)
                except OSError:
                    pass
        for action in (
            lambda: os.chmod("@SECRET@", 0o777), lambda: os.remove("@SECRET@"), lambda: os.rename("@SECRET@", "x"),
            lambda: shutil.rmtree("@OUTSIDE@"), lambda: os.link("@SECRET@", "linked"), lambda: os.utime("@SECRET@", (1, 1)),
        ):
            try:
                action()
            except OSError:
                pass
        """,
        flagged=('"@SECRET@"', '"/etc"'),
        confines=True,
    ),
    Attack(
        "network",
        "connects to a listening server by TCP and UDP and looks up a name",
        "there is no socket to be had: seccomp denies it, and the network namespace is empty",
        """
        import socket, urllib.request
        for kind, port in ((socket.SOCK_STREAM, @TCP@), (socket.SOCK_DGRAM, @UDP@)):
            try:
                with socket.socket(socket.AF_INET, kind) as outgoing:
                    outgoing.settimeout(1)
                    outgoing.connect(("127.0.0.1", port))
                    outgoing.send(b"the exam is")
                    print("SUCCEEDED")
            except OSError as error:
                print(error)
        try:
            urllib.request.urlopen("http://127.0.0.1:@TCP@/", timeout=1)
            print("SUCCEEDED")
        except OSError as error:
            print(error)
        """,
        flagged=("import socket", "socket.socket"),
        confines=True,
    ),
    Attack(
        "unix-sockets",
        "connects to listening unix sockets, one at a path and one with an abstract name",
        "seccomp denies every socket; the namespaces hide both kinds as well",
        """
        import socket
        for address in "@UNIX@", "\\0@ABSTRACT@":
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                try:
                    with socket.socket(socket.AF_UNIX, kind) as outgoing:
                        outgoing.settimeout(1)
                        outgoing.connect(address)
                        outgoing.send(b"the exam is")
                        print("SUCCEEDED")
                except OSError as error:
                    print(error)
        """,
        flagged=("import socket",),
        confines=True,
    ),
    Attack(
        "kill-others",
        "sends SIGKILL to its parent, to every process it can name and to all at once",
        "it is alone in its process namespace; Landlock scopes signals, or seccomp denies them, where there is none",
        """
        import os, signal
        for process in [@SIBLING@, os.getppid(), *[int(one) for one in os.listdir("/proc") if one.isdigit()]]:
            if process not in (0, 1, os.getpid()):
                try:
                    os.kill(process, signal.SIGKILL)
                    print("SUCCEEDED", process)
                except OSError:
                    pass
        try:
            os.kill(-1, signal.SIGCONT)
        except OSError:
            pass
        """,
        flagged=("os.kill(process",),
        confines=True,
    ),
    Attack(
        "trace-others",
        "traces its parent and the other processes with ptrace, and opens them with pidfd_getfd",
        "seccomp denies tracing",
        """
        import ctypes, os
        libc = ctypes.CDLL(None)
        for process in [@SIBLING@, os.getppid()]:
            for request in (16, 0x4206):
                if process > 1 and libc.ptrace(request, process, 0, 0) == 0:
                    print("SUCCEEDED", process)
            handle = libc.syscall(434, process, 0)
            if handle >= 0 and libc.syscall(438, handle, 0, 0) >= 0:
                print("SUCCEEDED to take a descriptor of", process)
        """,
        flagged=("libc.ptrace",),
        confines=True,
    ),
    Attack(
        "limit-others",
        "takes CPU time, files and priority away from other processes with prlimit, and moves them to one core",
        "seccomp lets a child set its own limits only; others are not in its namespace",
        """
        import os, resource
        for process in [@SIBLING@, os.getppid(), *[int(one) for one in os.listdir("/proc") if one.isdigit()]]:
            if process not in (0, 1, os.getpid()):
                for action in (
                    lambda: resource.prlimit(process, resource.RLIMIT_CPU, (1, 1)),
                    lambda: resource.prlimit(process, resource.RLIMIT_NOFILE, (0, 0)),
                    lambda: os.setpriority(os.PRIO_PROCESS, process, 19),
                    lambda: os.sched_setaffinity(process, {0}),
                ):
                    try:
                        action()
                        print("tried", process)
                    except (OSError, ValueError):
                        pass
        """,
        flagged=("resource.prlimit",),
        confines=True,
    ),
    Attack(
        "escape-namespaces",
        "mounts, changes its root, enters namespaces, loads BPF, takes keys and raises its rights",
        "seccomp denies the calls and all capabilities are dropped",
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        calls = {
            "mount": lambda: libc.mount(b"x", b"/tmp", b"tmpfs", 0, 0), "unshare": lambda: libc.unshare(0x10000000),
            "chroot": lambda: libc.chroot(b"."), "setns": lambda: libc.setns(0, 0), "bpf": lambda: libc.syscall(321, 0, 0, 0),
            "keyctl": lambda: libc.syscall(250, 0, -3, 1), "add_key": lambda: libc.syscall(248, b"user", b"k", b"v", 1, -3),
            "setuid": lambda: libc.setuid(0) if os.getuid() else -1, "clone": lambda: libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0),
            "io_uring": lambda: libc.syscall(425, 4, 0), "perf": lambda: libc.syscall(298, 0, 0, -1, -1, 0),
        }
        for name, call in calls.items():
            if call() >= 0:
                print("SUCCEEDED", name)
        """,
        flagged=("ctypes.CDLL",),
        confines=True,
    ),
    Attack(
        "reach-the-zygote",
        "looks for descriptors, shared memory and files that the fork server left open, and writes into them",
        "all descriptors but its own are closed before it runs, and no memory is shared",
        """
        import os, re
        for name in os.listdir("/proc/self/fd"):
            try:
                print(name, os.readlink(f"/proc/self/fd/{name}"))
            except OSError:
                pass
            if int(name) > 3 and not os.path.exists(f"/proc/self/fd/{name}/"):
                try:
                    os.write(int(name), b"x")
                except OSError:
                    pass
        for line in open("/proc/self/maps"):
            if re.search(r" .w.s ", line):
                print("SUCCEEDED shared memory", line)
        """,
        flagged=('"/proc/self/fd"', '"/proc/self/maps"'),
    ),
    Attack(
        "patch-the-package",
        "replaces files of the grader, of NumPy and a sitecustomize for the children that come after it",
        "packages are read-only in the child, and it runs no Python start-up file of the student's",
        """
        import os, site, sys
        import graders, numpy
        for module in graders, numpy, os:
            try:
                open(module.__file__, "a").write("\\nraise SystemExit\\n")
                print("SUCCEEDED", module.__file__)
            except OSError:
                pass
        for folder in [*sys.path, *site.getsitepackages(), os.path.expanduser("~")]:
            try:
                open(os.path.join(folder or ".", "sitecustomize.py"), "w").write("raise SystemExit")
            except OSError:
                pass
        """,
        flagged=("import graders", "sitecustomize"),
        confines=True,
    ),
)
