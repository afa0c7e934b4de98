//! A network that is far away, or that breaks: a proxy that holds every byte back by a fixed time, is otherwise as fast as
//! loopback, and cuts a connection off where it is told to.

use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that went through, TLS and all.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Up and down of each connection, in the order in which they came.
    connections: Mutex<Vec<[Arc<AtomicU64>; 2]>>,
    /// Where a connection is cut off, in bytes that it has brought down; 0 for never.
    cut_at: AtomicU64,
    cuts: AtomicU64,
    /// Bytes are held back until this ends, on connections that are open and on new ones.
    frozen: AtomicBool,
}

impl Traffic {
    /// The bytes of each connection so far, up and down, in the order in which they came.
    pub fn connections(&self) -> Vec<[u64; 2]> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.iter().map(|ways| ways.each_ref().map(|way| way.load(Ordering::Relaxed))).collect()
    }

    fn add(&self) -> [Arc<AtomicU64>; 2] {
        let ways = [Arc::default(), Arc::default()];
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(ways.clone());
        ways
    }

    /// Cuts off, once, the first connection that brings down so many bytes: exactly so many arrive.
    pub fn cut_at(&self, bytes: u64) {
        self.cut_at.store(bytes, Ordering::Relaxed);
    }

    /// Lets nothing through any more, without a sign to either side, as where packets are dropped; or again.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
    }

    fn thaw(&self) {
        while self.frozen.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many connections were cut off.
    pub fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }

    /// How many of these bytes still come through, where the connection ends here.
    fn cut(&self, before: u64, bytes: u64) -> Option<u64> {
        let at = self.cut_at.load(Ordering::Relaxed);
        if at == 0 || before + bytes < at {
            return None;
        }
        // Another connection may have been quicker.
        self.cut_at.compare_exchange(at, 0, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        self.cuts.fetch_add(1, Ordering::Relaxed);
        Some(at.saturating_sub(before))
    }
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
            // A TCP handshake is a round trip of its own.
            std::thread::sleep(one_way * 2);
            let [up, down] = traffic.add();
            for (from, to, counter, is_down) in
                [(&client, &server, up, false), (&server, &client, down, true)]
            {
                let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                let traffic = traffic.clone();
                std::thread::spawn(move || pump(from, to, one_way, &counter, &traffic, is_down));
            }
        }
    });
    Ok((port, traffic))
}

/// One thread reads and stamps, another writes when the time has come: a delay, not a limit on the rate.
fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    one_way: Duration,
    counter: &AtomicU64,
    traffic: &Traffic,
    is_down: bool,
) {
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
        let before = counter.fetch_add(n as u64, Ordering::Relaxed);
        traffic.thaw();
        if let Some(left) = is_down.then(|| traffic.cut(before, n as u64)).flatten() {
            buffer.truncate(left as usize);
            let _ = sender.send((Instant::now() + one_way, buffer));
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
        if sender.send((Instant::now() + one_way, buffer[..n].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    let _ = writer.join();
}
