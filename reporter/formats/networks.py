"""Network addresses as they are counted: what one customer has is one."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network


@lru_cache(1_000)  # asked several times of each request
def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: whoever has one address there has them all.

    What is no address stays as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found) >> 64 << 64, 64)))
