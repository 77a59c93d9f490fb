//! Which addresses are public: globally reachable, and of one host.
//!
//! Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), as of November 2026, and the IPv6 Global
//! Unicast registry. Forms that hold an IPv4 address inside an IPv6 one are not public, whatever they hold: which address
//! they lead to is decided by a gateway that nobody checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 addresses that are not public, by their first address and the length of their prefix.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // shared between a provider and its customers
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // Azure's metadata and DNS, which is no special block
    ([169, 254, 0, 0], 16),   // link-local, where AWS and others have their metadata services
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarking
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, and broadcast
];

/// Blocks within 2000::/3, the only one of global unicast addresses, that are not public.
const NOT_PUBLIC_V6: [([u16; 4], u32); 4] = [
    ([0x2001, 0, 0, 0], 23),     // protocol assignments: Teredo, ORCHID, benchmarking
    ([0x2001, 0xdb8, 0, 0], 32), // documentation
    ([0x2002, 0, 0, 0], 16),     // 6to4
    ([0x3fff, 0, 0, 0], 20),     // documentation
];

/// Whether a guest may have the host connect to this address.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(block, length): &([u8; 4], u32)| {
        let differing = u32::from(address) ^ u32::from(Ipv4Addr::from(*block));
        differing.leading_zeros() >= *length
    };
    !NOT_PUBLIC_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let upper = |[a, b, c, d]: [u16; 4]| u64::from(a) << 48 | u64::from(b) << 32 | u64::from(c) << 16 | u64::from(d);
    let [a, b, c, d, ..] = address.segments();
    let network = upper([a, b, c, d]);
    let within = |block: [u16; 4], length: u32| (network ^ upper(block)).leading_zeros() >= length;
    within([0x2000, 0, 0, 0], 3) && !NOT_PUBLIC_V6.iter().any(|(block, length)| within(*block, *length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:a9fe:a9fe::1",
            "2002:808:808::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
    }

    #[test]
    fn what_is_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "168.63.129.15",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2600:1f18::1",
            "3ffe::1",
        ] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }
}
