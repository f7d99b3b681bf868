//! Which address a request comes from, without believing what a client made up.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use super::{App, error::Problem};
use crate::{
    config::{ProxyHeader, Server},
    trace::Region,
};

/// The address of a client, for limits. It is never stored, and printed only in part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address of a request that came from `peer`.
    ///
    /// While the hop at hand is a trusted proxy, the next one to the left in its header is looked at; the first that
    /// is no trusted proxy is the client. Whatever stands left of it may be the client's invention. A hop that cannot
    /// be read ends the search at the proxy that sent it.
    pub fn of(peer: IpAddr, headers: &HeaderMap, server: &Server) -> ClientAddress {
        let trusted = |address: IpAddr| server.trusted_proxies.iter().any(|network: &IpNet| network.contains(&address));
        let mut address = peer.to_canonical();
        if !trusted(address) {
            return ClientAddress(address);
        }
        for hop in hops_from_the_right(headers, server.proxy_header) {
            let Some(hop) = hop else { break };
            address = hop;
            if !trusted(address) {
                break;
            }
        }
        ClientAddress(address)
    }

    /// Whether it is this machine.
    pub fn is_loopback(self) -> bool {
        self.0.is_loopback()
    }

    /// What is limited as one: the address, or the /64 of an IPv6 address, which one customer has whole.
    pub fn limited_as(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(prefix(address, 64)),
        }
    }
}

/// The region of a client, where the proxy that the request came through is trusted and tells one.
pub fn region_of(parts: &Parts, server: &Server) -> Option<Region> {
    let header = server.region_header.as_ref()?;
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    let trusted = server.trusted_proxies.iter().any(|network| network.contains(&peer));
    let mut values = parts.headers.get_all(header).iter();
    // Two of them: one may be the client's.
    let value = values.next().filter(|_| trusted && values.next().is_none())?;
    Region::parse(value.to_str().ok()?.trim())
}

/// The network it lies in, /24 or /48: enough to see a pattern, too little to name a person.
impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                write!(f, "{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => write!(f, "{}/48", prefix(address, 48)),
        }
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        // The admin socket has no address: whoever reaches it is on this machine.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Ok(ClientAddress::of(peer, &parts.headers, &app.config.server))
    }
}

fn prefix(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - bits)))
}

/// Hops as the proxies wrote them, nearest first; `None` for one that is not an address.
fn hops_from_the_right(headers: &HeaderMap, header: ProxyHeader) -> impl Iterator<Item = Option<IpAddr>> {
    let name = match header {
        ProxyHeader::XForwardedFor => "x-forwarded-for",
        ProxyHeader::Forwarded => "forwarded",
    };
    // Several headers of one name are one list (RFC 9110, 5.3).
    let values: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
    let hops = values.into_iter().rev().flat_map(|value| value.rsplit(','));
    hops.map(move |hop| match header {
        ProxyHeader::XForwardedFor => address(hop.trim()),
        ProxyHeader::Forwarded => forwarded_for(hop),
    })
}

/// The `for` parameter of one element of `Forwarded` (RFC 7239, 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let parameters = element.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let (_, value) = parameters.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(value.trim_matches('"'))
}

/// An address with or without a port; an IPv6 address may stand in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.or_else(bare).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::{Config, parse_setting};

    fn server(header: &str) -> Server {
        let settings = [
            parse_setting("server.trusted_proxies=10.0.0.0/8,fd00::/8").unwrap(),
            parse_setting(&format!("server.proxy_header={header}")).unwrap(),
        ];
        Config::load(None, [], &settings).unwrap().server
    }

    fn client(peer: &str, header: &str, lines: &[(&'static str, &'static str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        ClientAddress::of(peer.parse().unwrap(), &headers, &server(header)).0.to_string()
    }

    #[test]
    fn a_client_that_is_no_proxy_is_its_own_address_whatever_it_says() {
        let lines = [("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4")];
        assert_eq!(client("203.0.113.9", "x-forwarded-for", &lines), "203.0.113.9");
        assert_eq!(client("::ffff:203.0.113.9", "forwarded", &lines), "203.0.113.9");
    }

    #[test]
    fn behind_proxies_the_right_most_untrusted_hop_is_the_client() {
        let lines = [("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.2.2.2")];
        assert_eq!(client("10.1.1.1", "x-forwarded-for", &lines), "203.0.113.9");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9:443")];
        assert_eq!(client("10.1.1.1", "x-forwarded-for", &lines), "203.0.113.9");
        let lines = [("forwarded", r#"for=1.1.1.1, For="[2001:db8::7]:4711";proto=https, for=10.9.9.9"#)];
        assert_eq!(client("fd00::1", "forwarded", &lines), "2001:db8::7");
    }

    #[test]
    fn the_other_header_is_the_clients_own_and_is_ignored() {
        let lines = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("10.1.1.1", "x-forwarded-for", &lines), "203.0.113.9");
        assert_eq!(client("10.1.1.1", "forwarded", &lines), "1.1.1.1");
        assert_eq!(client("10.1.1.1", "x-forwarded-for", &[("forwarded", "for=1.1.1.1")]), "10.1.1.1");
    }

    #[test]
    fn a_region_is_believed_from_a_trusted_proxy_that_tells_one() {
        let settings = ["server.trusted_proxies=10.0.0.0/8", "server.region_header=X-Geo-Region"];
        let server = Config::load(None, [], &settings.map(|setting| parse_setting(setting).unwrap())).unwrap().server;
        let told = |peer: [u8; 4], values: &[&'static str]| {
            let mut request = axum::http::Request::get("/").extension(ConnectInfo(SocketAddr::from((peer, 1))));
            for value in values {
                request = request.header("x-geo-region", *value);
            }
            region_of(&request.body(()).unwrap().into_parts().0, &server)
        };
        let hunan = Region::parse("43");
        assert_eq!(told([10, 0, 0, 1], &["CN-HN"]), hunan);
        assert_eq!(told([203, 0, 113, 1], &["CN-HN"]), None, "no trusted proxy");
        assert_eq!(told([10, 0, 0, 1], &["CN-HN", "CN-BJ"]), None, "one of them is the client's");
        assert_eq!(told([10, 0, 0, 1], &["somewhere"]), None);
        assert_eq!(told([10, 0, 0, 1], &[]), None);
    }

    #[test]
    fn a_hop_that_is_no_address_ends_the_search_at_the_proxy_that_sent_it() {
        for hop in ["unknown", "", "_hidden", "300.1.1.1", "1.1.1.1, unknown", "1.1.1.1, ,"] {
            assert_eq!(client("10.1.1.1", "x-forwarded-for", &[("x-forwarded-for", hop)]), "10.1.1.1", "{hop}");
        }
        assert_eq!(client("10.1.1.1", "x-forwarded-for", &[("x-forwarded-for", "bad, 10.3.3.3")]), "10.3.3.3");
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_prints_say_less_than_the_address() {
        let headers = HeaderMap::new();
        let of = |peer: &str| ClientAddress::of(peer.parse().unwrap(), &headers, &server("forwarded"));
        assert_eq!(of("2001:db8:1:2:3::4").limited_as(), of("2001:db8:1:2:ffff::").limited_as());
        assert_ne!(of("2001:db8:1:2::4").limited_as(), of("2001:db8:1:3::4").limited_as());
        assert_eq!(format!("{:?} {}", of("2001:db8:1:2::4"), of("203.0.113.9")), "2001:db8:1::/48 203.0.113.0/24");
    }
}
