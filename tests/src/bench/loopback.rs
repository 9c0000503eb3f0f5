//! A floor: what a byte to another thread and back takes over the loopback interface.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::Failure;
use super::clock::now;
use super::samples::Samples;

/// Round trips of one byte.
pub(super) fn round_trips(count: usize) -> Result<Samples, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        while far.read_exact(&mut byte).is_ok() && far.write_all(&byte).is_ok() {}
    });
    let mut samples = Samples::default();
    let mut byte = [0];
    for _ in 0..count {
        let sent = now();
        near.write_all(&byte)?;
        near.read_exact(&mut byte)?;
        samples.add(now() - sent);
    }
    drop(near);
    echo.join().map_err(|_| "the echo has panicked")?;
    Ok(samples)
}
