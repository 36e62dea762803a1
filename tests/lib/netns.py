# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces for programs whose cable is to be pulled: a pair of virtual interfaces, one end
in a namespace of its own."""
import os
import subprocess


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], check=False, timeout=30, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise PermissionError(f"ip {' '.join(arguments)}: {done.stdout.strip()}")


class Namespace:
    """Raises PermissionError (or FileNotFoundError: no iproute2) where this is not permitted.
    near: our address, to listen on; the program inside sees nothing else."""

    def __init__(self, number):
        self.name = f"tf{os.getpid()}-{number}"
        self.link = f"tf{os.getpid() % 100000}n{number}"
        net = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}.{4 * number}"
        base, last = net.rsplit(".", 1)
        self.near = f"{base}.{int(last) + 1}"
        far = f"{base}.{int(last) + 2}"
        ip("netns", "add", self.name)
        try:
            ip("link", "add", self.link, "type", "veth", "peer", "name", "cable", "netns", self.name)
            ip("addr", "add", f"{self.near}/30", "dev", self.link)
            ip("link", "set", self.link, "up")
            ip("-n", self.name, "addr", "add", f"{far}/30", "dev", "cable")
            ip("-n", self.name, "link", "set", "cable", "up")
            ip("-n", self.name, "link", "set", "lo", "up")
        except PermissionError:
            self.stop()
            raise

    def inside(self):
        """What is put before a command that is to run inside."""
        return ["ip", "netns", "exec", self.name]

    def pull(self):
        ip("link", "set", self.link, "down")

    def plug(self):
        ip("link", "set", self.link, "up")

    def stop(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False, timeout=30,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
