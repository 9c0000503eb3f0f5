//! The source address of a request, as limits count it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// What limits count as one source: an IPv4 address, or the /64 network of an IPv6 address, because
/// a household usually has a whole /64. IPv4-mapped IPv6 counts as IPv4.
///
/// Some limits also count the /48 network of an IPv6 address, because one customer may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceIp(IpAddr);

impl SourceIp {
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }

    /// The /48 network of an IPv6 address.
    #[must_use]
    pub fn network(self) -> Option<SourceNetwork> {
        match self.0 {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                Some(SourceNetwork(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
            }
        }
    }
}

/// A /48 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceNetwork(Ipv6Addr);

impl fmt::Display for SourceNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/48", self.0)
    }
}

impl fmt::Display for SourceIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => write!(f, "{v4}"),
            IpAddr::V6(v6) => write!(f, "{v6}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> String {
        SourceIp::new(address.parse().unwrap()).to_string()
    }

    #[test]
    fn addresses_of_one_64_count_as_one() {
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(source("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
        assert_ne!(source("2001:db8:1:3::1"), "2001:db8:1:2::/64");
    }

    #[test]
    fn addresses_of_one_48_have_one_network() {
        let network = |address: &str| SourceIp::new(address.parse().unwrap()).network();

        let named = network("2001:db8:1:2::3").unwrap();
        assert_eq!(named.to_string(), "2001:db8:1::/48");
        assert_eq!(network("2001:db8:1:ffff::3"), Some(named));
        assert_ne!(network("2001:db8:2:2::3"), Some(named));
        assert_eq!(network("192.0.2.7"), None);
        assert_eq!(network("::ffff:192.0.2.7"), None);
    }

    #[test]
    fn a_mapped_address_counts_as_ipv4() {
        assert_eq!(source("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(source("192.0.2.7"), "192.0.2.7");
    }
}
