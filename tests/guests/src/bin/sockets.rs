//! `sockets [ADDRESS:PORT [NAME]]`: tries every way onto the network that WASI has, and prints what each one says.
//! Fails if any of them works.

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;

use rolebox_test_guests::{arguments, report};

fn main() -> ExitCode {
    let arguments = arguments();
    let address = arguments.first().map_or("127.0.0.1:80", String::as_str);
    let name = arguments.get(1).map_or("localhost", String::as_str);
    let worked = [
        report("tcp-connect", TcpStream::connect(address).map(|_| "connected")),
        report("tcp-listen", TcpListener::bind("0.0.0.0:0").map(|_| "listening")),
        report("udp-bind", UdpSocket::bind("0.0.0.0:0").map(|_| "bound")),
        report(
            "udp-send",
            UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"hello", address)).map(|_| "sent"),
        ),
        report("name-lookup", (name, 80).to_socket_addrs().map(|_| "found")),
    ];
    if worked.contains(&true) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
