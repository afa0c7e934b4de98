//! A network that is far away: a proxy that holds every byte back by a fixed time and is otherwise as fast as loopback.

use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Bytes that went through.
#[derive(Debug, Default)]
pub struct Traffic {
    pub up: AtomicU64,
    pub down: AtomicU64,
    pub connections: AtomicU64,
}

/// Listens on a free port for as long as the program runs; gives the port.
pub fn start(target: u16, one_way: Duration) -> Result<(u16, Arc<Traffic>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let traffic = Arc::new(Traffic::default());
    let shared = traffic.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
            let traffic = shared.clone();
            traffic.connections.fetch_add(1, Ordering::Relaxed);
            // A TCP handshake is a round trip of its own.
            std::thread::sleep(one_way * 2);
            for (from, to, up) in [(&client, &server, true), (&server, &client, false)] {
                let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                let traffic = traffic.clone();
                std::thread::spawn(move || pump(from, to, one_way, &traffic, up));
            }
        }
    });
    Ok((port, traffic))
}

/// One thread reads and stamps, another writes when the time has come: a delay, not a limit on the rate.
fn pump(mut from: TcpStream, mut to: TcpStream, one_way: Duration, traffic: &Traffic, up: bool) {
    let _ = to.set_nodelay(true);
    let (sender, pieces) = channel::<(Instant, Vec<u8>)>();
    let writer = std::thread::spawn(move || {
        for (due, bytes) in pieces {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 {
            break;
        }
        let counter = if up { &traffic.up } else { &traffic.down };
        counter.fetch_add(n as u64, Ordering::Relaxed);
        if sender.send((Instant::now() + one_way, buffer[..n].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}
