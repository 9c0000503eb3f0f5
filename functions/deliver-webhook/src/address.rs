//! Which addresses are public.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv6Net};

/// What IANA's special-purpose address registries and the registries of multicast and of future use do not
/// give to hosts of the public Internet.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    // Link-local. The metadata services are here.
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // IETF protocol assignments, Teredo among them.
    "2001::/23",
    "2001:db8::/32",
    // 6to4: an IPv4 address is inside.
    "2002::/16",
    "3fff::/20",
];

static PARSED: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    let parsed = NOT_PUBLIC.iter().map(|network| network.parse());
    parsed.collect::<Result<_, _>>().unwrap_or_default()
});

/// The only IPv6 addresses that are given to hosts of the Internet. NAT64, unique local, link-local,
/// loopback and multicast addresses are outside.
fn is_global_unicast(address: Ipv6Addr) -> bool {
    let network = Ipv6Net::new(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    network.is_ok_and(|network| network.contains(&address))
}

/// Whether a host of the public Internet has the address. An IPv4-mapped IPv6 address counts as IPv4.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let has_form = match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => is_global_unicast(address),
    };
    let is_all_parsed = PARSED.len() == NOT_PUBLIC.len();
    has_form && is_all_parsed && !PARSED.iter().any(|network| network.contains(&address))
}
