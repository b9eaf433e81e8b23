"""A host that announces itself, or somebody who looks for hosts, in a process of its own: for other network namespaces.

`advertise NAME TTL_S` announces until it is ended; `browse` prints each list as one line of JSON.
"""

import json
import sys
import threading

from texswarm_desktop.core.nearby import NearbyHost
from texswarm_desktop.services.discovery import Browser
from texswarm_server.discovery import Advertiser, Service
from texswarm_server.protocol.announcement import Announcement


def advertise(name: str, ttl_s: str) -> None:
    announcement = Announcement(instance=f"instance-of-{name}", name=name)
    Advertiser(Service(announcement, "::", 8091), host_ttl_s=int(ttl_s), look_every_s=0.2).start()
    print("started", flush=True)


def browse() -> None:
    def tell(hosts: tuple[NearbyHost, ...]) -> None:
        print(json.dumps({host.name: [address.host for address in host.addresses] for host in hosts}), flush=True)

    Browser(tell, look_every_s=0.2).start()


if __name__ == "__main__":
    if sys.argv[1] == "advertise":
        advertise(*sys.argv[2:])
    else:
        browse()
    threading.Event().wait()
