//! What stands between clients and API Gateway.

use std::ffi::OsString;
use std::net::IpAddr;

use ipnet::IpNet;
use secrecy::SecretString;

use super::ConfigError;
use super::settings::{Settings, invalid};

/// The proxies in front of API Gateway that are trusted to forward the client's address.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// `TRUSTED_PROXY_HOPS`: the number of proxies between client and API Gateway.
    pub hops: usize,
    /// `TRUSTED_PROXY_CIDRS`: the networks from which the last proxy connects to API Gateway.
    pub networks: Vec<IpNet>,
    /// `ORIGIN_SECRET`: each request must have one of them. Empty if requests may come from anywhere.
    pub origin_secrets: Vec<SecretString>,
}

impl TrustedProxies {
    /// Whether `peer` is a trusted proxy. Without a list of networks every peer is: then a request that
    /// gets this far has an origin secret.
    #[must_use]
    pub fn include(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let is_in_network = || self.networks.iter().any(|network| network.contains(&peer));
        let requires_secret = !self.origin_secrets.is_empty();
        self.hops > 0 && (is_in_network() || (self.networks.is_empty() && requires_secret))
    }
}

impl<F: Fn(&str) -> Option<OsString>> Settings<F> {
    pub(super) fn proxies(&self) -> Result<TrustedProxies, ConfigError> {
        let hops = self.at_least("TRUSTED_PROXY_HOPS", 0, 0)?;
        let variable = "TRUSTED_PROXY_CIDRS";
        let networks = match self.get(variable)? {
            None => Vec::new(),
            Some(list) => list
                .split(',')
                .map(|network| network.trim().parse())
                .collect::<Result<_, _>>()
                .map_err(|_| {
                    let problem = "must be a comma-separated list of networks such as 10.0.0.0/8";
                    invalid(variable, problem)
                })?,
        };
        let origin_secrets = self.origin_secrets()?;
        if hops == 0 && !networks.is_empty() {
            return Err(invalid(variable, "needs TRUSTED_PROXY_HOPS"));
        }
        if hops > 0 && networks.is_empty() && origin_secrets.is_empty() {
            let problem = "needs TRUSTED_PROXY_CIDRS or ORIGIN_SECRET";
            return Err(invalid("TRUSTED_PROXY_HOPS", problem));
        }
        if hops == 0 && !origin_secrets.is_empty() {
            return Err(invalid("ORIGIN_SECRET", "needs TRUSTED_PROXY_HOPS"));
        }
        Ok(TrustedProxies {
            hops,
            networks,
            origin_secrets,
        })
    }

    fn origin_secrets(&self) -> Result<Vec<SecretString>, ConfigError> {
        let variable = "ORIGIN_SECRET";
        let Some(list) = self.get(variable)? else {
            return Ok(Vec::new());
        };
        let is_secret =
            |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !list.split(',').all(is_secret) {
            let problem =
                "must be secrets of 32 visible ASCII characters and more, separated by commas";
            return Err(invalid(variable, problem));
        }
        Ok(list.split(',').map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(hops: usize, networks: &[&str], origin_secrets: &[&str]) -> TrustedProxies {
        let networks = networks.iter().map(|network| network.parse().unwrap());
        TrustedProxies {
            hops,
            networks: networks.collect(),
            origin_secrets: origin_secrets.iter().map(|one| (*one).into()).collect(),
        }
    }

    #[test]
    fn only_a_peer_in_a_trusted_network_is_a_trusted_proxy() {
        let proxies = proxies(1, &["10.0.0.0/8", "2001:db8::/32"], &[]);

        for (peer, trusted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("2001:db8::1", true),
            ("11.0.0.1", false),
        ] {
            assert_eq!(proxies.include(peer.parse().unwrap()), trusted, "{peer}");
        }
    }

    #[test]
    fn behind_an_edge_each_peer_is_a_trusted_proxy_unless_networks_are_set() {
        let peer = "11.0.0.1".parse().unwrap();

        assert!(proxies(1, &[], &["secret"]).include(peer));
        assert!(!proxies(1, &["10.0.0.0/8"], &["secret"]).include(peer));
        assert!(!proxies(0, &[], &["secret"]).include(peer));
    }
}
