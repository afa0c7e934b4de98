//! A small DNS server (RFC 1035, RFC 2782) on this computer, for the names that a test gives it. Whatever else is asked is
//! answered with "no such name".

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const MX: u16 = 15;
const SRV: u16 = 33;

/// What the server knows.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    records: BTreeMap<(String, u16), Vec<Vec<u8>>>,
    silent: BTreeSet<String>,
}

impl Zone {
    pub fn new() -> Self {
        Self::default()
    }

    /// A mail exchanger of a domain.
    pub fn mx(mut self, domain: &str, preference: u16, host: &str) -> Self {
        let mut data = preference.to_be_bytes().to_vec();
        data.extend(labels(host));
        self.add(domain, MX, data);
        self
    }

    /// A service's place. An empty target says that there is no such service.
    pub fn srv(mut self, name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Self {
        let mut data: Vec<u8> = [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
        data.extend(labels(target));
        self.add(name, SRV, data);
        self
    }

    /// Questions about this name get no answer at all.
    pub fn silent(mut self, name: &str) -> Self {
        self.silent.insert(name.to_ascii_lowercase());
        self
    }

    fn add(&mut self, name: &str, kind: u16, data: Vec<u8>) {
        self.records.entry((name.to_ascii_lowercase(), kind)).or_default().push(data);
    }

    /// Serves it on a free port.
    pub async fn serve(self) -> io::Result<Nameserver> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let address = socket.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
                let Some(question) = Question::read(&packet[..length]) else { continue };
                log.lock().unwrap_or_else(PoisonError::into_inner).push(question.name.clone());
                if !self.silent.contains(&question.name) {
                    let _ = socket.send_to(&self.answer(&question), peer).await;
                }
            }
        });
        Ok(Nameserver { address, asked, task })
    }

    fn answer(&self, question: &Question<'_>) -> Vec<u8> {
        let records = self.records.get(&(question.name.clone(), question.kind));
        let known = self.records.keys().any(|(name, _)| *name == question.name);
        // A recursive answer; 3 is "no such name".
        let flags: u16 = 0x8180 | if known { 0 } else { 3 };
        let count = u16::try_from(records.map_or(0, Vec::len)).unwrap_or(u16::MAX);
        let mut out = question.id.to_vec();
        for number in [flags, 1, count, 0, 0] {
            out.extend(number.to_be_bytes());
        }
        out.extend(question.raw);
        for data in records.into_iter().flatten() {
            // The name is the question's, at byte 12.
            out.extend([0xc0, 12]);
            out.extend(question.kind.to_be_bytes());
            out.extend(1u16.to_be_bytes());
            out.extend(60u32.to_be_bytes());
            out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(data);
        }
        out
    }
}

/// The first question of a packet.
struct Question<'a> {
    id: [u8; 2],
    /// Lower case, without the dot at the end.
    name: String,
    kind: u16,
    raw: &'a [u8],
}

impl<'a> Question<'a> {
    fn read(packet: &'a [u8]) -> Option<Self> {
        let mut at = 12;
        let mut name: Vec<String> = Vec::new();
        loop {
            let length = usize::from(*packet.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            let label = packet.get(at..at + length)?;
            name.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            at += length;
        }
        let kind = u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?);
        let raw = packet.get(12..at + 4)?;
        Some(Self { id: packet.get(..2)?.try_into().ok()?, name: name.join("."), kind, raw })
    }
}

/// A name as DNS writes it.
fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap_or(63));
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Nameserver {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Nameserver {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Nameserver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_is_answered_in_bytes_that_are_known() {
        let server = Zone::new().mx("firm.example", 10, "mx.firm.example").serve().await.unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let question =
            |name: &str| [&[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &labels(name), &[0, 15, 0, 1]].concat();
        let mut answer = [0; 512];
        client.send_to(&question("FIRM.example"), server.address()).await.unwrap();
        let length = client.recv(&mut answer).await.unwrap();
        assert_eq!(answer[..12], [7, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert!(answer[..length].ends_with(&[&[0, 10][..], &labels("mx.firm.example")].concat()));
        client.send_to(&question("other.example"), server.address()).await.unwrap();
        client.recv(&mut answer).await.unwrap();
        assert_eq!(answer[2..4], [0x81, 0x83]);
        assert_eq!(server.asked(), ["firm.example", "other.example"]);
    }
}
