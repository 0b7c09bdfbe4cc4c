"""How far a submission is kept from everything else: by namespaces of Linux, by another account, or by Python alone.

`NAMESPACES`: the submission sees a file system of its own, which holds Python, the library and nothing else, all of it
read-only, and 64 MB of memory for its files. It has its own process numbers, no network and no shared memory with
others, and no rights beyond those of an ordinary account. When its first process ends, the kernel ends all others.
`ACCOUNT`: another account, chosen by root, and the hook of `worker`. `PROCESS`: the hook alone.

The namespaces are made by `unshare`, `mount` and `setpriv` of util-linux, which every Linux distribution has. Some
containers forbid them; `strongest` tries.
"""

import functools
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import metalearn_lib

NAMESPACES, ACCOUNT, PROCESS = "namespaces", "account", "process"

_PACKAGE = Path(__file__).resolve().parents[2]
_SOLUTIONS = _PACKAGE / "exercises" / "chapters"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix", "/etc/ld.so.cache", "/etc/alternatives")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_ENDS_WITH_PARENT = "--pdeathsig=KILL"  # if grading itself is ended by force, nothing of a submission goes on
_READ_ONLY = "ro,nosuid,nodev"


def strongest(user: str | None = None) -> str:
    """The strongest level that this machine offers, as tried.

    Args:
        user: the account that submissions run as, chosen by root; by default `nobody` in namespaces.

    Returns:
        `NAMESPACES`, `ACCOUNT` (if there is a `user`) or `PROCESS`.

    Raises:
        ValueError: if there is no account of that name.
    """
    if user:
        account(user)
    if _namespaces_work(user):
        return NAMESPACES
    return ACCOUNT if user else PROCESS


def account(user: str) -> tuple[int, int]:
    """The numbers of an account and of its group.

    Args:
        user: its name.

    Raises:
        ValueError: if there is no such account, or on Windows.
    """
    if sys.platform == "win32":
        raise ValueError(f"user is {user!r}, expected None: Windows starts no process as another account")
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise ValueError(f"user is {user!r}, expected the name of an account") from None
    return entry.pw_uid, entry.pw_gid


def in_namespaces(command: Sequence[str], place: str, user: str | None = None) -> list[str]:
    """The command that runs a command in namespaces of its own, in a folder that is empty at first.

    Args:
        command: and its arguments. Programs below Python's folders and those of the system are there.
        place: an empty folder, over which the new file system is mounted. Outside it stays empty.
        user: the account that it runs as, if root starts it; by default `nobody`.

    Returns:
        A command for `subprocess`.
    """
    own, rights = ["--user", "--map-root-user"], []
    if os.geteuid() == 0:
        uid, gid = account(user or "nobody")
        own, rights = [], [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    rights += [_ENDS_WITH_PARENT, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    inner = shlex.join(["setpriv", *rights, "--", *command])
    return [
        "setpriv", _ENDS_WITH_PARENT, "--", "unshare", *own, "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
        "--kill-child", "--propagation=private", "--", "sh", "-euc", _script(place, inner),
    ]  # fmt: skip


@functools.cache
def _namespaces_work(user: str | None) -> bool:
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as place:
        check = in_namespaces([sys.executable, "-I", "-c", "import os, numpy; print(os.getpid())"], place, user)
        try:
            run = subprocess.run(check, capture_output=True, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return run.returncode == 0 and run.stdout.strip() == b"1"


def _script(place: str, inner: str) -> str:
    """Shell lines: a new file system with only what is needed, the old one away, and then the command."""
    lines = [
        "umask 022",
        "export PATH=/usr/sbin:/sbin:/usr/bin:/bin:$PATH",
        f"new={shlex.quote(os.path.realpath(place))}",
        "mount -t tmpfs -o nosuid,nodev,size=64m,mode=755 grading $new",
        "mkdir $new/old $new/home $new/tmp $new/dev $new/dev/shm $new/proc $new/etc",
    ]
    for path in map(Path, (*_SYSTEM, *_DEVICES, *_own_folders())):
        target = f"$new{shlex.quote(str(path))}"
        if path.is_symlink():
            lines.append(f"ln -s {shlex.quote(os.readlink(path))} {target}")
        elif path.exists():
            parent = f"$new{shlex.quote(str(path.parent))}"
            lines.append(f"mkdir -p {target}" if path.is_dir() else f"mkdir -p {parent} && : > {target}")
            lines.append(f"mount --rbind {shlex.quote(str(path))} {target}")
    return "\n".join(
        [
            *lines,
            f"mount -t tmpfs -o {_READ_ONLY},size=4k hidden $new{shlex.quote(str(_SOLUTIONS))}",
            "while read -r _ _ _ _ target _; do",
            # A device has to stay one: `nodev` would close it.
            '  case $target in "$new"/dev/*) ;; "$new"/*)',
            f'    mount -o remount,bind,{_READ_ONLY} "$(printf %b "$target")" ;;',
            "  esac",
            "done < /proc/self/mountinfo",
            "mount -t proc proc $new/proc",
            "chmod 1777 $new/home $new/tmp $new/dev/shm",
            "cd $new && pivot_root . old && umount -l /old && rmdir /old && cd /home",
            f"exec {inner}",
        ]
    )


def _own_folders() -> list[str]:
    """The folders of Python and of this course, none of which lies in another of them."""
    library = Path(metalearn_lib.__file__).resolve().parent
    folders = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, _PACKAGE, library)}
    inside = {path for path in folders if any(Path(path) != Path(o) and Path(path).is_relative_to(o) for o in folders)}
    return sorted(path for path in folders - inside if not Path(path).is_relative_to("/usr"))
